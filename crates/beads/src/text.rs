//! Text as Go and the database treat it: quoting, lower case, `LIKE`. Rust's own ways differ in corners that users meet (final sigma,
//! `%` in a search word).

use sha1::{Digest, Sha1};

/// A rune's lower case as Go's `unicode.ToLower` has it: one character, whatever stands around it.
pub(crate) fn lower(text: &str) -> String {
    text.chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect()
}

/// Bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |number: u8| char::from_digit(number.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}

/// The database's `text LIKE pattern` under a binary collation: `%` any run, `_` any one character, `\` takes the next as it is.
pub(crate) fn like(text: &str, pattern: &str) -> bool {
    #[derive(Clone, Copy)]
    enum Part {
        Run,
        Any,
        Is(char),
    }
    let mut parts = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '%' => Part::Run,
            '_' => Part::Any,
            '\\' => Part::Is(chars.next().unwrap_or('\\')),
            c => Part::Is(c),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut part) = (0, 0);
    // Where to go on after a mismatch: the last run takes one character more.
    let mut retry: Option<(usize, usize)> = None;
    while at < text.len() {
        match (parts.get(part), text.get(at)) {
            (Some(Part::Run), _) => {
                retry = Some((part, at));
                part += 1;
            }
            (Some(Part::Any), Some(_)) => (at, part) = (at + 1, part + 1),
            (Some(Part::Is(wanted)), Some(found)) if wanted == found => (at, part) = (at + 1, part + 1),
            _ => {
                let Some((run, from)) = retry else { return false };
                retry = Some((run, from + 1));
                (at, part) = (from + 1, run + 1);
            }
        }
    }
    parts.iter().skip(part).all(|part| matches!(part, Part::Run))
}

/// Go's `%q`: the text in double quotes, with Go's escapes for what is not printable.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{b}' => out.push_str("\\v"),
            c if c.is_ascii_control() => {
                out.push_str("\\x");
                out.extend(u8::try_from(c).map(|byte| hex(&[byte])));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A UUID of version 5 (RFC 9562): of a namespace and a name, which comes in parts.
pub(crate) fn uuid_v5(namespace: [u8; 16], name: &[&[u8]]) -> String {
    let mut hash = Sha1::new();
    hash.update(namespace);
    for part in name {
        hash.update(part);
    }
    let mut text = String::with_capacity(36);
    for (at, byte) in hash.finalize().iter().take(16).enumerate() {
        // RFC 9562: version 5, variant 10.
        let byte = match at {
            6 => (byte & 0x0f) | 0x50,
            8 => (byte & 0x3f) | 0x80,
            _ => *byte,
        };
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&hex(&[byte]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_is_that_of_mysql() {
        for (text, pattern, expected) in [
            ("abc", "abc", true),
            ("abc", "%b%", true),
            ("abc", "a_c", true),
            ("abc", "a_", false),
            ("a%c", "a\\%c", true),
            ("abc", "a\\%c", false),
            ("aXbXc", "a%X%c", true),
            ("", "%", true),
            ("", "_", false),
            ("aaab", "%ab", true),
            ("ABC", "abc", false),
            ("é", "_", true),
        ] {
            assert_eq!(like(text, pattern), expected, "{text} like {pattern}");
        }
    }

    #[test]
    fn lower_case_is_one_character_each() {
        assert_eq!(lower("ÀΣ İX"), "àσ ix");
    }
}
