//! A database under its lock: the names of the store move together, or not at all.

use std::path::Path;

use super::database::{head_branch, head_in, state_file};
use super::transaction::head_ref;
use super::{Database, Session};
use crate::chunk::{Disk, ReadOptions, Records, Snapshot, Writer};
use crate::message::StoreRoot;
use crate::prolly::{Edit, Shape, edit};
use crate::verify::references;
use crate::{Error, Hash, Result};

/// A database that nobody else can write while this is held. Hold it shortly: a server that is started meanwhile waits for a
/// tenth of a second, and then gives up.
#[derive(Debug)]
pub struct Locked {
    writer: Writer,
}

/// A name that is to move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefChange {
    /// Its full name, as [`crate::commit::Ref::full_name`].
    pub name: String,
    /// Where it must point now; `None`: it must not be there.
    pub from: Option<Hash>,
    /// Where it is to point; `None`: it is to go.
    pub to: Option<Hash>,
}

impl Database {
    /// Takes the lock on the database in this directory. One attempt: `Ok(None)` means that somebody else holds it.
    pub fn try_lock(path: &Path, options: ReadOptions) -> Result<Option<Locked>> {
        Self::try_lock_on(path, options, Disk::default())
    }

    /// The same for this database, without opening it a second time.
    pub fn try_lock_opened(&self) -> Result<Option<Locked>> {
        Ok(Writer::try_on(self.shared_store())?.map(|writer| Locked { writer }))
    }

    /// For tests: the same with a disk that stops.
    #[doc(hidden)]
    pub fn try_lock_on(path: &Path, options: ReadOptions, disk: Disk) -> Result<Option<Locked>> {
        let writer = Writer::try_open(path, options, disk)?;
        Ok(writer.map(|writer| Locked { writer }))
    }
}

impl Locked {
    /// The newest state, as a draft: what is made of it becomes real with [`Locked::update`].
    pub fn session(&self) -> Result<Session> {
        let snapshot = self.writer.snapshot()?.draft();
        Session::at(snapshot, head_branch(self.dolt_dir()))
    }

    fn dolt_dir(&self) -> &Path {
        let noms = self.writer.noms();
        noms.parent().unwrap_or(noms)
    }

    /// Puts the directory on a branch. Whatever else its file says stays as it is.
    pub(super) fn set_head(&self, branch: &str) -> Result<()> {
        let path = state_file(self.dolt_dir());
        let read = |source| Error::Io { path: path.clone(), source };
        let mut text = std::fs::read_to_string(&path).map_err(read)?;
        let damaged =
            || Error::Damaged { path: path.clone(), offset: 0, problem: "it names no head".to_owned() };
        text.replace_range(head_in(&text).ok_or_else(damaged)?, &head_ref(branch));
        self.writer.write_beside(&path, text.as_bytes())
    }

    /// Does what was prepared, if the store is still as it was then: nobody has written meanwhile, and no collection has
    /// removed what the change takes for there. Otherwise [`Error::Moved`], and nothing is done. When this returns it is on
    /// the disk.
    pub fn apply(&mut self, prepared: Prepared) -> Result<()> {
        let Prepared { on, records } = prepared;
        let now = self.writer.snapshot()?;
        if now.root() != on.root() || !now.has_same_files(&on) {
            return Err(Error::Moved { name: "the store's root".to_owned() });
        }
        records.map_or(Ok(()), |records| self.writer.append(&records))
    }

    /// Moves names, all or none; see [`Prepared::new`].
    pub fn update(&mut self, draft: &Session, changes: &[RefChange], seconds: u64) -> Result<()> {
        let prepared = Prepared::new(draft, changes, seconds)?;
        self.apply(prepared)
    }
}

/// A change of names with everything that it needs, ready to be appended.
#[derive(Debug)]
pub struct Prepared {
    // The state that it starts from.
    on: Snapshot,
    // None: nothing changes.
    records: Option<Records>,
}

impl Prepared {
    /// Moves names, all or none, from the state that `draft` was taken from; whatever the draft's new values need comes with
    /// them. `seconds` since 1970. A name that is not where its change says: [`Error::Moved`].
    pub fn new(draft: &Session, changes: &[RefChange], seconds: u64) -> Result<Self> {
        let snapshot = draft.snapshot();
        let root = root_with(draft, changes)?;
        let on = snapshot.clone();
        if root == snapshot.root() {
            return Ok(Self { on, records: None });
        }
        let chunks = snapshot.drafted_from(root, references)?;
        Ok(Self { on, records: Some(Records::new(&chunks, root, seconds)?) })
    }
}

/// The store's root in which names have moved.
pub(super) fn root_with(draft: &Session, changes: &[RefChange]) -> Result<Hash> {
    let snapshot = draft.snapshot();
    let mut edits = Vec::new();
    for RefChange { name, from, to } in changes {
        if draft.resolve_exact(name)? != *from {
            return Err(Error::Moved { name: name.clone() });
        }
        let key = name.as_bytes().to_vec();
        edits.push(match to {
            Some(hash) => Edit::put(key, hash.as_bytes().to_vec()),
            None => Edit::delete(key),
        });
    }
    edits.sort_by(|a, b| a.key.cmp(&b.key));
    let refs = edit(draft.refs(), Shape::ADDRESSES, snapshot, edits)?;
    snapshot.put(StoreRoot::message(&snapshot.chunk(refs)?))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::commit::{Author, CommitMeta};

    fn author() -> Author {
        Author { name: "t".to_owned(), email: "t@example.com".to_owned(), millis: 0 }
    }

    // Moves the branch on, by a commit of this name.
    fn commit(locked: &mut Locked, message: &str) -> Hash {
        locked.begin("main").unwrap().commit_sql(&author(), message).unwrap();
        locked.session().unwrap().snapshot().root()
    }

    fn lock(dir: &Path) -> Locked {
        Database::try_lock(dir, ReadOptions::default()).unwrap().unwrap()
    }

    #[test]
    fn a_database_that_was_opened_before_it_was_locked_has_what_was_written_in_between() {
        let dir = tempfile::tempdir().unwrap();
        Database::init(dir.path(), "main", &CommitMeta::first(author())).unwrap();
        let opened = Database::open_read(dir.path()).unwrap();
        let between = commit(&mut lock(dir.path()), "in between");
        let mut locked = opened.try_lock_opened().unwrap().unwrap();
        assert_eq!(locked.session().unwrap().snapshot().root(), between);
        assert!(opened.try_lock_opened().unwrap().is_none(), "it is held");
        let newest = commit(&mut locked, "under the lock");
        let anew = Database::open_read(dir.path()).unwrap().session().unwrap();
        assert_eq!(anew.snapshot().root(), newest);
    }

    #[test]
    fn a_journal_that_is_another_one_when_the_lock_is_taken_is_opened_anew_and_nothing_of_it_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        Database::init(dir.path(), "main", &CommitMeta::first(author())).unwrap();
        let path = dir.path().join(".dolt/noms").join(crate::chunk::JOURNAL);
        let first = fs::read(&path).unwrap();
        commit(&mut lock(dir.path()), "a");
        commit(&mut lock(dir.path()), "b");
        let known = fs::read(&path).unwrap();
        fs::write(&path, &first).unwrap();
        for n in 0..9 {
            commit(&mut lock(dir.path()), &format!("of another history, {n}"));
        }
        let longer = fs::read(&path).unwrap();
        assert!(first.len() < known.len() && known.len() < longer.len());
        for (is_in_place, other) in [(true, &first), (true, &longer), (false, &first), (false, &longer)] {
            fs::write(&path, &known).unwrap();
            let opened = Database::open_read(dir.path()).unwrap();
            opened.session().unwrap();
            if is_in_place {
                fs::write(&path, other).unwrap();
            } else {
                let beside = path.with_extension("other");
                fs::write(&beside, other).unwrap();
                fs::rename(&beside, &path).unwrap();
            }
            let newest = commit(&mut opened.try_lock_opened().unwrap().unwrap(), "behind it");
            assert!(fs::read(&path).unwrap().starts_with(other), "in place {is_in_place}");
            let anew = Database::open_read(dir.path()).unwrap().session().unwrap();
            assert_eq!(anew.snapshot().root(), newest, "in place {is_in_place}");
        }
    }

    #[test]
    fn records_that_were_read_without_their_root_may_be_others_when_the_lock_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        Database::init(dir.path(), "main", &CommitMeta::first(author())).unwrap();
        let path = dir.path().join(".dolt/noms").join(crate::chunk::JOURNAL);
        let first = fs::read(&path).unwrap();
        for n in 0..3 {
            commit(&mut lock(dir.path()), &format!("of somebody else, {n}"));
        }
        let others = fs::read(&path).unwrap();
        // Somebody's disk is full in the middle of a write, and he takes it back.
        for (size, times) in [(1_u8, 1), (40, 2), (200, 9)] {
            let chunk = crate::chunk::chunk_record(Hash::of(&[size; 99]), &[size; 99]).unwrap();
            let torn = [first.clone(), chunk.repeat(times)].concat();
            fs::write(&path, &torn).unwrap();
            let opened = Database::open_read(dir.path()).unwrap();
            let before = opened.session().unwrap().snapshot().root();
            fs::write(&path, &others).unwrap();
            assert_ne!(opened.session().unwrap().snapshot().root(), before, "what came instead is seen");
            let newest = commit(&mut opened.try_lock_opened().unwrap().unwrap(), "behind it");
            assert!(fs::read(&path).unwrap().starts_with(&others), "nothing is cut off");
            let anew = Database::open_read(dir.path()).unwrap().session().unwrap();
            assert_eq!(anew.snapshot().root(), newest);
        }
    }

    #[test]
    fn a_chunk_that_somebody_has_written_without_a_root_and_takes_back_is_written_anyway() {
        let dir = tempfile::tempdir().unwrap();
        Database::init(dir.path(), "main", &CommitMeta::first(author())).unwrap();
        let path = dir.path().join(".dolt/noms").join(crate::chunk::JOURNAL);
        let first = fs::read(&path).unwrap();
        let newest = commit(&mut lock(dir.path()), "the same");
        let others = fs::read(&path).unwrap();
        let without_root = &others[..others.len() - 40];
        assert!(without_root.len() > first.len());
        fs::write(&path, without_root).unwrap();
        // What is prepared are the very chunks that stand there.
        let opened = Database::open_read(dir.path()).unwrap();
        let session = opened.session().unwrap();
        let prepared = session.begin("main").unwrap().prepare_sql(&author(), "the same").unwrap();
        fs::write(&path, &first).unwrap();
        opened.try_lock_opened().unwrap().unwrap().apply(prepared).unwrap();
        let anew = Database::open_read(dir.path()).unwrap().session().unwrap();
        assert_eq!(anew.snapshot().root(), newest);
        assert!(
            anew.resolve_commit("main").unwrap().is_some() && anew.working_set("main").unwrap().is_some()
        );
    }

    #[test]
    fn a_journal_that_has_lost_something_since_it_was_opened_is_not_written_behind() {
        let dir = tempfile::tempdir().unwrap();
        Database::init(dir.path(), "main", &CommitMeta::first(author())).unwrap();
        let path = dir.path().join(".dolt/noms").join(crate::chunk::JOURNAL);
        let opened = Database::open_read(dir.path()).unwrap();
        let end = fs::read(&path).unwrap().len();
        commit(&mut lock(dir.path()), "a");
        commit(&mut lock(dir.path()), "b");
        let mut bytes = fs::read(&path).unwrap();
        bytes[end + 30] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let refused = opened.try_lock_opened().unwrap_err();
        assert!(matches!(refused, Error::DataLoss { .. }), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}
