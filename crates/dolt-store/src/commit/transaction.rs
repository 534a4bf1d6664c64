//! A transaction on one branch: the working and the staged state change, and both refs of the branch move together (Dolt
//! `go/store/datas/database_common.go`, `CommitWithWorkingSet`).

use std::ops::{Deref, DerefMut};

use super::create::FEATURE_VERSION;
use super::{Locked, Prepared, RefChange, Reset, Session, closure};
use crate::message::{Commit, WorkingSet};
use crate::table::RootEditor;
use crate::{Error, Hash, Result};

/// Who does something, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The name; not empty.
    pub name: String,
    /// The e-mail address; not empty.
    pub email: String,
    /// Milliseconds since 1970.
    pub millis: u64,
}

/// What a commit says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitMeta {
    /// Who wrote it and when.
    pub author: Author,
    /// Who committed it and when; usually the same.
    pub committer: Author,
    /// The message; not empty.
    pub message: String,
}

impl CommitMeta {
    /// The first commit of a database, with the words of `dolt init`.
    pub fn first(author: Author) -> Self {
        Self::by(author, "Initialize data repository")
    }

    /// A commit by its author.
    pub fn by(author: Author, message: impl Into<String>) -> Self {
        Self { committer: author.clone(), author, message: message.into() }
    }
}

/// Changes to one branch that nobody sees. They can be made without the lock, which is then held only as long as
/// [`Locked::apply`] takes.
#[derive(Debug)]
pub struct Draft {
    session: Session,
    branch: String,
    // Where the branch is, and where it is to be.
    head_at: Hash,
    head: Hash,
    set: WorkingSet,
    set_at: Option<Hash>,
}

/// The same under the lock, so that nobody comes in between.
#[derive(Debug)]
pub struct Transaction<'d> {
    locked: &'d mut Locked,
    draft: Draft,
}

impl Session {
    /// Begins changes to a branch, from this state.
    pub fn begin(&self, branch: &str) -> Result<Draft> {
        Draft::on(Self::at(self.snapshot().draft(), self.head().to_owned())?, branch)
    }
}

impl Locked {
    /// Begins a transaction on a branch.
    pub fn begin(&mut self, branch: &str) -> Result<Transaction<'_>> {
        let draft = self.session()?.begin(branch)?;
        Ok(Transaction { locked: self, draft })
    }
}

impl Draft {
    /// On a state to which chunks can be added.
    pub(super) fn on(session: Session, branch: &str) -> Result<Self> {
        let head = session.resolve_exact(&head_ref(branch))?;
        let head = head.ok_or_else(|| Error::NoBranch { name: branch.to_owned() })?;
        let set_at = session.resolve_exact(&set_ref(branch))?;
        let root = session.commit(head)?.root_value;
        let set = match session.working_set(branch)? {
            Some(set) => set,
            None => WorkingSet::clean(root),
        };
        for root in [root, set.working, set.staged] {
            let version = session.root_value(root)?.feature_version;
            if version > FEATURE_VERSION {
                let what = format!("writing branch {branch}: its root {root} of feature version {version}");
                return Err(Error::NotSupported { what });
            }
        }
        Ok(Self { session, branch: branch.to_owned(), head_at: head, head, set, set_at })
    }
}

impl Deref for Transaction<'_> {
    type Target = Draft;

    fn deref(&self) -> &Draft {
        &self.draft
    }
}

impl DerefMut for Transaction<'_> {
    fn deref_mut(&mut self) -> &mut Draft {
        &mut self.draft
    }
}

impl Transaction<'_> {
    /// [`Draft::prepare_sql`], done.
    pub fn commit_sql(self, by: &Author, why: &str) -> Result<()> {
        self.locked.apply(self.draft.prepare_sql(by, why)?)
    }

    /// [`Draft::prepare_commit`], done. Gives the commit's address.
    pub fn commit(self, meta: &CommitMeta, allow_empty: bool) -> Result<Option<Hash>> {
        let Some((hash, prepared)) = self.draft.prepare_commit(meta, allow_empty)? else { return Ok(None) };
        self.locked.apply(prepared)?;
        Ok(Some(hash))
    }

    /// [`Draft::prepare_reset`], done.
    pub fn reset(self, to: Hash, how: Reset, by: &Author) -> Result<()> {
        self.locked.apply(self.draft.prepare_reset(to, how, by)?)
    }
}

impl Draft {
    /// The state that is being made. Chunks can be added to its snapshot.
    pub fn draft(&self) -> &Session {
        &self.session
    }

    /// The commit that the branch is at.
    pub fn head(&self) -> Hash {
        self.head
    }

    /// The working root.
    pub fn working(&self) -> Hash {
        self.set.working
    }

    /// The staged root.
    pub fn staged(&self) -> Hash {
        self.set.staged
    }

    /// Sets the working root.
    pub fn set_working(&mut self, root: Hash) {
        self.set.working = root;
    }

    /// Sets the staged root: what the next commit holds.
    pub fn set_staged(&mut self, root: Hash) {
        self.set.staged = root;
    }

    /// Changes rows of the tables of the working root. When `change` fails, nothing has changed.
    pub fn edit<T>(&mut self, change: impl FnOnce(&mut RootEditor<'_>) -> Result<T>) -> Result<T> {
        let mut editor = RootEditor::new(&self.session, &self.branch, self.set.working)?;
        let given = change(&mut editor)?;
        self.set.working = editor.finish()?;
        Ok(given)
    }

    /// The working and staged roots become those of the branch, without a Dolt commit: what SQL's COMMIT does. A merge or a
    /// rebase under way goes on. What was committed on the way ([`Draft::add_commit`]) becomes real with it.
    pub fn prepare_sql(self, by: &Author, why: &str) -> Result<Prepared> {
        let changes = self.ref_changes(by, why)?;
        Prepared::new(&self.session, &changes, by.millis / 1000)
    }

    /// A commit of the staged root, which ends a merge under way. The working root stays as it was set: tables that are
    /// ignored live there only. Gives the commit's address too; `None`: nothing is staged, and an empty commit was not
    /// asked for.
    pub fn prepare_commit(
        mut self,
        meta: &CommitMeta,
        allow_empty: bool,
    ) -> Result<Option<(Hash, Prepared)>> {
        if self.add_commit(meta, allow_empty)?.is_none() && self.head == self.head_at {
            return Ok(None);
        }
        let head = self.head;
        Ok(Some((head, self.prepare_sql(&meta.committer, "commit")?)))
    }

    /// The same in this draft only: further changes and commits go on top of it, and all of them become real together, with
    /// the one write that is prepared at last. Gives the commit's address; `None`: there was nothing to commit.
    pub fn add_commit(&mut self, meta: &CommitMeta, allow_empty: bool) -> Result<Option<Hash>> {
        let parent = self.session.commit(self.head)?;
        let merged_in = self.merged_in()?;
        let is_ended = self.set.merge.is_some();
        if parent.root_value == self.set.staged && !allow_empty && !is_ended {
            return Ok(None);
        }
        self.check_foreign_keys()?;
        let mut parents = vec![(self.head, parent)];
        if let Some(other) = merged_in {
            parents.push((other, self.session.commit(other)?));
        }
        let snapshot = self.session.snapshot();
        let closure = closure::of_parents(snapshot, &parents)?;
        let height = parents.iter().map(|(_, commit)| commit.height).max().unwrap_or(0).saturating_add(1);
        let parents = parents.into_iter().map(|(hash, _)| hash).collect();
        let commit = Commit::new(self.set.staged, height, parents, closure, meta)?;
        self.head = snapshot.put(commit.message())?;
        self.set.merge = None;
        Ok(Some(self.head))
    }

    /// The branch moves to a commit, with the working and staged roots as they are here. Nothing is under way then.
    pub(super) fn prepare_move(mut self, to: Hash, by: &Author, why: &str) -> Result<Prepared> {
        (self.set.merge, self.set.rebase) = (None, None);
        self.head = to;
        self.prepare_sql(by, why)
    }

    pub(super) fn branch(&self) -> &str {
        &self.branch
    }

    pub(super) fn set(&self) -> &WorkingSet {
        &self.set
    }

    /// What of the store's names has to move.
    pub(super) fn ref_changes(&self, by: &Author, why: &str) -> Result<Vec<RefChange>> {
        let set = self.set_change(by, why)?;
        let (from, to) = (Some(self.head_at), Some(self.head));
        let head = (from != to).then(|| RefChange { name: head_ref(&self.branch), from, to });
        Ok(head.into_iter().chain([set]).collect())
    }

    fn set_change(&self, by: &Author, why: &str) -> Result<RefChange> {
        let set = WorkingSet {
            name: Some(by.name.clone()),
            email: Some(by.email.clone()),
            description: Some(why.to_owned()),
            seconds: by.millis / 1000,
            ..self.set.clone()
        };
        let to = Some(self.session.snapshot().put(set.message())?);
        Ok(RefChange { name: set_ref(&self.branch), from: self.set_at, to })
    }
}

impl Commit {
    pub(super) fn new(
        root_value: Hash,
        height: u64,
        parents: Vec<Hash>,
        closure: Hash,
        meta: &CommitMeta,
    ) -> Result<Self> {
        for (what, text) in [
            ("an author's name", &meta.author.name),
            ("an author's e-mail address", &meta.author.email),
            ("a message", &meta.message),
        ] {
            if text.is_empty() {
                return Err(Error::Missing { what });
            }
        }
        let other = |mine: &str, authors: &str| (mine != authors).then(|| mine.to_owned());
        Ok(Self {
            root_value,
            height,
            parents,
            closure,
            name: meta.author.name.clone(),
            email: meta.author.email.clone(),
            description: meta.message.clone(),
            author_millis: i64::try_from(meta.author.millis).unwrap_or(i64::MAX),
            committer_millis: meta.committer.millis,
            signature: String::new(),
            committer_name: other(&meta.committer.name, &meta.author.name),
            committer_email: other(&meta.committer.email, &meta.author.email),
        })
    }
}

/// The full name of a branch.
pub(super) fn head_ref(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

/// The full name of a branch's working set.
pub(super) fn set_ref(branch: &str) -> String {
    format!("workingSets/heads/{branch}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::ReadOptions;
    use crate::commit::Database;
    use crate::message::RootValue;

    #[test]
    fn a_root_of_a_newer_feature_version_is_not_written() {
        let author = Author { name: "t".to_owned(), email: "t@example.com".to_owned(), millis: 0 };
        for (version, is_known) in [(FEATURE_VERSION, true), (FEATURE_VERSION + 1, false)] {
            let dir = tempfile::tempdir().unwrap();
            Database::init(dir.path(), "main", &CommitMeta::first(author.clone())).unwrap();
            let mut locked = Database::try_lock(dir.path(), ReadOptions::default()).unwrap().unwrap();
            let mut tx = locked.begin("main").unwrap();
            let known = tx.draft().root_value(tx.working()).unwrap();
            let root = RootValue { feature_version: version, ..known };
            let root = tx.draft().snapshot().put(root.message()).unwrap();
            tx.set_working(root);
            tx.commit_sql(&author, "as a newer Dolt would").unwrap();
            let begun = locked.begin("main");
            assert_eq!(begun.is_ok(), is_known);
            if let Err(refused) = begun {
                let said = refused.to_string();
                assert!(said.contains("branch main") && said.contains("feature version 8"), "{said}");
            }
        }
    }

    #[test]
    fn what_refers_to_a_chunk_that_is_not_there_is_not_written() {
        let author = Author { name: "t".to_owned(), email: "t@example.com".to_owned(), millis: 0 };
        let dir = tempfile::tempdir().unwrap();
        Database::init(dir.path(), "main", &CommitMeta::first(author.clone())).unwrap();
        let mut locked = Database::try_lock(dir.path(), ReadOptions::default()).unwrap().unwrap();
        let before = locked.session().unwrap().snapshot().root();
        let nowhere = Hash::of(b"no chunk");
        let mut tx = locked.begin("main").unwrap();
        tx.set_working(nowhere);
        let refused = tx.commit_sql(&author, "x").unwrap_err();
        assert!(matches!(refused, Error::Dangling { hash } if hash == nowhere), "{refused}");
        assert_eq!(locked.session().unwrap().snapshot().root(), before);
        locked.begin("main").unwrap().commit_sql(&author, "a refusal poisons nothing").unwrap();
    }
}
