//! The scripts in a sealed yard. Here `tools/real-programs`: a copy of it, pins of our own, a `go` that only pretends.
//!
//! What the real builds yield is checked by the script itself (it asks each program for its version). Here is
//! shown what happens around a build: cached, refused, failed, interrupted, two at once, no compiler, no home.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start programs, prepare files and fail by panicking"
)]

mod ci;
mod pins;
mod yard;

use std::fs;
use std::os::unix::process::CommandExt;

use nix::sys::signal::Signal;
use yard::{Go, Running, Yard, is_ignored};

#[test]
fn builds_once_and_the_second_run_needs_no_compiler_and_changes_nothing() {
    let yard = Yard::new();
    let first = yard.run(&["dolt-1.2.3"]);
    assert_eq!(first.code, 0, "{first:?}");
    assert_eq!(
        first.lines_without_seconds(),
        [
            "[1/1] dolt 1.2.3: building (some minutes the first time; downloads its Go modules)",
            "[1/1] dolt 1.2.3: built in N s",
        ]
    );
    let target = fs::read_link(yard.link("dolt-1.2.3")).unwrap();
    assert!(target.starts_with(yard.cache()), "{}", target.display());
    assert!(yard.link("dolt-1.2.3").join("dolt").is_file());
    let state = || {
        let program = fs::metadata(target.join("dolt")).unwrap().modified().unwrap();
        let link = fs::symlink_metadata(yard.link("dolt-1.2.3")).unwrap().modified().unwrap();
        (yard.listing(), program, link)
    };
    let before = state();

    yard.take_away("go");
    yard.take_away("cc");
    let second = yard.run(&["dolt-1.2.3"]);
    assert_eq!((second.code, second.stderr.as_str()), (0, "[1/1] dolt 1.2.3: cached\n"));
    assert_eq!(state(), before);
    assert_eq!(yard.builds(), ["install -tags gms_pure_go github.com/dolthub/dolt/go/cmd/dolt@v0.1"]);
}

#[test]
fn without_a_name_all_are_built_one_after_the_other_and_bd_in_its_own_module() {
    let yard = Yard::new();
    let run = yard.run(&[]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("[1/2] dolt 1.2.3: built") && run.stderr.contains("[2/2] bd 4.5.6: built"));
    assert!(yard.link("bd-4.5.6").join("bd").is_file());
    let builds = yard.builds();
    assert_eq!(builds.len(), 2);
    assert!(builds[1].starts_with("build -tags gms_pure_go -o "), "{builds:?}");
    assert!(builds[1].ends_with("/bin/bd github.com/steveyegge/beads/cmd/bd"), "{builds:?}");
}

#[test]
fn a_changed_pin_or_module_file_is_another_build() {
    let yard = Yard::new();
    assert_eq!(yard.run(&["all"]).code, 0);
    let (dolt, bd) =
        (fs::read_link(yard.link("dolt-1.2.3")).unwrap(), fs::read_link(yard.link("bd-4.5.6")).unwrap());
    yard.write("tools/bd/go.sum", "changed\n");
    yard.write("tools/pins", "dolt-1.2.3 v0.2\nbd-4.5.6 v4.5.6\n");
    assert_eq!(yard.run(&["all"]).code, 0);
    assert_ne!(fs::read_link(yard.link("dolt-1.2.3")).unwrap(), dolt);
    assert_ne!(fs::read_link(yard.link("bd-4.5.6")).unwrap(), bd);
    assert_eq!(yard.builds().len(), 4);
}

#[test]
fn a_program_of_another_release_than_its_name_is_refused() {
    let yard = Yard::with(&Go::Says("dolt version 1.2.30"));
    let run = yard.run(&["dolt-1.2.3"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("dolt-1.2.3 was built but says \"dolt version 1.2.30\""), "{run:?}");
    assert!(!yard.link("dolt-1.2.3").exists());
    assert_eq!(yard.listing(), ["lock"], "nothing unproven may stay in the cache");
}

#[test]
fn a_failed_build_shows_what_go_said_and_leaves_nothing() {
    let yard = Yard::with(&Go::Fails("x.go:1: undefined: y"));
    let run = yard.run(&["dolt-1.2.3"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("x.go:1: undefined: y\n"), "{run:?}");
    assert!(run.stderr.ends_with("dolt-1.2.3 did not build; what go said stands above\n"), "{run:?}");
    assert_eq!(yard.listing(), ["lock"]);
    assert_eq!(yard.builds().len(), 1, "a compiler's error is not tried again");
}

#[test]
fn a_download_that_broke_is_tried_again_but_not_for_ever() {
    let yard = Yard::with(&Go::Fails("dial tcp: i/o timeout"));
    let run = yard.run(&["dolt-1.2.3"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("trying again (3 of 3)"), "{run:?}");
    assert_eq!(yard.builds().len(), 3);
}

#[test]
fn a_missing_compiler_is_named_with_what_to_install() {
    let yard = Yard::new();
    yard.take_away("cc");
    let run = yard.run(&["dolt-1.2.3"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("a C compiler is missing: install cc"), "{run:?}");

    yard.take_away("go");
    let run = yard.run(&["dolt-1.2.3"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("go is missing: install Go"), "{run:?}");
}

#[test]
fn an_unknown_name_is_a_usage_error_that_lists_the_names() {
    let run = Yard::new().run(&["dolt-9"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("no program is called dolt-9"), "{run:?}");
    assert!(run.stderr.contains("Names: dolt-1.2.3 bd-4.5.6"), "{run:?}");
}

#[test]
fn a_home_that_is_empty_gets_the_cache() {
    let yard = Yard::new();
    let home = yard.folder("home");
    let run =
        yard::wait(yard.command(&["dolt-1.2.3"]).env_remove("GT_REAL_PROGRAMS_CACHE").env("HOME", &home));
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        fs::read_link(yard.link("dolt-1.2.3")).unwrap().starts_with(home.join(".cache/gt-real-programs"))
    );
    assert!(!yard.environment_of_go().contains("GOPATH="), "Go finds its own places in a home that works");
}

#[test]
fn without_a_usable_home_everything_stays_inside_target() {
    for home in [None, Some(""), Some("/nonexistent/home")] {
        let yard = Yard::new();
        let mut command = yard.command(&["dolt-1.2.3"]);
        command.env_remove("GT_REAL_PROGRAMS_CACHE").env_remove("HOME");
        if let Some(home) = home {
            command.env("HOME", home);
        }
        let run = yard::wait(&mut command);
        assert_eq!(run.code, 0, "HOME={home:?} {run:?}");
        let cache = yard.folder("target/real-programs-cache");
        assert!(fs::read_link(yard.link("dolt-1.2.3")).unwrap().starts_with(&cache));
        let environment = yard.environment_of_go();
        assert!(environment.contains(&format!("GOPATH={}/go\n", cache.display())), "{environment}");
        assert!(environment.contains(&format!("GOCACHE={}/go-build\n", cache.display())), "{environment}");
        assert!(environment.contains("GOFLAGS=-buildvcs=false -modcacherw\n"), "cargo clean must be able to");
    }
}

#[test]
fn settings_that_would_change_what_is_built_do_not_reach_go() {
    let yard = Yard::new();
    let run = yard::wait(
        yard.command(&["dolt-1.2.3"]).env("GOOS", "plan9").env("GOFLAGS", "-race").env("GOPROXY", "kept"),
    );
    assert_eq!(run.code, 0, "{run:?}");
    let environment = yard.environment_of_go();
    assert!(!environment.contains("GOOS=") && !environment.contains("-race"), "{environment}");
    assert!(environment.contains("GOPROXY=kept\n"), "{environment}");
}

#[test]
fn of_two_at_once_one_builds_and_the_other_waits_and_says_for_whom() {
    let yard = Yard::with(&Go::WaitsForLeave);
    if !yard.has("flock") {
        eprintln!("SKIPPED: this system has no flock program");
        return;
    }
    let mut first = yard.start(&["dolt-1.2.3"]);
    first.read_until("building");
    let mut second = yard.start(&["dolt-1.2.3"]);
    let waiting = second.read_until("waiting for it");
    assert!(waiting.contains(&format!("process {} is building", first.id())), "{waiting}");
    yard.give_leave();
    let (first, second) = (first.finish(), second.finish());
    assert_eq!((first.code, second.code), (0, 0), "{first:?} {second:?}");
    assert!(second.stderr.ends_with("[1/1] dolt 1.2.3: cached\n"), "{second:?}");
    assert_eq!(yard.builds().len(), 1);
}

#[test]
fn an_interrupt_ends_the_build_and_leaves_nothing_half_done() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        // Whoever runs the tests may ignore it (a shell does for what it starts in the background), and the script's shell
        // cannot undo that.
        if is_ignored(signal) {
            continue;
        }
        let yard = Yard::with(&Go::WaitsForLeave);
        let running = yard.start(&["dolt-1.2.3"]);
        yard.wait_for("a build to begin", || !yard.builds().is_empty());
        running.signal(signal);
        let run = running.finish();
        assert_eq!(run.code, code, "{run:?}");
        assert_eq!(yard.listing(), ["lock"]);
        yard.wait_for("the compiler to be gone", || !yard.go_is_running());
        assert!(!yard.went_on(), "the compiler was waited for, not ended");

        yard.give_leave();
        assert_eq!(yard.run(&["dolt-1.2.3"]).code, 0, "the next run starts afresh");
    }
}

#[test]
fn a_signal_to_everybody_ends_the_build_too_even_if_nobody_reads_what_is_said() {
    let yard = Yard::with(&Go::WaitsForLeave);
    let mut running = Running::start(yard.command(&["dolt-1.2.3"]).process_group(0));
    running.read_until("building");
    yard.wait_for("a build to begin", || !yard.builds().is_empty());
    let group = running.id();
    running.close_ears();
    // The shell itself speaks when a signal ends one of its commands, and make passes on what the terminal has sent.
    signal_group(group);
    signal_group(group);
    let run = running.finish();
    assert!([141, 143].contains(&run.code), "whichever signal it heard first: {run:?}");
    assert_eq!(yard.listing(), ["lock"]);
    yard.wait_for("the compiler to be gone", || !yard.go_is_running());
}

fn signal_group(group: u32) {
    let group = nix::unistd::Pid::from_raw(group.try_into().unwrap());
    nix::sys::signal::killpg(group, Signal::SIGTERM).ok();
}

#[test]
fn what_a_killed_build_left_is_swept_by_the_next() {
    let yard = Yard::new();
    if !yard.has("flock") {
        return;
    }
    yard.write("cache/building.dolt-1.2.3.old/log", "half\n");
    assert_eq!(yard.run(&["dolt-1.2.3"]).code, 0);
    assert!(yard.listing().iter().all(|path| !path.contains("building")), "{:?}", yard.listing());
}
