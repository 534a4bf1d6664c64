//! What a statement answers: columns and rows. Values that were computed become values as columns have them.

use crate::expr::{Node, Type, Val, shows_its_sign};
use crate::table::Value;

use super::{Result, unsupported};

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name, as Dolt names it.
    pub name: String,
    /// Its type in SQL: of a column the column's, of anything else one that holds it.
    pub sql_type: String,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its columns. Two may have one name.
    pub fields: Vec<Field>,
    /// Its rows, a value for each column.
    pub rows: Vec<Vec<Value>>,
}

/// A computed value as one that a column could have.
pub(super) fn value(val: Val, node: &Node) -> Result<Value> {
    if shows_its_sign(node, &val) {
        return unsupported("a computed zero");
    }
    Ok(match val {
        Val::Null => Value::Null,
        Val::Bool(truth) => Value::Int(truth.into()),
        Val::Int(n) => Value::Int(n),
        Val::Uint(n) => Value::Uint(n),
        Val::Float32(n) => Value::Float(n),
        Val::Float(n) => Value::Double(n),
        Val::Decimal(n) => Value::Decimal(n.to_string()),
        Val::Text(text) => Value::Text(text),
        Val::Bytes(bytes) => Value::Bytes(bytes),
        Val::Json(text) => Value::Json(text),
        Val::Moment(micros) if node.of == Type::Date => {
            let (year, month, day) = crate::expr::date_of(micros);
            match (u16::try_from(year), u8::try_from(month), u8::try_from(day)) {
                (Ok(year), Ok(month), Ok(day)) => Value::Date(year, month, day),
                _ => return unsupported("a day of such a year"),
            }
        }
        Val::Moment(micros) => Value::Datetime(micros),
        Val::Span(micros) => Value::Time(micros),
        Val::Enum(_) | Val::Set(_) => return unsupported("a member of an enum that was computed"),
    })
}

/// A type that holds the values of a computed column.
pub(super) fn sql_type(of: &Type) -> String {
    match of {
        Type::Bool => "tinyint(1)".to_owned(),
        Type::Int { signed: true, .. } => "bigint".to_owned(),
        Type::Int { signed: false, .. } | Type::Bit(_) => "bigint unsigned".to_owned(),
        Type::Float32 => "float".to_owned(),
        Type::Float64 => "double".to_owned(),
        Type::Decimal { .. } => "decimal(65,30)".to_owned(),
        Type::Bytes { .. } => "longblob".to_owned(),
        Type::Date => "date".to_owned(),
        Type::Datetime(digits) | Type::Timestamp(digits) => format!("datetime({digits})"),
        Type::Time => "time".to_owned(),
        Type::Year => "year".to_owned(),
        Type::Json => "json".to_owned(),
        _ => "longtext".to_owned(),
    }
}
