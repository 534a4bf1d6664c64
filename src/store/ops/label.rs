//! Labels and comments. Both are idempotent where bd's are, and record what bd records: an event for each label, also one that was
//! there already; none for a comment.

use beads::Comment;
use beads::change::Event;

use super::work::{Told, Work};
use crate::store::StoreError;
use crate::store::family::Family;
use crate::store::reader::{By, of_text, of_time};

/// Adds a label to an issue that is there.
pub fn add_label(work: &mut Work<'_>, family: Family, id: &str, label: &str) -> Result<(), StoreError> {
    if !has_label(work, family, id, label)? {
        work.changes.insert(family.labels(), vec![("issue_id", of_text(id)), ("label", of_text(label))]);
    }
    work.event(family, id, Event::LabelAdded, Told::Comment(&format!("Added label: {label}")));
    Ok(())
}

/// Takes a label off.
pub fn remove_label(work: &mut Work<'_>, family: Family, id: &str, label: &str) -> Result<(), StoreError> {
    if has_label(work, family, id, label)? {
        work.changes.delete(family.labels(), vec![("issue_id", of_text(id)), ("label", of_text(label))]);
    }
    work.event(family, id, Event::LabelRemoved, Told::Comment(&format!("Removed label: {label}")));
    Ok(())
}

fn has_label(work: &Work<'_>, family: Family, id: &str, label: &str) -> Result<bool, StoreError> {
    let key = [("issue_id", of_text(id)), ("label", of_text(label))];
    Ok(work.reader.text(family.labels(), "label", By::Equal(&key))?.is_some())
}

/// Adds a comment to an issue that is there.
pub fn add_comment(work: &mut Work<'_>, id: &str, text: &str) -> Result<Comment, StoreError> {
    let (issue, family) = work.issue(id)?;
    let comment = Comment {
        id: work.row_id(),
        issue_id: issue.id,
        author: work.act.actor.clone(),
        text: text.to_owned(),
        created_at: Some(work.act.now),
    };
    work.changes.insert(
        family.comments(),
        vec![
            ("id", of_text(&comment.id)),
            ("issue_id", of_text(&comment.issue_id)),
            ("author", of_text(&comment.author)),
            ("text", of_text(text)),
            ("created_at", of_time(work.act.now)),
        ],
    );
    Ok(comment)
}
