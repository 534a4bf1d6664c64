//! History as `dolt log` prints it.

use std::fmt::Write;

use crate::support::{Dolt, Subject};

/// Branches that leave, come back and cross each other, always the same ones.
fn tangled(steps: u32) -> (String, Vec<String>) {
    let mut seed = 2_026u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let mut script = "create table t (id int primary key); call dolt_commit('-Am','first');".to_owned();
    let mut branches = vec!["main".to_owned()];
    for step in 0..steps {
        let at = next(branches.len());
        write!(script, "call dolt_checkout('{}');", branches[at]).unwrap();
        match next(10) {
            0 | 1 => {
                let name = format!("b{step}");
                write!(script, "call dolt_branch('{name}');").unwrap();
                branches.push(name);
            }
            2..=4 if branches.len() > 1 => {
                let other = &branches[(at + 1 + next(branches.len() - 1)) % branches.len()];
                write!(script, "call dolt_merge('{other}','--no-ff','-m','merge {other}');").unwrap();
            }
            kind => {
                let more = if kind > 7 { "\n\nmore\nlines" } else { "" };
                write!(script, "insert into t values ({step}); call dolt_commit('-am','step {step}{more}');")
                    .unwrap();
            }
        }
    }
    script.push_str("call dolt_checkout('main');");
    for branch in &branches[1..] {
        write!(script, "call dolt_merge('{branch}','--no-ff','-m','final {branch}');").unwrap();
    }
    script.push_str("call dolt_tag('v1','HEAD~1'); call dolt_branch('same');");
    (script, branches)
}

#[test]
fn the_graph_is_drawn_as_dolt_draws_it() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql("create table t (id int primary key); call dolt_commit('-Am','a line'); call dolt_commit('--allow-empty','-m','another');");
        subject.same_log(&["--graph"]);
        subject.same_log(&["--graph", "--oneline"]);
        let subject = Subject::new(dolt);
        let (script, branches) = tangled(60);
        assert!(branches.len() > 5);
        subject.sql(&script);
        for args in [
            &["--graph"][..],
            &["--graph", "--oneline"],
            &["--graph", "-n", "9"],
            &["--graph", "--oneline", &branches[3]],
        ] {
            subject.same_log(args);
        }
        let drawn = subject.gt(&["log", "--graph"]).ok().out;
        assert!(drawn.contains("(HEAD -> main, same) ") && drawn.contains("(tag: v1) "), "{drawn}");
    }
}

#[test]
fn ancestors_and_merge_bases_are_dolts() {
    let subject = Subject::new(Dolt::V1);
    let commit = |message: &str| format!("call dolt_commit('--allow-empty','-Am','{message}');");
    let mut script = format!(
        "create table t (id int primary key); {} call dolt_branch('left'); call dolt_branch('right');",
        commit("base")
    );
    for branch in ["left", "right", "left", "right", "right"] {
        write!(script, "call dolt_checkout('{branch}'); {}", commit(branch)).unwrap();
    }
    write!(
        script,
        "call dolt_checkout('left'); call dolt_merge('right~1','-m','criss'); {}",
        commit("after")
    )
    .unwrap();
    subject.sql(&script);
    let database = subject.open();
    let state = database.session().unwrap();
    let hash = |revision: &str| state.resolve_commit(revision).unwrap().unwrap();
    for (a, b) in [("left", "right"), ("main", "left"), ("left~1", "right~2"), ("right", "right")] {
        let theirs = subject.dolt(&["merge-base", a, b]).ok().out;
        let ours = state.merge_base(hash(a), hash(b)).unwrap().unwrap();
        assert_eq!(ours.to_string(), theirs.trim(), "{a} {b}");
    }
    assert!(state.is_ancestor(hash("main"), hash("left")).unwrap());
    assert!(state.is_ancestor(hash("right~1"), hash("left")).unwrap());
    assert!(!state.is_ancestor(hash("right"), hash("left")).unwrap());
    assert_eq!(hash("left~1^2"), hash("right~1"), "the second parent of the merge");
    assert_eq!(state.resolve_commit("main~99").unwrap(), None);
}
