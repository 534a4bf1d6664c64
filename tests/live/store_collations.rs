//! Which characters a collation takes for equal: what Dolt groups together is what this crate folds to the same.

use std::collections::{BTreeMap, BTreeSet};

use dolt_store::table::Collation;

use crate::support::{Dolt, Subject};

const UTF8: [&str; 3] = ["utf8mb4_0900_ai_ci", "utf8mb4_general_ci", "utf8mb4_unicode_ci"];

fn fold(collation: &str, c: char) -> char {
    Collation::named(collation).fold(&c.to_string()).unwrap().chars().next().unwrap()
}

/// Groups of two and more.
fn ours(collation: &str, of: &[char]) -> BTreeSet<Vec<char>> {
    let mut groups: BTreeMap<char, Vec<char>> = BTreeMap::new();
    for c in of {
        groups.entry(fold(collation, *c)).or_default().push(*c);
    }
    groups.into_values().filter(|g| g.len() > 1).collect()
}

fn insert(subject: &Subject, table: &str, of: &[char]) {
    for some in of.chunks(20_000) {
        let hex = |c: &char| c.to_string().bytes().fold(String::new(), |text, b| text + &format!("{b:02x}"));
        let rows: Vec<String> =
            some.iter().map(|c| format!("({},_utf8mb4 x'{}')", u32::from(*c), hex(c))).collect();
        subject.sql(&format!("insert into {table} values {};", rows.join(",")));
    }
}

fn theirs(subject: &Subject, table: &str, collation: &str) -> BTreeSet<Vec<char>> {
    let found = subject.asked("csv", &format!(
        "set @@group_concat_max_len = 1000000000; select cast(group_concat(cp order by cp) as char) as g from {table} group by c collate {collation} having count(*) > 1;"
    ));
    let lines =
        found.lines().map(|l| l.trim_matches('"')).filter(|l| l.starts_with(|c: char| c.is_ascii_digit()));
    let group = |line: &str| line.split(',').map(|n| char::from_u32(n.parse().unwrap()).unwrap()).collect();
    lines.map(group).collect()
}

#[track_caller]
fn same_groups(subject: &Subject, table: &str, collation: &str, of: &[char]) {
    let (ours, theirs) = (ours(collation, of), theirs(subject, table, collation));
    let only = |a: &BTreeSet<Vec<char>>, b: &BTreeSet<Vec<char>>| a.difference(b).next().cloned();
    assert!(
        !ours.is_empty() && ours == theirs,
        "{collation}: only ours {:?}, only theirs {:?}",
        only(&ours, &theirs),
        only(&theirs, &ours)
    );
}

/// Every character that any of the collations puts with another one, and its neighbours.
fn characters_of_interest() -> Vec<char> {
    let mut found = BTreeSet::new();
    for c in ('\0'..='\u{2ffff}').chain(('\u{30000}'..=char::MAX).step_by(4099)) {
        // Everything outside of the basic plane is one to general_ci and unicode_ci: a sample of it will do.
        let is_wide = u32::from(c) > 0xffff;
        let moved = |collation: &str| fold(collation, c) != c && (!is_wide || collation.contains("0900"));
        if UTF8.iter().any(|collation| moved(collation)) || (is_wide && u32::from(c).is_multiple_of(4099)) {
            let near = u32::from(c).saturating_sub(1)..=u32::from(c) + 1;
            found.extend(near.filter_map(char::from_u32));
            found.extend(UTF8.iter().map(|collation| fold(collation, c)));
        }
    }
    found.into_iter().collect()
}

#[test]
fn characters_are_equal_that_dolt_groups_together() {
    let of = characters_of_interest();
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        let narrow: Vec<char> = ('\u{1}'..='\u{7f}').collect();
        let latin: Vec<char> = ('\u{1}'..='\u{ff}').collect();
        subject.sql(
            "create table u (cp int primary key, c varchar(2)); create table l (cp int primary key, c varchar(2) character set latin1);
             create table a (cp int primary key, c varchar(2) character set ascii);",
        );
        insert(&subject, "u", &of);
        insert(&subject, "l", &latin);
        insert(&subject, "a", &narrow);
        for collation in UTF8 {
            same_groups(&subject, "u", collation, &of);
        }
        same_groups(&subject, "l", "latin1_swedish_ci", &latin);
        same_groups(&subject, "a", "ascii_general_ci", &narrow);
    }
}
