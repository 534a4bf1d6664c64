//! Long imports and exports: text goes through them line by line, and whoever looks sees how far they are.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::sealed::{Ran, Sealed, run, write};

/// What takes longer hangs.
const LIMIT: Duration = Duration::from_mins(1);

/// How long something is waited for before the next piece is handed out.
const PIECE: Duration = Duration::from_millis(20);

struct Workspace {
    sealed: Sealed,
    root: PathBuf,
}

impl Workspace {
    fn new() -> Self {
        let sealed = Sealed::new();
        let root = sealed.repository("x");
        let workspace = Self { sealed, root };
        workspace.bd(&["init", "--prefix", "x"]).ok();
        workspace
    }

    fn command(&self, args: &[&str]) -> Command {
        self.sealed.bd_command(&self.root, args)
    }

    fn bd(&self, args: &[&str]) -> Ran {
        run(self.command(args))
    }

    /// So many issues, each with so many bytes of description.
    fn filled(issues: usize, bytes: usize) -> Self {
        let workspace = Self::new();
        write(&workspace.root.join("in.jsonl"), &lines(0..issues, bytes));
        workspace.bd(&["import", "in.jsonl"]).ok();
        workspace
    }

    fn count(&self) -> String {
        self.bd(&["count"]).ok().out.trim().to_owned()
    }
}

fn lines(numbers: std::ops::Range<usize>, bytes: usize) -> String {
    let text = "d".repeat(bytes);
    numbers.fold(String::new(), |mut lines, n| {
        writeln!(lines, r#"{{"id":"x-{n}","title":"Number {n}","description":"{text}"}}"#).unwrap();
        lines
    })
}

/// What comes out of somewhere, piece by piece.
struct Seen {
    pieces: Receiver<Vec<u8>>,
    text: String,
}

impl Seen {
    fn of(mut source: impl Read + Send + 'static) -> Self {
        let (sender, pieces) = channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            // The other side of a terminal that has gone is an error.
            while let Ok(read @ 1..) = source.read(&mut piece) {
                if sender.send(piece[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { pieces, text: String::new() }
    }

    /// Whether these words have come by now, or come soon.
    fn has(&mut self, words: &str) -> bool {
        while let Ok(piece) = self.pieces.recv_timeout(PIECE) {
            self.text.push_str(&String::from_utf8_lossy(&piece));
            if self.text.contains(words) {
                break;
            }
        }
        self.text.contains(words)
    }

    /// All of it, when it has ended.
    #[track_caller]
    fn whole(mut self) -> String {
        let begun = Instant::now();
        while let Some(left) = LIMIT.checked_sub(begun.elapsed()) {
            match self.pieces.recv_timeout(left) {
                Ok(piece) => self.text.push_str(&String::from_utf8_lossy(&piece)),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return self.text,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => break,
            }
        }
        panic!("it does not end; so far: {}", self.text);
    }
}

/// Starts a command whose standard error is a terminal.
fn in_terminal(mut command: Command) -> (Child, Seen) {
    let size = nix::pty::Winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
    let terminal = nix::pty::openpty(&size, None).unwrap();
    // The environment that a terminal has; without it nothing is drawn.
    let child = command.stderr(Stdio::from(terminal.slave)).env("TERM", "xterm").spawn().unwrap();
    // The parent's copy of that side goes with it, so that the end is seen.
    drop(command);
    (child, Seen::of(File::from(terminal.master)))
}

#[test]
fn an_import_stops_at_a_bad_line_while_more_may_come() {
    let workspace = Workspace::new();
    let mut command = workspace.command(&["import", "-"]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(lines(0..3, 9).as_bytes()).unwrap();
    stdin.write_all(b"{\"id\":\"x-9\",\"title\":7}\n").unwrap();
    // Standard input stays open: whoever waits for its end waits for ever.
    let told = Seen::of(child.stderr.take().unwrap()).whole();
    assert!(told.contains("line 4, column 21") && told.contains("a string"), "{told}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    drop(stdin);
    assert_eq!(workspace.count(), "0", "nothing of it is imported");
}

#[cfg(target_os = "linux")]
#[test]
fn an_export_has_the_issues_in_memory_and_not_its_text_too() {
    const ISSUES: usize = 700;
    const BYTES: usize = 60_000;
    let workspace = Workspace::filled(ISSUES, BYTES);
    let mut child = workspace.command(&["export"]).stdout(Stdio::piped()).spawn().unwrap();
    // What is left is more than a pipe holds: it is still being written when we look.
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(
        lines.by_ref().take(ISSUES * 9 / 10).filter(|line| line.len() > BYTES).count(),
        ISSUES * 9 / 10
    );
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert_eq!(lines.count(), ISSUES / 10);
    assert!(child.wait().unwrap().success());
    let text = ISSUES * BYTES / 1024;
    // With the text it would be three and a half times as much as that.
    assert!(peak < text * 5 / 2, "{peak} KiB for {text} KiB of text");
}

#[test]
fn whoever_looks_sees_how_far_an_import_is_and_nobody_else() {
    let workspace = Workspace::new();
    let mut command = workspace.command(&["import", "-"]);
    command.stdin(Stdio::piped());
    let (mut child, mut seen) = in_terminal(command);
    let mut stdin = child.stdin.take().unwrap();
    let (begun, mut sent) = (Instant::now(), 0);
    while !seen.has("reading") {
        assert!(begun.elapsed() < LIMIT, "nothing is shown: {:?}", seen.text);
        stdin.write_all(lines(sent..sent + 50, 100).as_bytes()).unwrap();
        sent += 50;
    }
    stdin.write_all(lines(sent..sent + 1000, 100).as_bytes()).unwrap();
    sent += 1000;
    drop(stdin);
    let shown = seen.whole();
    assert!(child.wait().unwrap().success(), "{shown}");
    assert!(shown.contains("importing [") && shown.contains(" of "), "{shown:?}");
    let told = format!("Imported {sent} issues from stdin");
    let last = shown.trim_end().rsplit(['\r', '\n']).next().unwrap();
    let cleared = "\u{1b}[2K";
    assert_eq!(last, format!("{cleared}{told}"), "the bar has gone before the result is told");

    // The same as a file, again, with nobody at standard error.
    write(&workspace.root.join("in.jsonl"), &lines(0..sent, 100));
    let quiet = workspace.bd(&["import", "in.jsonl"]).ok();
    assert!(!quiet.err.contains(['\r', '\u{1b}']) && !quiet.err.contains("importing"), "{quiet:?}");
}

#[test]
fn whoever_looks_sees_how_far_an_export_is() {
    let workspace = Workspace::filled(300, 30_000);
    let mut command = workspace.command(&["export"]);
    command.stdout(Stdio::piped());
    let (mut child, mut seen) = in_terminal(command);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // Read so slowly that it has to wait.
    let mut read = 0;
    while !seen.has("exporting [") && lines.next().is_some() {
        read += 1;
    }
    let shown = seen.text.clone();
    assert!(shown.contains("exporting [") && shown.contains(" of 300"), "{shown:?}");
    assert_eq!(read + lines.map(Result::unwrap).count(), 300);
    assert!(child.wait().unwrap().success());
    drop(seen);
}

#[test]
fn an_export_leaves_pipes_and_links_what_they_are() {
    let workspace = Workspace::filled(3, 9);
    let at = |name: &str| workspace.root.join(name);
    nix::unistd::mkfifo(&at("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let pipe = at("pipe");
    let reader = std::thread::spawn(move || fs::read_to_string(pipe).unwrap());
    workspace.bd(&["export", "-o", "pipe"]).ok().says("Exported 3 issues to pipe");
    let through_pipe = reader.join().unwrap();
    assert!(fs::metadata(at("pipe")).unwrap().file_type().is_fifo());

    write(&at("elsewhere/issues.jsonl"), "old");
    std::os::unix::fs::symlink("elsewhere/issues.jsonl", at("link")).unwrap();
    workspace.bd(&["export", "-o", "link"]).ok();
    assert_eq!(fs::read_link(at("link")).unwrap(), Path::new("elsewhere/issues.jsonl"));
    let through_link = fs::read_to_string(at("elsewhere/issues.jsonl")).unwrap();
    assert_eq!(fs::read_dir(at("elsewhere")).unwrap().count(), 1, "nothing stays behind");

    let on_stdout = workspace.bd(&["export"]).ok().out;
    assert_eq!(on_stdout.lines().count(), 3);
    assert_eq!((&through_pipe, &through_link), (&on_stdout, &on_stdout));
}

#[test]
fn an_import_reads_from_a_pipe_by_its_name_and_from_the_file_of_the_settings() {
    let workspace = Workspace::new();
    let pipe = workspace.root.join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let writer = std::thread::spawn(move || fs::write(pipe, lines(0..3, 9)).unwrap());
    workspace.bd(&["import", "pipe"]).ok().says("Imported 3 issues from pipe");
    writer.join().unwrap();
    write(&workspace.root.join(".beads/brought.jsonl"), &lines(3..5, 9));
    workspace.bd(&["config", "set", "import.path", "brought.jsonl"]).ok();
    workspace.bd(&["import"]).ok().says("Imported 2 issues").says("brought.jsonl");
    assert_eq!(workspace.count(), "5");
}

#[test]
fn an_export_of_no_issues_leaves_the_file_alone_where_memories_are_not_wanted() {
    let workspace = Workspace::new();
    write(&workspace.root.join("kept"), "kept");
    workspace.bd(&["export", "-o", "kept", "--no-memories"]).ok().says("No issues to export.");
    assert_eq!(fs::read_to_string(workspace.root.join("kept")).unwrap(), "kept");
    assert_eq!(workspace.bd(&["export", "--no-memories"]).ok().err, "");
    workspace.bd(&["export", "-o", "kept"]).ok().says("Exported 0 issues to kept");
    assert_eq!(fs::read_to_string(workspace.root.join("kept")).unwrap(), "");
}
