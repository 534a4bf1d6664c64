//! The rule, case by case as it was seen with the real bd, and by random changes against a slow reading of the definition.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::edge::waits_for_metadata;

fn edge(from: &str, to: &str, kind: &str) -> Edge {
    Edge::new(from, to, EdgeType::from(kind))
}

/// Waiting with the gate that wants all, with the other one, or without a gate.
fn edge_of(from: &str, to: &str, kind: &str) -> Edge {
    let metadata = match kind {
        "waits-for" => waits_for_metadata("all-children").unwrap(),
        "any" => waits_for_metadata("any-children").unwrap(),
        _ => String::new(),
    };
    Edge { metadata, ..edge(from, to, if matches!(kind, "any" | "bare") { "waits-for" } else { kind }) }
}

fn graph(statuses: &[(&str, &str)], edges: &[(&str, &str, &str)]) -> Graph {
    let mut graph = Graph::default();
    for (id, status) in statuses {
        graph.insert(id, &Status::from(*status));
    }
    for (from, to, kind) in edges {
        let edge = edge_of(from, to, kind);
        let target = if edge.is_external() { Target::External } else { Target::Issue };
        graph.insert_edge(&edge, target);
    }
    graph.recompute_all();
    graph
}

fn blocked(graph: &Graph) -> Vec<&str> {
    graph.blocked().collect::<BTreeSet<_>>().into_iter().collect()
}

#[test]
fn only_live_targets_of_edges_that_block_do_so() {
    for (status, blocks) in [
        ("open", true),
        ("in_progress", true),
        ("hooked", true),
        ("deferred", true),
        ("blocked", true),
        ("mine", true),
        ("closed", false),
        ("pinned", false),
    ] {
        for (kind, can) in [
            ("blocks", true),
            ("conditional-blocks", true),
            ("related", false),
            ("tracks", false),
            ("parent-child", false),
            ("waits-for", false),
        ] {
            let graph = graph(&[("a", "open"), ("b", status)], &[("a", "b", kind)]);
            assert_eq!(graph.is_blocked("a"), blocks && can, "{kind} {status}");
        }
    }
    let external = graph(&[("a", "open"), ("external:b", "open")], &[("a", "external:b", "blocks")]);
    assert!(!external.is_blocked("a"));
    assert!(!graph(&[("a", "open")], &[("a", "gone", "blocks")]).is_blocked("a"));
    assert!(!graph(&[("a", "closed"), ("b", "open")], &[("a", "b", "blocks")]).is_blocked("a"));
}

#[test]
fn a_blocked_parent_blocks_all_below_unless_one_between_is_closed() {
    let edges = [
        ("p", "b", "blocks"),
        ("c", "p", "parent-child"),
        ("g", "c", "parent-child"),
        ("h", "g", "parent-child"),
    ];
    let open = [("p", "open"), ("b", "open"), ("c", "open"), ("g", "open"), ("h", "open")];
    let mut graph = graph(&open, &edges);
    assert_eq!(blocked(&graph), ["c", "g", "h", "p"]);
    assert_eq!((graph.blocked_by("p"), graph.blocked_by("g")), (vec!["b"], vec!["c"]));
    let flips = graph.set_status("c", &Status::Closed);
    let off = |id: &str| Flip { id: id.into(), blocked: false };
    assert_eq!(flips, [off("c"), off("g"), off("h")]);
    assert_eq!(graph.set_status("b", &Status::Pinned), [off("p")]);
}

#[test]
fn waiting_for_children_ends_with_the_last_or_with_any() {
    let edges = [
        ("w", "s", "waits-for"),
        ("v", "s", "any"),
        ("u", "s", "bare"),
        ("c1", "s", "parent-child"),
        ("c2", "s", "parent-child"),
    ];
    let mut graph = graph(
        &[("w", "open"), ("v", "open"), ("u", "open"), ("s", "open"), ("c1", "open"), ("c2", "open")],
        &edges,
    );
    assert_eq!(blocked(&graph), ["u", "v", "w"]);
    graph.set_status("c1", &Status::Pinned);
    assert_eq!(blocked(&graph), ["u", "v", "w"], "a pinned child is not a closed one");
    graph.set_status("c1", &Status::Closed);
    assert_eq!(blocked(&graph), ["w"]);
    graph.set_status("s", &Status::Closed);
    assert_eq!(blocked(&graph), ["w"]);
    assert_eq!(graph.blocked_by("w"), Vec::<&str>::new(), "bd does not list it");
    graph.remove_edge("c2", "s");
    assert_eq!(blocked(&graph), Vec::<&str>::new());
}

#[test]
fn a_circle_of_parents_does_not_hold_itself() {
    let edges = [("a", "b", "parent-child"), ("b", "a", "parent-child"), ("a", "x", "blocks")];
    let mut graph = graph(&[("a", "open"), ("b", "open"), ("x", "open")], &edges);
    assert_eq!(blocked(&graph), ["a", "b"]);
    graph.set_status("x", &Status::Closed);
    assert_eq!(blocked(&graph), Vec::<&str>::new());
}

#[test]
fn circles_are_found_and_refused() {
    let edges = [("a", "b", "blocks"), ("b", "c", "conditional-blocks"), ("c", "d", "related")];
    let mut graph = graph(&[("a", "open"), ("b", "open"), ("c", "open"), ("d", "open")], &edges);
    assert_eq!(graph.path("a", "c"), Some(vec!["a", "b", "c"]));
    assert!(graph.waits("a", "c") && !graph.waits("c", "a") && !graph.waits("a", "d"));
    assert_eq!(graph.cycles(), Vec::<Cycle<'_>>::new());
    let closing = edge("c", "a", "blocks");
    assert!(crate::edge::check_cycle(&closing, |from, to| graph.waits(from, to)).is_err());
    graph.insert_edge(&closing, Target::Issue);
    assert_eq!(graph.cycles(), [vec!["a", "b", "c"]]);
}

#[test]
fn families_are_known_by_edges_and_by_names() {
    let edges = [
        ("x-a.1", "x-b", "parent-child"),
        ("x-c", "x-a", "parent-child"),
        ("x-d", "x-c", "parent-child"),
        ("x-e", "external:p", "parent-child"),
    ];
    let graph = graph(
        &[
            ("x-a", "open"),
            ("x-a.1", "open"),
            ("x-a.2", "open"),
            ("x-c", "open"),
            ("x-d", "open"),
            ("x-e", "open"),
        ],
        &edges,
    );
    assert!(graph.is_child("x-c", "x-a") && graph.is_child("x-a.2", "x-a"));
    assert!(
        !graph.is_child("x-a.1", "x-a") && graph.is_child("x-a.1", "x-b") && !graph.is_child("x-d", "x-a")
    );
    assert_eq!(graph.descendants("x-a"), ["x-c", "x-d"].into());
    assert_eq!(graph.descendants("external:p"), ["x-e"].into());
}

/// The definition, read slowly: apply the rule to everything until nothing changes.
fn slow(statuses: &[Option<&str>], edges: &[Option<(usize, usize, &str, bool)>]) -> Vec<usize> {
    let live = |at: usize| matches!(statuses[at], Some(status) if status != "closed" && status != "pinned");
    let is = |at: usize, wanted: &str| statuses[at] == Some(wanted);
    let edges: Vec<_> = edges.iter().flatten().collect();
    let children = |at: usize| {
        let edges = edges
            .iter()
            .filter(move |(_, to, kind, external)| *to == at && *kind == "parent-child" && !external);
        edges.map(|(from, ..)| *from)
    };
    let mut blocked = vec![false; statuses.len()];
    loop {
        let before = blocked.clone();
        for at in 0..statuses.len() {
            let reasons = edges.iter().any(|(from, to, kind, external)| {
                *from == at
                    && !external
                    && match *kind {
                        "blocks" | "conditional-blocks" => live(*to),
                        "parent-child" => blocked[*to],
                        "waits-for" => children(*to).any(live),
                        "any" | "bare" => {
                            children(*to).any(live) && !children(*to).any(|child| is(child, "closed"))
                        }
                        _ => false,
                    }
            });
            blocked[at] |= live(at) && reasons;
        }
        if before == blocked {
            return (0..statuses.len()).filter(|at| blocked[*at]).collect();
        }
    }
}

const STATUSES: [&str; 5] = ["open", "open", "closed", "pinned", "deferred"];
const KINDS: [&str; 8] =
    ["blocks", "parent-child", "parent-child", "waits-for", "any", "bare", "conditional-blocks", "related"];

proptest! {
    /// Any changes one by one leave the flags that the definition gives, and tell exactly what flipped.
    #[test]
    fn changes_one_by_one_lead_where_the_definition_leads(
        changes in prop::collection::vec((0..9_usize, 0..9_usize, 0..35_usize, 0..8_u8), 1..60)
    ) {
        const N: usize = 9;
        let name = |at: usize| format!("x-{at}");
        let mut statuses: [Option<&str>; N] = [None; N];
        let mut edges: Vec<Option<(usize, usize, &str, bool)>> = vec![None; N * N];
        let mut graph = Graph::default();
        for (a, b, pick, action) in changes {
            let before: BTreeSet<String> = graph.blocked().map(str::to_owned).collect();
            let flips = match action {
                0 | 1 => {
                    statuses[a] = Some(STATUSES[pick % 5]);
                    graph.set_status(&name(a), &Status::from(STATUSES[pick % 5]))
                }
                2 => {
                    statuses[a] = None;
                    for at in 0..N {
                        edges[a * N + at] = None;
                        if edges[at * N + a].is_some_and(|(.., external)| !external) {
                            edges[at * N + a] = None;
                        }
                    }
                    graph.remove(&name(a))
                }
                3 => {
                    edges[a * N + b] = None;
                    graph.remove_edge(&name(a), &name(b))
                }
                _ => {
                    let (kind, external) = (KINDS[pick % 8], pick == 34);
                    edges[a * N + b] = Some((a, b, kind, external));
                    let edge = edge_of(&name(a), &name(b), kind);
                    graph.add_edge(&edge, if external { Target::External } else { Target::Issue })
                }
            };
            let after: BTreeSet<String> = graph.blocked().map(str::to_owned).collect();
            let expected: BTreeSet<String> = slow(&statuses, &edges).into_iter().map(name).collect();
            prop_assert_eq!(&after, &expected);
            let told: BTreeSet<String> = flips.iter().map(|flip| flip.id.clone()).collect();
            prop_assert_eq!(told, before.symmetric_difference(&after).cloned().collect::<BTreeSet<_>>());
            prop_assert!(flips.iter().all(|flip| flip.blocked == after.contains(&flip.id)));
        }
        graph.recompute_all();
        let after: BTreeSet<String> = graph.blocked().map(str::to_owned).collect();
        prop_assert_eq!(after, slow(&statuses, &edges).into_iter().map(name).collect::<BTreeSet<_>>());
    }
}
