//! YAML as bd's library reads it, with the place of every key and value in the text, so that one of them can be changed
//! without touching the rest.
//!
//! Plain scalars mean what Go's `yaml.v3` makes of them: `on`, `yes` and `15m` are text, `0123` is octal. Times stay text.
//! Only the first document counts. Refused: a key that stands twice, keys that are no scalars, merge keys (`<<`).

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};

/// No configuration of a person is deeper than this; an attacker's would be.
const DEEPEST: usize = 64;

/// A value, as typed as YAML makes it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Anything else that is one word.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// A section: keys in the order of the file.
    Map(Vec<(String, Self)>),
}

impl Value {
    /// As Go's `cast.ToString`: lists and sections have no text.
    pub fn to_text(&self) -> String {
        match self {
            Self::Bool(b) => b.to_string(),
            Self::Int(n) => n.to_string(),
            Self::Float(n) => n.to_string(),
            Self::Text(text) => text.clone(),
            Self::Null | Self::List(_) | Self::Map(_) => String::new(),
        }
    }
}

/// A node and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Scalar {
        value: Value,
        style: ScalarStyle,
    },
    List {
        items: Vec<Node>,
    },
    Map {
        entries: Vec<Entry>,
        flow: bool,
    },
    /// Another node's content by its name.
    Alias(Value),
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    /// Column of the key, in characters.
    pub(super) column: usize,
    pub(super) node: Node,
}

impl Node {
    pub(super) fn value(&self) -> Value {
        match &self.kind {
            Kind::Scalar { value, .. } | Kind::Alias(value) => value.clone(),
            Kind::List { items } => Value::List(items.iter().map(Self::value).collect()),
            Kind::Map { entries, .. } => {
                Value::Map(entries.iter().map(|e| (e.key.clone(), e.node.value())).collect())
            }
        }
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Map { entries, .. } => entries.iter().find(|e| e.key == key),
            _ => None,
        }
    }

    /// The end of what is written in it.
    pub(super) fn end(&self) -> usize {
        match &self.kind {
            Kind::Map { entries, flow: false } => entries.last().map_or(self.span.end, Entry::end),
            _ => self.span.end,
        }
    }
}

impl Entry {
    /// The end of what is written for it. An empty value has no place of its own.
    pub(super) fn end(&self) -> usize {
        if self.node.span.is_empty() { self.key_span.end } else { self.node.end() }
    }
}

/// A text, parsed.
#[derive(Debug)]
pub(super) struct Document {
    /// None when there is nothing in it but comments.
    pub(super) root: Option<Node>,
    /// Whether another document follows.
    pub(super) more: bool,
}

/// Parses a text. The error is one line, with the place.
pub(super) fn parse(text: &str) -> Result<Document, String> {
    let mut events = Events { parser: Parser::new_from_str(text), anchors: HashMap::new() };
    let mut root = None;
    let mut documents = 0;
    loop {
        match events.next()? {
            (Event::StreamEnd, _) => break,
            (Event::DocumentStart(..), _) => documents += 1,
            (Event::StreamStart | Event::DocumentEnd, _) => {}
            (event, span) if documents == 1 && root.is_none() && event.is_node() => {
                root = Some(events.node(event, &span, 0)?);
            }
            _ if documents > 1 => break,
            _ => {}
        }
    }
    // A document of nothing but an empty scalar is an empty file with a `---` in it.
    let root =
        root.filter(|n| !matches!(&n.kind, Kind::Scalar { value: Value::Null, .. } if n.span.is_empty()));
    Ok(Document { root, more: documents > 1 })
}

struct Events<'t> {
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    anchors: HashMap<usize, Value>,
}

impl<'t> Events<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), String> {
        match self.parser.next() {
            Some(Ok(found)) => Ok(found),
            Some(Err(error)) => Err(error.to_string()),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// The next event that is no comment.
    fn next_node(&mut self) -> Result<(Event<'t>, Span), String> {
        loop {
            let (event, span) = self.next()?;
            if event.is_node() || matches!(event, Event::MappingEnd | Event::SequenceEnd) {
                return Ok((event, span));
            }
            if matches!(event, Event::StreamEnd) {
                return Err("the text ends inside a value".to_owned());
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: &Span, depth: usize) -> Result<Node, String> {
        if depth > DEEPEST {
            return Err(format!("line {}: more than {DEEPEST} levels deep", span.start.line()));
        }
        let mut range = span.byte_range().ok_or("no place known")?;
        let (kind, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = tag.is_some_and(|t| t.core_suffix() == Some("str"));
                let value = match style {
                    ScalarStyle::Plain if !is_text => plain(&text),
                    _ => Value::Text(text.into_owned()),
                };
                (Kind::Scalar { value, style }, anchor)
            }
            Event::Alias(id) => {
                let value = self.anchors.get(&id).cloned().ok_or("an alias to something around it")?;
                (Kind::Alias(value), 0)
            }
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next_node()? {
                        (Event::SequenceEnd, end) => {
                            range.end = end.byte_range().map_or(range.end, |r| r.end);
                            break;
                        }
                        (event, span) => items.push(self.node(event, &span, depth + 1)?),
                    }
                }
                (Kind::List { items }, anchor)
            }
            Event::MappingStart(style, anchor, _) => {
                let mut entries: Vec<Entry> = Vec::new();
                loop {
                    let (event, span) = self.next_node()?;
                    if matches!(event, Event::MappingEnd) {
                        range.end = span.byte_range().map_or(range.end, |r| r.end);
                        break;
                    }
                    let entry = self.entry(&event, &span, depth)?;
                    if entries.iter().any(|e| e.key == entry.key) {
                        let line = span.start.line();
                        return Err(format!("line {line}: mapping key {:?} already defined", entry.key));
                    }
                    entries.push(entry);
                }
                (Kind::Map { entries, flow: style == StructureStyle::Flow }, anchor)
            }
            _ => return Err(format!("line {}: not a value", span.start.line())),
        };
        let node = Node { span: range, kind };
        if anchor != 0 {
            self.anchors.insert(anchor, node.value());
        }
        Ok(node)
    }

    fn entry(&mut self, event: &Event<'t>, span: &Span, depth: usize) -> Result<Entry, String> {
        let Event::Scalar(key, style, ..) = event else {
            return Err(format!("line {}: a key that is not one word", span.start.line()));
        };
        if key == "<<" && *style == ScalarStyle::Plain {
            return Err(format!("line {}: merge keys are not supported", span.start.line()));
        }
        let key_span = span.byte_range().ok_or("no place known")?;
        let (event, value_span) = self.next_node()?;
        let node = self.node(event, &value_span, depth + 1)?;
        Ok(Entry { key: key.to_string(), key_span, column: span.start.col(), node })
    }
}

/// What a word without quotes is.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Value::Text(text.to_owned());
    }
    let bare = text.replace('_', "");
    if let Some(n) = whole(&bare) {
        return Value::Int(n);
    }
    let is_float = {
        let unsigned = bare.trim_start_matches(['+', '-']);
        bare.len() - unsigned.len() <= 1
            && unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && unsigned.contains(|c: char| c.is_ascii_digit())
            && unsigned.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'))
    };
    match bare.parse::<f64>() {
        Ok(n) if is_float => Value::Float(n),
        _ => Value::Text(text.to_owned()),
    }
}

fn whole(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.get(..2) {
        Some("0x") => (16, lower.get(2..)?),
        Some("0o") => (8, lower.get(2..)?),
        Some("0b") => (2, lower.get(2..)?),
        Some(two) if two.starts_with('0') => (8, lower.get(1..)?),
        _ => (10, lower.as_str()),
    };
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    i64::from_str_radix(&format!("{}{digits}", if negative { "-" } else { "" }), radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        parse(text).unwrap().root.unwrap().value()
    }

    #[test]
    fn words_mean_what_the_library_of_bd_makes_of_them() {
        for (text, want) in [
            ("on", Value::Text("on".into())),
            ("True", Value::Bool(true)),
            ("15m", Value::Text("15m".into())),
            ("3308", Value::Int(3308)),
            ("010", Value::Int(8)),
            ("0x1F", Value::Int(31)),
            ("1_000", Value::Int(1000)),
            ("-1.50", Value::Float(-1.5)),
            ("1e3", Value::Float(1000.0)),
            ("127.0.0.1", Value::Text("127.0.0.1".into())),
            ("2026-01-02", Value::Text("2026-01-02".into())),
            ("~", Value::Null),
            ("!!str 7", Value::Text("7".into())),
            ("\"on\"", Value::Text("on".into())),
        ] {
            let Value::Map(map) = value(&format!("k: {text}\n")) else { panic!("{text}") };
            assert_eq!(map[0].1, want, "{text}");
        }
    }

    #[test]
    fn a_file_of_comments_has_nothing_in_it() {
        assert!(parse("# a\n\n# b\n").unwrap().root.is_none());
        assert!(parse("").unwrap().root.is_none());
        assert!(parse("---\n# a\n").unwrap().root.is_none());
    }

    #[test]
    fn what_would_be_misread_is_refused() {
        for bad in ["a: 1\na: 2\n", "a: [1\n", "? [a]\n: 1\n", "x: &x {}\ny:\n  <<: *x\n", "a: *none\n"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse("a: 1\n---\nb: 2\n").unwrap().more);
        let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        assert!(parse(&deep).unwrap_err().contains("levels deep"));
    }

    #[test]
    fn anchors_stand_for_what_they_name() {
        let Value::Map(map) = value("a: &x [1, two]\nb: *x\n") else { panic!() };
        assert_eq!(map[0].1, map[1].1);
    }
}
