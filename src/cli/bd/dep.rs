//! `bd dep`: edges between issues.

use beads::shapes::EdgeChanged;
use beads::{Edge, EdgeType};
use clap::{Args, Subcommand};

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use super::dep_show;
use super::links;
use super::text::id_with_title;
use crate::cli::out;
use crate::store::load::{self, With};
use crate::store::ops::{self, AddEdge};
use crate::store::{Outcome, StoreError, step};

/// Say what depends on what
#[derive(Debug, Subcommand)]
pub(super) enum Dep {
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
        match self {
            Self::Add(c) => c.run(bd),
            Self::Remove(c) => c.run(bd),
            Self::List(c) => c.run(bd),
            Self::Tree(c) => c.run(bd),
            Self::Cycles(_) => dep_show::Cycles::run(bd),
            Self::Relate(c) => c.run(bd, true),
            Self::Unrelate(c) => c.run(bd, false),
        }
    }
}

/// An issue depends on another
#[derive(Debug, Args)]
#[command(after_help = "Example: bd dep add bd-a1b bd-c3d     (a1b waits for c3d)")]
pub(super) struct Add {
    /// What waits
    pub(super) issue: String,
    /// For what
    depends_on: Option<String>,
    /// The kind of edge
    #[arg(short = 't', long = "type", default_value = "blocks")]
    kind: String,
    /// The same as the second argument
    #[arg(long, alias = "depends-on")]
    blocked_by: Option<String>,
    /// Do not look for circles
    #[arg(long)]
    no_cycle_check: bool,
}

// `external:<project>:<capability>`.
fn check_foreign(target: &str) -> Result<(), StoreError> {
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
        if self.depends_on.is_some() && said(&self.blocked_by).is_some() {
            return Err(Refusal::plain(
                "cannot use both positional depends-on-id and --blocked-by/--depends-on flag",
            ));
        }
        let Some(target) = said(&self.blocked_by).or(said(&self.depends_on)) else {
            return Err(Refusal::plain(
                "requires 2 arg(s), only received 1 (or use --blocked-by/--depends-on flag)",
            ));
        };
        let kind = EdgeType::from(self.kind.as_str());
        let act = bd.act();
        let (from, to, titles) = bd.write("dep add", |tx| {
            let from = Bd::resolve_as(tx.reader(), "resolving issue ID", &self.issue)?;
            let is_foreign = target.starts_with("external:");
            let to = if is_foreign {
                check_foreign(&target)?;
                target.clone()
            } else {
                Bd::resolve_or_foreign(tx.reader(), &from, &target)?
            };
            links::check_not_above(&from, &to)?;
            if !kind.is_valid() {
                return Err(StoreError::Refused(format!(
                    "invalid dependency type {:?}: must be non-empty and at most 50 characters",
                    self.kind
                )));
            }
            let add =
                AddEdge { edge: Edge::new(&from, &to, kind.clone()), no_cycle_check: self.no_cycle_check };
            step(tx, &act, |work| ops::add_edge(work, add))?;
            let title = |id: &str| -> Result<String, StoreError> {
                Ok(load::issue(tx.reader(), id, With::NOTHING)?.map(|(i, _)| i.title).unwrap_or_default())
            };
            let titles = (title(&from)?, title(&to)?);
            let mut both = vec![from.clone(), to.clone()];
            both.sort();
            let server = || format!("dependency: add {kind} {from} -> {to}");
            let message = bd.message(|| bd.auto_commit("dep add", &both), server);
            Ok(Outcome { message, result: (from, to, titles) })
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
