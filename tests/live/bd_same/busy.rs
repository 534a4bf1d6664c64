//! Commands beside a server that somebody else writes through all the time. What a command works out on the files is then seldom the
//! newest state and is worked out again, by asking the server; what it says and leaves must not tell of it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::working::{MOLECULES, veiled};
use super::writing::{Veil, WRITING};
use super::{Twins, Who, all_same, call, split};
use crate::support::{Child, Ending, foreign, free_port, wait_until};

/// A server that meets the lock of a reader ends; so often in a row no reader is the reason.
const MOST_STARTS: u32 = 20;

impl Twins {
    fn said_by_ours(&self, beside: Who, line: &str, veil: &Veil) -> [String; 3] {
        veiled(veil, &call(&self.town, &self.dir(beside), Who::Ours, &split(line)))
    }

    /// A server on the files of one of them; started again if it met the lock of somebody who looked.
    pub(super) fn serve(&self, whose: Who) -> (Child, u16) {
        let dir = self.dir(whose);
        for _ in 0..MOST_STARTS {
            let port = free_port();
            let args = ["sql-server", "--host", "127.0.0.1", "--port", &port.to_string(), "--data-dir", "."];
            let mut server = self.town.start_dolt(&args, &dir.join(".beads/embeddeddolt"));
            let mut has_ended = false;
            wait_until("the server is proved to have the database, or has ended", || {
                has_ended = server.0.try_wait().unwrap().is_some();
                let context = || call(&self.town, &dir, Who::Ours, &split("context --json")).ok().json();
                has_ended || context()["engine"] == "server"
            });
            if !has_ended {
                return (server, port);
            }
        }
        panic!("no server comes up: each of {MOST_STARTS} has ended");
    }
}

/// Writes until it is told to end. Gives how many questions the server was put meanwhile, by all.
pub(super) fn write_all_the_time(port: u16, is_over: &AtomicBool) -> u64 {
    let (runtime, mut client) = foreign(port, "t");
    let mut query = |sql: &str| runtime.block_on(client.query(sql)).unwrap();
    query("CREATE TABLE noise (n bigint primary key)");
    for n in 0_u64.. {
        query(&format!("INSERT INTO noise VALUES ({n})"));
        if is_over.load(Ordering::SeqCst) {
            break;
        }
    }
    let told = query("SHOW GLOBAL STATUS LIKE 'Com_select'");
    told[0].rows[0][1].to_text().unwrap().parse().unwrap()
}

#[test]
fn commands_beside_a_busy_server_say_and_leave_what_they_do_without_one() {
    let veil = Veil::new();
    let twins = Twins::copied();
    let (_server, port) = twins.serve(Who::Real);
    let (is_over, mut count, mut differences) = (AtomicBool::new(false), 0, Vec::new());
    let asked = std::thread::scope(|scope| {
        let ending = Ending(&is_over);
        let writer = scope.spawn(|| write_all_the_time(port, &is_over));
        for line in WRITING.lines().chain(MOLECULES.lines()).filter(|line| !line.is_empty()) {
            let beside = twins.said_by_ours(Who::Real, line, &veil);
            let alone = twins.said_by_ours(Who::Ours, line, &veil);
            count += 1;
            if beside != alone {
                differences.push(format!("bd {line}\nbeside: {beside:#?}\nalone: {alone:#?}"));
            }
        }
        drop(ending);
        writer.join().unwrap()
    });
    // One that is worked out on the files alone asks for its turn and for the state that it begins with.
    assert!(asked > 4 * count, "{asked} questions by {count} commands: hardly any was worked out again");
    differences.extend(twins.different_rows(&veil));
    all_same(&differences);
}
