//! `rename`: an issue gets another id, and all that hangs on it, leads to it or mentions it goes along (bd 1.1.0
//! `cmd/bd/rename.go`, `issueops/bulk_ops.go`).
//!
//! What could go wrong is that clones do not agree about the ids of edges, which are computed from both ends. So edges that begin
//! at the issue get new ones, and edges that lead to it keep theirs, as in bd. The keys of the versioned tables follow the issue
//! by themselves; local tables have none.

use beads::change::Event;
use beads::edge::Target;
use regex::Regex;

use super::update::{Update, update};
use super::work::{Act, Told, Work};
use crate::store::StoreError;
use crate::store::change::{Tx, Values, step};
use crate::store::family::Family;
use crate::store::load::{self, Rules, TARGETS, With};
use crate::store::reader::{By, of_text, of_time};

/// Gives an issue or a wisp another id. Gives the ids of the issues whose texts mention it and were changed.
pub fn rename(
    tx: &mut dyn Tx,
    act: &Act,
    rules: &Rules,
    old: &str,
    new: &str,
) -> Result<Vec<String>, StoreError> {
    let found = load::issue(tx.reader(), old, With::NOTHING)?;
    let (_, family) = found.ok_or_else(|| StoreError::NoIssue { id: old.to_owned() })?;
    if load::issue(tx.reader(), new, With::NOTHING)?.is_some() {
        return Err(StoreError::Exists { id: new.to_owned() });
    }
    let mut edges = load::edges_from(tx.reader(), &[old.to_owned()])?;
    // Those that lead to an issue follow it by their key; an id of another rig may look like this one.
    let to = load::edges_to(tx.reader(), &[old.to_owned()])?;
    edges.extend(to.into_iter().filter(|stored| stored.target == Target::Wisp));
    step(tx, act, |work| {
        let values = vec![("id", of_text(new)), ("updated_at", of_time(act.now))];
        work.changes.update(family.rows(), vec![("id", of_text(old))], values);
        if family == Family::Wisps {
            move_local(work, old, new)?;
        }
        work.event(family, new, Event::Renamed, Told::Values(old, new));
        Ok(())
    })?;
    step(tx, act, |work| {
        for stored in &edges {
            let mut edge = stored.edge.clone();
            for end in [&mut edge.issue_id, &mut edge.depends_on_id] {
                if end == old {
                    new.clone_into(end);
                }
            }
            let [issue, wisp, external] = TARGETS;
            let column = match stored.target {
                Target::Issue => issue,
                Target::Wisp => wisp,
                Target::External => external,
            };
            let values: Values = vec![
                ("id", of_text(edge.computed_id())),
                ("issue_id", of_text(&edge.issue_id)),
                (column, of_text(&edge.depends_on_id)),
            ];
            work.changes.update(stored.family.edges(), vec![("id", of_text(&stored.id))], values);
        }
        Ok(())
    })?;
    mentions(tx, act, rules, old, new)
}

// What hangs on a wisp, in tables without keys that would follow it. Its edges come later.
fn move_local(work: &mut Work<'_>, old: &str, new: &str) -> Result<(), StoreError> {
    let family = Family::Wisps;
    let by = [("issue_id", of_text(old))];
    for label in work.reader.texts(family.labels(), "label", By::Equal(&by))? {
        let key = |id: &str| vec![("issue_id", of_text(id)), ("label", of_text(&label))];
        work.changes.delete(family.labels(), key(old));
        work.changes.insert(family.labels(), key(new));
    }
    for table in [family.comments(), family.events()] {
        for id in work.reader.texts(table, "id", By::Equal(&by))? {
            work.changes.update(table, vec![("id", of_text(id))], vec![("issue_id", of_text(new))]);
        }
    }
    let by = [("parent_id", of_text(old))];
    for row in work.reader.rows(family.child_counters(), &["last_child"], By::Equal(&by))? {
        let mut values = vec![("parent_id", of_text(new))];
        values.extend(row.into_iter().next().map(|number| ("last_child", number)));
        work.changes.delete(family.child_counters(), vec![("parent_id", of_text(old))]);
        work.changes.insert(family.child_counters(), values);
    }
    Ok(())
}

fn mentions(
    tx: &mut dyn Tx,
    act: &Act,
    rules: &Rules,
    old: &str,
    new: &str,
) -> Result<Vec<String>, StoreError> {
    let word = Regex::new(&format!(r"(?-u:\b){}(?-u:\b)", regex::escape(old)));
    let word = word.map_err(|error| StoreError::Refused(error.to_string()))?;
    let mut changed = Vec::new();
    for issue in load::everything(tx.reader(), true, With::NOTHING)? {
        let texts = [
            ("title", &issue.title),
            ("description", &issue.description),
            ("design", &issue.design),
            ("notes", &issue.notes),
            ("acceptance_criteria", &issue.acceptance_criteria),
        ];
        let mentioning = texts.into_iter().filter(|(_, text)| issue.id != new && word.is_match(text));
        let texts = mentioning
            .map(|(column, text)| (column, word.replace_all(text, regex::NoExpand(new)).into_owned()));
        let fields = Update { texts: texts.collect(), ..Update::default() };
        if !fields.is_empty() {
            step(tx, act, |work| update(work, rules, &issue.id, &fields))?;
            changed.push(issue.id);
        }
    }
    Ok(changed)
}
