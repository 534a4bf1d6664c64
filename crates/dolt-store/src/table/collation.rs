//! Collations: which texts SQL takes for equal. Their order is not here, only equality.
//!
//! Dolt compares character by character, by one weight each, without contractions and without padding (`go-mysql-server`
//! `sql/encodings`). So a collation is a partition of the characters, and two texts are equal if each character of the one
//! is in the class of the other's. The classes in `collation/*.txt` are what Dolt 1.88.1 groups together, asked about every
//! character there is; `tests/live/store_collations.rs` asks it and Dolt 2.2.0 again about those that are listed.
//!
//! A line is `FIRST=TO`, `FIRST-LAST=TO` (all are equal to one), `FIRST-LAST+TO` (the first to `TO`, the next to the one
//! behind it, …), each with `/2` where every second character is meant; code points in hexadecimal digits. A character
//! that is not listed is equal to itself only.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use super::schema::Column;

/// How the texts of a column compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collation<'n> {
    name: &'n str,
    kind: Kind,
}

/// What a collation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    // Equal are equal bytes; the order is that of the bytes.
    Bytes,
    // Equal are texts that fold to the same; this is the table of this number.
    Folded(usize),
    Unknown,
}

/// What a column without a collation in its type has.
const DEFAULT: &str = "utf8mb4_0900_bin";

const TABLES: [(&[&str], &str); 5] = [
    (&["utf8mb4_0900_ai_ci"], include_str!("collation/utf8mb4_0900_ai_ci.txt")),
    (&["utf8mb4_general_ci", "utf8mb3_general_ci"], include_str!("collation/utf8mb4_general_ci.txt")),
    (&["utf8mb4_unicode_ci", "utf8mb3_unicode_ci"], include_str!("collation/utf8mb4_unicode_ci.txt")),
    (&["latin1_swedish_ci"], include_str!("collation/latin1_swedish_ci.txt")),
    (&["ascii_general_ci"], include_str!("collation/ascii_general_ci.txt")),
];

static FOLDINGS: [OnceLock<Folding>; TABLES.len()] = [const { OnceLock::new() }; TABLES.len()];

impl<'n> Collation<'n> {
    /// The collation of a column. Dolt writes it into the column's type, unless it is the default one.
    pub fn of(column: &'n Column) -> Self {
        Self::of_type(&column.sql_type)
    }

    /// The same from a column's type.
    pub(crate) fn of_type(sql_type: &'n str) -> Self {
        // It stands last; members of an enum may hold any words.
        let at = sql_type.to_ascii_lowercase().rfind(" collate ");
        let name = at.and_then(|at| sql_type.get(at..)?.trim_start().split_once(' '));
        let name =
            name.map(|(_, name)| name).filter(|n| n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        Self::named(name.unwrap_or(DEFAULT))
    }

    /// A collation by its name.
    pub fn named(name: &'n str) -> Self {
        let is = |other: &&str| other.eq_ignore_ascii_case(name);
        let folded = TABLES.iter().position(|(names, _)| names.iter().any(is));
        let kind = match folded {
            Some(number) => Kind::Folded(number),
            None if name.eq_ignore_ascii_case("binary") || name.to_ascii_lowercase().ends_with("_bin") => {
                Kind::Bytes
            }
            None => Kind::Unknown,
        };
        Self { name, kind }
    }

    /// Its name.
    pub fn name(&self) -> &'n str {
        self.name
    }

    /// Whether texts are equal only if their bytes are, and sorted as those.
    pub fn is_bytewise(&self) -> bool {
        self.kind == Kind::Bytes
    }

    /// A text that is the same for all texts that are equal under this collation. `None`: it is one that this crate does not
    /// know.
    pub fn fold<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        self.kind.fold(text)
    }

    /// How it folds, without its name.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }
}

impl Kind {
    /// As [`Collation::fold`].
    pub(crate) fn fold(self, text: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Bytes => Some(Cow::Borrowed(text)),
            Self::Unknown => None,
            Self::Folded(number) => {
                let folding = FOLDINGS
                    .get(number)?
                    .get_or_init(|| Folding::read(TABLES.get(number).map_or("", |t| t.1)));
                Some(Cow::Owned(text.chars().map(|c| folding.of(c)).collect()))
            }
        }
    }
}

// Where each character goes; those that are not here stay.
#[derive(Debug)]
struct Folding {
    single: HashMap<char, char>,
    // Very long runs that all go to one character.
    runs: Vec<(char, char, char)>,
}

/// Above this length a run is not written out.
const LONG: u32 = 4096;

impl Folding {
    // The text is part of this crate, so a line that cannot be read does not occur; a test holds that.
    fn read(table: &str) -> Self {
        let mut folding = Self { single: HashMap::new(), runs: Vec::new() };
        for run in table.lines().filter_map(Run::parse) {
            if let (false, Some(first), Some(last), Some(to)) =
                (run.moves, char::from_u32(run.first), char::from_u32(run.last), char::from_u32(run.to))
                && run.last.saturating_sub(run.first) > LONG
            {
                folding.runs.push((first, last, to));
                continue;
            }
            folding.single.extend(run.pairs());
        }
        folding
    }

    fn of(&self, c: char) -> char {
        let long =
            || self.runs.iter().find(|(first, last, _)| (*first..=*last).contains(&c)).map(|(_, _, to)| *to);
        self.single.get(&c).copied().or_else(long).unwrap_or(c)
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Run {
    first: u32,
    last: u32,
    step: u32,
    moves: bool,
    to: u32,
}

impl Run {
    fn parse(line: &str) -> Option<Self> {
        let code = |text: &str| u32::from_str_radix(text, 16).ok();
        let split = line.find(['=', '+'])?;
        let (range, to) = line.split_at(split);
        let (range, step) = range.strip_suffix("/2").map_or((range, 1), |r| (r, 2));
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(Self {
            first: code(first)?,
            last: code(last)?,
            step,
            moves: to.starts_with('+'),
            to: code(to.get(1..)?)?,
        })
    }

    fn pairs(&self) -> impl Iterator<Item = (char, char)> {
        let step = usize::try_from(self.step).unwrap_or(1);
        (self.first..=self.last).step_by(step).filter_map(|from| {
            let moved = if self.moves { from.saturating_sub(self.first) } else { 0 };
            Some((char::from_u32(from)?, char::from_u32(self.to.saturating_add(moved))?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_fold_to_the_same_and_others_do_not() {
        let fold = |name: &str, text: &str| Collation::named(name).fold(text).unwrap().into_owned();
        for name in ["utf8mb4_0900_ai_ci", "utf8mb4_general_ci", "utf8mb3_unicode_ci", "latin1_swedish_ci"] {
            assert_eq!(fold(name, "Élan VITAL"), fold(name, "elan vital"), "{name}");
            assert_ne!(fold(name, "a"), fold(name, "b"), "{name}");
            assert_ne!(fold(name, "ab"), fold(name, "ab "), "{name}");
        }
        assert_ne!(fold("utf8mb4_0900_bin", "A"), fold("utf8mb4_bin", "a"));
        // All characters outside of the basic plane are one to general_ci.
        assert_eq!(fold("utf8mb4_general_ci", "😀"), fold("utf8mb4_general_ci", "\u{10ffff}"));
        assert_ne!(fold("utf8mb4_0900_ai_ci", "😀"), fold("utf8mb4_0900_ai_ci", "😁"));
        assert_eq!(Collation::named("utf8mb4_zh_0900_as_cs").fold("x"), None);
    }

    #[test]
    fn every_line_of_the_tables_is_read_and_leads_to_a_character_that_stays() {
        for (names, table) in TABLES {
            let lines = table.lines().filter(|l| !l.starts_with('#'));
            assert!(lines.clone().all(|l| Run::parse(l).is_some()) && lines.count() > 0, "{names:?}");
            let folding = Folding::read(table);
            let stays = |to: &char| folding.of(*to) == *to;
            assert!(folding.single.values().all(stays) && folding.runs.iter().all(|(_, _, to)| stays(to)));
        }
    }
}
