//! What is not written: each is refused by name, and not one byte of the database is another afterwards.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use dolt_store::Error;
use dolt_store::chunk::{Disk, ReadOptions};
use dolt_store::commit::Database;
use dolt_store::ddl::DdlOptions;
use dolt_store::table::Value;

use crate::support::{Dolt, Subject, copy_program, lock, run, unlock};

fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(|e| e.unwrap()) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push((entry.path(), fs::read(entry.path()).unwrap_or_default()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_manifest_of_a_newer_version_is_named_and_left_alone() {
    let subject = Subject::new(Dolt::V2);
    let manifest = subject.noms().join("manifest");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replacen("5:", "6:", 1)).unwrap();
    let before = files(&subject.dir());
    let refused = Database::try_lock(&subject.dir(), ReadOptions::default()).unwrap_err();
    assert!(matches!(refused, Error::Unsupported { .. }), "{refused:?}");
    subject.gt(&["commit", "--allow-empty", "-m", "x"]).fails(1).says("manifest version 6 is not supported");
    assert!(files(&subject.dir()) == before);
    fs::write(&manifest, text).unwrap();
    subject.gt(&["commit", "--allow-empty", "-m", "x"]).ok();
}

#[test]
fn a_lock_that_is_a_symbolic_link_is_not_taken() {
    let subject = Subject::new(Dolt::V2);
    let (lock_file, elsewhere) = (subject.noms().join("LOCK"), subject.town.outside().join("elsewhere"));
    fs::rename(&lock_file, &elsewhere).unwrap();
    symlink(&elsewhere, &lock_file).unwrap();
    let before = files(&subject.dir());
    subject.gt(&["commit", "--allow-empty", "-m", "x"]).fails(1).says("symbolic link").says("LOCK");
    assert!(files(&subject.dir()) == before && fs::symlink_metadata(&lock_file).unwrap().is_symlink());
}

#[test]
fn a_directory_that_cannot_be_written_is_named_and_stays_readable() {
    let subject = Subject::new(Dolt::V1);
    subject.sql("create table t (id int primary key); insert into t values (1)");
    subject.commit("first");
    // Root may write everywhere: for a test that runs as root, somebody else does this.
    let program = subject.town.outside().join("gt");
    copy_program(Path::new(env!("CARGO_BIN_EXE_gt")), &program);
    let all = || files(subject.town.outside()).into_iter().map(|(path, _)| path);
    for path in all() {
        let is_program = path == program;
        for dir in path.ancestors().skip(1).take_while(|dir| dir.starts_with(subject.town.outside())) {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(if is_program { 0o755 } else { 0o444 }))
            .unwrap();
    }
    for dir in [subject.dir(), subject.dir().join(".dolt"), subject.noms()] {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o555)).unwrap();
    }
    let before = files(&subject.dir());
    let gt = |args: &[&str]| {
        let mut command = Command::new(&program);
        command.args(["db", "--dir"]).arg(subject.dir()).args(args);
        subject.town.seal(&mut command);
        command.current_dir(subject.dir());
        if nix::unistd::geteuid().is_root() {
            command.uid(65_534).gid(65_534);
        }
        run(command)
    };
    let refused = gt(&["commit", "--allow-empty", "-m", "x"]).fails(1);
    refused.error_begins_with("cannot write").says("Permission denied").says(".dolt");
    gt(&["dump", "t", "--format", "csv"]).ok().says("id\n1");
    assert!(files(&subject.dir()) == before);
    for path in [subject.dir(), subject.dir().join(".dolt"), subject.noms()] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    for path in all() {
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
}

#[test]
fn a_table_with_an_index_that_is_not_written_is_named_and_others_are_written() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(
            "create table words (id int primary key, t text, fulltext key by_words (t));
             create table places (id int primary key, p point not null srid 0, spatial index by_place (p));
             create table near (id int primary key, v vector(2) not null); create vector index by_nearness on near (v);
             create table fronts (id varchar(20) primary key, key by_front (id(3)));
             create table plain (id int primary key);",
        );
        subject.commit("tables");
        let before = files(&subject.dir());
        let mut locked = lock(&subject.dir(), &Disk::default());
        for (table, row, index) in [
            ("words", vec![Value::Int(1), Value::Text("a".into())], "by_words"),
            ("places", vec![Value::Int(1), Value::Geometry(vec![0; 25])], "by_place"),
            ("near", vec![Value::Int(1), Value::Bytes(vec![0; 8])], "by_nearness"),
            ("fronts", vec![Value::Text("abcd".into())], "by_front"),
        ] {
            let mut tx = locked.begin("main").unwrap();
            let refused = tx.edit(|root| root.table(table)?.insert_row(&row)).unwrap_err();
            assert!(matches!(refused, Error::NotSupported { .. }), "{refused:?}");
            let said = refused.to_string();
            assert!(said.contains(table) && said.contains(index), "{said}");
            // What was refused has left nothing in the way of the rest.
            tx.edit(|root| root.table("plain")?.insert_row(&[Value::Int(7)])).unwrap();
        }
        unlock(locked, &subject.dir());
        assert!(files(&subject.dir()) == before, "nothing was committed");
    }
}

#[test]
fn merges_cherry_picks_and_collections_are_refused_by_name() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(
            "create table t (id int primary key); call dolt_commit('-Am', 'base'); call dolt_branch('other')",
        );
        let before = files(&subject.dir());
        for (verb, more) in [("merge", &["other"][..]), ("cherry-pick", &["other~1"]), ("gc", &["--full"])] {
            let refused = subject.gt(&[&[verb], more].concat()).fails(1);
            refused.error_begins_with(&format!("gt db {verb} is not here yet; nothing was changed"));
        }
        let mut locked = lock(&subject.dir(), &Disk::default());
        for sql in ["call dolt_merge('other')", "call dolt_cherry_pick('other')", "call dolt_gc()"] {
            let mut tx = locked.begin("main").unwrap();
            let refused = tx.run_ddl(sql, DdlOptions::default()).unwrap_err();
            assert!(matches!(refused, Error::NotSupported { .. } | Error::Sql { .. }), "{refused:?}");
            assert!(refused.to_string().contains("call dolt_"), "{refused}");
        }
        unlock(locked, &subject.dir());
        assert!(files(&subject.dir()) == before);
    }
}
