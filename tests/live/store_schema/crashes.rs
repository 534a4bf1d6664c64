//! A maker of a database that dies at any call to the disk leaves the whole database or none, and the next one makes it.

use std::fs;

use dolt_store::chunk::Disk;
use dolt_store::commit::Database;
use dolt_store::verify::verify;
use gt::store::schema;

use super::{COMMITS, Yard, fresh, messages, session};
use crate::support::Dolt;

#[test]
fn a_database_whose_making_dies_anywhere_is_there_as_a_whole_or_not_and_can_be_made_again() {
    let yard = Yard::new();
    let (mut died_without, mut died_with) = (0, 0);
    for calls in 0.. {
        let parent = yard.dir("new").join(calls.to_string());
        let database = parent.join("x");
        let is_made = schema::create_on(&database, &fresh(), &Disk::stopping_after(calls)).is_ok();
        if database.exists() {
            died_with += u32::from(!is_made);
            let refused = schema::create(&database, &fresh()).unwrap_err();
            assert!(refused.to_string().contains("there is something"), "{calls} calls: {refused}");
        } else {
            assert!(!is_made, "{calls} calls");
            died_without += 1;
            schema::create(&database, &fresh()).unwrap();
        }
        let at = session(&database);
        assert!(schema::inspect(&at).unwrap().is_current(), "{calls} calls");
        assert_eq!(messages(&at), COMMITS, "{calls} calls");
        let report = verify(&Database::open_read(&database).unwrap(), &()).unwrap();
        assert!(report.is_clean(), "{calls} calls: {:?}", report.findings);
        let dolt = if calls % 2 == 0 { Dolt::V1 } else { Dolt::V2 };
        // What the dead one has left beside it is no database for a Dolt that looks for some.
        let others: Vec<_> = fs::read_dir(&parent).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(others.iter().all(|name| name == "x" || name.to_string_lossy().starts_with(".gt_new_")));
        let found = yard.dolt(dolt, &parent, &["sql", "-r", "csv", "-q", "show databases"]).ok().out;
        let found: Vec<_> = found.lines().collect();
        assert_eq!(found, ["Database", "information_schema", "mysql", "x"], "{calls} calls");
        yard.dolt(dolt, &database, &["fsck"]).ok().says("No problems found.");
        if is_made {
            break;
        }
    }
    // Before it is in its place, and when it is there but not yet waited for.
    assert!(died_without >= 10 && died_with == 1, "{died_without}, {died_with}");
}
