//! What a column's type in SQL says about its values beyond how they are stored: `varchar(255)`, `decimal(10,3)`,
//! `datetime(6)`, `enum('a','b')`, `bit(5)`, `binary(16)`.

/// A type, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnType {
    /// `varchar`, `decimal unsigned` is `decimal`.
    pub(crate) name: String,
    /// What stands in the parentheses, unquoted.
    pub(crate) arguments: Vec<String>,
}

impl ColumnType {
    /// Reads a type as Dolt spells it.
    pub(crate) fn parse(text: &str) -> Self {
        let (name, rest) = text.split_once('(').unwrap_or((text, ""));
        let name = name.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        Self { name, arguments: arguments(rest) }
    }

    /// The argument at this position as a number.
    pub(crate) fn number(&self, i: usize) -> Option<usize> {
        self.arguments.get(i)?.parse().ok()
    }
}

// Up to the closing parenthesis: numbers, or texts in quotes in which a quote is doubled.
fn arguments(rest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut chars = rest.chars().peekable();
    let mut plain = String::new();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let mut text = String::new();
                while let Some(c) = chars.next() {
                    if c == '\'' && chars.next_if_eq(&'\'').is_none() {
                        break;
                    }
                    text.push(c);
                }
                found.push(text);
                plain.clear();
            }
            ',' | ')' => {
                if !plain.trim().is_empty() {
                    found.push(plain.trim().to_owned());
                }
                plain.clear();
                if c == ')' {
                    break;
                }
            }
            other => plain.push(other),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_taken_apart() {
        let parse = |text| {
            let found = ColumnType::parse(text);
            (found.name, found.arguments.join("|"))
        };
        let both = |name: &str, arguments: &str| (name.to_owned(), arguments.to_owned());
        assert_eq!(parse("varchar(255)"), both("varchar", "255"));
        assert_eq!(parse("varchar(64) COLLATE utf8mb4_0900_ai_ci"), both("varchar", "64"));
        assert_eq!(parse("decimal(10,3)"), both("decimal", "10|3"));
        assert_eq!(parse("bigint unsigned"), both("bigint", ""));
        assert_eq!(parse("enum('a','it''s','(,)')"), both("enum", "a|it's|(,)"));
        assert_eq!(ColumnType::parse("datetime(6)").number(0), Some(6));
    }
}
