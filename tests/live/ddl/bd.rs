//! The whole schema of a database that the real bd made.

use std::fs;
use std::process::Command;

use dolt_store::Error;

use super::{Both, each_dolt};
use crate::support::{Dolt, TestTown, bd, run};

// What `SHOW CREATE TABLE` says of each table, and the views as they were written.
fn definitions() -> (Vec<String>, Vec<String>) {
    let town = TestTown::with(&[]);
    let dir = town.outside().join("beads");
    fs::create_dir(&dir).unwrap();
    let ask = |program: &std::path::Path, at: &std::path::Path, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args);
        town.seal(&mut command);
        command.current_dir(at).env("PWD", at).env("BD_NON_INTERACTIVE", "1");
        run(command).ok()
    };
    ask(&bd(), &dir, &["init", "--prefix", "x", "--skip-agents", "--skip-hooks"]);
    let database = dir.join(".beads/embeddeddolt/x");
    let rows = |query: &str| -> Vec<serde_json::Value> {
        let said = ask(&Dolt::V2.path(), &database, &["sql", "-r", "json", "-q", query]).json();
        said["rows"].as_array().cloned().unwrap_or_default()
    };
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
    let names = rows("show full tables where table_type = 'BASE TABLE'");
    let name_of = |row: &serde_json::Value| -> String {
        let (_, name) =
            row.as_object().unwrap().iter().find(|(key, _)| key.starts_with("Tables_in")).unwrap();
        name.as_str().unwrap().to_owned()
    };
    let tables = names.iter().map(name_of).filter(|name| !name.starts_with("dolt_"));
    let tables = tables.map(|name| text(&rows(&format!("show create table `{name}`"))[0], "Create Table"));
    let views = rows("select fragment from dolt_schemas").iter().map(|row| text(row, "fragment")).collect();
    (tables.collect(), views)
}

#[test]
fn all_that_bd_defines_is_what_dolt_makes_of_it() {
    let (tables, views) = definitions();
    assert!(tables.len() > 20 && views.len() > 1, "{} tables, {} views", tables.len(), views.len());
    each_dolt(|both: &Both| {
        // A table can refer to those only that are there.
        let mut left = tables.clone();
        while !left.is_empty() {
            let before = left.len();
            left.retain(|sql| {
                let options = both.options;
                let tried = both.natively(|tx| {
                    let root = tx.working();
                    let done = tx.run_ddl(sql, options);
                    tx.set_working(root);
                    done
                });
                match tried {
                    Ok(()) => {
                        both.run(sql);
                        false
                    }
                    Err(Error::NoTable { .. }) => true,
                    Err(problem) => panic!("{problem}: {sql}"),
                }
            });
            assert!(left.len() < before, "tables that refer to each other: {left:?}");
        }
        for view in &views {
            both.run(view);
        }
        both.is_whole();
    });
}
