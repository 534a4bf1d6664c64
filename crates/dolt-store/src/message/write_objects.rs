//! Objects to messages, byte for byte as Dolt writes them: vectors and strings in the order of creation, fields in the order
//! of Dolt's calls (Dolt `go/store/datas/*.go`, `go/libraries/doltcore/doltdb/root_val.go`).

use super::builder::{Builder, Offset};
use super::objects::{Commit, MergeState, RebaseState, RootValue, StoreRoot, Tag, WorkingSet};
use crate::Hash;

impl StoreRoot {
    /// The message of a store whose map of refs has this top node.
    pub(crate) fn message(refs: &[u8]) -> Vec<u8> {
        let mut b = Builder::new();
        let refs = b.bytes(refs);
        b.begin();
        b.add(0, refs);
        let root = b.end();
        b.finish(root, *b"STRT")
    }
}

impl Commit {
    pub(crate) fn message(&self) -> Vec<u8> {
        let mut b = Builder::new();
        let root_value = b.bytes(self.root_value.as_bytes());
        let parents: Vec<u8> = self.parents.iter().flat_map(|p| *p.as_bytes()).collect();
        let parents = b.bytes(&parents);
        let closure = b.bytes(self.closure.as_bytes());
        let name = b.string(&self.name);
        let email = b.string(&self.email);
        let description = b.string(&self.description);
        let signature = (!self.signature.is_empty()).then(|| b.string(&self.signature));
        let committer_name = self.committer_name.as_ref().map(|text| b.string(text));
        let committer_email = self.committer_email.as_ref().map(|text| b.string(text));
        b.begin();
        b.add(0, root_value);
        b.add_u64(1, self.height);
        b.add(2, parents);
        b.add(3, closure);
        b.add(4, name);
        b.add(5, email);
        b.add(6, description);
        b.add_u64(7, self.committer_millis);
        b.add_i64(8, self.author_millis);
        b.add_if(9, signature);
        b.add_if(10, committer_name);
        b.add_if(11, committer_email);
        let root = b.end();
        b.finish(root, *b"DCMT")
    }
}

impl RootValue {
    pub(crate) fn message(&self) -> Vec<u8> {
        let mut b = Builder::new();
        let tables = b.bytes(self.tables.bytes());
        let schemas = (!self.schemas.is_empty()).then(|| {
            let mut items = Vec::new();
            for name in self.schemas.iter().rev() {
                let name = b.string(name);
                b.begin();
                b.add(0, name);
                items.insert(0, b.end());
            }
            b.offsets(&items)
        });
        let foreign_keys = b.bytes(self.foreign_keys.as_bytes());
        b.begin();
        b.add_i64(0, self.feature_version);
        b.add_u16(3, self.collation, 0);
        b.add(1, tables);
        b.add(2, foreign_keys);
        b.add_if(4, schemas);
        let root = b.end();
        b.finish(root, *b"RTVL")
    }
}

impl WorkingSet {
    /// One in which everything is at the same root.
    pub(crate) fn clean(root: Hash) -> Self {
        Self {
            working: root,
            staged: root,
            name: None,
            email: None,
            description: None,
            seconds: 0,
            merge: None,
            rebase: None,
        }
    }

    /// Its message. What is under way stays as it is (Dolt `go/store/datas/workingset.go`, `workingset_flatbuffer`).
    pub(crate) fn message(&self) -> Vec<u8> {
        let mut b = Builder::new();
        let working = b.bytes(self.working.as_bytes());
        let staged = b.bytes(self.staged.as_bytes());
        let merge = self.merge.as_ref().map(|merge| merge.write(&mut b));
        let rebase = self.rebase.as_ref().map(|rebase| rebase.write(&mut b));
        let name = self.name.as_ref().map(|text| b.string(text));
        let email = self.email.as_ref().map(|text| b.string(text));
        let description = self.description.as_ref().map(|text| b.string(text));
        b.begin();
        b.add(0, working);
        b.add(1, staged);
        b.add_if(6, merge);
        b.add_if(7, rebase);
        b.add_if(2, name);
        b.add_if(3, email);
        b.add_if(4, description);
        b.add_u64(5, self.seconds);
        let root = b.end();
        b.finish(root, *b"WRST")
    }
}

impl MergeState {
    fn write(&self, b: &mut Builder) -> Offset {
        let pre_working_root = b.bytes(self.pre_working_root.as_bytes());
        let from_commit = b.bytes(self.from_commit.as_bytes());
        let from_spec = b.string(&self.from_spec);
        let unmergable = b.strings(self.unmergable_tables.iter().map(String::as_str));
        let head_before = (!self.head_before.is_none()).then(|| b.bytes(self.head_before.as_bytes()));
        let pending: Vec<String> = self.pending.iter().map(Hash::to_string).collect();
        let pending = (!pending.is_empty()).then(|| b.strings(pending.iter().map(String::as_str)));
        b.begin();
        b.add(0, pre_working_root);
        b.add(1, from_commit);
        b.add(2, from_spec);
        b.add(3, unmergable);
        b.add_bool(4, self.is_cherry_pick);
        b.add_bool(5, self.is_revert);
        b.add_if(6, head_before);
        b.add_if(7, pending);
        b.end()
    }
}

impl RebaseState {
    fn write(&self, b: &mut Builder) -> Offset {
        let pre_working_root = b.bytes(self.pre_working_root.as_bytes());
        let onto_commit = b.bytes(self.onto_commit.as_bytes());
        let branch = b.string(&self.branch);
        let [is_empty, becomes_empty] = self.empty_commits;
        b.begin();
        b.add(0, pre_working_root);
        b.add(1, branch);
        b.add(2, onto_commit);
        b.add_u8(4, becomes_empty);
        b.add_u8(3, is_empty);
        b.add_bits(5, self.last_step);
        b.add_bool(6, self.has_started);
        b.add_bool(7, self.skips_verification);
        b.end()
    }
}

impl Tag {
    pub(crate) fn message(&self, committer_millis: u64) -> Vec<u8> {
        let mut b = Builder::new();
        let commit = b.bytes(self.commit.as_bytes());
        let name = b.string(&self.name);
        let email = b.string(&self.email);
        let description = b.string(&self.description);
        b.begin();
        b.add(0, commit);
        b.add(1, name);
        b.add(2, email);
        b.add(3, description);
        b.add_u64(4, committer_millis);
        b.add_i64(5, self.user_millis);
        let root = b.end();
        b.finish(root, *b"DTAG")
    }
}
