//! A step with the rows that it is about, as both sides are told of it.

use dolt_store::Hash;
use dolt_store::table::Value;
use gt::sql::{identifier, literal};

use super::outcome::Effect;
use super::rules::Rule;
use super::schema::{Kind, Table};
use super::steps::{Add, Back, Change, Define, Place, Step, What};
use super::values::{is, spelled};

/// What is to be done, and to which rows.
#[derive(Debug)]
pub(super) enum Plan {
    /// One transaction; a change that is refused leaves the others.
    Each(Vec<RowChange>),
    /// One statement; one change that is refused takes all with it.
    All(Vec<RowChange>),
    /// A statement that both read.
    Define {
        what: &'static str,
        sql: String,
    },
    Ignore {
        pattern: String,
        ignored: bool,
    },
    NoLongerIgnore {
        pattern: String,
    },
    Commit {
        allow_empty: bool,
    },
    Branch {
        name: String,
    },
    Switch {
        to: String,
        directory: bool,
    },
    DeleteBranch {
        name: String,
    },
    Reset {
        to: Hash,
        how: Back,
    },
    PutBack {
        table: String,
    },
    Tag {
        name: String,
    },
    Reopen {
        collect: bool,
    },
}

/// A table as it is in a state.
#[derive(Debug, Clone, Default)]
pub(super) struct There {
    /// Which columns there are, in their order. `None`: no such table.
    pub(super) columns: Option<Vec<usize>>,
    pub(super) indexes: Vec<String>,
    /// How many of them are unique.
    pub(super) uniques: usize,
    /// Rows in values of all columns of the case's table; `NotStored` in those that are not there.
    pub(super) rows: Vec<Vec<Value>>,
}

/// A state: what steps choose from.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) tables: Vec<There>,
    pub(super) branches: Vec<String>,
    /// The one that is checked out.
    pub(super) on: String,
    /// The one that our directory is on, which is the same or one from before: it cannot go.
    pub(super) directory: String,
    /// Its commits, the last one first, as far as somebody goes back.
    pub(super) commits: Vec<Hash>,
    /// The patterns of tables that are ignored.
    pub(super) ignored: Vec<String>,
    /// Whether Dolt stores the next number of tables that it merely looks at, as 1.88.1 does and we do not. Then there is one
    /// branch only where such a table is an end of a foreign key, so that none has greater numbers.
    pub(super) stores_numbers: bool,
}

/// Values by column.
pub(super) type Given = Vec<(usize, Value)>;

/// A change of one row.
#[derive(Debug, Clone)]
pub(super) struct RowChange {
    pub(super) table: usize,
    pub(super) act: Act,
}

#[derive(Debug, Clone)]
pub(super) enum Act {
    Insert(Given),
    Upsert(Given, Given),
    Replace(Given),
    /// A row in values of every column.
    Delete(Vec<Value>),
    Update(Vec<Value>, Given),
}

/// Conditions of a statement that no key makes short.
const MOST_CONDITIONS: usize = 60;

impl There {
    /// Whether a column is there; of a table that is not there, whether it would be.
    pub(super) fn has(&self, column: usize, table: &Table) -> bool {
        self.columns.as_ref().map_or(!table.columns[column].late, |there| there.contains(&column))
    }
}

impl Plan {
    /// What a step means in a state.
    pub(super) fn of(step: &Step, tables: &[Table], state: &State) -> Self {
        match step {
            Step::Rows(changes) => Self::Each(each(changes, tables, state)),
            Step::Fill { table, rows, left_out } => {
                let insert = |(n, row): (usize, &Vec<Value>)| {
                    let mut row = row.clone();
                    refer(&tables[*table], *table, state, n, &mut row, &|_| true);
                    let given = given(&tables[*table], &state.tables[*table], &row, left_out);
                    RowChange { table: *table, act: Act::Insert(given) }
                };
                Self::All(rows.iter().enumerate().map(insert).collect())
            }
            Step::Thin { table, every, from } => {
                let chosen = chosen(*table, tables, state, *every, *from);
                let delete = |row| RowChange { table: *table, act: Act::Delete(row) };
                Self::All(chosen.into_iter().map(delete).collect())
            }
            Step::Sweep { table, every, from, column, to } => {
                if !state.tables[*table].has(*column, &tables[*table]) {
                    return Self::All(Vec::new());
                }
                let chosen = chosen(*table, tables, state, *every, *from);
                let change =
                    |row| RowChange { table: *table, act: Act::Update(row, vec![(*column, to.clone())]) };
                Self::All(chosen.into_iter().map(change).collect())
            }
            Step::Define(define) => defined(define, tables, state),
            Step::Ignore { pattern, ignored } => Self::Ignore { pattern: pattern.clone(), ignored: *ignored },
            Step::NoLongerIgnore { pick } => match pick.checked_rem(state.ignored.len()) {
                None => Self::Reopen { collect: false },
                Some(at) => Self::NoLongerIgnore { pattern: state.ignored[at].clone() },
            },
            Step::Commit { allow_empty } => Self::Commit { allow_empty: *allow_empty },
            Step::Branch { .. } if state.stores_numbers && refers_to_numbers(tables) => {
                Self::Reopen { collect: false }
            }
            Step::Branch { name } => Self::Branch { name: name.clone() },
            Step::Switch { pick, directory } => Self::Switch {
                to: state.branches[pick % state.branches.len()].clone(),
                directory: *directory,
            },
            Step::DeleteBranch { pick } => {
                let stay = ["main", &state.on, &state.directory];
                let can_go: Vec<&String> =
                    state.branches.iter().filter(|b| !stay.contains(&b.as_str())).collect();
                match can_go.len() {
                    0 => Self::Reopen { collect: false },
                    count => Self::DeleteBranch { name: can_go[pick % count].clone() },
                }
            }
            Step::Reset { back, how } => {
                Self::Reset { to: state.commits[back % state.commits.len()], how: *how }
            }
            Step::PutBack { table } => Self::PutBack { table: tables[*table].name.clone() },
            Step::Tag { name } => Self::Tag { name: name.clone() },
            Step::Reopen { collect } => Self::Reopen { collect: *collect },
        }
    }

    /// The statement of a change of this plan, or of all of them. `now` is what `CURRENT_TIMESTAMP` is on our side.
    pub(super) fn statement(
        &self,
        n: usize,
        tables: &[Table],
        state: &State,
        now: i64,
        did: &Effect,
    ) -> String {
        let of = |change: &RowChange| Spelled {
            table: &tables[change.table],
            there: &state.tables[change.table],
            now,
        };
        match self {
            Self::Each(changes) => of(&changes[n]).one(&changes[n].act, did),
            Self::All(changes) => of(&changes[0]).all(changes),
            _ => panic!("no rows"),
        }
    }

    /// How it is counted.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Each(_) => "rows",
            Self::All(changes) => match changes.first().map(|c| &c.act) {
                None => "nothing",
                Some(Act::Delete(_)) => "delete many",
                Some(Act::Update(..)) => "update many",
                Some(_) => "insert many",
            },
            Self::Define { what, .. } => what,
            Self::Ignore { .. } => "ignore",
            Self::NoLongerIgnore { .. } => "no longer ignore",
            Self::Commit { .. } => "commit",
            Self::Branch { .. } => "branch",
            Self::Switch { directory: true, .. } => "checkout",
            Self::Switch { .. } => "switch",
            Self::DeleteBranch { .. } => "delete branch",
            Self::Reset { how: Back::Soft, .. } => "soft reset",
            Self::Reset { how: Back::Mixed, .. } => "mixed reset",
            Self::Reset { how: Back::Hard, .. } => "hard reset",
            Self::PutBack { .. } => "put back",
            Self::Tag { .. } => "tag",
            Self::Reopen { .. } => "reopen",
        }
    }
}

fn defined(define: &Define, tables: &[Table], state: &State) -> Plan {
    let (what, sql) = match define {
        Define::CreateTable { table } => {
            // One that is missing, if there is any.
            let missing = (0..tables.len()).cycle().skip(*table).take(tables.len());
            let table = missing.into_iter().find(|t| state.tables[*t].columns.is_none()).unwrap_or(*table);
            ("create table", tables[table].create_whole(tables))
        }
        Define::DropTable { table } => {
            ("drop table", format!("drop table {}", identifier(&tables[*table].name)))
        }
        Define::AddColumn { table, column, place } => {
            let of = &tables[*table];
            let place = match place {
                Place::Last => String::new(),
                Place::First => " first".to_owned(),
                Place::After(other) => format!(" after {}", identifier(&of.columns[*other].name)),
            };
            ("add column", of.add_column_sql(*column, &place))
        }
        Define::CreateIndex { table, index, words } => {
            ("create index", tables[*table].add_index_in(index, *words))
        }
        Define::DropIndex { table, pick } => {
            let there = &state.tables[*table].indexes;
            let name = pick.checked_rem(there.len()).map_or("none", |at| there[at].as_str());
            ("drop index", format!("drop index {} on {}", identifier(name), identifier(&tables[*table].name)))
        }
        Define::CreateView { name, or_replace, text } => {
            let words = if *or_replace { "create or replace view" } else { "create view" };
            ("create view", format!("{words} {} as {text}", identifier(name)))
        }
        Define::DropView { name, if_exists } => {
            let words = if *if_exists { "drop view if exists" } else { "drop view" };
            ("drop view", format!("{words} {}", identifier(name)))
        }
    };
    Plan::Define { what, sql }
}

fn refers_to_numbers(tables: &[Table]) -> bool {
    let ends =
        |table: &Table| table.foreign_keys.iter().any(|key| table.counts() || tables[key.parent].counts());
    tables.iter().any(ends)
}

// No row is chosen twice: the second statement would have to know what the first has made of it.
fn each(changes: &[Change], tables: &[Table], state: &State) -> Vec<RowChange> {
    let mut taken: Vec<(usize, usize)> = Vec::new();
    let mut found: Vec<RowChange> = Vec::new();
    // Which refusals use up a number of their transaction depends on where in Dolt they come from.
    let is_alone = |table: &Table| table.counts() || table.has_virtual_columns();
    let is_alone = changes.iter().any(|change| is_alone(&tables[change.table]));
    let changes = if is_alone { &changes[..1] } else { changes };
    for Change { table, what, refer: to } in changes {
        let (of, there) = (&tables[*table], &state.tables[*table]);
        let mut row = |pick: &usize| {
            let at = pick.checked_rem(there.rows.len())?;
            let equal_taken =
                taken.iter().any(|(t, other)| t == table && there.rows[*other] == there.rows[at]);
            taken.push((*table, at));
            (!equal_taken).then(|| there.rows[at].clone())
        };
        let is_there =
            |given: &Given| -> Given { given.iter().filter(|(c, _)| there.has(*c, of)).cloned().collect() };
        let act = match what {
            What::Add { how, values, like, left_out } => {
                let mut row = values.clone();
                let like =
                    like.and_then(|like| Some((like, &there.rows[like.pick.checked_rem(there.rows.len())?])));
                if let Some((like, other)) = like {
                    let takes = |c: &usize| like.all || of.key.contains(c);
                    for c in (0..row.len()).filter(takes).filter(|c| other[*c] != Value::NotStored) {
                        row[c] = other[c].clone();
                    }
                }
                if let Some(to) = to.filter(|_| like.is_none_or(|(like, _)| !like.all)) {
                    refer(of, *table, state, to, &mut row, &|_| true);
                }
                let stays = |c: &&usize| like.is_none() || !of.key.contains(c);
                let left_out: Vec<usize> = left_out.iter().filter(stays).copied().collect();
                let given = given(of, there, &row, &left_out);
                // Without a primary key both Dolts write the new row into the indexes, in an order of chance, until a unique one
                // has such a row, and leave it in those before. A query by such an index panics then, and a REPLACE may meet there
                // what it has left itself, and panics as well.
                let leaves_entries = of.key.is_empty()
                    && match how {
                        Add::Insert => false,
                        Add::Upsert(_) => there.uniques > 0 && there.indexes.len() > 1,
                        Add::Replace => there.uniques > 1,
                    };
                match how {
                    _ if leaves_entries => Some(Act::Insert(given)),
                    Add::Upsert(_) | Add::Replace if of.has_virtual_columns() => Some(Act::Insert(given)),
                    Add::Insert => Some(Act::Insert(given)),
                    Add::Upsert(otherwise) => {
                        let mut otherwise = is_there(otherwise);
                        // Which Dolt would store.
                        otherwise.retain(|(c, value)| *value != Value::Null || !of.key.contains(c));
                        Some(if otherwise.is_empty() {
                            Act::Insert(given)
                        } else {
                            Act::Upsert(given, otherwise)
                        })
                    }
                    Add::Replace => Some(Act::Replace(given)),
                }
            }
            What::Delete { pick } => row(pick).map(Act::Delete),
            What::Update { pick, to: set } => row(pick).and_then(|before| {
                let mut set = is_there(set);
                if let Some(to) = to {
                    let mut after = before.clone();
                    let is_set = |c: usize| set.iter().any(|(other, _)| *other == c);
                    refer(of, *table, state, *to, &mut after, &is_set);
                    for (c, value) in &mut set {
                        if of.is_foreign(*c) {
                            *value = after[*c].clone();
                        }
                    }
                }
                // A row is changed from all its values to all its values there: that a column was named nobody knows then.
                let is_kept = |(c, value): &(usize, Value)| {
                    matches!(of.columns[*c].rule, Rule::Now { on_update: true, .. }) && before[*c] == *value
                };
                set.retain(|one| !of.key.is_empty() || !is_kept(one));
                (!set.is_empty()).then_some(Act::Update(before, set))
            }),
        };
        // Nor is a row without a key changed of which an equal one may just have been added: the statement could take either.
        let is_new = |act: &Act| {
            let (Act::Delete(before) | Act::Update(before, _)) = act else { return false };
            let added = |other: &RowChange| {
                let (Act::Insert(given) | Act::Upsert(given, _) | Act::Replace(given)) = &other.act else {
                    return false;
                };
                other.table == *table && given.iter().all(|(c, value)| before[*c] == *value)
            };
            of.key.is_empty() && found.iter().any(added)
        };
        let act = act.filter(|act| !is_new(act));
        found.extend(act.map(|act| RowChange { table: *table, act }));
    }
    found
}

// The values that a statement names: of columns that are there, and not generated.
fn given(of: &Table, there: &There, row: &[Value], left_out: &[usize]) -> Given {
    let all = 0..of.columns.len();
    let is_said = |c: &usize| there.has(*c, of) && !of.columns[*c].is_generated() && !left_out.contains(c);
    let mut said: Given = all.clone().filter(is_said).map(|c| (c, row[c].clone())).collect();
    // Some column has to be named.
    if said.is_empty() {
        said.extend(
            all.filter(|c| there.has(*c, of) && !of.columns[*c].is_generated()).map(|c| (c, row[c].clone())),
        );
    }
    said
}

// Lets the foreign keys of a row, or those of which all columns are meant, lead to a row that is there; one to the same table
// now and then to the row itself.
fn refer(
    table: &Table,
    own: usize,
    state: &State,
    pick: usize,
    row: &mut [Value],
    meant: &dyn Fn(usize) -> bool,
) {
    for key in table.foreign_keys.iter().filter(|key| key.columns.iter().all(|c| meant(*c))) {
        if key.parent == own && pick.is_multiple_of(5) {
            for (from, other) in key.columns.iter().zip(&key.parent_columns) {
                row[*from] = row[*other].clone();
            }
            continue;
        }
        let parents = state.tables.get(key.parent).map_or(&[][..], |there| &there.rows);
        let Some(at) = pick.checked_rem(parents.len()) else { continue };
        for (from, other) in key.columns.iter().zip(&key.parent_columns) {
            row[*from] = parents[at][*other].clone();
        }
    }
}

// Every so many different rows, each as often as it is there. Where one row may follow another one's change only one is chosen:
// what becomes of a second one that is gone already is nobody's promise.
fn chosen(at: usize, tables: &[Table], state: &State, every: usize, from: usize) -> Vec<Vec<Value>> {
    let (table, rows) = (&tables[at], &state.tables[at].rows);
    let limit = if table.key.len() == 1 { usize::MAX } else { MOST_CONDITIONS };
    let limit = if table.refers_to_itself(at) { 1 } else { limit };
    if !table.key.is_empty() {
        return rows.iter().skip(from).step_by(every).take(limit).cloned().collect();
    }
    let mut different: Vec<&Vec<Value>> = Vec::new();
    for row in rows.iter().take(5 * MOST_CONDITIONS) {
        if !different.contains(&row) {
            different.push(row);
        }
    }
    let picked: Vec<&Vec<Value>> = different.into_iter().skip(from).step_by(every).take(limit).collect();
    rows.iter().filter(|row| picked.contains(row)).cloned().collect()
}

// How changes of a table are said.
struct Spelled<'p> {
    table: &'p Table,
    there: &'p There,
    now: i64,
}

impl Spelled<'_> {
    fn one(&self, act: &Act, did: &Effect) -> String {
        let name = identifier(&self.table.name);
        let limit = if self.table.key.is_empty() { " limit 1" } else { "" };
        match act {
            Act::Insert(given) => self.add("insert into", &[given]),
            Act::Replace(given) => self.add("replace into", &[given]),
            Act::Upsert(given, to) => {
                let settings = [self.times_by_condition(to), self.settings(to)].concat().join(", ");
                format!("{} on duplicate key update {settings}", self.add("insert into", &[given]))
            }
            Act::Delete(row) => format!("delete from {name} where {}{limit}", self.condition(row)),
            Act::Update(row, to) => {
                let times = self.times(to).into_iter().filter(|_| did.changed);
                let times = times.map(|(column, now)| format!("{column} = {now}"));
                let settings: Vec<String> = self.settings(to).into_iter().chain(times).collect();
                format!("update {name} set {} where {}{limit}", settings.join(", "), self.condition(row))
            }
        }
    }

    fn all(&self, changes: &[RowChange]) -> String {
        let name = identifier(&self.table.name);
        if let Act::Insert(_) = changes[0].act {
            let given = changes
                .iter()
                .filter_map(|c| if let Act::Insert(given) = &c.act { Some(given) } else { None });
            return self.add("insert into", &given.collect::<Vec<_>>());
        }
        let before = || {
            changes.iter().filter_map(|c| match &c.act {
                Act::Delete(row) | Act::Update(row, _) => Some(row),
                _ => None,
            })
        };
        let condition = if let [only] = self.table.key[..]
            // Dolt 1.88.1 finds no time in a list of texts.
            && !matches!(self.table.columns[only].kind, Kind::Time)
        {
            let column = &self.table.columns[only];
            let keys: Vec<String> = before().map(|row| spelled(&column.kind, &row[only])).collect();
            format!("{} in ({})", identifier(&column.name), keys.join(","))
        } else {
            let mut conditions: Vec<String> = before().map(|row| self.condition(row)).collect();
            conditions.dedup();
            conditions.iter().map(|c| format!("({c})")).collect::<Vec<_>>().join(" or ")
        };
        match &changes[0].act {
            Act::Update(_, to) => {
                let settings = [self.times_by_condition(to), self.settings(to)].concat().join(", ");
                format!("update {name} set {settings} where {condition}")
            }
            _ => format!("delete from {name} where {condition}"),
        }
    }

    fn name(&self, column: usize) -> String {
        identifier(&self.table.columns[column].name)
    }

    fn spelled(&self, (column, value): &(usize, Value)) -> String {
        spelled(&self.table.columns[*column].kind, value)
    }

    // What Dolt takes from the clock it is told: it cannot be told the time otherwise.
    fn add(&self, words: &str, rows: &[&Given]) -> String {
        let first = rows[0];
        let is_open = |c: &usize| {
            let by_itself = matches!(self.table.columns[*c].rule, Rule::Now { default: true, .. });
            by_itself && self.there.has(*c, self.table) && !first.iter().any(|(other, _)| other == c)
        };
        let times: Vec<usize> = (0..self.table.columns.len()).filter(is_open).collect();
        let now: Vec<String> = times.iter().map(|c| self.now(*c)).collect();
        let row = |given: &&Given| {
            let values = given.iter().map(|one| self.spelled(one)).chain(now.iter().cloned());
            format!("({})", values.collect::<Vec<_>>().join(","))
        };
        let names = first.iter().map(|(c, _)| *c).chain(times.iter().copied()).map(|c| self.name(c));
        let names = names.collect::<Vec<_>>().join(",");
        let rows = rows.iter().map(row).collect::<Vec<_>>().join(",");
        format!("{words} {} ({names}) values {rows}", identifier(&self.table.name))
    }

    fn settings(&self, to: &Given) -> Vec<String> {
        to.iter().map(|one| format!("{} = {}", self.name(one.0), self.spelled(one))).collect()
    }

    // The columns that change when the row does, with the time.
    fn times(&self, to: &Given) -> Vec<(String, String)> {
        let is_open = |c: &usize| {
            let by_itself = matches!(self.table.columns[*c].rule, Rule::Now { on_update: true, .. });
            by_itself && self.there.has(*c, self.table) && !to.iter().any(|(other, _)| other == c)
        };
        (0..self.table.columns.len()).filter(is_open).map(|c| (self.name(c), self.now(c))).collect()
    }

    // They come first, so that the other columns still have their old values.
    fn times_by_condition(&self, to: &Given) -> Vec<String> {
        let same = to.iter().map(|one| format!("{} <=> {}", self.name(one.0), self.spelled(one)));
        let same = same.collect::<Vec<_>>().join(" and ");
        let one = |(column, now)| format!("{column} = if({same}, {column}, cast({now} as datetime(6)))");
        self.times(to).into_iter().map(one).collect()
    }

    fn now(&self, column: usize) -> String {
        let kind = &self.table.columns[column].kind;
        let unit = 10i64.pow(6 - u32::try_from(kind.digits()).unwrap());
        spelled(kind, &Value::Datetime(self.now.div_euclid(unit) * unit))
    }

    // By the key; without one by everything that is stored for its own sake.
    fn condition(&self, row: &[Value]) -> String {
        let all: Vec<usize> = (0..self.table.columns.len())
            .filter(|c| self.there.has(*c, self.table) && !self.table.columns[*c].is_generated())
            .collect();
        let by = if self.table.key.is_empty() { &all } else { &self.table.key };
        let one = |c: &usize| is(&self.table.columns[*c].kind, &self.name(*c), &row[*c]);
        by.iter().map(one).collect::<Vec<_>>().join(" and ")
    }
}

impl RowChange {
    /// It, short enough to be shown.
    pub(super) fn shown(&self) -> String {
        format!("{:?}", self.act).chars().take(1500).collect()
    }
}

/// What a statement says of a pattern of ignored tables.
pub(super) fn ignore_sql(pattern: &str, ignored: bool) -> String {
    format!("insert into dolt_ignore values ({}, {ignored})", literal(pattern))
}
