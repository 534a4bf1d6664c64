//! What the commands of bd do with input that cannot be used, and with a workspace that is damaged, locked away or on a full
//! disk: one clear error with its cause, an exit code that is not 0, and nothing half done.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Dolt, Ran, TestTown, copy_program, copy_tree, run};

/// A workspace of ours with a few issues.
struct Workspace {
    town: TestTown,
    dir: PathBuf,
}

impl Workspace {
    fn new() -> Self {
        let town = TestTown::with(&[]);
        let dir = town.file("work");
        fs::create_dir_all(&dir).unwrap();
        let workspace = Self { town, dir };
        workspace.bd(&["init", "--prefix", "x", "--skip-agents", "--skip-hooks", "-q"]).ok();
        for id in ["x-1", "x-2", "x-3"] {
            let title = format!("Issue {id}");
            workspace.bd(&["create", &title, "--id", id, "-d", "A text", "-l", "some"]).ok();
        }
        workspace.bd(&["dep", "add", "x-1", "x-2"]).ok();
        workspace.bd(&["comment", "x-1", "A remark"]).ok();
        workspace
    }

    fn command(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args);
        self.town.seal(&mut command);
        command.current_dir(&self.dir).env("PWD", &self.dir).env("BD_NON_INTERACTIVE", "1");
        command.env("BD_ACTOR", "me");
        command
    }

    fn bd(&self, args: &[&str]) -> Ran {
        run(self.command(Path::new(env!("CARGO_BIN_EXE_bd")), args))
    }

    fn database(&self) -> PathBuf {
        self.dir.join(".beads/embeddeddolt/x")
    }

    /// All issues with all that hangs on them.
    fn everything(&self) -> String {
        self.bd(&["export", "--all"]).ok().out
    }

    fn commits(&self) -> usize {
        self.bd(&["vc", "log", "--json", "-n", "1000"]).ok().json().as_array().unwrap().len()
    }

    /// It fails, says this on standard error and nothing else anywhere, and leaves everything as it was.
    #[track_caller]
    fn refuses(&self, args: &[&str], words: &[&str]) {
        let before = (self.everything(), self.commits());
        let ran = self.bd(args);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
        for word in words {
            assert!(ran.err.contains(word), "should say {word:?}: {ran:?}");
        }
        assert_eq!((self.everything(), self.commits()), before, "{args:?}");
    }
}

#[test]
fn a_broken_line_is_named_with_its_column_and_nothing_of_the_file_is_imported() {
    let workspace = Workspace::new();
    let good = |id: &str| format!("{{\"id\":\"{id}\",\"title\":\"Good\",\"priority\":1}}\n");
    for (name, text, words) in [
        ("cut", good("x-a") + &good("x-b") + "{\"id\":\"x-c\",\"title\":\"cu", &["line 3, column"][..]),
        ("word", good("x-a") + "not json\n" + &good("x-b"), &["line 2, column 2"]),
        ("type", good("x-a") + "\n{\"id\":\"x-c\",\"title\":7}\n", &["line 3, column", "a string"]),
        ("array", "[1]\n".to_owned() + &good("x-a"), &["line 1, column 1"]),
        (
            "title",
            good("x-a") + &format!("{{\"id\":\"x-c\",\"title\":\"{}\"}}\n", "t".repeat(501)),
            &["x-c", "500"],
        ),
        ("status", good("x-a") + "{\"id\":\"x-c\",\"title\":\"t\",\"status\":\"gone\"}\n", &["x-c", "gone"]),
        (
            "time",
            good("x-a") + "{\"id\":\"x-c\",\"title\":\"t\",\"created_at\":\"soon\"}\n",
            &["line 2, column", "soon"],
        ),
        ("bytes", good("x-a") + "{\"id\":\"x-c\",\"title\":\"\u{0}\"}\n", &["line 2, column"]),
    ] {
        let file = workspace.dir.join(name);
        fs::write(&file, &text).unwrap();
        workspace.refuses(&["import", file.to_str().unwrap()], words);
    }
    let mut not_utf8 = good("x-a").into_bytes();
    not_utf8.extend(b"{\"id\":\"x-c\",\"title\":\"\xff\xfe\"}\n");
    fs::write(workspace.dir.join("latin"), not_utf8).unwrap();
    // Such bytes are replaced one by one, as Go does when it reads a text; the rest of the file is kept.
    workspace.bd(&["import", "latin"]).ok().says("Imported 2 issues");
    let shown = workspace.bd(&["show", "x-c", "x-a", "--json"]).ok().json();
    assert_eq!((&shown[0]["title"], &shown[1]["title"]), (&"\u{fffd}\u{fffd}".into(), &"Good".into()));
    workspace.refuses(&["import", "no-such-file"], &["no-such-file", "no such file"]);
    workspace.refuses(&["import", "."], &["directory"]);
}

#[test]
fn values_that_no_issue_may_have_are_refused_by_name() {
    let workspace = Workspace::new();
    let (long, longest) = ("t".repeat(501), "ß".repeat(251));
    workspace.refuses(&["create", &long], &["title", "500"]);
    workspace.refuses(&["create", &longest], &["title", "500"]);
    workspace.refuses(&["create", ""], &["title"]);
    workspace.refuses(&["update", "x-1", "--title", &long], &["title", "500"]);
    workspace.refuses(&["update", "x-1", "--priority", "9"], &["priority"]);
    workspace.refuses(&["update", "x-1", "--status", "gone"], &["invalid status", "gone"]);
    workspace.refuses(&["update", "x-1", "--type", "thing"], &["thing"]);
    workspace.refuses(&["update", "x-1", "--estimate", "-5"], &["estimate"]);
    workspace.refuses(&["update", "x-1", "--metadata", "{no"], &["metadata"]);
    workspace.refuses(&["update", "x-1", "--due", "someday"], &["someday"]);
    workspace.refuses(&["update", "x-1", "--assignee", &"a".repeat(300)], &["assignee"]);
    workspace.refuses(&["create", "A title", "--id", "x-1"], &["x-1", "exists"]);
    workspace.refuses(&["create", "A title", "--id", "other-1"], &["other"]);
    workspace.refuses(&["create", "A title", "--parent", "x-none"], &["x-none"]);
    workspace.refuses(
        &["create", "A title", "--description", &"d".repeat(70_000), "--id", &"x-".repeat(200)],
        &["id"],
    );
}

#[test]
fn circles_and_unknown_ids_change_nothing() {
    let workspace = Workspace::new();
    workspace.refuses(&["dep", "add", "x-2", "x-1"], &["cycle"]);
    workspace.refuses(&["dep", "add", "x-1", "x-1"], &["itself"]);
    workspace.bd(&["dep", "add", "x-2", "x-3"]).ok();
    workspace.refuses(&["dep", "add", "x-3", "x-1"], &["cycle"]);
    workspace.refuses(&["update", "x-3", "--parent", "x-none"], &["x-none"]);
    for args in [
        &["show", "x-none"][..],
        &["update", "x-none", "--priority", "1"],
        &["close", "x-none"],
        &["delete", "x-none", "--force"],
        &["comment", "x-none", "text"],
        &["dep", "add", "x-1", "x-none"],
        &["dep", "add", "x-none", "x-1"],
        &["promote", "x-none"],
        &["rename", "x-none", "x-some"],
        &["gate", "show", "x-none"],
        &["gate", "create", "--blocks", "x-none"],
        &["merge-slot", "acquire"],
        &["dep", "tree", "x-none"],
        &["mol", "current", "x-none"],
    ] {
        let words = if args[0] == "merge-slot" { ["x-merge-slot"] } else { ["x-none"] };
        workspace.refuses(args, &words);
    }
    // One of several that is not there keeps none of the others from being shown, and is told.
    let ran = workspace.bd(&["show", "x-1", "x-none", "--json"]);
    assert_eq!(ran.json().as_array().unwrap().len(), 1);
    assert!(ran.err.contains("x-none"), "{ran:?}");
}

#[test]
fn a_missing_database_is_named_with_what_to_do_and_is_not_made_anew() {
    let workspace = Workspace::new();
    fs::remove_dir_all(workspace.database()).unwrap();
    for args in [&["list"][..], &["create", "A title"], &["export"], &["import", "-"], &["history", "x-1"]] {
        let ran = workspace.bd(args);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
        assert!(ran.err.contains("no beads database at ") && ran.err.contains("embeddeddolt/x"), "{ran:?}");
        assert!(ran.err.contains("\nHint: run 'bd init'"), "{ran:?}");
        assert!(!workspace.database().exists());
    }
    let json = workspace.bd(&["list", "--json"]);
    assert!(
        json.code == 1 && json.json()["error"].as_str().unwrap().contains("no beads database"),
        "{json:?}"
    );
    // Nor does it go on in one further up.
    let elsewhere = workspace.town.outside().join("nothing");
    fs::create_dir(&elsewhere).unwrap();
    let mut command = workspace.command(Path::new(env!("CARGO_BIN_EXE_bd")), &["list"]);
    let ran = run({
        command.current_dir(&elsewhere).env("PWD", &elsewhere);
        command
    });
    assert!(ran.code == 1 && ran.err.contains("no active beads workspace found"), "{ran:?}");
}

#[test]
fn a_database_of_another_project_is_read_and_not_written() {
    let workspace = Workspace::new();
    let path = workspace.dir.join(".beads/metadata.json");
    let mut metadata: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    metadata["project_id"] = "00000000-0000-4000-8000-000000000000".into();
    fs::write(&path, metadata.to_string()).unwrap();
    for args in [&["create", "Never"][..], &["update", "x-1", "-p", "0"], &["delete", "x-1", "--force"]] {
        workspace.refuses(
            args,
            &["workspace identity mismatch", "00000000-0000-4000", "BEADS_SKIP_IDENTITY_CHECK=1"],
        );
    }
    assert_eq!(workspace.everything().lines().count(), 3);
    let mut command = workspace.command(Path::new(env!("CARGO_BIN_EXE_bd")), &["create", "On purpose"]);
    command.env("BEADS_SKIP_IDENTITY_CHECK", "1");
    run(command).ok();
    assert_eq!(workspace.everything().lines().count(), 4);
    fs::write(&path, "{broken").unwrap();
    let ran = workspace.bd(&["list"]);
    assert!(ran.code == 1 && ran.err.contains("metadata.json"), "{ran:?}");
}

#[test]
fn a_damaged_store_is_answered_as_before_or_named_and_never_answered_wrongly() {
    let workspace = Workspace::new();
    let commands =
        [&["list", "--json"][..], &["show", "x-1", "--json", "--include-comments"], &["export", "--all"]];
    let earlier = commands.map(|args| workspace.bd(args).ok().out);
    workspace.bd(&["comment", "x-1", "The last of all"]).ok();
    let whole = workspace.town.outside().join("whole");
    copy_tree(&workspace.dir, &whole);
    let noms = Path::new(".beads/embeddeddolt/x/.dolt/noms");
    let mut files: Vec<PathBuf> =
        fs::read_dir(whole.join(noms)).unwrap().flatten().map(|e| e.path()).collect();
    files.retain(|path| path.metadata().is_ok_and(|m| m.is_file() && m.len() > 0));
    files.sort();
    let good = commands.map(|args| workspace.bd(args).ok().out);
    let (mut refused, mut answered) = (0, 0);
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let name = file.strip_prefix(&whole).unwrap();
        // Spread over the file; each byte is turned in a copy of its own.
        for step in 0..8 {
            let at = (bytes.len() - 1) * step / 7;
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x5a;
            fs::write(workspace.dir.join(name), &damaged).unwrap();
            for (which, args) in commands.iter().enumerate() {
                let ran = workspace.bd(args);
                if ran.code == 0 {
                    answered += 1;
                    // A last record that is not whole is a write that never ended: the state before it counts.
                    let is_known = ran.out == good[which] || ran.out == earlier[which];
                    assert!(is_known, "{} at {at}: {ran:?}", name.display());
                } else {
                    refused += 1;
                    assert_eq!(ran.code, 1, "{ran:?}");
                    assert!(!ran.err.contains("panicked"), "{ran:?}");
                    let said = if args.contains(&"--json") { &ran.out } else { &ran.err };
                    assert!(said.len() > 20 && !said.contains("Issue x-1"), "{ran:?}");
                }
            }
            fs::write(workspace.dir.join(name), &bytes).unwrap();
        }
    }
    assert!(refused > 0 && answered > 0, "{refused} refused, {answered} answered");
    assert_eq!(workspace.bd(commands[2]).ok().out, good[2]);
}

#[test]
fn what_cannot_be_read_of_a_store_is_never_told_as_an_issue_that_is_not_there() {
    let workspace = Workspace::new();
    // In an archive each piece is read when it is needed: the store opens, and a table in it does not.
    let mut gc = workspace.command(&Dolt::V1.path(), &["gc"]);
    gc.current_dir(workspace.database());
    run(gc).ok();
    let noms = workspace.database().join(".dolt/noms");
    let is_archive = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "darc");
    let archive = fs::read_dir(noms).unwrap().map(|e| e.unwrap().path()).find(is_archive).unwrap();
    let bytes = fs::read(&archive).unwrap();
    for args in [
        &["ready", "--mol", "x-1"][..],
        &["mol", "show", "x-1"],
        &["mol", "current", "x-1"],
        &["show", "x-1"],
        &["dep", "tree", "x-1"],
        &["comments", "x-1"],
        &["close", "x-1"],
    ] {
        workspace.bd(&["dep", "list", "x-1"]).ok();
        let mut refused = 0;
        for step in 0..12 {
            let mut damaged = bytes.clone();
            damaged[(bytes.len() - 1) * step / 11] ^= 0x5a;
            fs::write(&archive, &damaged).unwrap();
            let ran = workspace.bd(args);
            if ran.code != 0 && ran.err.contains(" is damaged at byte ") {
                refused += 1;
            } else {
                assert!(!ran.err.contains("not found"), "{ran:?}");
            }
        }
        assert!(refused > 2, "{args:?} met the damage {refused} times");
        fs::write(&archive, &bytes).unwrap();
    }
}

#[test]
fn without_permission_what_can_be_read_is_read_and_a_write_is_refused_with_the_path() {
    const NOBODY: u32 = 65_534;
    let workspace = Workspace::new();
    let before = workspace.everything();
    // Root may do everything, so it calls the program as somebody else, who has to be able to get at it.
    let program = workspace.town.outside().join("bd");
    copy_program(Path::new(env!("CARGO_BIN_EXE_bd")), &program);
    let is_root = nix::unistd::geteuid().is_root();
    let mut opened = Vec::new();
    if is_root {
        for dir in workspace.dir.ancestors().chain([workspace.town.outside()]) {
            let mode = dir.metadata().unwrap().permissions().mode();
            if mode & 0o005 != 0o005 {
                fs::set_permissions(dir, fs::Permissions::from_mode(mode | 0o055)).unwrap();
                opened.push((dir.to_owned(), mode));
            }
        }
    }
    open_to_read(&workspace.dir.join(".beads"), !is_root);
    let call = |args: &[&str]| {
        let mut command = workspace.command(&program, args);
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        run(command)
    };
    let listed = call(&["list", "--json"]).ok().json();
    assert_eq!(listed.as_array().unwrap().len(), 3);
    let line = workspace.town.outside().join("line.jsonl");
    fs::write(&line, "{\"id\":\"x-9\",\"title\":\"Never\"}\n").unwrap();
    for args in [
        &["create", "Never"][..],
        &["update", "x-1", "-p", "0"],
        &["import", line.to_str().unwrap()],
        &["close", "x-2"],
    ] {
        let ran = call(args);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
        assert!(ran.err.contains("ermission denied") && ran.err.contains("embeddeddolt/x"), "{ran:?}");
    }
    for (dir, mode) in opened {
        fs::set_permissions(dir, fs::Permissions::from_mode(mode)).unwrap();
    }
    close_again(&workspace.dir.join(".beads"));
    assert_eq!(workspace.everything(), before);
}

/// Everybody may read; without `w` not even the owner may write.
fn open_to_read(path: &Path, for_the_owner_too: bool) {
    let metadata = path.metadata().unwrap();
    if metadata.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            open_to_read(&entry.unwrap().path(), for_the_owner_too);
        }
    }
    let bits = if metadata.is_dir() { 0o555 } else { 0o444 };
    let mode = if for_the_owner_too { bits } else { bits | 0o200 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn close_again(path: &Path) {
    let is_dir = path.is_dir();
    fs::set_permissions(path, fs::Permissions::from_mode(if is_dir { 0o700 } else { 0o600 })).unwrap();
    if is_dir {
        for entry in fs::read_dir(path).unwrap() {
            close_again(&entry.unwrap().path());
        }
    }
}

#[test]
fn a_full_disk_at_any_moment_leaves_the_issues_whole_and_the_write_done_or_not() {
    let workspace = Workspace::new();
    let dir = workspace.dir.to_str().unwrap().to_owned();
    fs::write(
        workspace.dir.join("in.jsonl"),
        "{\"id\":\"x-9\",\"title\":\"Imported\"}\n{\"id\":\"x-8\",\"title\":\"Too\"}\n",
    )
    .unwrap();
    let input = workspace.dir.join("in.jsonl");
    for args in [
        vec!["create", "A new one", "--id", "x-4", "-d", "text"],
        vec!["close", "x-2", "--reason", "done"],
        vec!["import", input.to_str().unwrap()],
        vec!["rename", "x-3", "x-else"],
    ] {
        let before = workspace.everything();
        let mut words = vec!["bd", "-C", &dir];
        words.extend(&args);
        let mut refused = 0;
        for after in 0.. {
            assert!(after < 200, "{args:?} never gets through");
            let ran = workspace.town.gt_on_full_disk("work/.beads/embeddeddolt", after, &words);
            if ran.code == 0 {
                break;
            }
            refused += 1;
            assert_eq!(ran.code, 1, "{ran:?}");
            assert!(ran.err.contains("No space left on device"), "{ran:?}");
            let now = workspace.everything();
            // A sync that failed may have come behind the write: then it is there as a whole.
            if now != before {
                let ids = |text: &str| text.lines().count();
                assert!(args[0] != "import" || ids(&now) == ids(&before) + 2, "{now}");
                break;
            }
        }
        assert!(refused > 0, "{args:?}: no write met the full disk");
        assert_ne!(workspace.everything(), before, "{args:?}");
        workspace.bd(&["doctor"]).ok().says("0 errors");
        workspace.town.gt(&["db", "--dir", workspace.database().to_str().unwrap(), "verify"]).ok();
    }
    // An export that does not fit leaves the file that was there.
    let out = workspace.town.file("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("issues.jsonl"), "old\n").unwrap();
    let target = out.join("issues.jsonl");
    let ran = workspace.town.gt_on_full_disk(
        "out",
        0,
        &["bd", "-C", &dir, "export", "-o", target.to_str().unwrap()],
    );
    assert!(ran.code == 1 && ran.err.contains("No space left on device"), "{ran:?}");
    assert_eq!(fs::read_to_string(&target).unwrap(), "old\n");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1, "nothing half written is left");
}
