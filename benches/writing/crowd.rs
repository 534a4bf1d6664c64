//! Many processes at one database, each with something to write.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dolt_store::chunk::ReadOptions;
use dolt_store::commit::Database;

use super::database::{insert, lock};
use crate::common::page::progress;
use crate::common::rows::{Samples, Table, Target};
use crate::store::room::{Room, bd_path, run};

const WRITER: &str = "GT_BENCH_WRITER";
const WRITERS: u32 = 20;

/// Whether this process is a writer: then it has made its commits, one row each, with the lock taken for each anew.
pub(crate) fn was_writer() -> bool {
    if std::env::var_os(WRITER).is_none() {
        return false;
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [database, cache, first, count] = &words[..] else { panic!("{words:?}") };
    let options = ReadOptions { index_cache: Some(PathBuf::from(cache)), ..ReadOptions::default() };
    let (first, count): (u32, u32) = (first.parse().unwrap(), count.parse().unwrap());
    for n in first..first + count {
        insert(&mut lock(Path::new(database), &options), [n], "one row").unwrap();
    }
    true
}

fn writer(room: &Room, database: &Path, first: u32, count: u32) -> Command {
    let program = std::env::current_exe().unwrap();
    let cache = room.folder("home/.cache/gt/journals");
    let (first, count) = (first.to_string(), count.to_string());
    let words = [database.to_str().unwrap(), cache.to_str().unwrap(), &first, &count];
    let mut command = room.command(&program, database, &words);
    command.env(WRITER, "1");
    command
}

/// Runs chains of processes beside one another; in each chain the next begins when the one before has ended.
pub(crate) fn beside(chains: Vec<Vec<Command>>) -> Duration {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for chain in chains {
            scope.spawn(move || {
                for mut command in chain {
                    let done = command.stdout(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
                    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
                }
            });
        }
    });
    begun.elapsed()
}

fn commits(database: &Path) -> u32 {
    let state = Database::open_read(database).unwrap().session().unwrap();
    let head = state.resolve_exact("refs/heads/main").unwrap().unwrap();
    u32::try_from(state.log(head).unwrap().count()).unwrap()
}

pub(crate) fn measure(room: &Room, rounds: usize, quick: bool) -> Table {
    let (each, bds_each) = if quick { (10, 1) } else { (50, 2) };
    let database = super::database::filled(room, "crowded", 10_000);
    let (project, _) = room.project(100);
    let [mut ours, mut single, mut bds] = [const { Samples::none() }; 3];
    let [mut times, mut times_single] = [const { Samples::none() }; 2];
    let mut next = 1_000_000;
    for round in 0..=rounds {
        progress(&format!("crowd, round {round} of {rounds}"));
        let before = commits(&database);
        let mut rate = |chains: &dyn Fn(u32) -> Vec<Command>| {
            let all = (0..WRITERS).map(|writer| chains(next + writer * each)).collect();
            next += WRITERS * each;
            f64::from(WRITERS * each) / beside(all).as_secs_f64()
        };
        let in_one = rate(&|first| vec![writer(room, &database, first, each)]);
        let alone = rate(&|first| (first..first + each).map(|n| writer(room, &database, n, 1)).collect());
        assert_eq!(commits(&database), before + 2 * WRITERS * each, "each one is there");
        let bd = |n: u32| {
            room.command(&bd_path(), &project, &["create", &format!("issue {round}-{n}"), "--silent"])
        };
        let chains = (0..WRITERS).map(|writer| (0..bds_each).map(|n| bd(writer * bds_each + n)).collect());
        let bd_rate = f64::from(WRITERS * bds_each) / beside(chains.collect()).as_secs_f64();
        if round > 0 {
            ours.push_number(in_one);
            single.push_number(alone);
            bds.push_number(bd_rate);
            times.push_number(in_one / bd_rate);
            times_single.push_number(alone / bd_rate);
        }
    }
    run(room.dolt(&database, &["fsck"]));
    let mut table = Table::new(&format!("{WRITERS} writers at once: commits in a second"));
    table.row(&format!("{WRITERS} processes, {each} one-row commits each"), ours, Target::None);
    table.row("… times as many as with bd", times, Target::AtLeast(25.0));
    table.row(&format!("{WRITERS} × {each} processes, one commit each"), single, Target::None);
    table.row("… times as many as with bd", times_single, Target::AtLeast(25.0));
    table.row(&format!("{WRITERS} × {bds_each} × `bd create …`"), bds, Target::None);
    table
}
