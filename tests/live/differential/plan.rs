//! A step with the rows that it is about, as both sides are told of it.

use dolt_store::table::Value;
use gt::sql::identifier;

use super::schema::{Kind, Table};
use super::steps::{Change, Step, What};
use super::values::{is, spelled};

/// What is to be done, and to which rows.
#[derive(Debug)]
pub(super) enum Plan {
    /// One transaction; a change that is refused leaves the others.
    Each(Vec<RowChange>),
    /// One statement; one change that is refused takes all with it.
    All(Vec<RowChange>),
    Commit {
        allow_empty: bool,
    },
    Branch {
        name: String,
    },
    Switch {
        to: String,
    },
    DeleteBranch {
        name: String,
    },
    Tag {
        name: String,
    },
    Reopen {
        collect: bool,
    },
}

/// A change of one row, in values of every column.
#[derive(Debug, Clone)]
pub(super) struct RowChange {
    pub(super) table: usize,
    pub(super) before: Option<Vec<Value>>,
    pub(super) after: Option<Vec<Value>>,
    /// The columns that an update sets.
    pub(super) set: Vec<usize>,
}

/// Conditions of a statement that no key makes short.
const MOST_CONDITIONS: usize = 60;

impl Plan {
    /// What a step means in a state: the rows of each table, the branches, and the one that is checked out.
    pub(super) fn of(
        step: &Step,
        tables: &[Table],
        there: &[Vec<Vec<Value>>],
        branches: &[String],
        on: &str,
    ) -> Self {
        match step {
            Step::Rows(changes) => Self::Each(each(changes, tables, there)),
            Step::Fill { table, rows } => {
                let insert = |(n, row): (usize, &Vec<Value>)| {
                    let mut row = row.clone();
                    refer(&tables[*table], there, n, &mut row);
                    RowChange::insert(*table, row)
                };
                Self::All(rows.iter().enumerate().map(insert).collect())
            }
            Step::Thin { table, every, from } => {
                let chosen = chosen(&tables[*table], &there[*table], *every, *from);
                Self::All(chosen.into_iter().map(|row| RowChange::delete(*table, row)).collect())
            }
            Step::Sweep { table, every, from, column, to } => {
                let chosen = chosen(&tables[*table], &there[*table], *every, *from);
                let change = |row| RowChange::update(*table, row, &[(*column, to.clone())]);
                Self::All(chosen.into_iter().map(change).collect())
            }
            Step::Commit { allow_empty } => Self::Commit { allow_empty: *allow_empty },
            Step::Branch { name } => Self::Branch { name: name.clone() },
            Step::Switch { pick } => Self::Switch { to: branches[pick % branches.len()].clone() },
            Step::DeleteBranch { pick } => {
                let can_go: Vec<&String> = branches.iter().filter(|b| *b != "main" && *b != on).collect();
                match can_go.len() {
                    0 => Self::Reopen { collect: false },
                    count => Self::DeleteBranch { name: can_go[pick % count].clone() },
                }
            }
            Step::Tag { name } => Self::Tag { name: name.clone() },
            Step::Reopen { collect } => Self::Reopen { collect: *collect },
        }
    }

    /// The statements of the changes, and how many rows each must touch if it is not refused.
    pub(super) fn statements(&self, tables: &[Table]) -> Vec<(String, Option<usize>)> {
        match self {
            Self::Each(changes) => {
                changes.iter().map(|change| change.statement(&tables[change.table])).collect()
            }
            Self::All(changes) => all(changes, tables).into_iter().collect(),
            _ => Vec::new(),
        }
    }
}

// No row is chosen twice: the second statement would have to know what the first has made of it.
fn each(changes: &[Change], tables: &[Table], rows: &[Vec<Vec<Value>>]) -> Vec<RowChange> {
    let mut taken: Vec<(usize, usize)> = Vec::new();
    let mut found: Vec<RowChange> = Vec::new();
    for Change { table, what, refer: to } in changes {
        let there = &rows[*table];
        let mut row = |pick: &usize| {
            let at = pick.checked_rem(there.len())?;
            let equal_taken = taken.iter().any(|(t, other)| t == table && there[*other] == there[at]);
            taken.push((*table, at));
            (!equal_taken).then(|| there[at].clone())
        };
        let change = match what {
            What::Insert(values) => Some(RowChange::insert(*table, values.clone())),
            What::InsertLike { pick, values, all } => pick.checked_rem(there.len()).map(|at| {
                let like = &there[at];
                let take = |i: usize| *all || tables[*table].key.contains(&i);
                let values =
                    (0..values.len()).map(|i| if take(i) { like[i].clone() } else { values[i].clone() });
                RowChange::insert(*table, values.collect())
            }),
            What::Delete { pick } => row(pick).map(|row| RowChange::delete(*table, row)),
            What::Update { pick, to } => row(pick).map(|row| RowChange::update(*table, row, to)),
        };
        let change = change.map(|mut change| {
            let is_given =
                |columns: &[usize]| change.set.is_empty() || columns.iter().all(|c| change.set.contains(c));
            let of = Table {
                foreign_keys: tables[*table]
                    .foreign_keys
                    .iter()
                    .filter(|k| is_given(&k.columns))
                    .cloned()
                    .collect(),
                ..tables[*table].clone()
            };
            if let (Some(to), Some(after)) = (to, &mut change.after) {
                refer(&of, rows, *to, after);
            }
            change
        });
        // Nor is a row deleted of which an equal one was just added: of these the statement could take either.
        let is_new = |change: &RowChange| {
            let added = |other: &RowChange| {
                other.table == change.table && other.after.is_some() && other.after == change.before
            };
            found.iter().any(added)
        };
        let change = change.filter(|change| !is_new(change));
        found.extend(change);
    }
    found
}

// Lets the foreign keys of a row lead to a row that is there.
fn refer(table: &Table, rows: &[Vec<Vec<Value>>], pick: usize, row: &mut [Value]) {
    for key in &table.foreign_keys {
        let parents = rows.get(key.parent).map_or(&[][..], Vec::as_slice);
        let Some(at) = pick.checked_rem(parents.len()) else { continue };
        for (own, other) in key.columns.iter().zip(&key.parent_columns) {
            row[*own] = parents[at][*other].clone();
        }
    }
}

// Every so many different rows, each as often as it is there.
fn chosen(table: &Table, rows: &[Vec<Value>], every: usize, from: usize) -> Vec<Vec<Value>> {
    let limit = if table.key.len() == 1 { usize::MAX } else { MOST_CONDITIONS };
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

impl RowChange {
    fn insert(table: usize, row: Vec<Value>) -> Self {
        Self { table, before: None, after: Some(row), set: Vec::new() }
    }

    fn delete(table: usize, row: Vec<Value>) -> Self {
        Self { table, before: Some(row), after: None, set: Vec::new() }
    }

    fn update(table: usize, row: Vec<Value>, to: &[(usize, Value)]) -> Self {
        let mut after = row.clone();
        for (column, value) in to {
            after[*column] = value.clone();
        }
        Self {
            table,
            before: Some(row),
            after: Some(after),
            set: to.iter().map(|(column, _)| *column).collect(),
        }
    }

    fn statement(&self, table: &Table) -> (String, Option<usize>) {
        let name = identifier(&table.name);
        let limit = if table.key.is_empty() { " limit 1" } else { "" };
        match (&self.before, &self.after) {
            (None, Some(row)) => (format!("insert into {name} values {}", tuple(table, row)), Some(1)),
            (Some(row), None) => {
                (format!("delete from {name} where {}{limit}", condition(table, row)), Some(1))
            }
            (Some(row), Some(_)) => {
                // One that changes nothing touches none.
                (
                    format!(
                        "update {name} set {} where {}{limit}",
                        self.settings(table),
                        condition(table, row)
                    ),
                    None,
                )
            }
            (None, None) => panic!("no change"),
        }
    }

    fn settings(&self, table: &Table) -> String {
        let after = self.after.as_ref().expect("an update");
        let one = |i: &usize| {
            let column = &table.columns[*i];
            format!("{} = {}", identifier(&column.name), spelled(&column.kind, &after[*i]))
        };
        self.set.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

fn all(changes: &[RowChange], tables: &[Table]) -> Option<(String, Option<usize>)> {
    let first = changes.first()?;
    let table = &tables[first.table];
    let name = identifier(&table.name);
    if first.before.is_none() {
        let rows: Vec<String> =
            changes.iter().filter_map(|c| Some(tuple(table, c.after.as_ref()?))).collect();
        return Some((format!("insert into {name} values {}", rows.join(",")), Some(changes.len())));
    }
    let before = || changes.iter().filter_map(|c| c.before.as_ref());
    let condition = if let [only] = table.key[..]
        // Dolt 1.88.1 finds no time in a list of texts.
        && !matches!(table.columns[only].kind, Kind::Time)
    {
        let column = &table.columns[only];
        let keys: Vec<String> = before().map(|row| spelled(&column.kind, &row[only])).collect();
        format!("{} in ({})", identifier(&column.name), keys.join(","))
    } else {
        let mut conditions: Vec<String> = before().map(|row| condition(table, row)).collect();
        conditions.dedup();
        conditions.iter().map(|c| format!("({c})")).collect::<Vec<_>>().join(" or ")
    };
    Some(match first.after {
        None => (format!("delete from {name} where {condition}"), Some(changes.len())),
        Some(_) => (format!("update {name} set {} where {condition}", first.settings(table)), None),
    })
}

fn tuple(table: &Table, row: &[Value]) -> String {
    let values = table.columns.iter().zip(row).map(|(column, value)| spelled(&column.kind, value));
    format!("({})", values.collect::<Vec<_>>().join(","))
}

// By the key; without one by everything.
fn condition(table: &Table, row: &[Value]) -> String {
    let all: Vec<usize> = (0..table.columns.len()).collect();
    let by = if table.key.is_empty() { &all } else { &table.key };
    let one = |i: &usize| {
        let column = &table.columns[*i];
        is(&column.kind, &identifier(&column.name), &row[*i])
    };
    by.iter().map(one).collect::<Vec<_>>().join(" and ")
}

impl RowChange {
    /// It, short enough to be shown.
    pub(super) fn shown(&self) -> String {
        let text = format!("{:?} → {:?}", self.before, self.after);
        text.chars().take(1500).collect()
    }
}
