//! Our side: the same changes, natively, on a copy of the database; and what has to be equal afterwards.

use std::fmt::Write;

use dolt_store::chunk::Disk;
use dolt_store::commit::{Author, CommitMeta, Database, Locked, Ref, RefKind, Session};
use dolt_store::table::{Row, TableEditor, Value};
use dolt_store::verify::verify;
use dolt_store::{Error, Hash, Tag};

use super::case::Done;
use super::plan::{Plan, RowChange};
use super::schema::Table;
use super::steps::Step;
use super::theirs::{EMAIL, NAME, Theirs, Told};
use crate::support::{copy_tree, lock, unlock};

const MILLIS: u64 = 1_767_323_045_000;

/// The copy that is written natively.
pub(super) struct Ours {
    dir: tempfile::TempDir,
    locked: Option<Locked>,
    theirs: Database,
    branch: String,
}

// A change that is refused although both should take it, or the other way round, or an error that is no refusal.
type Checked = Result<(), String>;

fn author() -> Author {
    Author { name: NAME.to_owned(), email: EMAIL.to_owned(), millis: MILLIS }
}

#[expect(clippy::needless_pass_by_value, reason = "given to map_err")]
fn said(error: Error) -> String {
    format!("ours failed: {error}: {error:?}")
}

impl Ours {
    pub(super) fn copy_of(theirs: &Theirs<'_>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        copy_tree(&theirs.dir(), dir.path());
        let locked = Some(lock(dir.path(), &Disk::default()));
        Self { dir, locked, theirs: Database::open_read(&theirs.dir()).unwrap(), branch: "main".to_owned() }
    }

    fn locked(&mut self) -> &mut Locked {
        self.locked.as_mut().expect("open between two steps")
    }

    fn state(&mut self) -> Result<Session, String> {
        self.locked().session().map_err(said)
    }

    /// A step for the rows and branches that are there now.
    pub(super) fn plan(&mut self, step: &Step, tables: &[Table]) -> Result<Plan, String> {
        let state = self.state()?;
        let rows = self.rows(&state, step, tables).map_err(said)?;
        let branches = state.refs_of(RefKind::Branch).map_err(said)?;
        let branches: Vec<String> = branches.into_iter().map(|branch| branch.name).collect();
        Ok(Plan::of(step, tables, &rows, &branches, &self.branch))
    }

    fn rows(
        &self,
        state: &Session,
        step: &Step,
        tables: &[Table],
    ) -> dolt_store::Result<Vec<Vec<Vec<Value>>>> {
        let is_about_rows =
            matches!(step, Step::Rows(_) | Step::Fill { .. } | Step::Thin { .. } | Step::Sweep { .. });
        if !is_about_rows {
            return Ok(vec![Vec::new(); tables.len()]);
        }
        let working = working(state, &self.branch)?;
        let there = state.tables(working)?;
        let read = |table: &Table| -> dolt_store::Result<_> {
            // A branch may be older than the table.
            let Some(opened) = there.open(&table.name)? else { return Ok(Vec::new()) };
            opened.rows()?.map(|row| Ok(row?.values)).collect()
        };
        tables.iter().map(read).collect()
    }

    /// Does what is planned. `told`: what Dolt has said to each statement.
    pub(super) fn run(&mut self, plan: &Plan, tables: &[Table], told: &[Told], done: &mut Done) -> Checked {
        let branch = self.branch.clone();
        match plan {
            Plan::Each(changes) => self.each(changes, tables, told, done),
            Plan::All(changes) => self.all(changes, tables, told, done),
            Plan::Commit { allow_empty } => {
                let mut tx = self.locked().begin(&branch).map_err(said)?;
                tx.stage_all().map_err(said)?;
                let made = tx.commit(&CommitMeta::by(author(), "it's all"), *allow_empty).map_err(said)?;
                done.commits += usize::from(made.is_some());
                agree("the commit", made.is_some(), told)
            }
            Plan::Branch { name } => {
                let head = self.state()?.resolve_exact(&format!("refs/heads/{branch}")).map_err(said)?;
                let made = self.locked().create_branch(name, head.ok_or("no head")?, MILLIS / 1000);
                agree("the branch", made.is_ok(), told)
            }
            Plan::Switch { to } => {
                self.branch.clone_from(to);
                agree("the checkout", true, told)
            }
            Plan::DeleteBranch { name } => {
                let gone = self.locked().delete_branch(name, true, MILLIS / 1000);
                agree("deleting the branch", gone.is_ok(), told)
            }
            Plan::Tag { name } => {
                let head = self.state()?.resolve_exact(&format!("refs/heads/{branch}")).map_err(said)?;
                let made = self.locked().create_tag(name, head.ok_or("no head")?, &author(), "a tag");
                agree("the tag", made.is_ok(), told)
            }
            Plan::Reopen { .. } => Ok(()),
        }
    }

    // Changes of the same table that follow one another are one edit.
    fn each(&mut self, changes: &[RowChange], tables: &[Table], told: &[Told], done: &mut Done) -> Checked {
        let branch = self.branch.clone();
        let mut tx = self.locked().begin(&branch).map_err(said)?;
        let mut results: Vec<dolt_store::Result<()>> = Vec::new();
        for group in changes.chunk_by(|a, b| a.table == b.table) {
            let edited = tx.edit(|root| {
                let mut editor = root.table(&tables[group[0].table].name)?;
                let table = &tables[group[0].table];
                results.extend(group.iter().map(|change| apply(&mut editor, change, table)));
                Ok(())
            });
            match edited {
                // A branch may be older than the table.
                Err(Error::NoTable { name }) => {
                    results.extend(group.iter().map(|_| Err(Error::NoTable { name: name.clone() })));
                }
                done => done.map_err(said)?,
            }
        }
        tx.commit_sql(&author(), "rows").map_err(said)?;
        for ((change, result), told) in changes.iter().zip(results).zip(told) {
            let what = || format!("{:?}", change.shown());
            if judged(&what, result, told, done)? {
                done.rows += 1;
                check_count(&what, change.before.is_none() || change.after.is_none(), 1, told)?;
            }
        }
        Ok(())
    }

    fn all(&mut self, changes: &[RowChange], tables: &[Table], told: &[Told], done: &mut Done) -> Checked {
        let (Some(first), Some(told)) = (changes.first(), told.first()) else { return Ok(()) };
        let branch = self.branch.clone();
        let mut tx = self.locked().begin(&branch).map_err(said)?;
        let table = &tables[first.table];
        let result = tx.edit(|root| {
            let mut editor = root.table(&table.name)?;
            changes.iter().try_for_each(|change| apply(&mut editor, change, table))
        });
        tx.commit_sql(&author(), "rows").map_err(said)?;
        let what = || format!("{} changes like {:?}", changes.len(), first.shown());
        if !judged(&what, result, told, done)? {
            return Ok(());
        }
        done.rows += changes.len();
        check_count(&what, first.before.is_none() || first.after.is_none(), changes.len(), told)
    }

    /// Opens it anew, after Dolt had it if that is wanted.
    pub(super) fn reopen(&mut self, theirs: &Theirs<'_>, collect: bool) {
        unlock(self.locked.take().expect("open between two steps"), self.dir.path());
        if collect {
            self.dolt(theirs, &["gc"]);
        }
        self.locked = Some(lock(self.dir.path(), &Disk::default()));
    }

    fn dolt(&self, theirs: &Theirs<'_>, args: &[&str]) -> String {
        let server = theirs.server();
        let mut command = std::process::Command::new(server.dolt.path());
        command.args(args);
        server.town.seal(&mut command);
        command.current_dir(self.dir.path());
        crate::support::run(command).ok().out
    }

    /// Every name leads to the same.
    pub(super) fn compare(&mut self) -> Checked {
        let (ours, theirs) = (self.state()?, self.theirs.session().map_err(said)?);
        let refs = |state: &Session| -> Result<Vec<Ref>, String> {
            let all = state.all_refs().map_err(said)?;
            let is_branch = |name: &str| all.iter().any(|r| r.kind == RefKind::Branch && r.name == name);
            // At times Dolt leaves the working set of a branch that is deleted.
            let counts = |r: &&Ref| match r.kind {
                RefKind::Internal => false,
                RefKind::WorkingSet => is_branch(&r.name),
                _ => true,
            };
            Ok(all.iter().filter(counts).cloned().collect())
        };
        let (our_refs, their_refs) = (refs(&ours)?, refs(&theirs)?);
        let names = |refs: &[Ref]| refs.iter().map(|r| r.full_name.clone()).collect::<Vec<_>>();
        if names(&our_refs) != names(&their_refs) {
            return Err(format!("refs: ours {:?}, theirs {:?}", names(&our_refs), names(&their_refs)));
        }
        for (our, their) in our_refs.iter().zip(&their_refs) {
            match our.kind {
                RefKind::WorkingSet => same_roots(&our.name, &ours, &theirs)?,
                RefKind::Tag => {
                    // Dolt takes the moment of a tag from the clock.
                    let tag = |state: &Session, at: Hash| -> Result<Tag, String> {
                        Ok(Tag { user_millis: 0, ..state.tag(at).map_err(said)? })
                    };
                    let (our, their) = (tag(&ours, our.target)?, tag(&theirs, their.target)?);
                    if our != their {
                        return Err(format!("tag: ours {our:?}, theirs {their:?}"));
                    }
                }
                _ if our.target != their.target => {
                    let commit =
                        |state: &Session, at| state.commit(at).map(|c| format!("{c:?}")).unwrap_or_default();
                    let (our, their) = (commit(&ours, our.target), commit(&theirs, their.target));
                    return Err(format!("a commit: ours {our}, theirs {their}"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Neither we nor Dolt find anything wrong with it.
    pub(super) fn is_whole(&mut self, theirs: &Theirs<'_>) -> Checked {
        self.reopen(theirs, false);
        let report = Database::open_read(self.dir.path()).and_then(|d| verify(&d, &())).map_err(said)?;
        if !report.findings.is_empty() {
            return Err(format!("verify: {:?}", report.findings));
        }
        unlock(self.locked.take().expect("open between two steps"), self.dir.path());
        let found = self.dolt(theirs, &["fsck"]);
        self.locked = Some(lock(self.dir.path(), &Disk::default()));
        if found.contains("No problems found.") { Ok(()) } else { Err(format!("fsck: {found}")) }
    }
}

// By the key, as the statement does; without one by everything.
fn apply(editor: &mut TableEditor<'_, '_>, change: &RowChange, table: &Table) -> dolt_store::Result<()> {
    let row = |values: &Vec<Value>| Row { values: values.clone() };
    let key = |values: &Vec<Value>| table.key.iter().map(|i| values[*i].clone()).collect::<Vec<_>>();
    match (&change.before, &change.after) {
        (None, Some(values)) => editor.insert_row(values).map(drop),
        (Some(values), None) if !table.key.is_empty() => editor.delete(&key(values)),
        (Some(before), Some(after)) if !table.key.is_empty() => {
            let set = change.set.iter().map(|i| (&table.columns[*i].name, after[*i].clone()));
            editor.update(&key(before), set).map(drop)
        }
        (Some(values), None) => editor.delete_row(&row(values)),
        (Some(before), Some(after)) => editor.update_row(&row(before), after).map(drop),
        (None, None) => Ok(()),
    }
}

// Whether it was taken; an error if only one side took it.
fn judged(
    what: &dyn Fn() -> String,
    ours: dolt_store::Result<()>,
    theirs: &Told,
    done: &mut Done,
) -> Result<bool, String> {
    match (ours, theirs) {
        (Ok(()), Ok(_)) => {
            done.accepted += 1;
            Ok(true)
        }
        // An update to what does not fit is one to the nearest that does, for Dolt; and if that is there already, it is none.
        (Err(Error::Violation { .. } | Error::RowTooLarge { .. } | Error::NoTable { .. }), Err(_))
        | (Err(Error::Violation { .. }), Ok(0)) => {
            done.refused += 1;
            Ok(false)
        }
        (Ok(()), Err(theirs)) => Err(format!("only Dolt refuses {}: {theirs}", what())),
        (Err(ours), Ok(_)) => Err(format!("only ours refuses {}: {ours}", what())),
        (Err(ours), Err(_)) => Err(said(ours)),
    }
}

// The statement of a case has to be about the rows that we changed, else nothing is compared.
fn check_count(what: &dyn Fn() -> String, is_certain: bool, count: usize, told: &Told) -> Checked {
    match told {
        Ok(affected) if is_certain && usize::try_from(*affected) != Ok(count) => {
            Err(format!("the statement touched {affected} rows instead of {count}: {}", what()))
        }
        _ => Ok(()),
    }
}

fn agree(what: &str, ours: bool, told: &[Told]) -> Checked {
    match &told[0] {
        Ok(_) if !ours => Err(format!("only ours refuses {what}")),
        Err(problem) if ours => Err(format!("only Dolt refuses {what}: {problem}")),
        _ => Ok(()),
    }
}

fn working(state: &Session, branch: &str) -> dolt_store::Result<Hash> {
    if let Some(set) = state.working_set(branch)? {
        return Ok(set.working);
    }
    let head = state.resolve_exact(&format!("refs/heads/{branch}"))?;
    Ok(state.commit(head.ok_or_else(|| Error::NoBranch { name: branch.to_owned() })?)?.root_value)
}

// The roots of a branch's working set. If they differ: which tables do.
fn same_roots(branch: &str, ours: &Session, theirs: &Session) -> Checked {
    let set = |state: &Session| state.working_set(branch).map_err(said)?.ok_or("no working set".to_owned());
    let (our, their) = (set(ours)?, set(theirs)?);
    for (what, our, their) in [("working", our.working, their.working), ("staged", our.staged, their.staged)]
    {
        if our == their {
            continue;
        }
        let (our, their) = (ours.tables(our).map_err(said)?, theirs.tables(their).map_err(said)?);
        let mut told = format!("the {what} roots of {branch} differ");
        for name in their.names().map_err(said)? {
            let (our, their) = (our.open(&name).map_err(said)?, their.open(&name).map_err(said)?);
            let (Some(our), Some(their)) = (our, their) else {
                write!(told, "; only Dolt has table {name}").unwrap();
                continue;
            };
            if our.address() == their.address() {
                continue;
            }
            write!(told, "; table {name}").unwrap();
            let rows = |table: &dolt_store::table::Table| -> Vec<String> {
                let Ok(rows) = table.rows() else { return vec!["unreadable".to_owned()] };
                rows.map(|row| row.map_or_else(|e| e.to_string(), |row| format!("{:?}", row.values)))
                    .collect()
            };
            let (our, their) = (rows(&our), rows(&their));
            for (ours, theirs) in our.iter().zip(&their).filter(|(a, b)| a != b).take(3) {
                let same = ours.chars().zip(theirs.chars()).take_while(|(a, b)| a == b).count();
                let around =
                    |text: &str| text.chars().skip(same.saturating_sub(80)).take(400).collect::<String>();
                write!(told, "\n  ours   …{}\n  theirs …{}", around(ours), around(theirs)).unwrap();
            }
            if our == their {
                told.push_str(": equal rows, other trees");
            } else if our.len() != their.len() {
                write!(told, ": {} rows, Dolt has {}", our.len(), their.len()).unwrap();
            }
        }
        return Err(told);
    }
    Ok(())
}
