//! The command line itself: help, verbs that come later, completions, manual pages, colours, readers that go away.

use std::fs;
use std::process::{Command, Stdio};

use crate::sealed::{Sealed, run, snapshot};

const LATER: [&str; 6] = ["migrate", "cleanup", "rollback", "recover", "sync", "pull"];

#[test]
fn verbs_that_come_later_say_so_in_one_line_whatever_they_are_given() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq"]);
    let before = snapshot(&root);
    for verb in LATER {
        let line = format!("Error: gt dolt {verb} is not here yet; nothing was changed\n");
        let given: [&[&str]; 6] = [
            &[],
            &["--dry-run"],
            &["--force", "-x", "--db=hq"],
            &["20260101-000000"],
            &["--", "x"],
            &["--db", "hq", "--gc"],
        ];
        for more in given {
            let ran = sealed.gt(&root, &[&["dolt", verb], more].concat()).fails(1);
            assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", line.as_str()));
        }
        // Outside a town it is no better.
        sealed.gt(&sealed.path(), &["dolt", verb]).fails(1).refuses_with(&line);
    }
    assert_eq!(snapshot(&root), before);
}

#[test]
fn gt_dolt_alone_asks_for_a_subcommand_and_exits_1() {
    let sealed = Sealed::new();
    sealed.gt(&sealed.path(), &["dolt"]).fails(1).refuses_with("Error: gt dolt requires a subcommand\n");
    for wrong in [&[][..], &["bogus"], &["dolt", "bogus"], &["rig"], &["dolt", "start", "--bogus"]] {
        let ran = sealed.gt(&sealed.path(), wrong).fails(1);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{ran:#?}");
    }
}

#[test]
fn help_and_version_go_to_standard_output_for_every_command() {
    let sealed = Sealed::new();
    let here = sealed.path();
    sealed.gt(&here, &["--version"]).ok().says(env!("CARGO_PKG_VERSION"));
    let help = sealed.gt(&here, &["dolt", "--help"]).ok();
    let verbs = help.out.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let verbs: Vec<&str> = verbs
        .lines()
        .filter(|l| l.starts_with("  ") && !l.starts_with("   "))
        .filter_map(|l| l.split_whitespace().next())
        .collect();
    assert!(verbs.len() > 20, "{verbs:?}");
    for verb in verbs.iter().filter(|v| **v != "help") {
        let ran = sealed.gt(&here, &["dolt", verb, "-h"]);
        if !LATER.contains(verb) {
            let ran = ran.ok();
            assert!(ran.err.is_empty() && ran.out.contains("Usage: gt dolt"), "{ran:#?}");
        }
    }
}

#[test]
fn completions_are_made_for_every_shell_and_know_the_verbs() {
    let sealed = Sealed::new();
    for (shell, sign) in [("bash", "complete -F _gt"), ("zsh", "#compdef gt"), ("fish", "complete -c gt")] {
        let ran = sealed.gt(&sealed.path(), &["completions", shell]).ok();
        assert!(ran.err.is_empty(), "{ran:#?}");
        for word in [sign, "kill-imposters", "init-rig", "--set-port", "--exit-code"] {
            let spelled = if shell == "fish" { word.trim_start_matches("--") } else { word };
            assert!(ran.out.contains(spelled), "{shell}: {word}");
        }
    }
    sealed.gt(&sealed.path(), &["completions", "tcsh"]).fails(1);
    // Where bash is at hand, it can read its script.
    let script = sealed.gt(&sealed.path(), &["completions", "bash"]).ok().out;
    let file = sealed.path().join("gt.bash");
    fs::write(&file, script).unwrap();
    if fs::metadata("/bin/bash").is_ok() {
        let mut bash = Command::new("/bin/bash");
        bash.args(["-n", file.to_str().unwrap()]);
        run(bash).ok();
    }
}

#[test]
fn manual_pages_are_written_one_per_command() {
    let sealed = Sealed::new();
    let dir = sealed.path().join("share/man man1");
    let ran = sealed.gt(&sealed.path(), &["man", dir.to_str().unwrap()]).ok();
    let names: Vec<String> =
        fs::read_dir(&dir).unwrap().flatten().map(|e| e.file_name().into_string().unwrap()).collect();
    ran.says(&format!("{} pages in ", names.len()));
    for page in ["gt.1", "gt-dolt.1", "gt-dolt-start.1", "gt-rig-add.1", "gt-install.1"] {
        let text = fs::read_to_string(dir.join(page)).unwrap();
        assert!(text.contains(".TH") && text.contains(page.trim_end_matches(".1")), "{page}");
    }
    sealed.gt(&sealed.path(), &["man"]).ok().says(".TH gt 1");
    fs::write(sealed.path().join("file"), "").unwrap();
    sealed.gt(&sealed.path(), &["man", "file/below"]).fails(1).refuses_with("Error: cannot make file/below");
}

#[test]
fn colours_are_for_terminals_only_unless_they_are_asked_for() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq"]);
    for args in [
        &["dolt", "status"][..],
        &["status"],
        &["dolt", "list"],
        &["rig", "list"],
        &["dolt", "config", "--explain"],
        &["dolt", "start"],
        &["--help"],
        &["bogus"],
    ] {
        let ran = sealed.gt(&root, args);
        assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{ran:#?}");
        let ran = sealed.gt_with(&root, &[("NO_COLOR", "1"), ("TERM", "xterm")], args);
        assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{ran:#?}");
    }
    let forced = sealed.gt_with(&root, &[("CLICOLOR_FORCE", "1")], &["dolt", "list"]).ok();
    assert!(forced.out.contains('\u{1b}'), "{forced:#?}");
}

#[test]
fn a_reader_that_goes_away_is_no_panic_and_no_failure() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq"]);
    for args in [
        &["completions", "zsh"][..],
        &["--help"],
        &["dolt", "status"],
        &["dolt", "list"],
        &["man"],
        &["--json", "dolt", "config"],
    ] {
        // Nobody will ever read: every write meets a broken pipe.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = sealed.command(&root, args);
        command.stdout(writer).stderr(Stdio::piped());
        let done = command.spawn().unwrap().wait_with_output().unwrap();
        let err = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success() && err.is_empty(), "{args:?}: {:?} {err}", done.status);
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn the_mathematics_of_c_need_not_be_found_and_loaded_for_each_command() {
    for program in [env!("CARGO_BIN_EXE_gt"), env!("CARGO_BIN_EXE_bd")] {
        // The loader says what it would load, and loads nothing.
        let told = Command::new(program).env("LD_TRACE_LOADED_OBJECTS", "1").output().unwrap();
        let libraries = String::from_utf8_lossy(&told.stdout);
        assert!(libraries.contains("libc.so") && !libraries.contains("libm.so"), "{libraries}");
    }
}
