//! `gt dolt logs`: the last lines, the lines since a moment, and those that are still to come.

use std::fs::{self, OpenOptions};
use std::io::Write;

use crate::support::{TestTown, signal};

fn append(town: &TestTown, bytes: &[u8]) {
    let mut log = OpenOptions::new().append(true).open(town.file("daemon/dolt.log")).unwrap();
    log.write_all(bytes).unwrap();
}

const OLD: &str = "time=\"2026-11-21T09:00:00Z\" level=info msg=\"old\"\n";
const NEW: &str = "time=\"2026-11-21T10:00:00Z\" level=info msg=\"new\"\n  and its stack\n  of two lines\n";

#[test]
fn the_last_lines_and_those_since_a_moment_are_shown() {
    let town = TestTown::with(&[]);
    town.write("daemon/dolt.log", &[OLD, NEW].concat());
    let shown = |args: &[&str]| town.gt(&[&["dolt", "logs"], args].concat()).ok().out;
    assert_eq!(shown(&[]), [OLD, NEW].concat());
    assert_eq!(shown(&["-n", "1"]), "  of two lines\n");
    assert_eq!(shown(&["-n", "0"]), "");
    assert_eq!(shown(&["--since", "2026-11-21T09:30:00Z"]), NEW);
    assert_eq!(shown(&["--since", "2026-11-21T09:30:00Z", "-n", "2"]), "  and its stack\n  of two lines\n");
    town.write("daemon/dolt.log", &["time=\"2020-01-01T00:00:00Z\" level=info msg=\"long ago\"\n"].concat());
    assert_eq!(shown(&["--since", "10m"]), "");
    town.gt(&["dolt", "logs", "--since", "yesterday"]).fails(1).says("neither a duration (10m) nor a time");
}

#[test]
fn a_follower_shows_what_is_added_letter_by_letter_and_across_a_rotation() {
    let town = TestTown::with(&[]);
    town.write("daemon/dolt.log", &[OLD, OLD, OLD].concat());
    let following = town.begin(&["dolt", "logs", "-n", "1", "-f"]);
    following.until_it_shows(OLD);
    // Bytes that are no letters must not shift what comes after them.
    append(&town, b"\xff\xff no letters\n");
    following.until_it_shows("no letters\n");
    let (half, rest) = "msg=\"gr\u{fc}n\"\n".as_bytes().split_at(8);
    append(&town, half);
    append(&town, rest);
    following.until_it_shows("gr\u{fc}n");
    // Half a letter stays unread until the other half is there, however often is looked in between.
    append(&town, "\u{fc}".as_bytes().split_at(1).0);
    let reader = town.gt(&["dolt", "logs", "-n", "1"]).ok();
    assert_eq!(reader.out, "\u{fffd}\n", "a look shows what there is");
    append(&town, "\u{fc}ber\n".as_bytes().split_at(1).1);
    following.until_it_shows("\u{fc}ber\n");
    fs::rename(town.file("daemon/dolt.log"), town.file("daemon/dolt.log.1")).unwrap();
    town.write("daemon/dolt.log", "after the rotation\n");
    following.until_it_shows("after the rotation");
    signal(following.pid(), "INT");
    let ended = following.end().fails(130);
    assert_eq!(
        ended.out,
        format!("{OLD}\u{fffd}\u{fffd} no letters\nmsg=\"gr\u{fc}n\"\n\u{fc}ber\nafter the rotation\n")
    );
}

#[test]
fn a_follower_waits_for_the_first_log_and_sees_a_server_come_and_go() {
    let town = TestTown::with(&["hq"]);
    town.gt(&["dolt", "logs"]).fails(1).error_begins_with("no log file found").says("first start");
    let mut following = town.begin(&["dolt", "logs", "-f"]);
    following.until_it_says(&format!("waiting for {}", town.file("daemon/dolt.log").display()));
    town.up();
    following.until_it_shows("Starting server with Config");
    town.gt(&["dolt", "stop"]).ok();
    signal(following.pid(), "TERM");
    let ended = following.end().fails(143);
    assert_eq!(ended.err.lines().count(), 1, "it is said once: {ended:#?}");
    assert!(town.read("daemon/dolt.log").starts_with(&ended.out), "from the first line on: {ended:#?}");
}
