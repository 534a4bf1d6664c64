//! Branches and tags: made, moved, removed.

use super::transaction::{head_ref, set_ref};
use super::{Author, Locked, RefChange};
use crate::message::{Tag, WorkingSet};
use crate::{Error, Hash, Result};

impl Locked {
    /// Makes a branch at a commit, with a clean working set as Dolt gives it.
    pub fn create_branch(&mut self, name: &str, at: Hash, seconds: u64) -> Result<()> {
        check_name(name)?;
        let draft = self.session()?;
        if draft.resolve_exact(&head_ref(name))?.is_some() {
            return Err(Error::NameTaken { name: name.to_owned() });
        }
        let set = WorkingSet::clean(draft.commit(at)?.root_value);
        let set = draft.snapshot().put(set.message())?;
        let stale = draft.resolve_exact(&set_ref(name))?;
        let changes = [
            RefChange { name: head_ref(name), from: None, to: Some(at) },
            RefChange { name: set_ref(name), from: stale, to: Some(set) },
        ];
        self.update(&draft, &changes, seconds)
    }

    /// Removes a branch and its working set. The branch that the directory is on stays; so does one whose working set has
    /// uncommitted changes, unless `force`.
    pub fn delete_branch(&mut self, name: &str, force: bool, seconds: u64) -> Result<()> {
        let draft = self.session()?;
        let head = draft.resolve_exact(&head_ref(name))?;
        let head = head.ok_or_else(|| Error::NoBranch { name: name.to_owned() })?;
        let in_use = |why: &'static str| Err(Error::InUse { name: name.to_owned(), why });
        if draft.head() == name {
            return in_use("the database's directory is on it");
        }
        let set = draft.working_set(name)?;
        let root = draft.commit(head)?.root_value;
        if !force && set.is_some_and(|set| set.working != root || set.staged != root) {
            return in_use("it has uncommitted changes");
        }
        let mut changes = vec![RefChange { name: head_ref(name), from: Some(head), to: None }];
        if let Some(set) = draft.resolve_exact(&set_ref(name))? {
            changes.push(RefChange { name: set_ref(name), from: Some(set), to: None });
        }
        self.update(&draft, &changes, seconds)
    }

    /// Makes a tag at a commit.
    pub fn create_tag(&mut self, name: &str, at: Hash, by: &Author, message: &str) -> Result<()> {
        check_name(name)?;
        let draft = self.session()?;
        if draft.resolve_exact(&tag_ref(name))?.is_some() {
            return Err(Error::NameTaken { name: name.to_owned() });
        }
        draft.commit(at)?;
        let tag = Tag {
            commit: at,
            name: by.name.clone(),
            email: by.email.clone(),
            description: message.to_owned(),
            user_millis: i64::try_from(by.millis).unwrap_or(i64::MAX),
        };
        let tag = draft.snapshot().put(tag.message(by.millis))?;
        self.update(&draft, &[RefChange { name: tag_ref(name), from: None, to: Some(tag) }], by.millis / 1000)
    }

    /// Removes a tag.
    pub fn delete_tag(&mut self, name: &str, seconds: u64) -> Result<()> {
        let draft = self.session()?;
        let at = draft.resolve_exact(&tag_ref(name))?;
        let at = at.ok_or_else(|| Error::NoTag { name: name.to_owned() })?;
        self.update(&draft, &[RefChange { name: tag_ref(name), from: Some(at), to: None }], seconds)
    }
}

fn tag_ref(name: &str) -> String {
    format!("refs/tags/{name}")
}

// git's rules for names, and ASCII only, as Dolt has them (`go/store/datas/dataset.go`).
fn check_name(name: &str) -> Result<()> {
    let bad = |why: &'static str| Err(Error::BadName { name: name.to_owned(), why });
    let is_forbidden = |c: char| c.is_ascii_control() || " :?[\\^~*".contains(c);
    let part =
        |part: &str| part.is_empty() || part.starts_with('.') || part.to_ascii_lowercase().ends_with(".lock");
    if name.is_empty() || name == "-" || name == "HEAD" || name == "@" {
        bad("that name means something else")
    } else if !name.is_ascii() {
        bad("it has letters besides ASCII")
    } else if name.chars().any(is_forbidden) {
        bad("it has a blank, a control character, or one of : ? [ \\ ^ ~ *")
    } else if name.contains("..") || name.contains("@{") {
        bad("it has .. or @{")
    } else if name.ends_with('.') || name.split('/').any(part) {
        bad("a part of it is empty, begins with a dot, or ends with .lock or a dot")
    } else {
        Ok(())
    }
}
