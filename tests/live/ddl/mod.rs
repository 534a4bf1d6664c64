//! What we make of SQL that defines something is what the real Dolt makes of it, to the last bit: the address of the working
//! root is the same after every statement, in a database of Dolt 1.88.1 and in one of Dolt 2.2.0.

mod bd;
mod changes;
mod random;
mod refused;
mod tables;

use dolt_store::chunk::Disk;
use dolt_store::commit::{Author, Transaction};
use dolt_store::ddl::DdlOptions;
use dolt_store::{Hash, Result};

use crate::support::{Dolt, Subject, lock, unlock};

/// Two databases that begin alike: Dolt changes the one, we the other.
struct Both {
    ours: Subject,
    theirs: Subject,
    options: DdlOptions,
}

impl Both {
    fn new(dolt: Dolt) -> Self {
        Self { ours: Subject::new(dolt), theirs: Subject::new(dolt), options: dolt.ddl_options() }
    }

    /// Runs a statement in both and compares.
    #[track_caller]
    fn run(&self, sql: &str) {
        let checks = u8::from(self.options.foreign_key_checks);
        self.theirs.sql(&format!("set foreign_key_checks = {checks};\n{sql}"));
        let done = self.natively(|tx| tx.run_ddl(sql, self.options));
        done.unwrap_or_else(|e| panic!("{:?}: {e}: {sql}", self.theirs.town.dolt));
        self.same(sql);
    }

    #[track_caller]
    fn run_all(&self, statements: &[&str]) {
        for sql in statements {
            self.run(sql);
        }
    }

    /// Changes ours. When it fails, nothing is written.
    fn natively<T>(&self, change: impl FnOnce(&mut Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut locked = lock(&self.ours.dir(), &Disk::default());
        let mut transaction = locked.begin("main").unwrap();
        let before = transaction.working();
        let given = change(&mut transaction);
        if given.is_ok() {
            let by =
                Author { name: "t".to_owned(), email: "t@example.com".to_owned(), millis: 1_767_323_045_000 };
            transaction.commit_sql(&by, "ddl").unwrap();
        } else {
            assert_eq!(transaction.working(), before, "what fails changes nothing");
            drop(transaction);
        }
        unlock(locked, &self.ours.dir());
        given
    }

    /// Runs SQL in both with Dolt.
    #[track_caller]
    fn with_dolt(&self, sql: &str) {
        self.ours.sql(sql);
        self.theirs.sql(sql);
        self.same(sql);
    }

    /// Commits everything in both with Dolt. The commits are not the same: Dolt takes the time from the clock.
    fn commit(&self) {
        self.ours.commit("all");
        self.theirs.commit("all");
    }

    /// Both are in the same state; or the first difference is shown.
    #[track_caller]
    fn same(&self, what: &str) {
        let (ours, theirs) = (state(&self.ours), state(&self.theirs));
        if ours == theirs {
            return;
        }
        let dolt = self.theirs.town.dolt;
        for (name, address) in &theirs.1 {
            let own = ours.1.iter().find(|(n, _)| n == name);
            let own = own.unwrap_or_else(|| panic!("{dolt:?}: {name} is missing: {what}"));
            if own.1 != *address {
                let (ours, theirs) = (self.ours.table(name), self.theirs.table(name));
                assert_eq!(ours.schema(), theirs.schema(), "{dolt:?}: {name}: {what}");
                assert_eq!(ours.auto_increment(), theirs.auto_increment(), "{dolt:?}: {name}: {what}");
                panic!("{dolt:?}: {name} differs in what its schema does not say: {what}");
            }
        }
        let keys = |subject: &Subject| {
            let session = subject.open().session().unwrap();
            let root = session.resolve_root("WORKING").unwrap().unwrap();
            session.tables(root).unwrap().foreign_keys().unwrap()
        };
        assert_eq!(keys(&self.ours), keys(&self.theirs), "{dolt:?}: {what}");
        assert_eq!(ours, theirs, "{dolt:?}: {what}");
    }

    /// Both Dolts find nothing wrong with ours, and neither do we.
    #[track_caller]
    fn is_whole(&self) {
        for dolt in [Dolt::V1, Dolt::V2] {
            let said = self.ours.another_dolt(dolt, &["fsck"]).ok();
            assert!(said.out.contains("No problems found."), "{said:?}");
        }
        self.ours.gt(&["verify"]).ok();
    }
}

// The working root, and each table's address.
fn state(subject: &Subject) -> (Hash, Vec<(String, Hash)>) {
    let session = subject.open().session().unwrap();
    let root = session.resolve_root("WORKING").unwrap().unwrap();
    (root, session.tables(root).unwrap().addresses().unwrap())
}

fn each_dolt(does: impl Fn(&Both)) {
    for dolt in [Dolt::V1, Dolt::V2] {
        does(&Both::new(dolt));
    }
}
