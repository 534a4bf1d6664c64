//! Schemas from seeds.

use super::each_dolt;
use crate::support::{Dolt, RandomTable, Wishes, quoted, random_schema};

fn sql(tables: &[RandomTable]) -> String {
    tables.iter().map(|t| t.sql.as_str()).collect::<Vec<_>>().join(";\n")
}

#[test]
fn every_schema_from_a_seed_is_the_one_that_dolt_makes() {
    each_dolt(|both| {
        for seed in 0..8 {
            let tables = random_schema(seed, &Wishes::all(5));
            let again = random_schema(seed, &Wishes::all(5));
            assert_eq!(sql(&tables), sql(&again), "the same seed gives the same tables");
            for table in &tables {
                both.run(&table.sql);
                let there = both.theirs.table(&table.name);
                for ((_, column), made) in there.schema().visible().zip(&table.columns) {
                    let found = (&column.name, column.nullable, column.generated, column.primary_key);
                    let wanted = (&made.name, made.nullable, made.generated, made.key);
                    assert_eq!(found, wanted, "{}", table.sql);
                    assert!(!made.sql_type.is_empty(), "{}", table.sql);
                }
            }
            let names = tables.iter().rev().map(|t| quoted(&t.name)).collect::<Vec<_>>().join(", ");
            both.run(&format!("drop table {names}"));
        }
    });
}

#[test]
fn a_table_is_shown_as_a_statement_that_makes_it_again() {
    each_dolt(|both| {
        for seed in 20..24 {
            let tables = random_schema(seed, &Wishes::all(4));
            for table in &tables {
                both.run(&table.sql);
            }
            let shown: Vec<String> = tables
                .iter()
                .map(|t| both.ours.gt(&["schema", &t.name, "--sql", "--json"]).ok().json()["sql"].clone())
                .map(|sql| sql.as_str().unwrap().to_owned())
                .collect();
            let before = both.ours.table_root("WORKING");
            let names = tables.iter().rev().map(|t| quoted(&t.name)).collect::<Vec<_>>().join(", ");
            both.run(&format!("drop table {names}"));
            for sql in &shown {
                both.run(sql);
            }
            // 1.88.1 forgets a table's comment when the primary key stands in a clause of its own.
            if both.theirs.town.dolt == Dolt::V2 {
                assert_eq!(both.ours.table_root("WORKING"), before, "{shown:#?}\n{}", sql(&tables));
            }
            both.run(&format!("drop table {names}"));
        }
    });
}
