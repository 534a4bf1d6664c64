//! `gt install`: makes a town, completes one, and leaves everything else alone.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::{Value, json};

use crate::sealed::{Sealed, read, run, snapshot, write};

#[test]
fn a_new_town_has_what_the_go_tools_look_for() {
    let sealed = Sealed::new();
    let root = sealed.path().join("gt");
    let ran =
        sealed.gt(&sealed.path(), &["install", "gt", "--name", "springfield", "--dolt-port", "23101"]).ok();
    ran.says("Town springfield").says("dolt is not on PATH: the server will need it").says("Next: cd ");
    let parsed = |file: &str| -> Value { serde_json::from_str(&read(&root.join(file))).unwrap() };
    let town = parsed("mayor/town.json");
    assert_eq!(
        (&town["type"], &town["name"], &town["version"]),
        (&json!("town"), &json!("springfield"), &json!(2))
    );
    assert_eq!(parsed("mayor/rigs.json"), json!({"version": 1, "rigs": {}}));
    assert_eq!(parsed("mayor/daemon.json")["env"]["GT_DOLT_PORT"], "23101");
    assert_eq!(read(&root.join(".beads/routes.jsonl")), "{\"prefix\":\"hq-\",\"path\":\".\"}\n");
    assert_eq!(fs::metadata(root.join(".beads")).unwrap().permissions().mode() & 0o777, 0o700);
    for dir in ["daemon", ".dolt-data"] {
        assert!(root.join(dir).is_dir(), "{dir}");
    }
    assert!(root.join(".dolt-data/hq/.dolt/noms/manifest").is_file());
    assert_eq!(parsed(".beads/metadata.json")["dolt_database"], "hq");
}

#[test]
fn repeating_it_changes_nothing_and_adds_what_is_missing() {
    let sealed = Sealed::new();
    let root = sealed.path().join("gt");
    sealed.gt(&sealed.path(), &["install", "gt", "--name", "a"]).ok();
    write(&root.join("mayor/rigs.json"), r#"{"version":1,"rigs":{"x":{"future":12345678901234567890}}}"#);
    let before = snapshot(&root);
    sealed
        .gt(&root, &["install", ".", "--name", "b", "--dolt-port", "23101"])
        .ok()
        .says("a is a town already");
    assert_eq!(snapshot(&root), before);

    fs::remove_file(root.join("mayor/daemon.json")).unwrap();
    fs::remove_dir(root.join("daemon")).unwrap();
    let again = sealed.gt(&root, &["--json", "install", "."]).ok().json();
    assert_eq!((&again["name"], &again["dolt_missing"]), (&json!("a"), &json!(true)));
    assert_eq!(again["made"], json!(["daemon/", "mayor/daemon.json"]));
}

#[test]
fn names_with_quotes_blanks_and_other_letters_are_taken_as_they_are() {
    let sealed = Sealed::new();
    for name in ["it's \"mine\"", "Zürich 東京", " lead", "-dash", "$HOME `x`"] {
        let root = sealed.path().join(name);
        let ran = sealed.gt(&sealed.path(), &["install", "--", name]).ok();
        let town: Value = serde_json::from_str(&read(&root.join("mayor/town.json"))).unwrap();
        assert_eq!(town["name"], name);
        // What it says to type next can be typed.
        let quoted = format!("cd '{}' && gt rig add", root.display().to_string().replace('\'', r"'\''"));
        let plain = format!("cd {} && gt rig add", root.display());
        assert!(ran.out.contains(&quoted) || (name == "-dash" && ran.out.contains(&plain)), "{ran:#?}");
        sealed.gt(&root, &["dolt", "status"]).ok().says("not running");
        sealed.gt(&root, &["status"]).ok().says(name);
    }
}

#[test]
fn a_path_that_dolt_would_take_for_another_is_refused_before_anything_is_made() {
    use std::os::unix::ffi::OsStrExt;
    let sealed = Sealed::new();
    for (name, problem) in [(&b"t\xff"[..], "is not text (UTF-8)"), (b"a\\b", "holds a backslash")] {
        let root = sealed.path().join(std::ffi::OsStr::from_bytes(name));
        let mut install = sealed.command(&sealed.path(), &["install"]);
        install.arg(&root);
        let refused = run(install).fails(1).refuses_with("Error: no town can live at ");
        refused.says(problem).says("Use a directory with another name");
        assert!(!root.exists());
        fs::create_dir_all(root.join("mayor")).unwrap();
        let mut status = sealed.command(&sealed.path(), &["dolt", "status", "--town"]);
        status.arg(&root);
        run(status).fails(1).says(problem);
    }
}

#[test]
fn a_path_with_dots_is_cleaned_as_the_shell_would() {
    let sealed = Sealed::new();
    fs::create_dir(sealed.path().join("sub")).unwrap();
    let ran = sealed.gt(&sealed.path().join("sub"), &["--json", "install", ".././x/../gt"]).ok().json();
    assert_eq!(ran["town"], json!(sealed.path().join("gt")));
    assert_eq!(ran["name"], "gt");
}

#[test]
fn anything_else_is_refused_and_stays_as_it_is() {
    let sealed = Sealed::new();
    let here = sealed.path();
    write(&here.join("thesis/chapter1.tex"), "x");
    write(&here.join("file"), "x");
    write(&here.join("dots/.beads/issues.jsonl"), "{}");
    let before = snapshot(&here);
    for wrong in ["thesis", "file", "dots"] {
        let ran = sealed.gt(&here, &["install", wrong]).fails(1);
        let refusal =
            format!("Error: {} is not empty and not a Gas Town workspace\n", here.join(wrong).display());
        ran.refuses_with(&refusal).says("Name a directory that is empty");
    }
    sealed.gt(&here, &["install", "file/below"]).fails(1).refuses_with("Error: ").says("file/below");
    sealed.gt(&here, &["install", "x", "--dolt-port", "0"]).fails(1);
    sealed.gt(&here, &["install"]).fails(1).says("DIR");
    assert_eq!(snapshot(&here), before);
}

#[test]
fn the_home_directory_is_no_town_by_whatever_name() {
    let sealed = Sealed::new();
    let home = sealed.path().join("home");
    symlink(&home, sealed.path().join("link")).unwrap();
    for name in [".", "../link", "../home/../home", home.to_str().unwrap()] {
        let ran = sealed.gt(&home, &["install", name]).fails(1).refuses_with("Error: ");
        ran.says("is your home directory, not a town").says("~/gt");
        assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
    }
}

#[test]
fn a_broken_file_of_an_existing_town_is_named_and_not_replaced() {
    let sealed = Sealed::new();
    let root = sealed.town(&[]);
    write(&root.join("mayor/town.json"), "{broken");
    sealed
        .gt(&root, &["install", "."])
        .fails(1)
        .refuses_with("Error: ")
        .says("mayor/town.json cannot be understood");
    assert_eq!(read(&root.join("mayor/town.json")), "{broken");
}

#[test]
fn data_in_an_old_place_is_not_hidden_by_an_empty_hq() {
    let sealed = Sealed::new();
    let root = sealed.town(&[]);
    write(&root.join(".beads/dolt/beads/.dolt/noms/manifest"), "5:__DOLT__:");
    sealed.gt(&root, &["install", "."]).fails(1).refuses_with("Error: database hq exists in an old place");
    assert!(!root.join(".dolt-data/hq").exists());
}
