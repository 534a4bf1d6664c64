//! What `INSERT`, `UPDATE` and `DELETE` of one table would do, as rows that come, change and go. Nothing is written here: whoever
//! has a transaction does it.

use sqlparser::tokenizer::Token;

use super::clauses::{Names, clause, source};
use super::lexeme::{Lexeme, Lexemes, split};
use super::query::{node, scope, truth};
use super::way::Way;
use super::{Result, fails, open, unsupported};
use crate::expr::{EvalContext, Node, Row, Rules, Scope, Type, shows_its_sign, stored};
use crate::table::{Column, Table, Tables, Value};

/// Values by the names of their columns.
type Named = Vec<(String, Value)>;

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub enum RowChange {
    /// It comes. Columns that are not named get their defaults.
    Insert(Named),
    /// It gets these values.
    Update {
        /// Its primary key.
        key: Named,
        /// What is new.
        values: Named,
    },
    /// It goes.
    Delete {
        /// Its primary key.
        key: Named,
    },
}

/// What a statement does to the rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct RowChanges {
    /// The table.
    pub table: String,
    /// In order. Rows that stay as they are do not count.
    pub rows: Vec<RowChange>,
}

/// What a statement that changes rows would do to this state.
///
/// # Errors
/// As [`super::query()`]. A table without a primary key is refused.
pub fn changes(tables: &Tables, sql: &str, context: &EvalContext) -> Result<RowChanges> {
    let mut words = Lexemes::of(sql)?;
    match words.word().as_deref() {
        Some("UPDATE") => update(tables, &mut words, context),
        Some("DELETE") => delete(tables, &mut words, context),
        Some("INSERT") => insert(tables, &mut words, context),
        Some(other) => unsupported(format!("the statement {other}")),
        None => unsupported("a statement that begins with no word"),
    }
}

fn keyed(table: &Table) -> Result<()> {
    if table.schema().is_keyless() {
        return unsupported(format!("changing {}, which has no primary key,", table.name()));
    }
    Ok(())
}

// The rest behind `WHERE`; what may follow in `MySQL` is refused.
fn filter(words: &mut Lexemes<'_>) -> Result<Vec<Lexeme>> {
    let filter = if words.takes(&["WHERE"]) { clause(words)? } else { Vec::new() };
    words.expect_end()?;
    Ok(filter)
}

/// The rows that a condition holds for, with all visible values.
fn matching(
    table: &Table,
    names: &Names<'_>,
    filter: &[Lexeme],
    context: &EvalContext,
    mut each: impl FnMut(Vec<Value>) -> Result<()>,
) -> Result<()> {
    let ast = if filter.is_empty() { None } else { Some(names.expression(filter)?) };
    let columns: Vec<usize> = (0..names.columns()).collect();
    let scope = scope(table.schema(), &columns);
    let bound = ast.as_ref().map(|ast| truth(ast, &scope)).transpose()?;
    let visible: Vec<&str> = table.schema().visible().map(|(_, column)| column.name.as_str()).collect();
    Way::of(table, ast.as_ref())?.walk(table, &visible, |row| {
        let asked = Row { values: &row.values, context: Some(context) };
        let holds = bound.as_ref().map_or(Ok(Some(true)), |filter| asked.truth(filter))?;
        if holds == Some(true) {
            each(row.values)?;
        }
        Ok(true)
    })
}

fn key(table: &Table, values: &[Value]) -> Named {
    let schema = table.schema();
    let one = |position: &u16| {
        let mut visible = schema.visible().enumerate();
        let (at, (_, column)) = visible.find(|(_, (at, _))| *at == usize::from(*position))?;
        Some((column.name.clone(), values.get(at).cloned().unwrap_or(Value::Null)))
    };
    schema.key_columns.iter().filter_map(one).collect()
}

fn delete(tables: &Tables, words: &mut Lexemes<'_>, context: &EvalContext) -> Result<RowChanges> {
    words.expect(&["DELETE", "FROM"])?;
    let source = source(words)?;
    let table = open(tables, &source.table)?;
    keyed(&table)?;
    let names = Names::of(Some((&table, source.called)));
    let filter = filter(words)?;
    let mut rows = Vec::new();
    matching(&table, &names, &filter, context, |values| {
        rows.push(RowChange::Delete { key: key(&table, &values) });
        Ok(())
    })?;
    Ok(RowChanges { table: table.name().to_owned(), rows })
}

/// A column that is set, and to what.
struct Set {
    at: usize,
    of: Type,
    name: String,
    node: Node,
}

fn update(tables: &Tables, words: &mut Lexemes<'_>, context: &EvalContext) -> Result<RowChanges> {
    words.expect(&["UPDATE"])?;
    let source = source(words)?;
    let table = open(tables, &source.table)?;
    keyed(&table)?;
    let names = Names::of(Some((&table, source.called)));
    words.expect(&["SET"])?;
    let all: Vec<usize> = (0..names.columns()).collect();
    let scope = scope(table.schema(), &all);
    let mut sets = Vec::new();
    for (_, part) in split(&clause(words)?) {
        let Some(equals) = part.iter().position(|lexeme| lexeme.is(&Token::Eq)) else {
            return unsupported("SET without an equals sign");
        };
        let (target, value) = part.split_at(equals);
        sets.push(set(&table, &names, &scope, target, value.get(1..).unwrap_or_default())?);
    }
    let filter = filter(words)?;
    let rules = Rules::of(table.schema());
    let mut rows = Vec::new();
    matching(&table, &names, &filter, context, |before| {
        let mut after = before.clone();
        for set in &sets {
            // What was set before counts for what is set behind it.
            let value = set.value(&after, context)?;
            if let Some(slot) = after.get_mut(set.at) {
                *slot = value;
            }
        }
        let mut values = Vec::new();
        for set in &sets {
            if before.get(set.at) != after.get(set.at) {
                values.retain(|(name, _)| *name != set.name);
                values.push((set.name.clone(), after.get(set.at).cloned().unwrap_or(Value::Null)));
            }
        }
        if !values.is_empty() {
            for (at, (_, column)) in table.schema().visible().enumerate() {
                if let Some(on_update) = &column.on_update
                    && !sets.iter().any(|set| set.at == at)
                {
                    let value = rules.value(on_update, column, &after, Some(context))?;
                    values.push((column.name.clone(), value));
                }
            }
            rows.push(RowChange::Update { key: key(&table, &before), values });
        }
        Ok(())
    })?;
    Ok(RowChanges { table: table.name().to_owned(), rows })
}

fn set(table: &Table, names: &Names<'_>, scope: &Scope, target: &[Lexeme], value: &[Lexeme]) -> Result<Set> {
    let target = names.expression(target)?;
    let Some(at) = names.position_of(&target) else { return fails("SET names something that is no column") };
    let Some((_, column)) = table.schema().visible().nth(at) else { return fails("there is no such column") };
    let of = settable(column)?;
    if let [single] = value
        && single.word().as_deref() == Some("DEFAULT")
    {
        return unsupported("SET to DEFAULT");
    }
    let node = assigned(&of, node(&names.expression(value)?, scope)?)?;
    Ok(Set { at, of, name: column.name.clone(), node })
}

fn settable(column: &Column) -> Result<Type> {
    if column.generated {
        return fails(format!("the value of the generated column {} cannot be set", column.name));
    }
    Ok(Type::of_column(&column.sql_type))
}

fn assigned(of: &Type, node: Node) -> Result<Node> {
    if node.is_unfetched() && !of.is_text() {
        return unsupported("a long text in a column of another type");
    }
    Ok(node)
}

impl Set {
    fn value(&self, values: &[Value], context: &EvalContext) -> Result<Value> {
        let value = Row { values, context: Some(context) }.evaluate(&self.node)?;
        if self.of.is_text() && shows_its_sign(&self.node, &value) {
            return unsupported("a computed zero as a text");
        }
        Ok(stored(value, &self.of)?)
    }
}

fn insert(tables: &Tables, words: &mut Lexemes<'_>, context: &EvalContext) -> Result<RowChanges> {
    words.expect(&["INSERT", "INTO"])?;
    let name = words.expect_name()?;
    let table = open(tables, &name)?;
    keyed(&table)?;
    let names = Names::of(Some((&table, name)));
    let mut columns = Vec::new();
    if words.takes_sign(&Token::LParen) {
        loop {
            let name = words.expect_name()?;
            let Some((at, column)) = names.visible(&name) else {
                return fails(format!("column {name:?} could not be found in any table in scope"));
            };
            columns.push((at, column.clone()));
            if words.takes_sign(&Token::RParen) {
                break;
            }
            if !words.takes_sign(&Token::Comma) {
                return words.unexpected();
            }
        }
    } else {
        columns =
            table.schema().visible().enumerate().map(|(at, (_, column))| (at, column.clone())).collect();
    }
    if !words.takes(&["VALUES"]) {
        words.expect(&["VALUE"])?;
    }
    let rules = Rules::of(table.schema());
    let mut rows = Vec::new();
    for (_, part) in split(&words.until(&["ON", "AS", "RETURNING"])) {
        let [open, inside @ .., close] = part.as_slice() else {
            return unsupported("VALUES without parentheses");
        };
        if !open.is(&Token::LParen) || !close.is(&Token::RParen) {
            return unsupported("VALUES without parentheses");
        }
        let given = split(inside);
        if given.len() != columns.len() {
            return fails("number of values does not match number of columns provided");
        }
        let mut values = Vec::new();
        for ((_, value), (at, column)) in given.iter().zip(&columns) {
            if let [single] = value.as_slice()
                && single.word().as_deref() == Some("DEFAULT")
            {
                continue;
            }
            let of = settable(column)?;
            // No value may name a column.
            let node = assigned(&of, node(&names.expression(value)?, &Scope::default())?)?;
            let set = Set { at: *at, of, name: column.name.clone(), node };
            values.push((column.name.clone(), set.value(&[], context)?));
        }
        // Defaults that are computed are computed here, once for each row.
        for (_, column) in table.schema().visible().filter(|(_, column)| !column.generated) {
            let is_given = values.iter().any(|(name, _)| *name == column.name);
            if let Some(default) = column.default.as_deref().filter(|_| !is_given) {
                values.push((column.name.clone(), rules.value(default, column, &[], Some(context))?));
            }
        }
        rows.push(RowChange::Insert(values));
    }
    words.expect_end()?;
    Ok(RowChanges { table: table.name().to_owned(), rows })
}
