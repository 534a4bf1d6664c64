//! `bd label add` and `bd label remove`: the last word is the label. `bd label <id> --add <label>` of older callers is taken too.

use beads::shapes::LabelChanged;
use clap::{Args, Subcommand};

use super::answer::{Answer, Refusal, print_list};
use super::context::Bd;
use super::dep_show::{AllLabels, LabelsOf};
use crate::cli::out;
use crate::store::ops;
use crate::store::{Outcome, StoreError, step};

/// Put labels on issues and take them off
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Label {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Which one
    #[arg(hide = true)]
    id: Option<String>,
    #[arg(long, hide = true)]
    add: Vec<String>,
    #[arg(long, hide = true)]
    remove: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Put a label on issues
    Add(Words),
    /// Take a label off issues
    #[command(visible_alias = "rm")]
    Remove(Words),
    List(LabelsOf),
    ListAll(AllLabels),
}

/// Issues and a label
#[derive(Debug, Args)]
#[command(after_help = "Example: bd label add bd-a1b bd-c3d backend     (the last word is the label)")]
struct Words {
    /// Issues, then the label
    #[arg(required = true, num_args = 2..)]
    words: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    On,
    Off,
}

impl Label {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        match self.verb {
            Some(Verb::Add(Words { words })) => change(bd, &words, Way::On),
            Some(Verb::Remove(Words { words })) => change(bd, &words, Way::Off),
            Some(Verb::List(c)) => c.run(bd),
            Some(Verb::ListAll(_)) => AllLabels::run(bd),
            None => {
                let Some(id) = self.id else {
                    return Err(Refusal::plain("label needs a command: add, remove, list or list-all"));
                };
                for (labels, way) in [(&self.add, Way::On), (&self.remove, Way::Off)] {
                    for label in labels {
                        change(bd, &[id.clone(), label.clone()], way)?;
                    }
                }
                Ok(())
            }
        }
    }
}

fn change(bd: &Bd, words: &[String], way: Way) -> Answer {
    let Some((label, given)) = words.split_last() else { return Ok(()) };
    let label = if way == Way::On { label.trim() } else { label };
    if label.is_empty() && way == Way::On {
        return Err(Refusal::new("label cannot be empty"));
    }
    if let Some(capability) = label.strip_prefix("provides:").filter(|_| way == Way::On) {
        return Err(Refusal::new(format!(
            "'provides:' labels are reserved for cross-project capabilities. Hint: use 'bd ship {capability}' instead"
        )));
    }
    let (verb, status, done) = match way {
        Way::On => ("label add", "added", "Added"),
        Way::Off => ("label remove", "removed", "Removed"),
    };
    let act = bd.act();
    let (ids, refused) = bd.write(verb, |tx| {
        let (mut ids, mut refused) = (Vec::new(), Vec::new());
        for given in given {
            match Bd::resolve(tx.reader(), given) {
                Ok(id) => ids.push(id),
                Err(StoreError::NotFound(error)) => refused.push(format!("Error resolving {given}: {error}")),
                Err(error) => return Err(error),
            }
        }
        for id in &ids {
            step(tx, &act, |work| {
                let (_, family) = work.issue(id)?;
                match way {
                    Way::On => ops::add_label(work, family, id, label),
                    Way::Off => ops::remove_label(work, family, id, label),
                }
            })?;
        }
        let words = || format!("bd: label {status} '{label}' on {} issue(s)", ids.len());
        let message = if ids.is_empty() { None } else { bd.message(words, words) };
        Ok(Outcome { message, result: (ids, refused) })
    })?;
    for words in refused {
        out::note(words);
    }
    if bd.json() {
        let changed = |id: String| LabelChanged { issue_id: id, label: label.to_owned(), status };
        // bd's objects here have sorted keys, and so have these.
        return print_list(ids.into_iter().map(changed));
    }
    let to = if way == Way::On { "to" } else { "from" };
    for id in ids {
        out::line(format!("✓ {done} label '{label}' {to} {id}"));
    }
    Ok(())
}
