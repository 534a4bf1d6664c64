//! Schemas from seeds, held against both Dolts.

use crate::support::{Dolt, RandomTable, Subject, Wishes, quoted, random_schema};

fn sql(tables: &[RandomTable]) -> String {
    tables.iter().map(|t| t.sql.as_str()).collect::<Vec<_>>().join(";\n")
}

#[test]
fn every_schema_from_a_seed_is_one_that_both_dolts_take() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        for seed in 0..12 {
            let tables = random_schema(seed, &Wishes::all(5));
            let again = random_schema(seed, &Wishes::all(5));
            assert_eq!(sql(&tables), sql(&again), "the same seed gives the same tables");
            subject.sql(&sql(&tables));
            for table in &tables {
                let there = subject.table(&table.name);
                let visible: Vec<&str> = there.schema().visible().map(|(_, c)| c.name.as_str()).collect();
                let wanted: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
                assert_eq!(visible, wanted, "{}", table.sql);
                for ((_, column), made) in there.schema().visible().zip(&table.columns) {
                    let found = (column.nullable, column.generated, column.primary_key);
                    assert_eq!(
                        found,
                        (made.nullable, made.generated, made.key),
                        "{}: {}",
                        made.name,
                        table.sql
                    );
                    assert!(!made.sql_type.is_empty(), "{}", table.sql);
                }
            }
            let names = tables.iter().rev().map(|t| quoted(&t.name)).collect::<Vec<_>>().join(", ");
            subject.sql(&format!("set foreign_key_checks = 0; drop table {names}"));
        }
    }
}
