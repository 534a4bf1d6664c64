//! `rename` beside the real one: what it says, and the rows that it leaves in every table.

use super::writing::Veil;
use super::{Twins, all_same, first_line, without_bold};
use crate::support::Ran;

const RENAMING: &str = "\
create 'It mentions t-bug1 and (t-bug1.2), not t-bug10' --id t-mention -d 'see t-bug1, t-bug1x and xt-bug1' --notes t-bug1 --design 't-bug1\\n' --acceptance t-bug1
dep add t-mention t-bug1
dep add t-bug1 t-ms -t related
dep add t-wf t-bug1 -t tracks
label add t-bug1 moving
comment t-bug1 'A remark about t-bug1'
rename t-bug1 t-crash
show t-crash --json
show t-bug1
dep list t-mention --json
dep list t-crash --direction up --json
comments t-crash --json
update t-crash --priority 3
rename t-ep1 t-epic.x
children t-epic.x --json
create 'Below' --parent t-epic.x
rename t-crash t-crash
rename t-none t-else
rename t-crash t-ms
rename t-crash Crash
rename t-crash crash
rename t-crash t-crash/2
rename t-crash --json
rename t-crash other-1
show other-1 --json
rename t-crash t-again";

#[test]
fn a_renamed_issue_takes_along_what_the_real_one_takes_along() {
    let veil = Veil::new();
    let twins = Twins::copied();
    let shaped = |_, ran: &Ran| {
        let out = veil.over(&without_bold(&ran.out));
        [out, ran.code.to_string(), veil.over(&first_line(&ran.err))]
    };
    let mut differences = twins.differences(RENAMING, shaped);
    differences.extend(twins.different_rows(&veil));
    all_same(&differences);
}
