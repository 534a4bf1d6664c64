//! The hash of an issue's content, which bd stores in `content_hash` on insertion and on an import, never on an update. It says
//! what the content was then; it is no way to find out whether something changed.

use sha2::{Digest, Sha256};

use crate::Issue;
use crate::text::hex;

/// SHA-256, lower-case hex, over the fields that are content, each followed by a zero byte (bd `ComputeContentHash`). The
/// metadata counts as it was given, so equal values in two spellings have two hashes.
pub fn of(issue: &Issue) -> String {
    let mut hash = Sha256::new();
    let mut field = |text: &str| {
        hash.update(text.as_bytes());
        hash.update([0]);
    };
    field(&issue.title);
    field(&issue.description);
    field(&issue.design);
    field(&issue.acceptance_criteria);
    field(&issue.notes);
    field(&issue.spec_id);
    field(issue.status.as_str());
    field(&issue.priority.to_string());
    field(issue.issue_type.as_str());
    field(&issue.assignee);
    field(&issue.owner);
    field(&issue.created_by);
    field(issue.external_ref.as_deref().unwrap_or_default());
    field(&issue.source_system);
    field(if issue.pinned { "pinned" } else { "" });
    field(issue.metadata.as_ref().map_or("", |metadata| metadata.as_str()));
    field(if issue.is_template { "template" } else { "" });
    for bond in &issue.bonded_from {
        field(&bond.source_id);
        field(&bond.bond_type);
        field(&bond.bond_point);
    }
    field(&issue.await_type);
    field(&issue.await_id);
    field(&issue.timeout.to_string());
    for waiter in &issue.waiters {
        field(waiter);
    }
    field(&issue.mol_type);
    field(&issue.work_type);
    field(&issue.event_kind);
    field(&issue.actor);
    field(&issue.target);
    field(&issue.payload);
    hex(&hash.finalize())
}
