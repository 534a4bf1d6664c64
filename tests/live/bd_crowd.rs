//! Twenty agents at one database, each a chain of processes of ours with one of the real bd now and then: whatever they were
//! told is done is there, once, whether no server holds the database, one does, or servers come and are ended in the middle.
//!
//! What could go wrong is that nothing was at the same time, or that all was refused. So all agents begin together, every
//! command of ours has to succeed, and what the real bd did is counted only when it said so: it may meet our lock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, RwLock};
use std::time::Duration;

use gt::store::family::Family;
use gt::store::load::{self, With};
use gt::store::native::Native;
use gt::store::reader::By;

use crate::bd_random::place::{Who, Workspace};
use crate::bd_random::plan::State;
use crate::support::{Dolt, in_a_soak, run, wait_until};

const AGENTS: u32 = 20;
/// So many commands has each agent on every run, and in a soak.
const COMMANDS: (u32, u32) = (5, 50);
/// Longer than this no process may take, however many wait. A lock is waited for half as long.
const LIMIT: Duration = Duration::from_mins(1);
/// A server lives for so many commands before it is ended.
const LIFE: usize = 15;

/// What was acknowledged, by what must be found: once, or at most once if its process failed.
#[derive(Debug, Default)]
struct Told(BTreeMap<String, bool>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Servers {
    Is(State),
    ComeAndGo,
}

/// The command of this number, and what is to be found after it.
fn command(agent: u32, n: u32) -> (Vec<String>, String) {
    let of = |n: u32| format!("x-a{agent}n{n}");
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let round = n / 5 * 5;
    let own = of(round);
    match n % 5 {
        0 => (words(&["create", &format!("Issue of {own}"), "--id", &own]), format!("title Issue of {own}")),
        1 => {
            let text = format!("said {agent} {n}");
            (words(&["comment", "x-shared", &text]), format!("comment {text}"))
        }
        2 => (words(&["label", "add", &own, "mine"]), format!("label {own} mine")),
        3 => (words(&["dep", "add", "x-shared", &own, "--type", "tracks"]), format!("edge x-shared {own}")),
        _ => (words(&["close", &own, "--reason", "done"]), format!("closed {own}")),
    }
}

fn agent(place: &RwLock<Workspace>, number: u32, commands: u32, done: &AtomicUsize, told: &Mutex<Told>) {
    for n in 0..commands {
        let (words, found) = command(number, n);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        // The last comment of some agents is bd's, which takes a second.
        let who =
            if number.is_multiple_of(4) && n % 5 == 1 && n + 5 >= commands { Who::Theirs } else { Who::Ours };
        // Only the command is made under the lock: it runs whatever becomes of the server.
        let mut process = place.read().unwrap().command(who, &words);
        process.env("BEADS_DOLT_AUTO_START", "0");
        let ran = run(process);
        assert!(ran.took < LIMIT, "{ran:?}");
        assert!(ran.code == 0 || who == Who::Theirs, "{ran:?}");
        told.lock().unwrap().0.insert(found, ran.code == 0);
        done.fetch_add(1, Ordering::SeqCst);
    }
}

/// How often each thing is there.
fn found(place: &Workspace) -> BTreeMap<String, usize> {
    let reader = Native::at(place.database(), None).reader().unwrap();
    let mut found = BTreeMap::new();
    let mut count = |what: String| *found.entry(what).or_default() += 1;
    for issue in load::issues(&reader, Family::Issues, By::All, With::ALL).unwrap() {
        count(format!("title {}", issue.title));
        for label in &issue.labels {
            count(format!("label {} {label}", issue.id));
        }
        for comment in &issue.comments {
            count(format!("comment {}", comment.text));
        }
        for edge in &issue.dependencies {
            count(format!("edge {} {}", issue.id, edge.depends_on_id));
        }
        if issue.status == beads::Status::Closed {
            count(format!("closed {}", issue.id));
        }
    }
    found
}

fn crowd(servers: Servers) {
    let commands = in_a_soak(COMMANDS.0, COMMANDS.1);
    let mut place = Workspace::new();
    place.run(Who::Ours, &["create", "Shared", "--id", "x-shared"], None).ok();
    if let Servers::Is(state) = servers {
        place.set(state);
    }
    let place = RwLock::new(place);
    let (done, told, begin) =
        (AtomicUsize::new(0), Mutex::new(Told::default()), Barrier::new(AGENTS as usize));
    let mut ended = 0;
    std::thread::scope(|scope| {
        let agents: Vec<_> = (0..AGENTS)
            .map(|number| {
                let (place, done, told, begin) = (&place, &done, &told, &begin);
                scope.spawn(move || {
                    begin.wait();
                    agent(place, number, commands, done, told);
                })
            })
            .collect();
        let all = (AGENTS * commands) as usize;
        while servers == Servers::ComeAndGo && done.load(Ordering::SeqCst) + LIFE < all {
            if agents.iter().any(std::thread::ScopedJoinHandle::is_finished) {
                break;
            }
            let before = done.load(Ordering::SeqCst);
            place.write().unwrap().start(if ended % 2 == 0 { Dolt::V1 } else { Dolt::V2 });
            wait_until("agents go on", || {
                let is_any_over = agents.iter().any(std::thread::ScopedJoinHandle::is_finished);
                is_any_over || done.load(Ordering::SeqCst) >= before + LIFE
            });
            place.write().unwrap().end(if ended % 3 == 2 { "KILL" } else { "TERM" });
            ended += 1;
        }
    });
    let mut place = place.into_inner().unwrap();
    place.end("TERM");
    assert!(servers != Servers::ComeAndGo || ended >= 2, "{ended} servers");
    let (found, told) = (found(&place), told.into_inner().unwrap().0);
    let mut acknowledged = 0;
    for (what, is_sure) in &told {
        let times = found.get(what).copied().unwrap_or_default();
        assert!(times == 1 || !is_sure && times == 0, "{what}: acknowledged {is_sure}, there {times} times");
        acknowledged += usize::from(*is_sure);
    }
    let least = (AGENTS * commands * 4 / 5) as usize;
    assert!(acknowledged >= least, "{acknowledged} of {} acknowledged", told.len());
    eprintln!("{servers:?}: {acknowledged} of {} acknowledged, {ended} servers ended", told.len());
    place.is_sound();
}

#[test]
fn twenty_agents_without_a_server_lose_nothing() {
    crowd(Servers::Is(State::Down));
}

#[test]
fn twenty_agents_with_a_server_of_dolt_1_lose_nothing() {
    crowd(Servers::Is(State::Up(Dolt::V1)));
}

#[test]
fn twenty_agents_with_a_server_of_dolt_2_lose_nothing() {
    crowd(Servers::Is(State::Up(Dolt::V2)));
}

#[test]
fn twenty_agents_lose_nothing_while_servers_come_and_are_ended() {
    crowd(Servers::ComeAndGo);
}

/// The same with fifty commands each: [`in_a_soak`] says how many.
#[test]
fn soak_twenty_agents() {
    if in_a_soak(0, 1) == 1 {
        crowd(Servers::Is(State::Down));
        crowd(Servers::Is(State::Up(Dolt::V1)));
        crowd(Servers::ComeAndGo);
    }
}
