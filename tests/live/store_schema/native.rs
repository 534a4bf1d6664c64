//! A database that we make is the one that bd makes.

use std::fs;

use dolt_store::commit::Session;
use dolt_store::table::ForeignKey;
use gt::store::schema::{self, SchemaError};

use super::{COMMITS, Yard, addresses, fresh, is_whole, messages, same_as, session, table};
use crate::support::{Dolt, Ran, TestTown, free_port};

#[test]
fn every_table_of_ours_has_the_address_that_bd_gives_it() {
    let yard = Yard::new();
    let theirs = yard.bd_init("theirs");
    let at = session(&theirs);
    let fresh = same_as(&at);
    // bd's migrations take longer than a second.
    let moment = jiff::Timestamp::from_millisecond(fresh.by.millis.try_into().unwrap()).unwrap();
    let moment = moment.strftime("%Y-%m-%d %H:%M:%S");
    let set = format!("update ignored_schema_migrations set applied_at = '{moment}'");
    yard.dolt(Dolt::V2, &theirs, &["sql", "-q", &set]).ok();
    let ours = yard.dir("ours").join("x");
    schema::create(&ours, &fresh).unwrap();
    let (ours_at, theirs_at) = (session(&ours), session(&theirs));
    for revision in ["HEAD", "WORKING"] {
        let (own, other) = (addresses(&ours_at, revision), addresses(&theirs_at, revision));
        let names = |list: &[(String, _)]| list.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&own), names(&other), "{revision}");
        let mut others = Vec::new();
        for ((name, mine), (_, bds)) in own.iter().zip(&other) {
            let (mine_at, bds_at) = (table(&ours_at, revision, name), table(&theirs_at, revision, name));
            assert_eq!(mine_at.schema(), bds_at.schema(), "{revision}: {name}");
            if mine != bds {
                others.push(name.as_str());
            }
        }
        // The views say the same in other words.
        assert_eq!(others, ["dolt_schemas"], "{revision}");
        let unresolved = same_keys(&foreign_keys(&ours_at, revision), &foreign_keys(&theirs_at, revision));
        assert_eq!(unresolved, ["fk_counter_parent"], "{revision}");
    }
    assert_eq!(messages(&ours_at), COMMITS);
    assert_eq!(messages(&theirs_at), COMMITS);
    is_whole(&yard, &ours);
}

#[test]
fn bd_works_in_a_database_of_ours_as_in_its_own() {
    let yard = Yard::new();
    let dir = yard.dir("workspace");
    let fresh = fresh();
    let database = dir.join(".beads/embeddeddolt/x");
    schema::create(&database, &fresh).unwrap();
    let metadata = format!(
        "{{\"database\":\"dolt\",\"backend\":\"dolt\",\"dolt_mode\":\"embedded\",\"dolt_database\":\"x\",\"project_id\":\"{}\"}}",
        fresh.project_id
    );
    fs::write(dir.join(".beads/metadata.json"), metadata).unwrap();
    let before = messages(&session(&database));
    yard.bd(&dir, &["list"]).ok().says("No issues found");
    assert_eq!(messages(&session(&database)), before, "nothing to migrate");
    let roots = |session: &Session| ["HEAD", "WORKING"].map(|r| session.resolve_root(r).unwrap().unwrap());
    let (own, seen) = (yard.dir("never"), roots(&session(&database)));
    schema::create(&own.join("x"), &fresh).unwrap();
    assert_eq!(roots(&session(&own.join("x"))), seen, "nothing of it has changed");
    a_day_with_bd(|args| yard.bd(&dir, args));
    let log = messages(&session(&database));
    assert!(!log[..log.len() - COMMITS.len()].iter().any(|m| m.contains("migrat")), "{log:?}");
    assert_eq!(log[log.len() - COMMITS.len()..], COMMITS);
    is_whole(&yard, &database);
}

#[test]
fn bd_works_in_a_database_of_ours_through_a_server() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let yard = Yard { town: TestTown::build(dolt, &[], free_port()) };
        let fresh = fresh();
        let database = yard.town.database("x");
        schema::create(&database, &fresh).unwrap();
        yard.town.up();
        let dir = yard.dir("workspace");
        fs::create_dir(dir.join(".beads")).unwrap();
        let metadata = format!(
            "{{\"database\":\"dolt\",\"backend\":\"dolt\",\"dolt_mode\":\"server\",\"dolt_server_host\":\"127.0.0.1\",\"dolt_server_port\":{},\"dolt_database\":\"x\",\"project_id\":\"{}\"}}",
            yard.town.port, fresh.project_id
        );
        fs::write(dir.join(".beads/metadata.json"), metadata).unwrap();
        a_day_with_bd(|args| yard.bd(&dir, args));
        let found = yard.bd(&dir, &["doctor", "--json"]).json();
        let schema_checks: Vec<_> = found["checks"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|check| check["name"].as_str().unwrap().to_lowercase().contains("schema"))
            .collect();
        assert!(!schema_checks.is_empty(), "{found}");
        for check in schema_checks {
            assert_eq!(check["status"], "ok", "{dolt:?}: {check}");
        }
        let log = messages(&session(&database));
        assert!(!log[..log.len() - COMMITS.len()].iter().any(|m| m.contains("migrat")), "{log:?}");
        yard.town.gt(&["dolt", "stop"]).ok();
        is_whole(&yard, &database);
    }
}

// What bd does to tables of every kind.
pub(super) fn a_day_with_bd(bd: impl Fn(&[&str]) -> Ran) {
    let create = |args: &[&str]| -> String {
        let made = bd(&[&["create", "--json"], args].concat()).ok().json();
        made["id"].as_str().unwrap().to_owned()
    };
    let long = "long ".repeat(4000);
    let first = create(&["First", "-d", &long, "-l", "a,b"]);
    let second = create(&["Second", "-p", "1"]);
    let child = create(&["Child", "--parent", &first]);
    let wisp = create(&["Gone tomorrow", "--ephemeral", "-d", &long]);
    assert!(first.starts_with("x-") && wisp.contains("wisp") && child.starts_with(&first), "{first} {wisp}");
    bd(&["dep", "add", &first, &second]).ok();
    bd(&["dep", "add", &wisp, &second]).ok();
    bd(&["comment", &first, "a comment"]).ok();
    bd(&["update", &second, "--status", "in_progress"]).ok();
    bd(&["ready"]).ok().never_says("First");
    bd(&["list"]).ok().says("First").says("Second");
    bd(&["close", &second, "-r", "done"]).ok();
    bd(&["ready"]).ok().says("First");
    bd(&["show", &first]).ok().says("a comment").says("long long");
    bd(&["delete", &child, "--force"]).ok();
}

#[test]
fn of_two_who_make_one_database_one_is_told_that_there_is_one() {
    let yard = Yard::new();
    let path = yard.dir("race").join("x");
    let makers = 4;
    let gate = std::sync::Barrier::new(makers);
    let done: Vec<_> = std::thread::scope(|scope| {
        let make = || {
            gate.wait();
            schema::create(&path, &fresh())
        };
        let begun: Vec<_> = (0..makers).map(|_| scope.spawn(make)).collect();
        begun.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
    for refused in done.iter().filter_map(|done| done.as_ref().err()) {
        assert!(matches!(refused, SchemaError::Exists { path: at } if *at == path), "{refused}");
    }
    let left: Vec<_> =
        fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["x"], "nobody leaves anything else");
    assert_eq!(messages(&session(&path)), COMMITS);
}

#[test]
fn what_is_there_already_is_left_alone() {
    let yard = Yard::new();
    let dir = yard.dir("full");
    fs::write(dir.join("file"), "mine").unwrap();
    for path in [dir.clone(), dir.join("file")] {
        let refused = schema::create(&path, &fresh()).unwrap_err();
        assert!(matches!(refused, SchemaError::Exists { .. }), "{refused}");
    }
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    // An empty directory is what `mkdir` leaves.
    let empty = yard.dir("empty");
    schema::create(&empty, &fresh()).unwrap();
    assert_eq!(messages(&session(&empty)), COMMITS);
}

#[test]
fn the_views_say_what_bds_views_say() {
    let yard = Yard::new();
    let theirs = yard.bd_init("theirs");
    let dir = yard.dir("theirs");
    a_day_with_bd(|args| yard.bd(&dir, args));
    let issue = |id: &str, status: &str, more: &str| {
        format!(
            "insert into issues (id, title, description, design, acceptance_criteria, notes, status{}) \
             values ('{id}', 't', '', '', '', '', '{status}'{});",
            if more.is_empty() { "" } else { ", defer_until, ephemeral" },
            more
        )
    };
    let edge = |from: &str, kind: &str, to: &str| {
        format!(
            "insert into dependencies (id, issue_id, type, depends_on_issue_id, created_by) \
             values (uuid(), '{from}', '{kind}', '{to}', 'me');"
        )
    };
    let mut sql = String::from(
        "insert into custom_statuses values ('going', 'active'), ('over', 'done'), ('ice', 'frozen'), ('odd', 'wip');",
    );
    for (id, status) in [
        ("a", "open"),
        ("b", "open"),
        ("c", "closed"),
        ("d", "going"),
        ("e", "over"),
        ("f", "ice"),
        ("g", "odd"),
        ("h", "pinned"),
        ("i", "open"),
        ("j", "open"),
        ("k", "open"),
        ("l", "in_progress"),
        ("m", "open"),
    ] {
        sql += &issue(id, status, "");
    }
    sql += &issue("later", "open", ", '2999-01-01', 0");
    sql += &issue("before", "open", ", '1999-01-01', 0");
    sql += &issue("short", "open", ", null, 1");
    sql += &issue("unknown", "open", ", null, null");
    for (from, kind, to) in [
        ("a", "blocks", "b"),
        ("a", "blocks", "d"),
        ("a", "blocks", "c"),
        ("b", "blocks", "e"),
        ("d", "blocks", "f"),
        ("e", "blocks", "a"),
        ("i", "parent-child", "a"),
        ("j", "parent-child", "i"),
        ("k", "parent-child", "later"),
        ("l", "blocks", "g"),
        ("m", "blocks", "h"),
        ("g", "related", "a"),
        ("i", "blocks", "g"),
    ] {
        sql += &edge(from, kind, to);
    }
    let run = |sql: &str| yard.dolt(Dolt::V2, &theirs, &["sql", "-r", "csv", "-q", sql]).ok().out;
    run(&sql);
    let ready = "select * from ready_issues order by id";
    let blocked = "select * from blocked_issues order by id";
    let bds = (run(ready), run(blocked));
    assert!(bds.0.lines().count() > 4 && bds.1.lines().count() > 3, "{bds:?}");
    let ours = yard.dir("ours").join("x");
    schema::create(&ours, &fresh()).unwrap();
    for view in ["ready_issues", "blocked_issues"] {
        let said = yard.dolt(
            Dolt::V2,
            &ours,
            &["sql", "-r", "json", "-q", &format!("select fragment from dolt_schemas where name = '{view}'")],
        );
        let text = said.ok().json()["rows"][0]["fragment"].as_str().unwrap().to_owned();
        run(&format!("drop view {view}; {text}"));
    }
    for dolt in [Dolt::V1, Dolt::V2] {
        let ask = |sql: &str| yard.dolt(dolt, &theirs, &["sql", "-r", "csv", "-q", sql]).ok().out;
        assert_eq!((ask(ready), ask(blocked)), bds, "{dolt:?}");
    }
}

fn foreign_keys(session: &Session, revision: &str) -> Vec<ForeignKey> {
    let root = session.resolve_root(revision).unwrap().unwrap();
    session.tables(root).unwrap().foreign_keys().unwrap()
}

/// Theirs are the same as ours, but for those that bd made without looking at tables and that Dolt has not come to look at
/// yet: of these the names say what ours says with tags and indexes. Gives their names.
#[track_caller]
fn same_keys(ours: &[ForeignKey], theirs: &[ForeignKey]) -> Vec<String> {
    let mut unresolved = Vec::new();
    assert_eq!(ours.len(), theirs.len());
    for (own, other) in ours.iter().zip(theirs) {
        if other.is_resolved() {
            assert_eq!(own, other);
            continue;
        }
        let mut own = own.clone();
        (own.child_columns, own.parent_columns) = (Vec::new(), Vec::new());
        (own.child_index, own.parent_index) = (String::new(), String::new());
        assert_eq!(own, *other);
        unresolved.push(own.name);
    }
    unresolved
}
