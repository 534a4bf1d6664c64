//! The names of a store: one map from names to addresses, which Dolt calls datasets (Dolt `go/libraries/doltcore/ref`).

use super::Session;
use crate::{Hash, Result};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RefKind {
    /// A branch: a commit.
    Branch,
    /// A tag: a tag object.
    Tag,
    /// A branch of a remote, as last seen: a commit.
    Remote,
    /// A branch's working set.
    WorkingSet,
    /// A list of stashes.
    Stash,
    /// Dolt's own.
    Internal,
    /// Anything else; kept by Dolt, meaning unknown here.
    Other,
}

/// One name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ref {
    /// What it stands for.
    pub kind: RefKind,
    /// Its short name: `main`, `v1`, `origin/main`.
    pub name: String,
    /// Its name in the map.
    pub full_name: String,
    /// Where it points.
    pub target: Hash,
}

const KINDS: [(&str, RefKind); 6] = [
    ("refs/heads/", RefKind::Branch),
    ("refs/tags/", RefKind::Tag),
    ("refs/remotes/", RefKind::Remote),
    ("workingSets/heads/", RefKind::WorkingSet),
    ("refs/stashes/", RefKind::Stash),
    ("refs/internal/", RefKind::Internal),
];

impl Ref {
    fn of(full_name: String, target: Hash) -> Self {
        let known = KINDS.iter().find_map(|(front, kind)| Some((*kind, full_name.strip_prefix(front)?)));
        let (kind, name) = known.unwrap_or((RefKind::Other, &full_name));
        Self { kind, name: name.to_owned(), full_name, target }
    }
}

impl Session {
    /// Every name, in the order of the map (bytewise).
    pub fn all_refs(&self) -> Result<Vec<Ref>> {
        let mut found = Vec::new();
        let mut cursor = self.refs().first()?;
        while let Some((node, i)) = cursor.entry() {
            let name = String::from_utf8_lossy(node.key(i)).into_owned();
            found.push(Ref::of(name, node.address(i).unwrap_or_default()));
            cursor.advance()?;
        }
        Ok(found)
    }

    /// The names of one kind.
    pub fn refs_of(&self, kind: RefKind) -> Result<Vec<Ref>> {
        Ok(self.all_refs()?.into_iter().filter(|r| r.kind == kind).collect())
    }

    /// Where exactly this name in the map points.
    pub fn resolve_exact(&self, full_name: &str) -> Result<Option<Hash>> {
        let found = self.refs().get(|key| key.cmp(full_name.as_bytes()))?;
        Ok(found.and_then(|(node, i)| node.address(i)))
    }
}
