//! A `SELECT` from one table, or from none.

use std::cmp::Ordering;

use super::clauses::{Clauses, Item, Names};
use super::group::{self, Aggregate};
use super::lexeme::{Lexeme, Lexemes};
use super::output::{self, Answer, Field};
use super::way::Way;
use super::{QueryError, Result, fails, open, unsupported};
use crate::expr::{Ast, EvalContext, Literal, Node, Problem, Row, Scope, Type, Val, bind};
use crate::table::{Collation, Column, Schema, Table, Value};

/// What is asked for, with names resolved.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) alias: Option<String>,
    pub(super) what: What,
}

#[derive(Debug, PartialEq)]
pub(super) enum What {
    /// A column by its place among those that are read, and its visible position.
    Column(usize, usize),
    Value(Ast),
    Aggregate(Aggregate),
}

/// By what rows are ordered.
#[derive(Debug, PartialEq)]
pub(super) enum By {
    /// What is asked for at this place.
    Item(usize),
    Value(Ast),
}

/// Answers it.
pub(super) fn select(
    tables: &crate::table::Tables,
    words: &mut Lexemes<'_>,
    context: &EvalContext,
) -> Result<Answer> {
    let clauses = Clauses::of(words)?;
    let table = clauses.source.as_ref().map(|source| open(tables, &source.table)).transpose()?;
    let called = clauses.source.as_ref().map(|source| source.called.clone()).unwrap_or_default();
    let names = Names::of(table.as_ref().map(|table| (table, called)));
    let mut wanted = Vec::new();
    for item in &clauses.items {
        resolve(&names, item, &mut wanted)?;
    }
    let filter = match clauses.filter.as_slice() {
        [] => None,
        filter => Some(names.expression(filter)?),
    };
    let group =
        clauses.group.iter().map(|part| group::key(&names, &wanted, part)).collect::<Result<Vec<_>>>()?;
    let order = clauses.order.iter().map(|(part, down)| Ok((ordering(&names, &wanted, part)?, *down)));
    let order = order.collect::<Result<Vec<_>>>()?;
    let plan = Plan { clauses: &clauses, table: table.as_ref(), wanted, filter, order, context };
    let plan = plan.bound(&names)?;
    if !group.is_empty()
        || clauses.distinct
        || plan.wanted.iter().any(|w| matches!(w.what, What::Aggregate(_)))
    {
        return group::grouped(&plan, group);
    }
    plan.answer()
}

fn resolve(names: &Names<'_>, item: &Item, wanted: &mut Vec<Wanted>) -> Result<()> {
    use sqlparser::tokenizer::Token;
    let is_all = match item.lexemes.as_slice() {
        [star] => star.is(&Token::Mul),
        [table, dot, star] if dot.is(&Token::Period) && star.is(&Token::Mul) => {
            let name = table.name().unwrap_or_default();
            if !names.is_table(&name) {
                return fails(format!("table not found: {name}"));
            }
            true
        }
        _ => false,
    };
    if is_all {
        if names.columns() == 0 {
            return fails("there is no table whose columns could be meant");
        }
        for column in 0..names.columns() {
            let at = names.uses(column);
            wanted.push(Wanted { name: String::new(), alias: None, what: What::Column(at, column) });
        }
        return Ok(());
    }
    let what = what(names, &item.lexemes)?;
    wanted.push(Wanted { name: item.name.clone(), alias: item.alias.clone(), what });
    Ok(())
}

fn what(names: &Names<'_>, lexemes: &[Lexeme]) -> Result<What> {
    if let Some(aggregate) = Aggregate::of(names, lexemes)? {
        return Ok(What::Aggregate(aggregate));
    }
    let ast = names.expression(lexemes)?;
    Ok(match names.position_of(&ast) {
        Some(column) => What::Column(names.uses(column), column),
        None => What::Value(ast),
    })
}

// A name is first one of the answer's, then one of the table's; a number is a place in the answer.
fn ordering(names: &Names<'_>, wanted: &[Wanted], part: &[Lexeme]) -> Result<By> {
    if let [single] = part
        && let Some(name) = single.name()
        && let Some(at) = position_of_alias(wanted, &name)?
    {
        return Ok(By::Item(at));
    }
    let what = what(names, part)?;
    if let What::Value(Ast::Literal(Literal::Integer(digits))) = &what {
        let at = digits.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|at| *at < wanted.len());
        return at.map_or_else(
            || fails(format!("column {digits:?} could not be found in any table in scope")),
            |at| Ok(By::Item(at)),
        );
    }
    if let Some(at) = wanted.iter().position(|w| w.what == what) {
        return Ok(By::Item(at));
    }
    match what {
        What::Value(ast) => Ok(By::Value(ast)),
        What::Column(_, column) => match names.name_of(column) {
            Some(name) => Ok(By::Value(Ast::Column(name))),
            None => unsupported("such a column to order by"),
        },
        What::Aggregate(_) => unsupported("an aggregate to order by that is not asked for"),
    }
}

fn position_of_alias(wanted: &[Wanted], name: &str) -> Result<Option<usize>> {
    let is = |w: &Wanted| w.alias.as_deref().is_some_and(|alias| alias.eq_ignore_ascii_case(name));
    let mut found = wanted.iter().enumerate().filter(|(_, w)| is(w)).map(|(at, _)| at);
    let first = found.next();
    if found.next().is_some() {
        return unsupported(format!("two columns of the name {name}"));
    }
    Ok(first)
}

struct Plan<'p> {
    clauses: &'p Clauses,
    table: Option<&'p Table>,
    wanted: Vec<Wanted>,
    filter: Option<Ast>,
    order: Vec<(By, bool)>,
    context: &'p EvalContext,
}

/// A statement whose expressions are bound to the columns that are read.
pub(super) struct Bound<'p> {
    pub(super) table: Option<&'p Table>,
    pub(super) wanted: Vec<Wanted>,
    /// What is computed for each that is wanted; nothing for plain columns and aggregates.
    pub(super) nodes: Vec<Option<Node>>,
    pub(super) order: Vec<(By, Option<Node>, bool)>,
    pub(super) scope: Scope,
    pub(super) context: &'p EvalContext,
    pub(super) columns: Vec<usize>,
    filter: Option<Node>,
    way: Way,
    offset: usize,
    limit: usize,
}

impl<'p> Plan<'p> {
    fn bound(self, names: &Names<'_>) -> Result<Bound<'p>> {
        let columns = names.used();
        let way = match self.table {
            Some(table) => Way::of(table, self.filter.as_ref())?,
            None => Way::Scan,
        };
        let scope = match self.table {
            Some(table) => scope(table.schema(), &columns),
            None => Scope::default(),
        };
        let filter = self.filter.as_ref().map(|ast| truth(ast, &scope)).transpose()?;
        let mut nodes = Vec::new();
        for wanted in &self.wanted {
            nodes.push(match &wanted.what {
                What::Value(ast) => Some(node(ast, &scope)?),
                _ => None,
            });
        }
        let mut order = Vec::new();
        for (by, down) in self.order {
            let bound = match &by {
                By::Value(ast) => Some(node(ast, &scope)?),
                By::Item(_) => None,
            };
            order.push((by, bound, down));
        }
        let (offset, limit) = (self.clauses.offset, self.clauses.limit);
        Ok(Bound {
            table: self.table,
            wanted: self.wanted,
            nodes,
            order,
            scope,
            context: self.context,
            columns,
            filter,
            way,
            offset,
            limit,
        })
    }
}

/// The columns that are read, as expressions name them.
pub(super) fn scope(schema: &Schema, columns: &[usize]) -> Scope {
    let visible: Vec<&Column> = schema.visible().map(|(_, column)| column).collect();
    let used = columns.iter().filter_map(|at| visible.get(*at));
    Scope::new(used.map(|column| (column.name.as_str(), column.sql_type.as_str())))
}

/// An expression over these columns.
pub(super) fn node(ast: &Ast, scope: &Scope) -> Result<Node> {
    bind(ast, scope).map_err(|problem| match problem {
        Problem::Fails(why) => match why.strip_prefix("there is no column ") {
            Some(name) => {
                QueryError::Fails(format!("column {name:?} could not be found in any table in scope"))
            }
            None => QueryError::Fails(why),
        },
        other @ Problem::Unsupported(_) => other.into(),
    })
}

/// An expression that is asked for its truth.
pub(super) fn truth(ast: &Ast, scope: &Scope) -> Result<Node> {
    let node = node(ast, scope)?;
    match node.of {
        Type::Null | Type::Bool | Type::Int { .. } => Ok(node),
        _ => unsupported("a condition that is neither true nor false nor a whole number"),
    }
}

impl Bound<'_> {
    /// Hands on the values that are read of each row that the condition holds for, until one is enough.
    pub(super) fn rows(&self, mut each: impl FnMut(Vec<Value>) -> Result<bool>) -> Result<()> {
        let mut ask = |values: Vec<Value>| -> Result<bool> {
            let holds = match &self.filter {
                None => true,
                Some(filter) => self.row(&values).truth(filter)? == Some(true),
            };
            if holds { each(values) } else { Ok(true) }
        };
        let Some(table) = self.table else { return ask(Vec::new()).map(|_| ()) };
        let visible: Vec<&str> = table.schema().visible().map(|(_, c)| c.name.as_str()).collect();
        let read: Vec<&str> = self.columns.iter().filter_map(|at| visible.get(*at).copied()).collect();
        self.way.walk(table, &read, |row| ask(row.values))
    }

    fn row<'r>(&'r self, values: &'r [Value]) -> Row<'r> {
        Row { values, context: Some(self.context) }
    }

    /// The value of an expression in a row.
    pub(super) fn evaluate(&self, node: &Node, values: &[Value]) -> Result<Val> {
        Ok(self.row(values).evaluate(node)?)
    }

    /// What is wanted at a place, of a row.
    pub(super) fn value(&self, at: usize, values: &[Value]) -> Result<Value> {
        match (self.wanted.get(at).map(|w| &w.what), self.nodes.get(at)) {
            (Some(What::Column(at, _)), _) => Ok(values.get(*at).cloned().unwrap_or(Value::Null)),
            (_, Some(Some(node))) => output::value(self.evaluate(node, values)?, node),
            _ => unsupported("an aggregate in this place"),
        }
    }

    /// A column of the table by its visible position.
    pub(super) fn column(&self, at: usize) -> Option<&Column> {
        self.table.and_then(|table| table.schema().visible().nth(at)).map(|(_, column)| column)
    }

    /// The column of the answer at a place.
    pub(super) fn field(&self, at: usize) -> Field {
        let Some(wanted) = self.wanted.get(at) else {
            return Field { name: String::new(), sql_type: String::new() };
        };
        let column = match wanted.what {
            What::Column(_, column) => self.column(column),
            _ => None,
        };
        let of = self.nodes.get(at).and_then(Option::as_ref).map(|node| output::sql_type(&node.of));
        let sql_type = column.map(|c| c.sql_type.clone()).or(of).unwrap_or_else(|| "bigint".to_owned());
        let name = if wanted.name.is_empty() { column.map(|c| c.name.clone()) } else { None };
        Field { name: name.unwrap_or_else(|| wanted.name.clone()), sql_type }
    }

    /// A value to order by, at a place of the order.
    fn order_of(&self, at: usize, values: &[Value]) -> Result<Value> {
        match self.order.get(at) {
            Some((By::Item(item), ..)) => self.value(*item, values),
            Some((_, Some(node), _)) => output::value(self.evaluate(node, values)?, node),
            _ => unsupported("such an order"),
        }
    }

    /// That what rows are ordered by is something whose order is known.
    pub(super) fn orderable(&self) -> Result<()> {
        for (by, node, _) in &self.order {
            match (by, node) {
                (By::Item(at), _) => {
                    let column = match self.wanted.get(*at).map(|w| &w.what) {
                        Some(What::Column(_, column)) => self.column(*column),
                        _ => None,
                    };
                    let node = self.nodes.get(*at).and_then(Option::as_ref);
                    column.map_or(Ok(()), |c| is_ordered(&Type::of_column(&c.sql_type), Some(c)))?;
                    node.map_or(Ok(()), |node| is_ordered(&node.of, None))?;
                }
                (_, Some(node)) => is_ordered(&node.of, None)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn answer(&self) -> Result<Answer> {
        self.orderable()?;
        let fields: Vec<Field> = (0..self.wanted.len()).map(|at| self.field(at)).collect();
        let enough = if self.order.is_empty() { self.offset.saturating_add(self.limit) } else { usize::MAX };
        let mut found = Vec::new();
        if self.limit > 0 {
            self.rows(|values| {
                let row = (0..fields.len()).map(|at| self.value(at, &values)).collect::<Result<Vec<_>>>()?;
                let by =
                    (0..self.order.len()).map(|at| self.order_of(at, &values)).collect::<Result<Vec<_>>>()?;
                found.push((by, row));
                Ok(found.len() < enough)
            })?;
        }
        Ok(Answer { fields, rows: self.in_order(found)? })
    }

    /// The rows in the order of their first parts, as many as are wanted.
    pub(super) fn in_order(&self, mut found: Vec<(Vec<Value>, Vec<Value>)>) -> Result<Vec<Vec<Value>>> {
        let mut problem = None;
        found.sort_by(|(a, _), (b, _)| {
            for ((x, y), (_, _, down)) in a.iter().zip(b).zip(&self.order) {
                match compare(x, y) {
                    Some(Ordering::Equal) => {}
                    Some(order) => return if *down { order.reverse() } else { order },
                    None => problem = Some(()),
                }
            }
            Ordering::Equal
        });
        if problem.is_some() {
            return unsupported("the order of such values");
        }
        Ok(found.into_iter().map(|(_, row)| row).skip(self.offset).take(self.limit).collect())
    }
}

/// Whether values of this type are compared here as Dolt orders them.
pub(super) fn is_ordered(of: &Type, column: Option<&Column>) -> Result<()> {
    let is_ordered = match of {
        Type::Text(text) => column
            .map_or(text.collation == crate::table::CollationKind::Bytes, |c| Collation::of(c).is_bytewise()),
        Type::Null
        | Type::Bool
        | Type::Int { .. }
        | Type::Float32
        | Type::Float64
        | Type::Decimal { .. }
        | Type::Bytes { .. }
        | Type::Date
        | Type::Datetime(_)
        | Type::Timestamp(_)
        | Type::Time
        | Type::Year => true,
        _ => false,
    };
    if is_ordered { Ok(()) } else { unsupported("an order or a comparison of values of such a type") }
}

fn days(value: &Value) -> (u16, u8, u8) {
    match value {
        Value::Date(year, month, day) => (*year, *month, *day),
        _ => (0, 0, 0),
    }
}

/// The order of two values of one type, NULL first.
pub(super) fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    use crate::expr::Decimal;
    Some(match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Uint(a), Value::Uint(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b)?,
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b)?,
        (Value::Decimal(a), Value::Decimal(b)) => Decimal::parse(a)?.compare(&Decimal::parse(b)?)?,
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::Date(..), Value::Date(..)) => days(a).cmp(&days(b)),
        (Value::Int(a), Value::Int(b))
        | (Value::Datetime(a), Value::Datetime(b))
        | (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::Year(a), Value::Year(b)) => a.cmp(b),
        _ => return None,
    })
}
