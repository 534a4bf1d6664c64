//! What is made wrong is named: databases of the real Dolt in which one thing was replaced, with true addresses everywhere,
//! so that nothing but the checks of this room can notice it.

mod files;
mod history;
mod trees;

use super::{Finding, Report, verify_state};
use crate::testing::Damage;

/// Both forms of long values, from both Dolts.
const WHOLE: [&str; 2] = ["every-kind-1", "every-kind-2"];

/// Verifies it. Something must be wrong.
#[track_caller]
fn report(damage: &Damage) -> Report {
    let report = verify_state(&damage.session());
    assert!(!report.is_clean(), "nothing is found");
    report
}

/// The finding that says this.
#[track_caller]
fn found<'r>(report: &'r Report, problem: &str) -> &'r Finding {
    let all = || report.findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n");
    report
        .findings
        .iter()
        .find(|f| f.problem.contains(problem))
        .unwrap_or_else(|| panic!("not {problem:?}:\n{}", all()))
}

/// It is said of this table and this index, nothing is said of any other table, and the branch is not called safe.
#[track_caller]
fn names(report: &Report, problem: &str, table: &str, index: Option<&str>) {
    let finding = found(report, problem);
    assert_eq!((finding.table.as_deref(), finding.index.as_deref()), (Some(table), index), "{finding}");
    let others: Vec<&Finding> =
        report.findings.iter().filter(|f| f.table.as_deref() != Some(table)).collect();
    assert!(others.is_empty(), "{others:?}");
    let main = report.refs.iter().find(|r| r.name == "main").unwrap();
    assert!(!main.tip_is_safe && !main.history_is_safe && main.damaged_tables == [table], "{main:?}");
    assert!(main.safe_tables.contains(&"parent".to_owned()), "{main:?}");
    let other = report.refs.iter().find(|r| r.name == "other").unwrap();
    assert!(other.tip_is_safe && other.history_is_safe, "{other:?}");
}

#[test]
fn nothing_is_wrong_with_what_is_whole() {
    for name in WHOLE {
        let report = verify_state(&Damage::of(name).session());
        assert!(report.is_clean(), "{name}: {:?}", report.findings);
        let notes = report.notes.iter().filter(|note| !note.contains("dolt_schemas")).count();
        assert!(notes == 0 && report.refs.iter().all(|r| r.history_is_safe), "{name}: {report:?}");
    }
}
