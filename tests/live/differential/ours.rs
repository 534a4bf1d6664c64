//! Our side: the same changes, natively, on a copy of the database; and what has to be equal afterwards.

use std::fmt::Write;

use dolt_store::chunk::Disk;
use dolt_store::commit::{Author, CommitMeta, Database, Locked, Ref, RefKind, Reset, Session};
use dolt_store::expr::EvalContext;
use dolt_store::table::{RootEditor, Row, Schema, TableEditor, Value};
use dolt_store::verify::verify;
use dolt_store::{Error, Hash, Tag};

use super::outcome::{Did, Effect};
use super::plan::{Act, Given, Plan, RowChange, State, There};
use super::schema::Table;
use super::steps::{Back, Step};
use super::theirs::{EMAIL, NAME, Theirs};
use crate::support::{Dolt, copy_tree, lock, unlock};

const MILLIS: u64 = 1_767_323_045_000;

/// So many commits are there to go back.
const BACK: usize = 4;

/// The copy that is written natively.
pub(super) struct Ours {
    dir: tempfile::TempDir,
    locked: Option<Locked>,
    theirs: Database,
    branch: String,
    // The branch that the directory is on.
    directory: String,
    dolt: Dolt,
}

// A difference, or an error that is no refusal.
type Checked = Result<(), String>;

fn author() -> Author {
    Author { name: NAME.to_owned(), email: EMAIL.to_owned(), millis: MILLIS }
}

#[expect(clippy::needless_pass_by_value, reason = "given to map_err")]
fn said(error: Error) -> String {
    format!("ours failed: {error}: {error:?}")
}

// Nobody pulls the plug here, and waiting for the disk takes long.
fn disk() -> Disk {
    Disk::waited_for_later()
}

impl Ours {
    pub(super) fn copy_of(theirs: &Theirs<'_>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        copy_tree(&theirs.dir(), dir.path());
        let locked = Some(lock(dir.path(), &disk()));
        let dolt = theirs.server().dolt;
        let theirs = Database::open_read(&theirs.dir()).unwrap();
        Self { dir, locked, theirs, branch: "main".to_owned(), directory: "main".to_owned(), dolt }
    }

    fn locked(&mut self) -> &mut Locked {
        self.locked.as_mut().expect("open between two steps")
    }

    fn state(&mut self) -> Result<Session, String> {
        self.locked().session().map_err(said)
    }

    /// What a step chooses from.
    pub(super) fn now(&mut self, step: &Step, tables: &[Table]) -> Result<State, String> {
        let session = self.state()?;
        self.read(&session, step, tables).map_err(said)
    }

    fn read(&self, session: &Session, step: &Step, tables: &[Table]) -> dolt_store::Result<State> {
        let is_about_rows =
            matches!(step, Step::Rows(_) | Step::Fill { .. } | Step::Thin { .. } | Step::Sweep { .. });
        let root = session.tables(working(session, &self.branch)?)?;
        let read = |table: &Table| -> dolt_store::Result<There> {
            // A branch may be older than the table.
            let Some(opened) = root.open(&table.name)? else { return Ok(There::default()) };
            let place =
                |name: &str| table.columns.iter().position(|c| c.name == name).expect("a column of the case");
            let columns: Vec<usize> = opened.schema().visible().map(|(_, c)| place(&c.name)).collect();
            let mut rows = Vec::new();
            for row in opened.rows()?.filter(|_| is_about_rows) {
                let mut values = vec![Value::NotStored; table.columns.len()];
                for (at, value) in columns.iter().zip(row?.values) {
                    values[*at] = value;
                }
                rows.push(values);
            }
            let indexes = &opened.schema().indexes;
            let uniques = indexes.iter().filter(|index| index.unique).count();
            let indexes = indexes.iter().map(|index| index.name.clone()).collect();
            Ok(There { columns: Some(columns), indexes, uniques, rows })
        };
        let ignored = match root.open("dolt_ignore")? {
            Some(table) => table
                .rows()?
                .map(|row| match &row?.values[0] {
                    Value::Text(pattern) => Ok(pattern.clone()),
                    other => panic!("{other:?} is no pattern"),
                })
                .collect::<dolt_store::Result<_>>()?,
            None => Vec::new(),
        };
        let head = head_of(session, &self.branch)?;
        let commits = session.log(head)?.take(BACK).map(|entry| Ok(entry?.hash));
        Ok(State {
            tables: tables.iter().map(read).collect::<dolt_store::Result<_>>()?,
            branches: session.refs_of(RefKind::Branch)?.into_iter().map(|branch| branch.name).collect(),
            on: self.branch.clone(),
            directory: self.directory.clone(),
            commits: commits.collect::<dolt_store::Result<_>>()?,
            ignored,
            stores_numbers: self.dolt == Dolt::V1,
        })
    }

    /// Does what is planned; says what has become of each change. `now`: what time it is.
    pub(super) fn run(
        &mut self,
        plan: &Plan,
        tables: &[Table],
        state: &State,
        now: i64,
    ) -> Result<Vec<Did>, String> {
        let done = match plan {
            Plan::Each(changes) => return self.each(changes, tables, state, now),
            Plan::All(changes) if changes.is_empty() => return Ok(Vec::new()),
            Plan::All(changes) => self.all(changes, tables, state, now),
            plan => self.one(plan).map(|touched| Effect { touched, changed: true }),
        };
        Ok(vec![Did::of(done)?])
    }

    // What is about no table's rows.
    fn one(&mut self, plan: &Plan) -> dolt_store::Result<Option<u64>> {
        let branch = self.branch.clone();
        let options = self.dolt.ddl_options();
        match plan {
            Plan::Each(_) | Plan::All(_) | Plan::Reopen { .. } => {}
            Plan::Define { sql, .. } => {
                let mut tx = self.locked().begin(&branch)?;
                tx.run_ddl(sql, options)?;
                tx.commit_sql(&author(), "a definition")?;
            }
            Plan::Ignore { pattern, ignored } => {
                let mut tx = self.locked().begin(&branch)?;
                tx.create_dolt_ignore(options)?;
                let row = [Value::Text(pattern.clone()), Value::Int(i64::from(*ignored))];
                tx.edit(|root| root.table("dolt_ignore")?.insert_row(&row))?;
                tx.commit_sql(&author(), "ignored")?;
                return Ok(Some(1));
            }
            Plan::NoLongerIgnore { pattern } => {
                let mut tx = self.locked().begin(&branch)?;
                tx.edit(|root| root.table("dolt_ignore")?.delete(&[Value::Text(pattern.clone())]))?;
                tx.commit_sql(&author(), "no longer ignored")?;
                return Ok(Some(1));
            }
            Plan::Commit { allow_empty } => {
                let mut tx = self.locked().begin(&branch)?;
                tx.stage_all()?;
                let made = tx.commit(&CommitMeta::by(author(), "it's all"), *allow_empty)?;
                // Dolt says so as an error.
                made.ok_or_else(|| Error::Definition {
                    object: "commit".to_owned(),
                    problem: "nothing".to_owned(),
                })?;
            }
            Plan::Branch { name } => {
                let head = head_of(&self.locked().session()?, &branch)?;
                self.locked().create_branch(name, head, MILLIS / 1000)?;
            }
            Plan::Switch { to, directory } => {
                if *directory {
                    self.locked().checkout(to, MILLIS / 1000)?;
                    self.directory.clone_from(to);
                }
                self.branch.clone_from(to);
            }
            Plan::DeleteBranch { name } => self.locked().delete_branch(name, true, MILLIS / 1000)?,
            Plan::Reset { to, how } => {
                let how = match how {
                    // 1.88.1 resets what is staged in a soft reset as well.
                    Back::Soft if self.dolt == Dolt::V2 => Reset::Soft,
                    Back::Soft | Back::Mixed => Reset::Mixed,
                    Back::Hard => Reset::Hard,
                };
                self.locked().begin(&branch)?.reset(*to, how, &author())?;
            }
            Plan::PutBack { table } => {
                let mut tx = self.locked().begin(&branch)?;
                tx.put_back(&[table])?;
                tx.commit_sql(&author(), "put back")?;
            }
            Plan::Tag { name } => {
                let head = head_of(&self.locked().session()?, &branch)?;
                self.locked().create_tag(name, head, &author(), "a tag")?;
            }
        }
        Ok(None)
    }

    // Changes of the same table that follow one another are one edit; all are one if a table counts, whose numbers are those of
    // an edit.
    fn each(
        &mut self,
        changes: &[RowChange],
        tables: &[Table],
        state: &State,
        now: i64,
    ) -> Result<Vec<Did>, String> {
        let branch = self.branch.clone();
        let counts = changes.iter().any(|change| tables[change.table].counts());
        let mut tx = self.locked().begin(&branch).map_err(said)?;
        let mut results = Vec::new();
        for group in changes.chunk_by(|a, b| counts || a.table == b.table) {
            let edited = tx.edit(|root| {
                root.set_context(context(now));
                results.extend(group.iter().map(|change| apply(root, change, tables, state)));
                Ok(())
            });
            edited.map_err(said)?;
        }
        tx.commit_sql(&author(), "rows").map_err(said)?;
        results.into_iter().map(Did::of).collect()
    }

    fn all(
        &mut self,
        changes: &[RowChange],
        tables: &[Table],
        state: &State,
        now: i64,
    ) -> dolt_store::Result<Effect> {
        let branch = self.branch.clone();
        let mut tx = self.locked().begin(&branch)?;
        let result = tx.edit(|root| {
            root.set_context(context(now));
            let mut sum = Effect { touched: Some(0), changed: false };
            for change in changes {
                let effect = apply(root, change, tables, state)?;
                sum.touched = sum.touched.zip(effect.touched).map(|(a, b)| a + b);
                sum.changed |= effect.changed;
            }
            Ok(sum)
        });
        tx.commit_sql(&author(), "rows")?;
        result
    }

    /// Opens it anew, after Dolt had it if that is wanted.
    pub(super) fn reopen(&mut self, theirs: &Theirs<'_>, collect: bool) {
        unlock(self.locked.take().expect("open between two steps"), self.dir.path());
        if collect {
            self.dolt(theirs, &["gc"]);
        }
        self.locked = Some(lock(self.dir.path(), &disk()));
    }

    /// Reads Dolt's side anew, after its directory was away for a while.
    pub(super) fn look_again(&mut self, theirs: &Theirs<'_>) {
        self.theirs = Database::open_read(&theirs.dir()).unwrap();
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
        self.locked = Some(lock(self.dir.path(), &disk()));
        if found.contains("No problems found.") { Ok(()) } else { Err(format!("fsck: {found}")) }
    }
}

fn context(now: i64) -> EvalContext {
    EvalContext::new(now, 0, |bytes| bytes.fill(7))
}

fn head_of(session: &Session, branch: &str) -> dolt_store::Result<Hash> {
    let head = session.resolve_exact(&format!("refs/heads/{branch}"))?;
    head.ok_or_else(|| Error::NoBranch { name: branch.to_owned() })
}

fn apply(
    root: &mut RootEditor<'_>,
    change: &RowChange,
    tables: &[Table],
    state: &State,
) -> dolt_store::Result<Effect> {
    let table = &tables[change.table];
    change_row(&mut root.table(&table.name)?, &change.act, table, &state.tables[change.table])
}

// By the key, as the statement does; without one by everything.
fn change_row(
    editor: &mut TableEditor<'_, '_>,
    act: &Act,
    table: &Table,
    there: &There,
) -> dolt_store::Result<Effect> {
    let order = there.columns.as_deref().unwrap_or_default();
    let named = |given: &Given| -> Vec<(String, Value)> {
        given.iter().map(|(c, value)| (table.columns[*c].name.clone(), value.clone())).collect()
    };
    let values = |row: &[Value]| order.iter().map(|c| row[*c].clone()).collect::<Vec<_>>();
    let key = |row: &[Value]| table.key.iter().map(|c| row[*c].clone()).collect::<Vec<_>>();
    let one = |changed| Effect { touched: Some(1), changed };
    Ok(match act {
        // All of them at once where that says the same.
        Act::Insert(given) if given.len() == order.len() => {
            let mut row = vec![Value::NotStored; table.columns.len()];
            for (c, value) in given {
                row[*c] = value.clone();
            }
            editor.insert_row(&values(&row))?;
            one(true)
        }
        Act::Insert(given) => {
            editor.insert(named(given))?;
            one(true)
        }
        Act::Upsert(given, to) => {
            if editor.upsert(named(given), named(to))? {
                one(true)
            } else {
                Effect::default()
            }
        }
        Act::Replace(given) => {
            let gone = editor.replace(named(given))?;
            // However many rows it was in the way of, Dolt counts one.
            Effect { touched: Some(1 + u64::from(gone > 0)), changed: true }
        }
        Act::Delete(row) => {
            if table.key.is_empty() {
                editor.delete_row(&Row { values: values(row) })?;
            } else {
                editor.delete(&key(row))?;
            }
            one(true)
        }
        Act::Update(row, to) => {
            let changed = if table.key.is_empty() {
                let mut after = row.clone();
                for (c, value) in to {
                    after[*c] = value.clone();
                }
                editor.update_row(&Row { values: values(row) }, &values(&after))?
            } else {
                editor.update(&key(row), named(to))?
            };
            // One that changes nothing touches none.
            Effect { touched: None, changed }
        }
    })
}

fn working(state: &Session, branch: &str) -> dolt_store::Result<Hash> {
    if let Some(set) = state.working_set(branch)? {
        return Ok(set.working);
    }
    Ok(state.commit(head_of(state, branch)?)?.root_value)
}

fn other_schema(ours: &Schema, theirs: &Schema) -> String {
    let mut told = String::new();
    for (our, their) in ours.columns.iter().zip(&theirs.columns).filter(|(a, b)| a != b) {
        write!(told, "\n  ours   {our:?}\n  theirs {their:?}").unwrap();
    }
    if ours.checks != theirs.checks {
        write!(told, "\n  ours   {:?}\n  theirs {:?}", ours.checks, theirs.checks).unwrap();
    }
    if ours.indexes != theirs.indexes || ours.key_columns != theirs.key_columns {
        write!(told, "\n  ours   {:?}\n  theirs {:?}", ours.indexes, theirs.indexes).unwrap();
    }
    if told.is_empty() { format!("\n  ours   {ours:?}\n  theirs {theirs:?}") } else { told }
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
            if our.schema() != their.schema() {
                told.push_str(&other_schema(our.schema(), their.schema()));
            }
            if our.auto_increment() != their.auto_increment() {
                let (our, their) = (our.auto_increment(), their.auto_increment());
                write!(told, ": the next number is {our}, in Dolt {their}").unwrap();
            }
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
        let (our, their) = (our.foreign_keys().map_err(said)?, their.foreign_keys().map_err(said)?);
        if our != their {
            write!(told, "\n  ours   {our:?}\n  theirs {their:?}").unwrap();
        }
        return Err(told);
    }
    Ok(())
}
