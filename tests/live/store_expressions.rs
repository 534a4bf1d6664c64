//! Expressions of schemas: what Dolt stores of what somebody wrote is what we say that it stores.

use std::fs;

use dolt_store::expr::{Scope, canonical_check, canonical_default, canonical_generated, canonical_on_update};
use dolt_store::table::Table;

use crate::support::{Dolt, Subject};

const COLUMNS: &str = "a int, b varchar(20), c decimal(10,3), d datetime, u int unsigned, f double, j json, tx text,
  ci varchar(10) collate utf8mb4_general_ci, r float, ti tinyint, bo tinyint(1), e enum('x','y'), y year, da date, bi bigint,
  `we``ird` int";

const CHECKS: &str = include_str!("store_expressions/checks.txt");
const DEFAULTS: &str = include_str!("store_expressions/defaults.txt");
const GENERATED: &str = include_str!("store_expressions/generated.txt");

// Lines of a list. `-`: Dolt takes it, and we say that we do not know it.
fn cases(list: &str) -> Vec<(&str, bool)> {
    let lines = list.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#'));
    lines.map(|l| l.strip_prefix("- ").map_or((l, true), |l| (l, false))).collect()
}

/// The tables `t0`, `t1`, … that these statements made; `None` where Dolt refused.
fn made(dolt: Dolt, statements: &[String]) -> Vec<Option<Table>> {
    let subject = Subject::new(dolt);
    let file = subject.town.outside().join("create.sql");
    let sql = statements.join(";\n");
    fs::write(&file, sql).unwrap();
    subject.dolt(&["sql", "--continue", "--file", file.to_str().unwrap()]);
    let session = subject.open().session().unwrap();
    let tables = session.tables(session.resolve_root("WORKING").unwrap().unwrap()).unwrap();
    (0..statements.len()).map(|i| tables.open(&format!("t{i}")).unwrap()).collect()
}

#[test]
fn checks_are_spelled_as_dolt_stores_them() {
    let cases = cases(CHECKS);
    let create =
        |(i, (text, _)): (usize, &(&str, bool))| format!("create table t{i} ({COLUMNS}, check ({text}))");
    let statements: Vec<String> = cases.iter().enumerate().map(create).collect();
    for dolt in [Dolt::V1, Dolt::V2] {
        for ((text, is_known), table) in cases.iter().zip(made(dolt, &statements)) {
            let table = table.unwrap_or_else(|| panic!("{dolt:?} refuses {text}"));
            let ours = canonical_check(text, &Scope::of(table.schema()));
            match ours {
                Ok(ours) => assert_eq!(
                    (ours.as_str(), true),
                    (&*table.schema().checks[0].expression, *is_known),
                    "{text}"
                ),
                Err(told) => assert!(!is_known, "{text}: {told}"),
            }
        }
    }
}

#[test]
fn defaults_are_spelled_as_dolt_stores_them_and_refused_where_dolt_refuses_them() {
    let cases = cases(DEFAULTS);
    let create = |(i, (text, _)): (usize, &(&str, bool))| {
        let text = text.strip_prefix("! ").unwrap_or(text);
        let (sql_type, default) = text.split_once('|').unwrap();
        format!(
            "create table t{i} (id int primary key, a int, b varchar(20), x {sql_type} default {default})"
        )
    };
    let statements: Vec<String> = cases.iter().enumerate().map(create).collect();
    for dolt in [Dolt::V1, Dolt::V2] {
        for ((text, is_known), table) in cases.iter().zip(made(dolt, &statements)) {
            let (text, is_refused) = text.strip_prefix("! ").map_or((*text, false), |text| (text, true));
            let (given_type, default) = text.split_once('|').unwrap();
            assert_eq!(table.is_none(), is_refused, "{dolt:?}: {text}");
            let column = table.as_ref().map(|t| t.schema().columns[3].clone());
            let sql_type = column.as_ref().map_or(given_type, |c| &c.sql_type);
            let scope = table.as_ref().map_or_else(Scope::default, |t| Scope::of(t.schema()));
            match canonical_default(default, sql_type, &scope) {
                Ok(ours) => {
                    assert_eq!((Some(ours), true), (column.and_then(|c| c.default), *is_known), "{text}");
                }
                Err(told) => assert!(is_refused || !is_known, "{text}: {told}"),
            }
        }
    }
}

#[test]
fn generated_columns_and_on_update_are_spelled_as_dolt_stores_them() {
    let cases = cases(GENERATED);
    let create = |(i, (text, _)): (usize, &(&str, bool))| {
        format!(
            "create table t{i} ({COLUMNS}, x int as ({text}), n datetime(3) default now(3) on update current_timestamp(3))"
        )
    };
    let statements: Vec<String> = cases.iter().enumerate().map(create).collect();
    for dolt in [Dolt::V1, Dolt::V2] {
        for ((text, is_known), table) in cases.iter().zip(made(dolt, &statements)) {
            let table = table.unwrap_or_else(|| panic!("{dolt:?} refuses {text}"));
            let column = |name: &str| table.schema().columns.iter().find(|c| c.name == name).unwrap();
            match canonical_generated(text, &Scope::of(table.schema())) {
                Ok(ours) => {
                    assert_eq!((Some(ours), true), (column("x").default.clone(), *is_known), "{text}");
                }
                Err(told) => assert!(!is_known, "{text}: {told}"),
            }
            let ours = canonical_on_update("current_timestamp(3)", "datetime(3)").unwrap();
            assert_eq!(Some(ours), column("n").on_update);
        }
    }
    for (text, sql_type) in [("now(2)", "datetime(3)"), ("now()", "varchar(9)"), ("5", "datetime(0)")] {
        canonical_on_update(text, sql_type).unwrap_err();
    }
}
