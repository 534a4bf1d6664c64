//! Printing. Text for people (coloured on a terminal only), or one JSON object per command with a version number.
//!
//! A reader that goes away (`| head`) is no error: printing stops, the work goes on.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

use anstyle::{AnsiColor, Style};
use serde_json::{Map, Value, json};

use crate::doltserver::Notice;

/// Version of every JSON object that is printed. It changes when a field changes its meaning or goes away.
pub(crate) const JSON_VERSION: u32 = 1;

/// A pipe that holds so much is not waited for much oftener than one that holds all.
#[cfg(target_os = "linux")]
const PIPE: usize = 1 << 18;

/// How results are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default().bold();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();

/// Text in a style; the style is taken out again when the output is no terminal.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints a line to standard output.
pub(crate) fn line(text: impl Display) {
    raw(&format!("{text}\n"));
}

/// Prints text as it is to standard output.
pub(crate) fn raw(text: &str) {
    let mut out = anstream::stdout().lock();
    ignore_closed(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// Writes data to standard output, byte for byte: also what looks like a colour is data.
pub(crate) fn data(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush())
}

/// Standard output for so many bytes of data: nothing looks for the ends of lines, and where it is a pipe that does not hold them,
/// it is made to hold more, so that the reader need not be waited for so often.
pub(crate) fn wide(bytes: usize) -> io::Result<io::BufWriter<File>> {
    let out = io::stdout().as_fd().try_clone_to_owned()?;
    #[cfg(target_os = "linux")]
    // What is no pipe refuses, and so does one whose user has many.
    if let Ok(size) = rustix::pipe::fcntl_getpipe_size(&out)
        && size < PIPE.min(bytes)
    {
        let _refused = rustix::pipe::fcntl_setpipe_size(&out, PIPE);
    }
    Ok(io::BufWriter::with_capacity(1 << 16, File::from(out)))
}

/// Prints a line to standard error.
pub(crate) fn note(text: impl Display) {
    let mut out = anstream::stderr().lock();
    ignore_closed(writeln!(out, "{text}"));
}

/// Prints a warning to standard error.
pub(crate) fn warn(text: impl Display) {
    note(format!("{} {text}", styled(YELLOW, "Warning:")));
}

// There is nowhere left to say it.
fn ignore_closed(result: io::Result<()>) {
    if let Err(error) = result {
        tracing::debug!(%error, "output was not taken");
    }
}

/// Prints the JSON object of a command: `version`, `command`, then the fields of `body`.
pub(crate) fn json(command: &str, body: Value) {
    let mut object = Map::new();
    object.insert("version".into(), json!(JSON_VERSION));
    object.insert("command".into(), json!(command));
    match body {
        Value::Object(fields) => object.extend(fields),
        other => {
            object.insert("result".into(), other);
        }
    }
    line(format!("{:#}", Value::Object(object)));
}

/// Shows a notice on standard error.
pub(crate) fn notice(notice: Notice) {
    match notice {
        Notice::WaitingForLock { holder } => note(format!("waiting: daemon/dolt.lock is held by {holder}")),
        Notice::WaitingForWriters { holder } => note(format!("waiting for writers to finish: {holder}")),
        Notice::DatabaseBusy { database, holder } => {
            note(format!("waiting: database {database} is open in {holder}"));
        }
        Notice::WaitingForQueries { queries } => {
            note(format!("waiting for {} running:", count(queries.len(), "query", "queries")));
            for query in queries {
                note(format!("  {query}"));
            }
        }
        Notice::WaitingForExit { pid } => note(format!("waiting for PID {pid} to end")),
        Notice::Note(text) => note(text),
        Notice::Warning(text) => warn(text),
    }
}

/// `1 query`, `3 queries`.
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// A word as one would type it into a shell.
pub(crate) fn shell_word(word: &str) -> String {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=".contains(c));
    if plain && !word.is_empty() { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// `6.2 KB`, as the Go tool spells sizes.
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)];
    for (unit, size) in UNITS {
        if n >= size {
            #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
            return format!("{:.1} {unit}", n as f64 / size as f64);
        }
    }
    format!("{n} B")
}

/// Rows with aligned columns, two blanks between; the last column is not padded.
pub(crate) fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let width = |i: usize| rows.iter().filter_map(|r| r.get(i)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows.iter().map(Vec::len).max().unwrap_or(0)).map(width).collect();
    let render = |row: &Vec<String>| {
        let last = row.len().saturating_sub(1);
        let cell = |(i, text): (usize, &String)| {
            let pad = widths.get(i).copied().unwrap_or(0).saturating_sub(text.chars().count());
            if i == last { text.clone() } else { format!("{text}{}", " ".repeat(pad + 2)) }
        };
        row.iter().enumerate().map(cell).collect::<String>().trim_end().to_owned()
    };
    rows.iter().map(render).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_sizes_read_well() {
        let rows = vec![vec!["a".to_owned(), "bb".into()], vec!["ccc".into(), "d".into()]];
        assert_eq!(columns(&rows), ["a    bb", "ccc  d"]);
        assert_eq!(shell_word("it's ~/a b"), r"'it'\''s ~/a b'");
        assert_eq!((bytes(12), bytes(6349)), ("12 B".into(), "6.2 KB".into()));
    }
}
