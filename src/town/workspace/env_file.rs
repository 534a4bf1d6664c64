//! `.beads/.env`: variables that count where the environment has none of that name.
//!
//! `NAME=value`, `export NAME=value`, quotes, comments. A value that refers to other variables (`$NAME`) is not taken,
//! and the warning names it: what it would have meant is not known here.

use std::fs;
use std::path::Path;

/// The variables of a file, and what was not taken.
pub(super) fn read(path: &Path) -> (Vec<(String, String)>, Vec<String>) {
    let (mut found, mut warnings) = (Vec::new(), Vec::new());
    let Ok(text) = fs::read_to_string(path) else { return (found, warnings) };
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut refuse = |why: &str| {
            warnings.push(format!("{}, line {}: {why}; the line is left out", path.display(), index + 1));
        };
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        let Some((name, value)) = line.split_once('=') else {
            refuse("not NAME=value");
            continue;
        };
        let name = name.trim_end();
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')) {
            refuse("not the name of a variable");
            continue;
        }
        match value_of(value.trim()) {
            Some(value) => found.push((name.to_owned(), value)),
            None => refuse("a value that cannot be read without a shell"),
        }
    }
    (found, warnings)
}

fn value_of(raw: &str) -> Option<String> {
    if let Some(rest) = raw.strip_prefix('\'') {
        let (value, after) = rest.split_once('\'')?;
        return is_comment(after).then(|| value.to_owned());
    }
    if let Some(rest) = raw.strip_prefix('"') {
        let mut value = String::new();
        let mut chars = rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => return is_comment(rest.get(at + 1..)?).then_some(value),
                '$' => return None,
                '\\' => match chars.next()?.1 {
                    'n' => value.push('\n'),
                    'r' => value.push('\r'),
                    other => value.push(other),
                },
                other => value.push(other),
            }
        }
        return None;
    }
    let value = raw.find(" #").and_then(|at| raw.get(..at)).unwrap_or(raw).trim_end();
    (!value.contains('$')).then(|| value.to_owned())
}

fn is_comment(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty() || rest.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_and_what_needs_a_shell_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".env");
        fs::write(&path, "# c\nA=1 # one\nexport B='x $y'\nC=\"a\\\"b\" # c\nD=$A\nnonsense\nE=a#b\nF=\n")
            .unwrap();
        let (found, warnings) = read(&path);
        let pair = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        assert_eq!(
            found,
            [pair("A", "1"), pair("B", "x $y"), pair("C", "a\"b"), pair("E", "a#b"), pair("F", "")]
        );
        assert_eq!(warnings.len(), 2);
        assert!(warnings[0].contains("line 5") && warnings[1].contains("line 6"), "{warnings:?}");
        assert!(read(&dir.path().join("none")).0.is_empty());
    }
}
