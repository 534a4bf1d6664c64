//! Results as the server sent them: texts and numbers, in order.

use mysql_async::Value;
use mysql_async::consts::{ColumnFlags, ColumnType};

/// One column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Whether its values are numbers.
    pub is_number: bool,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// SQL NULL.
    Null,
    /// Anything else, as the server spelled it.
    Text(String),
    /// Bytes that are no UTF-8.
    Bytes(Vec<u8>),
}

/// What one statement gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResultSet {
    /// The columns; none for a statement that gives no rows.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
    /// Rows that an insert, update or delete touched.
    pub affected: u64,
}

impl Column {
    pub(super) fn of(column: &mysql_async::Column) -> Self {
        use ColumnType as T;
        let number = matches!(
            column.column_type(),
            T::MYSQL_TYPE_TINY
                | T::MYSQL_TYPE_SHORT
                | T::MYSQL_TYPE_LONG
                | T::MYSQL_TYPE_LONGLONG
                | T::MYSQL_TYPE_INT24
                | T::MYSQL_TYPE_FLOAT
                | T::MYSQL_TYPE_DOUBLE
                | T::MYSQL_TYPE_YEAR
        );
        let zero_filled = column.flags().contains(ColumnFlags::ZEROFILL_FLAG);
        Self { name: column.name_str().into_owned(), is_number: number && !zero_filled }
    }
}

impl Cell {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::NULL => Self::Null,
            Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Self::Text(text.to_owned()),
                Err(_) => Self::Bytes(bytes.clone()),
            },
            Value::Int(n) => Self::Text(n.to_string()),
            Value::UInt(n) => Self::Text(n.to_string()),
            Value::Float(n) => Self::Text(n.to_string()),
            Value::Double(n) => Self::Text(n.to_string()),
            // The text protocol, the only one used here, sends these as bytes.
            dates @ (Value::Date(..) | Value::Time(..)) => {
                Self::Text(dates.as_sql(true).trim_matches('\'').to_owned())
            }
        }
    }

    /// The value as text; `None` for NULL. Bytes that are no UTF-8 become `0x…`.
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(text.clone()),
            Self::Bytes(bytes) => {
                Some(bytes.iter().fold("0x".to_owned(), |hex, b| hex + &format!("{b:02X}")))
            }
        }
    }

    /// The value as JSON; a column of numbers gives numbers.
    pub fn to_json(&self, column: &Column) -> serde_json::Value {
        match self.to_text() {
            None => serde_json::Value::Null,
            Some(text) if column.is_number => {
                serde_json::from_str::<serde_json::Number>(&text).map_or(text.into(), Into::into)
            }
            Some(text) => text.into(),
        }
    }
}
