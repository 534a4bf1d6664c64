//! `bd delete`. Without `--force` it only shows what would go.

use beads::edge::Target;
use beads::shapes::Deleted;
use clap::Args;
use serde_json::json;

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use crate::cli::out;
use crate::store::load::Rules;
use crate::store::ops::{self, Counted, Deletion, Work};
use crate::store::reader::Reader;
use crate::store::{Outcome, StoreError, Tx, step};

/// Remove issues with everything on them
#[derive(Debug, Default, Args)]
#[command(
    after_help = "Example: bd delete bd-a1b            (shows what would go)\n         bd delete bd-a1b --force"
)]
pub(super) struct Delete {
    /// Which ones
    pub(super) ids: Vec<String>,
    /// Do it
    #[arg(short, long)]
    force: bool,
    /// Read more ids from a file, one in each line
    #[arg(long, value_name = "FILE")]
    from_file: Option<String>,
    /// Only show what would go
    #[arg(long)]
    dry_run: bool,
    /// Also all that depends on them
    #[arg(long)]
    cascade: bool,
    /// Older callers send it
    #[arg(long, hide = true)]
    hard: bool,
}

impl Delete {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let mut given = self.ids.clone();
        if let Some(path) = &self.from_file {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Refusal::plain(format!("reading file: {error}")))?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            given.extend(lines.map(str::to_owned));
        }
        let mut seen = std::collections::HashSet::new();
        given.retain(|id| seen.insert(id.clone()));
        if given.is_empty() {
            return Err(Refusal::plain("no issue IDs provided"));
        }
        let is_batch = given.len() > 1 || self.cascade;
        if !self.force || self.dry_run {
            let reader = bd.reader()?;
            let named = Named::find(&*reader, given, is_batch)?;
            let act = bd.act();
            let deletion = ops::deletion(&Work::new(&*reader, &act), &named.whole, self.cascade)?;
            named.warn(&deletion);
            return if is_batch {
                self.preview_batch(&named.told, &deletion)
            } else {
                preview(&deletion);
                Ok(())
            };
        }
        let act = bd.act();
        let deleted = bd.write("delete", |tx| {
            let named = Named::find(tx.reader(), given.clone(), is_batch)?;
            let deletion = delete(tx, &act, &named.whole, self.cascade)?;
            let words = || match &named.told[..] {
                [id] => format!("bd: delete {id}"),
                ids => format!("bd: delete {} issue(s)", ids.len()),
            };
            Ok(Outcome { message: bd.message(words, words), result: (named, deletion) })
        });
        // Told as text to everybody, as in bd.
        let (named, deletion) = deleted.map_err(Refusal::into_plain)?;
        named.warn(&deletion);
        tell(bd, &named.told, &deletion, is_batch, self.cascade)
    }

    fn preview_batch(&self, ids: &[String], deletion: &Deletion) -> Answer {
        out::line(format!("\n⚠️  DELETE PREVIEW\n\nIssues to delete ({}):", ids.len()));
        let named = |id: &String| deletion.issues.iter().find(|(issue, _)| issue.id == *id);
        for (issue, _) in ids.iter().filter_map(named) {
            out::line(format!("  {}: {}", issue.id, issue.title));
        }
        if self.cascade {
            out::line("\n⚠ Cascade mode enabled - will also delete all dependent issues");
        } else if let Some(orphaned) = deletion
            .edges
            .iter()
            .find(|s| ids.contains(&s.edge.depends_on_id) && deletion.orphans.contains(&s.edge.issue_id))
        {
            let words = format!(
                "issue {} has dependents not in deletion set; use --cascade to delete them or --force to orphan them",
                orphaned.edge.depends_on_id
            );
            out::line(format!("\n{words}"));
            return Err(Refusal::plain(words));
        }
        out::line(format!("\nWould delete: {} issues", deletion.issues.len()));
        out::line(format!(
            "Would remove: {} dependencies, {} labels, {} events",
            deletion.told.edges, deletion.told.labels, deletion.told.events
        ));
        if self.dry_run {
            out::line("\n(Dry-run mode - no changes made)");
            return Ok(());
        }
        let cascade = if self.cascade { " --cascade" } else { "" };
        let what = if self.cascade { " with cascade deletion" } else { "" };
        out::line("\nThis operation cannot be undone!");
        out::line(format!("To proceed{what}, run: bd delete {}{cascade} --force", ids.join(" ")));
        Ok(())
    }
}

/// Deletes many with everything on them, and tells it as `delete` does.
pub(super) fn delete_all(bd: &Bd, verb: &str, ids: &[String]) -> Answer {
    let act = bd.act();
    let deletion = bd.write(verb, |tx| {
        let deletion = delete(tx, &act, ids, false)?;
        let words = || format!("bd: delete {} issue(s)", ids.len());
        Ok(Outcome { message: bd.message(words, words), result: deletion })
    })?;
    tell(bd, ids, &deletion, true, false)
}

/// Shows what that would do.
pub(super) fn preview_all(bd: &Bd, ids: &[String]) -> Answer {
    let reader = bd.reader()?;
    let act = bd.act();
    let deletion = ops::deletion(&Work::new(&*reader, &act), ids, false)?;
    let preview = Delete { dry_run: true, ..Delete::default() };
    preview.preview_batch(ids, &deletion)
}

fn delete(tx: &mut dyn Tx, act: &ops::Act, ids: &[String], cascade: bool) -> Result<Deletion, StoreError> {
    let rules = Rules::load(tx.reader())?;
    step(tx, act, |work| {
        let deletion = ops::deletion(work, ids, cascade)?;
        ops::delete(work, &rules, &deletion)?;
        Ok(deletion)
    })
}

/// What was given, as issues.
struct Named {
    /// As they are told: of many as they were given.
    told: Vec<String>,
    /// Those to delete.
    whole: Vec<String>,
    /// Parts of ids among many, and what they stand for.
    parts: Vec<(String, String)>,
}

impl Named {
    // Of many only whole ids are deleted, as in bd. What is left of a molecule whose root was deleted would else go when that is
    // tried again: its id is a part of theirs.
    fn find(reader: &dyn Reader, given: Vec<String>, is_batch: bool) -> Result<Self, StoreError> {
        let (mut whole, mut parts, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        for given in &given {
            match Bd::resolve(reader, given) {
                Ok(id) if is_batch && id != *given => parts.push((given.clone(), id)),
                Ok(id) => whole.push(id),
                Err(StoreError::NotFound(beads::id::NotFound::None(_))) => missing.push(given.clone()),
                Err(error) => return Err(error),
            }
        }
        match missing.first() {
            None => Ok(Self { told: if is_batch { given } else { whole.clone() }, whole, parts }),
            Some(_) if is_batch => {
                Err(StoreError::Refused(format!("issues not found: {}", missing.join(", "))))
            }
            Some(id) => Err(StoreError::NoIssue { id: id.clone() }),
        }
    }

    fn warn(&self, deletion: &Deletion) {
        let is_gone = |id: &str| deletion.issues.iter().any(|(issue, _)| issue.id == id);
        for (part, id) in self.parts.iter().filter(|(_, id)| !is_gone(id)) {
            out::warn(format!(
                "no issue has the id {part}: nothing is deleted for it\n  \
                 It is a part of {id}; of several, and with --cascade, whole ids alone are taken"
            ));
        }
    }
}

fn preview(deletion: &Deletion) {
    let Some((issue, _)) = deletion.issues.first() else { return };
    let mut lines =
        vec![format!("\n⚠️  DELETE PREVIEW\n\nIssue to delete:\n  {}: {}", issue.id, issue.title)];
    if !deletion.edges.is_empty() {
        lines.push(format!("\nDependency links to remove: {}", deletion.edges.len()));
        let (own, mut into): (Vec<_>, Vec<_>) =
            deletion.edges.iter().partition(|stored| stored.edge.issue_id == issue.id);
        // Issues come before wisps.
        into.sort_by_key(|stored| (stored.family, &stored.edge.issue_id));
        for stored in &own {
            let edge = &stored.edge;
            lines.push(format!("  {} → {} ({})", edge.issue_id, edge.depends_on_id, edge.kind));
        }
        for stored in &into {
            lines.push(format!("  {} → {} (inbound)", stored.edge.issue_id, issue.id));
        }
        if !into.is_empty() || own.iter().any(|stored| stored.target != Target::External) {
            lines.push("\nConnected issues where text references will be updated:".to_owned());
            lines.extend(deletion.mentions.iter().map(|issue| format!("  {}: {}", issue.id, issue.title)));
            if deletion.mentions.is_empty() {
                lines.push("  (none have text references)".to_owned());
            }
        }
    }
    lines.push("\nThis operation cannot be undone!".to_owned());
    lines.push(format!("To proceed, run: bd delete {} --force\n", issue.id));
    out::line(lines.join("\n"));
}

fn tell(bd: &Bd, ids: &[String], deletion: &Deletion, is_batch: bool, cascade: bool) -> Answer {
    let mentions = deletion.mentions.len();
    if !is_batch {
        let edges = deletion.edges.len();
        let id = ids.first().cloned().unwrap_or_default();
        if bd.json() {
            return print_object(&Deleted {
                deleted: id,
                dependencies_removed: edges,
                references_updated: mentions,
            });
        }
        out::line(format!("✓ Deleted {id}\n  Removed {edges} dependency link(s)"));
        out::line(format!("  Updated text references in {mentions} issue(s)"));
        return Ok(());
    }
    let Counted { edges, labels, events } = deletion.told;
    if bd.json() {
        return print_object(&json!({
            "deleted": ids,
            "deleted_count": deletion.issues.len(),
            "dependencies_removed": edges,
            "labels_removed": labels,
            "events_removed": events,
            "references_updated": mentions,
            "orphaned_issues": (!cascade).then_some(&deletion.orphans),
        }));
    }
    out::line(format!("✓ Deleted {} issue(s)", deletion.issues.len()));
    out::line(format!("  Removed {edges} dependency link(s)\n  Removed {labels} label(s)"));
    out::line(format!("  Removed {events} event(s)"));
    out::line(format!("  Updated text references in {mentions} issue(s)"));
    if !deletion.orphans.is_empty() {
        let (count, names) = (deletion.orphans.len(), deletion.orphans.join(", "));
        out::line(format!("  ⚠ Orphaned {count} issue(s): {names}"));
    }
    Ok(())
}
