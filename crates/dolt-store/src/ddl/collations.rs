//! The collations that a column or a table can have: those that Dolt implements, by name and `MySQL`'s number.

use std::sync::OnceLock;

/// A collation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Collation {
    pub(super) id: u16,
    pub(super) name: &'static str,
    /// The character set that it belongs to.
    pub(super) charset: &'static str,
    /// Bytes of a character at most.
    pub(super) width: u64,
    is_default: bool,
}

/// What a column has that names none.
pub(super) const DEFAULT: &str = "utf8mb4_0900_bin";

// Number, name, character set, bytes of a character, whether it is the set's default. From `SHOW COLLATION` of Dolt 1.88.1 and
// 2.2.0, without those whose tables both refuse.
fn all() -> &'static [Collation] {
    static ALL: OnceLock<Vec<Collation>> = OnceLock::new();
    ALL.get_or_init(|| include_str!("collations.txt").lines().filter_map(line).collect())
}

fn line(line: &'static str) -> Option<Collation> {
    let mut words = line.split(' ');
    Some(Collation {
        id: words.next()?.parse().ok()?,
        name: words.next()?,
        charset: words.next()?,
        width: words.next()?.parse().ok()?,
        is_default: words.next().is_some(),
    })
}

impl Collation {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        all().iter().find(|c| c.name.eq_ignore_ascii_case(name))
    }

    /// By `MySQL`'s number. `Ok(None)`: it is the default, which types do not name.
    pub(super) fn numbered(id: u16) -> Result<Option<&'static Self>, String> {
        let found = all().iter().find(|c| c.id == id).ok_or_else(|| format!("the collation number {id}"))?;
        Ok(Some(found).filter(|c| c.name != DEFAULT))
    }

    /// That of a table, by `MySQL`'s number; 0 is Dolt's default.
    pub(super) fn of_table(id: u16) -> Option<&'static Self> {
        all().iter().find(|c| c.id == id || id == 0 && c.name == DEFAULT)
    }

    /// The one that a definition asks for by character set and collation. `Ok(None)`: it names neither.
    pub(super) fn asked(charset: Option<&str>, name: Option<&str>) -> Result<Option<&'static Self>, String> {
        let named = name
            .map(|name| Self::named(name).ok_or_else(|| format!("the collation {name} is not known")))
            .transpose()?;
        let Some(charset) = charset else { return Ok(named) };
        // Dolt's own name for it.
        let charset = if charset.eq_ignore_ascii_case("utf8") { "utf8mb3" } else { charset };
        let is_of = |c: &Self| c.charset.eq_ignore_ascii_case(charset);
        match named {
            Some(named) if is_of(named) => Ok(Some(named)),
            Some(named) => Err(format!("the collation {} is none of {charset}", named.name)),
            None => {
                let default = all().iter().find(|c| c.is_default && is_of(c));
                default.map(Some).ok_or_else(|| format!("the character set {charset} is not known"))
            }
        }
    }

    pub(super) fn is_binary(&self) -> bool {
        self.name == "binary"
    }

    /// Whether texts that differ are never one under it.
    pub(super) fn is_exact(&self) -> bool {
        self.is_binary() || self.name.ends_with("_bin")
    }

    /// What a type says of it: nothing if it is the default.
    pub(super) fn suffix(&self) -> String {
        let mut text = String::new();
        if self.charset != "utf8mb4" {
            text = format!(" CHARACTER SET {}", self.charset);
        }
        if self.name != DEFAULT {
            text = format!("{text} COLLATE {}", self.name);
        }
        text
    }
}
