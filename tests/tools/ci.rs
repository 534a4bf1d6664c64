//! `.ci/run`, the `Makefile` and `tools/rustup-home` in a yard with a `cargo` that only pretends: like rustup's own, it does
//! nothing unless it is told where the toolchains lie.

use std::process::Command;

use nix::sys::signal::Signal;

use crate::yard::{Running, Yard, wait};

const PASSES: &str = "echo 'test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out'";

/// Says what a test runner says of a test that hangs, leaves a process that stands in the temporary folder, in a group of its
/// own and with the output still open, and hangs. `$after` comes before the last.
const HANGS: &str = r#"
echo "     Running tests/live/main.rs (target/debug/deps/live-1)"
echo "test swift ... ok"
echo "test slow::but_sure has been running for over 60 seconds"
echo "test slow::but_sure ... ok"
echo "test stuck::for_ever has been running for over 60 seconds"
mkdir "$TMPDIR/town"
cd "$TMPDIR/town"
set -m
sleep 600 &
echo $! >"$root/stray.pid"
set +m
echo $$ >"$root/cargo.pid"
"#;

/// A yard with everything that `.ci/run` wants, whose `cargo test` does this.
fn yard(test: &str) -> Yard {
    let yard = Yard::new();
    yard.copy("Makefile");
    let makefile = std::fs::read_to_string(yard.path("Makefile")).unwrap();
    let scripts = makefile.lines().find_map(|l| Some(l.strip_prefix("SCRIPTS := ")?.to_owned()));
    for script in scripts.expect("the Makefile names its scripts").split_whitespace() {
        yard.copy(script);
    }
    for program in ["bin/go", "tools/real-programs"] {
        yard.write_program(program, "exit 0\n");
    }
    yard.folder("rust/.rustup/toolchains");
    let root = yard.path("");
    let cargo = format!(
        r#"
        root={root}
        if [[ ${{RUSTUP_HOME:-}} != "${{root}}rust/.rustup" ]]; then
            echo "error: rustup could not choose a version of cargo to run" >&2
            exit 1
        fi
        if [[ $1 == test ]]; then
            {test}
        fi
        "#,
        root = root.display()
    );
    yard.write_program("rust/.cargo/bin/cargo", &cargo);
    yard
}

fn shell(yard: &Yard, line: &str) -> Command {
    let mut command = yard.shell(line);
    let path = [yard.path("rust/.cargo/bin"), yard.path("bin")];
    command.env("PATH", std::env::join_paths(path).unwrap());
    command
}

/// Where the toolchains of this user are, as `.ci/run` and `make` learn it.
fn told(yard: &Yard, line: &str) -> String {
    let run = wait(&mut shell(yard, &format!("{{ {line}; }} >&2")));
    assert_eq!(run.code, 0, "{run:?}");
    run.stderr
}

#[test]
fn with_an_empty_home_make_and_ci_find_the_toolchains_beside_cargo() {
    let yard = yard(PASSES);
    let alone = wait(&mut shell(&yard, "cargo fmt"));
    assert!(alone.stderr.contains("could not choose"), "the pretended cargo wants to be told: {alone:?}");
    for target in ["demo", "test", "bench", "lint"] {
        told(&yard, &format!("make {target}"));
    }
    let said = told(&yard, ".ci/run");
    assert!(said.contains("ci: 2 tests passed, 0 failed, 1 ignored; "), "{said}");
}

#[test]
fn rustup_is_left_alone_where_it_finds_its_toolchains_or_there_is_none() {
    let yard = yard(PASSES);
    let beside = format!("{}\n", yard.path("rust/.rustup").canonicalize().unwrap().display());
    assert_eq!(told(&yard, "tools/rustup-home"), beside);
    assert_eq!(
        told(&yard, "ln -s ../rust/.cargo/bin/cargo bin/cargo; PATH=$PWD/bin tools/rustup-home"),
        beside
    );
    assert_eq!(told(&yard, "RUSTUP_HOME=/elsewhere tools/rustup-home"), "");
    assert_eq!(told(&yard, "rm bin/cargo; PATH=$PWD/bin tools/rustup-home"), "");
    assert_eq!(told(&yard, "mkdir -p home/.rustup/toolchains; tools/rustup-home"), "");
}

#[test]
fn a_test_that_hangs_is_named_at_the_limit_and_ends_with_all_that_it_started() {
    // The limit's own signal, sent to the program that keeps it as if the time were over.
    let over = "read -r -a stat </proc/$$/stat; kill -ALRM \"${stat[4]}\"; sleep 600";
    let yard = yard(&format!("{HANGS}{over}"));
    if !yard.has("timeout") {
        eprintln!("SKIPPED: this system has no timeout program");
        return;
    }
    let run = wait(&mut shell(&yard, "exec .ci/run >&2"));
    assert_eq!(run.code, 124, "{run:?}");
    let end = run.stderr.split_once("ci: make test was ended: the limit of 4800 s").expect(&run.stderr).1;
    assert!(
        end.contains(
            "ci: was still running: stuck::for_ever (Running tests/live/main.rs (target/debug/deps/live-1))\n"
        ),
        "{run:?}"
    );
    assert!(
        !end.contains("still running: slow::but_sure") && end.contains("ci: make test FAILED"),
        "{run:?}"
    );
    yard.wait_for("both to be gone", || !yard.is_running("cargo.pid") && !yard.is_running("stray.pid"));
    assert!(run.stderr.contains("ci: left behind, ended with TERM: PID "), "{run:?}");
}

#[test]
fn a_ci_run_that_is_broken_off_names_the_hanging_test_and_leaves_nothing_running() {
    let yard = yard(&format!("{HANGS} sleep 600"));
    let ci = Running::start(&mut shell(&yard, "exec .ci/run >&2"));
    yard.wait_for("the tests to hang", || yard.path("cargo.pid").exists());
    ci.signal(Signal::SIGTERM);
    let run = ci.finish();
    assert_eq!(run.code, 143, "{run:?}");
    assert!(
        run.stderr.contains("ci: make test was broken off (TERM)\nci: was still running: stuck::for_ever"),
        "{run:?}"
    );
    yard.wait_for("both to be gone", || !yard.is_running("cargo.pid") && !yard.is_running("stray.pid"));
}
