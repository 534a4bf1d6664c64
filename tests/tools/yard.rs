//! A sealed place to run the script in: its own root, cache and `PATH`, with a `go` that behaves as told.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tempfile::TempDir;

/// Everything that the scripts, and what only pretends to be a program, may call. What a system lacks (`flock`, one of the
/// two hashers) is left out.
const PROGRAMS: &[&str] = &[
    "awk",
    "bash",
    "cat",
    "chmod",
    "cut",
    "dirname",
    "env",
    "flock",
    "grep",
    "ln",
    "make",
    "mkdir",
    "mkfifo",
    "mktemp",
    "mv",
    "readlink",
    "rm",
    "sed",
    "sha256sum",
    "shasum",
    "sleep",
    "tail",
    "tee",
    "timeout",
    "touch",
    "tr",
    "uname",
];

/// How the pretended `go` behaves.
pub(crate) enum Go {
    /// Yields a program whose `version` prints this.
    Says(&'static str),
    /// Prints this and fails.
    Fails(&'static str),
    /// Yields the right program, but only after [`Yard::give_leave`].
    WaitsForLeave,
}

pub(crate) struct Yard {
    dir: TempDir,
}

impl Yard {
    /// A yard whose `go` builds programs that say the right version.
    pub(crate) fn new() -> Self {
        let yard = Self::with(&Go::WaitsForLeave);
        yard.give_leave();
        yard
    }

    pub(crate) fn with(go: &Go) -> Self {
        let yard = Self { dir: tempfile::tempdir().unwrap() };
        yard.copy("tools/real-programs");
        yard.write("tools/pins", "# Ours.\ndolt-1.2.3 v0.1\nbd-4.5.6 v4.5.6\n");
        yard.write("tools/bd/go.mod", "module tools\n");
        yard.write("tools/bd/go.sum", "");
        for program in PROGRAMS {
            if let Some(found) = find(program) {
                fs::create_dir_all(yard.path("bin")).unwrap();
                symlink(found, yard.path("bin").join(program)).unwrap();
            }
        }
        let behaviour = match go {
            Go::Says(text) => format!("says='{text}'"),
            Go::Fails(text) => format!("echo '{text}'; exit 1"),
            // Bounded, so that a test that fails does not leave it behind.
            Go::WaitsForLeave => {
                let root = yard.dir.path().display();
                format!(
                    "for i in {{1..600}}; do [[ -e {root}/leave ]] && break; sleep 0.1; done; touch {root}/went-on"
                )
            }
        };
        yard.write_program("bin/cc", "exit 0\n");
        yard.write_program(
            "bin/go",
            &format!(
                r#"
                if [[ $1 == env ]]; then echo cc; exit; fi
                echo "$$" >{root}/go.pid
                env >{root}/environment
                # Last, because this is what tests wait for.
                echo "$*" >>{root}/builds
                if [[ $1 == install ]]; then
                    out=$GOBIN/dolt says="dolt version 1.2.3"
                else
                    [[ $PWD == */tools/bd ]] || exit 3
                    out=$5 says="bd version 4.5.6 (dev)"
                fi
                {behaviour}
                printf '#!/bin/sh\necho "%s"\n' "$says" >"$out"
                chmod +x "$out"
                "#,
                root = yard.dir.path().display(),
            ),
        );
        yard
    }

    /// Brings a script of this repository into the yard.
    pub(crate) fn copy(&self, name: &str) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        self.write(name, &fs::read_to_string(&source).unwrap());
        fs::set_permissions(self.path(name), fs::metadata(source).unwrap().permissions()).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A folder in the yard, made if it is not there.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let folder = self.path(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.path("cache")
    }

    pub(crate) fn link(&self, name: &str) -> PathBuf {
        self.path("target/real-programs").join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn write_program(&self, name: &str, body: &str) {
        self.write(name, &format!("#!/usr/bin/env bash\n{body}"));
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn take_away(&self, program: &str) {
        fs::remove_file(self.path("bin").join(program)).unwrap();
    }

    pub(crate) fn has(&self, program: &str) -> bool {
        self.path("bin").join(program).exists()
    }

    /// Whether a `go` that was told to wait came to the end of its wait.
    pub(crate) fn went_on(&self) -> bool {
        self.path("went-on").exists()
    }

    /// Lets a `go` that waits go on.
    pub(crate) fn give_leave(&self) {
        self.write("leave", "");
    }

    /// The script, ready to run with nothing in its environment but the yard.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.shell("exec tools/real-programs \"$@\"");
        command.args(arguments);
        command
    }

    /// Bash with one line, at the yard's root; `$1` and so on are what arguments are added.
    pub(crate) fn shell(&self, line: &str) -> Command {
        let mut command = Command::new(self.path("bin/bash"));
        command
            .args(["-c", line, "bash"])
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("HOME", self.folder("home"))
            .env("GT_REAL_PROGRAMS_CACHE", self.cache())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.start(arguments).finish()
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments))
    }

    /// The arguments of each build that `go` was asked for.
    pub(crate) fn builds(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("builds")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn environment_of_go(&self) -> String {
        fs::read_to_string(self.path("environment")).unwrap()
    }

    pub(crate) fn go_is_running(&self) -> bool {
        self.is_running("go.pid")
    }

    /// Whether the process lives whose id a program has left in this file.
    pub(crate) fn is_running(&self, name: &str) -> bool {
        let id = fs::read_to_string(self.path(name)).unwrap();
        let id = nix::unistd::Pid::from_raw(id.trim().parse().unwrap());
        nix::sys::signal::kill(id, None).is_ok()
    }

    /// All that lies in the cache.
    pub(crate) fn listing(&self) -> Vec<String> {
        let mut found = Vec::new();
        list(&self.cache(), "", &mut found);
        found.sort();
        found
    }

    pub(crate) fn wait_for(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !condition() {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "waited 30 s for {what}; cache: {:?}",
                self.listing()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn list(folder: &Path, name: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = format!("{name}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            found.push(format!("{name}/"));
            list(&entry.path(), &format!("{name}/"), found);
        } else {
            found.push(name);
        }
    }
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Runs a command of [`Yard::command`] to its end.
pub(crate) fn wait(command: &mut Command) -> Ran {
    Running::start(command).finish()
}

/// A script that is at work.
pub(crate) struct Running {
    child: Child,
    stderr: Option<BufReader<ChildStderr>>,
    seen: String,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = child.stderr.take().map(BufReader::new);
        Self { child, stderr, seen: String::new() }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Reads on until a line holds this text, and returns that line.
    pub(crate) fn read_until(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            let length = self.stderr.as_mut().unwrap().read_line(&mut line).unwrap();
            assert!(length > 0, "it ended without saying `{text}`: {}", self.seen);
            self.seen.push_str(&line);
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Reads no more: what it says from now on finds nobody.
    pub(crate) fn close_ears(&mut self) {
        self.stderr = None;
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap());
        nix::sys::signal::kill(id, signal).unwrap();
    }

    pub(crate) fn finish(mut self) -> Ran {
        if let Some(stderr) = &mut self.stderr {
            stderr.read_to_string(&mut self.seen).unwrap();
        }
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        Ran { code, stderr: self.seen }
    }
}

/// What a run said and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stderr: String,
}

impl Ran {
    /// What it said, with measured times left out.
    pub(crate) fn lines_without_seconds(&self) -> Vec<String> {
        let strip = |line: &str| match line.split_once("built in ") {
            Some((before, _)) => format!("{before}built in N s"),
            None => line.to_owned(),
        };
        self.stderr.lines().map(strip).collect()
    }
}

/// Whether this process, and so whatever it starts, ignores a signal.
pub(crate) fn is_ignored(signal: Signal) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.map_or(0, |m| u64::from_str_radix(m.trim(), 16).unwrap());
    mask >> (signal as i32 - 1) & 1 == 1
}
