//! `GROUP BY`, `DISTINCT`, and what is counted over groups: `COUNT`, `MIN` and `MAX`.
//!
//! Groups come in the order in which their first rows do. Values that are one group only for some collation or some number of
//! digits are refused.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use sqlparser::tokenizer::Token;

use super::clauses::Names;
use super::lexeme::Lexeme;
use super::output::{self, Answer, Field};
use super::query::{Bound, By, Wanted, What, compare, is_ordered, node};
use super::{Result, unsupported};
use crate::expr::{Ast, Literal, Node};
use crate::table::Value;

/// What is told of a group.
#[derive(Debug, PartialEq)]
pub(super) enum Aggregate {
    /// `COUNT(*)`.
    Rows,
    /// `COUNT(x)`, `COUNT(DISTINCT x)`.
    Count {
        of: Ast,
        distinct: bool,
    },
    Min(Ast),
    Max(Ast),
}

impl Aggregate {
    /// The aggregate that an expression is, if it is one.
    pub(super) fn of(names: &Names<'_>, lexemes: &[Lexeme]) -> Result<Option<Self>> {
        let [first, open, inside @ .., close] = lexemes else { return Ok(None) };
        if !open.is(&Token::LParen) || !close.is(&Token::RParen) || closes_early(inside) {
            return Ok(None);
        }
        Ok(Some(match (first.word().as_deref(), inside) {
            (Some("COUNT"), [star]) if star.is(&Token::Mul) => Self::Rows,
            (Some("COUNT"), [distinct, of @ ..]) if distinct.word().as_deref() == Some("DISTINCT") => {
                Self::Count { of: names.expression(of)?, distinct: true }
            }
            (Some("COUNT"), of) => Self::Count { of: names.expression(of)?, distinct: false },
            (Some("MIN"), of) => Self::Min(names.expression(of)?),
            (Some("MAX"), of) => Self::Max(names.expression(of)?),
            _ => return Ok(None),
        }))
    }
}

// Whether the parenthesis that was open before them is closed among these.
fn closes_early(lexemes: &[Lexeme]) -> bool {
    let mut open = 0usize;
    for lexeme in lexemes {
        match &lexeme.token {
            Token::LParen => open = open.saturating_add(1),
            Token::RParen if open == 0 => return true,
            Token::RParen => open = open.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// By what rows are grouped: a column of the table, a place or a name of the answer, or any expression.
pub(super) fn key(names: &Names<'_>, wanted: &[Wanted], part: &[Lexeme]) -> Result<Ast> {
    let of_item = |item: &Wanted| match &item.what {
        What::Value(ast) => Ok(ast.clone()),
        What::Column(_, column) => match names.name_of(*column) {
            Some(name) => Ok(Ast::Column(name)),
            None => unsupported("such a column to group by"),
        },
        What::Aggregate(_) => unsupported("an aggregate to group by"),
    };
    let ast = names.expression(part)?;
    match &ast {
        Ast::Literal(Literal::Integer(digits)) => {
            let at = digits.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
            match at.and_then(|at| wanted.get(at)) {
                Some(item) => of_item(item),
                None => unsupported(format!("GROUP BY {digits}")),
            }
        }
        Ast::Column(name) if names.position_of(&ast).is_none() => {
            let is = |w: &&Wanted| w.alias.as_deref().is_some_and(|alias| alias.eq_ignore_ascii_case(name));
            match wanted.iter().find(is) {
                Some(item) => of_item(item),
                None => super::fails(format!("column {name:?} could not be found in any table in scope")),
            }
        }
        _ => Ok(ast),
    }
}

/// What is told of a group so far.
enum Told {
    Number(i64, HashSet<String>),
    Value(Value),
}

struct Group {
    first: Vec<Value>,
    told: Vec<Told>,
}

/// The answer to a statement with groups.
pub(super) fn grouped(bound: &Bound<'_>, keys: Vec<Ast>) -> Result<Answer> {
    bound.orderable()?;
    let is_distinct = keys.is_empty() && !bound.wanted.iter().any(|w| matches!(w.what, What::Aggregate(_)));
    let asts = if is_distinct { everything(bound)? } else { keys };
    allowed(bound, &asts, is_distinct)?;
    let keys = asts.iter().map(|ast| node(ast, &bound.scope)).collect::<Result<Vec<_>>>()?;
    let over = bound.wanted.iter().map(|w| over(bound, &w.what)).collect::<Result<Vec<_>>>()?;
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<Vec<String>, usize> = HashMap::new();
    let begin = || bound.wanted.iter().map(|w| begin(&w.what)).collect::<Vec<_>>();
    bound.rows(|values| {
        let mut key = Vec::with_capacity(keys.len());
        for by in &keys {
            key.push(exact(&output::value(bound.evaluate(by, &values)?, by)?)?);
        }
        let at = *places.entry(key).or_insert_with(|| {
            groups.push(Group { first: values.clone(), told: begin() });
            groups.len().saturating_sub(1)
        });
        let Some(group) = groups.get_mut(at) else { return Ok(true) };
        for ((wanted, told), over) in bound.wanted.iter().zip(&mut group.told).zip(&over) {
            add(bound, &wanted.what, told, over.as_ref(), &values)?;
        }
        Ok(true)
    })?;
    if groups.is_empty() && keys.is_empty() && !is_distinct {
        groups.push(Group { first: Vec::new(), told: begin() });
    }
    let mut found = Vec::new();
    for group in groups {
        let mut row = Vec::new();
        for (at, (wanted, told)) in bound.wanted.iter().zip(group.told).enumerate() {
            row.push(match (&wanted.what, told) {
                (What::Aggregate(_), Told::Number(n, _)) => Value::Int(n),
                (What::Aggregate(_), Told::Value(value)) => value,
                _ => bound.value(at, &group.first)?,
            });
        }
        let mut by = Vec::new();
        for (order, ..) in &bound.order {
            match order {
                By::Item(at) => by.push(row.get(*at).cloned().unwrap_or(Value::Null)),
                By::Value(_) => return unsupported("an order of groups by what is not asked for"),
            }
        }
        found.push((by, row));
    }
    let field = |at: usize| {
        let of = over.get(at).and_then(Option::as_ref).map(|node| output::sql_type(&node.of));
        let is_value = matches!(
            bound.wanted.get(at).map(|w| &w.what),
            Some(What::Aggregate(Aggregate::Min(_) | Aggregate::Max(_)))
        );
        match of.filter(|_| is_value) {
            Some(sql_type) => Field { sql_type, ..bound.field(at) },
            None => bound.field(at),
        }
    };
    Ok(Answer { fields: (0..bound.wanted.len()).map(field).collect(), rows: bound.in_order(found)? })
}

// All that is asked for, to be told once.
fn everything(bound: &Bound<'_>) -> Result<Vec<Ast>> {
    let one = |wanted: &Wanted| match &wanted.what {
        What::Value(ast) => Ok(ast.clone()),
        What::Column(_, column) => match bound.column(*column) {
            Some(column) => Ok(Ast::Column(column.name.clone())),
            None => unsupported("DISTINCT of such a column"),
        },
        What::Aggregate(_) => unsupported("DISTINCT with an aggregate"),
    };
    bound.wanted.iter().map(one).collect()
}

// What is asked for beside aggregates is the same for all rows of a group (`only_full_group_by`).
fn allowed(bound: &Bound<'_>, keys: &[Ast], is_distinct: bool) -> Result<()> {
    for wanted in &bound.wanted {
        let is_key = match &wanted.what {
            What::Aggregate(_) => true,
            What::Value(ast) => keys.contains(ast),
            What::Column(_, column) => {
                let name = bound.column(*column).map(|c| c.name.as_str());
                keys.iter().any(|key| matches!(key, Ast::Column(other) if Some(other.as_str()) == name))
            }
        };
        if !is_key && !is_distinct {
            return unsupported(format!("{} beside groups that are not made by it", wanted.name));
        }
    }
    if keys.is_empty()
        && !bound.order.is_empty()
        && bound.order.iter().any(|(by, ..)| matches!(by, By::Value(_)))
    {
        return unsupported("an order of one row");
    }
    Ok(())
}

fn over(bound: &Bound<'_>, what: &What) -> Result<Option<Node>> {
    let What::Aggregate(aggregate) = what else { return Ok(None) };
    let (ast, is_compared) = match aggregate {
        Aggregate::Rows => return Ok(None),
        Aggregate::Count { of, .. } => (of, false),
        Aggregate::Min(of) | Aggregate::Max(of) => (of, true),
    };
    let node = node(ast, &bound.scope)?;
    if is_compared {
        is_ordered(&node.of, None)?;
        if node.is_unfetched() {
            return unsupported("the least or the greatest of long texts");
        }
    }
    Ok(Some(node))
}

fn begin(what: &What) -> Told {
    match what {
        What::Aggregate(Aggregate::Rows | Aggregate::Count { .. }) => Told::Number(0, HashSet::new()),
        _ => Told::Value(Value::Null),
    }
}

fn add(bound: &Bound<'_>, what: &What, told: &mut Told, over: Option<&Node>, values: &[Value]) -> Result<()> {
    let What::Aggregate(aggregate) = what else { return Ok(()) };
    let value = match over {
        Some(node) => output::value(bound.evaluate(node, values)?, node)?,
        None => Value::Int(1),
    };
    if value == Value::Null {
        return Ok(());
    }
    match (aggregate, told) {
        (Aggregate::Count { distinct: true, .. }, Told::Number(n, seen)) => {
            if seen.insert(exact(&value)?) {
                *n = n.saturating_add(1);
            }
        }
        (_, Told::Number(n, _)) => *n = n.saturating_add(1),
        (aggregate, Told::Value(best)) => {
            let wanted =
                if matches!(aggregate, Aggregate::Min(_)) { Ordering::Less } else { Ordering::Greater };
            match compare(&value, best) {
                _ if *best == Value::Null => *best = value,
                Some(order) if order == wanted => *best = value,
                Some(_) => {}
                None => return unsupported("the order of such values"),
            }
        }
    }
    Ok(())
}

// Two values are in one group just if this is the same.
fn exact(value: &Value) -> Result<String> {
    Ok(match value {
        Value::Null => "n".to_owned(),
        Value::Int(n) => format!("i{n}"),
        Value::Uint(n) => format!("u{n}"),
        Value::Text(text) => format!("t{text}"),
        Value::Date(year, month, day) => format!("d{year}-{month}-{day}"),
        Value::Datetime(micros) => format!("m{micros}"),
        _ => return unsupported("groups of such values"),
    })
}
