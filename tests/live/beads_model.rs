//! The issue model of `crates/beads` against the real bd: the same file is imported by both, and everything that bd prints or
//! stores afterwards has to be what the model says, byte by byte.
//!
//! Issues and edges are random but the same in every run; what they must have between them (kinds of edges, states, wisps,
//! gates, dates, odd texts) is seen to by their number.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use beads::filter::Filter;
use beads::id::{NewId, hash_id};
use beads::import::{self, Action, Mode, Options, Plan};
use beads::jsonl::{self, Header};
use beads::order::SortKey;
use beads::query::Query;
use beads::ready::{SortPolicy, WorkFilter, ready};
use beads::shapes::{Blocked, Details, Imported, Include, Listed, Statistics, Stats};
use beads::{Graph, Issue, Status, change, content_hash, go_json};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::{Ran, TestTown, bd, run};

/// A workspace of bd's own, in its embedded mode.
struct Workspace {
    town: TestTown,
    dir: PathBuf,
}

impl Workspace {
    fn new() -> Self {
        let town = TestTown::with(&[]);
        let dir = town.outside().join("beads");
        fs::create_dir(&dir).unwrap();
        let this = Self { town, dir };
        this.bd(&["init", "--prefix", "x", "--skip-agents", "--skip-hooks"]);
        this
    }

    #[track_caller]
    fn bd(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(bd());
        command.args(args);
        self.town.seal(&mut command);
        command
            .current_dir(&self.dir)
            .env("PWD", &self.dir)
            .env("BD_NON_INTERACTIVE", "1")
            .env("BD_ACTOR", "me");
        run(command).ok()
    }

    #[track_caller]
    fn import(&self, lines: &str, flags: &[&str]) -> String {
        fs::write(self.dir.join("in.jsonl"), lines).unwrap();
        self.bd(&[&["import", "in.jsonl", "--json"], flags].concat()).out
    }

    /// All rows of a table, as they are stored.
    #[track_caller]
    fn rows(&self, table: &str) -> Vec<Value> {
        let database = self.dir.join(".beads/embeddeddolt/x");
        let dump = self.town.gt(&["db", "--dir", database.to_str().unwrap(), "dump", table]).ok();
        dump.json()["rows"].as_array().unwrap().clone()
    }
}

/// The model beside it: what is stored, as bd reads it.
#[derive(Default)]
struct Model {
    issues: Vec<Issue>,
}

impl Model {
    fn plan(&self, lines: &str, mode: Mode) -> Plan {
        let records = jsonl::read(lines.as_bytes(), Header::AnIssue).unwrap();
        let options = Options { mode, actor: "me".into(), ..Options::default() };
        let stored = |id: &str| self.issues.iter().find(|issue| issue.id == id);
        let no_id = |_: &Issue, _: &dyn Fn(&str) -> bool| Err("every line has an id".to_owned());
        import::plan(&records.issues, stored, Graph::of(&self.issues), &options, Timestamp::now(), no_id)
            .unwrap()
    }

    fn apply(&mut self, plan: Plan) {
        for row in plan.rows {
            let issue = row.issue.as_stored();
            if row.action != Action::Insert {
                self.issues.retain(|known| known.id != issue.id);
            }
            self.issues.push(issue);
        }
    }

    fn graph(&self) -> Graph {
        Graph::of(&self.issues)
    }

    /// `export --all`: issues, then wisps, each in the order of a list.
    fn export(&self) -> String {
        let counts = jsonl::counts(&self.issues);
        let mut issues: Vec<_> = self.issues.iter().collect();
        let order = SortKey::Priority.rows(false);
        issues.sort_by(|a, b| a.is_wisp().cmp(&b.is_wisp()).then_with(|| order(a, b)));
        issues
            .into_iter()
            .map(|issue| jsonl::write_issue(issue, counts[issue.id.as_str()]).unwrap())
            .collect()
    }

    fn listed(&self, found: &[&Issue]) -> String {
        let counts = jsonl::counts(&self.issues);
        let listed: Vec<_> =
            found.iter().map(|issue| Listed::new(issue, counts[issue.id.as_str()])).collect();
        go_json::pretty(&listed).unwrap()
    }

    fn filtered(&self, filter: &Filter, passes: impl Fn(&Issue) -> bool) -> Vec<&Issue> {
        let graph = self.graph();
        let is_found = |issue: &&Issue| filter.matches(issue, &graph, Timestamp::now()) && passes(issue);
        let mut found: Vec<_> = self.issues.iter().filter(is_found).collect();
        let order = SortKey::Priority.rows(false);
        found.sort_by(|a, b| order(a, b));
        found
    }
}

/// Numbers that are the same in every run (a linear congruence; Knuth's constants).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn pick<'p, T>(&mut self, from: &'p [T]) -> &'p T {
        &from[self.below(from.len())]
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

const TEXTS: [&str; 6] = [
    "plain",
    "",
    "with <tags> & \"quotes\"",
    "two\nlines\tand \\",
    "Größe \u{2028} 😀 \u{7}",
    "100% under_score",
];

fn lines(numbers: &mut Numbers, count: usize) -> String {
    let ids: Vec<String> = (0..count)
        .map(|at| if at % 9 == 4 { format!("x-{:03}.{}", at - 4, at) } else { format!("x-{at:03}") })
        .collect();
    let time = |numbers: &mut Numbers| {
        let fraction = numbers.pick(&["", ".25", ".5", ".750001"]);
        format!(
            "2026-03-{:02}T{:02}:{:02}:05{fraction}Z",
            1 + numbers.below(9),
            numbers.below(24),
            numbers.below(60)
        )
    };
    // bd skips edges between issues and wisps of one file, and those of ours are kept: there are none.
    let family = |numbers: &mut Numbers| match numbers.below(18) {
        0..3 => Some("ephemeral"),
        3..5 => Some("no_history"),
        _ => None,
    };
    let families: Vec<Option<&str>> = ids.iter().map(|_| family(numbers)).collect();
    let line = |at: usize, numbers: &mut Numbers| {
        let status =
            *numbers.pick(&["open", "open", "open", "in_progress", "closed", "pinned", "deferred", "hooked"]);
        let mut issue = json!({
            "id": ids[at], "title": format!("{} {at}", numbers.pick(&TEXTS)), "description": numbers.pick(&TEXTS),
            "status": status, "priority": numbers.below(5), "created_at": time(numbers), "updated_at": time(numbers),
            "issue_type": numbers.pick(&["task", "bug", "epic", "gate", "molecule", "event", "message"]),
        });
        let optional: [(&str, Value); 11] = [
            ("assignee", json!("me")),
            ("labels", json!(["b", "a", "a", "ä"])),
            ("metadata", json!({"team": "core", "n": [1.50, {"bb": 1, "a": null}], "zz": 1e22})),
            ("defer_until", json!(numbers.pick(&["2020-01-01T00:00:00Z", "2999-01-01T00:00:00.5Z"]))),
            ("external_ref", json!("gh-9")),
            ("estimated_minutes", json!(0)),
            ("is_template", json!(true)),
            ("pinned", json!(true)),
            ("waiters", json!(["a@b", "<c>"])),
            ("timeout", json!(3_600_000_000_000_i64)),
            (
                "comments",
                json!([{"id": format!("c-{at}"), "author": "me", "text": numbers.pick(&TEXTS), "created_at": time(numbers)}]),
            ),
        ];
        for (key, value) in optional {
            if numbers.one_in(6) {
                issue[key] = value;
            }
        }
        if let Some(key) = families[at] {
            issue[key] = json!(true);
        }
        let kinds = [
            "blocks",
            "blocks",
            "parent-child",
            "parent-child",
            "conditional-blocks",
            "waits-for",
            "related",
            "tracks",
        ];
        let mut edges = Vec::new();
        for _ in 0..numbers.below(4) {
            let external = format!("external:other:{}", numbers.below(9));
            let to = numbers.below(count);
            let is_apart = families[to].is_some() != families[at].is_some();
            let target = if numbers.one_in(9) || is_apart { &external } else { &ids[to] };
            edges.push(json!({"issue_id": ids[at], "depends_on_id": target, "type": numbers.pick(&kinds), "created_at": time(numbers)}));
        }
        issue["dependencies"] = json!(edges);
        format!("{issue}\n")
    };
    (0..count).map(|at| line(at, numbers)).collect()
}

/// Compares line by line, so that a failure shows one issue and not all.
#[track_caller]
fn same(ours: &str, theirs: &str, what: &str) {
    for (ours, theirs) in ours.lines().zip(theirs.lines()) {
        assert_eq!(ours, theirs, "{what}");
    }
    assert_eq!(ours.lines().count(), theirs.lines().count(), "{what}");
}

/// Imports into both, and compares what bd says about it.
#[track_caller]
fn import_both(bd: &Workspace, model: &mut Model, lines: &str) {
    import_both_as(bd, model, lines, Mode::NewerWins);
}

#[track_caller]
fn import_both_as(bd: &Workspace, model: &mut Model, lines: &str, mode: Mode) {
    let plan = model.plan(lines, mode);
    let flags: &[&str] = if mode == Mode::LineWins { &["--allow-stale"] } else { &[] };
    let told = bd.import(lines, flags);
    same(&go_json::object(&Imported::of(&plan, "in.jsonl")).unwrap(), &told, "import");
    model.apply(plan);
}

#[track_caller]
fn flags_are_the_same(bd: &Workspace, graph: &Graph) {
    let rows = [bd.rows("issues"), bd.rows("wisps")].concat();
    let stored: BTreeMap<String, bool> =
        rows.iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row["is_blocked"] == 1)).collect();
    for (id, is_blocked) in &stored {
        assert_eq!(graph.is_blocked(id), *is_blocked, "{id} is_blocked");
    }
    assert_eq!(graph.len(), stored.len());
}

/// Hashes of content, ids of edges, flags.
fn stored_names_are_the_same(bd: &Workspace, model: &Model, graph: &Graph) {
    let rows = [bd.rows("issues"), bd.rows("wisps")].concat();
    let hashes: BTreeMap<&str, &str> =
        rows.iter().map(|row| (row["id"].as_str().unwrap(), row["content_hash"].as_str().unwrap())).collect();
    for issue in &model.issues {
        assert_eq!(issue.content_hash, hashes[issue.id.as_str()], "content hash of {}", issue.id);
    }
    let rows = [bd.rows("dependencies"), bd.rows("wisp_dependencies")].concat();
    let stored: BTreeSet<_> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    let computed: BTreeSet<_> =
        model.issues.iter().flat_map(|issue| &issue.dependencies).map(beads::Edge::computed_id).collect();
    assert_eq!(stored, computed);
    flags_are_the_same(bd, graph);
}

/// Ready work under every policy and the filters that depend on the graph.
fn ready_work_is_the_same(bd: &Workspace, model: &Model, graph: &Graph) {
    let now = Timestamp::now();
    let parent =
        model.issues.iter().find_map(|issue| issue.parent().filter(|id| graph.contains(id))).unwrap();
    let all = WorkFilter { limit: 0, ..WorkFilter::default() };
    for (args, filter) in [
        (&["--limit", "0"][..], all.clone()),
        (&["--limit", "7"], WorkFilter { limit: 7, ..all.clone() }),
        (&["--limit", "0", "--sort", "oldest"], WorkFilter { sort: SortPolicy::Oldest, ..all.clone() }),
        (&["--limit", "0", "--sort", "hybrid"], WorkFilter { sort: SortPolicy::Hybrid, ..all.clone() }),
        (&["--limit", "0", "--include-ephemeral"], WorkFilter { include_ephemeral: true, ..all.clone() }),
        (&["--limit", "0", "--include-deferred"], WorkFilter { include_deferred: true, ..all.clone() }),
        (&["--limit", "0", "--type", "gate"], WorkFilter { issue_type: Some("gate".into()), ..all.clone() }),
        (&["--limit", "0", "--unassigned"], WorkFilter { unassigned: true, ..all.clone() }),
        (
            &["--limit", "0", "--label", "a,ä"],
            WorkFilter { labels: vec!["a".into(), "ä".into()], ..all.clone() },
        ),
        (
            &["--limit", "0", "--exclude-label", "a"],
            WorkFilter { exclude_labels: vec!["a".into()], ..all.clone() },
        ),
        (
            &["--limit", "0", "--parent", parent],
            WorkFilter { parent: Some(parent.to_owned()), ..all.clone() },
        ),
        (&["--limit", "0", "--label-any", "nothing"], all),
    ] {
        let found = ready(&model.issues, graph, &filter, now);
        same(
            &model.listed(&found),
            &bd.bd(&[&["ready", "--json"], args].concat()).out,
            &format!("ready {args:?}"),
        );
    }
}

/// Items of a list by their ids.
fn by_id(text: &str) -> BTreeMap<String, Value> {
    let items: Vec<Value> = serde_json::from_str(text).unwrap();
    items.into_iter().map(|item| (item["id"].as_str().unwrap().to_owned(), item)).collect()
}

/// Blocked issues and their reasons. bd leaves the order of equal ones to chance.
fn blocked_work_is_the_same(bd: &Workspace, model: &Model, graph: &Graph) {
    let bare: Vec<Issue> = model
        .issues
        .iter()
        .map(|issue| Issue { dependencies: Vec::new(), comments: Vec::new(), ..issue.clone() })
        .collect();
    let listed: Vec<_> = bare
        .iter()
        .map(|issue| (issue, graph.blocked_by(&issue.id)))
        .filter(|(_, blocked_by)| !blocked_by.is_empty())
        .map(|(issue, blocked_by)| Blocked { issue, blocked_by_count: blocked_by.len(), blocked_by })
        .collect();
    let ours = by_id(&go_json::pretty(&listed).unwrap());
    let theirs = by_id(&bd.bd(&["blocked", "--json"]).out);
    assert!(ours.len() > 20, "{}", ours.len());
    for (id, theirs) in &theirs {
        assert_eq!(ours.get(id), Some(theirs), "blocked {id}");
    }
    assert_eq!(ours.len(), theirs.len());
}

/// Single issues, with the issues at the other ends of their edges.
fn shown_issues_are_the_same(bd: &Workspace, model: &Model) {
    // bd shows a wisp's remarks and says that there are none.
    let is_told = |issue: &&Issue| !issue.is_wisp() || issue.comments.is_empty();
    let shown: Vec<&Issue> = model.issues.iter().filter(is_told).step_by(7).collect();
    let find = |id: &str| model.issues.iter().find(|issue| issue.id == id);
    let ids: Vec<&str> = shown.iter().map(|issue| issue.id.as_str()).collect();
    for (args, include) in [
        (&[][..], Include::default()),
        (&["--include-dependents", "--include-comments"], Include { dependents: true, comments: true }),
    ] {
        let details = shown.iter().map(|issue| {
            let mut into: Vec<_> = model
                .issues
                .iter()
                .flat_map(|from| from.dependencies.iter().map(move |e| (from, e)))
                .collect();
            into.retain(|(_, edge)| edge.depends_on_id == issue.id);
            into.sort_by_cached_key(|(from, edge)| (from.is_wisp(), edge.computed_id()));
            let into: Vec<_> = into.into_iter().map(|(from, edge)| (from, &edge.kind)).collect();
            Details::of(issue, find, &into, include)
        });
        let ours = go_json::pretty(&details.collect::<Vec<_>>()).unwrap();
        same(
            &ours,
            &bd.bd(&[&["show", "--json"], args, ids.as_slice()].concat()).out,
            &format!("show {args:?}"),
        );
    }
}

/// Lists, searches, queries, numbers.
fn lists_are_the_same(bd: &Workspace, model: &Model, graph: &Graph) {
    same(
        &model.listed(&model.filtered(&Filter::of_list(&[], &[]), |_| true)),
        &bd.bd(&["list", "--json", "--limit", "0"]).out,
        "list",
    );
    let summary = Statistics::of(&model.issues, graph);
    let mut theirs = bd.bd(&["stats", "--json"]).json();
    theirs["summary"]["epics_eligible_for_closure"] = json!(summary.epics_eligible_for_closure);
    let ours: Value = serde_json::from_str(&go_json::object(&Stats { summary }).unwrap()).unwrap();
    assert_eq!(ours, theirs);
    let here = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    for query in [
        "status=open AND priority<=1",
        "label=a OR label=nothing",
        "label=A OR type=epic",
        "NOT type=task AND NOT status=closed",
        "NOT (priority>1 OR type=bug) AND assignee=none",
        "title='plain' AND metadata.team=core",
        "title='<tags>' OR has_metadata_key=zz",
        "created>'2026-03-05' AND updated<='2026-03-08'",
        "closed>1y OR id='x-00*'",
        "parent=x-000",
        "pinned=true OR template=yes",
    ] {
        let answer = Query::parse(query).unwrap().answer(&here, false).unwrap();
        let found = model.filtered(&answer.filter, |issue| answer.passes(issue));
        let args = ["query", query, "--json", "--limit", "0"];
        same(&model.listed(&found), &bd.bd(&args).out, query);
    }
    for words in ["plain", "GRÖSSE", "größe", "x-01", "100%", "under_", "x-0%"] {
        let filter = Filter { exclude_status: vec![Status::Closed], ..Filter::default() };
        let found = model.filtered(&filter, |issue| beads::filter::is_found(issue, words));
        let found: BTreeSet<_> = found.iter().map(|issue| issue.id.clone()).collect();
        let theirs: BTreeSet<_> =
            by_id(&bd.bd(&["search", words, "--json", "--limit", "0"]).out).into_keys().collect();
        assert_eq!(found, theirs, "search {words}");
    }
}

#[test]
fn a_random_store_is_what_the_model_says() {
    let bd = Workspace::new();
    let mut model = Model::default();
    let mut numbers = Numbers(1);
    import_both(&bd, &mut model, &lines(&mut numbers, 150));
    same(&model.export(), &bd.bd(&["export", "--all"]).out, "export");
    let graph = model.graph();
    stored_names_are_the_same(&bd, &model, &graph);
    ready_work_is_the_same(&bd, &model, &graph);
    blocked_work_is_the_same(&bd, &model, &graph);
    lists_are_the_same(&bd, &model, &graph);
    shown_issues_are_the_same(&bd, &model);
}

#[test]
fn changes_and_later_imports_lead_where_bd_leads() {
    let bd = Workspace::new();
    let mut model = Model::default();
    let mut numbers = Numbers(7);
    let first = lines(&mut numbers, 60);
    import_both(&bd, &mut model, &first);
    let mut graph = model.graph();

    // Single changes, each recomputed from the change alone.
    let ids: Vec<String> =
        model.issues.iter().filter(|issue| !issue.is_template).map(|issue| issue.id.clone()).collect();
    for _ in 0..6 {
        let closing: Vec<&str> = (0..3).map(|_| numbers.pick(&ids).as_str()).collect();
        for id in &closing {
            graph.set_status(id, &Status::Closed);
        }
        bd.bd(&[&["update", "--status", "closed"], closing.as_slice()].concat());
        let opening = numbers.pick(&ids);
        graph.set_status(opening, &Status::Open);
        bd.bd(&["update", opening, "--status", "open"]);
        let (from, to) = (numbers.pick(&ids), numbers.pick(&ids));
        graph.remove_edge(from, to);
        bd.bd(&["dep", "remove", from, to]);
        flags_are_the_same(&bd, &graph);
    }

    // The file again, older, equal and newer, with other content.
    let bd = Workspace::new();
    let mut model = Model::default();
    import_both(&bd, &mut model, &first);
    let changed: Vec<String> = first
        .lines()
        .map(|line| {
            let mut issue: Value = serde_json::from_str(line).unwrap();
            let day = *numbers.pick(&["2026-02-01", "2026-04-01", ""]);
            if !day.is_empty() {
                issue["updated_at"] = json!(format!("{day}T00:00:00Z"));
            }
            issue["priority"] = json!(numbers.below(5));
            issue["notes"] = json!(numbers.pick(&TEXTS));
            issue["labels"] = json!(["later"]);
            issue.as_object_mut().unwrap().remove("comments");
            format!("{issue}\n")
        })
        .collect();
    // Without the remarks: bd compares their times with the fraction, finds none equal, and then refuses to store an id twice.
    import_both(&bd, &mut model, &changed.concat());
    same(&model.export(), &bd.bd(&["export", "--all"]).out, "export after the second import");
    let older = changed.concat().replace("2026-04-01", "2026-01-01").replace("\"later\"", "\"restored\"");
    import_both_as(&bd, &mut model, &older, Mode::LineWins);
    same(&model.export(), &bd.bd(&["export", "--all"]).out, "export after an older file was made to win");
}

/// An export without the moments of the commands, but with the keys that say that there was one.
fn without_times(export: &str) -> Vec<Value> {
    let now = Timestamp::now().strftime("%Y-").to_string();
    let lines = export.lines().map(|line| {
        let mut issue: Value = serde_json::from_str(line).unwrap();
        for time in issue.as_object_mut().unwrap().values_mut() {
            if time.as_str().is_some_and(|time| time.starts_with(&now) && time.ends_with('Z')) {
                *time = json!("now");
            }
        }
        issue
    });
    lines.collect()
}

#[test]
fn commands_change_an_issue_as_the_model_does() {
    let bd = Workspace::new();
    let mut model = Model::default();
    let line = |id: &str, more: Value| {
        let mut issue = json!({
            "id": id, "title": id, "description": "of x-d, x-d and x-dd", "priority": 1, "pinned": id == "x-b",
            "created_at": "2020-01-02T03:04:05Z", "updated_at": "2020-01-02T03:04:05Z",
        });
        issue.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        format!("{issue}\n")
    };
    let edge = json!({"dependencies": [{"depends_on_id": "x-d", "type": "related", "created_at": "2020-01-02T03:04:05Z"}]});
    let file = [
        line("x-a", edge),
        line("x-b", json!({"status": "pinned"})),
        line("x-c", json!({"defer_until": "2020-02-02T00:00:00Z"})),
        line("x-d", json!({})),
    ];
    import_both(&bd, &mut model, &file.concat());
    let now = Timestamp::now();
    let mut both = |args: &[&str], id: &str, change: &dyn Fn(&mut Issue)| {
        bd.bd(args);
        change(model.issues.iter_mut().find(|issue| issue.id == id).unwrap());
        let ours: Vec<Issue> = model.issues.iter().map(|issue| issue.clone().as_stored()).collect();
        let ours = Model { issues: ours }.export();
        assert_eq!(without_times(&ours), without_times(&bd.bd(&["export", "--all"]).out), "{args:?}");
    };
    let to = |status: &'static str| move |issue: &mut Issue| change::set_status(issue, status.into(), now);
    both(&["update", "x-b", "--status", "in_progress"], "x-b", &to("in_progress"));
    both(&["update", "x-b", "--status", "closed"], "x-b", &to("closed"));
    both(&["update", "x-b", "--status", "open"], "x-b", &to("open"));
    both(&["update", "x-a", "--claim"], "x-a", &|issue| {
        assert_eq!(change::claim(issue, "me", now), Ok(true));
    });
    both(&["update", "x-a", "--claim"], "x-a", &|issue| {
        assert_eq!(change::claim(issue, "me", now), Ok(false));
    });
    both(&["close", "x-c", "-r", "why"], "x-c", &|issue| assert!(change::close(issue, "why", "", now)));
    both(&["close", "x-c", "-r", "other"], "x-c", &|issue| assert!(!change::close(issue, "other", "", now)));
    both(&["reopen", "x-c"], "x-c", &|issue| assert!(change::reopen(issue, now)));
    bd.bd(&["delete", "x-d", "--force"]);
    let mentions = bd.bd(&["show", "x-a", "--json"]).json();
    assert_eq!(mentions[0]["description"], change::mark_deleted("of x-d, x-d and x-dd", "x-d"));
}

#[test]
fn gates_on_children_open_as_in_bd() {
    let bd = Workspace::new();
    let lines = ["x-s", "x-s.1", "x-s.2"].map(|id| {
        let parent =
            json!([{"depends_on_id": "x-s", "type": "parent-child", "created_at": "2020-01-02T03:04:05Z"}]);
        let edges = if id == "x-s" { json!([]) } else { parent };
        format!("{}\n", json!({"id": id, "title": id, "priority": 1, "dependencies": edges}))
    });
    bd.import(&lines.concat(), &[]);
    for (id, gate) in [("x-all", "all-children"), ("x-any", "any-children")] {
        bd.bd(&["create", id, "--id", id, "--waits-for", "x-s", "--waits-for-gate", gate]);
    }
    // Without a gate: one closed child is enough for bd's flag.
    bd.bd(&["create", "x-bare", "--id", "x-bare"]);
    bd.bd(&["dep", "add", "x-bare", "x-s", "--type", "waits-for"]);
    let mut seen = Vec::new();
    for closing in ["", "x-s.1", "x-s.2"] {
        if !closing.is_empty() {
            bd.bd(&["close", closing]);
        }
        let export = bd.bd(&["export", "--all"]).out;
        let graph = Graph::of(&jsonl::read(export.as_bytes(), Header::AnIssue).unwrap().issues);
        flags_are_the_same(&bd, &graph);
        seen.push(["x-all", "x-any", "x-bare"].map(|id| graph.is_blocked(id)));
    }
    assert_eq!(seen, [[true; 3], [true, false, false], [false; 3]]);
}

#[test]
fn ids_of_new_issues_are_those_of_the_model() {
    let bd = Workspace::new();
    for args in [&["First", "-d", "with | and é"][..], &["Second", "--ephemeral"], &["Third", "--no-history"]]
    {
        let made = bd.bd(&[&["create", "--json"], args].concat()).json();
        let text = |key: &str| made[key].as_str().unwrap_or_default();
        let new = NewId {
            prefix: if made["ephemeral"] == true || made["no_history"] == true { "x-wisp" } else { "x" },
            title: text("title"),
            description: text("description"),
            actor: text("created_by"),
            created_at: text("created_at").parse().unwrap(),
        };
        assert_eq!(made["id"], hash_id(&new, 3, 0), "{made}");
        let row = [bd.rows("issues"), bd.rows("wisps")].concat();
        let row = row.iter().find(|row| row["id"] == made["id"]).unwrap();
        let issue: Issue = serde_json::from_value(made.clone()).unwrap();
        assert_eq!(row["content_hash"], content_hash::of(&issue), "{made}");
    }
}
