//! Reading, line by line: a file is never in memory as a whole, only what its lines say. A file that has one bad line gives
//! nothing at all, because bd imports nothing of such a file.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::error::Category;

use crate::issue::{Issue, Status};

/// The longest line that bd takes, in bytes.
const MAX_LINE: u64 = 64 * 1024 * 1024;

/// What `{"_schema":…}` is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// A header to be skipped: bootstrap, automatic import, `init --from-jsonl`.
    Skipped,
    /// An issue without a title, which validation refuses: `bd import`.
    AnIssue,
}

/// A line that cannot be read. Lines and columns count from 1, columns in bytes; the words before the reason are bd's.
#[derive(Debug, thiserror::Error)]
pub enum JsonlError {
    /// No JSON object.
    #[error("failed to parse JSONL line: line {line}, column {column}: {reason}")]
    Line {
        /// Line of the file.
        line: usize,
        /// Byte of the line.
        column: usize,
        /// What the parser says.
        reason: String,
    },
    /// An object in which a known key has a value of another type.
    #[error("failed to parse issue from JSONL: line {line}, column {column}: {reason}")]
    Issue {
        /// Line of the file.
        line: usize,
        /// Byte of the line.
        column: usize,
        /// What the parser says.
        reason: String,
    },
    /// A memory whose key or value is no text.
    #[error("failed to parse memory record: line {line}, column {column}: {reason}")]
    Memory {
        /// Line of the file.
        line: usize,
        /// Byte of the line.
        column: usize,
        /// What the parser says.
        reason: String,
    },
    /// A line of more than 64 MiB.
    #[error("failed to scan JSONL: bufio.Scanner: token too long (line {0})")]
    TooLong(usize),
    /// The source itself.
    #[error("failed to scan JSONL: line {line}: {source}")]
    Unread {
        /// Line of the file.
        line: usize,
        /// What it says.
        source: io::Error,
    },
}

/// Something that was kept with `bd remember`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Without the `kv.memory.` of the configuration.
    pub key: String,
    /// Text.
    pub value: String,
}

/// What a file holds, in its order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Records {
    /// Issues, with defaults for status and type. Not validated.
    pub issues: Vec<Issue>,
    /// Memories with key and value.
    pub memories: Vec<Memory>,
    /// How many lines were deleted issues of old versions (status `tombstone`), which are left out.
    pub tombstones: usize,
}

/// Reads a source to its end (bd `runImportFromReader`, `parseJSONLFile`), one line of text at a time. Empty lines are skipped,
/// other white space is no JSON; bytes that are not UTF-8 become U+FFFD each.
pub fn read(mut source: impl BufRead, header: Header) -> Result<Records, JsonlError> {
    let mut records = Records::default();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        // The line's end, of two bytes at most, does not count.
        let read = source.by_ref().take(MAX_LINE + 2).read_until(b'\n', &mut line);
        if read.map_err(|source| JsonlError::Unread { line: number, source })? == 0 {
            break;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.len() as u64 > MAX_LINE {
            return Err(JsonlError::TooLong(number));
        }
        if !text.is_empty() {
            record(&readable(text), number, header, &mut records)?;
        }
    }
    Ok(records)
}

/// The keys that say what a line is.
#[derive(Default)]
struct Peek {
    is_header: bool,
    is_memory: bool,
    is_wisp: bool,
}

impl<'de> Deserialize<'de> for Peek {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Keys {
            #[serde(rename = "_schema")]
            schema: Option<IgnoredAny>,
            #[serde(rename = "_type")]
            kind: Option<Value>,
            wisp: Option<Value>,
        }
        let keys = Option::<Keys>::deserialize(deserializer)?;
        Ok(keys.map_or_else(Self::default, |keys| Self {
            is_header: keys.schema.is_some(),
            is_memory: keys.kind.is_some_and(|word| word == "memory"),
            is_wisp: keys.wisp == Some(Value::Bool(true)),
        }))
    }
}

fn record(line: &str, number: usize, header: Header, records: &mut Records) -> Result<(), JsonlError> {
    let refused =
        |e: &serde_json::Error| JsonlError::Line { line: number, column: e.column(), reason: reason(e) };
    if let Some(first) = line.find(|c: char| !c.is_ascii_whitespace() && !matches!(c, '{' | 'n')) {
        // Only objects, and `null` for an empty one: serde would take a list for the keys of a struct.
        if line.get(..first).is_some_and(|before| before.trim_ascii().is_empty()) {
            let reason = "expected an object".to_owned();
            return Err(JsonlError::Line { line: number, column: first + 1, reason });
        }
    }
    let peek: Peek = serde_json::from_str(line).map_err(|e| refused(&e))?;
    if peek.is_header && header == Header::Skipped {
        return Ok(());
    }
    if peek.is_memory {
        let memory: Memory = serde_json::from_str(line).map_err(|e| JsonlError::Memory {
            line: number,
            column: e.column(),
            reason: reason(&e),
        })?;
        if !memory.key.is_empty() && !memory.value.is_empty() {
            records.memories.push(memory);
        }
        return Ok(());
    }
    let mut issue: Issue = serde_json::from_str(line).map_err(|e| match e.classify() {
        Category::Data => JsonlError::Issue { line: number, column: e.column(), reason: reason(&e) },
        _ => refused(&e),
    })?;
    if issue.status == Status::from("tombstone") {
        records.tombstones += 1;
        return Ok(());
    }
    issue.ephemeral |= peek.is_wisp;
    issue.set_defaults();
    records.issues.push(issue);
    Ok(())
}

/// The message without the place, which is told apart.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => reason.to_owned(),
        None => text,
    }
}

/// The line as Go's decoder sees it: each byte that is not part of UTF-8, and each half of a surrogate pair without the other,
/// is U+FFFD.
fn readable(line: &[u8]) -> Cow<'_, str> {
    let text = match std::str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(
            line.utf8_chunks()
                .flat_map(|chunk| {
                    let bad = chunk.invalid().iter().map(|_| '\u{fffd}');
                    chunk.valid().chars().chain(bad).collect::<Vec<_>>()
                })
                .collect(),
        ),
    };
    if has_surrogate(&text) { Cow::Owned(without_lone_surrogates(&text)) } else { text }
}

fn has_surrogate(text: &str) -> bool {
    text.match_indices("\\u").any(|(at, _)| surrogate(text, at).is_some())
}

/// The code unit of an escape `\uD8xx` to `\uDFxx` that begins here.
fn surrogate(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..at.checked_add(6)?)?.strip_prefix("\\u")?;
    let unit = u32::from_str_radix(digits, 16).ok()?;
    (0xd800..0xe000).contains(&unit).then_some(unit)
}

fn without_lone_surrogates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let high = surrogate(escape, 0).map(|unit| unit < 0xdc00);
        let low = surrogate(escape, 6).map(|unit| unit >= 0xdc00);
        let (taken, written) = match (high, low) {
            (Some(true), Some(true)) => (12, None),
            (Some(_), _) => (6, Some("\\ufffd")),
            // Any other escape, of which only the first two characters matter: the second may be a backslash.
            (None, _) => (1 + escape.chars().nth(1).map_or(0, char::len_utf8), None),
        };
        let (taken, after) = escape.split_at_checked(taken).unwrap_or((escape, ""));
        out.push_str(written.unwrap_or(taken));
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::edge::EdgeType;

    fn one(line: &str) -> Issue {
        let mut read = read(line.as_bytes(), Header::AnIssue).unwrap();
        assert_eq!(read.issues.len(), 1, "{line}");
        read.issues.remove(0)
    }

    #[test]
    fn keys_are_taken_in_any_case_and_unknown_ones_are_dropped() {
        let issue = one(r#"{"ID":"x-a","Title":"t","PRIORITY":3,"nothing":{"deep":[1]},"title":"last"}"#);
        assert_eq!((issue.id.as_str(), issue.title.as_str(), issue.priority), ("x-a", "last", 3));
        assert_eq!((issue.status, issue.issue_type), (Status::Open, crate::IssueType::Task));
    }

    #[test]
    fn null_is_nothing_except_as_metadata() {
        let issue = one(
            r#"{"id":"x","labels":null,"status":null,"dependencies":null,"closed_at":null,"metadata":null,"waiters":[null]}"#,
        );
        assert_eq!(issue.labels, Vec::<String>::new());
        assert_eq!(issue.metadata.unwrap().as_str(), "null");
        assert_eq!(issue.waiters, [""]);
    }

    #[test]
    fn what_old_versions_wrote_is_read() {
        let issue = one(
            r#"{"id":"x","wisp":true,"comments":[{"id":7,"author":"a","text":"t","created_at":"2026-01-02T03:04:05Z"}],
            "bonded_from":[{"proto_id":"p","bond_type":"root"}],"dependencies":[{"depends_on_id":"y","type":"blocks"}]}"#
                .replace('\n', "")
                .as_str(),
        );
        assert!(issue.ephemeral);
        assert_eq!(issue.comments[0].id, "7");
        assert_eq!(issue.bonded_from[0].source_id, "p");
        assert_eq!(issue.dependencies[0].kind, EdgeType::Blocks);
    }

    #[test]
    fn tombstones_headers_and_memories_are_no_issues() {
        let file = "{\"_schema\":\"beads-jsonl/1\"}\n\n{\"id\":\"x\",\"status\":\"tombstone\"}\r\n\
            {\"_type\":\"memory\",\"key\":\"k\",\"value\":\"v\"}\n{\"_type\":\"memory\",\"key\":\"\",\"value\":\"v\"}\n";
        let records = read(file.as_bytes(), Header::Skipped).unwrap();
        assert_eq!((records.issues.len(), records.tombstones), (0, 1));
        assert_eq!(records.memories, [Memory { key: "k".into(), value: "v".into() }]);
        assert_eq!(read(file.as_bytes(), Header::AnIssue).unwrap().issues.len(), 1);
    }

    #[test]
    fn refusals_name_line_and_column() {
        let refusal = |line: &str| {
            let file = format!("{{\"id\":\"x\"}}\n{line}\n");
            read(file.as_bytes(), Header::AnIssue).unwrap_err().to_string()
        };
        for (line, expected) in [
            ("{\"id\":\"x\"", "failed to parse JSONL line: line 2, column 9: EOF while parsing an object"),
            ("[1]", "failed to parse JSONL line: line 2, column "),
            ("  ", "failed to parse JSONL line: line 2, column 2: EOF while parsing a value"),
            (
                "{\"title\":3}",
                "failed to parse issue from JSONL: line 2, column 10: invalid type: integer `3`",
            ),
            (
                "{\"priority\":1.0}",
                "failed to parse issue from JSONL: line 2, column 15: invalid type: floating point",
            ),
            (
                "{\"created_at\":\"2026-13-01T00:00:00Z\"}",
                "failed to parse issue from JSONL: line 2, column 37: parsing time \"2026-13-01T00:00:00Z\"",
            ),
            ("{\"title\":3,", "failed to parse JSONL line: line 2, column "),
            ("{\"_type\":\"memory\",\"key\":1}", "failed to parse memory record: line 2, column 25: "),
        ] {
            let told = refusal(line);
            assert!(told.starts_with(expected), "{line}: {told}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_become_replacement_characters() {
        assert_eq!(
            read(&b"{\"title\":\"a\xff\xfeb\"}"[..], Header::AnIssue).unwrap().issues[0].title,
            "a\u{fffd}\u{fffd}b"
        );
        assert_eq!(
            one(r#"{"title":"\ud800 \ud83d\ude00 \udc00\\ud800"}"#).title,
            "\u{fffd} 😀 \u{fffd}\\ud800"
        );
    }

    /// The same line again and again, and then an error.
    struct Lines<'l> {
        line: &'l [u8],
        rest: &'l [u8],
        left: usize,
    }

    impl Read for Lines<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let taken = self.fill_buf()?.read(buffer)?;
            self.consume(taken);
            Ok(taken)
        }
    }

    impl BufRead for Lines<'_> {
        fn fill_buf(&mut self) -> io::Result<&[u8]> {
            if self.rest.is_empty() {
                self.left = self.left.checked_sub(1).ok_or_else(|| io::Error::other("the disk is gone"))?;
                self.rest = self.line;
            }
            Ok(self.rest)
        }

        fn consume(&mut self, taken: usize) {
            self.rest = &self.rest[taken..];
        }
    }

    #[test]
    fn a_source_that_breaks_off_gives_nothing_and_the_line_is_named() {
        let source = Lines { line: b"{\"id\":\"x\"}\n", rest: b"", left: 3 };
        let refused = read(source, Header::AnIssue).unwrap_err();
        assert_eq!(refused.to_string(), "failed to scan JSONL: line 4: the disk is gone");
    }

    /// Bytes of one long line without end: who reads more of them than a line may have fails.
    #[test]
    fn of_a_line_that_never_ends_no_more_is_read_than_a_line_may_have() {
        let limit = usize::try_from(MAX_LINE).unwrap();
        let piece = vec![b' '; 1 << 20];
        let source = Lines { line: &piece, rest: b"", left: limit / piece.len() + 1 };
        assert!(matches!(read(source, Header::AnIssue), Err(JsonlError::TooLong(1))));
        let mut longest = vec![b' '; limit - 2];
        longest.extend_from_slice(b"{}\r\n{}");
        assert_eq!(read(longest.as_slice(), Header::AnIssue).unwrap().issues.len(), 2);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            drop(read(bytes.as_slice(), Header::Skipped));
        }

        #[test]
        fn near_json_is_read_or_refused(line in r#"(\{|\}|"|:|,|\\u|d8|dc|00|title|\\|[a-z0-9]){0,40}"#) {
            drop(read(line.as_bytes(), Header::Skipped));
        }
    }
}
