//! Data: asking without leaving a trace, SQL with the server up and down, databases that come and stay.

use serde_json::{Value, json};

use crate::support::{Ran, TestTown};

/// Both ways of asking: over the wire, and with dolt on the files.
const UP_AND_DOWN: [bool; 2] = [true, false];

fn set(town: &TestTown, up: bool) {
    let verb = if up { "start" } else { "stop" };
    town.gt(&["dolt", verb]).ok();
}

fn sql(town: &TestTown, args: &[&str]) -> Ran {
    town.gt(&[&["dolt", "sql"], args].concat())
}

#[test]
fn f29_looking_twenty_times_changes_no_byte() {
    let town = TestTown::with(&["hq", "alpha"]);
    town.up();
    town.sql(
        "alpha",
        "create table t (i int primary key); insert into t values (1); call dolt_commit('-Am', 'x')",
    );
    town.gt(&["dolt", "status"]).ok();
    let before = town.snapshot();
    for _ in 0..10 {
        for look in [&["dolt", "status"][..], &["dolt", "status", "--json"], &["status"], &["dolt", "list"]] {
            town.gt(look).ok();
        }
    }
    for look in [
        &["dolt", "ps"][..],
        &["dolt", "dump"],
        &["dolt", "config", "--explain"],
        &["rig", "list"],
        &["dolt", "wait"],
    ] {
        town.gt(look).ok();
    }
    town.unchanged_since(&before);
    town.gt(&["dolt", "stop"]).ok();
    let before = town.snapshot();
    for look in
        [&["dolt", "status"][..], &["status"], &["dolt", "list"], &["dolt", "ps"], &["dolt", "config"]]
    {
        town.gt(look).ok();
    }
    town.unchanged_since(&before);
}

#[test]
fn f42_sql_takes_its_statement_from_a_pipe_up_and_down() {
    let town = TestTown::with(&["hq", "alpha"]);
    for up in UP_AND_DOWN {
        set(&town, up);
        if up {
            let twice = sql(&town, &["--json", "-q", "select 1 as a, 2 as a, 3 as b"]).ok().json();
            assert_eq!(
                twice["results"][0]["rows"],
                json!([{"a": 1, "a (2)": 2, "b": 3}]),
                "no value is lost"
            );
        }
        let piped = town.gt_with_input(&["dolt", "sql"], "show databases").ok();
        piped.says("alpha").never_says("password");
        let table = format!("t{up}");
        let script = format!(
            "create table {table} (i int primary key);\ninsert into {table} values (1),\n(2);\nselect count(*) as n from {table};\n"
        );
        town.gt_with_input(&["dolt", "sql", "--db", "alpha"], &script).ok().says("| 2 |");
        let rows =
            sql(&town, &["--db", "alpha", "-q", &format!("select i from {table} order by i desc limit 1")])
                .ok();
        rows.says("| 2 |");
        town.gt_with_input(&["dolt", "sql"], " \n").fails(1).error_begins_with("no statement");
    }
}

#[test]
fn f42_a_shell_without_a_terminal_does_not_hang() {
    let town = TestTown::with(&["hq"]);
    for up in UP_AND_DOWN {
        set(&town, up);
        // Standard input is /dev/null: no statement, no terminal.
        sql(&town, &[]).fails(1).error_begins_with("no statement");
    }
}

#[test]
fn f42_every_statement_gives_its_result_and_the_first_error_ends_with_1() {
    let town = TestTown::with(&["hq"]);
    for up in UP_AND_DOWN {
        set(&town, up);
        sql(&town, &["-q", "select 1 as first; select 2 as second"]).ok().says("first").says("second");
        for wrong in
            ["bogus", "select * from nowhere", "select 1 as done; select * from nowhere; select 3 as never"]
        {
            let ran = sql(&town, &["--db", "hq", "-q", wrong]).fails(1).never_says("panic");
            if wrong.contains("done") {
                assert!(ran.out.contains("done") && !ran.out.contains("never"), "server up {up}: {ran:?}");
            }
            assert!(ran.err.contains("nowhere") || ran.err.contains("bogus"), "server up {up}: {ran:?}");
        }
        sql(&town, &["--db", "no'such db", "-q", "select 1"]).fails(1).says("no'such db");
    }
}

#[test]
fn f42_counts_of_changed_rows_are_told() {
    let town = TestTown::with(&["hq"]);
    town.up();
    let ran = sql(
        &town,
        &[
            "--db",
            "hq",
            "-q",
            "select 1 as one; create table t (i int primary key); insert into t values (1), (2); delete from t where i = 1",
        ],
    );
    let ran = ran.ok();
    let tail: Vec<&str> = ran.out.lines().rev().take(3).collect();
    assert_eq!(tail, ["OK, 1 row affected", "OK, 2 rows affected", "OK"], "{ran:?}");
}

#[test]
fn f42_json_has_one_shape_with_the_server_up_and_down() {
    let town = TestTown::with(&["hq"]);
    let fill = "create table t (i int primary key, s text, d decimal(5,2), n text); insert into t values (1, 'é \"q\" \\n', 1.10, null), (2, null, null, null); call dolt_commit('-Am', 'x')";
    for up in UP_AND_DOWN {
        set(&town, up);
        if up {
            sql(&town, &["--db", "hq", "-q", fill]).ok();
        }
        let got =
            sql(&town, &["--json", "--db", "hq", "-q", "select i, s, d from t order by i; select 2 as two"])
                .ok()
                .json();
        assert_eq!(
            (&got["version"], &got["command"], &got["database"]),
            (&json!(1), &json!("dolt sql"), &json!("hq"))
        );
        let rows = json!([{"i": 1, "s": "é \"q\" \n", "d": "1.10"}, {"i": 2, "s": null, "d": null}]);
        assert_eq!(got["results"][0]["rows"], rows, "server up: {up}");
        let mut columns: Vec<&str> =
            got["results"][0]["columns"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        columns.sort_unstable();
        assert_eq!(columns, ["d", "i", "s"]);
        assert_eq!(got["results"][1]["rows"], json!([{"two": 2}]));
        assert_eq!(got["results"].as_array().unwrap().len(), 2);

        let piped = town
            .gt_with_input(&["--json", "dolt", "sql", "--db", "hq"], "select count(*) as c from t")
            .ok()
            .json();
        assert_eq!(piped["results"][0]["rows"], json!([{"c": 2}]));
        let wrong = sql(&town, &["--json", "-q", "bogus"]).fails(1).json();
        assert!(wrong["error"]["message"].as_str().unwrap().contains("bogus"), "{wrong}");
        assert_eq!((&wrong["version"], &wrong["command"]), (&json!(1), &json!("dolt sql")));
    }
}

#[test]
fn f42_a_big_result_arrives_whole() {
    let town = TestTown::with(&["hq"]);
    town.up();
    let rows = 200_000;
    let double = "insert into big select i + (select count(*) from big), s from big;".repeat(18);
    town.sql("hq", &format!("create table big (i int primary key, s varchar(200)); insert into big values (0, repeat('x', 100)); {double}"));
    for up in UP_AND_DOWN {
        set(&town, up);
        let ask = format!("select i, s from big where i < {rows} order by i");
        let ran = sql(&town, &["--db", "hq", "-q", &ask]).ok();
        assert_eq!(ran.out.lines().filter(|l| l.contains("xxx")).count(), rows, "server up: {up}");
        assert!(ran.out.contains(&format!("| {} ", rows - 1)));
    }
    // One value of several megabytes.
    set(&town, true);
    let long = town.sql("hq", "select repeat('y', 5000000) as long_one");
    assert!(long.contains(&"y".repeat(5_000_000)));
}

#[test]
fn f42_a_result_that_breaks_off_is_an_error_that_says_where_to_look() {
    let town = TestTown::with(&["hq"]);
    town.up();
    let endless = "with recursive n as (select 1 as i union all select i + 1 from n) select i from n";
    sql(&town, &["-q", endless]).fails(1).says("gt dolt logs");
    town.gt(&["dolt", "logs", "-n", "3"]).ok().says("RECURSIVE iteration limit");
}

#[test]
fn names_with_quotes_and_blanks_are_served_shown_and_asked() {
    let town = TestTown::with(&["hq", "my db", "it's", "a\"b", "tick`"]);
    town.gt(&["dolt", "start"]).ok().says("All 5 databases verified");
    for up in UP_AND_DOWN {
        set(&town, up);
        for name in ["my db", "it's", "a\"b", "tick`"] {
            let ran = sql(&town, &["--db", name, "-q", "select database() as here"]).ok();
            ran.says(name);
        }
        let listed = town.gt(&["dolt", "list", "--json"]).ok().json();
        assert!(listed["databases"].as_array().unwrap().iter().any(|d| d["name"] == "it's"), "{listed}");
        town.gt(&["dolt", "status"]).ok().says("- my db").says("- tick`");
        town.gt(&["dolt", "fix-metadata"]).ok();
    }
    let odd = "create table `a \"b` (`it's` int primary key); insert into `a \"b` values (7); select `it's` from `a \"b`";
    let ran = sql(&town, &["--db", "my db", "-q", odd]).ok();
    ran.says("it's").says("7");
}

#[test]
fn f28_databases_made_up_and_down_are_the_same_and_nothing_that_exists_is_touched() {
    let town = TestTown::with(&["hq"]);
    for up in UP_AND_DOWN {
        set(&town, up);
        let name = format!("rig{up}");
        let made = town.gt(&["dolt", "init-rig", &name, "--json"]).ok().json();
        assert_eq!(made["outcome"], if up { "made-by-server" } else { "made-on-disk" });
        assert!(town.database(&name).join(".dolt/noms/manifest").is_file());
        sql(&town, &["--db", &name, "-q", "create table t (i int primary key); insert into t values (42)"])
            .ok();
        town.gt(&["dolt", "init-rig", &name]).ok().says("already exists (no-op)");
        sql(&town, &["--db", &name, "-q", "select i from t"]).ok().says("42");
        town.gt(&["rig", "add", &name, "--prefix", if up { "u" } else { "d" }]).ok().says("it was there");
        sql(&town, &["--db", &name, "-q", "select i from t"]).ok().says("42");
        town.gt(&["rig", "remove", &name]).ok().says("stays");
        sql(&town, &["--db", &name, "-q", "select i from t"]).ok().says("42");
    }
    // Somebody's files where the database would go.
    for up in UP_AND_DOWN {
        set(&town, up);
        town.write(".dolt-data/taken/thesis.tex", "x");
        town.gt(&["dolt", "init-rig", "taken"]).fails(1).error_begins_with("taken");
        assert_eq!(town.read(".dolt-data/taken/thesis.tex"), "x");
    }
}
