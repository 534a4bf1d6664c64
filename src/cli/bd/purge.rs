//! `bd purge`: closed wisps go (bd 1.1.0 `cmd/bd/purge.go`).

use beads::{Issue, Status};
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use crate::cli::out;
use crate::store::family::Family;
use crate::store::load::{self, Rules, With};
use crate::store::ops::{self, Counted, Work};
use crate::store::reader::By;
use crate::store::{Outcome, step};

/// Remove closed wisps for good
#[derive(Debug, Args)]
#[command(after_help = "Example: bd purge --older-than 7d --force")]
pub(super) struct Purge {
    /// Do it
    #[arg(short, long)]
    force: bool,
    /// Only show what would go
    #[arg(long)]
    dry_run: bool,
    /// Only those closed so long ago: 7d, 2w, 48h, or days
    #[arg(long, default_value = "")]
    older_than: String,
    /// Only those with such an id, as in *-wisp-*
    #[arg(long, default_value = "")]
    pattern: String,
}

// So many days.
fn days(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let positive = |n: i64| if n > 0 { Ok(n) } else { Err("duration must be positive".to_owned()) };
    if let Ok(days) = text.parse::<i64>() {
        return positive(days);
    }
    let (number, unit) = text.split_at(text.char_indices().last().map_or(0, |(at, _)| at));
    let n = number.parse::<i64>().map_err(|_| format!("invalid number {number:?}"))?;
    let n = positive(n)?;
    match unit {
        "h" | "H" => Ok((n / 24).max(1)),
        "d" | "D" => Ok(n),
        "w" | "W" => Ok(n * 7),
        other => Err(format!("unknown unit {other:?} (use h, d, or w)")),
    }
}

impl Purge {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let mut cutoff = None;
        if !self.older_than.is_empty() {
            let days = days(&self.older_than).map_err(|why| {
                Refusal::new(format!("invalid --older-than value {:?}: {why}", self.older_than))
            })?;
            cutoff =
                Some(bd.now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MIN));
        }
        let reader = bd.reader()?;
        let mut found = Vec::new();
        for family in Family::BOTH {
            found.extend(load::issues(&*reader, family, By::All, With::NOTHING)?);
        }
        found.retain(|issue: &Issue| {
            let is_before = issue.closed_at.is_some_and(|closed| cutoff.is_none_or(|cutoff| closed < cutoff));
            issue.ephemeral && issue.status == Status::Closed && is_before
        });
        if !self.pattern.is_empty() {
            let pattern = pattern(&self.pattern)?;
            found.retain(|issue| pattern.is_match(&issue.id));
        }
        let all = found.len();
        found.retain(|issue| !issue.pinned);
        let pinned = all - found.len();
        found.sort_by(|a, b| (a.priority, b.created_at, &a.id).cmp(&(b.priority, a.created_at, &b.id)));
        let ids: Vec<String> = found.into_iter().map(|issue| issue.id).collect();
        if ids.is_empty() {
            return self.nothing(bd);
        }
        let count = ids.len();
        let act = bd.act();
        if self.dry_run {
            let deletion = ops::deletion(&Work::new(&*reader, &act), &ids, false)?;
            if bd.json() {
                return told(&[("purge_count", count)], deletion.told, pinned, true);
            }
            let Counted { edges, labels, events } = deletion.told;
            out::line(format!("Would purge {count} closed ephemeral bead(s)\n  Dependencies: {edges}"));
            out::line(format!("  Labels:       {labels}\n  Events:       {events}"));
            if pinned > 0 {
                out::line(format!("  Pinned (skipped): {pinned}"));
            }
            out::line("\n(Dry-run mode — no changes made)");
            return Ok(());
        }
        if !self.force {
            out::line(format!("Found {count} closed ephemeral bead(s) to purge"));
            if pinned > 0 {
                out::line(format!("Skipping {pinned} pinned bead(s)"));
            }
            let flag = |name: &str, value: &str| {
                if value.is_empty() { String::new() } else { format!(" --{name} {value}") }
            };
            let flags = flag("older-than", &self.older_than) + &flag("pattern", &self.pattern);
            return Err(Refusal::plain(format!("would purge {count} bead(s)")).hint(format!(
                "Use --force to confirm or --dry-run to preview.\n  bd purge --force{flags}"
            )));
        }
        let removed = bd.write("purge", |tx| {
            let rules = Rules::load(tx.reader())?;
            let removed = step(tx, &act, |work| {
                let mut deletion = ops::deletion(work, &ids, false)?;
                // Texts that mention them stay as they are.
                deletion.mentions.clear();
                ops::delete(work, &rules, &deletion)?;
                Ok(deletion.told)
            })?;
            let words = || bd.auto_commit("purge", &[]);
            Ok(Outcome { message: bd.message(words, words), result: removed })
        })?;
        if bd.json() {
            return told(&[("purged_count", count)], removed, pinned, false);
        }
        let Counted { edges, labels, events } = removed;
        out::line(format!("✓ Purged {count} closed ephemeral bead(s)\n  Dependencies removed: {edges}"));
        out::line(format!("  Labels removed:       {labels}\n  Events removed:       {events}"));
        if pinned > 0 {
            out::line(format!("  Pinned (skipped):     {pinned}"));
        }
        Ok(())
    }

    fn nothing(&self, bd: &Bd) -> Answer {
        let words = "No closed ephemeral beads to purge";
        if bd.json() {
            return print_object(&json!({ "purged_count": 0, "message": words }));
        }
        let mut words = words.to_owned();
        if !self.older_than.is_empty() {
            words = format!("{words} (older than {})", self.older_than);
        }
        if !self.pattern.is_empty() {
            words = format!("{words} (matching {:?})", self.pattern);
        }
        out::line(words);
        Ok(())
    }
}

fn told(
    counts: &[(&str, usize)],
    Counted { edges, labels, events }: Counted,
    pinned: usize,
    is_dry: bool,
) -> Answer {
    let mut told = json!({ "dependencies": edges, "labels": labels, "events": events });
    if let Some(told) = told.as_object_mut() {
        told.extend(counts.iter().map(|(name, count)| ((*name).to_owned(), json!(count))));
        if is_dry {
            told.insert("dry_run".to_owned(), json!(true));
        }
        if pinned > 0 {
            told.insert("pinned_skipped".to_owned(), json!(pinned));
        }
    }
    print_object(&told)
}

/// A pattern of ids: `*` and `?`.
fn pattern(text: &str) -> Answer<regex::Regex> {
    let wrong =
        || Refusal::new(format!("the pattern {text:?} is not understood: only * and ? have a meaning"));
    if text.contains(['[', ']', '\\']) {
        return Err(wrong());
    }
    let part = |c: char| match c {
        '*' => "[^/]*".to_owned(),
        '?' => "[^/]".to_owned(),
        c => regex::escape(&c.to_string()),
    };
    let plain: String = text.chars().map(part).collect();
    regex::Regex::new(&format!("^{plain}$")).map_err(|_| wrong())
}
