//! The scripts in `.beads/hooks` that hear of every change: when they are run and what they are told, beside the real bd; and that
//! no script can hold up a command or make it fail.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::busy::write_all_the_time;
use super::writing::Veil;
use super::{Twins, Who, all_same, call, command, split};
use crate::support::{Ending, Ran, run, wait_until};

const COMMANDS: &str = include_str!("event_hooks.txt");
const NAMES: [&str; 3] = ["on_create", "on_update", "on_close"];
/// Keeps what it is told in a file of its own, whose last name it gets when it is whole.
const KEEPS: &str = r#"#!/bin/sh
file="$BEADS_DIR/../told/$$"
{ echo "$1 $2 ${0##*/} $PWD $BEADS_DIR"; cat; } > "$file"
mv "$file" "$file.whole"
echo "nobody reads this"; echo "nor this" >&2
"#;
const LINES: &str = "\
update t-h1 priority=3
update t-h5 title=x
close t-h5 done with it
dep add t-h44 t-h5
dep remove t-h44 t-h5
";
const IMPORTED: &str = r#"{"id":"t-hi","title":"Imported","status":"open","priority":2,"issue_type":"task","labels":["a"],"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}"#;

impl Twins {
    fn script(&self, who: Who, name: &str, text: &str, mode: u32) {
        let hooks = self.dir(who).join(".beads/hooks");
        fs::create_dir_all(&hooks).unwrap();
        fs::create_dir_all(self.dir(who).join("told")).unwrap();
        fs::write(hooks.join(name), text).unwrap();
        fs::set_permissions(hooks.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn scripts(&self, who: Who) {
        for name in NAMES {
            self.script(who, name, KEEPS, 0o755);
        }
    }

    /// What the scripts were told, once it is so much; and forgets it.
    fn told(&self, who: Who, count: usize, veil: &Veil) -> Vec<(String, String)> {
        let dir = self.dir(who);
        let whole = || -> Vec<_> {
            let files = fs::read_dir(dir.join("told")).unwrap().map(|file| file.unwrap().path());
            files.filter(|file| file.extension().is_some_and(|it| it == "whole")).collect()
        };
        wait_until(&format!("{who:?} has told {count} scripts"), || whole().len() >= count);
        let mut told: Vec<_> = whole()
            .iter()
            .map(|file| {
                let text = fs::read_to_string(file).unwrap();
                fs::remove_file(file).unwrap();
                let text = text.replace(dir.to_str().unwrap(), "(dir)");
                let (head, json) = text.split_once('\n').unwrap();
                (head.to_owned(), veil.over(json))
            })
            .collect();
        told.sort();
        told
    }

    fn ours(&self, line: &str) -> Ran {
        self.run(Who::Ours, &split(line))
    }
}

/// Whether both were told the same. The real bd may end before its script has read anything.
fn is_same(real: &[(String, String)], ours: &[(String, String)]) -> bool {
    let mut left = ours.to_vec();
    let mut take = |head: &str, json: Option<&str>| {
        let at = left.iter().position(|(h, j)| h == head && json.is_none_or(|json| json == j));
        at.map(|at| left.swap_remove(at)).is_some()
    };
    let (lost, whole): (Vec<_>, Vec<_>) = real.iter().partition(|(_, json)| json.is_empty());
    let is_whole = whole.iter().all(|(head, json)| take(head, Some(json)));
    is_whole && lost.iter().all(|(head, _)| take(head, None)) && left.is_empty()
}

#[test]
fn scripts_are_told_what_the_real_bd_tells_them() {
    let veil = Veil::new();
    let twins = Twins::copied();
    for who in [Who::Real, Who::Ours] {
        fs::write(twins.dir(who).join("lines.txt"), LINES).unwrap();
        fs::write(twins.dir(who).join("in.jsonl"), IMPORTED).unwrap();
        // The real bd waits for no script, and one that is not started when it ends never is. This keeps it busy meanwhile.
        for line in ["config set export.auto true", "config set export.interval 1ms"] {
            twins.run(who, &split(line)).ok();
        }
        twins.scripts(who);
    }
    let mut differences = Vec::new();
    let mut whole = 0;
    for line in COMMANDS.lines().filter(|line| !line.starts_with('#')) {
        let (count, line) = line.split_once(' ').unwrap();
        let count = count.parse().unwrap();
        let [real, ours] = [Who::Real, Who::Ours].map(|who| {
            twins.run(who, &split(line));
            twins.told(who, count, &veil)
        });
        whole += real.iter().filter(|(_, json)| !json.is_empty()).count();
        if !is_same(&real, &ours) || ours.len() != count {
            differences.push(format!("bd {line}\nreal: {real:#?}\nours: {ours:#?}"));
        }
    }
    all_same(&differences);
    assert!(whole > 40, "the real bd has told {whole} of its scripts an issue: hardly anything was compared");
}

#[test]
fn beside_a_busy_server_scripts_are_told_the_same_and_once() {
    let veil = Veil::new();
    let twins = Twins::copied();
    for who in [Who::Real, Who::Ours] {
        fs::write(twins.dir(who).join("lines.txt"), LINES).unwrap();
        fs::write(twins.dir(who).join("in.jsonl"), IMPORTED).unwrap();
        twins.scripts(who);
    }
    let (_server, port) = twins.serve(Who::Real);
    let (is_over, mut differences) = (AtomicBool::new(false), Vec::new());
    // Somebody else writes meanwhile, so that most commands are worked out more than once.
    std::thread::scope(|scope| {
        let _ending = Ending(&is_over);
        scope.spawn(|| write_all_the_time(port, &is_over));
        for line in COMMANDS.lines().filter(|line| !line.starts_with('#')) {
            let (count, line) = line.split_once(' ').unwrap();
            let [beside, alone] = [Who::Real, Who::Ours].map(|dir| {
                call(&twins.town, &twins.dir(dir), Who::Ours, &split(line));
                twins.told(dir, count.parse().unwrap(), &veil)
            });
            if beside != alone {
                differences.push(format!("bd {line}\nbeside a server: {beside:#?}\nalone: {alone:#?}"));
            }
        }
    });
    all_same(&differences);
}

#[test]
fn a_change_in_a_database_that_an_id_leads_to_is_told_nobody_as_with_the_real_bd() {
    let veil = Veil::new();
    let twins = Twins::copied();
    for who in [Who::Real, Who::Ours] {
        let dir = twins.dir(who);
        let rig = dir.join("rig");
        // Elsewhere, since init takes a database further up for its own.
        let made = twins.town.outside().join("made");
        fs::create_dir(&made).unwrap();
        for line in ["init --prefix r --skip-agents --skip-hooks -q", "create 'Of the rig' --id r-1"] {
            call(&twins.town, &made, Who::Real, &split(line)).ok();
        }
        fs::rename(&made, &rig).unwrap();
        fs::write(dir.join(".beads/routes.jsonl"), "{\"prefix\":\"r-\",\"path\":\"rig\"}\n").unwrap();
        twins.scripts(who);
        super::copy_all(&dir.join(".beads/hooks"), &rig.join(".beads/hooks"));
        fs::create_dir(rig.join("told")).unwrap();
        twins.run(who, &split("update r-1 --title B")).ok().says("r-1");
        twins.run(who, &split("close t-chore")).ok();
        let told = twins.told(who, 1, &veil);
        assert!(told.len() == 1 && told[0].0.starts_with("t-chore close "), "{who:?}: {told:?}");
        assert_eq!(fs::read_dir(rig.join("told")).unwrap().count(), 0, "{who:?}");
    }
}

#[test]
fn no_script_is_run_where_that_is_switched_off() {
    let veil = Veil::new();
    let twins = Twins::copied();
    twins.scripts(Who::Ours);
    let words = split("create A --id t-h1 -l a");
    let mut off = command(&twins.town, &twins.dir(Who::Ours), Who::Ours, &words);
    off.env("BD_NO_HOOKS", "1");
    run(off).ok();
    let config = twins.dir(Who::Ours).join(".beads/config.yaml");
    let before = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{before}\nno-hooks: true\n")).unwrap();
    twins.ours("update t-h1 --title B").ok();
    fs::write(&config, before).unwrap();
    twins.ours("close t-h1").ok();
    // What was run before would have been told before: this one is the last.
    let told = twins.told(Who::Ours, 1, &veil);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].0.starts_with("t-h1 close on_close "), "{told:?}");
}

#[test]
fn a_file_that_is_not_executable_is_no_script() {
    let veil = Veil::new();
    let twins = Twins::copied();
    twins.scripts(Who::Ours);
    twins.script(Who::Ours, "on_create", KEEPS, 0o644);
    fs::remove_file(twins.dir(Who::Ours).join(".beads/hooks/on_close")).unwrap();
    fs::create_dir(twins.dir(Who::Ours).join(".beads/hooks/on_close")).unwrap();
    assert_eq!(twins.ours("create A --id t-h1").ok().err, "");
    assert_eq!(twins.ours("close t-h1").ok().err, "");
    twins.ours("reopen t-h1").ok();
    let told = twins.told(Who::Ours, 1, &veil);
    assert!(told.len() == 1 && told[0].0.starts_with("t-h1 update on_update "), "{told:?}");
}

#[test]
fn a_script_that_fails_or_cannot_be_started_changes_nothing_but_a_warning() {
    let twins = Twins::copied();
    twins.script(Who::Ours, "on_create", "#!/bin/sh\nexit 3\n", 0o755);
    twins.script(Who::Ours, "on_update", "#!/no/such/program\n", 0o755);
    assert_eq!(twins.ours("create A --id t-h1").ok().err, "");
    let ran = twins.ours("label add t-h1 a,b --json").ok();
    assert!(
        ran.err.starts_with("Warning: ") && ran.err.contains("the hook on_update was not run"),
        "{}",
        ran.err
    );
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert_eq!(twins.ours("update t-h1 --title B --quiet").ok().err, "");
    twins.ours("show t-h1").ok().says("B");
}

#[test]
fn a_script_that_does_not_end_does_not_hold_up_the_command() {
    let twins = Twins::copied();
    // It waits for a line that nobody writes, and holds the outputs that it was given.
    let hangs = "#!/bin/sh\nmkfifo \"$BEADS_DIR/../told/$1\"\ntouch \"$BEADS_DIR/../told/begun\"\n\
        read line < \"$BEADS_DIR/../told/$1\"\ntouch \"$BEADS_DIR/../told/ended\"\n";
    twins.script(Who::Ours, "on_create", hangs, 0o755);
    let told = twins.dir(Who::Ours).join("told");
    twins.ours("create A --id t-h1").ok();
    let is_there = |name: &str| Path::exists(&told.join(name));
    wait_until("the script has begun", || is_there("begun"));
    assert!(!is_there("ended"));
    twins.ours("show t-h1").ok();
    fs::write(told.join("t-h1"), "go on\n").unwrap();
    wait_until("the script has ended", || is_there("ended"));
}

#[test]
fn of_many_scripts_the_oldest_is_ended_with_all_that_it_has_started() {
    let twins = Twins::copied();
    // Each holds a lock as long as one of its processes lives, and all live until somebody writes to the pipe.
    let hangs = "#!/bin/sh\ncd \"$BEADS_DIR/..\"\nmkfifo end 2>/dev/null\nexec 9> \"told/$$\"\nflock 9\n\
        (read line < end) &\nwait\n";
    twins.script(Who::Ours, "on_update", hangs, 0o755);
    twins.ours("create A --id t-h1 -l 1,2,3,4,5,6,7,8,9").ok();
    let locks = || -> Vec<_> {
        let files = fs::read_dir(twins.dir(Who::Ours).join("told")).unwrap().map(|it| it.unwrap().path());
        files.collect()
    };
    wait_until("nine scripts have begun", || locks().len() == 9);
    let free = || {
        let is_free = |file: &&std::path::PathBuf| {
            let file = fs::File::open(file).unwrap();
            file.try_lock().is_ok()
        };
        locks().iter().filter(is_free).count()
    };
    wait_until("eight hold their locks", || free() == 1);
    // Open for both, so that whoever comes late to the pipe finds a line too.
    let end = fs::OpenOptions::new().read(true).write(true).open(twins.dir(Who::Ours).join("end"));
    let mut end = end.unwrap();
    end.write_all("go on\n".repeat(9).as_bytes()).unwrap();
    wait_until("all have ended", || free() == 9);
}
