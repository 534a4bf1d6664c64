//! Which town a command works on.

use std::fs;
use std::os::unix::fs::symlink;

use crate::sealed::{Sealed, err, out};

#[test]
fn outside_a_town_the_refusal_says_so_and_exits_1() {
    let sealed = Sealed::new();
    let ran = sealed.gt(&sealed.path(), &["dolt", "status"]);
    assert_eq!(ran.status.code(), Some(1));
    assert!(err(&ran).starts_with("Error: not in a Gas Town workspace"), "{}", err(&ran));
    let rich = sealed.gt(&sealed.path(), &["--exit-code", "dolt", "status"]);
    assert_eq!(rich.status.code(), Some(9));
}

#[test]
fn printed_paths_are_the_ones_the_user_walked() {
    let sealed = Sealed::new();
    let real = sealed.path().join("real");
    fs::create_dir_all(real.join("mayor")).unwrap();
    fs::write(real.join("mayor/town.json"), r#"{"type":"town","version":1,"name":"t"}"#).unwrap();
    let link = sealed.path().join("link");
    symlink(&real, &link).unwrap();
    let ran = sealed.gt(&link, &["dolt", "list"]);
    assert!(out(&ran).contains(&format!("{}/.dolt-data", link.display())), "{}", out(&ran));
}
