//! Which new tables do not count as changes: the patterns in `dolt_ignore` (Dolt `go/libraries/doltcore/doltdb/ignore.go`).
//!
//! `%` and `*` stand for any characters, `?` for one. If a name matches patterns that ignore it and patterns that do not, the
//! more specific ones decide: those whose own text a pattern of the other side matches. Where they do not, `dolt add` refuses.

use super::tables::Tables;
use super::value::Value;
use crate::Result;

/// The patterns of one state.
#[derive(Debug, Clone, Default)]
pub struct IgnorePatterns {
    ignoring: Vec<String>,
    keeping: Vec<String>,
}

/// Whether a new table of some name does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// It counts.
    No,
    /// It does not.
    Yes,
    /// Patterns say both, and none of them is more specific.
    Contradicted,
}

impl Tables {
    /// The patterns in this state's `dolt_ignore`; none if it has no such table.
    pub fn ignore_patterns(&self) -> Result<IgnorePatterns> {
        let mut patterns = IgnorePatterns::default();
        let Some(table) = self.open("dolt_ignore")? else { return Ok(patterns) };
        for row in table.rows()? {
            let row = row?;
            let [Value::Text(pattern), Value::Int(ignored), ..] = row.values.as_slice() else {
                return Err(table.not_supported("another form than a pattern and a yes or no"));
            };
            let side = if *ignored == 0 { &mut patterns.keeping } else { &mut patterns.ignoring };
            side.push(pattern.clone());
        }
        Ok(patterns)
    }
}

impl IgnorePatterns {
    /// What they say of a new table of this name.
    pub fn of(&self, table: &str) -> Ignored {
        if table.eq_ignore_ascii_case("dolt_rebase") {
            return Ignored::Yes;
        }
        let matching = |all: &[String]| -> Vec<Vec<char>> {
            let all = all.iter().map(|p| p.chars().collect::<Vec<_>>());
            all.filter(|p| matches(p, &table.chars().collect::<Vec<_>>(), |_| true)).collect()
        };
        let (ignoring, keeping) = (matching(&self.ignoring), matching(&self.keeping));
        if ignoring.is_empty() || keeping.is_empty() {
            return if ignoring.is_empty() { Ignored::No } else { Ignored::Yes };
        }
        if ignoring.iter().any(|a| keeping.iter().any(|b| normalized(a) == normalized(b))) {
            return Ignored::Contradicted;
        }
        // A pattern of the other side is more specific if this one matches it; `?` stands for no wildcard then.
        let give_way = |all: &[Vec<char>], others: &[Vec<char>]| {
            all.iter().all(|one| others.iter().any(|other| matches(one, other, |c| !is_wild(c))))
        };
        match (give_way(&ignoring, &keeping), give_way(&keeping, &ignoring)) {
            (true, _) => Ignored::No,
            (false, true) => Ignored::Yes,
            (false, false) => Ignored::Contradicted,
        }
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

    fn of(ignoring: &[&str], keeping: &[&str], table: &str) -> Ignored {
        let own = |all: &[&str]| all.iter().map(|p| (*p).to_owned()).collect();
        IgnorePatterns { ignoring: own(ignoring), keeping: own(keeping) }.of(table)
    }

    #[test]
    fn the_more_specific_pattern_decides() {
        use Ignored::{Contradicted, No, Yes};
        assert_eq!((of(&["wisp_%"], &[], "wisp_events"), of(&["wisp_%"], &[], "wisps")), (Yes, No));
        assert_eq!((of(&["*a*b"], &[], "xaybzab"), of(&["*a*b"], &[], "xaybz")), (Yes, No));
        assert_eq!(["t1", "t", "t12", "T1"].map(|t| of(&["t?"], &[], t)), [Yes, No, No, No]);
        assert_eq!(["gen_keep", "gen_x", "gen_"].map(|t| of(&["gen_%"], &["gen_keep"], t)), [No, Yes, Yes]);
        assert_eq!(of(&["gen_keep"], &["gen_%"], "gen_keep"), Yes);
        assert_eq!(
            ["wisp_a", "wisp_keep", "wisps"].map(|t| of(&["wisp_%"], &["wisp_keep", "*"], t)),
            [Yes, No, No]
        );
        assert_eq!(of(&["a%"], &["%b"], "ab"), Contradicted, "neither is more specific");
        assert_eq!(of(&["a%"], &["a*"], "ab"), Contradicted, "they are the same");
        assert_eq!((of(&[], &[], "t"), of(&[], &[], "dolt_rebase")), (No, Yes));
        // No pattern makes it try every way there is.
        assert_eq!(of(&[&"%a".repeat(40)], &[], &"a".repeat(39)), No);
    }
}
