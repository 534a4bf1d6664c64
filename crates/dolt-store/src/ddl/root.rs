//! The working root of a draft, with tables and foreign keys put in, taken out and renamed.

use std::collections::HashSet;

use super::message;
use super::tag::same;
use crate::commit::{Draft, Session};
use crate::prolly::Edit;
use crate::table::{ForeignKey, Schema, Table, TableMessage, Tables, foreign_key_message};
use crate::{Error, Hash, Result};

/// What every Dolt checked so far writes; one that is greater says things that would be lost.
const FEATURE_VERSION: i64 = 7;

/// The working root, and what is about to become of it.
#[derive(Debug)]
pub(super) struct Root<'d> {
    draft: &'d Session,
    tables: Tables,
    edits: Vec<Edit>,
    foreign_keys: Option<Vec<ForeignKey>>,
}

impl<'d> Root<'d> {
    /// The working root of a draft.
    pub(super) fn working(draft: &'d Draft) -> Result<Self> {
        let tables = draft.draft().tables(draft.working())?;
        let value = tables.root_value();
        if value.feature_version > FEATURE_VERSION {
            let what = format!("changing a root of feature version {}", value.feature_version);
            return Err(Error::NotSupported { what });
        }
        if !value.schemas.is_empty() {
            return Err(Error::NotSupported { what: "changing a root with schemas of its own".to_owned() });
        }
        Ok(Self { draft: draft.draft(), tables, edits: Vec::new(), foreign_keys: None })
    }

    pub(super) fn draft(&self) -> &'d Session {
        self.draft
    }

    /// The collation of the database.
    pub(super) fn collation(&self) -> u16 {
        self.tables.root_value().collation
    }

    /// The name under which a table is stored, asked without regard to case.
    pub(super) fn stored_name(&self, name: &str) -> Result<Option<String>> {
        let names = self.tables.names()?;
        let exact = names.iter().find(|n| *n == name);
        Ok(exact.or_else(|| names.iter().find(|n| same(n, name))).cloned())
    }

    /// A table that must be there.
    pub(super) fn table(&self, name: &str) -> Result<Table> {
        let missing = || Error::NoTable { name: name.to_owned() };
        let stored = self.stored_name(name)?.ok_or_else(missing)?;
        self.tables.open(&stored)?.ok_or_else(missing)
    }

    /// The schema of a table that is to be changed. One that says more than was understood is refused.
    pub(super) fn schema_of(&self, table: &Table) -> Result<Schema> {
        let stored = self.draft.snapshot().chunk(table.message()?.schema)?;
        let refused =
            |what: &str| Error::NotSupported { what: format!("changing table {}: {what}", table.name()) };
        for index in &table.schema().indexes {
            if let Some(kind) = index.unsupported {
                return Err(refused(&format!("{}, a {kind},", index.name)));
            }
        }
        if !message::same_again(&stored, table.schema()) {
            return Err(refused("a schema with parts that are not known"));
        }
        Ok(table.schema().clone())
    }

    /// The foreign keys, as they are by now.
    pub(super) fn foreign_keys(&self) -> Result<Vec<ForeignKey>> {
        if let Some(keys) = &self.foreign_keys {
            return Ok(keys.clone());
        }
        let keys = self.tables.foreign_keys()?;
        let at = self.tables.root_value().foreign_keys;
        if !at.is_none() && self.draft.snapshot().chunk(at)? != foreign_key_message(&keys) {
            return Err(Error::NotSupported {
                what: "changing foreign keys of a kind that is not known".to_owned(),
            });
        }
        Ok(keys)
    }

    pub(super) fn set_foreign_keys(&mut self, mut keys: Vec<ForeignKey>) {
        keys.sort_by(|a, b| a.name.cmp(&b.name));
        self.foreign_keys = Some(keys);
    }

    /// Writes a table and puts it under its name.
    pub(super) fn put(&mut self, name: &str, table: &TableMessage) -> Result<()> {
        let address = self.draft.snapshot().put(table.message())?;
        self.put_address(name, address);
        Ok(())
    }

    pub(super) fn put_address(&mut self, name: &str, address: Hash) {
        self.edits.push(Edit::put(name.as_bytes().to_vec(), address.as_bytes().to_vec()));
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.edits.push(Edit::delete(name.as_bytes().to_vec()));
    }

    /// All tags of a root's tables.
    pub(super) fn tags(&self) -> Result<HashSet<u64>> {
        tags_of(&self.tables)
    }

    /// Writes the root. Gives its address.
    pub(super) fn finish(self) -> Result<Hash> {
        self.tables.changed(self.edits, self.foreign_keys.as_deref())
    }
}

/// All tags of a root's tables.
pub(super) fn tags_of(tables: &Tables) -> Result<HashSet<u64>> {
    let mut found = HashSet::new();
    for (name, _) in tables.addresses()? {
        if let Some(table) = tables.open(&name)? {
            found.extend(table.schema().visible().map(|(_, column)| column.tag));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::Database;
    use crate::ddl::DdlOptions;
    use crate::message::RootValue;
    use crate::testing::fixture;

    fn refused(draft: &mut Draft, sql: &str) -> String {
        let before = draft.working();
        let problem = draft.run_ddl(sql, DdlOptions::default()).unwrap_err();
        assert!(matches!(problem, Error::NotSupported { .. }), "{problem:?}");
        assert_eq!(draft.working(), before);
        problem.to_string()
    }

    fn draft() -> Draft {
        let database = Database::open_read(&fixture("every-kind-2")).unwrap();
        database.session().unwrap().begin("main").unwrap()
    }

    #[test]
    fn a_root_that_a_newer_dolt_wrote_is_not_changed() {
        for (version, schemas) in [(8, vec![]), (7, vec!["public".to_owned()])] {
            let mut draft = draft();
            let session = draft.draft();
            let value = session.root_value(draft.working()).unwrap();
            let value = RootValue { feature_version: version, schemas, ..value };
            let root = session.snapshot().put(value.message()).unwrap();
            draft.set_working(root);
            for sql in
                ["create table t (id int primary key)", "drop table kinds", "create view v as select 1"]
            {
                let said = refused(&mut draft, sql);
                assert!(said.contains("changing a root"), "{said}");
            }
        }
    }

    #[test]
    fn a_schema_that_says_more_than_is_understood_is_not_changed() {
        let mut draft = draft();
        let mut root = Root::working(&draft).unwrap();
        let mut message = root.table("kinds").unwrap().message().unwrap();
        let snapshot = root.draft().snapshot();
        let bytes = snapshot.chunk(message.schema).unwrap();
        let schema = Schema::parse(&bytes).unwrap();
        assert!(message::same_again(&bytes, &schema), "what Dolt wrote is understood");
        // A byte that nothing is read from.
        let unread = |at: &usize| {
            let mut other = bytes.clone();
            other[*at] ^= 1;
            Schema::parse(&other).is_ok_and(|read| read == schema)
        };
        let at = (0..bytes.len()).find(unread).expect("a byte that is not read");
        let mut other = bytes.clone();
        other[at] ^= 1;
        message.schema = snapshot.put(other).unwrap();
        root.put("kinds", &message).unwrap();
        let changed = root.finish().unwrap();
        draft.set_working(changed);
        for sql in ["alter table kinds add column n int", "create index i on kinds (id)"] {
            let said = refused(&mut draft, sql);
            assert!(said.contains("changing table kinds"), "{said}");
        }
    }
}
