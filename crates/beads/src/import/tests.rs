//! What an import does, as it was seen with the real bd.

use super::*;
use crate::edge::EdgeType;
use crate::issue::Metadata;

fn at(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn issue(id: &str, second: u8, change: impl FnOnce(&mut Issue)) -> Issue {
    let time = at(&format!("2026-01-02T03:04:{second:02}Z"));
    let mut issue =
        Issue { id: id.into(), title: id.into(), created_at: time, updated_at: time, ..Issue::default() };
    issue.set_defaults();
    change(&mut issue);
    issue
}

fn import(lines: &[Issue], stored: &[Issue], mode: Mode) -> Plan {
    let options = Options { mode, actor: "me".into(), ..Options::default() };
    let find = |id: &str| stored.iter().find(|issue| issue.id == id);
    let now = "2026-06-01T00:00:00Z".parse().unwrap();
    plan(lines, find, Graph::of(stored), &options, now, |_, is_taken| {
        Ok(if is_taken("x-new") { "x-newer" } else { "x-new" }.to_owned())
    })
    .unwrap()
}

#[test]
fn a_newer_line_replaces_its_columns_and_brings_what_it_has_of_the_others() {
    let stored = issue("x-a", 5, |i| {
        (i.owner, i.notes, i.labels) = ("ow".into(), "old".into(), vec!["a".into()]);
        (i.sender, i.pinned) = ("mayor".into(), true);
        i.due_at = at("2027-01-01T00:00:00Z");
    });
    let line = issue("x-a", 6, |i| {
        (i.owner, i.title, i.status, i.priority) = ("other".into(), "new".into(), Status::InProgress, 1);
        (i.labels, i.metadata) = (vec!["b".into(), "a".into()], Some(Metadata::new("[1]").unwrap()));
    });
    let plan = import(std::slice::from_ref(&line), std::slice::from_ref(&stored), Mode::NewerWins);
    let row = &plan.rows[0];
    assert_eq!((row.action, row.new_labels.as_slice()), (Action::Replace, &["b".to_owned()][..]));
    assert_eq!(
        (row.issue.owner.as_str(), row.issue.title.as_str(), row.issue.notes.as_str()),
        ("other", "new", "")
    );
    let kept = (row.issue.due_at, row.issue.sender.as_str(), row.issue.pinned);
    assert_eq!(kept, (stored.due_at, "mayor", true));
    assert_eq!(row.issue.labels, ["a", "b"]);
    assert_eq!(row.issue.content_hash, crate::content_hash::of(&line));
    let told = "status open → in_progress, priority 0 → 1, title, notes cleared, metadata";
    assert_eq!(plan.updated, [("x-a".to_owned(), told.to_owned())]);
    assert_eq!((plan.lines, plan.stale.len()), (1, 0));
}

#[test]
fn a_tie_keeps_the_row_and_takes_what_hangs_on_the_line() {
    let stored = issue("x-a", 5, |_| {});
    let line = issue("x-a", 5, |i| {
        (i.title, i.labels) = ("new".into(), vec!["b".into()]);
        i.updated_at = at("2026-01-02T03:04:05.4Z");
    });
    let plan = import(&[line], &[stored], Mode::NewerWins);
    assert_eq!((plan.rows[0].action, plan.rows[0].issue.title.as_str()), (Action::Keep, "x-a"));
    assert_eq!((plan.rows[0].new_labels.len(), plan.ties.as_slice()), (1, &["x-a".to_owned()][..]));
}

#[test]
fn nothing_of_an_older_line_is_used_unless_it_is_to_win() {
    let stored = [issue("x-a", 5, |_| {})];
    let line = || issue("x-a", 4, |i| (i.title, i.labels) = ("new".into(), vec!["b".into()]));
    let plan = import(&[line()], &stored, Mode::NewerWins);
    assert_eq!((plan.rows.len(), plan.lines, plan.stale.as_slice()), (0, 0, &["x-a".to_owned()][..]));
    let plan = import(&[line()], &stored, Mode::LineWins);
    assert_eq!(
        (plan.rows[0].issue.title.as_str(), plan.rows[0].issue.updated_at),
        ("new", line().updated_at)
    );
    let plan = import(&[issue("x-a", 9, |i| i.title = "new".into())], &stored, Mode::StoreWins);
    assert_eq!((plan.rows[0].action, plan.rows[0].issue.title.as_str()), (Action::Keep, "x-a"));
}

#[test]
fn a_second_line_of_an_id_counts_after_the_first() {
    let lines = vec![
        issue("x-a", 5, |i| i.title = "first".into()),
        issue("x-a", 7, |i| i.title = "second".into()),
        issue("x-a", 6, |i| i.title = "third".into()),
    ];
    let plan = import(&lines, &[], Mode::NewerWins);
    assert_eq!((plan.rows.len(), plan.rows[0].action), (1, Action::Insert));
    assert_eq!(plan.rows[0].issue.title, "second");
    assert_eq!((plan.lines, plan.stale.as_slice()), (2, &["x-a".to_owned()][..]));
}

#[test]
fn importing_twice_changes_nothing() {
    let edge = |to: &str| Edge {
        created_at: at("2026-01-02T03:04:05.6Z"),
        metadata: "{\"a\":1}".into(),
        ..Edge::new("", to, EdgeType::Blocks)
    };
    let lines = vec![
        issue("x-a", 5, |i| {
            i.updated_at = at("2026-01-02T03:04:05.6Z");
            i.labels = vec!["l".into()];
            i.dependencies = vec![edge("x-b"), edge("external:q")];
            i.comments = vec![Comment {
                author: "me".into(),
                text: "hi".into(),
                created_at: at("2026-01-02T03:04:05.5Z"),
                ..Comment::default()
            }];
        }),
        issue("x-b.3", 5, |_| {}),
        issue("x-b", 5, |i| i.dependencies = vec![edge("x-a"), edge("x-b"), edge("x-gone")]),
    ];
    let first = import(&lines, &[], Mode::NewerWins);
    let skipped: Vec<_> = first.skipped_edges.iter().map(ToString::to_string).collect();
    let expected = [
        "x-b -> x-a: adding dependency would create a cycle",
        "x-b -> x-b: cannot add self-dependency: x-b cannot depend on itself",
        "x-b -> x-gone: target not found",
    ];
    assert_eq!(skipped, expected);
    assert_eq!(first.child_counters, BTreeMap::from([("x-b".to_owned(), 3)]));
    assert!(first.graph.is_blocked("x-a"));
    let edges = &first.rows[0].new_edges;
    assert_eq!((edges.len(), edges[0].1, edges[1].1), (2, Target::Issue, Target::External));
    assert_eq!((edges[0].0.created_by.as_str(), edges[0].0.metadata.as_str()), ("me", "{}"));

    let stored: Vec<Issue> = first.rows.into_iter().map(|row| row.issue.as_stored()).collect();
    let second = import(&lines, &stored, Mode::NewerWins);
    for row in second.rows {
        assert_eq!(row.action, Action::Keep);
        assert_eq!((row.new_labels.len(), row.new_comments.len(), row.new_edges.len()), (0, 0, 0));
    }
    // The stored time was rounded up, so the line is older now, as with bd.
    assert_eq!((second.updated.len(), second.ties.len(), second.stale.len()), (0, 0, 1));
}

#[test]
fn edges_between_the_tables_and_to_other_rigs_are_kept() {
    let lines = vec![
        issue("x-w", 5, |i| i.ephemeral = true),
        issue("x-a", 5, |i| {
            i.dependencies = ["x-w", "y-far", "x-gone"].map(|to| Edge::new("", to, EdgeType::Blocks)).into();
        }),
    ];
    let plan = import(&lines, &[], Mode::NewerWins);
    let targets: Vec<Target> = plan.rows[1].new_edges.iter().map(|(_, target)| *target).collect();
    assert_eq!(targets, [Target::Wisp, Target::External]);
    assert!(plan.graph.is_blocked("x-a"));
    assert_eq!(plan.skipped_edges[0].to_string(), "x-a -> x-gone: target not found");
    let wisp = [issue("x-w", 5, |i| i.ephemeral = true)];
    let line = issue("x-a", 5, |i| i.dependencies = vec![Edge::new("", "x-w", EdgeType::Blocks)]);
    let plan = import(&[line], &wisp, Mode::NewerWins);
    assert_eq!(plan.rows[0].new_edges[0].1, Target::Wisp);
}

#[test]
fn an_invalid_line_imports_nothing_and_lines_without_id_get_one() {
    let refused = |line: Issue| {
        let none = |_: &str| None;
        let now = Timestamp::UNIX_EPOCH;
        plan(&[line], none, Graph::default(), &Options::default(), now, |_, _| Err("no".into()))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(issue("x-a", 5, |i| i.title.clear())),
        "validation failed for issue x-a: title is required"
    );
    assert_eq!(refused(issue("", 5, |i| i.title = "t".into())), "failed to generate issue ID: no");
    let plan = import(
        &[issue("", 5, |i| i.title = "t".into()), issue("", 5, |i| i.title = "u".into())],
        &[],
        Mode::NewerWins,
    );
    assert_eq!(plan.imported, ["x-new", "x-newer"]);
}

#[test]
fn known_titles_are_left_out_on_request() {
    let mut lines = vec![issue("x-a", 5, |i| i.title = "FIX é".into()), issue("x-b", 5, |_| {})];
    let stored =
        [issue("x-c", 5, |i| i.title = "fix É".into()), issue("x-b", 5, |i| i.status = Status::Closed)];
    assert_eq!(drop_known_titles(&mut lines, stored.iter()), 1);
    assert_eq!(lines[0].id, "x-b");
}
