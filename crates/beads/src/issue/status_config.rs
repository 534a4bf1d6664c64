//! The value of `status.custom`: names, each with a category if the user gave one. And plain lists such as `types.custom`.

use super::{Category, Status};
use crate::text::quoted;

/// A status that a user registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomStatus {
    /// `[a-z][a-z0-9_-]*`.
    pub name: String,
    /// How it behaves in views.
    pub category: Category,
}

/// What is wrong with a value of `status.custom`; the words are bd's (`ParseCustomStatusConfig`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CustomStatusError {
    /// `name:`.
    #[error("invalid custom status {}: trailing colon with empty category", quoted(.0))]
    EmptyCategory(String),
    /// An unknown category.
    #[error(
        "invalid category {} for status {}: must be one of active, wip, done, frozen",
        quoted(category),
        quoted(name)
    )]
    Category {
        /// What was given.
        category: String,
        /// For which status.
        name: String,
    },
    /// Not lower case, or with other characters.
    #[error("invalid status name {}: must match [a-z][a-z0-9_-]* (lowercase, letter-first, no spaces)", quoted(.0))]
    Name(String),
    /// A built-in one.
    #[error("custom status {} collides with built-in status", quoted(.0))]
    BuiltIn(String),
    /// Twice the same.
    #[error("duplicate custom status name {}", quoted(.0))]
    Duplicate(String),
    /// More than 50.
    #[error("too many custom statuses ({0}): maximum is 50")]
    TooMany(usize),
}

/// Reads `name,name:category,…`; empty parts are skipped (bd `ParseCustomStatusConfig`).
pub fn parse_custom_statuses(value: &str) -> Result<Vec<CustomStatus>, CustomStatusError> {
    let mut found: Vec<CustomStatus> = Vec::new();
    for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, category) = match part.split_once(':') {
            None => (part, Category::Unspecified),
            Some((_, "")) => return Err(CustomStatusError::EmptyCategory(part.to_owned())),
            Some((name, category)) => {
                let known = [Category::Active, Category::Wip, Category::Done, Category::Frozen];
                let known = known.into_iter().find(|known| known.as_str() == category);
                let unknown =
                    || CustomStatusError::Category { category: category.to_owned(), name: name.to_owned() };
                (name, known.ok_or_else(unknown)?)
            }
        };
        let owned = || name.to_owned();
        let mut chars = name.chars();
        let begins = chars.next().is_some_and(|c| c.is_ascii_lowercase());
        if !begins || !chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-')) {
            return Err(CustomStatusError::Name(owned()));
        }
        if Status::from(name).is_built_in() {
            return Err(CustomStatusError::BuiltIn(owned()));
        }
        if found.iter().any(|status| status.name == name) {
            return Err(CustomStatusError::Duplicate(owned()));
        }
        found.push(CustomStatus { name: owned(), category });
    }
    if found.len() > 50 {
        return Err(CustomStatusError::TooMany(found.len()));
    }
    Ok(found)
}

/// Names of a list in the configuration: a JSON array of strings, otherwise separated by commas
/// (bd `issueops/helpers.go`: `GetCustomTypesTx`).
pub fn names_of_list(value: &str) -> Vec<String> {
    serde_json::from_str(value).unwrap_or_else(|_| {
        value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read_with_and_without_category() {
        let read = parse_custom_statuses(" a:active, b_1 ,,c-d:frozen").unwrap();
        let read: Vec<_> = read.iter().map(|s| (s.name.as_str(), s.category)).collect();
        let expected = [("a", Category::Active), ("b_1", Category::Unspecified), ("c-d", Category::Frozen)];
        assert_eq!(read, expected);
        assert_eq!(parse_custom_statuses("  ").unwrap(), []);
    }

    #[test]
    fn refusals_have_bds_words() {
        let many: Vec<_> = (0..51).map(|i| format!("s{i}")).collect();
        for (value, text) in [
            ("a:", r#"invalid custom status "a:": trailing colon with empty category"#),
            ("a:x", r#"invalid category "x" for status "a": must be one of active, wip, done, frozen"#),
            (
                "A",
                r#"invalid status name "A": must match [a-z][a-z0-9_-]* (lowercase, letter-first, no spaces)"#,
            ),
            ("open", r#"custom status "open" collides with built-in status"#),
            ("a,a:wip", r#"duplicate custom status name "a""#),
            (&many.join(","), "too many custom statuses (51): maximum is 50"),
        ] {
            assert_eq!(parse_custom_statuses(value).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn lists_are_json_or_commas() {
        assert_eq!(names_of_list(r#"["a","b c"]"#), ["a", "b c"]);
        assert_eq!(names_of_list("a, b ,,"), ["a", "b"]);
    }
}
