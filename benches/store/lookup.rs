//! One row by its key, process start included.

use std::path::Path;
use std::process::Command;

use super::room::{Room, bd_path, issue, journal_length, timed};
use crate::common::page::progress;
use crate::common::rows::{Samples, Table, Target};
use crate::common::rss;

/// How long each of these takes, in turn, for a row that is another one in every round.
fn in_turn<const N: usize>(
    rounds: usize,
    of: usize,
    commands: [&dyn Fn(usize) -> Command; N],
) -> [Samples; N] {
    let mut samples = [const { Samples::none() }; N];
    for round in 0..=rounds {
        progress(&format!("lookups, round {round} of {rounds}"));
        let n = 1 + round * 7919 % of;
        for turn in 0..N {
            // Who begins changes, so that nobody always comes after the same other.
            let who = (turn + round) % N;
            let (took, output) = timed(commands[who](n));
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(said.contains(&n.to_string()), "{n} was not found: {said}");
            if round > 0 {
                samples[who].push(took);
            }
        }
    }
    samples
}

fn show_issue(room: &Room, database: &Path, n: usize) -> Command {
    room.gt(database, &["show", "issues", "--where", &format!("id={}", issue(n))])
}

fn ask_dolt(room: &Room, database: &Path, n: usize) -> Command {
    room.dolt(database, &["sql", "-q", &format!("select * from issues where id = '{}'", issue(n))])
}

/// In bd's own database, as bd has left it.
pub(crate) fn beside_bd(room: &Room, project: &Path, database: &Path, rounds: usize) -> Table {
    let bd = |n: usize| room.command(&bd_path(), project, &["show", &issue(n)]);
    let [ours, bds, dolts] =
        in_turn(rounds, 1000, [&|n| show_issue(room, database, n), &bd, &|n| ask_dolt(room, database, n)]);
    let megabytes = journal_length(database) / 1_000_000;
    let mut table = Table::new(&format!("One row by key, bd's database of 1,000 issues ({megabytes} MB)"));
    table.row("`gt db show issues --where id=…`", ours, Target::AtMostMs(5.0));
    table.row("`bd show …`", bds, Target::None);
    table.row("`dolt sql -q 'select …'`", dolts, Target::None);
    table
}

/// In a copy with a long journal: the first time, and when `gt` has read it before.
pub(crate) fn in_a_long_journal(room: &Room, database: &Path, rounds: usize) -> Table {
    let first = |n: usize| {
        room.forget_journals();
        show_issue(room, database, n)
    };
    let [first, dolts] = in_turn(rounds, 1000, [&first, &|n| ask_dolt(room, database, n)]);
    let [again] = in_turn(rounds, 1000, [&|n| show_issue(room, database, n)]);
    let megabytes = journal_length(database) / 1_000_000;
    let mut table = Table::new(&format!("The same, journal of {megabytes} MB"));
    table.row("`gt db show issues --where id=…`, read for the first time", first, Target::None);
    table.row("… read before", again, Target::AtMostMs(10.0));
    table.row("`dolt sql -q 'select …'`", dolts, Target::None);
    table
}

/// In a database of blobs, with the memory that it takes.
pub(crate) fn in_a_large_database(room: &Room, database: &Path, rounds: usize) -> Table {
    let show = |n: usize| room.gt(database, &["show", "big", "--where", &format!("id={n}")]);
    let ask =
        |n: usize| room.dolt(database, &["sql", "-q", &format!("select id, name from big where id = {n}")]);
    let first = |n: usize| {
        room.forget_journals();
        show(n)
    };
    let [peak_first, peak_again, peak_dolt] = peaks([&first, &show, &ask]);
    let [first] = in_turn(rounds.min(5), 1000, [&first]);
    let [again, dolts] = in_turn(rounds, 1000, [&show, &ask]);
    let megabytes = journal_length(database) / 1_000_000;
    let mut table = Table::new(&format!("One row by key, journal of {megabytes} MB"));
    table.row("`gt db show big --where id=…`, read for the first time", first, Target::None);
    table.row("… read before", again, Target::None);
    table.row("`dolt sql -q 'select …'`", dolts, Target::None);
    table.row("peak memory of `gt db show`, read for the first time, MB", peak_first, Target::Below(32.0));
    table.row("… read before, MB", peak_again, Target::Below(32.0));
    table.row("peak memory of `dolt sql`, MB", peak_dolt, Target::None);
    table
}

fn peaks<const N: usize>(commands: [&dyn Fn(usize) -> Command; N]) -> [Samples; N] {
    commands.map(|command| {
        let mut peak = Samples::default();
        for n in 1..=3 {
            peak.push_number(rss::peak_mb_of(&command(n)));
        }
        peak
    })
}
