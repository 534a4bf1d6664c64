//! What `dolt add -A` stages: the working state without the new tables that `dolt_ignore` names.

use super::Transaction;
use crate::message::{Node, NodeKind, RootValue};
use crate::prolly::{Edit, Shape, edit};
use crate::table::{Ignored, Tables};
use crate::{Error, Result};

impl Transaction<'_> {
    /// Stages the working state. Gives the names of the tables that stay out because they are ignored: new ones only, what
    /// is committed already is never ignored.
    pub fn stage_all(&mut self) -> Result<Vec<String>> {
        let draft = self.draft();
        let working = draft.tables(self.working())?;
        let committed = draft.tables(draft.commit(self.head())?.root_value)?;
        let patterns = working.ignore_patterns()?;
        let mut ignored = Vec::new();
        for name in working.names()? {
            if committed.address(&name)?.is_some() {
                continue;
            }
            match patterns.of(&name) {
                Ignored::No => {}
                Ignored::Yes => ignored.push(name),
                Ignored::Contradicted => {
                    let what = format!("patterns of dolt_ignore that contradict each other for {name}");
                    return Err(Error::NotSupported { what });
                }
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
