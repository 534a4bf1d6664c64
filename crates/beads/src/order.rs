//! The orders in which issues are listed. The database orders rows in one way, `--sort` orders what came from it in another.

use std::cmp::Ordering;

use crate::id::natural;
use crate::issue::Issue;
use crate::text::lower;

/// A key of `--sort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SortKey {
    /// Urgent first.
    #[default]
    Priority,
    /// Newest first.
    Created,
    /// Last changed first.
    Updated,
    /// Last closed first.
    Closed,
    /// By its word.
    Status,
    /// Numbers by value.
    Id,
    /// In lower case.
    Title,
    /// By its word.
    Type,
    /// By name.
    Assignee,
}

impl SortKey {
    /// A word of `--sort`; none for a word that bd does not know either.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "priority" => Self::Priority,
            "created" => Self::Created,
            "updated" => Self::Updated,
            "closed" => Self::Closed,
            "status" => Self::Status,
            "id" => Self::Id,
            "title" => Self::Title,
            "type" => Self::Type,
            "assignee" => Self::Assignee,
            _ => return None,
        })
    }

    /// The order of rows in a list (bd `sqlbuild.Less`): by the key in its own direction, or the other one; ties by id. The
    /// default key has newer issues first among equals. Times that are missing come first where time ascends.
    pub fn rows(self, reverse: bool) -> impl Fn(&Issue, &Issue) -> Ordering {
        move |a, b| {
            if self == Self::Id {
                return a.id.cmp(&b.id);
            }
            let descending = matches!(self, Self::Created | Self::Updated | Self::Closed) != reverse;
            let by_key = self.ascending(a, b);
            let by_key = if descending { by_key.reverse() } else { by_key };
            let newer =
                || if self == Self::Priority { b.created_at.cmp(&a.created_at) } else { Ordering::Equal };
            by_key.then_with(newer).then_with(|| a.id.cmp(&b.id))
        }
    }

    /// The order that `--sort` gives to what was fetched (bd `compareIssuesBy`): dates newest first, what has no date last, ids
    /// by their numbers; equal ones stay as they are.
    pub fn fetched(self, reverse: bool) -> impl Fn(&Issue, &Issue) -> Ordering {
        move |a, b| {
            let order = match self {
                Self::Id => natural(&a.id, &b.id),
                Self::Created | Self::Updated | Self::Closed => self.ascending(b, a),
                _ => self.ascending(a, b),
            };
            if reverse { order.reverse() } else { order }
        }
    }

    fn ascending(self, a: &Issue, b: &Issue) -> Ordering {
        match self {
            Self::Priority => a.priority.cmp(&b.priority),
            Self::Created => a.created_at.cmp(&b.created_at),
            Self::Updated => a.updated_at.cmp(&b.updated_at),
            Self::Closed => a.closed_at.cmp(&b.closed_at),
            Self::Status => a.status.cmp(&b.status),
            Self::Type => a.issue_type.cmp(&b.issue_type),
            Self::Assignee => a.assignee.cmp(&b.assignee),
            Self::Title => lower(&a.title).cmp(&lower(&b.title)),
            Self::Id => a.id.cmp(&b.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(id: &str, priority: i64, created: i64, closed: Option<i64>) -> Issue {
        let at = |second| jiff::Timestamp::from_second(second).ok();
        let closed_at = closed.and_then(at);
        Issue { id: id.into(), priority, created_at: at(created), closed_at, ..Issue::default() }
    }

    fn ids(order: impl Fn(&Issue, &Issue) -> Ordering) -> Vec<String> {
        let mut issues = vec![
            issue("x-a.10", 1, 5, None),
            issue("x-a.9", 1, 5, Some(7)),
            issue("x-b", 1, 6, Some(3)),
            issue("x-c", 0, 1, None),
        ];
        issues.sort_by(order);
        issues.into_iter().map(|issue| issue.id).collect()
    }

    #[test]
    fn rows_are_ordered_as_the_database_orders_them() {
        assert_eq!(ids(SortKey::Priority.rows(false)), ["x-c", "x-b", "x-a.10", "x-a.9"]);
        assert_eq!(ids(SortKey::Priority.rows(true)), ["x-b", "x-a.10", "x-a.9", "x-c"]);
        assert_eq!(ids(SortKey::Closed.rows(false)), ["x-a.9", "x-b", "x-a.10", "x-c"]);
        assert_eq!(ids(SortKey::Closed.rows(true)), ["x-a.10", "x-c", "x-b", "x-a.9"]);
    }

    #[test]
    fn sort_orders_what_was_fetched() {
        assert_eq!(ids(SortKey::Id.fetched(false)), ["x-a.9", "x-a.10", "x-b", "x-c"]);
        assert_eq!(ids(SortKey::Created.fetched(false)), ["x-b", "x-a.10", "x-a.9", "x-c"]);
        assert_eq!(ids(SortKey::Created.fetched(true)), ["x-c", "x-a.10", "x-a.9", "x-b"]);
        assert_eq!(SortKey::from_word("nonsense"), None);
    }
}
