//! Which town a command works on.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::sealed::{Ran, Sealed, run, write};

/// The town that `gt dolt config` names on its first line.
#[track_caller]
fn works_on(ran: &Ran, root: &Path) {
    let first = ran.out.lines().next().unwrap_or_default();
    assert_eq!(first, root.to_str().unwrap(), "{ran:#?}");
}

const CONFIG: [&str; 2] = ["dolt", "config"];

#[test]
fn outside_a_town_the_refusal_says_so_and_exits_1() {
    let sealed = Sealed::new();
    let here = sealed.path();
    let refusal = "Error: not in a Gas Town workspace: not in a Gas Town workspace\n";
    for verb in
        [&["dolt", "status"][..], &["dolt", "start"], &["status"], &["up"], &["down"], &["rig", "list"]]
    {
        sealed.gt(&here, verb).fails(1).refuses_with(refusal).says("gt install DIR");
    }
    sealed.gt(&here, &["--exit-code", "dolt", "status"]).fails(9);
    // A list of servers is useful anywhere.
    sealed.gt(&here, &["dolt", "ps"]).ok();
    sealed.gt(&here, &["--town", "nowhere", "dolt", "ps"]).fails(1).refuses_with("Error: ").says("nowhere");
}

#[test]
fn printed_paths_are_the_ones_the_user_walked() {
    let sealed = Sealed::new();
    let real = sealed.town(&[]);
    let link = sealed.path().join("link");
    symlink(&real, &link).unwrap();
    let listed = sealed.gt(&link, &["dolt", "list"]).ok();
    listed.says(&format!("{}/.dolt-data", link.display()));
    fs::create_dir(real.join("deep")).unwrap();
    works_on(&sealed.gt(&link.join("deep"), &CONFIG).ok(), &link);
    // A PWD that lies is not believed.
    works_on(&sealed.gt_with(&real, &[("PWD", "/")], &CONFIG).ok(), &real);
    works_on(&sealed.gt_with(&real, &[("PWD", "relative")], &CONFIG).ok(), &real);
}

#[test]
fn the_outermost_town_json_wins_over_every_nearer_mayor() {
    let sealed = Sealed::new();
    let outer = sealed.town(&[]);
    let rig = outer.join("gastown/mayor/rig");
    write(&rig.join("mayor/town.json"), "{}");
    fs::create_dir_all(outer.join("gastown/mayor")).unwrap();
    works_on(&sealed.gt(&rig, &CONFIG).ok(), &outer);

    // A primary far away beats a secondary near by, wherever they lie.
    fs::create_dir_all(sealed.path().join("mayor")).unwrap();
    works_on(&sealed.gt(&rig, &CONFIG).ok(), &outer);
}

#[test]
fn without_any_town_json_the_outermost_mayor_directory_is_the_town() {
    let sealed = Sealed::new();
    let root = sealed.path().join("a");
    let deep = root.join("rig/mayor/rig");
    fs::create_dir_all(&deep).unwrap();
    fs::create_dir_all(root.join("mayor")).unwrap();
    works_on(&sealed.gt(&deep, &CONFIG).ok(), &root);
    // A file of that name is no hit.
    let other = sealed.path().join("b");
    write(&other.join("mayor"), "");
    sealed.gt(&other, &CONFIG).fails(1);
}

#[test]
fn the_environment_counts_only_where_no_town_is_around_and_only_if_it_names_one() {
    let sealed = Sealed::new();
    let town = sealed.town(&[]);
    let (town_text, outside) = (town.to_str().unwrap(), sealed.path());
    let second = outside.join("second");
    fs::create_dir_all(second.join("mayor")).unwrap();
    let second_text = second.to_str().unwrap();
    for name in ["GT_TOWN_ROOT", "GT_ROOT"] {
        works_on(&sealed.gt_with(&outside, &[(name, town_text)], &CONFIG).ok(), &town);
        works_on(&sealed.gt_with(&town, &[(name, second_text)], &CONFIG).ok(), &town);
        sealed.gt_with(&outside, &[(name, "/nowhere")], &CONFIG).fails(1);
        sealed.gt_with(&outside, &[(name, "")], &CONFIG).fails(1);
    }
    let both = [("GT_TOWN_ROOT", town_text), ("GT_ROOT", second_text)];
    works_on(&sealed.gt_with(&outside, &both, &CONFIG).ok(), &town);
    // One that is no town is skipped, not believed and not fatal.
    let first_is_none = [("GT_TOWN_ROOT", "/nowhere"), ("GT_ROOT", second_text)];
    works_on(&sealed.gt_with(&outside, &first_is_none, &CONFIG).ok(), &second);
}

#[test]
fn a_town_named_on_the_command_line_wins_and_must_be_one() {
    let sealed = Sealed::new();
    let town = sealed.town(&[]);
    let second = sealed.path().join("second town");
    fs::create_dir_all(second.join("mayor")).unwrap();
    let env = [("GT_TOWN_ROOT", town.to_str().unwrap())];
    for named in ["../second town", "../second town/.", "../x/../second town", second.to_str().unwrap()] {
        works_on(&sealed.gt_with(&town, &env, &["--town", named, "dolt", "config"]).ok(), &second);
        works_on(&sealed.gt(&town, &["dolt", "config", "--town", named]).ok(), &second);
    }
    // Not a town: refused, though there is one around. What is below a town is not the town.
    let below = town.join("mayor");
    for wrong in ["/nowhere", below.to_str().unwrap()] {
        let ran = sealed.gt(&town, &["--town", wrong, "dolt", "config"]).fails(1);
        ran.refuses_with(&format!("Error: {wrong} is not a Gas Town workspace"));
    }
}

#[test]
fn a_working_directory_that_is_gone_falls_back_to_the_environment() {
    let sealed = Sealed::new();
    let town = sealed.town(&[]);
    let gone = sealed.path().join("gone");
    let from_nowhere = |env: &[(&str, &str)], args: &str| {
        fs::create_dir(&gone).unwrap();
        let mut shell = Command::new("/bin/sh");
        let script = format!("/bin/rmdir \"$PWD\" && exec {} {args}", env!("CARGO_BIN_EXE_gt"));
        shell.args(["-c", &script]).current_dir(&gone);
        sealed.seal(&mut shell, &gone);
        shell.envs(env.iter().copied());
        run(shell)
    };
    from_nowhere(&[], "dolt status").fails(1).refuses_with("Error: not in a Gas Town workspace");
    let root = town.to_str().unwrap();
    works_on(&from_nowhere(&[("GT_TOWN_ROOT", root)], "dolt config").ok(), &town);
    works_on(&from_nowhere(&[], &format!("--town {root} dolt config")).ok(), &town);
    from_nowhere(&[], "install new").fails(1).refuses_with("Error: the working directory is gone");
    from_nowhere(&[], &format!("install {root}-new")).ok();
}
