//! Issues of other rigs by their prefix: the same commands in two copies of a town, one by the real bd and one by ours, leave the same
//! in both of its databases.

use std::fs;
use std::path::PathBuf;

use super::writing::{TABLES, Veil, different_rows};
use super::{Who, all_same, call, copy_all, first_line, split, without_bold};
use crate::support::{Ran, TestTown};
use serde_json::Value;
use similar::TextDiff;

/// A town with issues `hq-…` and two rigs: `r-…`, and `s-…` behind a redirect.
const MAKING: [(&str, &str); 14] = [
    ("rig", "init --prefix r --skip-agents --skip-hooks -q"),
    ("deep/own", "init --prefix s --skip-agents --skip-hooks -q"),
    (".", "init --prefix hq --skip-agents --skip-hooks -q"),
    (".", "create 'Of the town' --id hq-1 -l a"),
    (".", "create 'Also of the town' --id hq-2"),
    ("rig", "create 'Of the rig' --id r-1 -d text -l a,b"),
    ("rig", "create 'Second of the rig' --id r-2 -t bug -p 1"),
    ("rig", "create 'An epic' --id r-3 -t epic"),
    ("rig", "create 'Its child' --parent r-3"),
    ("rig", "create 'To go' --id r-4"),
    ("rig", "dep add r-2 r-1"),
    ("rig", "comment r-1 'A remark'"),
    ("deep/own", "create 'Behind a redirect' --id s-abc"),
    ("deep/own", "create 'A wisp' --id s-wisp-1 --ephemeral"),
];

const COMMANDS: &str = "\
show r-1
show r-1 --json
show hq-1 r-1 s-abc --short
show hq-1 r-1 s-abc --json
show r-1 nonsense hq-2 --json
show r-3 --children
show r-3 --children --json
show r-1 --refs
show s-abc
show s-wisp-1 --json
show r-nonsense
show r-nonsense --json
show t-nowhere
show q-1
comments r-1 --json
dep list r-2
dep list r-2 --json
dep list r-1 --direction up --json
dep tree r-2
dep tree r-2 --json
update r-1 --status in_progress
update r-1 --priority 0 --add-label c --json
update r-1 hq-1 s-abc --assignee bob --json
update r-1 hq-2 --priority 3
update r-1 --claim
update r-nonsense --priority 1
update r-2 --claim --json
comment r-1 'From the town'
comments add r-2 'Also from the town' --json
comment s-abc 'Behind it'
note r-1 'A note'
note r-1 'Another' --json
assign r-2 ann
priority r-2 2
tag r-2 mark
tag r-2 mark2 --json
dep add r-2 hq-1 -t tracks
dep add r-3.1 r-1
dep add hq-1 r-1
dep add hq-1 r-1 --json
dep remove r-3.1 r-1
dep remove hq-1 r-1 --json
dep r-1 --blocks r-4 --json
dep hq-2 --blocks r-4 --json
dep s-abc --blocks hq-2 --json
dep r-nonsense --blocks hq-2 --json
dep remove hq-2 s-abc
close r-3
close r-1 hq-1 s-abc --reason 'All of them'
close r-2 --json --reason one
close r-nonsense
close hq-2 r-3.1 --json --reason two
reopen r-1
reopen r-1 hq-1 --reason 'Not yet'
reopen r-2 --json
reopen hq-2 r-2 --json
delete r-4
delete r-4 --force
delete s-wisp-1 --force --json
label add r-1 x
label list r-1
defer r-1
undefer r-1
children r-3
list --parent r-3
create 'For the rig' --id r-9
show t-1
close t-1";

struct Towns {
    town: TestTown,
}

impl Towns {
    fn new() -> Self {
        let town = TestTown::with(&[]);
        let real = town.outside().join("real");
        for dir in ["rig/crew", "deep/own", "far"] {
            fs::create_dir_all(real.join(dir)).unwrap();
        }
        for (dir, line) in MAKING {
            call(&town, &real.join(dir), Who::Real, &split(line)).ok();
        }
        fs::create_dir_all(real.join("far/.beads")).unwrap();
        fs::write(real.join("far/.beads/redirect"), "../deep/own/.beads\n").unwrap();
        let routes = "# where the rigs are\n{\"prefix\":\"hq-\",\"path\":\".\"}\n{\"prefix\":\"r-\",\"path\":\"rig\"}\nbroken\n{\"prefix\":\"s-\",\"path\":\"far\"}\n{\"prefix\":\"t-\",\"path\":\"gone\"}\n";
        fs::write(real.join(".beads/routes.jsonl"), routes).unwrap();
        // One who works in the rig's own directory, with the town's issues.
        fs::create_dir_all(real.join("rig/crew/.beads")).unwrap();
        fs::write(real.join("rig/crew/.beads/redirect"), "../../.beads\n").unwrap();
        copy_all(&real, &town.outside().join("ours"));
        Self { town }
    }

    fn dir(&self, who: Who) -> PathBuf {
        self.town.outside().join(if who == Who::Real { "real" } else { "ours" })
    }

    fn run(&self, who: Who, dir: &str, line: &str) -> Ran {
        call(&self.town, &self.dir(who).join(dir), who, &split(line))
    }

    fn rows(&self, who: Who, database: &str, table: &str, veil: &Veil) -> Vec<String> {
        let database = self.dir(who).join(database);
        let dump = self.town.gt(&["db", "--dir", database.to_str().unwrap(), "dump", table]).ok().json();
        let mut rows: Vec<String> =
            dump["rows"].as_array().unwrap().iter().map(|row: &Value| veil.over(&row.to_string())).collect();
        rows.sort();
        rows
    }
}

/// The databases of a town.
const DATABASES: [&str; 3] =
    [".beads/embeddeddolt/hq", "rig/.beads/embeddeddolt/r", "deep/own/.beads/embeddeddolt/s"];

impl Towns {
    /// What a command says, without what is of the town's place, of the program's layout and of the moment.
    fn shaped(&self, who: Who, dir: &str, line: &str, veil: &Veil) -> String {
        let ran = self.run(who, dir, line);
        // The two towns have names of their own; texts of issues are laid out as each program does.
        let out = without_bold(&ran.out).replace(self.dir(who).to_str().unwrap(), "(town)");
        let is_ours = |line: &&str| !line.starts_with("Status: ") && !line.starts_with("Dependencies (");
        // The real one looks for the titles of both ends here, where one of them is not.
        let out = if line.starts_with("dep ") && !line.contains("--json") {
            regex::Regex::new(r" \([A-Z][^)]*\)").unwrap().replace_all(&out, "").into_owned()
        } else {
            out
        };
        let lines: Vec<&str> = out.lines().map(str::trim).filter(|l| !l.is_empty()).filter(is_ours).collect();
        // The reason why a route leads nowhere is told by ours alone.
        let err = ran.err.lines().find(|l| !l.starts_with("Warning: the route of ")).unwrap_or_default();
        [veil.over(&lines.join("\n")), ran.code.to_string(), veil.over(&first_line(err))].join("\n--\n")
    }

    /// Both say the same to each of these commands, and leave the same in all databases.
    fn all_same<'l>(&self, commands: impl IntoIterator<Item = (&'l str, &'l str)>) {
        let veil = Veil::new();
        let mut differences = Vec::new();
        for (dir, line) in commands {
            let [real, ours] = [Who::Real, Who::Ours].map(|who| self.shaped(who, dir, line, &veil));
            if real != ours {
                let diff = TextDiff::from_lines(&real, &ours).unified_diff().context_radius(1).to_string();
                differences.push(format!("{dir}: bd {line}\n{diff}"));
            }
        }
        for database in DATABASES {
            for table in TABLES {
                let [real, ours] = [Who::Real, Who::Ours].map(|who| self.rows(who, database, table, &veil));
                differences.extend(different_rows(&format!("{database} {table}"), &real, &ours));
            }
        }
        all_same(&differences);
    }
}

#[test]
fn an_issue_of_another_rig_is_shown_and_changed_where_it_is() {
    let towns = Towns::new();
    let elsewhere = [("rig/crew", "show r-2"), ("rig/crew", "show hq-1 --json"), ("rig", "show hq-1")];
    towns.all_same(COMMANDS.lines().map(|line| (".", line)).chain(elsewhere));
    let last = |who: Who, dir: &str| fs::read_to_string(towns.dir(who).join(dir).join(".beads/last-touched"));
    assert_eq!(last(Who::Ours, ".").unwrap(), last(Who::Real, ".").unwrap());
}

/// Where new issues go: the flag, then the settings, which lists follow.
const SENT: [(&str, &str); 33] = [
    (".", "create 'To the rig' --repo rig --id r-20"),
    (".", "create 'Its child' --repo=rig --parent r-3 --json"),
    (".", "create 'Stays here' --repo . --id hq-20"),
    ("rig", "create 'To the town' --repo .. --id hq-21 --json"),
    ("rig/crew", "create 'To the rig again' --repo ../ --id r-21 -l a --deps r-1"),
    (".", "create 'Only asked' --repo rig --dry-run"),
    (".", "create 'Not its prefix' --repo rig --id hq-30"),
    (".", "config set routing.contributor rig"),
    (".", "create 'No mode' --id hq-23"),
    (".", "config set routing.mode auto"),
    (".", "config set beads.role contributor"),
    (".", "create Planned --id r-22"),
    (".", "list"),
    (".", "list --json"),
    (".", "list --all --limit 2"),
    (".", "ready"),
    (".", "ready --json"),
    (".", "show r-1"),
    (".", "show r-1 --json"),
    (".", "show hq-1"),
    (".", "show q-nonsense"),
    (".", "blocked"),
    (".", "count"),
    (".", "create 'In spite of the settings' --repo . --id r-28"),
    (".", "config set beads.role maintainer"),
    (".", "create 'A maintainer stays' --id hq-24"),
    (".", "list"),
    (".", "config set routing.maintainer deep/own"),
    (".", "create 'A maintainer goes' --id s-20"),
    (".", "config set routing.mode explicit"),
    (".", "create 'Explicitly here' --id hq-25"),
    (".", "config set routing.default rig"),
    (".", "create 'Always there' --id r-23"),
];

#[test]
fn an_issue_is_made_and_listed_where_the_call_or_the_settings_send_it() {
    let towns = Towns::new();
    for who in [Who::Real, Who::Ours] {
        // So that nothing but the settings leads from one to the other.
        fs::remove_file(towns.dir(who).join(".beads/routes.jsonl")).unwrap();
    }
    towns.all_same(SENT);
}

#[test]
fn no_workspace_is_made_where_an_issue_is_sent_and_there_is_none() {
    let towns = Towns::new();
    let sent = |repo: &str| towns.run(Who::Ours, ".", &format!("create Sent --id s-30 --repo {repo}"));
    for repo in ["gone", "rig/crew/deeper", "https://example.com/o/r", "git@example.com:o/r.git"] {
        let refused = sent(repo);
        assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{refused:?}");
        assert!(refused.err.lines().any(|line| line.starts_with("Hint: ")), "{refused:?}");
    }
    assert!(!towns.dir(Who::Ours).join("gone").exists());
    // A redirect is followed: there is one database, and no second one beside the redirect.
    sent("far").ok().says("Created issue: s-30");
    towns.run(Who::Ours, "deep/own", "show s-30").ok();
    let far: Vec<_> = fs::read_dir(towns.dir(Who::Ours).join("far/.beads")).unwrap().flatten().collect();
    assert_eq!(far.len(), 1, "{far:?}");
}

#[test]
fn a_command_that_works_in_one_database_refuses_issues_of_two_and_changes_neither() {
    let towns = Towns::new();
    let refused = towns.run(Who::Ours, ".", "delete hq-1 r-1 --force");
    assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{refused:?}");
    refused.error_begins_with("hq-1 and r-1 are in different databases");
    for id in ["hq-1", "r-1"] {
        towns.run(Who::Ours, ".", &format!("show {id}")).ok();
    }
    // A route to nowhere is told, and the issue is not found.
    let nowhere = towns.run(Who::Ours, ".", "show t-1");
    assert_eq!(nowhere.code, 1);
    assert!(nowhere.err.contains("Error fetching t-1: no issue found matching"), "{nowhere:?}");
}
