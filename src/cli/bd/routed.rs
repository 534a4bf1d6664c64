//! Issues of other workspaces: an id that is not here is looked for where `routes.jsonl` sends its prefix (bd 1.1.0
//! `cmd/bd/routed.go`).
//!
//! What is here goes before every route. What could go wrong is a command that does its work half here and half elsewhere;
//! so those that work on one database do so on that of their first issue, or refuse to work on several.

use std::path::{Path, PathBuf};

use super::answer::{Answer, Refusal};
use super::context::Bd;
use super::dep::{Below, Dep};
use super::{Verb, comment};
use crate::cli::out;
use crate::store::StoreError;
use crate::store::load;
use crate::store::reader::Reader;
use crate::town::workspace::{NoRepository, Target, Workspace};

/// The workspaces that the issues of a command are in.
pub(super) struct Homes<'a> {
    here: &'a Bd,
    others: Vec<(PathBuf, Bd)>,
}

impl<'a> Homes<'a> {
    /// So far only this one.
    pub(super) fn new(here: &'a Bd) -> Self {
        Self { here, others: Vec::new() }
    }

    /// In which of them an id is; in the one here, too, if it is nowhere.
    pub(super) fn of(&mut self, given: &str) -> Answer<Option<usize>> {
        let Some(target) = self.here.workspace.route(given) else { return Ok(None) };
        if is_in(self.here, given)? {
            return Ok(None);
        }
        let known = self.others.iter().position(|(dir, _)| *dir == target.beads_dir);
        let at = match known {
            Some(at) => at,
            None => match self.here.other(&target) {
                Ok(other) => {
                    self.others.push((target.beads_dir.clone(), other));
                    self.others.len() - 1
                }
                Err(refusal) => return Ok(self.without(&target, &refusal)),
            },
        };
        let Some((_, other)) = self.others.get(at) else { return Ok(None) };
        match is_in(other, given) {
            Ok(is_there) => Ok(is_there.then_some(at)),
            Err(refusal) => Ok(self.without(&target, &refusal)),
        }
    }

    // bd looks on as if there were no route; the reason is told.
    fn without(&self, target: &Target, refusal: &Refusal) -> Option<usize> {
        if !self.here.global.quiet {
            let (prefix, path) = (&target.route.prefix, target.beads_dir.display());
            out::note(format!("Warning: the route of {prefix} to {path} leads nowhere: {}", refusal.text()));
        }
        None
    }

    /// One of them.
    pub(super) fn get(&self, at: Option<usize>) -> &Bd {
        at.and_then(|at| self.others.get(at)).map_or(self.here, |(_, other)| other)
    }

    /// The ids by where they are, with their places in the list, each group where its first id stands.
    pub(super) fn groups(&mut self, given: &[String]) -> Answer<Vec<Group>> {
        let mut groups: Vec<Group> = Vec::new();
        for (place, id) in given.iter().enumerate() {
            let home = self.of(id)?;
            match groups.iter_mut().find(|group| group.home == home) {
                Some(group) => {
                    group.ids.push(id.clone());
                    group.places.push(place);
                }
                None => groups.push(Group { home, ids: vec![id.clone()], places: vec![place] }),
            }
        }
        Ok(groups)
    }
}

/// Ids that are in one workspace.
#[derive(Debug)]
pub(super) struct Group {
    /// Which workspace.
    pub(super) home: Option<usize>,
    /// The ids.
    pub(super) ids: Vec<String>,
    /// Where they stand in the whole list.
    pub(super) places: Vec<usize>,
}

fn is_in(bd: &Bd, given: &str) -> Answer<bool> {
    match Bd::resolve(&*bd.reader()?, given) {
        Ok(_) => Ok(true),
        Err(StoreError::NotFound(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl Bd {
    /// The same caller in the workspace of a route.
    fn other(&self, target: &Target) -> Answer<Self> {
        self.at(&target.beads_dir, &target.database)
    }

    /// The same caller in another repository; `None`: it is the one here.
    fn in_repository(&self, path: &str) -> Answer<Option<Self>> {
        match self.workspace.repository(path) {
            Ok(None) => Ok(None),
            Ok(Some(found)) => self.at(&found.beads_dir, &found.database).map(Some),
            Err(error) => {
                let hint = match &error {
                    NoRepository::Remote(_) => "the real bd can do it on the same database",
                    NoRepository::Without(_) => "'bd init' there makes one",
                };
                Err(Refusal::plain(error.to_string()).hint(hint))
            }
        }
    }

    /// Where the settings send new issues, and the lists of them.
    fn routed(&self) -> Answer<Option<Self>> {
        // Rows that say so are made for contributors alone; nobody else has to look for them.
        let is_contributor = self.workspace.is_contributor();
        let stored = if is_contributor { load::all_keyed(&*self.reader()?, "config")? } else { Vec::new() };
        let stored = |key: &str| {
            let row = stored.iter().find(|(known, _)| known == key);
            row.map(|(_, value)| value.clone())
        };
        self.workspace.routed(stored).map_or(Ok(None), |path| self.in_repository(&path))
    }

    /// An issue that is nowhere else, where the settings send new ones: its id, and what it is read from.
    pub(super) fn among_routed(&self, given: &str) -> Answer<Option<(String, Box<dyn Reader>)>> {
        let Some(routed) = self.routed()? else { return Ok(None) };
        let reader = routed.reader()?;
        match Self::resolve(&*reader, given) {
            Ok(id) => Ok(Some((id, reader))),
            Err(StoreError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The same caller in the workspace of this `.beads`. What is noted about the call stays in the one here.
    fn at(&self, beads_dir: &Path, database: &str) -> Answer<Self> {
        // Also if the environment names the database of this one.
        let database = ("BEADS_DOLT_SERVER_DATABASE".to_owned(), database.to_owned());
        let env = self.workspace.env().with([database]);
        let workspace = Workspace::at(&env, self.workspace.cwd(), beads_dir);
        let mut other = Self::of(workspace, self.global.clone())?;
        other.actor.clone_from(&self.actor);
        other.owner.clone_from(&self.owner);
        other.noted_in.clone_from(&self.noted_in);
        other.now = self.now;
        Ok(other)
    }
}

impl Verb {
    // The issues of a command that works in one database, if it follows routes.
    fn ids_of_one_home(&self) -> Option<Vec<String>> {
        let id = match self {
            Self::Delete(c) => return Some(c.ids.clone()),
            Self::Dep(Dep { below: Some(Below::List(c)), .. }) => return Some(c.ids.clone()),
            Self::Comment(c) => &c.id,
            Self::Comments(c) => match &c.verb {
                Some(comment::Verb::Add(add)) => &add.id,
                None => c.id.as_ref()?,
            },
            Self::Assign(c) => &c.id,
            Self::Priority(c) => &c.id,
            Self::Tag(c) => &c.id,
            Self::Note(c) => &c.id,
            Self::Dep(Dep { below: Some(Below::Add(c)), .. }) => &c.issue,
            Self::Dep(Dep { below: Some(Below::Remove(c)), .. }) => &c.issue,
            Self::Dep(Dep { below: Some(Below::Tree(c)), .. }) => &c.id,
            Self::Link(c) => &c.issue,
            _ => return None,
        };
        Some(vec![id.clone()])
    }
}

/// The workspace in which a command does all its work, if it is another one.
pub(super) fn elsewhere(bd: &Bd, verb: &Verb) -> Answer<Option<Bd>> {
    match verb {
        Verb::Create(create) => {
            return create.repo.as_deref().map_or_else(|| bd.routed(), |path| bd.in_repository(path));
        }
        Verb::List(_) => return bd.routed(),
        Verb::Ready(ready) if !ready.claim => return bd.routed(),
        _ => {}
    }
    let Some(ids) = verb.ids_of_one_home() else { return Ok(None) };
    let mut homes = Homes::new(bd);
    let groups = homes.groups(&ids)?;
    match &groups[..] {
        [] | [Group { home: None, .. }] => Ok(None),
        [Group { home: Some(at), .. }] => Ok(Some(homes.others.swap_remove(*at).1)),
        [first, second, ..] => {
            let name = |group: &Group| group.ids.first().cloned().unwrap_or_default();
            Err(Refusal::new(format!(
                "{} and {} are in different databases, and this command works in one: call it for each of them",
                name(first),
                name(second)
            )))
        }
    }
}
