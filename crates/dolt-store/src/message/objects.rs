//! Messages that are not tree nodes: the store's root, commits, root values, working sets, tags, stashes.
//!
//! Slots from Dolt `go/serial/{storeroot,commit,rootvalue,workingset,tag,stash}.fbs`, checked against what Dolt 1.88.1 and
//! 2.2.0 write.

use super::nodes::{Node, NodeKind};
use super::reader::{Message, Problem, Table};
use crate::Hash;

/// The store's root: names to addresses.
#[derive(Debug, Clone)]
pub(crate) struct StoreRoot {
    /// The top node of the map of refs.
    pub(crate) refs: Node,
}

impl StoreRoot {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let table = Message::parse(bytes, *b"STRT")?.root(1)?;
        let refs = Node::parse(NodeKind::Addresses, table.bytes(0)?.to_vec())?;
        Ok(Self { refs })
    }
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The tables at this commit.
    pub root_value: Hash,
    /// 1 + the greatest height of its parents; 1 for the first.
    pub height: u64,
    /// Its parents, the first one first.
    pub parents: Vec<Hash>,
    /// The tree of all proper ancestors; none for the first commit.
    pub closure: Hash,
    /// Author's name.
    pub name: String,
    /// Author's e-mail address.
    pub email: String,
    /// The message.
    pub description: String,
    /// When the author wrote it, milliseconds since 1970.
    pub author_millis: i64,
    /// When it was committed, milliseconds since 1970.
    pub committer_millis: u64,
    /// A signature, usually empty.
    pub signature: String,
    /// Committer's name, if it is not the author's.
    pub committer_name: Option<String>,
    /// Committer's e-mail address, if it is not the author's.
    pub committer_email: Option<String>,
}

impl Commit {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let table = Message::parse(bytes, *b"DCMT")?.root(12)?;
        let text = |slot| table.string(slot).map(Option::unwrap_or_default);
        Ok(Self {
            root_value: table.hash(0)?,
            height: table.u64(1)?,
            parents: table.hashes(2)?,
            closure: table.hash(3)?,
            name: text(4)?,
            email: text(5)?,
            description: text(6)?,
            committer_millis: table.u64(7)?,
            author_millis: table.i64(8)?,
            signature: text(9)?,
            committer_name: table.string(10)?,
            committer_email: table.string(11)?,
        })
    }
}

/// A root value: all tables of one state.
#[derive(Debug, Clone)]
pub struct RootValue {
    /// 7 in every version checked; a larger one means that a newer Dolt wrote it.
    pub feature_version: i64,
    /// Collation of the database, by `MySQL`'s number.
    pub collation: u16,
    /// Where the foreign keys are; none if there are none.
    pub foreign_keys: Hash,
    /// Names of schemas besides the default one (Doltgres).
    pub schemas: Vec<String>,
    pub(crate) tables: Node,
}

impl RootValue {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let table = Message::parse(bytes, *b"RTVL")?.root(5)?;
        let schemas: Vec<Table<'_>> = table.tables(4, 1)?;
        let name = |t: &Table<'_>| t.string(0).map(Option::unwrap_or_default);
        Ok(Self {
            feature_version: table.i64(0)?,
            tables: Node::parse(NodeKind::Addresses, table.bytes(1)?.to_vec())?,
            foreign_keys: table.hash(2)?,
            collation: table.u16(3, 0)?,
            schemas: schemas.iter().map(name).collect::<Result<_, _>>()?,
        })
    }
}

/// A merge that has not been committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeState {
    /// The working root before the merge.
    pub pre_working_root: Hash,
    /// The commit that is merged in.
    pub from_commit: Hash,
    /// What the user called it.
    pub from_spec: String,
    /// Tables that could not be merged.
    pub unmergable_tables: Vec<String>,
    /// Whether it is a cherry-pick.
    pub is_cherry_pick: bool,
    /// Whether it is a revert.
    pub is_revert: bool,
    /// The head at the start of a cherry-pick or a revert, which giving up goes back to; none for a merge.
    pub head_before: Hash,
    /// Commits that are to be picked or reverted after this one.
    pub pending: Vec<Hash>,
}

/// A rebase under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebaseState {
    /// The working root before it.
    pub pre_working_root: Hash,
    /// The branch that is rebased.
    pub branch: String,
    /// The commit that it goes onto.
    pub onto_commit: Hash,
    /// What Dolt keeps beside that for its own use: what it does with commits that are empty, and with those that become so.
    pub(crate) empty_commits: [u8; 2],
    /// The last step that it tried: the bits of a `float`.
    pub(crate) last_step: u32,
    pub(crate) has_started: bool,
    pub(crate) skips_verification: bool,
}

/// What a branch's working directory would be: uncommitted and staged states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingSet {
    /// The working root.
    pub working: Hash,
    /// The staged root.
    pub staged: Hash,
    /// Who moved it last, if it says.
    pub name: Option<String>,
    /// E-mail address, if it says.
    pub email: Option<String>,
    /// Why, if it says.
    pub description: Option<String>,
    /// When, seconds since 1970 (the field's name in the format says milliseconds; its content is seconds).
    pub seconds: u64,
    /// A merge under way.
    pub merge: Option<MergeState>,
    /// A rebase under way.
    pub rebase: Option<RebaseState>,
}

impl WorkingSet {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let table = Message::parse(bytes, *b"WRST")?.root(8)?;
        let pending = |text: &String| {
            Hash::parse(text).ok_or_else(|| format!("the pending commit {text:?} is no address"))
        };
        let merge = |t: Table<'_>| -> Result<MergeState, Problem> {
            Ok(MergeState {
                pre_working_root: t.hash(0)?,
                from_commit: t.hash(1)?,
                from_spec: t.string(2)?.unwrap_or_default(),
                unmergable_tables: t.strings(3)?,
                is_cherry_pick: t.bool(4)?,
                is_revert: t.bool(5)?,
                head_before: t.hash(6)?,
                pending: t.strings(7)?.iter().map(pending).collect::<Result<_, _>>()?,
            })
        };
        let rebase = |t: Table<'_>| -> Result<RebaseState, Problem> {
            Ok(RebaseState {
                pre_working_root: t.hash(0)?,
                branch: t.string(1)?.unwrap_or_default(),
                onto_commit: t.hash(2)?,
                empty_commits: [t.u8(3)?, t.u8(4)?],
                last_step: t.bits(5)?,
                has_started: t.bool(6)?,
                skips_verification: t.bool(7)?,
            })
        };
        Ok(Self {
            working: table.hash(0)?,
            staged: table.hash(1)?,
            name: table.string(2)?,
            email: table.string(3)?,
            description: table.string(4)?,
            seconds: table.u64(5)?,
            merge: table.table(6, 8)?.map(merge).transpose()?,
            rebase: table.table(7, 8)?.map(rebase).transpose()?,
        })
    }
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The commit that it names.
    pub commit: Hash,
    /// Who made it.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Its message.
    pub description: String,
    /// When it was made, milliseconds since 1970.
    pub user_millis: i64,
}

impl Tag {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let table = Message::parse(bytes, *b"DTAG")?.root(6)?;
        let text = |slot| table.string(slot).map(Option::unwrap_or_default);
        Ok(Self {
            commit: table.hash(0)?,
            name: text(1)?,
            email: text(2)?,
            description: text(3)?,
            user_millis: table.i64(5)?,
        })
    }
}

/// A stash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stash {
    /// The stashed root.
    pub root: Hash,
    /// The head at that time.
    pub head: Hash,
    /// The branch at that time.
    pub branch: String,
    /// Its description.
    pub description: String,
}

impl Stash {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let table = Message::parse(bytes, *b"STSH")?.root(5)?;
        let text = |slot| table.string(slot).map(Option::unwrap_or_default);
        Ok(Self { root: table.hash(0)?, head: table.hash(1)?, branch: text(2)?, description: text(3)? })
    }
}

/// The top node of a stash list: positions as text to stashes.
pub(crate) fn stash_list(bytes: &[u8]) -> Result<Node, Problem> {
    let table = Message::parse(bytes, *b"SLST")?.root(1)?;
    Node::parse(NodeKind::Addresses, table.bytes(0)?.to_vec())
}
