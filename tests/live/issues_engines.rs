//! Issues written in-process and through servers of both Dolts: the same commands leave the same rows, whoever holds the database
//! is the one who writes it, and what was acknowledged is there once, however the server ended.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use beads::edge::DepSpec;
use beads::issue::Metadata;
use beads::{Edge, EdgeType, Issue, IssueType};
use dolt_store::commit::Session;
use dolt_store::table::Value;
use gt::sql::Client;
use gt::store::family::Family;
use gt::store::load::{self, Rules, With};
use gt::store::native::Native;
use gt::store::ops::{self, Act, AddEdge, Close, NewIssue, Update, Work};
use gt::store::reader::{By, Reader};
use gt::store::schema;
use gt::store::{Changes, Chosen, Engine, Outcome, Server, Store, StoreError, Tx, Whereabouts, server, step};
use gt::sys::net::Port;
use jiff::Timestamp;

use crate::support::{
    Child, Dolt, Ending, TestTown, bd, copy_tree, foreign, free_port, run, signal, wait_until,
};

/// A project of the real bd with an empty database `x`.
struct Project {
    town: TestTown,
    dir: PathBuf,
}

impl Project {
    fn new(dolt: Dolt) -> Self {
        let town = TestTown::build(dolt, &[], free_port());
        let dir = town.outside().join("project");
        fs::create_dir(&dir).unwrap();
        let project = Self { town, dir };
        let init = ["init", "--prefix", "x", "--skip-agents", "--skip-hooks"];
        run(project.command(&bd(), &project.dir, &init)).ok();
        project
    }

    /// A copy of its database in another data directory.
    fn copy(&self, name: &str) -> PathBuf {
        let data_dir = self.town.outside().join(name);
        copy_tree(&self.data_dir(), &data_dir);
        data_dir
    }

    fn data_dir(&self) -> PathBuf {
        self.dir.join(".beads/embeddeddolt")
    }

    fn command(&self, program: &Path, dir: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args);
        self.town.seal(&mut command);
        command.current_dir(dir).env("PWD", dir).env("BD_NON_INTERACTIVE", "1");
        command
    }

    /// Begins to start a server, and waits for nothing.
    fn spawn(&self, data_dir: &Path, port: u16) -> Child {
        let args = ["sql-server", "--host", "127.0.0.1", "--port", &port.to_string(), "--data-dir", "."];
        let mut command = self.command(&self.town.dolt.path(), data_dir, &args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Child(command.spawn().unwrap())
    }

    /// A server that is up. One that met our lock is started again.
    fn serve(&self, data_dir: &Path, port: u16) -> Child {
        loop {
            let mut process = self.spawn(data_dir, port);
            let mut has_ended = false;
            wait_until("a server is up or has ended", || {
                has_ended = process.0.try_wait().unwrap().is_some();
                has_ended || server::holding(&data_dir.join("x"), &at(None)).is_some()
            });
            if !has_ended {
                return process;
            }
        }
    }
}

/// A project whose database is held by a server.
struct Served {
    project: Project,
    data_dir: PathBuf,
    port: u16,
    _process: Child,
}

impl Served {
    fn by(dolt: Dolt) -> Self {
        let project = Project::new(dolt);
        let (data_dir, port) = (project.data_dir(), free_port());
        let process = project.serve(&data_dir, port);
        Self { project, data_dir, port, _process: process }
    }

    fn store(&self) -> Store {
        store(&self.data_dir, Engine::Server, Some(self.port))
    }
}

fn at(port: Option<u16>) -> Server {
    let port = port.and_then(Port::new);
    Server {
        host: "127.0.0.1".into(),
        port,
        user: "root".into(),
        password: None,
        database: "x".into(),
        tls: false,
    }
}

fn store(data_dir: &Path, engine: Engine, port: Option<u16>) -> Store {
    let whereabouts = Whereabouts { dir: Some(data_dir.join("x")), server: at(port) };
    Store::new(whereabouts, engine, ("t".into(), "t@example.com".into()), None).unwrap()
}

fn act(second: i64) -> Act {
    let now = Timestamp::from_millisecond(1_772_359_200_500 + second * 1000).unwrap();
    Act { actor: "me".into(), owner: "me@example.com".into(), now }
}

fn new_issue(title: &str) -> NewIssue {
    let issue = Issue { title: title.into(), priority: 2, created_by: "me".into(), ..Issue::default() };
    NewIssue { issue, ..NewIssue::default() }
}

/// One command.
fn command<T>(
    store: &Store,
    second: i64,
    message: Option<&str>,
    work_out: impl Fn(&mut Work<'_>, &Rules) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let act = act(second);
    store.write(|tx| {
        let rules = Rules::load(tx.reader())?;
        let result = step(tx, &act, |work| work_out(work, &rules))?;
        Ok(Outcome { message: message.map(str::to_owned), result })
    })
}

fn create(store: &Store, second: i64, new: &NewIssue) -> String {
    let message = format!("bd: create {}", new.issue.title);
    command(store, second, Some(&message), |work, rules| ops::create(work, rules, new.clone()))
        .unwrap()
        .issue
        .id
}

/// Everything that commands do, and what they do to others.
fn everything(store: &Store) {
    let mut first = new_issue("First <é> 😀 \\ 'quoted' \"twice\"");
    first.issue.description = "two\nlines\tand \\ \u{2028}".into();
    first.issue.labels = vec!["b".into(), "a".into(), "ä".into()];
    first.issue.metadata = Metadata::new(r#"{"team":"core","n":[1,2.5,{"b, c":"d: e"}],"z":null}"#).ok();
    first.issue.due_at = Some("2999-01-01T00:00:00.75Z".parse().unwrap());
    first.issue.waiters = vec!["a@b".into()];
    let first = create(store, 0, &first);
    // What one engine has written, the next read finds.
    let read = load::issue(&*store.reader().unwrap(), &first, With::ALL).unwrap().unwrap();
    assert_eq!(read.0.labels, ["a", "b", "ä"]);

    let mut second = new_issue("Second");
    second.issue.issue_type = IssueType::Bug;
    second.deps = vec![DepSpec { kind: EdgeType::Blocks, target: first.clone(), reversed: false }];
    let second = create(store, 1, &second);
    let child = create(store, 2, &NewIssue { parent: Some(second.clone()), ..new_issue("Child") });
    let mut wisp = new_issue("Gone tomorrow");
    wisp.issue.ephemeral = true;
    wisp.issue.labels = vec!["w".into()];
    wisp.deps = vec![DepSpec { kind: EdgeType::Blocks, target: first.clone(), reversed: false }];
    let wisp = create(store, 3, &wisp);
    let is_blocked = |id: &str| {
        let reader = store.reader().unwrap();
        load::briefs(&*reader, Some(&[id.to_owned()])).unwrap()[id].is_blocked
    };
    assert!(is_blocked(&second) && is_blocked(&wisp) && is_blocked(&child) && !is_blocked(&first));

    let update = Update {
        priority: Some(0),
        texts: BTreeMap::from([("title", "First, \u{7} changed".to_owned()), ("design", String::new())]),
        append_notes: Some("100% under_score".into()),
        external_ref: Some(Some("gh-9".into())),
        estimated_minutes: Some(0),
        defer_until: Some(None),
        metadata_edits: Some((vec!["k=1".into(), "team=x y".into()], vec!["z".into()])),
        ..Update::default()
    };
    command(store, 4, Some("update"), |work, rules| ops::update(work, rules, &first, &update)).unwrap();
    command(store, 5, Some("claim"), |work, _| ops::claim(work, &child)).unwrap();
    command(store, 6, Some("label"), |work, _| ops::add_label(work, Family::Issues, &second, "new")).unwrap();
    command(store, 7, Some("label"), |work, _| ops::remove_label(work, Family::Issues, &first, "a")).unwrap();
    command(store, 8, Some("comment"), |work, _| ops::add_comment(work, &first, "a \"comment\" <tags>"))
        .unwrap();
    command(store, 9, Some("comment"), |work, _| ops::add_comment(work, &wisp, "on a wisp")).unwrap();
    // Without a commit, and refused.
    command(store, 10, None, |work, _| ops::add_label(work, Family::Issues, &second, "uncommitted")).unwrap();
    let missing = command(store, 11, Some("none"), |work, _| ops::claim(work, "x-none")).unwrap_err();
    assert!(matches!(missing, StoreError::NoIssue { .. }), "{missing}");
    let close = |second: i64, id: &str| {
        let how = Close { reason: "done", session: "s", ..Close::default() };
        command(store, second, Some("close"), |work, _| ops::close(work, id, &how)).unwrap()
    };
    close(12, &first);
    assert!(!is_blocked(&second) && !is_blocked(&wisp) && !is_blocked(&child));
    command(store, 13, Some("reopen"), |work, _| ops::reopen(work, &first, "not yet")).unwrap();
    assert!(is_blocked(&second) && is_blocked(&wisp) && is_blocked(&child));
    assert!(close(14, &child).issue.closed_at.is_some());
    command(store, 15, Some("edge"), |work, _| ops::remove_edge(work, &second, &first)).unwrap();
    let edge = AddEdge::of(Edge::new(&second, "external:other:thing", EdgeType::Blocks));
    command(store, 16, Some("edge"), |work, _| ops::add_edge(work, edge.clone())).unwrap();
    // Rows that come or change, rows that are a key and a value, a row that takes others with it.
    for value in ["one", "two"] {
        raw(store, Some("config"), |changes| changes.put("config", pair("k", value)));
        raw(store, None, |changes| changes.put("local_metadata", pair("k", value)));
    }
    raw(store, Some("delete"), |changes| changes.delete("issues", vec![("id", Value::Text(child.clone()))]));
    raw(store, Some("nothing"), |_| ());
    store.write(|tx| several_steps(tx, 17)).unwrap();
}

/// Each step reads what the ones before have done.
fn several_steps(tx: &mut dyn Tx, second: i64) -> Result<Outcome<()>, StoreError> {
    let act = act(second);
    let rules = Rules::load(tx.reader())?;
    let parent = step(tx, &act, |work| ops::create(work, &rules, new_issue("Parent")))?.issue.id;
    let child = NewIssue { parent: Some(parent.clone()), ..new_issue("Of several steps") };
    let child = step(tx, &act, |work| ops::create(work, &rules, child.clone()))?.issue.id;
    assert_eq!(child, format!("{parent}.1"));
    let mut wisp = new_issue("A wisp between");
    wisp.issue.ephemeral = true;
    wisp.deps = vec![DepSpec { kind: EdgeType::Blocks, target: child.clone(), reversed: false }];
    let wisp = step(tx, &act, |work| ops::create(work, &rules, wisp.clone()))?.issue.id;
    for label in ["two", "one"] {
        step(tx, &act, |work| ops::add_label(work, Family::Issues, &child, label))?;
    }
    let of_child = [("issue_id", Value::Text(child.clone()))];
    let mut labels = tx.reader().texts("labels", "label", By::Equal(&of_child))?;
    labels.sort_unstable();
    assert_eq!(labels, ["one", "two"]);
    let is_blocked = |tx: &dyn Tx| {
        let briefs = load::briefs(tx.reader(), Some(std::slice::from_ref(&wisp)))?;
        Ok::<_, StoreError>(briefs[&wisp].is_blocked)
    };
    assert!(is_blocked(tx)?);
    let how = Close { reason: "done", session: "s", ..Close::default() };
    step(tx, &act, |work| ops::close(work, &child, &how))?;
    assert!(!is_blocked(tx)?);
    Ok(Outcome { message: Some("several".to_owned()), result: () })
}

fn pair(key: &str, value: &str) -> gt::store::Values {
    vec![("key", Value::Text(key.into())), ("value", Value::Text(value.into()))]
}

fn raw(store: &Store, message: Option<&str>, change: impl Fn(&mut Changes)) {
    let done = store.write(|tx| {
        let mut changes = Changes::new();
        change(&mut changes);
        tx.apply(changes)?;
        Ok(Outcome { message: message.map(str::to_owned), result: () })
    });
    done.unwrap();
}

fn session(data_dir: &Path) -> Session {
    Native::at(data_dir.join("x"), None).session().unwrap()
}

/// Tables of a root that hold ids of chance.
fn is_of_chance(table: &str) -> bool {
    table.ends_with("events") || table.ends_with("comments")
}

fn addresses(data_dir: &Path, root: &str) -> Vec<(String, String)> {
    let session = session(data_dir);
    let root = session.resolve_root(root).unwrap().unwrap();
    let all = session.tables(root).unwrap().addresses().unwrap();
    all.into_iter().filter(|(table, _)| !is_of_chance(table)).map(|(t, a)| (t, a.to_string())).collect()
}

fn history(data_dir: &Path) -> Vec<(String, String, String)> {
    let session = session(data_dir);
    let head = session.resolve_commit("HEAD").unwrap().unwrap();
    let commits = session.log(head).unwrap().map(|entry| entry.unwrap().commit);
    commits.map(|c| (c.description, c.name, c.email)).collect()
}

/// All rows of a table, without columns of chance, sorted.
fn rows(reader: &dyn Reader, table: &str, columns: &[String], keep: impl Fn(&str) -> bool) -> Vec<String> {
    let columns: Vec<&str> = columns.iter().map(String::as_str).filter(|c| keep(c)).collect();
    let mut rows: Vec<String> =
        reader.rows(table, &columns, By::All).unwrap().iter().map(|row| format!("{row:?}")).collect();
    rows.sort();
    rows
}

fn columns(data_dir: &Path) -> Vec<(String, Vec<String>)> {
    let session = session(data_dir);
    let root = session.resolve_root("WORKING").unwrap().unwrap();
    let tables = session.tables(root).unwrap();
    let names = tables.addresses().unwrap().into_iter().map(|(table, _)| table);
    let columns = |table: &str| {
        let table = tables.open(table).unwrap().unwrap();
        table.schema().columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>()
    };
    names.map(|table| (table.clone(), columns(&table))).collect()
}

fn both_engines_leave_the_same(dolt: Dolt) {
    let project = Project::new(dolt);
    // Dolt has looked at the foreign key of the children's numbers once; until then it refers to nothing, and is refused here.
    let made = |args: &[&str]| run(project.command(&bd(), &project.dir, args)).ok().out.trim().to_owned();
    let parent = made(&["create", "Made by bd", "--silent"]);
    made(&["create", "Below it", "--parent", &parent, "--silent"]);
    let (here, there) = (project.copy("here"), project.copy("there"));
    let native = store(&here, Engine::Auto, None);
    assert_eq!(native.engine_now().unwrap().chosen, Chosen::Native);
    everything(&native);

    let port = free_port();
    let process = project.serve(&there, port);
    let served = store(&there, Engine::Auto, Some(port));
    let now = served.engine_now().unwrap();
    assert_eq!((now.chosen, now.server), (Chosen::Server, Some(format!("127.0.0.1:{port}"))));
    assert!(now.why.contains(&process.pid().to_string()), "{}", now.why);
    everything(&served);

    for root in ["HEAD", "STAGED", "WORKING"] {
        assert_eq!(addresses(&there, root), addresses(&here, root), "{dolt:?}: {root}");
    }
    assert_eq!(history(&there), history(&here), "{dolt:?}");
    let through = store(&there, Engine::Server, Some(port)).reader().unwrap();
    let tables = columns(&here);
    assert!(tables.iter().any(|(table, _)| table == "wisp_events"), "{tables:?}");
    let files = [&here, &there].map(|dir| store(dir, Engine::Native, None).reader().unwrap());
    for (table, columns) in &tables {
        let is_kept = |column: &str| !(is_of_chance(table) && column == "id");
        let [one, other] = [&files[0], &files[1]].map(|reader| rows(&**reader, table, columns, is_kept));
        assert_eq!(other, one, "{dolt:?}: {table}");
        // The server says of every value what the files say, types too.
        let all = |_: &str| true;
        assert_eq!(rows(&*through, table, columns, all), rows(&*files[1], table, columns, all), "{table}");
        assert_eq!(through.key_of(table).unwrap(), files[1].key_of(table).unwrap(), "{table}");
    }
}

#[test]
fn a_server_of_dolt_1_and_no_server_leave_the_same_rows_and_commits() {
    both_engines_leave_the_same(Dolt::V1);
}

#[test]
fn a_server_of_dolt_2_and_no_server_leave_the_same_rows_and_commits() {
    both_engines_leave_the_same(Dolt::V2);
}

/// The titles of all issues, sorted.
fn titles(data_dir: &Path) -> Vec<String> {
    let reader = store(data_dir, Engine::Native, None).reader().unwrap();
    let mut titles = reader.texts("issues", "title", By::All).unwrap();
    titles.sort();
    titles
}

/// Each of these is there once, as a row and as a commit, and nothing else is.
fn has_once(project: &Project, data_dir: &Path, mut acknowledged: Vec<String>) {
    acknowledged.sort();
    assert_eq!(titles(data_dir), acknowledged);
    let messages: Vec<String> = history(data_dir).into_iter().map(|(message, ..)| message).collect();
    for title in &acknowledged {
        let message = format!("bd: create {title}");
        assert_eq!(messages.iter().filter(|m| **m == message).count(), 1, "{message}: {messages:?}");
    }
    let said = run(project.command(&project.town.dolt.path(), &data_dir.join("x"), &["fsck"])).ok().out;
    assert!(said.contains("No problems found."), "{said}");
}

fn servers_come_and_go(dolt: Dolt) {
    let project = Project::new(dolt);
    let data_dir = project.data_dir();
    let (is_over, port) = (AtomicBool::new(false), free_port());
    let through_a_server = AtomicU32::new(0);
    let acknowledged = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                let (data_dir, is_over, through_a_server) = (&data_dir, &is_over, &through_a_server);
                scope.spawn(move || {
                    let store = store(data_dir, Engine::Auto, Some(port));
                    let mut done = Vec::new();
                    while !is_over.load(Ordering::Relaxed) {
                        let title = format!("Of {writer}, {}", done.len());
                        if store.engine_now().unwrap().chosen == Chosen::Server {
                            through_a_server.fetch_add(1, Ordering::Relaxed);
                        }
                        create(&store, 0, &new_issue(&title));
                        done.push(title);
                    }
                    done
                })
            })
            .collect();
        for turn in 0..6 {
            let before = through_a_server.load(Ordering::Relaxed);
            let mut process = project.serve(&data_dir, port);
            wait_until("something was written while it ran", || {
                through_a_server.load(Ordering::Relaxed) > before + 1
            });
            signal(process.pid(), if turn % 2 == 0 { "KILL" } else { "TERM" });
            process.0.wait().unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(acknowledged.len() > 12, "{acknowledged:?}");
    has_once(&project, &data_dir, acknowledged);
}

#[test]
fn what_is_acknowledged_is_there_once_while_servers_of_dolt_1_come_and_are_killed() {
    servers_come_and_go(Dolt::V1);
}

#[test]
fn what_is_acknowledged_is_there_once_while_servers_of_dolt_2_come_and_are_killed() {
    servers_come_and_go(Dolt::V2);
}

const WRITER: &str = "GT_TEST_WRITER";

// What another process runs in the next test; an ordinary run of the tests passes through.
#[test]
fn is_a_writer_of_its_own_when_asked() {
    let Ok(data_dir) = std::env::var(WRITER) else { return };
    let store = store(Path::new(&data_dir), Engine::Auto, None);
    for n in 0..20 {
        create(&store, 0, &new_issue(&format!("Of {}, {n}", std::process::id())));
    }
}

#[test]
fn two_processes_write_from_the_start_of_a_server_on_and_nothing_is_lost() {
    let project = Project::new(Dolt::V2);
    let data_dir = project.data_dir();
    let writer = || {
        let test = ["--exact", "issues_engines::is_a_writer_of_its_own_when_asked", "--nocapture"];
        let mut command = project.command(&std::env::current_exe().unwrap(), &project.dir, &test);
        command.env(WRITER, &data_dir).stdout(Stdio::null());
        command.spawn().unwrap()
    };
    let _starting = project.spawn(&data_dir, free_port());
    let writers = [writer(), writer()];
    let mut acknowledged = Vec::new();
    for mut writer in writers {
        acknowledged.extend((0..20).map(|n| format!("Of {}, {n}", writer.id())));
        assert!(writer.wait().unwrap().success());
    }
    has_once(&project, &data_dir, acknowledged);
}

#[test]
fn a_server_of_another_directory_on_the_configured_port_is_never_written_to() {
    let project = Project::new(Dolt::V1);
    let (ours, another) = (project.copy("ours"), project.copy("another"));
    let port = free_port();
    let _process = project.serve(&another, port);
    let store = store(&ours, Engine::Auto, Some(port));
    create(&store, 0, &new_issue("Nobody holds it"));
    // Held by somebody who is no server: it is waited for, and named.
    let lock = ours.join("x/.dolt/noms/LOCK");
    let holder = project.town.start("flock", &["--no-fork", lock.to_str().unwrap(), "sleep", "600"], &ours);
    wait_until("the lock is held", || crate::support::is_locked(&lock));
    let now = store.engine_now().unwrap();
    assert_eq!(now.chosen, Chosen::Wait);
    let store = store.with_patience(Duration::from_millis(300));
    let refused = command(&store, 1, Some("no"), |work, rules| ops::create(work, rules, new_issue("Held")));
    let error = refused.unwrap_err();
    assert!(matches!(error, StoreError::Held { .. }), "{error:?}");
    for told in [error.to_string(), now.why] {
        assert!(told.contains(&format!("PID {} (sleep 600)", holder.pid())), "{told}");
    }
    // Nor when a server is asked for by name.
    let forced =
        Store::new(store.whereabouts().clone(), Engine::Server, ("t".into(), "t@example.com".into()), None);
    let error = forced.unwrap().with_patience(Duration::ZERO).reader().map(drop).unwrap_err();
    assert!(error.to_string().contains("no server is proved"), "{error}");
    drop(holder);
    create(&store, 2, &new_issue("Let go"));
    assert_eq!(titles(&ours), ["Let go", "Nobody holds it"]);
    assert_eq!(titles(&another), Vec::<String>::new());
}

#[test]
fn what_a_command_has_seen_is_what_it_changes_while_others_write_through_the_same_server() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let served = Served::by(dolt);
        let store = served.store();
        let id = create(&store, 0, &new_issue("Labelled"));
        let is_over = AtomicBool::new(false);
        let labels = || store.reader().unwrap().texts("labels", "label", By::All).unwrap();
        std::thread::scope(|scope| {
            let ending = Ending(&is_over);
            let writer = scope.spawn(|| {
                let (runtime, mut client) = foreign(served.port, "x");
                let mut made = 0;
                while !is_over.load(Ordering::SeqCst) {
                    let sql = format!("INSERT INTO labels VALUES ('{id}', 'foreign {made}')");
                    runtime.block_on(client.query(&sql)).unwrap();
                    made += 1;
                }
                made
            });
            let (mut gone, mut back) = (0, Vec::new());
            for _ in 0..30 {
                let seen = store.write(|tx| {
                    let seen = tx.reader().texts("labels", "label", By::All)?;
                    let mut changes = Changes::new();
                    for label in &seen {
                        let text = |text: &str| Value::Text(text.to_owned());
                        changes.delete("labels", vec![("issue_id", text(&id)), ("label", text(label))]);
                    }
                    tx.apply(changes)?;
                    Ok(Outcome { message: Some("labels removed".to_owned()), result: seen })
                });
                let (seen, left) = (seen.unwrap(), labels());
                gone += seen.len();
                back.extend(seen.into_iter().filter(|label| left.contains(label)));
            }
            drop(ending);
            let made = writer.join().unwrap();
            assert_eq!(back, Vec::<String>::new(), "{dolt:?}: told to be removed, and there");
            assert_eq!(gone + labels().len(), made, "{dolt:?}");
            assert!(gone > 0, "{dolt:?}: none of {made} was seen");
        });
    }
}

#[test]
fn a_command_of_several_steps_is_worked_out_on_the_files_and_asks_the_server_for_no_row() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let served = Served::by(dolt);
        let (store, (runtime, mut client)) = (served.store(), foreign(served.port, "x"));
        let asked = several_steps_asking(&store, &runtime, &mut client);
        assert_eq!(asked, 2, "{dolt:?}: its turn, and the state that it begins with");
        let titles = titles(&served.data_dir);
        assert!(titles.contains(&"Of several steps".to_owned()), "{dolt:?}: {titles:?}");
    }
}

#[test]
fn what_the_files_alone_cannot_do_is_done_by_the_server_and_told_to_nobody() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let served = Served::by(dolt);
        let (store, (runtime, mut client)) = (served.store(), foreign(served.port, "x"));
        // Rows of such a table are read, and no change of them is worked out in-process.
        runtime.block_on(client.query("ALTER TABLE issues ADD FULLTEXT KEY by_title (title)")).unwrap();
        let asked = several_steps_asking(&store, &runtime, &mut client);
        assert!(asked > 10, "{dolt:?}: what it has changed itself is read from the server: {asked}");
        let titles = titles(&served.data_dir);
        assert_eq!(titles, ["Of several steps", "Parent"], "{dolt:?}");
        let words = "SELECT COUNT(*) FROM issues WHERE MATCH(title) AGAINST ('Parent')";
        let found = runtime.block_on(client.query(words)).unwrap();
        assert_eq!(found[0].rows[0][0].to_text().as_deref(), Some("1"), "{dolt:?}");
    }
}

/// How many questions the server was put.
fn several_steps_asking(store: &Store, runtime: &tokio::runtime::Runtime, client: &mut Client) -> u64 {
    let mut asked = || {
        let told = runtime.block_on(client.query("SHOW GLOBAL STATUS LIKE 'Com_select'")).unwrap();
        told[0].rows[0][1].to_text().unwrap().parse::<u64>().unwrap()
    };
    let before = asked();
    store.write(|tx| several_steps(tx, 0)).unwrap();
    asked() - before
}

#[test]
fn a_write_lands_on_the_branch_of_the_files_whatever_the_server_takes_for_the_default() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let served = Served::by(dolt);
        let (data_dir, port) = (&served.data_dir, served.port);
        let (runtime, mut client) = foreign(port, "x");
        let sql = "CALL DOLT_BRANCH('other'); SET GLOBAL x_default_branch = 'other'";
        runtime.block_on(client.query(sql)).unwrap();
        let (runtime, mut client) = foreign(port, "x");
        let on = runtime.block_on(client.query("SELECT active_branch()")).unwrap();
        assert_eq!(on[0].rows[0][0].to_text().as_deref(), Some("other"), "{dolt:?}: the server's default");
        let store = served.store();
        let before = history(data_dir).len();
        create(&store, 0, &new_issue("On main"));
        assert_eq!(store.reader().unwrap().texts("issues", "title", By::All).unwrap(), ["On main"]);
        assert_eq!(history(data_dir).len(), before + 1, "{dolt:?}: one commit more on main");
        let others = runtime.block_on(client.query("SELECT COUNT(*) FROM issues")).unwrap();
        assert_eq!(others[0].rows[0][0].to_text().as_deref(), Some("0"), "{dolt:?}: nothing on the other");
    }
}

/// A wire to a server that cuts a connection once its client has sent this text: before the server gets it, or after the server
/// has answered.
fn cutting_wire(port: u16, text: &'static str, after_the_answer: bool) -> (u16, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own_port = listener.local_addr().unwrap().port();
    let cuts = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&cuts);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, counted) = (client.unwrap(), Arc::clone(&counted));
            let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let is_cut = Arc::new(AtomicBool::new(false));
            let (mut back, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let mute = Arc::clone(&is_cut);
            std::thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = back.read(&mut bytes) {
                    if mute.load(Ordering::SeqCst) || to_client.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                }
                drop(to_client.shutdown(Shutdown::Both));
                drop(back.shutdown(Shutdown::Both));
            });
            std::thread::spawn(move || {
                let mut bytes = vec![0; 65536];
                while let Ok(count @ 1..) = client.read(&mut bytes) {
                    let is_it = bytes[..count].windows(text.len()).any(|part| part == text.as_bytes());
                    if is_it && counted.fetch_add(1, Ordering::SeqCst) == 0 {
                        if !after_the_answer {
                            break;
                        }
                        is_cut.store(true, Ordering::SeqCst);
                    }
                    if server.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                    if is_cut.load(Ordering::SeqCst) {
                        return;
                    }
                }
                drop(server.shutdown(Shutdown::Both));
                drop(client.shutdown(Shutdown::Both));
            });
        }
    });
    (own_port, cuts)
}

#[test]
fn a_connection_that_breaks_while_the_server_commits_neither_loses_nor_doubles_the_write() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let served = Served::by(dolt);
        let mut acknowledged = Vec::new();
        for (after, title) in [(false, "Cut before"), (true, "Cut after")] {
            // In the commit's message, which is sent with the commit and not before.
            let text = if after { "bd: create Cut after" } else { "bd: create Cut before" };
            let (wire, cuts) = cutting_wire(served.port, text, after);
            let whereabouts = Whereabouts { dir: None, server: at(Some(wire)) };
            let by = ("t".into(), "t@example.com".into());
            let store = Store::new(whereabouts, Engine::Auto, by, None).unwrap();
            assert_eq!(store.engine_now().unwrap().chosen, Chosen::Server);
            create(&store, 0, &new_issue(title));
            assert_eq!(cuts.load(Ordering::SeqCst), if after { 1 } else { 2 }, "{dolt:?}: {title}");
            let found = store.reader().unwrap().texts("issues", "title", By::All).unwrap();
            assert!(found.contains(&title.to_owned()), "{found:?}");
            acknowledged.push(title.to_owned());
        }
        has_once(&served.project, &served.data_dir, acknowledged);
    }
}

#[test]
fn a_clone_on_a_server_gets_the_local_tables_that_its_first_wisp_needs() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let project = Project::new(dolt);
        let in_dolt = |dir: &Path, args: &[&str]| run(project.command(&dolt.path(), dir, args)).ok();
        let url = format!("file://{}", project.town.outside().join("remote").display());
        let origin = project.data_dir().join("x");
        in_dolt(&origin, &["remote", "add", "origin", &url]);
        in_dolt(&origin, &["push", "origin", "main"]);
        // As cloned, and as somebody left it who was ended in the middle.
        let begun = schema::local_statements(&schema::local_tables(), Timestamp::UNIX_EPOCH);
        for statements in [0, 2] {
            let data_dir = project.town.outside().join(format!("clone-{statements}"));
            fs::create_dir(&data_dir).unwrap();
            in_dolt(&data_dir, &["clone", &url, "x"]);
            let clone = data_dir.join("x");
            for sql in &begun[..statements] {
                in_dolt(&clone, &["sql", "-q", sql]);
            }
            let port = free_port();
            let process = project.serve(&data_dir, port);
            let store = store(&data_dir, Engine::Server, Some(port));
            let durable = create(&store, 0, &new_issue("Durable"));
            let inspect = || schema::inspect(&session(&data_dir)).unwrap();
            assert!(inspect().local.is_none(), "no issue needs local tables: {:?}", inspect());
            let mut wisp = new_issue("Gone tomorrow");
            wisp.issue.ephemeral = true;
            wisp.issue.labels = vec!["w".into()];
            wisp.deps = vec![DepSpec { kind: EdgeType::Blocks, target: durable, reversed: false }];
            let wisp = create(&store, 1, &wisp);
            let read = load::issue(&*store.reader().unwrap(), &wisp, With::ALL).unwrap().unwrap();
            assert_eq!((read.1, read.0.labels), (Family::Wisps, vec!["w".to_owned()]));
            assert!(inspect().is_current(), "{dolt:?}, {statements}: {:?}", inspect());
            create(&store, 2, &new_issue("After it"));
            drop(process);
            in_dolt(&clone, &["status"]).never_says("wisp");
            in_dolt(&clone, &["fsck"]).says("No problems found.");
        }
        // Tables of another version are left alone.
        in_dolt(
            &origin,
            &[
                "sql",
                "-q",
                "drop table wisp_labels; update ignored_schema_migrations set version = 12 where version = 11",
            ],
        );
        let port = free_port();
        let _process = project.serve(&project.data_dir(), port);
        let store = store(&project.data_dir(), Engine::Server, Some(port));
        let mut wisp = new_issue("Refused");
        wisp.issue.ephemeral = true;
        wisp.issue.labels = vec!["w".into()];
        let refused = command(&store, 3, Some("no"), |work, rules| ops::create(work, rules, wisp.clone()));
        let error = refused.unwrap_err();
        assert!(error.to_string().contains("local tables of version 12"), "{error}");
        assert!(!titles(&project.data_dir()).contains(&"Refused".to_owned()));
    }
}
