//! What `dolt add -A` stages: the working state without the new tables that `dolt_ignore` names (Dolt
//! `go/libraries/doltcore/doltdb/ignore.go`).

use super::Transaction;
use crate::message::{Node, NodeKind, RootValue};
use crate::prolly::{Edit, Shape, edit};
use crate::table::{Tables, Value};
use crate::{Error, Result};

impl Transaction<'_> {
    /// Stages the working state. Gives the names of the tables that stay out because they are ignored: new ones only, what
    /// is committed already is never ignored.
    pub fn stage_all(&mut self) -> Result<Vec<String>> {
        let draft = self.draft();
        let working = draft.tables(self.working())?;
        let committed = draft.tables(draft.commit(self.head())?.root_value)?;
        let patterns = patterns(&working)?;
        let mut ignored = Vec::new();
        for name in working.names()? {
            if committed.address(&name)?.is_none() && is_ignored(&patterns, &name)? {
                ignored.push(name);
            }
        }
        let root = if ignored.is_empty() { self.working() } else { self.without(&working, &ignored)? };
        self.set_staged(root);
        Ok(ignored)
    }

    fn without(&self, working: &Tables, ignored: &[String]) -> Result<crate::Hash> {
        let is_out = |table: &String| ignored.contains(table);
        let between =
            working.foreign_keys()?.into_iter().find(|f| is_out(&f.child_table) || is_out(&f.parent_table));
        if let Some(key) = between {
            let what =
                format!("staging while the ignored table {} has foreign key {}", key.child_table, key.name);
            return Err(Error::NotSupported { what });
        }
        let snapshot = self.draft().snapshot();
        let edits = ignored.iter().map(|name| Edit::delete(name.as_bytes().to_vec())).collect();
        let map = edit(working.map(), Shape::ADDRESSES, snapshot, edits)?;
        let node = Node::parse(NodeKind::Addresses, snapshot.chunk(map)?)
            .map_err(|problem| Error::BadChunk { hash: map, problem })?;
        snapshot.put(RootValue { tables: node, ..working.root_value().clone() }.message())
    }
}

// Pattern and whether what matches it is ignored.
fn patterns(tables: &Tables) -> Result<Vec<(String, bool)>> {
    let Some(table) = tables.open("dolt_ignore")? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for row in table.rows()? {
        let row = row?;
        match row.values.as_slice() {
            [Value::Text(pattern), Value::Int(ignored), ..] => found.push((pattern.clone(), *ignored != 0)),
            _ => return Err(Error::NotSupported { what: "a dolt_ignore table of another form".to_owned() }),
        }
    }
    Ok(found)
}

// Of the patterns that match, a more specific one counts more: one that another pattern matches as if it were a name.
fn is_ignored(patterns: &[(String, bool)], name: &str) -> Result<bool> {
    let matching: Vec<_> = patterns.iter().filter(|(pattern, _)| matches(pattern, name)).collect();
    let is_outdone = |(general, says): &(String, bool)| {
        matching
            .iter()
            .any(|(special, other)| other != says && general != special && matches(general, special))
    };
    let mut decisive = matching.iter().filter(|p| !is_outdone(p)).map(|(_, ignored)| *ignored);
    let Some(first) = decisive.next() else { return Ok(false) };
    if decisive.any(|ignored| ignored != first) {
        return Err(Error::NotSupported {
            what: format!("patterns of dolt_ignore that contradict each other for {name}"),
        });
    }
    Ok(first)
}

// `*` and `%` stand for any characters, `?` for one. Case counts.
fn matches(pattern: &str, name: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => name.is_empty(),
        Some('*' | '%') => {
            let rest = rest.as_str();
            name.char_indices()
                .map(|(at, _)| at)
                .chain([name.len()])
                .any(|at| matches(rest, name.get(at..).unwrap_or("")))
        }
        Some(wanted) => {
            let mut left = name.chars();
            left.next().is_some_and(|c| c == wanted || wanted == '?') && matches(rest.as_str(), left.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_specific_pattern_decides() {
        let patterns = [("wisp_%", true), ("wisp_keep", false), ("tmp?", true), ("*", false)]
            .map(|(p, i)| (p.to_owned(), i));
        let of = |name| is_ignored(&patterns, name).unwrap();
        assert!(of("wisp_a") && of("wisp_") && of("tmp1"));
        assert!(!of("wisp_keep") && !of("wisps") && !of("tmp12") && !of("issues"));
        let torn = [("a%".to_owned(), true), ("%b".to_owned(), false)];
        assert!(is_ignored(&torn, "ab").is_err() && is_ignored(&torn, "ac").unwrap());
    }
}
