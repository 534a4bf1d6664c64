//! Sets and removes one key in the text of a `config.yaml`; everything else stays as it was written, comments too.
//!
//! Where the key goes is bd's rule (`internal/config/yaml_config.go`, `updateYamlKey`): a key that is there is changed in
//! place; a dotted key goes into the section it names, when the file holds anything at all; else a line that has the key
//! commented out is put to use; else it is appended. bd writes a file anew for a key in a section (four spaces everywhere)
//! and changes every line that looks like the key; here one place changes. What comes out is read again before it is
//! returned: the key must have its value and every other key the one that it had.

use std::ops::Range;

use granit_parser::ScalarStyle;

use super::yaml::{self, Document, Entry, Kind, Node, Value};

/// Why a text was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The text is not YAML that can be read.
    #[error("it cannot be understood: {0}")]
    Malformed(String),
    /// It holds several documents, and only the first one counts.
    #[error("it holds more than one YAML document")]
    SeveralDocuments,
    /// The key names a list or a section, or a text over several lines.
    #[error("{0} is not a single word there: edit the file by hand")]
    NotAWord(String),
    /// The form of the file is one that this editor does not know well enough.
    #[error("{0} cannot be changed safely there: edit the file by hand")]
    Unsafe(String),
}

/// The text with this key set. `value` is what stood on the command line: numbers, `true`, `false` and (at the top level)
/// durations become plain words, everything else is quoted where YAML needs it.
pub fn set(text: &str, key: &str, value: &str) -> Result<String, EditError> {
    let document = read(text)?;
    let changed = match place(document.root.as_ref(), key)? {
        Place::Value(entry, nested) => {
            let new = if nested { nested_form(value) } else { flat_form(value) };
            replace_value(text, entry, &new)
        }
        Place::Into(map, path) => insert(text, map, &path, &nested_form(value)),
        Place::Line => Some(put_line(text, key, &flat_form(value))),
    };
    let changed = changed.ok_or_else(|| EditError::Unsafe(key.to_owned()))?;
    let wanted = |leaf: &Value| {
        *leaf == value_of_form(&nested_form(value)) || *leaf == value_of_form(&flat_form(value))
    };
    verify(text, &changed, key, |leaf| leaf.is_some_and(wanted))?;
    Ok(changed)
}

/// The text with this key commented out. `Ok(None)`: it is not there.
pub fn unset(text: &str, key: &str) -> Result<Option<String>, EditError> {
    let document = read(text)?;
    let Some(root) = &document.root else { return Ok(None) };
    let Some((entry, in_flow)) = find(root, key) else { return Ok(None) };
    if in_flow {
        return Err(EditError::Unsafe(key.to_owned()));
    }
    let lines = whole_lines(text, entry.key_span.start..entry.end());
    let (before, rest) = text.split_at(lines.start);
    let (own, after) = rest.split_at(lines.end - lines.start);
    let own: Vec<String> = own.lines().map(comment_out).collect();
    let newline = if after.is_empty() && !text.ends_with('\n') { "" } else { "\n" };
    let changed = format!("{before}{}{newline}{after}", own.join("\n"));
    verify(text, &changed, key, |leaf| leaf.is_none())?;
    Ok(Some(changed))
}

fn comment_out(line: &str) -> String {
    let bare = line.trim_start();
    if bare.is_empty() || bare.starts_with('#') {
        return line.to_owned();
    }
    let indent = line.len() - bare.len();
    format!("{}# {bare}", line.get(..indent).unwrap_or_default())
}

fn read(text: &str) -> Result<Document, EditError> {
    let document = yaml::parse(text).map_err(EditError::Malformed)?;
    if document.more {
        return Err(EditError::SeveralDocuments);
    }
    Ok(document)
}

enum Place<'d> {
    /// The key is there; whether below a section.
    Value(&'d Entry, bool),
    /// This much of the way is there, the rest has to be made in it.
    Into(&'d Node, Vec<&'d str>),
    /// A line of its own at the top.
    Line,
}

fn place<'d>(root: Option<&'d Node>, key: &'d str) -> Result<Place<'d>, EditError> {
    let Some(root) = root else { return Ok(Place::Line) };
    if !matches!(root.kind, Kind::Map { .. }) {
        return Err(EditError::Malformed("it is not a list of keys and values".to_owned()));
    }
    if let Some(entry) = root.entry(key) {
        return word(entry, key).map(|entry| Place::Value(entry, false));
    }
    if !key.contains('.') {
        return Ok(Place::Line);
    }
    let parts: Vec<&str> = key.split('.').collect();
    let mut here = root;
    for (index, part) in parts.iter().enumerate() {
        let Some(entry) = here.entry(part) else {
            return Ok(Place::Into(here, parts.get(index..).unwrap_or_default().to_vec()));
        };
        if index + 1 == parts.len() {
            return word(entry, key).map(|entry| Place::Value(entry, true));
        }
        if !matches!(entry.node.kind, Kind::Map { .. }) {
            // Something else stands where the section would be.
            return Ok(Place::Line);
        }
        here = &entry.node;
    }
    Ok(Place::Line)
}

fn word<'d>(entry: &'d Entry, key: &str) -> Result<&'d Entry, EditError> {
    let is_block = |style| matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
    match entry.node.kind {
        Kind::Scalar { style, .. } if !is_block(style) => Ok(entry),
        _ => Err(EditError::NotAWord(key.to_owned())),
    }
}

/// The entry of a key, flat or below its sections, and whether it stands inside braces.
fn find<'d>(root: &'d Node, key: &str) -> Option<(&'d Entry, bool)> {
    let is_flow = |node: &Node| matches!(node.kind, Kind::Map { flow: true, .. });
    if let Some(entry) = root.entry(key) {
        return Some((entry, is_flow(root)));
    }
    let mut here = root;
    let mut in_flow = false;
    let mut found = None;
    for part in key.split('.') {
        in_flow |= is_flow(here);
        found = here.entry(part);
        here = &found?.node;
    }
    found.map(|entry| (entry, in_flow))
}

fn replace_value(text: &str, entry: &Entry, new: &str) -> Option<String> {
    let span = &entry.node.span;
    if !span.is_empty() {
        return Some(format!("{}{new}{}", text.get(..span.start)?, text.get(span.end..)?));
    }
    // Nothing stands after the colon yet.
    let colon = text.get(entry.key_span.end..)?.find(':')? + entry.key_span.end + 1;
    Some(format!("{} {new}{}", text.get(..colon)?, text.get(colon..)?))
}

/// `a:\n  b: value` at this indentation.
fn nested_lines(path: &[&str], value: &str, indent: usize, step: usize) -> String {
    let mut lines = Vec::new();
    for (depth, part) in path.iter().enumerate() {
        let space = " ".repeat(indent + depth * step);
        let tail = if depth + 1 == path.len() { format!(" {value}") } else { String::new() };
        lines.push(format!("{space}{part}:{tail}"));
    }
    lines.join("\n")
}

fn insert(text: &str, map: &Node, path: &[&str], value: &str) -> Option<String> {
    let Kind::Map { entries, flow } = &map.kind else { return None };
    if *flow {
        let close = map.span.end.checked_sub(1).filter(|at| text.get(*at..map.span.end) == Some("}"))?;
        let (last, sections) = path.split_last()?;
        let mut new = format!("{last}: {value}");
        for section in sections.iter().rev() {
            new = format!("{section}: {{{new}}}");
        }
        let before = text.get(..close)?.trim_end();
        let comma = if before.ends_with(['{', ',']) { "" } else { ", " };
        return Some(format!("{before}{comma}{new}{}", text.get(close..)?));
    }
    let first = entries.first()?;
    let step = entries.iter().find_map(|e| match &e.node.kind {
        Kind::Map { entries, flow: false } => entries.first()?.column.checked_sub(e.column),
        _ => None,
    });
    let new = nested_lines(path, value, first.column, step.unwrap_or(2));
    let at = whole_lines(text, map.end()..map.end()).end;
    let (before, after) = text.split_at(at);
    let gap = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    Some(format!("{before}{gap}{new}\n{after}"))
}

/// The lines that a range touches, from the first's begin to behind the last's newline.
fn whole_lines(text: &str, range: Range<usize>) -> Range<usize> {
    let start = text.get(..range.start).and_then(|t| t.rfind('\n')).map_or(0, |at| at + 1);
    // A block that ends with its newline does not reach into the next line.
    if range.end > start && text.get(..range.end).is_some_and(|t| t.ends_with('\n')) {
        return start..range.end;
    }
    let end = text.get(range.end..).and_then(|t| t.find('\n')).map_or(text.len(), |at| range.end + at + 1);
    start..end
}

/// A line at the top level, as bd puts it: the file then ends without a newline.
fn put_line(text: &str, key: &str, value: &str) -> String {
    let new = format!("{key}: {value}");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let is_commented = |line: &String| {
        let after = line.strip_prefix('#').map(str::trim_start).and_then(|l| l.strip_prefix(key));
        after.is_some_and(|l| l.trim_start().starts_with(':'))
    };
    if let Some(line) = lines.iter_mut().find(|line| is_commented(line)) {
        *line = new;
    } else {
        if lines.last().is_some_and(|l| !l.is_empty()) {
            lines.push(String::new());
        }
        lines.push(new);
    }
    lines.join("\n")
}

/// A value at the top level (`formatYamlValue`).
fn flat_form(value: &str) -> String {
    let lower = value.to_lowercase();
    if lower == "true" || lower == "false" {
        return lower;
    }
    let is_duration = value.strip_suffix(['s', 'm', 'h']).is_some_and(is_numeric);
    if is_numeric(value) || is_duration { value.to_owned() } else { quoted(value) }
}

/// A value below a section (`scalarStyleFor`), quoted also where bd leaves a word bare that YAML would misread.
fn nested_form(value: &str) -> String {
    let is_bool = matches!(
        value,
        "1" | "t" | "T" | "TRUE" | "true" | "True" | "0" | "f" | "F" | "FALSE" | "false" | "False"
    );
    let is_number = value.parse::<f64>().is_ok();
    let is_word = !value.is_empty()
        && !matches!(value, "null" | "Null" | "NULL" | "~" | "yes" | "no" | "on" | "off")
        && value.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_'))
        && !value.ends_with(' ')
        && value
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/' | '@' | '+' | '='));
    if is_bool || is_number || is_word { value.to_owned() } else { quoted(value) }
}

fn is_numeric(text: &str) -> bool {
    !text.is_empty()
        && text.char_indices().all(|(i, c)| c.is_ascii_digit() || c == '.' || (c == '-' && i == 0))
}

/// Go's `%q`, which YAML reads back as a text in double quotes.
fn quoted(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::from("\"");
    for c in text.chars() {
        let escape = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\t' => "\\t",
            '\r' => "\\r",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\u{b}' => "\\v",
            c if c.is_control() => {
                // Writing into a string cannot fail.
                let _ = if c.is_ascii() {
                    write!(out, "\\x{:02x}", u32::from(c))
                } else {
                    write!(out, "\\u{:04x}", u32::from(c))
                };
                continue;
            }
            c => {
                out.push(c);
                continue;
            }
        };
        out.push_str(escape);
    }
    out.push('"');
    out
}

fn value_of_form(form: &str) -> Value {
    let document = yaml::parse(&format!("k: {form}\n")).ok().and_then(|d| d.root);
    document.and_then(|root| root.entry("k").map(|e| e.node.value())).unwrap_or(Value::Null)
}

/// Every word and list with its dotted path.
fn leaves(node: Option<&Node>) -> Vec<(String, Value)> {
    fn walk(value: Value, path: String, out: &mut Vec<(String, Value)>) {
        match value {
            Value::Map(entries) if !entries.is_empty() => {
                for (key, value) in entries {
                    walk(value, if path.is_empty() { key } else { format!("{path}.{key}") }, out);
                }
            }
            // A section without anything in it is the same as none.
            Value::Map(_) | Value::Null => {}
            other => out.push((path, other)),
        }
    }
    let mut out = Vec::new();
    if let Some(node) = node {
        walk(node.value(), String::new(), &mut out);
    }
    out
}

fn verify(old: &str, new: &str, key: &str, holds: impl Fn(Option<&Value>) -> bool) -> Result<(), EditError> {
    let not_safe = || EditError::Unsafe(key.to_owned());
    let (old, new) = (read(old)?, read(new).map_err(|_| not_safe())?);
    let below = format!("{key}.");
    let others = |document: &Document| {
        let mut all = leaves(document.root.as_ref());
        all.retain(|(path, _)| path != key && !path.starts_with(&below));
        all
    };
    let leaf = leaves(new.root.as_ref()).into_iter().find(|(path, _)| path == key);
    let same = others(&old) == others(&new);
    if same && holds(leaf.as_ref().map(|(_, value)| value)) { Ok(()) } else { Err(not_safe()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_changes_in_its_place_and_its_comment_stays() {
        let text = "# top\ndolt:\n  # inner\n  auto-commit: on # eol\n  x: [a,b]\nlist:\n- 1\n";
        let set_it = set(text, "dolt.auto-commit", "off").unwrap();
        assert_eq!(set_it, text.replace("on # eol", "\"off\" # eol"));
        let more = set(text, "dolt.port", "3310").unwrap();
        assert_eq!(more, text.replace("x: [a,b]\n", "x: [a,b]\n  port: 3310\n"));
        let deep = set(text, "routing.a.b", "c d").unwrap();
        assert_eq!(deep, format!("{text}routing:\n  a:\n    b: c d\n"));
        assert_eq!(set("a.b: 1\nc: 2\n", "a.b", "x").unwrap(), "a.b: \"x\"\nc: 2\n", "a flat key stays flat");
        assert_eq!(
            set("dolt:\n  mode:\nx: 1\n", "dolt.mode", "server").unwrap(),
            "dolt:\n  mode: server\nx: 1\n"
        );
        assert_eq!(set("dolt: {a: 1}\n", "dolt.b.c", "2").unwrap(), "dolt: {a: 1, b: {c: 2}}\n");
        assert_eq!(set("dolt: 1\n", "dolt.b", "2").unwrap(), "dolt: 1\n\ndolt.b: 2");
    }

    #[test]
    fn a_commented_line_is_put_to_use_and_a_new_one_goes_to_the_end() {
        let text = "# about\n# no-db: false\n\n# json: false\n";
        assert_eq!(set(text, "json", "TRUE").unwrap(), "# about\n# no-db: false\n\njson: true");
        assert_eq!(set(text, "actor", "A \"b\"").unwrap(), format!("{text}\nactor: \"A \\\"b\\\"\""));
        assert_eq!(set("", "backup.interval", "15m").unwrap(), "backup.interval: 15m");
    }

    #[test]
    fn what_is_no_word_or_no_yaml_is_refused_and_left() {
        assert!(matches!(set("a: [1]\n", "a", "2"), Err(EditError::NotAWord(_))));
        assert!(matches!(set("a: |\n  x\n", "a", "2"), Err(EditError::NotAWord(_))));
        assert!(matches!(set("a: [1\n", "a", "2"), Err(EditError::Malformed(_))));
        assert!(matches!(set("a: 1\n---\nb: 1\n", "c", "2"), Err(EditError::SeveralDocuments)));
        assert!(matches!(set("- 1\n", "c", "2"), Err(EditError::Malformed(_))));
        assert!(matches!(set("a: 1\n", "b: 2\nc", "2"), Err(EditError::Unsafe(_))));
    }

    #[test]
    fn a_key_is_removed_by_making_it_a_comment() {
        let text = "a: 1\ndolt:\n    mode: server # x\n    list:\n    - 1\n    - 2\nb: 2\n";
        assert_eq!(unset(text, "b").unwrap().unwrap(), text.replace("b: 2", "# b: 2"));
        assert_eq!(unset(text, "dolt.mode").unwrap().unwrap(), text.replace("mode: s", "# mode: s"));
        let without = unset(text, "dolt.list").unwrap().unwrap();
        assert_eq!(without, text.replace("list:\n    - 1\n    - 2", "# list:\n    # - 1\n    # - 2"));
        assert_eq!(unset(text, "none").unwrap(), None);
        assert!(unset("d: {a: 1}\n", "d.a").is_err());
    }

    #[test]
    fn any_value_comes_back_as_it_went_in() {
        let values = [
            "",
            " ",
            "a: b",
            "#x",
            "on",
            "~",
            "é \u{7f} \t\n\"\\",
            "- x",
            "{a}",
            "1.0",
            "007",
            "@x",
            "*a",
            "%",
            "'",
        ];
        for file in ["x: 1\n", "git:\n  b: 1\n", "# none\n", "git: {b: 1}\n"] {
            for value in values {
                let changed = set(file, "git.author", value).unwrap();
                let again = set(&changed, "git.author", value).unwrap();
                assert_eq!(changed, again, "{file:?} {value:?}");
                let document = read(&changed).unwrap();
                let all = leaves(document.root.as_ref());
                let found = all.into_iter().find(|(k, _)| k == "git.author").map_or(Value::Null, |(_, v)| v);
                if !matches!(value, "1.0" | "007") {
                    assert_eq!(found.to_text(), value, "{changed:?}");
                }
            }
        }
    }
}
