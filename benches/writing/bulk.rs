//! Many rows in one transaction.

use std::fmt::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use dolt_store::Hash;
use dolt_store::commit::Database;

use super::database::{SCHEMA, insert, lock, options, spelled};
use crate::common::page::progress;
use crate::common::rows::{Samples, Table, Target};
use crate::store::room::Room;

pub(crate) fn measure(room: &Room, rows: u32, rounds: usize) -> Table {
    let (mut ours, mut singles, mut thousands) = (Samples::default(), Samples::default(), Samples::default());
    let (mut faster, mut faster_than_thousands) = (Samples::default(), Samples::default());
    let [by_one, by_thousand] = [1, 1000].map(|at_once| {
        let file = room.folder("statements").join(format!("{at_once}.sql"));
        std::fs::write(&file, statements(rows, at_once)).unwrap();
        file
    });
    for round in 0..=rounds {
        progress(&format!("bulk, round {round} of {rounds}"));
        let database = |who: &str| {
            let database = room.init(&format!("{who}-{round}"));
            room.sql(&database, SCHEMA);
            database
        };
        let [our, one, thousand] = ["ours", "by-one", "by-thousand"].map(database);
        let their_one = feed(room, &one, &by_one);
        let begun = Instant::now();
        let mut locked = lock(&our, &options(room));
        insert(&mut locked, 0..rows, "rows").unwrap();
        drop(locked);
        let took = begun.elapsed();
        let their_thousand = feed(room, &thousand, &by_thousand);
        assert_eq!(
            [&our, &our].map(|d| table_of(d)),
            [&one, &thousand].map(|d| table_of(d)),
            "the same table"
        );
        if round > 0 {
            ours.push(took);
            singles.push(their_one);
            thousands.push(their_thousand);
            faster.push_number(their_one.as_secs_f64() / took.as_secs_f64());
            faster_than_thousands.push_number(their_thousand.as_secs_f64() / took.as_secs_f64());
        }
    }
    let mut table =
        Table::new(&format!("{rows} rows with five indexes, inserted in one transaction, and a commit"));
    table.row("in this process, the lock taken → let go", ours, Target::None);
    table.row("`dolt sql < file`, a statement for each row", singles, Target::None);
    table.row("… times as long, same round", faster, Target::AtLeast(20.0));
    table.row("`dolt sql < file`, a statement for 1000 rows", thousands, Target::None);
    table.row("… times as long, same round", faster_than_thousands, Target::None);
    table
}

fn statements(rows: u32, at_once: u32) -> String {
    let mut sql = "start transaction;\n".to_owned();
    for first in (0..rows).step_by(usize::try_from(at_once).unwrap()) {
        let tuples: Vec<String> = (first..(first + at_once).min(rows)).map(spelled).collect();
        writeln!(sql, "insert into t values {};", tuples.join(",")).unwrap();
    }
    sql + "commit;\ncall dolt_commit('-Am', 'rows');\n"
}

fn feed(room: &Room, database: &Path, file: &Path) -> Duration {
    let mut command = room.dolt(database, &["sql"]);
    command.stdin(std::fs::File::open(file).unwrap()).stdout(Stdio::null());
    let begun = Instant::now();
    assert!(command.status().unwrap().success());
    begun.elapsed()
}

fn table_of(database: &Path) -> Hash {
    let state = Database::open_read(database).unwrap().session().unwrap();
    let tables = state.tables(state.resolve_root("HEAD").unwrap().unwrap()).unwrap();
    tables.address("t").unwrap().unwrap()
}
