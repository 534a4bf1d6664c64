//! Issues as lines of JSON, from program to program and back: every field, every kind of edge, wisps and texts of all sorts. What
//! bd loses on the way is named here, and ours loses none of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Map, Value, json};

use super::{Who, call, split};
use crate::support::{Ran, TestTown};

const KINDS: [&str; 20] = [
    "blocks",
    "parent-child",
    "conditional-blocks",
    "waits-for",
    "related",
    "discovered-from",
    "replies-to",
    "relates-to",
    "duplicates",
    "supersedes",
    "authored-by",
    "assigned-to",
    "approved-by",
    "attests",
    "tracks",
    "until",
    "caused-by",
    "validates",
    "delegated-from",
    "a kind of one's own",
];

const TEXT: &str = "two lines\n\tand \"quotes\" \\ <tags> & é ß 日本語 😀 \u{2028} \u{7} 100% under_score 'one' ``` \r\n end ";

/// Lines with everything, closed under their edges; the second half are wisps.
fn lines() -> Vec<Value> {
    let base = |id: &str, title: &str| {
        json!({
            "_type": "issue", "id": id, "title": title, "status": "open", "priority": 2, "issue_type": "task",
            "owner": "ann@example.com", "created_at": "2026-03-01T10:00:00Z", "created_by": "ann",
            "updated_at": "2026-04-01T11:00:00Z",
        })
    };
    let mut full = base("t-full", "Everything <é> 😀 \"q\" \\");
    let fields = json!({
        "description": TEXT, "design": TEXT, "acceptance_criteria": TEXT, "notes": TEXT, "spec_id": "docs/a b#c",
        "status": "closed", "priority": 0, "issue_type": "bug", "assignee": "bob ß", "estimated_minutes": 0,
        "started_at": "2026-03-02T10:00:00Z", "closed_at": "2026-04-01T10:00:00Z", "close_reason": TEXT,
        "closed_by_session": "session-1", "due_at": "2030-01-01T00:00:00Z", "defer_until": "2029-12-31T23:59:59Z",
        "external_ref": "gh-9", "source_system": "adapter",
        "metadata": {"n": 1.5, "z": null, "list": [1, {"b": "<é>"}], "team": "core"},
        "compaction_level": 1, "compacted_at": "2026-04-02T00:00:00Z", "compacted_at_commit": "0123abcd",
        "original_size": 4321, "labels": ["a b", "z", "ä:ö"], "sender": "mayor", "pinned": true,
        "await_type": "gh:run", "await_id": "77", "timeout": 3_600_000_000_000_i64, "waiters": ["ann", "b\"ob"],
        "mol_type": "swarm", "work_type": "open_competition", "event_kind": "patrol.muted", "actor": "agent-1",
        "target": "t-else", "payload": "{\"k\":\"<v>\"}",
    });
    full.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    full["comments"] = json!([
        {"id": "0195a000-0000-7000-8000-000000000001", "issue_id": "t-full", "author": "ann", "text": TEXT, "created_at": "2026-03-03T10:00:00Z"},
        {"id": "0195a000-0000-7000-8000-000000000002", "issue_id": "t-full", "author": "bob", "text": "Again", "created_at": "2026-03-04T10:00:00Z"},
    ]);
    let mut template = base("t-template", "A template");
    template["is_template"] = true.into();
    let mut lines = vec![full, template, base("t-aim", "What others lead to"), base("t-aim2", "And another")];
    let mut wisp = base("t-wisp-full", "A wisp");
    let fields = json!({
        "ephemeral": true, "wisp_type": "patrol", "description": TEXT, "labels": ["w"], "due_at": "2030-01-01T00:00:00Z",
        "status": "closed", "closed_at": "2026-04-01T10:00:00Z", "closed_by_session": "session-2",
    });
    wisp.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    wisp["comments"] = json!([
        {"id": "0195a000-0000-7000-8000-000000000003", "issue_id": "t-wisp-full", "author": "ann", "text": "on a wisp", "created_at": "2026-03-03T10:00:00Z"},
    ]);
    let mut local = base("t-local", "Without history");
    local["no_history"] = true.into();
    let edge = |from: &str, to: &str, kind: &str| {
        json!({
            "issue_id": from, "depends_on_id": to, "type": kind, "created_at": "2026-03-05T10:00:00Z",
            "created_by": "ada", "metadata": "{\"gate\":\"any-children\"}", "thread_id": "thread-1",
        })
    };
    for (at, kind) in KINDS.iter().enumerate() {
        for (family, aim) in [("t-kind", "t-aim"), ("t-wisp-kind", "t-wisp-aim")] {
            let id = format!("{family}{at}");
            let mut from = base(&id, &format!("Leads by {kind}"));
            let mut edges = vec![edge(&id, aim, kind)];
            if at == 0 {
                edges.push(edge(&id, "external:other:thing", "blocks"));
                edges.push(edge(&id, "x-of.another-rig", "tracks"));
                // Into the other table.
                edges.push(edge(&id, if aim == "t-aim" { "t-wisp-aim" } else { "t-aim2" }, "related"));
            }
            from["dependencies"] = edges.into();
            if family == "t-wisp-kind" {
                from["ephemeral"] = true.into();
            }
            lines.push(from);
        }
    }
    let mut aim = base("t-wisp-aim", "A wisp that others lead to");
    aim["ephemeral"] = true.into();
    lines.extend([wisp, local, aim]);
    lines
}

fn text_of(lines: &[Value]) -> String {
    lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n") + "\n"
}

/// By id, without what is counted and what is put in an order.
fn by_id(text: &str) -> BTreeMap<String, Map<String, Value>> {
    let issue = |line: &str| {
        let Value::Object(mut issue) = serde_json::from_str(line).unwrap() else { panic!("{line}") };
        for counted in ["dependency_count", "dependent_count", "comment_count"] {
            issue.remove(counted);
        }
        if let Some(edges) = issue.get_mut("dependencies").and_then(Value::as_array_mut) {
            edges.sort_by_key(|edge| edge["depends_on_id"].as_str().unwrap().to_owned());
            // A document in a text, spelled as the database spells it.
            for edge in edges {
                let document = edge["metadata"].as_str().unwrap();
                edge["metadata"] = serde_json::from_str(document).unwrap();
            }
        }
        (issue["id"].as_str().unwrap().to_owned(), issue)
    };
    let issues: BTreeMap<_, _> = text.lines().map(issue).collect();
    assert_eq!(issues.len(), text.lines().count(), "an id comes twice: {text}");
    issues
}

/// The same without what bd loses when it imports.
fn without_what_bd_loses(text: &str) -> BTreeMap<String, Map<String, Value>> {
    let mut issues = by_id(text);
    for issue in issues.values_mut() {
        issue.remove("closed_by_session");
        let Some(edges) = issue.get_mut("dependencies").and_then(Value::as_array_mut) else { continue };
        let is_foreign = |edge: &Value| edge["depends_on_id"].as_str().unwrap().starts_with("x-");
        let is_across = |edge: &Value| {
            ["issue_id", "depends_on_id"]
                .iter()
                .filter(|end| edge[**end].as_str().unwrap().starts_with("t-wisp"))
                .count()
                == 1
        };
        edges.retain(|edge| !is_foreign(edge) && !is_across(edge));
        for edge in edges {
            let edge = edge.as_object_mut().unwrap();
            edge.remove("metadata");
            edge.remove("thread_id");
        }
    }
    issues
}

struct Workspaces {
    town: TestTown,
}

impl Workspaces {
    fn new(names: &[&str]) -> Self {
        let town = TestTown::with(&[]);
        let workspaces = Self { town };
        for name in names {
            fs::create_dir(workspaces.town.outside().join(name)).unwrap();
            workspaces.run(Who::Ours, name, "init --prefix t --skip-agents --skip-hooks -q").ok();
        }
        workspaces
    }

    fn run(&self, who: Who, name: &str, line: &str) -> Ran {
        call(&self.town, &self.town.outside().join(name), who, &split(line))
    }

    /// Imports a text and gives what the program exports then.
    fn through(&self, who: Who, name: &str, text: &str) -> String {
        fs::write(self.town.outside().join(name).join("in.jsonl"), text).unwrap();
        self.run(who, name, "import in.jsonl").ok();
        self.run(who, name, "export --all").ok().out
    }
}

#[track_caller]
fn same(left: &BTreeMap<String, Map<String, Value>>, right: &BTreeMap<String, Map<String, Value>>) {
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    for (id, issue) in left {
        let names: BTreeSet<&String> = issue.keys().chain(right[id].keys()).collect();
        for name in names {
            assert_eq!(issue.get(name), right[id].get(name), "{name} of {id}");
        }
    }
}

#[test]
fn nothing_is_lost_from_our_lines_to_our_lines_nor_what_bd_keeps_from_program_to_program() {
    let places = Workspaces::new(&["one", "two", "real", "back"]);
    let given = text_of(&lines());
    // Into ours and out again: everything is there.
    let first = places.through(Who::Ours, "one", &given);
    same(&by_id(&first), &by_id(&given));
    // Once more: byte for byte.
    let second = places.through(Who::Ours, "two", &first);
    assert_eq!(second, first);
    // Into the real one and out: what bd does not lose.
    let real = places.through(Who::Real, "real", &first);
    same(&without_what_bd_loses(&real), &without_what_bd_loses(&first));
    // And back into a new one of ours, byte for byte.
    let back = places.through(Who::Ours, "back", &real);
    assert_eq!(back, real);
    // What the real one has lost does not go from those who still have it.
    let again = places.through(Who::Ours, "one", &real);
    assert_eq!(again, first);
}

#[test]
fn a_newer_line_brings_every_field_that_it_has_and_takes_none_that_it_is_silent_about() {
    let places = Workspaces::new(&["one"]);
    let given = lines();
    let mut bare = text_of(&given[2..4]);
    bare += "{\"id\":\"t-full\",\"title\":\"Bare\",\"status\":\"open\",\"priority\":3,\"issue_type\":\"task\",\"created_at\":\"2026-03-01T10:00:00Z\",\"updated_at\":\"2026-03-01T10:00:00Z\"}\n";
    places.through(Who::Ours, "one", &bare);
    let full = text_of(&given[..1]);
    let told = by_id(&places.through(Who::Ours, "one", &full));
    same(&[("t-full".to_owned(), told["t-full"].clone())].into(), &by_id(&full));
    // A newer line that says little.
    let little = "{\"id\":\"t-full\",\"title\":\"Little\",\"status\":\"open\",\"priority\":1,\"issue_type\":\"task\",\"created_at\":\"2026-03-01T10:00:00Z\",\"updated_at\":\"2026-05-01T10:00:00Z\"}\n";
    let told = by_id(&places.through(Who::Ours, "one", little));
    let full = by_id(&full);
    for kept in
        ["due_at", "defer_until", "pinned", "owner", "waiters", "timeout", "labels", "payload", "comments"]
    {
        assert_eq!(told["t-full"].get(kept), Some(&full["t-full"][kept]), "{kept}");
    }
    assert_eq!((&told["t-full"]["title"], told["t-full"].get("design")), (&json!("Little"), None));
}
