//! What is said about words that make no command: help, or one line as bd says it. Callers look at the first line only.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::answer::Refusal;
use super::later::unknown_below;
use crate::cli::out;

/// Help goes to standard output and is no failure; everything else is a refusal.
pub(super) fn tell(error: &clap::Error, tree: &Command, words: &[OsString]) -> ExitCode {
    let word = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        _ => String::new(),
    };
    let (command, path) = named(tree, words);
    let text = match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::DisplayVersion => {
            out::raw(&error.render().ansi().to_string());
            return ExitCode::SUCCESS;
        }
        ErrorKind::UnknownArgument => unknown(&word(ContextKind::InvalidArg), command, &path),
        ErrorKind::InvalidSubcommand => unknown_below(&path, &word(ContextKind::InvalidSubcommand)),
        ErrorKind::MissingRequiredArgument if !word(ContextKind::InvalidArg).contains("--") => {
            let missing = match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::Strings(texts)) => texts.len(),
                _ => 1,
            };
            too_few(command, missing)
        }
        ErrorKind::MissingRequiredArgument => {
            // `--of <OF>`: bd names the flag alone.
            let flag = word(ContextKind::InvalidArg);
            let flag = flag.split([' ', '=']).find_map(|word| word.strip_prefix("--")).unwrap_or_default();
            format!("required flag(s) {flag:?} not set")
        }
        ErrorKind::TooFewValues => {
            let number = |kind| match error.get(kind) {
                Some(ContextValue::Number(number)) => *number,
                _ => 0,
            };
            let (least, got) = (number(ContextKind::MinValues), number(ContextKind::ActualNumValues));
            format!("requires at least {least} arg(s), only received {got}")
        }
        ErrorKind::ValueValidation => {
            let (flag, value) = (word(ContextKind::InvalidArg), word(ContextKind::InvalidValue));
            let flag = spelled(flag.split(' ').next().unwrap_or_default(), command);
            format!(
                "invalid argument {value:?} for {flag:?} flag: strconv.ParseInt: parsing {value:?}: invalid syntax"
            )
        }
        _ => {
            let text = error.render().to_string();
            text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    };
    Refusal::plain(text).tell(false)
}

// The command that the words name, and its whole name.
fn named<'c>(tree: &'c Command, words: &[OsString]) -> (&'c Command, String) {
    let (mut command, mut path) = (tree, "bd".to_owned());
    for word in words.iter().skip(1).filter_map(|word| word.to_str()) {
        if let Some(found) = command.find_subcommand(word) {
            command = found;
            path = format!("{path} {}", found.get_name());
        }
    }
    (command, path)
}

fn unknown(word: &str, command: &Command, path: &str) -> String {
    if let Some(name) = word.strip_prefix("--") {
        return format!("unknown flag: --{name}");
    }
    if let Some(letters) = word.strip_prefix('-') {
        let letter = letters.chars().next().unwrap_or('-');
        return format!("unknown shorthand flag: '{letter}' in -{letters}");
    }
    match command.get_positionals().count() {
        0 => format!("unknown argument {word:?} for {path:?}"),
        n => format!("accepts {n} arg(s), received {}", n + 1),
    }
}

fn too_few(command: &Command, missing: usize) -> String {
    let (mut least, mut is_open) = (0, false);
    for arg in command.get_positionals().filter(|arg| arg.is_required_set()) {
        let range = arg.get_num_args();
        least += range.map_or(1, |range| range.min_values().max(1));
        is_open |=
            matches!(arg.get_action(), clap::ArgAction::Append) || range.is_some_and(|r| r.max_values() > 1);
    }
    let got = least.saturating_sub(missing.max(if is_open { least } else { 0 }));
    // Its argument stands beside words of its own.
    if is_open || command.get_name() == "comments" {
        format!("requires at least {least} arg(s), only received {got}")
    } else {
        format!("accepts {least} arg(s), received {got}")
    }
}

// `-n, --limit`, as bd names a flag.
fn spelled(flag: &str, command: &Command) -> String {
    let arg = command.get_arguments().find(|arg| arg.get_long() == flag.strip_prefix("--"));
    match arg.and_then(clap::Arg::get_short) {
        Some(short) => format!("-{short}, {flag}"),
        None => flag.to_owned(),
    }
}
