//! Names of databases, rigs and issue prefixes: what is allowed, and why not.
//!
//! A database name is a directory name, an SQL name and a word on a command line at once, so all three must take it.

/// A name that may not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// A character outside letters, digits, `_`, `-`, or nothing at all.
    #[error("invalid rig name {name:?}: must contain only alphanumeric, underscore, or dash")]
    Characters {
        /// The name.
        name: String,
    },
    /// It would be read as a flag.
    #[error("invalid rig name {name:?}: must not begin with a dash")]
    LeadingDash {
        /// The name.
        name: String,
    },
    /// SQL names end at 64 characters.
    #[error("invalid rig name {name:?}: {length} characters, at most 64 are possible")]
    TooLong {
        /// The first characters of the name.
        name: String,
        /// How many it has.
        length: usize,
    },
    /// The server has a database of its own by this name, or the town a directory.
    #[error("invalid rig name {name:?}: reserved for {for_what}")]
    Reserved {
        /// The name.
        name: String,
        /// Whose it is.
        for_what: &'static str,
    },
    /// SQL does not tell the two apart.
    #[error(
        "invalid rig name {name:?}: the database {existing:?} differs only in case, and to SQL they are the same"
    )]
    CaseTwin {
        /// The name.
        name: String,
        /// The database that exists.
        existing: String,
    },
    /// Agent names are `<prefix>-<rig>-<role>`, so a rig cannot hold a dash.
    #[error("invalid rig name {name:?}: dashes are not allowed in rig names")]
    DashInRig {
        /// The name.
        name: String,
    },
    /// Not a prefix.
    #[error(
        "invalid prefix {prefix:?}: must begin with a letter, hold only letters, digits and dashes, at most 20"
    )]
    Prefix {
        /// The prefix.
        prefix: String,
    },
}

const SYSTEM_DATABASES: [&str; 6] =
    ["mysql", "information_schema", "performance_schema", "sys", "dolt", "dolt_cluster"];
const TOWN_DIRECTORIES: [&str; 8] =
    ["hq", "mayor", "daemon", "deacon", "plugins", "settings", "logs", "config"];

/// Checks a database name.
pub fn check_database(name: &str) -> Result<(), NameError> {
    let ok = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(ok) {
        return Err(NameError::Characters { name: name.chars().take(80).collect() });
    }
    if name.starts_with('-') {
        return Err(NameError::LeadingDash { name: name.to_owned() });
    }
    if name.len() > 64 {
        return Err(NameError::TooLong { name: format!("{}…", &name[..16]), length: name.len() });
    }
    if SYSTEM_DATABASES.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(NameError::Reserved { name: name.to_owned(), for_what: "the SQL server itself" });
    }
    Ok(())
}

/// Checks that no existing database differs from `name` only in case.
pub fn check_no_case_twin<'a>(
    name: &str,
    existing: impl IntoIterator<Item = &'a str>,
) -> Result<(), NameError> {
    for other in existing {
        if other != name && other.eq_ignore_ascii_case(name) {
            return Err(NameError::CaseTwin { name: name.to_owned(), existing: other.to_owned() });
        }
    }
    Ok(())
}

/// Checks a rig name: a database name that is also a directory of the town and a part of agent names.
pub fn check_rig(name: &str) -> Result<(), NameError> {
    check_database(name)?;
    if name.contains('-') {
        return Err(NameError::DashInRig { name: name.to_owned() });
    }
    if TOWN_DIRECTORIES.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(NameError::Reserved { name: name.to_owned(), for_what: "the town itself" });
    }
    Ok(())
}

/// Checks an issue prefix, given without its dash at the end.
pub fn check_prefix(prefix: &str) -> Result<(), NameError> {
    let mut chars = prefix.chars();
    let ok = prefix.len() <= 20
        && chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '-');
    if ok { Ok(()) } else { Err(NameError::Prefix { prefix: prefix.to_owned() }) }
}

/// The prefix that a rig gets when none is given: the first letters of its words (`gas_town`, `gasTown` and `gastown`
/// give `gt`), else its first two letters.
pub fn derive_prefix(rig: &str) -> String {
    let trimmed = rig.strip_suffix("-py").or_else(|| rig.strip_suffix("-go")).unwrap_or(rig);
    let mut words: Vec<String> =
        trimmed.split(['-', '_']).filter(|w| !w.is_empty()).map(str::to_owned).collect();
    if let [word] = words.as_slice() {
        words = split_word(word);
    }
    let prefix: String = if words.len() >= 2 {
        words.iter().filter_map(|w| w.chars().next()).collect()
    } else if trimmed.len() <= 3 {
        trimmed.to_owned()
    } else {
        trimmed.chars().take(2).collect()
    };
    let prefix = prefix.to_ascii_lowercase();
    // A rig may begin with a digit, a prefix may not.
    if prefix.starts_with(|c: char| c.is_ascii_alphabetic()) { prefix } else { format!("r{prefix}") }
}

fn split_word(word: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before = ' ';
    for c in word.chars() {
        if before.is_ascii_lowercase() && c.is_ascii_uppercase() {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
        before = c;
    }
    if parts.len() >= 2 {
        return parts;
    }
    let lower = word.to_ascii_lowercase();
    for ending in ["town", "ville", "port", "place", "land", "field", "wood", "ford"] {
        if let Some(front) = lower.strip_suffix(ending).filter(|f| !f.is_empty()) {
            return vec![front.to_owned(), ending.to_owned()];
        }
    }
    vec![lower]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f10_names_that_would_hurt_are_refused() {
        let long = "a".repeat(300);
        for bad in
            ["../x", "a/b", "", ".", "..", "hq;drop", "é", "config.yaml", "-x", "--", "a b", "a'b", &long]
        {
            assert!(check_database(bad).is_err(), "{bad:?}");
        }
        for taken in ["mysql", "MySQL", "information_schema", "performance_schema", "dolt_cluster", "sys"] {
            assert!(matches!(check_database(taken), Err(NameError::Reserved { .. })), "{taken}");
        }
        for good in ["hq", "a-b", "rig_1", "9lives", &"a".repeat(64)] {
            assert_eq!(check_database(good), Ok(()), "{good:?}");
        }
        assert!(check_no_case_twin("HQ", ["alpha", "hq"]).is_err());
        assert!(check_no_case_twin("hq", ["alpha", "hq"]).is_ok());
    }

    #[test]
    fn rigs_may_not_shadow_the_town_or_break_agent_names() {
        assert!(check_rig("mayor").is_err() && check_rig("HQ").is_err() && check_rig("gas-town").is_err());
        assert!(check_rig("gastown").is_ok());
    }

    #[test]
    fn prefixes_are_derived_as_people_abbreviate() {
        for (rig, prefix) in [
            ("gastown", "gt"),
            ("gas_town", "gt"),
            ("myProject", "mp"),
            ("beads", "be"),
            ("abc", "abc"),
            ("9x", "r9x"),
        ] {
            assert_eq!(derive_prefix(rig), prefix, "{rig}");
            assert!(check_prefix(prefix).is_ok());
        }
        assert!(check_prefix("").is_err() && check_prefix("1a").is_err() && check_prefix("a_b").is_err());
    }
}
