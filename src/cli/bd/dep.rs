//! `bd dep`: edges between issues.
//!
//! `dep` has words below it and flags of its own. What could go wrong is that a mistyped word is taken for an issue; without
//! `--blocks` it never is.

use beads::shapes::EdgeChanged;
use beads::{Edge, EdgeType};
use clap::{Args, Command, Subcommand};
use serde_json::json;

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use super::dep_file;
use super::dep_show;
use super::later::unknown_below;
use super::links;
use super::routed::Homes;
use super::text::id_with_title;
use crate::cli::out;
use crate::store::load::{self, With};
use crate::store::ops::{self, AddEdge};
use crate::store::reader::Reader;
use crate::store::{Outcome, StoreError, step};

/// Say what depends on what
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
#[command(after_help = "Example: bd dep bd-c3d --blocks bd-a1b     (a1b waits for c3d)")]
pub(super) struct Dep {
    #[command(flatten)]
    blocks: Blocks,
    #[command(subcommand)]
    pub(super) below: Option<Below>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Below {
    Add(Add),
    #[command(visible_alias = "rm")]
    Remove(Remove),
    List(dep_show::List),
    Tree(dep_show::Tree),
    Cycles(dep_show::Cycles),
    Relate(links::Relate),
    /// Two issues have nothing to do with each other any more
    Unrelate(links::Relate),
}

impl Dep {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        match self.below {
            None => self.blocks.run(bd),
            Some(Below::Add(c)) => c.run(bd),
            Some(Below::Remove(c)) => c.run(bd),
            Some(Below::List(c)) => c.run(bd),
            Some(Below::Tree(c)) => c.run(bd),
            Some(Below::Cycles(_)) => dep_show::Cycles::run(bd),
            Some(Below::Relate(c)) => c.run(bd, true),
            Some(Below::Unrelate(c)) => c.run(bd, false),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Blocks {
    /// With --blocks: what is waited for
    #[arg(value_name = "BLOCKER")]
    blocker: Vec<String>,
    /// What waits for it
    #[arg(short = 'b', long = "blocks", value_name = "ID")]
    blocked: Option<String>,
    /// Taken for older callers: one edge is always looked at
    #[arg(long, hide = true)]
    no_cycle_check: bool,
}

impl Blocks {
    fn run(self, bd: &Bd) -> Answer {
        if self.blocker.len() > 1 {
            let words = format!("accepts at most 1 arg(s), received {}", self.blocker.len());
            return Err(Refusal::plain(words));
        }
        let blocked = self.blocked.filter(|id| !id.is_empty());
        let (blocker, blocked) = match (self.blocker.into_iter().next(), blocked) {
            (Some(blocker), Some(blocked)) => (blocker, blocked),
            (None, Some(_)) => {
                return Err(Refusal::new("--blocks requires exactly one issue ID argument"));
            }
            (None, None) => {
                let mut help = Dep::augment_args(Command::new("dep").bin_name("bd dep"));
                out::raw(&help.render_help().to_string());
                return Ok(());
            }
            (Some(word), None) => return Err(Refusal::plain(unknown_below("bd dep", &word))),
        };
        let mut homes = Homes::new(bd);
        let (home, of_blocker) = (homes.of(&blocked)?, homes.of(&blocker)?);
        // Of a blocker in another database only the id is known where the edge is kept.
        let foreign = if home == of_blocker {
            None
        } else {
            match Bd::resolve(&*homes.get(of_blocker).reader()?, &blocker) {
                Ok(id) => Some(id),
                Err(StoreError::NotFound(_)) => None,
                Err(error) => return Err(error.into()),
            }
        };
        let added = add_edge(homes.get(home), &EdgeType::Blocks, |reader| {
            let from = Bd::resolve_as(reader, "resolving issue ID", &blocked)?;
            let to = match &foreign {
                Some(id) => id.clone(),
                None => Bd::resolve_as(reader, "resolving issue ID", &blocker)?,
            };
            Ok((from, to))
        })?;
        if bd.json() {
            return print_object(&json!({
                "status": "added", "blocker_id": added.to, "blocked_id": added.from, "type": "blocks",
            }));
        }
        let (blocker, blocked) =
            (id_with_title(&added.to, &added.titles.1), id_with_title(&added.from, &added.titles.0));
        out::line(format!("✓ Added dependency: {blocker} blocks {blocked}"));
        Ok(())
    }
}

/// An issue depends on another
#[derive(Debug, Args)]
#[command(after_help = "Example: bd dep add bd-a1b bd-c3d     (a1b waits for c3d)")]
pub(super) struct Add {
    /// What waits
    #[arg(default_value = "", hide_default_value = true)]
    pub(super) issue: String,
    /// For what
    depends_on: Vec<String>,
    /// The kind of edge
    #[arg(short = 't', long = "type", default_value = "blocks")]
    kind: String,
    /// The same as the second argument
    #[arg(long, value_name = "ID")]
    blocked_by: Option<String>,
    /// The same
    #[arg(long = "depends-on", value_name = "ID")]
    depends_on_flag: Option<String>,
    /// Many edges, one JSON object on a line: {"from": …, "to": …, "type": …}; - is standard input
    #[arg(long)]
    file: Option<String>,
    /// With --file: look for circles once, at the end. One edge is always looked at
    #[arg(long)]
    no_cycle_check: bool,
}

/// An edge that was added.
struct Added {
    from: String,
    to: String,
    titles: (String, String),
}

// Adds one edge between what these words mean in this database.
fn add_edge(
    bd: &Bd,
    kind: &EdgeType,
    ends: impl Fn(&dyn Reader) -> Result<(String, String), StoreError>,
) -> Answer<Added> {
    let act = bd.act();
    bd.write("dep add", |tx| {
        let (from, to) = ends(tx.reader())?;
        links::check_not_above(&from, &to)?;
        if !kind.is_valid() {
            return Err(StoreError::Refused(invalid_kind(kind.as_str())));
        }
        let edge = AddEdge::of(Edge::new(&from, &to, kind.clone()));
        step(tx, &act, |work| ops::add_edge(work, edge))?;
        let title = |id: &str| -> Result<String, StoreError> {
            Ok(load::issue(tx.reader(), id, With::NOTHING)?.map(|(i, _)| i.title).unwrap_or_default())
        };
        let titles = (title(&from)?, title(&to)?);
        let mut both = vec![from.clone(), to.clone()];
        both.sort();
        let server = || format!("dependency: add {kind} {from} -> {to}");
        let message = bd.message(|| bd.auto_commit("dep add", &both), server);
        Ok(Outcome { message, result: Added { from, to, titles } })
    })
}

/// What is said of a kind of edge that is none.
pub(super) fn invalid_kind(kind: &str) -> String {
    format!("invalid dependency type {kind:?}: must be non-empty and at most 50 characters")
}

/// That this is `external:<project>:<capability>`.
pub(super) fn check_foreign(target: &str) -> Result<(), StoreError> {
    let mut parts = target.splitn(3, ':').skip(1);
    let words = match (parts.next(), parts.next()) {
        (_, None) => format!(
            "invalid external reference format: expected 'external:<project>:<capability>', got '{target}'"
        ),
        (Some(""), _) => "external reference missing project name".to_owned(),
        (_, Some("")) => "external reference missing capability name".to_owned(),
        _ => return Ok(()),
    };
    Err(StoreError::Refused(words))
}

impl Add {
    fn run(self, bd: &Bd) -> Answer {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let flag = said(&self.blocked_by).or(said(&self.depends_on_flag));
        let words = self.depends_on.len() + usize::from(!self.issue.is_empty());
        if let Some(file) = said(&self.file) {
            if words > 0 {
                return Err(Refusal::plain("--file cannot be used with positional issue IDs"));
            }
            if flag.is_some() {
                return Err(Refusal::plain("--file cannot be used with --blocked-by or --depends-on"));
            }
            return dep_file::add(bd, &file, &self.kind, self.no_cycle_check);
        }
        let target = match (flag, self.depends_on.as_slice()) {
            (Some(_), _) if words == 0 => {
                return Err(Refusal::plain("requires at least 1 arg(s), only received 0"));
            }
            (Some(target), []) => target,
            (Some(_), _) => {
                return Err(Refusal::plain(
                    "cannot use both positional depends-on-id and --blocked-by/--depends-on flag",
                ));
            }
            (None, [target]) => target.clone(),
            (None, _) => {
                return Err(Refusal::plain(format!(
                    "requires 2 arg(s), only received {words} (or use --blocked-by/--depends-on flag)"
                )));
            }
        };
        let kind = EdgeType::from(self.kind.as_str());
        let Added { from, to, titles } = add_edge(bd, &kind, |reader| {
            let from = Bd::resolve_as(reader, "resolving issue ID", &self.issue)?;
            let to = if target.starts_with("external:") {
                check_foreign(&target)?;
                target.clone()
            } else {
                Bd::resolve_or_foreign(reader, &from, &target)?
            };
            Ok((from, to))
        })?;
        if bd.json() {
            let changed =
                EdgeChanged { depends_on_id: to, issue_id: from, status: "added", kind: Some(kind) };
            return print_object(&changed);
        }
        out::line(format!(
            "✓ Added dependency: {} depends on {} ({kind})",
            id_with_title(&from, &titles.0),
            id_with_title(&to, &titles.1)
        ));
        Ok(())
    }
}

/// An issue does not depend on another any more
#[derive(Debug, Args)]
pub(super) struct Remove {
    /// What waited
    pub(super) issue: String,
    /// For what
    depends_on: String,
    /// Older callers say the kind
    #[arg(short = 't', long = "type", hide = true)]
    kind: Option<String>,
}

impl Remove {
    fn run(self, bd: &Bd) -> Answer {
        let act = bd.act();
        let (from, to, titles) = bd.write("dep remove", |tx| {
            let from = Bd::resolve_as(tx.reader(), "resolving issue ID", &self.issue)?;
            let target = &self.depends_on;
            let is_foreign = target.starts_with("external:");
            let to =
                if is_foreign { target.clone() } else { Bd::resolve_or_foreign(tx.reader(), &from, target)? };
            let was_there = step(tx, &act, |work| ops::remove_edge(work, &from, &to))?;
            let title = |id: &str| -> Result<String, StoreError> {
                Ok(load::issue(tx.reader(), id, With::NOTHING)?.map(|(i, _)| i.title).unwrap_or_default())
            };
            let titles = (title(&from)?, title(&to)?);
            let server = || format!("dependency: remove {from} -> {to}");
            let embedded = || bd.auto_commit("dep remove", &[]);
            let message = if was_there { bd.message(embedded, server) } else { None };
            Ok(Outcome { message, result: (from, to, titles) })
        })?;
        if bd.json() {
            return print_object(&EdgeChanged {
                depends_on_id: to,
                issue_id: from,
                status: "removed",
                kind: None,
            });
        }
        out::line(format!(
            "✓ Removed dependency: {} no longer depends on {}",
            id_with_title(&from, &titles.0),
            id_with_title(&to, &titles.1)
        ));
        Ok(())
    }
}
