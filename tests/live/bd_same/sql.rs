//! `bd sql` natively beside the real bd's, which needs a server: the same statements on the same database, first through a real
//! server, then with the server gone.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::split;
use crate::support::{Ran, TestTown, bd, free_port, run};

const QUESTIONS: &str = include_str!("sql.txt");

fn call(town: &TestTown, program: PathBuf, dir: &Path, words: &[String]) -> Ran {
    let mut command = Command::new(program);
    command.args(words);
    town.seal(&mut command);
    command.current_dir(dir).env("PWD", dir);
    command.env("BD_NON_INTERACTIVE", "1").env("BD_ACTOR", "me").env("TZ", "UTC");
    run(command)
}

/// A workspace of the real bd whose database a server of the real Dolt serves.
struct Served {
    town: TestTown,
    dir: PathBuf,
}

impl Served {
    fn real(&self, words: &[String]) -> Ran {
        call(&self.town, bd(), &self.dir, words)
    }

    fn ours(&self, words: &[String]) -> Ran {
        call(&self.town, PathBuf::from(env!("CARGO_BIN_EXE_bd")), &self.dir, words)
    }
}

fn told(ran: &Ran) -> (String, i32, String) {
    (ran.out.clone(), ran.code, ran.err.lines().next().unwrap_or_default().to_owned())
}

#[test]
fn statements_answer_what_the_real_one_answers_through_a_server_with_the_server_up_or_gone() {
    let town = TestTown::with(&[]);
    let dir = town.outside().join("work");
    let data = dir.join(".beads/dolt");
    std::fs::create_dir_all(&data).unwrap();
    let port = free_port().to_string();
    let serve = ["sql-server", "--host", "127.0.0.1", "--port", &port, "--data-dir", "."];
    let server = town.start_dolt(&serve, &data);
    crate::support::wait_until("the server answers", || {
        std::net::TcpStream::connect(("127.0.0.1", port.parse::<u16>().unwrap())).is_ok()
    });
    let served = Served { town, dir };
    let making = format!(
        "init --prefix t --server --server-port {port} --skip-agents --skip-hooks -q\n\
         create 'First <é> \"q\"' --id t-1 -d 'text' -p 1 -l a,b\n\
         create 'Second' --id t-2 -t bug --deps t-1 --assignee bob --estimate 30\n\
         create 'Third' --id t-3\n\
         update t-3 --set-metadata k=v --set-metadata n=5\n\
         close t-1 --reason done"
    );
    for line in making.lines() {
        served.real(&split(line)).ok();
    }
    let mut answers = Vec::new();
    for line in QUESTIONS.lines().filter(|line| !line.is_empty()) {
        for shape in ["", "--json", "--csv"] {
            let mut words = vec!["sql".to_owned(), line.to_owned()];
            words.extend((!shape.is_empty()).then(|| shape.to_owned()));
            let theirs = told(&served.real(&words));
            assert_eq!(told(&served.ours(&words)), theirs, "{line} {shape}");
            answers.push((words, theirs));
        }
    }
    drop(server);
    for (words, theirs) in &answers {
        assert_eq!(told(&served.ours(words)), *theirs, "without a server: {words:?}");
    }
    // What only a server answers says so.
    let words = ["sql".to_owned(), "select i.id from issues i join labels l on l.issue_id = i.id".to_owned()];
    let ran = served.ours(&words);
    assert!(ran.code == 1 && ran.err.contains("JOIN") && ran.err.contains("server"), "{}", ran.err);
    // Writes are told as the real one tells them, and are there.
    let affected = |statement: &str, wanted: &str| {
        let ran = served.ours(&["sql".to_owned(), statement.to_owned()]).ok();
        assert_eq!(ran.out.trim_end(), wanted, "{statement}");
    };
    affected("update issues set priority = priority + 1 where status = 'open'", "OK, 2 rows affected");
    affected("update issues set priority = 3 where id = 't-2'", "OK, 0 rows affected");
    affected(
        "insert into labels (issue_id, label) values ('t-2', 'x'), ('t-3', 'it''s')",
        "OK, 2 rows affected",
    );
    affected("delete from labels where issue_id = 't-1' and label in ('a', 'b')", "OK, 2 rows affected");
    let database = data_of(&served.dir);
    for dolt in [crate::support::Dolt::V1, crate::support::Dolt::V2] {
        let mut command = Command::new(dolt.path());
        command.args([
            "sql",
            "-r",
            "csv",
            "-q",
            "select issue_id, label from labels order by 1, 2; select id, priority from issues order by id",
        ]);
        served.town.seal(&mut command);
        command.current_dir(&database);
        let out = run(command).ok().out;
        assert_eq!(
            out.trim(),
            "issue_id,label\nt-2,x\nt-3,it's\n\nid,priority\nt-1,1\nt-2,3\nt-3,3".replace("\n\n", "\n"),
            "{dolt:?}"
        );
    }
}

fn data_of(dir: &Path) -> PathBuf {
    dir.join(".beads/dolt/t")
}
