//! What Dolt stores of an expression that somebody wrote: go-mysql-server reads it and prints it again (the `String` of each
//! node in `sql/expression`; `ColumnDefaultValue` in `sql/columndefault.go`; `NewCheckDefinition` in `sql/plan/alter_check.go`).

use super::ast::{Ast, Literal, Op, Side};
use super::bind::bind;
use super::calls::is_void;
use super::decimal::Decimal;
use super::parse::parse;
use super::stored_literal::stored_literal;
use super::types::Type;
use crate::table::{Schema, float_text, shortest};
use crate::{Error, Result};

/// The columns that an expression may name, with their types.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    columns: Vec<(String, Type)>,
}

impl Scope {
    /// Columns by name and type in SQL, as Dolt spells types.
    pub fn new<'a>(columns: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let one = |(name, sql_type): (&str, &str)| (name.to_owned(), Type::of_column(sql_type));
        Self { columns: columns.into_iter().map(one).collect() }
    }

    /// The columns of a table.
    pub fn of(schema: &Schema) -> Self {
        Self::new(schema.visible().map(|(_, c)| (c.name.as_str(), c.sql_type.as_str())))
    }

    pub(crate) fn find(&self, name: &str) -> Option<(usize, &Type)> {
        let is = |(_, (column, _)): &(usize, &(String, Type))| {
            column == name || column.to_lowercase() == name.to_lowercase()
        };
        self.columns.iter().enumerate().find(is).map(|(i, (_, column_type))| (i, column_type))
    }
}

/// What Dolt stores of a column's default. `text` is what stands behind `DEFAULT`, with the parentheses of an expression;
/// `sql_type` the column's type.
///
/// Fails with [`Error::NotSupported`] if the expression is not understood, or is none of the column.
pub fn canonical_default(text: &str, sql_type: &str, scope: &Scope) -> Result<String> {
    default(text, sql_type, scope).map_err(|problem| refused("the default", text, &problem))
}

/// What Dolt stores of `ON UPDATE`. `text` is what stands behind it.
///
/// Fails with [`Error::NotSupported`] if it is something else than the current time with the column's digits.
pub fn canonical_on_update(text: &str, sql_type: &str) -> Result<String> {
    let now = || {
        let parsed = parse(text)?;
        match (&parsed.ast, Type::of_column(sql_type)) {
            (Ast::Call(function, _), Type::Datetime(_) | Type::Timestamp(_)) if function.name == "now" => {
                default(text, sql_type, &Scope::default())
            }
            _ => Err("it is not the current time".to_owned()),
        }
    };
    now().map_err(|problem: String| refused("ON UPDATE", text, &problem))
}

/// What Dolt stores of the expression of a generated column. `text` is what stands inside of the parentheses behind `AS`.
///
/// Fails with [`Error::NotSupported`] if the expression is not understood.
pub fn canonical_generated(text: &str, scope: &Scope) -> Result<String> {
    let shown = || {
        let parsed = parse(text)?;
        if !parsed.is_value && !parsed.is_enclosed {
            return Err("Dolt wants a comparison in parentheses of its own".to_owned());
        }
        show(&parsed.ast, scope)
    };
    let shown = shown().map_err(|problem: String| refused("the generated column", text, &problem))?;
    Ok(as_expression(&shown))
}

/// What Dolt stores of a check. `text` is what stands inside of its parentheses.
///
/// Fails with [`Error::NotSupported`] if the expression is not understood.
pub fn canonical_check(text: &str, scope: &Scope) -> Result<String> {
    let shown = || show(&parse(text)?.ast, scope);
    shown().map_err(|problem: String| refused("the check", text, &problem))
}

fn refused(what: &str, text: &str, problem: &str) -> Error {
    Error::NotSupported { what: format!("{what} {text} ({problem})") }
}

fn default(text: &str, sql_type: &str, scope: &Scope) -> std::result::Result<String, String> {
    let parsed = parse(text)?;
    let column = Type::of_column(sql_type);
    if let Ast::Call(function, arguments) = &parsed.ast
        && function.name == "now"
    {
        let digits = match arguments.as_slice() {
            [] => 0,
            [Ast::Literal(Literal::Integer(digits))] => digits.parse::<u32>().map_err(|e| e.to_string())?,
            _ => return Err("the digits of a second are no number".to_owned()),
        };
        match column {
            Type::Datetime(has) | Type::Timestamp(has) if has == digits => {}
            Type::Datetime(has) | Type::Timestamp(has) => {
                return Err(format!("the column has {has} digits of a second, the time {digits}"));
            }
            _ if parsed.is_enclosed => {}
            _ => return Err("for such a column it has to stand in parentheses".to_owned()),
        }
    }
    if !parsed.is_enclosed {
        match &parsed.ast {
            _ if text.trim_start().starts_with('+') => {}
            Ast::Literal(literal) => return stored_literal(literal, false, &column),
            Ast::Minus(inner) => {
                if let Ast::Literal(literal @ (Literal::Decimal(_) | Literal::Float(_))) = &**inner {
                    return stored_literal(literal, true, &column);
                }
            }
            Ast::Call(function, _) if function.name == "now" => {
                return Ok(as_expression(&show(&parsed.ast, scope)?));
            }
            _ => {}
        }
        return Err("an expression has to stand in parentheses".to_owned());
    }
    if !parsed.is_value {
        return Err("Dolt wants a comparison in parentheses of its own".to_owned());
    }
    Ok(as_expression(&show(&parsed.ast, scope)?))
}

fn as_expression(shown: &str) -> String {
    match shown.strip_prefix("NOW(").and_then(|rest| rest.strip_suffix(')')) {
        Some("" | "0") => "CURRENT_TIMESTAMP".to_owned(),
        Some(digits @ ("1" | "2" | "3" | "4" | "5" | "6")) => format!("CURRENT_TIMESTAMP({digits})"),
        _ => format!("({shown})"),
    }
}

/// A text as a literal.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''").replace('\\', "\\\\"))
}

/// Bytes as a literal.
pub(super) fn hexadecimal(bytes: &[u8]) -> std::result::Result<String, String> {
    if bytes.is_empty() {
        return Err("no bytes at all are not understood".to_owned());
    }
    Ok(bytes.iter().fold("0x".to_owned(), |text, b| text + &format!("{b:02X}")))
}

/// A float as Go prints it.
pub(super) fn float(n: f64) -> String {
    float_text(&shortest::double(n), -4..6)
}

fn show_literal(literal: &Literal) -> std::result::Result<String, String> {
    Ok(match literal {
        Literal::Null => "NULL".to_owned(),
        Literal::Bool(truth) => truth.to_string(),
        Literal::Integer(digits) if digits.trim_start_matches('-').len() > 65 => {
            return Err(format!("{digits} has too many digits"));
        }
        Literal::Integer(digits) => digits.clone(),
        Literal::Decimal(text) => {
            Decimal::parse(text).ok_or_else(|| format!("{text} has too many digits"))?.to_string()
        }
        Literal::Float(n) => float(*n),
        Literal::Text(text) => quoted(text),
        Literal::Bytes(bytes) => hexadecimal(bytes)?,
        Literal::Bits(n) => n.to_string(),
    })
}

fn show(ast: &Ast, scope: &Scope) -> std::result::Result<String, String> {
    let inner = |ast: &Ast| show(ast, scope);
    let all = |list: &[Ast]| list.iter().map(inner).collect::<std::result::Result<Vec<_>, _>>();
    Ok(match ast {
        Ast::Literal(literal) => show_literal(literal)?,
        Ast::Column(name) => {
            scope.find(name).ok_or_else(|| format!("there is no column {name}"))?;
            format!("`{}`", name.replace('`', "``"))
        }
        Ast::Minus(operand) if **operand == Ast::Literal(Literal::Integer("0".to_owned())) => {
            return Err("minus zero is not understood".to_owned());
        }
        Ast::Minus(operand) => format!("-{}", inner(operand)?),
        Ast::Not(operand) => format!("(NOT({}))", inner(operand)?),
        Ast::Binary(op, left, right) if op.is_comparison() => {
            let (left, right) = (fitted(left, right, scope)?, fitted(right, left, scope)?);
            format!("({} {} {})", inner(&left)?, op.shown(), inner(&right)?)
        }
        Ast::Binary(op, left, right) => {
            if (matches!(**left, Ast::Interval(..)) && *op != Op::Plus)
                || (matches!(**right, Ast::Interval(..)) && !matches!(op, Op::Plus | Op::Minus))
            {
                return Err("an interval is only added or taken away".to_owned());
            }
            format!("({} {} {})", inner(left)?, op.shown(), inner(right)?)
        }
        Ast::IsNull(operand) => format!("{} IS NULL", inner(operand)?),
        Ast::IsTruth(truth, operand) => {
            format!("{} IS {}", inner(operand)?, if *truth { "TRUE" } else { "FALSE" })
        }
        Ast::In(operand, list) => format!("({} IN ({}))", inner(operand)?, all(list)?.join(", ")),
        Ast::Between(value, low, high) => {
            format!("({} BETWEEN {} AND {})", inner(value)?, inner(low)?, inner(high)?)
        }
        Ast::Like(value, pattern) => format!("{} LIKE {}", inner(value)?, inner(pattern)?),
        Ast::Case { operand, branches, otherwise } => {
            let mut text = "CASE ".to_owned();
            if let Some(operand) = operand {
                text += &inner(operand)?;
            }
            for (condition, value) in branches {
                text.extend([" WHEN ", &inner(condition)?, " THEN ", &inner(value)?]);
            }
            if let Some(otherwise) = otherwise {
                text.extend([" ELSE ", &inner(otherwise)?]);
            }
            text + " END"
        }
        Ast::Cast(operand, to) => {
            let bound = bind(operand, scope).map_err(|problem| problem.to_string())?;
            if is_void(&bound, to).map_err(|problem| problem.to_string())? {
                return inner(operand);
            }
            let more = match (to.length, to.scale) {
                (0, _) => String::new(),
                (length, 0) => format!("({length})"),
                (length, scale) => format!("({length},{scale})"),
            };
            format!("convert({}, {}{more})", inner(operand)?, to.name)
        }
        Ast::Collate(operand, name) => format!("{} COLLATE {}", inner(operand)?, name.to_ascii_lowercase()),
        Ast::Trim { side, pattern, text } => {
            let side = match side {
                Side::Both => "both",
                Side::Leading => "leading",
                Side::Trailing => "trailing",
            };
            format!("trim({side} {} from {})", inner(pattern)?, inner(text)?)
        }
        Ast::Interval(value, unit) => format!("INTERVAL {} {unit}", inner(value)?),
        Ast::Call(function, arguments) => function.call(&all(arguments)?),
    })
}

// A literal that is compared with a column becomes one of the column's type if it fits into it (`typeExpandComparisonLiteral`
// in `sql/planbuilder/scalar.go`).
fn fitted(operand: &Ast, other: &Ast, scope: &Scope) -> std::result::Result<Ast, String> {
    let (Ast::Literal(literal), Ast::Column(name)) = (operand, other) else { return Ok(operand.clone()) };
    let Some((_, column)) = scope.find(name) else { return Ok(operand.clone()) };
    let of_literal = match literal {
        Literal::Bool(_) => Type::Bool,
        Literal::Integer(digits) => Type::of_integer(digits).unwrap_or(Type::Other),
        Literal::Decimal(text) => match Decimal::parse(text) {
            Some(n) => Type::Decimal { precision: n.written_precision(), scale: n.scale(), of_column: false },
            None => Type::Other,
        },
        _ => Type::Other,
    };
    let is_alike = (column.is_signed() && of_literal.is_signed())
        || (column.is_unsigned() && of_literal.is_unsigned())
        || (column.is_decimal() && of_literal.is_decimal());
    if !is_alike || column.width() < of_literal.width() {
        return Ok(operand.clone());
    }
    Ok(Ast::Literal(match (literal, column) {
        (Literal::Bool(truth), _) => Literal::Integer(u8::from(*truth).to_string()),
        (Literal::Decimal(text), Type::Decimal { precision, scale, .. }) => {
            let fits = Decimal::parse(text).and_then(|n| n.fitted(*precision, *scale));
            Literal::Decimal(fits.ok_or_else(|| format!("{text} is out of the range of {name}"))?.to_string())
        }
        _ => literal.clone(),
    }))
}
