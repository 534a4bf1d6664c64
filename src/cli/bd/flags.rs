//! Flags that several commands share, and how their values are read.

use std::io::{ErrorKind, Read};
use std::path::Path;

use clap::Args;
use jiff::{Timestamp, Zoned};

use super::answer::{Answer, Refusal};
use super::text::in_go;

/// The texts of an issue.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Texts {
    /// Who works on it
    #[arg(short, long)]
    pub(super) assignee: Option<String>,
    /// What it is about; - reads standard input
    #[arg(short, long)]
    pub(super) description: Option<String>,
    #[arg(long, hide = true)]
    pub(super) body: Option<String>,
    #[arg(short, long, hide = true)]
    pub(super) message: Option<String>,
    /// Read the description from a file; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(super) body_file: Option<String>,
    #[arg(long, hide = true)]
    pub(super) description_file: Option<String>,
    /// Read the description from standard input
    #[arg(long)]
    pub(super) stdin: bool,
    /// How it shall be done
    #[arg(long)]
    pub(super) design: Option<String>,
    /// Read that from a file; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "design")]
    pub(super) design_file: Option<String>,
    /// When it is done
    #[arg(long)]
    pub(super) acceptance: Option<String>,
    /// Anything else
    #[arg(long)]
    pub(super) notes: Option<String>,
    /// Added behind the notes
    #[arg(long)]
    pub(super) append_notes: Option<String>,
    /// Where it is known too, such as gh-9
    #[arg(long)]
    pub(super) external_ref: Option<String>,
}

impl Texts {
    /// The description, from whichever flag it comes.
    pub(super) fn description(&self) -> Answer<Option<String>> {
        if self.stdin {
            return stdin().map(Some);
        }
        let given =
            [("--description", &self.description), ("--body", &self.body), ("--message", &self.message)];
        let given: Vec<(&str, &String)> =
            given.into_iter().filter_map(|(flag, value)| value.as_ref().map(|value| (flag, value))).collect();
        let files = (&self.body_file, &self.description_file);
        if let (Some(a), Some(b)) = files
            && a != b
        {
            let text = "cannot specify both --body-file and --description-file with different values";
            return Err(Refusal::plain(text));
        }
        if let Some(file) = files.0.as_ref().or(files.1.as_ref()) {
            if !given.is_empty() {
                let text = "cannot specify both --body-file and --description/--body/--message";
                return Err(Refusal::plain(text));
            }
            return read_file(file).map(Some);
        }
        let Some((first, value)) = given.first() else { return Ok(None) };
        if let Some((other, _)) = given.iter().find(|(_, other)| other != value) {
            let text = format!("cannot specify both {first} and {other} with different values");
            return Err(Refusal::plain(text));
        }
        if *value == "-" { stdin().map(Some) } else { Ok(Some((*value).clone())) }
    }

    /// Whether the description comes from standard input or a file.
    pub(super) fn is_description_read(&self) -> bool {
        let words = [&self.description, &self.body, &self.message];
        self.stdin
            || self.body_file.is_some()
            || self.description_file.is_some()
            || words.into_iter().any(|word| word.as_deref() == Some("-"))
    }

    /// The design, from whichever flag it comes.
    pub(super) fn design(&self) -> Answer<Option<String>> {
        match (&self.design_file, &self.design) {
            (Some(file), _) => read_file(file).map(Some),
            (None, Some(text)) if text == "-" => stdin().map(Some),
            (None, text) => Ok(text.clone()),
        }
    }
}

fn stdin() -> Answer<String> {
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.map_err(|error| Refusal::plain(format!("reading from stdin: {error}")))?;
    Ok(text)
}

fn read_file(path: &str) -> Answer<String> {
    if path == "-" {
        return stdin();
    }
    file_or_stdin(path).map_err(|words| Refusal::plain(format!("reading body file: {words}")))
}

/// What a file says, or standard input for `-`; else why it cannot be read, for what is said in front.
pub(super) fn file_or_stdin(path: &str) -> Result<String, String> {
    if path == "-" {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        read.map_err(|error| format!("failed to read from stdin: {error}"))?;
        return Ok(text);
    }
    std::fs::read_to_string(Path::new(path)).map_err(|error| {
        // A directory opens, and cannot be read.
        let call = if error.kind() == ErrorKind::IsADirectory { "read" } else { "open" };
        format!("failed to {call} file: {call} {path}: {}", in_go(&error))
    })
}

/// `{…}` as it is, `@file` from a file.
pub(super) fn json_or_file(text: &str) -> Answer<String> {
    let text = match text.strip_prefix('@') {
        None => text.to_owned(),
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| Refusal::new(format!("failed to read metadata file {path}: {error}")))?,
    };
    if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() {
        return Err(Refusal::new("invalid JSON in --metadata: must be valid JSON"));
    }
    Ok(text)
}

/// Values of a flag that takes lists with commas, as Go's flags split them.
pub(super) fn split(values: &[String]) -> Vec<String> {
    values.iter().flat_map(|value| value.split(',')).map(str::to_owned).filter(|v| !v.is_empty()).collect()
}

/// A moment as people write it.
pub(super) fn moment(text: &str, now: &Zoned) -> Option<Timestamp> {
    beads::when::parse(text, now).ok().map(|zoned| zoned.timestamp())
}

/// A text that is said in words, read from a file or from standard input.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Said {
    /// What
    text: Vec<String>,
    /// Read it from standard input
    #[arg(long, conflicts_with = "file")]
    stdin: bool,
    /// Read it from a file
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
}

impl Said {
    /// The text; `what` it is, for the refusal if there is none.
    pub(super) fn text(&self, what: &str) -> Answer<String> {
        if self.stdin {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map_err(|error| Refusal::new(format!("reading from stdin: {error}")))?;
            return Ok(text.trim_end_matches('\n').to_owned());
        }
        if let Some(file) = &self.file {
            return std::fs::read_to_string(file)
                .map_err(|error| Refusal::new(format!("reading file: {error}")));
        }
        if self.text.is_empty() {
            let text = format!("no {what} text provided (use positional args, --stdin, or --file)");
            return Err(Refusal::new(text));
        }
        Ok(self.text.join(" "))
    }
}
