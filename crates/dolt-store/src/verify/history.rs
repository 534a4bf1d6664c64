//! From the store's root to the tables: names, working sets, stashes, commits, root values.

use std::collections::{HashMap, HashSet};

use super::chunks::in_parallel;
use super::finding::{RefState, Report, Stage};
use super::shape::Shape;
use super::tables::{self, named};
use super::walker::{Place, Walker, locked};
use crate::Hash;
use crate::commit::{Ref, RefKind, Session};
use crate::message::{Commit, NodeKind, RootValue, Stash, StoreRoot, Tag, WorkingSet, stash_list};
use crate::prolly::Tree;
use crate::table::ForeignKey;

/// Everything that the names lead to.
#[derive(Default)]
pub(super) struct History {
    commits: HashMap<Hash, Commit>,
    damaged_commits: HashSet<Hash>,
    // Name and address of every table of every root value.
    roots: HashMap<Hash, Vec<(String, Hash)>>,
    damaged_roots: HashSet<Hash>,
    damaged_tables: HashSet<Hash>,
}

/// What one name leads to.
#[derive(Debug, Default)]
struct Tip {
    commits: Vec<Hash>,
    roots: Vec<(Hash, String)>,
    is_broken: bool,
}

/// Walks everything and says at the end what is safe.
pub(super) fn check(walker: &Walker<'_>, session: &Session, report: &mut Report) {
    let root = walker.snapshot.root();
    let nowhere = Place { state: Some("the map of all names".to_owned()), ..Place::default() };
    let names = Shape::addresses();
    if let Some(store_root) = walker.parse(&nowhere, root, StoreRoot::parse) {
        walker.root(&names, &store_root.refs, root, &nowhere);
    }
    let refs = session.all_refs().unwrap_or_else(|error| {
        walker.say_error(&nowhere, &error);
        Vec::new()
    });
    let mut tips: Vec<(Ref, Tip)> =
        refs.into_iter().map(|r| (tip(walker, &r), r)).map(|(t, r)| (r, t)).collect();
    let mut history = History::default();
    history.read_commits(walker, &tips);
    // A merge or a rebase that cannot be ended.
    for (_, tip) in tips.iter_mut().filter(|(r, _)| r.kind == RefKind::WorkingSet) {
        tip.is_broken |= tip.commits.iter().any(|c| history.damaged_commits.contains(c));
    }
    let roots = history.all_roots(&tips);
    let tables = history.read_roots(walker, &names, &roots);
    history.damaged_tables = tables::check(walker, &tables);
    report.commits = history.commits.len() as u64;
    report.roots = history.roots.len() as u64;
    report.tables = tables.len() as u64;
    merge_working_sets(&mut tips);
    report.refs = tips.iter().filter_map(|(r, tip)| history.state(r, tip)).collect();
}

// A branch's working set counts as its newest state too.
fn merge_working_sets(tips: &mut [(Ref, Tip)]) {
    let sets: HashMap<String, (Vec<(Hash, String)>, bool)> = tips
        .iter()
        .filter(|(r, _)| r.kind == RefKind::WorkingSet)
        .map(|(r, t)| (r.name.clone(), (t.roots.clone(), t.is_broken)))
        .collect();
    for (r, tip) in tips.iter_mut().filter(|(r, _)| r.kind == RefKind::Branch) {
        if let Some((roots, is_broken)) = sets.get(&r.name) {
            tip.roots.extend(roots.iter().cloned());
            tip.is_broken |= is_broken;
        }
    }
}

fn tip(walker: &Walker<'_>, r: &Ref) -> Tip {
    let state = match r.kind {
        RefKind::WorkingSet => format!("working set of {}", r.name),
        _ => r.full_name.clone(),
    };
    let place = Place { state: Some(state.clone()), ..Place::default() };
    let found = match r.kind {
        RefKind::Branch | RefKind::Remote | RefKind::Internal => {
            Some(Tip { commits: vec![r.target], ..Tip::default() })
        }
        RefKind::Tag => walker
            .parse(&place, r.target, Tag::parse)
            .map(|tag| Tip { commits: vec![tag.commit], ..Tip::default() }),
        RefKind::WorkingSet => working_set(walker, &place, r.target, &state),
        RefKind::Stash => stashes(walker, &place, r.target),
        RefKind::Other => {
            walker.note(format!("{} is of a kind whose contents are not known", r.full_name));
            walker.read_or_say(&place, r.target).map(|_| Tip::default())
        }
    };
    found.unwrap_or(Tip { is_broken: true, ..Tip::default() })
}

fn working_set(walker: &Walker<'_>, place: &Place, target: Hash, state: &str) -> Option<Tip> {
    let set = walker.parse(place, target, WorkingSet::parse)?;
    let mut tip = Tip::default();
    let mut roots = vec![(set.working, "working set"), (set.staged, "staged state")];
    // What giving up or going on would need: a collection of Dolt's does not know all of it.
    if let Some(merge) = set.merge {
        roots.push((merge.pre_working_root, "state before the merge"));
        tip.commits.extend(merge.pending.into_iter().chain([merge.from_commit, merge.head_before]));
    }
    if let Some(rebase) = set.rebase {
        roots.push((rebase.pre_working_root, "state before the rebase"));
        tip.commits.push(rebase.onto_commit);
    }
    let branch = state.strip_prefix("working set").unwrap_or_default();
    tip.roots = roots.into_iter().map(|(root, what)| (root, format!("{what}{branch}"))).collect();
    tip.roots.retain(|(root, _)| !root.is_none());
    tip.commits.retain(|commit| !commit.is_none());
    Some(tip)
}

fn stashes(walker: &Walker<'_>, place: &Place, target: Hash) -> Option<Tip> {
    let top = walker.parse(place, target, stash_list)?;
    let facts = walker.root(&Shape::addresses(), &top, target, place);
    let tree = Tree::embedded(walker.snapshot, NodeKind::Addresses, top, target);
    let list = named(&tree).map_err(|e| walker.say_error(place, &e)).ok()?;
    let mut tip = Tip { is_broken: !facts.is_safe, ..Tip::default() };
    for (name, address) in list {
        match walker.parse(place, address, Stash::parse) {
            Some(stash) => {
                tip.roots.push((stash.root, format!("stash {name}")));
                tip.commits.push(stash.head);
            }
            None => tip.is_broken = true,
        }
    }
    Some(tip)
}

impl History {
    fn read_commits(&mut self, walker: &Walker<'_>, tips: &[(Ref, Tip)]) {
        let mut waiting: Vec<(Hash, String)> =
            tips.iter().flat_map(|(r, t)| t.commits.iter().map(|c| (*c, r.full_name.clone()))).collect();
        let mut seen: HashSet<Hash> = waiting.iter().map(|(hash, _)| *hash).collect();
        while let Some((hash, through)) = waiting.pop() {
            if walker.snapshot.is_ghost(hash) {
                continue;
            }
            let place = Place { state: Some(format!("history of {through}")), ..Place::default() };
            let Some(commit) = walker.parse(&place, hash, Commit::parse) else {
                self.damaged_commits.insert(hash);
                continue;
            };
            for parent in &commit.parents {
                if seen.insert(*parent) {
                    waiting.push((*parent, through.clone()));
                }
            }
            self.commits.insert(hash, commit);
        }
        let list: Vec<(&Hash, &Commit)> = self.commits.iter().collect();
        let damaged = std::sync::Mutex::new(HashSet::new());
        let closures = Shape::closure();
        let done = std::sync::atomic::AtomicU64::new(0);
        in_parallel(&list, |(hash, commit)| {
            if !self.commit(walker, &closures, **hash, commit) {
                locked(&damaged).insert(**hash);
            }
            let before = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            walker.watch().progress(Stage::History, before.saturating_add(1), list.len() as u64);
        });
        let damaged = damaged.into_inner().unwrap_or_default();
        self.damaged_commits.extend(damaged);
    }

    // A commit by itself: its height, and its tree of ancestors.
    fn commit(&self, walker: &Walker<'_>, closures: &Shape, hash: Hash, commit: &Commit) -> bool {
        let place = Place { state: Some(format!("commit {hash}")), ..Place::default() };
        let known: Option<Vec<u64>> =
            commit.parents.iter().map(|p| Some(self.commits.get(p)?.height)).collect();
        let mut is_safe = true;
        if let Some(heights) = known {
            let expected = heights.into_iter().max().unwrap_or(0).saturating_add(1);
            if commit.height != expected {
                walker.say_at(&place, hash, format!("height {}, its parents say {expected}", commit.height));
                is_safe = false;
            }
        }
        if commit.closure.is_none() {
            return is_safe;
        }
        let facts = walker.subtree(closures, commit.closure, None, &place);
        if !facts.is_safe {
            return false;
        }
        let Ok(tree) = Tree::open(walker.snapshot, NodeKind::Closure, commit.closure) else { return false };
        for parent in &commit.parents {
            let Some(height) = self.commits.get(parent).map(|c| c.height) else { continue };
            let key = [height.to_le_bytes().as_slice(), parent.as_bytes()].concat();
            let found = tree.get(|k| closures.compare(k, &key).unwrap_or(std::cmp::Ordering::Less));
            if matches!(found, Ok(None)) {
                walker.say_at(
                    &place,
                    commit.closure,
                    format!("its tree of ancestors lacks the parent {parent}"),
                );
                is_safe = false;
            }
        }
        is_safe
    }

    // Every root value once, with the first state that has it. Working sets come first: people know them by name.
    fn all_roots(&self, tips: &[(Ref, Tip)]) -> Vec<(Hash, String)> {
        let of_tips = tips.iter().flat_map(|(_, t)| t.roots.iter().cloned());
        let mut by_height: Vec<(&Hash, &Commit)> = self.commits.iter().collect();
        by_height.sort_by_key(|(hash, commit)| (std::cmp::Reverse(commit.height), **hash));
        let of_commits = by_height.into_iter().map(|(hash, c)| (c.root_value, format!("commit {hash}")));
        let mut seen = HashSet::new();
        of_tips.chain(of_commits).filter(|(root, _)| seen.insert(*root)).collect()
    }

    fn read_roots(
        &mut self,
        walker: &Walker<'_>,
        names: &Shape,
        roots: &[(Hash, String)],
    ) -> Vec<(Hash, Place)> {
        let mut tables = Vec::new();
        let mut seen = HashSet::new();
        for (root, state) in roots {
            let place = Place { state: Some(state.clone()), ..Place::default() };
            let Some(value) = walker.parse(&place, *root, RootValue::parse) else {
                self.damaged_roots.insert(*root);
                continue;
            };
            let facts = walker.root(names, &value.tables, *root, &place);
            let keys: Option<Vec<ForeignKey>> = if value.foreign_keys.is_none() {
                Some(Vec::new())
            } else {
                walker.parse(&place, value.foreign_keys, crate::table::parse_foreign_keys)
            };
            let tree = Tree::embedded(walker.snapshot, NodeKind::Addresses, value.tables, *root);
            let list = named(&tree);
            if !facts.is_safe || keys.is_none() || list.is_err() {
                self.damaged_roots.insert(*root);
            }
            let list = list.unwrap_or_default();
            for (name, address) in &list {
                if seen.insert(*address) {
                    tables.push((*address, Place { table: Some(name.clone()), ..place.clone() }));
                }
            }
            self.roots.insert(*root, list);
        }
        tables
    }

    fn state(&self, r: &Ref, tip: &Tip) -> Option<RefState> {
        if r.kind == RefKind::WorkingSet {
            return None;
        }
        let heads = tip.commits.iter().filter_map(|c| Some(self.commits.get(c)?.root_value));
        let newest: Vec<Hash> = tip.roots.iter().map(|(root, _)| *root).chain(heads).collect();
        let (mut damaged, mut safe) = (Vec::new(), Vec::new());
        for (name, address) in newest.iter().filter_map(|root| self.roots.get(root)).flatten() {
            if self.damaged_tables.contains(address) {
                damaged.push(name.clone());
            } else {
                safe.push(name.clone());
            }
        }
        for list in [&mut damaged, &mut safe] {
            list.sort();
            list.dedup();
        }
        safe.retain(|name| !damaged.contains(name));
        let is_root_broken = newest.iter().any(|root| self.damaged_roots.contains(root));
        let is_commit_broken = tip.commits.iter().any(|c| self.damaged_commits.contains(c));
        let tip_is_safe = damaged.is_empty() && !tip.is_broken && !is_root_broken && !is_commit_broken;
        Some(RefState {
            kind: r.kind,
            name: r.name.clone(),
            tip_is_safe,
            history_is_safe: tip_is_safe && tip.commits.iter().all(|c| self.is_history_safe(*c)),
            damaged_tables: damaged,
            safe_tables: safe,
        })
    }

    fn is_history_safe(&self, from: Hash) -> bool {
        if self.damaged_commits.is_empty() && self.damaged_roots.is_empty() && self.damaged_tables.is_empty()
        {
            return true;
        }
        let mut waiting = vec![from];
        let mut seen = HashSet::new();
        while let Some(hash) = waiting.pop() {
            if !seen.insert(hash) {
                continue;
            }
            if self.damaged_commits.contains(&hash) {
                return false;
            }
            // A commit that a shallow clone left out is the end of history.
            let Some(commit) = self.commits.get(&hash) else { continue };
            let tables = self.roots.get(&commit.root_value).into_iter().flatten();
            if self.damaged_roots.contains(&commit.root_value)
                || tables.into_iter().any(|(_, t)| self.damaged_tables.contains(t))
            {
                return false;
            }
            waiting.extend(&commit.parents);
        }
        true
    }
}
