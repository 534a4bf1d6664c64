//! Which new tables do not count as changes: the patterns in `dolt_ignore` (Dolt `go/libraries/doltcore/doltdb/ignore.go`).
//!
//! `%` and `*` stand for any characters, `?` for one. If a name matches patterns that ignore it and patterns that do not, the
//! more specific ones decide: those whose own text a pattern of the other side matches. Without a decision the table counts.

use super::tables::Tables;
use super::value::Value;
use crate::Result;

/// The patterns of one state.
#[derive(Debug, Clone, Default)]
pub struct IgnorePatterns {
    ignoring: Vec<String>,
    keeping: Vec<String>,
}

impl Tables {
    /// The patterns in this state's `dolt_ignore`; none if it has no such table.
    pub fn ignore_patterns(&self) -> Result<IgnorePatterns> {
        let mut patterns = IgnorePatterns::default();
        let Some(table) = self.open("dolt_ignore")? else { return Ok(patterns) };
        for row in table.rows()? {
            let row = row?;
            if let [Value::Text(pattern), Value::Int(ignored), ..] = row.values.as_slice() {
                let side = if *ignored == 0 { &mut patterns.keeping } else { &mut patterns.ignoring };
                side.push(pattern.clone());
            }
        }
        Ok(patterns)
    }
}

impl IgnorePatterns {
    /// Whether a new table of this name does not count.
    pub fn is_ignored(&self, table: &str) -> bool {
        if table.eq_ignore_ascii_case("dolt_rebase") {
            return true;
        }
        let matching = |all: &[String]| -> Vec<Vec<char>> {
            let all = all.iter().map(|p| p.chars().collect::<Vec<_>>());
            all.filter(|p| matches(p, &table.chars().collect::<Vec<_>>(), |_| true)).collect()
        };
        let (ignoring, keeping) = (matching(&self.ignoring), matching(&self.keeping));
        if ignoring.is_empty() || keeping.is_empty() {
            return !ignoring.is_empty();
        }
        if ignoring.iter().any(|a| keeping.iter().any(|b| normalized(a) == normalized(b))) {
            return false;
        }
        // A pattern of the other side is more specific if this one matches it; `?` stands for no wildcard then.
        let gives_way = |one: &[char], others: &[Vec<char>]| {
            others.iter().any(|other| matches(one, other, |c| !is_wild(c)))
        };
        let keeps = ignoring.iter().all(|one| gives_way(one, &keeping));
        !keeps && keeping.iter().all(|one| gives_way(one, &ignoring))
    }
}

fn is_wild(c: char) -> bool {
    c == '%' || c == '*'
}

// `one` says what a `?` may stand for.
fn matches(pattern: &[char], text: &[char], one: fn(char) -> bool) -> bool {
    // Where to go on if what follows the last wildcard does not fit.
    let (mut p, mut t) = (0usize, 0usize);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(p), text.get(t)) {
            (Some(c), _) if is_wild(*c) => {
                retry = Some((p, t));
                p = p.saturating_add(1);
            }
            (None, None) => return true,
            (Some('?'), Some(c)) if one(*c) => (p, t) = (p.saturating_add(1), t.saturating_add(1)),
            (Some(a), Some(b)) if a == b && *a != '?' => (p, t) = (p.saturating_add(1), t.saturating_add(1)),
            _ => {
                let Some((wild, from)) = retry.filter(|(_, from)| *from < text.len()) else { return false };
                let from = from.saturating_add(1);
                retry = Some((wild, from));
                (p, t) = (wild.saturating_add(1), from);
            }
        }
    }
}

fn normalized(pattern: &[char]) -> String {
    let mut text = String::new();
    for c in pattern {
        let c = if is_wild(*c) { '%' } else { *c };
        if c != '%' || !text.ends_with('%') {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(ignoring: &[&str], keeping: &[&str], table: &str) -> bool {
        let own = |all: &[&str]| all.iter().map(|p| (*p).to_owned()).collect();
        IgnorePatterns { ignoring: own(ignoring), keeping: own(keeping) }.is_ignored(table)
    }

    #[test]
    fn the_more_specific_pattern_decides() {
        assert!(ignored(&["wisp_%"], &[], "wisp_events") && !ignored(&["wisp_%"], &[], "wisps"));
        assert!(ignored(&["*a*b"], &[], "xaybzab") && !ignored(&["*a*b"], &[], "xaybz"));
        assert!(ignored(&["t?"], &[], "t1") && !ignored(&["t?"], &[], "t") && !ignored(&["t?"], &[], "t12"));
        assert!(
            !ignored(&["gen_%"], &["gen_keep"], "gen_keep")
                && ignored(&["gen_%"], &["gen_keep"], "gen_other")
        );
        assert!(ignored(&["gen_keep"], &["gen_%"], "gen_keep"));
        assert!(!ignored(&["a%"], &["%b"], "ab"), "neither is more specific");
        assert!(!ignored(&["a%"], &["a*"], "ab"), "they are the same");
        assert!(!ignored(&[], &[], "t") && ignored(&[], &[], "dolt_rebase"));
    }
}
