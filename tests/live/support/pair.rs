//! The same changes twice: by the real Dolt in SQL, and natively. Both databases have the same addresses afterwards.

use dolt_store::chunk::Disk;
use dolt_store::commit::Author;
use dolt_store::table::{RootEditor, Violation};
use dolt_store::{Error, Hash, Result};

use super::{Dolt, Subject, lock, unlock};

/// Two databases that are the same at first.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) theirs: Subject,
    pub(crate) ours: Subject,
}

impl Pair {
    /// Both made by the real Dolt with these statements.
    pub(crate) fn new(dolt: Dolt, sql: &str) -> Self {
        let (theirs, ours) = (Subject::new(dolt), Subject::new(dolt));
        theirs.sql(sql);
        ours.sql(sql);
        let pair = Self { theirs, ours };
        pair.same(sql);
        pair
    }

    /// Statements that Dolt takes, and what is the same natively.
    #[track_caller]
    pub(crate) fn both(&self, sql: &str, change: impl FnOnce(&mut RootEditor<'_>) -> Result<()>) {
        self.theirs.sql(sql);
        self.edit(change).unwrap_or_else(|e| panic!("{sql}: {e}"));
        self.same(sql);
    }

    /// A statement that Dolt refuses, and what is refused natively. Both leave everything as it was.
    #[track_caller]
    pub(crate) fn neither(
        &self,
        sql: &str,
        change: impl FnOnce(&mut RootEditor<'_>) -> Result<()>,
    ) -> (String, Violation) {
        let before = working(&self.ours);
        let told = self.theirs.dolt(&["sql", "-q", sql]).fails(1);
        let refused = self.edit(change).expect_err(sql);
        let Error::Violation { table, violation, .. } = refused else { panic!("{sql}: {refused}") };
        assert_eq!((working(&self.theirs), working(&self.ours)), (before, before), "{sql}: {told:?}");
        (table, *violation)
    }

    /// Changes our side.
    pub(crate) fn edit<T>(&self, change: impl FnOnce(&mut RootEditor<'_>) -> Result<T>) -> Result<T> {
        let mut locked = lock(&self.ours.dir(), &Disk::default());
        let mut transaction = locked.begin("main")?;
        let done = transaction.edit(change);
        transaction.commit_sql(&author(), "rows")?;
        unlock(locked, &self.ours.dir());
        done
    }

    /// Every table and the working root have the same address.
    #[track_caller]
    pub(crate) fn same(&self, what: &str) {
        let dolt = self.theirs.town.dolt;
        assert_eq!(tables(&self.ours), tables(&self.theirs), "{dolt:?}: {what}");
        assert_eq!(working(&self.ours), working(&self.theirs), "{dolt:?}: {what}");
    }

    /// Nothing is wrong with what we wrote, for `gt` and for Dolt.
    #[track_caller]
    pub(crate) fn is_sound(&self) {
        self.ours.is_clean();
        let said = self.ours.dolt(&["fsck"]).ok().out;
        assert!(said.contains("No problems found."), "{said}");
    }
}

fn author() -> Author {
    Author { name: "t".to_owned(), email: "t@example.com".to_owned(), millis: 1_767_323_045_000 }
}

fn working(subject: &Subject) -> Hash {
    subject.table_root("WORKING")
}

fn tables(subject: &Subject) -> Vec<(String, Hash)> {
    subject.open().session().unwrap().tables(working(subject)).unwrap().addresses().unwrap()
}
