//! What is done to a database, one step after another. A step names rows by number ("the 17th that is there then"), so that it
//! still means something when the steps before it were left out.

use std::collections::HashSet;

use dolt_store::table::Value;

use super::random::Random;
use super::rules::Rule;
use super::schema::{Column, Index, Kind, Table};
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
        /// Columns that are not named.
        left_out: Vec<usize>,
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
    Define(Define),
    /// Tables that no commit takes, or no longer.
    Ignore {
        pattern: String,
        ignored: bool,
    },
    NoLongerIgnore {
        pick: usize,
    },
    /// Everything is committed; whether that may be nothing.
    Commit {
        allow_empty: bool,
    },
    Branch {
        name: String,
    },
    /// Goes on on a branch; which of those that are there. At times the directory goes there as well.
    Switch {
        pick: usize,
        directory: bool,
    },
    /// Removes a branch, whatever is on it.
    DeleteBranch {
        pick: usize,
    },
    /// The branch goes back, so many commits at most.
    Reset {
        back: usize,
        how: Back,
    },
    /// A table is again as it is staged, or committed.
    PutBack {
        table: usize,
    },
    Tag {
        name: String,
    },
    /// Ours is closed and opened again; at times Dolt collects its garbage in between.
    Reopen {
        collect: bool,
    },
}

/// Something is defined or dropped.
#[derive(Debug, Clone)]
pub(super) enum Define {
    CreateTable { table: usize },
    DropTable { table: usize },
    AddColumn { table: usize, column: usize, place: Place },
    CreateIndex { table: usize, index: Index, words: bool },
    DropIndex { table: usize, pick: usize },
    CreateView { name: String, or_replace: bool, text: &'static str },
    DropView { name: String, if_exists: bool },
}

/// Where a new column stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Last,
    First,
    After(usize),
}

/// What goes back with a branch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Back {
    Soft,
    Mixed,
    Hard,
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
    /// A row is added, at times one with the key, or all, of one that is there.
    Add {
        how: Add,
        values: Vec<Value>,
        like: Option<Like>,
        /// Columns that are not named.
        left_out: Vec<usize>,
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

/// What happens if there is such a row.
#[derive(Debug, Clone)]
pub(super) enum Add {
    Insert,
    /// It is changed: `ON DUPLICATE KEY UPDATE`.
    Upsert(Vec<(usize, Value)>),
    Replace,
}

/// A row that is there, and whether all of it counts or only its key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Like {
    pub(super) pick: usize,
    pub(super) all: bool,
}

const COMMITTED: [&str; 4] = ["b", "feature/x", "fix-1", "a.b_c"];
const VIEWS: [&str; 5] = ["seen", "View 2", "_v", "order9", "größe"];
const SEEN: [&str; 4] =
    ["select 1", "select 'é' as x, 2 as `b c`", "SELECT /* c */ 1 + 1 AS two", "select\n  null as n"];

impl Step {
    /// A step for these tables; `n` makes names differ.
    pub(super) fn any(tables: &[Table], n: usize, random: &mut Random) -> Self {
        let table = random.below(tables.len());
        match random.below(26) {
            0..=9 => {
                let count = if random.one_in(2) { 1 } else { 2 + random.below(6) };
                Self::Rows((0..count).map(|_| Change::any(tables, random)).collect())
            }
            10 => Self::fill(tables, table, random.one_in(6), random),
            11 | 12 => Self::Thin { table, every: 1 + random.below(5), from: random.below(3) },
            13 => {
                let of = &tables[table];
                let (column, to) = settings(of, true, 1, random).swap_remove(0);
                Self::Sweep { table, every: 1 + random.below(9), from: random.below(3), column, to }
            }
            14 | 15 => Self::Commit { allow_empty: random.one_in(3) },
            16 => Self::Branch { name: format!("{}{n}", random.pick(&COMMITTED)) },
            17 if random.one_in(3) => Self::DeleteBranch { pick: random.below(100) },
            17 => Self::Switch { pick: random.below(100), directory: random.one_in(3) },
            18 => Self::Tag { name: format!("v{n}") },
            19 => Self::Reopen { collect: random.one_in(4) },
            20 if random.one_in(2) => Self::PutBack { table },
            20 => {
                let how = *random.pick(&[Back::Soft, Back::Mixed, Back::Hard, Back::Hard]);
                Self::Reset { back: random.below(3), how }
            }
            21 if random.one_in(3) => Self::NoLongerIgnore { pick: random.below(100) },
            21 if random.one_in(2) => {
                let name = &tables[table].name;
                let start: String = name.chars().take(1).collect();
                let pattern = match random.below(4) {
                    0 => name.clone(),
                    1 => format!("{start}%"),
                    2 => format!("{start}*{}", name.chars().last().unwrap()),
                    _ => format!("zz{n}%"),
                };
                Self::Ignore { pattern, ignored: !random.one_in(4) }
            }
            _ => Self::Define(Define::any(tables, table, n, random)),
        }
    }

    /// Rows for a table in one statement; `many`: so many that its trees have levels.
    pub(super) fn fill(tables: &[Table], table: usize, many: bool, random: &mut Random) -> Self {
        // One row in so many against a rule would have all of them refused.
        let has_no_rules = |t: &Table| {
            let is_computed = |c: &Column| c.rule.formula().is_some();
            !t.late && t.foreign_keys.is_empty() && t.checks.is_empty() && !t.columns.iter().any(is_computed)
        };
        let table = if many { tables.iter().position(has_no_rules).unwrap_or(table) } else { table };
        let count = if many {
            1500 + random.below(1500)
        } else {
            1 + random.below(*random.clone().pick(&[6, 30, 120]))
        };
        // Many rows of long values would take long and show nothing more.
        let fits = many || !random.one_in(4);
        let mut rows: Vec<Vec<Value>> = (0..count)
            .map(|_| {
                let few = !many && random.one_in(2);
                row(&tables[table], Style { few, fits, short: many }, random)
            })
            .collect();
        let left_out = left_out(&tables[table], random);
        if fits {
            without_equal_keys(&tables[table], &left_out, &mut rows);
        }
        Self::Fill { table, rows, left_out }
    }
}

impl Define {
    fn any(tables: &[Table], table: usize, n: usize, random: &mut Random) -> Self {
        let of = &tables[table];
        match random.below(16) {
            0..=3 => Self::CreateTable { table },
            4 if random.one_in(2) => Self::DropTable { table },
            4..=7 => {
                let late: Vec<usize> = (0..of.columns.len()).filter(|c| of.columns[*c].late).collect();
                match late.len() {
                    0 => Self::CreateTable { table },
                    count => {
                        let place = match random.below(4) {
                            0 => Place::First,
                            1 => Place::After(random.below(of.columns.len())),
                            _ => Place::Last,
                        };
                        Self::AddColumn { table, column: late[random.below(count)], place }
                    }
                }
            }
            8..=10 => match of.index(random, 100 + n, true) {
                Some(index) => Self::CreateIndex { table, index, words: random.one_in(2) },
                None => Self::DropIndex { table, pick: random.below(100) },
            },
            11 | 12 => Self::DropIndex { table, pick: random.below(100) },
            13 | 14 => Self::CreateView {
                name: (*random.pick(&VIEWS)).to_owned(),
                or_replace: random.one_in(2),
                text: SEEN[random.below(SEEN.len())],
            },
            _ => Self::DropView { name: (*random.pick(&VIEWS)).to_owned(), if_exists: random.one_in(3) },
        }
    }
}

impl Change {
    fn any(tables: &[Table], random: &mut Random) -> Self {
        let table = random.below(tables.len());
        let of = &tables[table];
        let what = match random.below(12) {
            n @ 0..=7 => {
                let how = match n {
                    0..=4 => Add::Insert,
                    5 | 6 => Add::Upsert(settings(of, true, 3, random)),
                    _ => Add::Replace,
                };
                let is_like = if n < 5 { random.one_in(6) } else { random.one_in(2) };
                let like =
                    is_like.then(|| Like { pick: random.below(10_000), all: n < 5 && random.one_in(2) });
                What::Add { how, values: any_row(of, random), like, left_out: left_out(of, random) }
            }
            8 | 9 => What::Delete { pick: random.below(10_000) },
            _ => What::Update { pick: random.below(10_000), to: settings(of, false, 3, random) },
        };
        let refer = (!random.one_in(4)).then(|| random.below(10_000));
        Self { table, what, refer }
    }
}

// Values for some columns. `by_condition`: SQL must be able to say whether they change a row.
fn settings(of: &Table, by_condition: bool, most: usize, random: &mut Random) -> Vec<(usize, Value)> {
    let changes_itself = |c: &Column| matches!(c.rule, Rule::Now { on_update: true, .. });
    let count = of.columns.iter().filter(|c| changes_itself(c)).count();
    let can_be_set = |c: &usize| {
        let column = &of.columns[*c];
        let is_said =
            matches!(column.kind, Kind::Int(..) | Kind::Varchar(_)) || (count == 1 && changes_itself(column));
        !column.is_generated() && (!by_condition || count == 0 || is_said)
    };
    let all = 0..of.columns.len();
    let mut open: Vec<usize> = all.clone().filter(can_be_set).collect();
    if open.is_empty() {
        open = all.filter(|c| changes_itself(&of.columns[*c])).collect();
    }
    let mut to: Vec<(usize, Value)> = Vec::new();
    for _ in 0..=random.below(most) {
        let column = *random.pick(&open);
        if !to.iter().any(|(other, _)| *other == column) {
            let few = of.key.contains(&column) || of.is_foreign(column);
            let style = Style { few, fits: is_clamped(&of.columns[column]), ..Style::default() };
            to.push((column, value(&of.columns[column], style, random)));
        }
    }
    to
}

// Which columns nobody names: all that are generated, and more often those that have a value of their own.
fn left_out(of: &Table, random: &mut Random) -> Vec<usize> {
    let none = random.one_in(3);
    let is_out = |c: &usize| match of.columns[*c].rule {
        Rule::Generated { .. } => true,
        _ if none => false,
        Rule::None => of.columns[*c].nullable && random.one_in(5),
        Rule::Counting => !random.one_in(3),
        _ => random.one_in(2),
    };
    (0..of.columns.len()).filter(is_out).collect()
}

// Keys of few values meet often enough.
fn any_row(table: &Table, random: &mut Random) -> Vec<Value> {
    let few = random.one_in(2);
    row(table, Style { few, ..Style::default() }, random)
}

// `few` is meant for the key alone. A counter that is at its end soon would show nothing more.
fn row(table: &Table, style: Style, random: &mut Random) -> Vec<Value> {
    let columns = table.columns.iter().enumerate();
    let in_key = |i: usize| table.key.contains(&i) || table.is_foreign(i);
    let mut made = Vec::with_capacity(table.columns.len());
    for (i, column) in columns {
        let is_small = column.rule == Rule::Counting && !random.one_in(12);
        made.push(value(column, Style { few: is_small || (style.few && in_key(i)), ..style }, random));
    }
    made
}

// So that a statement of many rows is not always refused.
fn without_equal_keys(table: &Table, left_out: &[usize], rows: &mut Vec<Vec<Value>>) {
    let whole = |columns: &[usize]| columns.iter().map(|i| (*i, None)).collect::<Vec<_>>();
    let uniques = table.indexes.iter().filter(|index| index.unique).map(|index| index.columns.clone());
    let keys = Some(whole(&table.key)).filter(|key| !key.is_empty()).into_iter().chain(uniques);
    for key in keys.filter(|key| !key.iter().any(|(i, _)| left_out.contains(i))) {
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
