//! Names, commits, trees of ancestors, and what is under way.

use super::{WHOLE, found, report, verify_state};
use crate::commit::RefKind;
use crate::message::{Commit, MergeState, NodeKind, RebaseState, StoreRoot, WorkingSet};
use crate::testing::{Damage, entries, leaf, working_set_message};
use crate::{Hash, verify};

fn commit_of(damage: &Damage, name: &str) -> (Hash, Commit) {
    let hash = damage.target(name);
    (hash, Commit::parse(damage.chunk(hash)).unwrap())
}

fn state<'r>(report: &'r verify::Report, kind: RefKind, name: &str) -> &'r verify::RefState {
    report.refs.iter().find(|r| (r.kind, r.name.as_str()) == (kind, name)).unwrap()
}

#[test]
fn a_branch_that_points_nowhere_or_to_no_commit_is_named() {
    for name in WHOLE {
        let nowhere = Hash::of(b"nowhere");
        let mut damage = Damage::of(name);
        damage.point("refs/heads/other", nowhere);
        let told = report(&damage);
        let finding = found(&told, "it is missing");
        assert_eq!(
            (finding.chunk, finding.state.as_deref()),
            (Some(nowhere), Some("history of refs/heads/other"))
        );
        assert!(!state(&told, RefKind::Branch, "other").tip_is_safe);
        assert!(
            state(&told, RefKind::Branch, "main").history_is_safe
                && state(&told, RefKind::Tag, "v1").tip_is_safe
        );

        let mut damage = Damage::of(name);
        let tag = damage.target("refs/tags/v1");
        damage.point("refs/heads/other", tag);
        let told = report(&damage);
        found(&told, "it is a DTAG, expected DCMT");
        assert!(!state(&told, RefKind::Branch, "other").tip_is_safe);
    }
}

#[test]
fn every_kind_of_name_that_leads_nowhere_is_named() {
    for name in WHOLE {
        let whole = Damage::of(name);
        let names = whole.session().all_refs().unwrap();
        assert_eq!(names.len(), 7, "{names:?}");
        for lost in names {
            let mut damage = whole.clone();
            let nowhere = Hash::of(lost.full_name.as_bytes());
            damage.point(&lost.full_name, nowhere);
            let told = report(&damage);
            assert_eq!(found(&told, "it is missing").chunk, Some(nowhere), "{lost:?}");
            // A working set counts as its branch's.
            let shown = if lost.kind == RefKind::WorkingSet { RefKind::Branch } else { lost.kind };
            assert!(!state(&told, shown, &lost.name).tip_is_safe, "{lost:?}");
            let safe = told.refs.iter().filter(|r| (r.kind, &r.name) != (shown, &lost.name));
            assert!(safe.into_iter().all(|r| r.history_is_safe), "{lost:?}: {:?}", told.refs);
        }
    }
}

#[test]
fn names_out_of_order_are_named() {
    for name in WHOLE {
        let damage = Damage::of(name);
        let refs = StoreRoot::parse(damage.chunk(damage.root())).unwrap().refs;
        let mut all = entries(&refs);
        all.swap(0, 1);
        let mut damage = damage;
        damage.set_root(StoreRoot::message(&leaf(NodeKind::Addresses, &all, &[])));
        let told = report(&damage);
        assert_eq!(found(&told, "entry 1 is not in order").state.as_deref(), Some("the map of all names"));
    }
}

#[test]
fn what_a_commit_refers_to_and_lacks_is_named() {
    for name in WHOLE {
        let whole = Damage::of(name);
        let (_, commit) = commit_of(&whole, "refs/heads/other");
        let base = commit.parents[0];
        for lost in [commit.root_value, base, commit.closure] {
            let mut damage = whole.clone();
            damage.lose(lost);
            let told = report(&damage);
            assert_eq!(found(&told, "it is missing").chunk, Some(lost), "{name}");
            let other = state(&told, RefKind::Branch, "other");
            assert!(!other.history_is_safe, "{name}: {lost}");
            assert_eq!(other.tip_is_safe, lost == base, "{name}: {lost}");
            let main = state(&told, RefKind::Branch, "main");
            // Both were made on top of the base: they have one tree of ancestors.
            assert_eq!(main.history_is_safe, lost == commit.root_value, "{name}: {lost}");
        }
    }
}

#[test]
fn a_wrong_height_and_wrong_ancestors_are_named() {
    for name in WHOLE {
        let whole = Damage::of(name);
        let (hash, commit) = commit_of(&whole, "refs/heads/other");
        let mut damage = whole.clone();
        damage.replace_below("refs/heads/other", hash, Commit { height: 9, ..commit.clone() }.message());
        found(&report(&damage), "height 9, its parents say 3");

        let closure = whole.node(NodeKind::Closure, commit.closure);
        let ancestors: Vec<_> = (0..closure.len()).map(|i| (closure.key(i).to_vec(), Vec::new())).collect();
        assert_eq!(ancestors.len(), 2);
        let mut damage = whole.clone();
        damage.replace_below(
            "refs/heads/other",
            commit.closure,
            leaf(NodeKind::Closure, &ancestors[..1], &[]),
        );
        let lacks = format!("its tree of ancestors lacks the parent {}", commit.parents[0]);
        found(&report(&damage), &lacks);

        let mut damage = whole.clone();
        let swapped = [ancestors[1].clone(), ancestors[0].clone()];
        damage.replace_below("refs/heads/other", commit.closure, leaf(NodeKind::Closure, &swapped, &[]));
        let told = report(&damage);
        found(&told, "entry 1 is not in order");
        assert!(!state(&told, RefKind::Branch, "other").tip_is_safe);
    }
}

fn with_working_set(whole: &Damage, change: impl FnOnce(&mut WorkingSet)) -> Damage {
    let mut damage = whole.clone();
    let mut set = damage.working_set();
    change(&mut set);
    let set = damage.put(working_set_message(&set));
    damage.point("workingSets/heads/main", set);
    damage
}

#[test]
fn what_a_merge_or_a_rebase_under_way_needs_and_lacks_is_named() {
    type Change = fn(&mut MergeState, &mut RebaseState, Hash);
    let changes: [(&str, Change); 6] = [
        ("state before the merge of main", |merge, _, lost| merge.pre_working_root = lost),
        ("history of workingSets/heads/main", |merge, _, lost| merge.from_commit = lost),
        ("history of workingSets/heads/main", |merge, _, lost| merge.head_before = lost),
        ("history of workingSets/heads/main", |merge, _, lost| merge.pending.push(lost)),
        ("state before the rebase of main", |_, rebase, lost| rebase.pre_working_root = lost),
        ("history of workingSets/heads/main", |_, rebase, lost| rebase.onto_commit = lost),
    ];
    for name in WHOLE {
        let whole = Damage::of(name);
        let (head, commit) = commit_of(&whole, "refs/heads/main");
        let merge = MergeState {
            head_before: head,
            pending: vec![commit.parents[0], whole.target("refs/heads/other")],
            is_cherry_pick: true,
            ..whole.working_set().merge.unwrap()
        };
        let rebase = RebaseState {
            pre_working_root: commit.root_value,
            branch: "main".to_owned(),
            onto_commit: head,
            empty_commits: [0; 2],
            last_step: 0,
            has_started: false,
            skips_verification: false,
        };
        let set = |merge: MergeState, rebase: RebaseState| {
            with_working_set(&whole, |set| (set.merge, set.rebase) = (Some(merge), Some(rebase)))
        };
        let told = verify_state(&set(merge.clone(), rebase.clone()).session());
        assert!(told.is_clean(), "{name}: {:?}", told.findings);
        for (place, change) in changes {
            let lost = Hash::of(b"lost");
            let (mut merge, mut rebase) = (merge.clone(), rebase.clone());
            change(&mut merge, &mut rebase, lost);
            let told = report(&set(merge, rebase));
            let finding = found(&told, "it is missing");
            assert_eq!((finding.chunk, finding.state.as_deref()), (Some(lost), Some(place)), "{name}");
            assert!(!state(&told, RefKind::Branch, "main").tip_is_safe, "{name}: {place}");
        }
    }
}

#[test]
fn a_conflict_whose_commit_is_missing_is_named() {
    for name in WHOLE {
        let mut damage = Damage::of(name);
        let artifacts = damage.table("fought").1.artifacts;
        let theirs = damage.target("refs/heads/other");
        let mut bytes = damage.chunk(artifacts).to_vec();
        let at = (0..bytes.len() - 20).find(|at| bytes[*at..].starts_with(theirs.as_bytes())).unwrap();
        bytes[at] ^= 1;
        let lost = Hash::from_slice(&bytes[at..at + 20]).unwrap();
        damage.replace(artifacts, bytes);
        let told = report(&damage);
        assert_eq!(
            found(&told, "a conflict names").problem,
            format!("a conflict names {lost}, which is missing")
        );
        assert_eq!(state(&told, RefKind::Branch, "main").damaged_tables, ["fought"]);
        let mut damage = Damage::of(name);
        damage.lose(artifacts);
        assert_eq!(found(&report(&damage), "it is missing").chunk, Some(artifacts));
    }
}

#[test]
fn a_name_of_an_unknown_kind_is_only_noted() {
    for name in WHOLE {
        let mut damage = Damage::of(name);
        let target = damage.target("refs/tags/v1");
        damage.point("elsewhere/x", target);
        let told = verify_state(&damage.session());
        assert!(told.is_clean() && told.notes[0].contains("elsewhere/x is of a kind"), "{told:?}");
        damage.point("elsewhere/x", Hash::of(b"lost"));
        assert_eq!(found(&report(&damage), "it is missing").state.as_deref(), Some("elsewhere/x"));
    }
}
