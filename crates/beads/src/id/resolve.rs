//! What a user means by part of an id.

use super::prefix::{Prefixes, has_prefix};
use crate::text::{lower, quoted};

/// No id, or more than one, fits. Callers of bd decide by these words whether an issue exists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// None.
    #[error("no issue found matching {}", quoted(.0))]
    None(String),
    /// Several, in the order of the list.
    #[error(
        "ambiguous ID {} matches {} issues: [{}]\nUse more characters to disambiguate",
        quoted(input),
        matches.len(),
        matches.join(" ")
    )]
    Ambiguous {
        /// What was given.
        input: String,
        /// What fits.
        matches: Vec<String>,
    },
}

/// The one id that is meant: exactly the text; else the text with the own prefix, unless it has one already; else the id whose
/// hash is the text; else the only id whose hash contains it (bd `utils.ResolvePartialID`). `ids` come in the order of `list`,
/// issues before wisps.
pub fn resolve<'i>(
    input: &str,
    prefixes: &Prefixes,
    ids: impl Iterator<Item = &'i str> + Clone,
) -> Result<&'i str, NotFound> {
    if let Some(id) = ids.clone().find(|id| *id == input) {
        return Ok(id);
    }
    let own = if prefixes.own().is_empty() { "bd" } else { prefixes.own() };
    let has_known = prefixes.known().into_iter().chain([own]).any(|known| has_prefix(input, known));
    let normalized =
        if has_known || looks_prefixed(input) { input.to_owned() } else { format!("{own}-{input}") };
    if let Some(id) = ids.clone().find(|id| *id == normalized) {
        return Ok(id);
    }
    let hash = normalized.strip_prefix(own).and_then(|rest| rest.strip_prefix('-')).unwrap_or(&normalized);
    let none = || NotFound::None(input.to_owned());
    if !is_id_text(hash) {
        return Err(none());
    }
    // bd looks for the last part in lower case, so upper case finds nothing.
    let sought = hash.rsplit_once('-').map(|(_, last)| last).filter(|last| is_id_text(last)).unwrap_or(hash);
    let sought = lower(sought);
    let hash_of = |id: &'i str| {
        let prefix = prefixes.of(id);
        id.strip_prefix(prefix)
            .and_then(|rest| rest.strip_prefix('-'))
            .filter(|_| !prefix.is_empty())
            .unwrap_or(id)
    };
    let found = ids.filter(|id| id.contains(&sought) && hash_of(id).contains(hash));
    let found: Vec<_> = found.collect();
    if let Some(exact) = found.iter().rev().find(|id| hash_of(id) == hash) {
        return Ok(exact);
    }
    match found[..] {
        [] => Err(none()),
        [id] => Ok(id),
        _ => {
            let matches = found.iter().map(ToString::to_string).collect();
            Err(NotFound::Ambiguous { input: input.to_owned(), matches })
        }
    }
}

fn is_id_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
}

/// One to eight lower-case letters or digits, a hyphen, and a lower-case letter or digit (bd `looksLikePrefixedID`).
fn looks_prefixed(input: &str) -> bool {
    let is_small = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    input.split_once('-').is_some_and(|(prefix, rest)| {
        (1..=8).contains(&prefix.len())
            && prefix.bytes().all(is_small)
            && rest.bytes().next().is_some_and(is_small)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 7] = ["x-abc", "x-abc.1", "x-abd", "x-zz9", "y-abc7", "x-wisp-q1q", "n-w-ko4"];

    fn resolved(input: &str) -> Result<&'static str, NotFound> {
        let prefixes = Prefixes { own: "x".into(), allowed: "n-w".into() };
        resolve(input, &prefixes, IDS.into_iter())
    }

    #[test]
    fn whole_ids_hashes_and_unique_parts_are_found() {
        for (input, id) in [
            ("x-abc", "x-abc"),
            ("abc", "x-abc"),
            ("abc.1", "x-abc.1"),
            ("zz", "x-zz9"),
            ("x-zz", "x-zz9"),
            ("y-abc7", "y-abc7"),
            ("abc7", "y-abc7"),
            ("ko", "n-w-ko4"),
            ("q1q", "x-wisp-q1q"),
        ] {
            assert_eq!(resolved(input), Ok(id), "{input}");
        }
    }

    #[test]
    fn refusals_have_the_words_that_callers_look_for() {
        for input in ["nope", "ABC", "a b", "", "x-nope"] {
            assert_eq!(
                resolved(input).unwrap_err().to_string(),
                format!("no issue found matching \"{input}\"")
            );
        }
        let ambiguous = "ambiguous ID \"ab\" matches 4 issues: [x-abc x-abc.1 x-abd y-abc7]\nUse more characters to disambiguate";
        assert_eq!(resolved("ab").unwrap_err().to_string(), ambiguous);
    }
}
