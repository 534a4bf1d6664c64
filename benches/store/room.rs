//! A temporary place with a HOME, the programs that are compared, and databases that the real ones have made.

use std::cell::RefCell;
use std::fmt::Write;
use std::fs;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common::machine;
use crate::common::places::{copy_dir, quiet_home};

/// The newest pinned Dolt: it writes what is read here, and is compared with.
pub(crate) fn dolt_path() -> PathBuf {
    machine::pinned("dolt-2.2.0")
}

pub(crate) fn bd_path() -> PathBuf {
    machine::pinned("bd-1.1.0")
}

pub(crate) struct Room {
    dir: tempfile::TempDir,
}

impl Room {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        quiet_home(&dir.path().join("home"));
        Self { dir }
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// A directory of the room, made if it is not there.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let folder = self.dir.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// A copy of a program, as installing it makes one. What a linker has mapped lies in single pages of memory, and whoever starts it
    /// pays for each of them; a file that was written lies in larger ones.
    fn installed(&self, program: &Path) -> PathBuf {
        let built_in = program.parent().and_then(Path::file_name).unwrap();
        let installed = self.folder("bin").join(built_in).join(program.file_name().unwrap());
        if !installed.exists() {
            fs::create_dir_all(installed.parent().unwrap()).unwrap();
            fs::copy(program, &installed).unwrap();
        }
        installed
    }

    /// A command in a directory, with an environment of its own.
    pub(crate) fn command(&self, program: &Path, cwd: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(self.installed(program));
        command.args(args).current_dir(cwd).env_clear().stdin(Stdio::null());
        command.env("HOME", self.home()).env("PWD", cwd).env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.env("BD_DISABLE_METRICS", "1").env("BD_NON_INTERACTIVE", "1");
        command
    }

    /// `gt db …` in a database's directory.
    pub(crate) fn gt(&self, database: &Path, args: &[&str]) -> Command {
        self.command(Path::new(env!("CARGO_BIN_EXE_gt")), database, &[&["db"], args].concat())
    }

    pub(crate) fn dolt(&self, database: &Path, args: &[&str]) -> Command {
        self.command(&dolt_path(), database, args)
    }

    /// Takes away what `gt` keeps about journals that it has read.
    pub(crate) fn forget_journals(&self) {
        fs::remove_dir_all(self.home().join(".cache/gt")).ok();
    }

    /// Runs statements with the real Dolt, through a file.
    pub(crate) fn sql(&self, database: &Path, sql: &str) {
        let file = self.dir.path().join("input.sql");
        fs::write(&file, sql).unwrap();
        run(self.dolt(database, &["sql", "--file", file.to_str().unwrap()]));
    }

    /// A new database.
    pub(crate) fn init(&self, name: &str) -> PathBuf {
        let database = self.folder(name);
        run(self.dolt(&database, &["init", "--name", "t", "--email", "t@example.com"]));
        database
    }

    /// A project of the real bd with so many issues, and the database in it.
    pub(crate) fn project(&self, issues: usize) -> (PathBuf, PathBuf) {
        let project = self.folder("project");
        let bd = |args: &[&str]| run(self.command(&bd_path(), &project, args));
        bd(&["init", "--prefix", "gt", "--skip-agents", "--skip-hooks"]);
        let mut lines = String::new();
        for n in 1..=issues {
            let words = "Some words that describe what is to be done. ".repeat(1 + n % 8);
            writeln!(
                lines,
                r#"{{"id":"{}","title":"Issue number {n}","description":"{words}","priority":{}}}"#,
                issue(n),
                n % 5
            )
            .unwrap();
        }
        fs::write(project.join("issues.in"), lines).unwrap();
        bd(&["import", "issues.in"]);
        let database = project.join(".beads/embeddeddolt/gt");
        (project, database)
    }

    /// A copy of bd's database whose journal Dolt has made this long with updates of the issues.
    pub(crate) fn long_journal(&self, of: &Path, bytes: u64) -> PathBuf {
        let database = self.folder("long-journal");
        copy_dir(of, &database);
        let mut round = 0;
        while journal_length(&database) < bytes {
            let mut sql = String::new();
            for _ in 0..20 {
                round += 1;
                writeln!(sql, "update issues set description = concat('round {round} ', sha2(concat(id, {round}), 512));")
                    .unwrap();
            }
            self.sql(&database, &sql);
        }
        database
    }

    /// A table of eight columns, `t`, with so many rows, and a second commit that has changed ten of them.
    pub(crate) fn wide_table(&self, rows: u32) -> PathBuf {
        let database = self.init("wide-table");
        let mut sql =
            "create table t (id int primary key, name varchar(40), note text, size bigint, share double,\n\
                       price decimal(10,2), made datetime, flag tinyint);\n"
                .to_owned();
        for first in (0..rows).step_by(1000) {
            sql += "insert into t values ";
            for n in first..(first + 1000).min(rows) {
                let comma = if n == first { "" } else { "," };
                let (day, second) = (1 + n % 28, n % 60);
                write!(
                    sql,
                    "{comma}({n},'name {n}','a note of some words about row {n}',{},{}.5,{}.25,\
                     '2026-01-{day:02} 10:00:{second:02}',{})",
                    u64::from(n) * 7919,
                    n / 3,
                    n % 10_000,
                    n % 2
                )
                .unwrap();
            }
            sql += ";\n";
        }
        sql += "call dolt_commit('-Am', 'all rows');\n";
        let step = rows / 10;
        writeln!(sql, "update t set note = 'changed' where id % {step} = 0;").unwrap();
        sql += "call dolt_commit('-Am', 'ten rows');\n";
        self.sql(&database, &sql);
        database
    }

    /// A table `big` of so many thousand rows with 16 KiB of random bytes each, all in the journal.
    pub(crate) fn blobs(&self, thousands: u32) -> PathBuf {
        let database = self.init("blobs");
        let random = vec!["random_bytes(1024)"; 16].join(", ");
        let mut sql = "create table seq (n int primary key);\n\
                       create table big (id int primary key, name varchar(20), b longblob);\n\
                       insert into seq with recursive s (n) as (select 0 union all select n + 1 from s where n < 999) select n from s;\n"
            .to_owned();
        for thousand in 0..thousands {
            let id = format!("{thousand} * 1000 + n");
            writeln!(sql, "insert into big select {id}, concat('name ', {id}), concat({random}) from seq;")
                .unwrap();
        }
        self.sql(&database, &sql);
        database
    }
}

/// The id of an issue by its number.
pub(crate) fn issue(n: usize) -> String {
    format!("gt-{n:04}")
}

pub(crate) fn journal_length(database: &Path) -> u64 {
    fs::metadata(database.join(".dolt/noms").join("v".repeat(32))).map_or(0, |m| m.len())
}

/// Runs a command to its end, which must be a success.
pub(crate) fn run(command: Command) -> Output {
    timed(command).1
}

/// The same, with how long it took.
pub(crate) fn timed(mut command: Command) -> (Duration, Output) {
    thread_local! {
        // Kept: a reader whose memory grows while it reads is slower than what is measured.
        static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    let mut errors = tempfile::tempfile().unwrap();
    command.stdout(Stdio::piped()).stderr(errors.try_clone().unwrap());
    let (took, status, stdout) = TEXT.with_borrow_mut(|text| {
        text.clear();
        let begun = Instant::now();
        let mut child = command.spawn().unwrap();
        child.stdout.take().unwrap().read_to_end(text).unwrap();
        let status = child.wait().unwrap();
        (begun.elapsed(), status, text.clone())
    });
    let mut stderr = Vec::new();
    errors.rewind().unwrap();
    errors.read_to_end(&mut stderr).unwrap();
    let output = Output { status, stdout, stderr };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        panic!("{command:?}: {}: {}", output.status, said.chars().take(2000).collect::<String>());
    }
    (took, output)
}
