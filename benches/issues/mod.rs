//! How long `bd` takes, ours and the real one: whole processes, from before they are spawned until they have ended.
//!
//! What could go wrong is that a command does less than it should: so what it printed is looked at in every round.

mod place;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use dolt_store::commit::Author;
use gt::store::schema;
use place::{Served, copy, lines, ours, theirs, workspace};

use crate::common::page::{Page, progress};
use crate::common::rows::{Samples, Table, Target};
use crate::common::rss;
use crate::store::room::{Room, bd_path, dolt_path, issue, run, timed};
use crate::writing::beside;

const COMMANDS: &str = "issue-commands";
const BULK: &str = "issue-files";
const CROWD: &str = "issue-crowd";

/// The real bd takes minutes for more.
const BDS_IMPORT: usize = 1000;
/// So much of its time in one comparison is enough: from then on ours goes on alone.
const BDS_TIME: Duration = Duration::from_secs(12);
/// But it has so many measured rounds in any case.
const BDS_ROUNDS: usize = 2;
const WRITERS: u32 = 20;

type Make<'m> = &'m dyn Fn(usize) -> Command;

pub(crate) fn measure() {
    let programs = [dolt_path(), bd_path()];
    let parts = [COMMANDS, BULK, CROWD];
    let Some(mut page) = Page::begin("issues", "Results: commands of bd", &parts, &programs) else { return };
    let (rounds, quick) = (page.rounds(), page.is_quick());
    let sizes = if quick { [10, 100, 300] } else { [10, 1000, 10_000] };
    if page.wants(COMMANDS) {
        let room = Room::new();
        page.table(&commands(&room, sizes, rounds));
    }
    if page.wants(BULK) {
        let room = Room::new();
        let imports = if quick { [100, 300, 1000] } else { [1000, 10_000, 100_000] };
        page.table(&files(&room, imports, rounds.min(3)));
    }
    if page.wants(CROWD) {
        let room = Room::new();
        page.table(&crowd(&room, sizes[1], rounds.min(5), quick));
    }
    page.end();
}

/// What was measured of one command.
struct Pair {
    /// Ours, one after the other.
    ours: Samples,
    /// Ours, each right behind the real one: whatever a processor keeps is the other's then.
    behind: Samples,
    /// The real one, each right behind ours.
    theirs: Samples,
}

/// How long both take: ours by itself, then both in turn. The real one stops when it has taken long enough.
fn pair(
    what: &str,
    rounds: usize,
    ours: Make<'_>,
    theirs: Make<'_>,
    is_right: impl Fn(&Output, usize),
) -> Pair {
    let mut pair = Pair { ours: Samples::none(), behind: Samples::none(), theirs: Samples::none() };
    let mut spent = Duration::ZERO;
    for n in 0..3 * (rounds + 1) {
        let (turn, round) =
            n.checked_sub(rounds + 1).map_or((0, n), |in_turn| (1 + in_turn % 2, in_turn / 2));
        progress(&format!("{what}, round {round} of {rounds}"));
        let is_bds = turn == 1;
        if is_bds && round > BDS_ROUNDS && spent > BDS_TIME {
            break;
        }
        let (took, output) = timed(if is_bds { theirs(n) } else { ours(n) });
        is_right(&output, n);
        spent += if is_bds { took } else { Duration::ZERO };
        if round > 0 {
            [&mut pair.ours, &mut pair.theirs, &mut pair.behind][turn].push(took);
        }
    }
    pair
}

fn says(text: &str) -> impl Fn(&Output, usize) {
    move |output, _| {
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(text), "{text:?} is missing: {said}");
    }
}

fn rows(table: &mut Table, what: &str, pair: Pair, target: Target) {
    table.row(what, pair.ours, target);
    table.row("… each right behind the real bd", pair.behind, Target::None);
    table.row("… the real bd", pair.theirs, Target::None);
}

#[expect(clippy::too_many_lines, reason = "one table, row by row")]
fn commands(room: &Room, sizes: [usize; 3], rounds: usize) -> Table {
    let mut table = Table::new("A command");
    let small = workspace(room, "issues-0", sizes[0]);
    let version = |program: fn(&Room, &Path, &[&str]) -> Command| program(room, &small, &["version"]);
    if version(ours).output().unwrap().status.success() {
        let samples = pair("version", rounds, &|_| version(ours), &|_| version(theirs), says("bd version"));
        rows(&mut table, "`bd version`", samples, Target::AtMostMs(3.0));
    } else {
        eprintln!("our bd does not know `version` yet: it is left out");
    }
    let mut projects = vec![small.clone()];
    for size in &sizes[1..] {
        progress("a database is filled");
        projects.push(workspace(room, &format!("issues-{size}"), *size));
    }
    let json = |project: &Path, args: &[&str]| {
        let args = [args, &["--json"]].concat();
        [ours(room, project, &args), theirs(room, project, &args)]
    };
    // Reading comes first: what is made later would be read, too.
    for (at, limit) in [(1, 10.0), (2, 40.0)] {
        let (project, size) = (&projects[at], sizes[at]);
        let list = || json(project, &["list", "--all", "--limit", "0"]);
        let samples = pair(
            "list",
            rounds,
            &|_| list().into_iter().next().unwrap(),
            &|_| list().into_iter().nth(1).unwrap(),
            |output, _| {
                let listed: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
                assert_eq!(listed.len(), size);
            },
        );
        rows(&mut table, &format!("`bd list --all --json`, {size} issues"), samples, Target::AtMostMs(limit));
    }
    for (at, limit) in [(0, 4.0), (1, 6.0), (2, 15.0)] {
        let (project, size) = (&projects[at], sizes[at]);
        let ready = || json(project, &["ready"]);
        let samples = pair(
            "ready",
            rounds,
            &|_| ready().into_iter().next().unwrap(),
            &|_| ready().into_iter().nth(1).unwrap(),
            says("\"gt-0005\""),
        );
        rows(&mut table, &format!("`bd ready --json`, {size} issues"), samples, Target::AtMostMs(limit));
    }
    let (project, size) = (&projects[1], sizes[1]);
    let show = |n: usize| json(project, &["show", &issue(1 + n * 7919 % size)]);
    let samples = pair(
        "show",
        rounds,
        &|n| show(n).into_iter().next().unwrap(),
        &|n| show(n).into_iter().nth(1).unwrap(),
        |output, n| {
            says(&issue(1 + n * 7919 % size))(output, n);
        },
    );
    rows(&mut table, &format!("`bd show --json`, {size} issues"), samples, Target::AtMostMs(5.0));
    let [mut peak, mut peak_theirs] = [const { Samples::none() }; 2];
    for _ in 0..rounds.min(3) {
        let [ours, theirs] = json(&projects[2], &["list", "--all", "--limit", "0"]);
        peak.push_number(rss::peak_mb_of(&ours));
        peak_theirs.push_number(rss::peak_mb_of(&theirs));
    }
    let create = |project: &Path, n: usize| json(project, &["create", &format!("Made {n}"), "-p", "1"]);
    for (at, limit) in [(0, 8.0), (1, 8.0), (2, 10.0)] {
        let (project, size) = (&projects[at], sizes[at]);
        let samples = pair(
            "create",
            rounds,
            &|n| create(project, n).into_iter().next().unwrap(),
            &|n| create(project, n).into_iter().nth(1).unwrap(),
            |output, n| {
                says(&format!("Made {n}"))(output, n);
            },
        );
        rows(
            &mut table,
            &format!("`bd create`, {size} issues, server down"),
            samples,
            Target::AtMostMs(limit),
        );
    }
    let served = Served::new(room, &projects[1]);
    let made = |n: usize| create(&served.project, n + 1000);
    let samples = pair(
        "create with a server",
        rounds,
        &|n| made(n).into_iter().next().unwrap(),
        &|n| made(n).into_iter().nth(1).unwrap(),
        |output, n| {
            says(&format!("Made {}", n + 1000))(output, n);
        },
    );
    rows(&mut table, &format!("`bd create`, {size} issues, server up"), samples, Target::AtMostMs(20.0));
    table.row(
        &format!("peak memory of `bd list --all --json`, {} issues, MB", sizes[2]),
        peak,
        Target::AtMost(60.0),
    );
    table.row("… the real bd, MB", peak_theirs, Target::None);
    table.row(
        "a database with bd's whole schema, made natively",
        schema(room, rounds),
        Target::AtMostMs(50.0),
    );
    table
}

/// The library alone: from nothing to a database on the disk.
fn schema(room: &Room, rounds: usize) -> Samples {
    let dir = room.folder("schemas");
    let mut samples = Samples::none();
    for round in 0..=rounds {
        progress(&format!("schema, round {round} of {rounds}"));
        let fresh = schema::Fresh {
            prefix: "gt".into(),
            project_id: "0b1f7f0e-6c5e-4f0e-8a56-3b8f5f5d2c11".into(),
            clone_id: "0123456789abcdef".into(),
            repo_id: "0123456789abcdef0123456789abcdef".into(),
            bd_version: "1.1.0".into(),
            by: Author { name: "t".into(), email: "t@example.com".into(), millis: 1_767_323_045_678 },
        };
        let begun = Instant::now();
        schema::create(&dir.join(format!("s{round}")), &fresh).unwrap();
        let took = begun.elapsed();
        if round > 0 {
            samples.push(took);
        }
    }
    samples
}

fn files(room: &Room, sizes: [usize; 3], rounds: usize) -> Table {
    let mut table = Table::new("A file of issues");
    let empty = workspace(room, "empty", 0);
    let import = |program: fn(&Room, &Path, &[&str]) -> Command, size: usize| {
        let project = copy(room, &empty, "filled");
        fs::write(project.join("issues.in"), lines(size)).unwrap();
        timed(program(room, &project, &["import", "issues.in"])).0
    };
    for (size, limit) in sizes.into_iter().zip([300.0, 1500.0, 15_000.0]) {
        let [mut mine, mut bds] = [const { Samples::none() }; 2];
        for round in 0..rounds {
            progress(&format!("import of {size}, round {round} of {rounds}"));
            mine.push(import(ours, size));
            if size <= BDS_IMPORT && round < BDS_ROUNDS {
                bds.push(import(theirs, size));
            }
        }
        let what = format!("`bd import`, {size} issues into an empty database");
        if size <= BDS_IMPORT {
            table.row(&what, mine, Target::AtMostMs(limit));
            table.row("… the real bd", bds, Target::None);
        } else {
            table.row(&what, mine, Target::AtMostMs(limit));
        }
    }
    let (size, last) = (sizes[1], issue(sizes[1]));
    let project = workspace(room, "to-export", size);
    let export = |program: fn(&Room, &Path, &[&str]) -> Command| program(room, &project, &["export"]);
    let samples = pair("export", rounds, &|_| export(ours), &|_| export(theirs), says(&last));
    rows(&mut table, &format!("`bd export`, {size} issues"), samples, Target::AtMostMs(200.0));
    table
}

fn crowd(room: &Room, size: usize, rounds: usize, quick: bool) -> Table {
    let (each, bds_each) = if quick { (3, 1) } else { (20, 1) };
    let project = workspace(room, "crowd", size);
    let [mut mine, mut bds] = [const { Samples::none() }; 2];
    let mut made = 0;
    for round in 0..=rounds {
        progress(&format!("crowd, round {round} of {rounds}"));
        let rate = |program: fn(&Room, &Path, &[&str]) -> Command, each: u32| {
            let make =
                |n: u32| program(room, &project, &["create", &format!("Of round {round}, {n}"), "--silent"]);
            let chains = (0..WRITERS).map(|writer| (0..each).map(|n| make(writer * each + n)).collect());
            f64::from(WRITERS * each) / beside(chains.collect()).as_secs_f64()
        };
        let own = rate(ours, each);
        made += WRITERS * each;
        if round > 0 {
            mine.push_number(own);
        }
        if (1..=BDS_ROUNDS).contains(&round) {
            bds.push_number(rate(theirs, bds_each));
            made += WRITERS * bds_each;
        }
    }
    let listed = run(ours(room, &project, &["list", "--all", "--limit", "0", "--json"]));
    let listed: Vec<serde_json::Value> = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed.len(), size + usize::try_from(made).unwrap(), "each one is there");
    let mut table = Table::new(&format!("{WRITERS} processes at once: issues in a second"));
    table.row(
        &format!("{WRITERS} × {each} × `bd create`, {size} issues, server down"),
        mine,
        Target::AtLeast(200.0),
    );
    table.row(&format!("… the real bd, {WRITERS} × {bds_each}"), bds, Target::None);
    table
}
