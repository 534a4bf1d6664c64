//! `bd show`.

use beads::shapes::{Details, Include};
use beads::{EdgeType, Issue};
use clap::Args;

use super::answer::{Answer, Refusal, print_list};
use super::context::Bd;
use super::text::icon;
use crate::cli::out;
use crate::store::StoreError;
use crate::store::load::{self, With};
use crate::store::reader::Reader;

/// Show issues with everything on them
#[derive(Debug, Args)]
#[command(after_help = "Example: bd show bd-a1b --json --include-comments")]
pub(super) struct Show {
    /// Which ones; without any, the one that was touched last
    ids: Vec<String>,
    /// In JSON: also who depends on it
    #[arg(long)]
    include_dependents: bool,
    /// In JSON: also the comments
    #[arg(long)]
    include_comments: bool,
}

impl Show {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let given = bd.ids_or_last(&self.ids)?;
        let reader = bd.reader()?;
        let mut shown = Vec::new();
        for given in &given {
            match Bd::resolve(&*reader, given) {
                Ok(id) => shown.push(self.details(&*reader, &id)?),
                Err(StoreError::NotFound(refusal)) => {
                    out::note(format!("Error resolving ID {given}: {refusal}"));
                }
                Err(error) => return Err(error.into()),
            }
        }
        if shown.is_empty() {
            return Err(if bd.json() {
                Refusal::on_stderr("no issues found matching the provided IDs")
            } else {
                Refusal::silent()
            });
        }
        if let Some((issue, _)) = shown.first() {
            bd.touch(&issue.id);
        }
        if bd.json() {
            return print_list(&shown.into_iter().map(|(_, details)| details).collect::<Vec<_>>());
        }
        for (issue, _) in &shown {
            out::line(format!(
                "{} {} · {}   [● P{} · {}]",
                icon(&issue.status),
                issue.id,
                issue.title,
                issue.priority,
                issue.status.as_str().to_uppercase()
            ));
            if !issue.description.is_empty() {
                out::line(format!("\nDESCRIPTION\n{}", issue.description));
            }
        }
        Ok(())
    }

    fn details(&self, reader: &dyn Reader, id: &str) -> Answer<(Issue, Details)> {
        let (issue, _) =
            load::issue(reader, id, With::ALL)?.ok_or_else(|| StoreError::NoIssue { id: id.to_owned() })?;
        let targets: Vec<String> = issue.dependencies.iter().map(|edge| edge.depends_on_id.clone()).collect();
        let labelled = With { labels: true, ..With::NOTHING };
        let targets = load::issues_by_id(reader, &targets, labelled)?;
        let mut into = load::edges_to(reader, &[id.to_owned()])?;
        into.sort_by(|a, b| a.edge.issue_id.cmp(&b.edge.issue_id));
        let sources: Vec<String> = into.iter().map(|stored| stored.edge.issue_id.clone()).collect();
        let sources = load::issues_by_id(reader, &sources, With::NOTHING)?;
        let dependents: Vec<(&Issue, &EdgeType)> = into
            .iter()
            .filter_map(|stored| {
                let source = sources.iter().find(|issue| issue.id == stored.edge.issue_id)?;
                Some((source, &stored.edge.kind))
            })
            .collect();
        let include = Include { dependents: self.include_dependents, comments: self.include_comments };
        let find = |id: &str| targets.iter().find(|issue| issue.id == id);
        let details = Details::of(&issue, find, &dependents, include);
        Ok((issue, details))
    }
}
