//! What is done to a database, one step after another. A step names rows by number ("the 17th that is there then"), so that it
//! still means something when the steps before it were left out.

use std::collections::HashSet;

use dolt_store::table::Value;

use super::random::Random;
use super::schema::{Column, Kind, Table};
use super::values::{Style, value};

/// One step of a case.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Changes in one transaction. One that is refused leaves the others.
    Rows(Vec<Change>),
    /// Many rows in one statement, all or none.
    Fill {
        table: usize,
        rows: Vec<Vec<Value>>,
    },
    /// Every so many rows go, in one statement.
    Thin {
        table: usize,
        every: usize,
        from: usize,
    },
    /// Every so many rows get this value in a column, in one statement.
    Sweep {
        table: usize,
        every: usize,
        from: usize,
        column: usize,
        to: Value,
    },
    /// Everything is committed; whether that may be nothing.
    Commit {
        allow_empty: bool,
    },
    Branch {
        name: String,
    },
    /// Goes on on a branch; which of those that are there.
    Switch {
        pick: usize,
    },
    /// Removes a branch, whatever is on it.
    DeleteBranch {
        pick: usize,
    },
    Tag {
        name: String,
    },
    /// Ours is closed and opened again; at times Dolt collects its garbage in between.
    Reopen {
        collect: bool,
    },
}

/// A change of one row.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) table: usize,
    pub(super) what: What,
    /// Foreign keys are given the key of this row of their parent.
    pub(super) refer: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Insert(Vec<Value>),
    /// A row with the key, or all, of one that is there.
    InsertLike {
        pick: usize,
        values: Vec<Value>,
        all: bool,
    },
    Delete {
        pick: usize,
    },
    /// The columns that get a value.
    Update {
        pick: usize,
        to: Vec<(usize, Value)>,
    },
}

const COMMITTED: [&str; 4] = ["b", "feature/x", "fix-1", "a.b_c"];

impl Step {
    /// A step for these tables; `n` makes names differ.
    pub(super) fn any(tables: &[Table], n: usize, random: &mut Random) -> Self {
        let table = random.below(tables.len());
        match random.below(20) {
            0..=9 => {
                let count = if random.one_in(2) { 1 } else { 2 + random.below(6) };
                Self::Rows((0..count).map(|_| Change::any(tables, random)).collect())
            }
            10 => {
                let many = random.one_in(6);
                let count = if many { 1500 + random.below(1500) } else { 1 + random.below(120) };
                // Many rows of long values would take long and show nothing more.
                let fits = many || random.one_in(2);
                let mut rows: Vec<Vec<Value>> = (0..count)
                    .map(|_| {
                        let few = !many && random.one_in(2);
                        row(&tables[table], Style { few, fits, short: many }, random)
                    })
                    .collect();
                if fits {
                    without_equal_keys(&tables[table], &mut rows);
                }
                Self::Fill { table, rows }
            }
            11 | 12 => Self::Thin { table, every: 1 + random.below(5), from: random.below(3) },
            13 => {
                let column = random.below(tables[table].columns.len());
                let of = &tables[table].columns[column];
                let to = value(of, Style { fits: is_clamped(of), ..Style::default() }, random);
                Self::Sweep { table, every: 1 + random.below(9), from: random.below(3), column, to }
            }
            14 | 15 => Self::Commit { allow_empty: random.one_in(3) },
            16 => Self::Branch { name: format!("{}{n}", random.pick(&COMMITTED)) },
            17 if random.one_in(3) => Self::DeleteBranch { pick: random.below(100) },
            17 => Self::Switch { pick: random.below(100) },
            18 => Self::Tag { name: format!("v{n}") },
            _ => Self::Reopen { collect: random.one_in(4) },
        }
    }
}

impl Change {
    fn any(tables: &[Table], random: &mut Random) -> Self {
        let table = random.below(tables.len());
        let of = &tables[table];
        let what = match random.below(10) {
            0..=4 => What::Insert(any_row(of, random)),
            5 => What::InsertLike {
                pick: random.below(10_000),
                values: any_row(of, random),
                all: random.one_in(2),
            },
            6 | 7 => What::Delete { pick: random.below(10_000) },
            _ => {
                let mut to: Vec<(usize, Value)> = Vec::new();
                for _ in 0..=random.below(3) {
                    let column = random.below(of.columns.len());
                    if !to.iter().any(|(other, _)| *other == column) {
                        let few = of.key.contains(&column) || of.is_foreign(column);
                        let style = Style { few, fits: is_clamped(&of.columns[column]), ..Style::default() };
                        to.push((column, value(&of.columns[column], style, random)));
                    }
                }
                What::Update { pick: random.below(10_000), to }
            }
        };
        let refer = (!random.one_in(4)).then(|| random.below(10_000));
        Self { table, what, refer }
    }
}

// Keys of few values meet often enough.
fn any_row(table: &Table, random: &mut Random) -> Vec<Value> {
    let few = random.one_in(2);
    row(table, Style { few, ..Style::default() }, random)
}

// `few` is meant for the key alone.
fn row(table: &Table, style: Style, random: &mut Random) -> Vec<Value> {
    let columns = table.columns.iter().enumerate();
    let in_key = |i: usize| table.key.contains(&i) || table.is_foreign(i);
    let style_of = |i: usize| Style { few: style.few && in_key(i), ..style };
    columns.map(|(i, column)| value(column, style_of(i), random)).collect()
}

// So that a statement of many rows is not always refused.
fn without_equal_keys(table: &Table, rows: &mut Vec<Vec<Value>>) {
    let whole = |columns: &[usize]| columns.iter().map(|i| (*i, None)).collect::<Vec<_>>();
    let uniques = table.indexes.iter().filter(|index| index.unique).map(|index| index.columns.clone());
    let keys = Some(whole(&table.key)).filter(|key| !key.is_empty()).into_iter().chain(uniques);
    for key in keys {
        let mut seen = HashSet::new();
        rows.retain(|row| {
            key.iter().any(|(i, _)| row[*i] == Value::Null) || seen.insert(spelled_key(row, &key))
        });
    }
}

fn spelled_key(row: &[Value], key: &[(usize, Option<usize>)]) -> String {
    let part = |(i, prefix): &(usize, Option<usize>)| match (&row[*i], prefix) {
        (Value::Text(text), Some(n)) => format!("{:?}", text.as_bytes().iter().take(*n).collect::<Vec<_>>()),
        (Value::Bytes(bytes), Some(n)) => format!("{:?}", bytes.iter().take(*n).collect::<Vec<_>>()),
        (other, _) => format!("{other:?}"),
    };
    key.iter().map(part).collect::<Vec<_>>().join(" ")
}

// Dolt's UPDATE takes the nearest number that fits, without a word, where its INSERT refuses. We always refuse.
fn is_clamped(column: &Column) -> bool {
    matches!(column.kind, Kind::Int(..))
}
