//! Prefixes: which one an id has, which ones a store accepts, and which one a new issue gets.

use crate::Issue;

/// Why an id that a user gave is refused; the words are bd's (`validation/bead.go`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// No hyphen.
    #[error(
        "invalid ID format '{0}' (expected format: prefix-hash or prefix-hash.number, e.g., 'bd-a3f8e9' or 'bd-a3f8e9.1')"
    )]
    Format(String),
    /// A foreign prefix, and none is allowed.
    #[error("prefix mismatch: database uses '{own}-' but ID '{id}' doesn't match (use --force to override)")]
    Foreign {
        /// The store's prefix.
        own: String,
        /// What was given.
        id: String,
    },
    /// A foreign prefix that is not among the allowed ones.
    #[error(
        "prefix mismatch: database uses '{own}-' (allowed: {allowed}) but ID '{id}' doesn't match any allowed prefix (use --force to override)"
    )]
    NotAllowed {
        /// The store's prefix.
        own: String,
        /// `allowed_prefixes`, as it was set.
        allowed: String,
        /// What was given.
        id: String,
    },
}

/// The prefixes of a store.
#[derive(Debug, Clone, Default)]
pub struct Prefixes {
    /// `issue_prefix`.
    pub own: String,
    /// `allowed_prefixes`: a list with commas, as it was set.
    pub allowed: String,
}

impl Prefixes {
    /// Own prefix without the hyphen that old configurations have at the end (bd `ReadConfigPrefix`).
    pub fn own(&self) -> &str {
        self.own.strip_suffix('-').unwrap_or(&self.own)
    }

    /// All known ones, the own one first, without hyphens at the end.
    pub fn known(&self) -> Vec<&str> {
        let allowed = self.allowed.split(',').map(str::trim);
        let allowed = allowed.map(|prefix| prefix.strip_suffix('-').unwrap_or(prefix));
        std::iter::once(self.own()).chain(allowed).filter(|prefix| !prefix.is_empty()).collect()
    }

    /// The longest known prefix of an id, else what [`extract_prefix`] guesses (bd `ExtractIssuePrefixKnown`).
    pub fn of<'i>(&self, id: &'i str) -> &'i str {
        let lengths = self.known().into_iter().filter(|known| has_prefix(id, known)).map(str::len);
        lengths.max().and_then(|length| id.get(..length)).unwrap_or_else(|| extract_prefix(id))
    }

    /// The prefix of a new issue's id: the override, else the own one with `-mol`-like addition, else with `-wisp` for whatever
    /// lives among the wisps (bd `CreateIssueInTxWithResult`).
    pub fn for_new(&self, issue: &Issue, prefix_override: &str, addition: &str) -> String {
        let own = self.own();
        if !prefix_override.is_empty() {
            prefix_override.to_owned()
        } else if !addition.is_empty() {
            format!("{own}-{addition}")
        } else if issue.is_wisp() {
            format!("{own}-wisp")
        } else {
            own.to_owned()
        }
    }
}

/// Whether an id begins with a prefix and a hyphen.
pub(super) fn has_prefix(id: &str, prefix: &str) -> bool {
    id.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('-'))
}

/// Whether a user may give this id to a new issue. Any text with a hyphen after a known prefix will do, as in bd.
pub fn check_explicit(id: &str, prefixes: &Prefixes, force: bool) -> Result<(), PrefixError> {
    if !id.contains('-') {
        return Err(PrefixError::Format(id.to_owned()));
    }
    if force || prefixes.own().is_empty() || prefixes.known().iter().any(|known| has_prefix(id, known)) {
        return Ok(());
    }
    let (own, id) = (prefixes.own().to_owned(), id.to_owned());
    if prefixes.allowed.is_empty() {
        return Err(PrefixError::Foreign { own, id });
    }
    Err(PrefixError::NotAllowed { own, allowed: prefixes.allowed.clone(), id })
}

/// Up to and including the first hyphen, or nothing: what routes are looked up by, and what makes an edge foreign
/// (bd `types.ExtractPrefix`).
pub fn leading_prefix(id: &str) -> &str {
    id.find('-').and_then(|at| id.get(..=at)).unwrap_or_default()
}

/// What is probably the prefix of an id: before the last hyphen if something like a number or a hash follows it, else before the
/// first (bd `utils.ExtractIssuePrefix`).
pub fn extract_prefix(id: &str) -> &str {
    let Some((before, suffix)) = id.rsplit_once('-').filter(|(before, _)| !before.is_empty()) else {
        return "";
    };
    let base = match suffix.split_once('.') {
        Some((base, _)) if !base.is_empty() => base,
        _ => suffix,
    };
    if suffix.is_empty() || base.bytes().all(|b| b.is_ascii_digit()) || is_likely_hash(base) {
        return before;
    }
    id.split_once('-').map_or("", |(first, _)| first)
}

/// Three to eight digits of base 36; words of four letters and more need a digit among them.
fn is_likely_hash(text: &str) -> bool {
    (3..=8).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
        && (text.len() == 3 || text.bytes().any(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_guessed_as_bd_guesses_them() {
        for (id, prefix) in [
            ("beads-vscode-1", "beads-vscode"),
            ("web-app-a3f8e9", "web-app"),
            ("bd-a3f", "bd"),
            ("vc-baseline-test", "vc"),
            ("bd-", "bd"),
            ("-x", ""),
            ("nohyphen", ""),
            ("x-y-123.1.2", "x-y"),
        ] {
            assert_eq!(extract_prefix(id), prefix, "{id}");
        }
        assert_eq!(leading_prefix("a-b-c"), "a-");
        assert_eq!(leading_prefix("abc"), "");
    }

    #[test]
    fn known_prefixes_win_and_the_longest_of_them() {
        let prefixes = Prefixes { own: "hq-".into(), allowed: "hq-cv, news ,".into() };
        assert_eq!(prefixes.of("hq-cv-test"), "hq-cv");
        assert_eq!(prefixes.of("hq-test"), "hq");
        assert_eq!(prefixes.of("other-1"), "other");
        assert_eq!(prefixes.known(), ["hq", "hq-cv", "news"]);
    }

    #[test]
    fn explicit_ids_need_a_known_prefix() {
        let mut prefixes = Prefixes { own: "x".into(), allowed: String::new() };
        check_explicit("x-a b", &prefixes, false).unwrap();
        check_explicit("y-1", &prefixes, true).unwrap();
        let refusal = |prefixes: &Prefixes, id| check_explicit(id, prefixes, false).unwrap_err().to_string();
        assert!(
            refusal(&prefixes, "nohyphen").starts_with("invalid ID format 'nohyphen' (expected format: ")
        );
        let foreign =
            "prefix mismatch: database uses 'x-' but ID 'y-1' doesn't match (use --force to override)";
        assert_eq!(refusal(&prefixes, "y-1"), foreign);
        prefixes.allowed = "z-".into();
        check_explicit("z-1", &prefixes, false).unwrap();
        let foreign = "prefix mismatch: database uses 'x-' (allowed: z-) but ID 'y-1' doesn't match any allowed prefix \
            (use --force to override)";
        assert_eq!(refusal(&prefixes, "y-1"), foreign);
    }

    #[test]
    fn wisps_and_molecules_have_prefixes_of_their_own() {
        let prefixes = Prefixes { own: "x".into(), allowed: String::new() };
        let wisp = Issue { no_history: true, ..Issue::default() };
        assert_eq!(prefixes.for_new(&wisp, "", ""), "x-wisp");
        assert_eq!(prefixes.for_new(&wisp, "", "mol"), "x-mol");
        assert_eq!(prefixes.for_new(&wisp, "y", "mol"), "y");
        assert_eq!(prefixes.for_new(&Issue::default(), "", ""), "x");
    }
}
