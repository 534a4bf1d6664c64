//! What a schema says about the values of a row: defaults, `ON UPDATE`, generated columns, counters, checks.
//!
//! Dolt computes an `INSERT`'s expressions from the values as they are written, we from those that are stored. So expressions are
//! about whole numbers and short texts only, which are written as they are stored. Random values (`uuid()`) are left out: Dolt
//! cannot be told which.

use dolt_store::table::Value;
use gt::sql::identifier;

use super::random::Random;
use super::schema::{Column, Kind, Table};
use super::values::{Style, spelled, value};

/// What a column does by itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rule {
    None,
    Default(Value),
    DefaultOf(Formula),
    /// `CURRENT_TIMESTAMP`: where nobody says anything, and where the row changes.
    Now {
        default: bool,
        on_update: bool,
    },
    Generated {
        of: Formula,
        stored: bool,
    },
    Counting,
}

/// An expression over columns of its table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Formula {
    // `{i}` and `{t}` are columns, one after the other.
    text: &'static str,
    pub(super) of: Vec<usize>,
}

/// A check of a table.
#[derive(Debug, Clone)]
pub(super) struct Check {
    pub(super) name: Option<String>,
    pub(super) formula: Formula,
    pub(super) enforced: bool,
}

const NUMBERS: [&str; 12] = [
    "({i} + 1)",
    "({i} * 2)",
    "({i} - {i})",
    "(abs({i}))",
    "(char_length({t}))",
    "(length({t}))",
    "(coalesce({i}, 7))",
    "(if({i} > 3, 1, 0))",
    "(case when {i} is null then -1 else {i} end)",
    "(({i} + 3) div 2)",
    "(({t} like 'a%'))",
    "(1 + 2)",
];
const TEXTS: [&str; 9] = [
    "(concat({t}, '-x'))",
    "(concat({t}, '-', {i}))",
    "(ifnull({t}, 'none'))",
    "(if({i} < 5, 'low', 'high'))",
    "(left({t}, 2))",
    "(replace({t}, 'a', 'bb'))",
    "(trim({t}))",
    "(case {i} when 1 then 'one' when 2 then {t} end)",
    "(concat('a', 'b'))",
];
const CHECKS: [&str; 10] = [
    "({i} >= 0)",
    "(length({t}) <> 2)",
    "({i} <> 3)",
    "({i} < 1000000)",
    "({i} between -100 and 2000000000 or {t} is null)",
    "({t} <> 'ab')",
    "(char_length({t}) < 90)",
    "({i} is not null or {t} is not null)",
    "({i} + {i} <> 7)",
    "({t} not like 'a%' or {i} > 2)",
];

// Where Dolt makes a table anew it reads expressions in which the names of table and columns stand without quotes, and fails
// over all others.
fn is_word(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric())
}

impl Formula {
    fn any(pool: &[&'static str], table: &Table, random: &mut Random) -> Option<Self> {
        let text = *random.pick(pool);
        let of_kind = |is: &dyn Fn(&Column) -> bool| -> Vec<usize> {
            (0..table.columns.len()).filter(|i| is(&table.columns[*i])).collect()
        };
        let numbers = of_kind(&|c| c.is_plain() && is_word(&c.name) && matches!(c.kind, Kind::Int(..)));
        let texts = of_kind(&|c| c.is_plain() && is_word(&c.name) && matches!(c.kind, Kind::Varchar(_)));
        let mut of = Vec::new();
        for part in text.split('{').skip(1) {
            let from = if part.starts_with('i') { &numbers } else { &texts };
            if from.is_empty() {
                return None;
            }
            of.push(*random.pick(from));
        }
        Some(Self { text, of })
    }

    pub(super) fn sql(&self, table: &Table) -> String {
        let mut text = String::new();
        let mut of = self.of.iter();
        for (n, part) in self.text.split('{').enumerate() {
            if n == 0 {
                text.push_str(part);
                continue;
            }
            text.push_str(&identifier(&table.columns[*of.next().expect("one for each")].name));
            text.push_str(&part[2..]);
        }
        text
    }
}

impl Rule {
    /// The expression, if there is one.
    pub(super) fn formula(&self) -> Option<&Formula> {
        match self {
            Self::DefaultOf(of) | Self::Generated { of, .. } => Some(of),
            _ => None,
        }
    }

    /// The same.
    pub(super) fn formula_mut(&mut self) -> Option<&mut Formula> {
        match self {
            Self::DefaultOf(of) | Self::Generated { of, .. } => Some(of),
            _ => None,
        }
    }

    /// How SQL says it behind the type of a column.
    pub(super) fn sql(&self, column: &Column, table: &Table) -> String {
        match self {
            Self::None => String::new(),
            Self::Default(value) => {
                let value = spelled(&column.kind, value);
                match column.kind {
                    Kind::Text(..) | Kind::Blob(..) | Kind::Json if value != "NULL" => {
                        format!(" default ({value})")
                    }
                    _ => format!(" default {value}"),
                }
            }
            Self::DefaultOf(of) => format!(" default {}", of.sql(table)),
            Self::Now { default, on_update } => {
                let now = format!("current_timestamp({})", column.kind.digits());
                let default = if *default { format!(" default {now}") } else { String::new() };
                let on_update = if *on_update { format!(" on update {now}") } else { String::new() };
                default + &on_update
            }
            Self::Generated { of, stored } => {
                format!(
                    " generated always as {} {}",
                    of.sql(table),
                    if *stored { "stored" } else { "virtual" }
                )
            }
            Self::Counting => " auto_increment".to_owned(),
        }
    }

    /// What somebody wants to see counted.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Default(_) => "a default",
            Self::DefaultOf(_) => "a computed default",
            Self::Now { .. } => "the time",
            Self::Generated { stored: true, .. } => "a stored generated column",
            Self::Generated { stored: false, .. } => "a virtual column",
            Self::Counting => "a number",
        }
    }
}

/// Gives the columns that are there a rule here and there.
pub(super) fn rule_columns(table: &mut Table, random: &mut Random) {
    for i in 0..table.columns.len() {
        let is_key = table.key.contains(&i);
        let column = &mut table.columns[i];
        let is_moment = matches!(column.kind, Kind::Datetime(_) | Kind::Timestamp(_));
        if is_moment && !is_key && random.one_in(2) {
            let default = random.one_in(2);
            column.rule = Rule::Now { default, on_update: !default || random.one_in(2) };
        } else if !matches!(column.kind, Kind::Point) && random.one_in(if is_key { 10 } else { 3 }) {
            let style = Style { few: true, fits: true, short: true };
            let value = value(column, style, random);
            // A document that says null is not what such a default is.
            if value != Value::Null || (column.nullable && column.kind != Kind::Json) {
                column.rule = Rule::Default(value);
            }
        }
    }
    // A counter is best in a key of whole numbers.
    if let [first, ..] = table.key[..]
        && random.one_in(3)
    {
        let column = &mut table.columns[first];
        if !matches!(column.kind, Kind::Int(..)) {
            column.kind = Kind::int(random);
        }
        column.rule = Rule::Counting;
    }
}

/// Adds columns that are computed, and checks.
pub(super) fn compute_columns(table: &mut Table, random: &mut Random) {
    // Dolt panics where an action changes a row with a virtual column, and where it reads such rows without a key by an index.
    let may_be_virtual = table.foreign_keys.is_empty() && !table.key.is_empty();
    for _ in 0..random.below(4) {
        let is_text = random.one_in(2);
        let pool: &[&'static str] = if is_text { &TEXTS } else { &NUMBERS };
        let Some(of) = Formula::any(pool, table, random) else { continue };
        let kind = match is_text {
            true => Kind::Varchar(*random.pick(&[200, 200, 20])),
            false if random.one_in(4) => Kind::Int("smallint", 16, false),
            false => Kind::Int("bigint", 64, false),
        };
        // Of a foreign key's column there cannot be a stored one.
        let is_foreign = of.of.iter().any(|c| table.is_foreign(*c)) && !random.one_in(8);
        let rule = match random.below(4) {
            0 => Rule::DefaultOf(of),
            _ if is_foreign => Rule::DefaultOf(of),
            n => Rule::Generated { of, stored: n == 1 || !may_be_virtual },
        };
        let name = format!("of{}", table.columns.len());
        let column = Column { rule, ..Column::plain(name, kind) };
        table.columns.push(column);
    }
    if table.columns.iter().any(|c| c.rule.formula().is_some()) && !is_word(&table.name) {
        table.name = format!("T{}", table.name.chars().last().unwrap());
    }
    if random.one_in(3) {
        let digits = *random.pick(&[0, 3, 6]);
        let default = random.one_in(2);
        let rule = Rule::Now { default, on_update: !default || random.one_in(2) };
        let name = format!("at{}", table.columns.len());
        table.columns.push(Column { rule, ..Column::plain(name, Kind::Datetime(digits)) });
    }
    // Dolt does not look at the checks of a table that has virtual columns; we do.
    let checks = if table.has_virtual_columns() { 0 } else { random.below(3) };
    for n in 0..checks {
        let Some(formula) = Formula::any(&CHECKS, table, random) else { continue };
        let name = random.one_in(2).then(|| format!("check {n}"));
        table.checks.push(Check { name, formula, enforced: !random.one_in(6) });
    }
}

impl Check {
    pub(super) fn sql(&self, table: &Table) -> String {
        let name = self.name.as_ref().map_or(String::new(), |n| format!("constraint {} ", identifier(n)));
        let not = if self.enforced { "" } else { " not enforced" };
        format!("{name}check {}{not}", self.formula.sql(table))
    }
}
