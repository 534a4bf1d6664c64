//! Quoting for names and texts that stand inside a statement.

/// A name in backticks.
pub fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text in single quotes, for `MySQL`'s default mode (backslash escapes).
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_inside_cannot_end_the_quoting() {
        assert_eq!(identifier("a`b"), "`a``b`");
        assert_eq!(literal(r"it's \ here"), r"'it''s \\ here'");
    }
}
