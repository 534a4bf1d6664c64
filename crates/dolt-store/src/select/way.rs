//! How the rows are come to among which those are that a condition holds for: through the primary key, an index, or all.
//!
//! Only equations between a column and a plain value count, and only where what is stored alike is equal. Rows that are come to
//! are asked the whole condition all the same.

use crate::expr::{Ast, Literal, Op};
use crate::table::{Collation, Direction, Encoding, KeyRange, Row, Table, Value};

use super::Result;

/// Coming to a row behind an index costs as much as looking at so many rows.
const DETOUR: u64 = 12;
/// So many ranges at most.
const MOST_RANGES: usize = 256;

/// A way.
#[derive(Debug, PartialEq)]
pub(super) enum Way {
    Scan,
    Key(Vec<KeyRange>),
    Index(String, Vec<KeyRange>),
}

impl Way {
    /// The shortest for this condition.
    pub(super) fn of(table: &Table, filter: Option<&Ast>) -> Result<Self> {
        let mut equations = Vec::new();
        if let Some(filter) = filter {
            collect(table, filter, &mut equations);
        }
        let schema = table.schema();
        if let Some(ranges) = ranges(&equations, &schema.key_columns) {
            return Ok(Self::Key(ranges));
        }
        let mut best: Option<(u64, Self)> = None;
        for index in schema
            .indexes
            .iter()
            .filter(|i| i.unsupported.is_none() && i.prefix_lengths.iter().all(|l| *l == 0))
        {
            let (Some(ranges), Some(reader)) =
                (ranges(&equations, &index.columns), table.index(&index.name)?)
            else {
                continue;
            };
            let mut found = 0u64;
            for range in &ranges {
                found = found.saturating_add(reader.count(range)?);
            }
            if best.as_ref().is_none_or(|(fewest, _)| found < *fewest) {
                best = Some((found, Self::Index(index.name.clone(), ranges)));
            }
        }
        Ok(match best {
            Some((found, way)) if found.saturating_mul(DETOUR) < table.entries() => way,
            _ => Self::Scan,
        })
    }

    /// Hands the rows on, with these columns, until one is enough.
    pub(super) fn walk(
        &self,
        table: &Table,
        columns: &[&str],
        mut each: impl FnMut(Row) -> Result<bool>,
    ) -> Result<()> {
        let projection = table.project(columns)?;
        match self {
            Self::Scan => {
                for row in projection.rows()? {
                    if !each(row?)? {
                        return Ok(());
                    }
                }
            }
            Self::Key(ranges) => {
                for range in ranges {
                    for row in projection.rows_in(range, Direction::Forward)? {
                        if !each(row?)? {
                            return Ok(());
                        }
                    }
                }
            }
            Self::Index(name, ranges) => {
                let Some(index) = projection.index(name)? else {
                    return super::unsupported(format!("the index {name}"));
                };
                for range in ranges {
                    for row in index.rows(range, Direction::Forward)? {
                        if !each(row?)? {
                            return Ok(());
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// A column by its position in the schema, and what it may be equal to.
type Equation = (usize, Vec<Value>);

fn collect(table: &Table, ast: &Ast, found: &mut Vec<Equation>) {
    let mut add = |name: &str, literals: Vec<&Ast>| {
        let Some(at) = table.schema().position(name) else { return };
        let values: Option<Vec<Value>> = literals.into_iter().map(|ast| value(table, at, ast)).collect();
        found.extend(values.map(|values| (at, values)));
    };
    match ast {
        Ast::Binary(Op::And, left, right) => {
            collect(table, left, found);
            collect(table, right, found);
        }
        Ast::Binary(Op::Equal, left, right) => match (&**left, &**right) {
            (Ast::Column(name), literal) | (literal, Ast::Column(name)) => add(name, vec![literal]),
            _ => {}
        },
        Ast::In(left, list) => {
            if let Ast::Column(name) = &**left {
                add(name, list.iter().collect());
            }
        }
        _ => {}
    }
}

// The value that a column has to store to be equal to a literal.
fn value(table: &Table, at: usize, ast: &Ast) -> Option<Value> {
    let column = table.schema().columns.get(at)?;
    let Ast::Literal(literal) = ast else { return None };
    match (column.encoding, literal) {
        (Encoding::String, Literal::Text(text)) if Collation::of(column).is_bytewise() => {
            Some(Value::Text(text.clone()))
        }
        (Encoding::Int8 | Encoding::Int16 | Encoding::Int32 | Encoding::Int64, Literal::Integer(digits)) => {
            let number: i64 = digits.parse().ok()?;
            let fits = match column.encoding {
                Encoding::Int8 => i8::try_from(number).is_ok(),
                Encoding::Int16 => i16::try_from(number).is_ok(),
                Encoding::Int32 => i32::try_from(number).is_ok(),
                _ => true,
            };
            fits.then_some(Value::Int(number))
        }
        _ => None,
    }
}

// The ranges of keys in this order of columns: all combinations of values of the first columns that have some.
fn ranges(equations: &[Equation], columns: &[u16]) -> Option<Vec<KeyRange>> {
    let mut keys: Vec<Vec<Value>> = vec![Vec::new()];
    for column in columns {
        let Some((_, values)) = equations.iter().find(|(at, _)| *at == usize::from(*column)) else { break };
        if keys.len().saturating_mul(values.len()) > MOST_RANGES {
            break;
        }
        let mut distinct: Vec<&Value> = Vec::new();
        for value in values {
            if !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        let longer = |key: &Vec<Value>| {
            let one = |value: &&Value| key.iter().chain(Some(*value)).cloned().collect::<Vec<_>>();
            distinct.iter().map(one).collect::<Vec<_>>()
        };
        keys = keys.iter().flat_map(longer).collect();
    }
    match keys.first() {
        Some(first) if !first.is_empty() => Some(keys.iter().map(|key| KeyRange::prefix(key)).collect()),
        _ => None,
    }
}
