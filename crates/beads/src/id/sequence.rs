//! Ids that count: children of an issue, and whole stores in counter mode. A number that was given is never given again, so the
//! stored counters only grow.

/// How deep ids may nest unless `hierarchy.max-depth` says otherwise (bd `MaxHierarchyDepth`).
pub const DEFAULT_MAX_DEPTH: usize = 3;

/// A child of this parent would be nested too deep (bd `CheckHierarchyDepth`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("maximum hierarchy depth ({max}) exceeded for parent {parent}")]
pub struct TooDeep {
    /// The limit.
    pub max: usize,
    /// The parent.
    pub parent: String,
}

/// Whether a parent may have children: it has fewer dots than the limit. A limit of 0 is the default one.
pub fn check_depth(parent: &str, max: usize) -> Result<(), TooDeep> {
    let max = if max == 0 { DEFAULT_MAX_DEPTH } else { max };
    if parent.matches('.').count() >= max {
        return Err(TooDeep { max, parent: parent.to_owned() });
    }
    Ok(())
}

/// What stands before the last dot of a hierarchical id. The dot alone makes it one.
pub fn parent_of(id: &str) -> Option<&str> {
    child_number(id).map(|(parent, _)| parent)
}

/// Parent and number of a hierarchical id (bd `ParseHierarchicalID`): digits after the last dot, whatever follows them.
pub fn child_number(id: &str) -> Option<(&str, i64)> {
    let (parent, number) = id.rsplit_once('.')?;
    let (negative, digits) = match number.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let number: i64 = digits.get(..end)?.parse().ok()?;
    Some((parent, if negative { -number } else { number }))
}

/// The next child's id and the number to store as the parent's counter: one more than the counter and than every direct child
/// that is there (bd `GetNextChildIDTx`). `ids` may be any ids.
pub fn next_child<'i>(
    parent: &str,
    counter: Option<i64>,
    ids: impl IntoIterator<Item = &'i str>,
) -> (String, i64) {
    let children = ids.into_iter().filter_map(|id| {
        let (of, number) = child_number(id)?;
        (of == parent).then_some(number)
    });
    let last = children.fold(counter.unwrap_or(0), i64::max);
    let next = last.saturating_add(1);
    (format!("{parent}.{next}"), next)
}

/// An id of counter mode and the counter to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CounterId {
    /// `<prefix>-<n>`.
    pub id: String,
    /// The new value of the row of `issue_counter`.
    pub counter: i64,
}

/// The next id of counter mode (bd `NextCounterIDTx`): one more than the stored counter; without one, than the largest number
/// among the ids of the prefix, children not counted.
pub fn next_counter_id<'i>(
    prefix: &str,
    counter: Option<i64>,
    ids: impl IntoIterator<Item = &'i str>,
) -> CounterId {
    let last = counter.unwrap_or_else(|| {
        let numbers = ids.into_iter().filter_map(|id| {
            let suffix = id.strip_prefix(prefix)?.strip_prefix('-')?;
            suffix.parse().ok()
        });
        numbers.fold(0, i64::max)
    });
    let counter = last.saturating_add(1);
    CounterId { id: format!("{prefix}-{counter}"), counter }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_count_on_from_the_counter_and_from_what_is_there() {
        let ids = ["x-a", "x-a.2", "x-a.2.9", "x-b.7", "x-a.x", "x-a.4y"];
        assert_eq!(next_child("x-a", None, ids), ("x-a.5".into(), 5));
        assert_eq!(next_child("x-a", Some(9), ids), ("x-a.10".into(), 10));
        assert_eq!(next_child("x-a.2", None, ids), ("x-a.2.10".into(), 10));
        assert_eq!(next_child("x-c", None, []), ("x-c.1".into(), 1));
    }

    #[test]
    fn parents_have_a_greatest_depth() {
        check_depth("x-a.1.2", 0).unwrap();
        let refusal = check_depth("x-a.1.2.3", 0).unwrap_err().to_string();
        assert_eq!(refusal, "maximum hierarchy depth (3) exceeded for parent x-a.1.2.3");
        check_depth("x-a.1.2.3", 4).unwrap();
        assert_eq!(parent_of("x-a.1.2"), Some("x-a.1"));
        assert_eq!(parent_of("x-a"), None);
    }

    #[test]
    fn a_counter_begins_behind_the_largest_number() {
        let ids = ["x-7", "x-12.3", "x-abc", "y-99", "x-y-50"];
        assert_eq!(next_counter_id("x", None, ids), CounterId { id: "x-8".into(), counter: 8 });
        assert_eq!(next_counter_id("x", Some(3), ids).id, "x-4");
        assert_eq!(next_counter_id("z", None, ids).id, "z-1");
    }
}
