//! Questions and changes as statements: names in backticks, every value a parameter.

use std::borrow::Cow;

use dolt_store::table::{Column, Value};

use crate::sql::{Typed, identifier, literal};
use crate::store::StoreError;
use crate::store::change::{Change, Values};
use crate::store::reader::{By, Conditions, Select};

/// As many texts are looked for in one question, and as many rows come with one statement.
const CHUNK: usize = 500;

/// A statement and its values.
pub(super) type Statement = (String, Vec<Typed>);

/// A value as it goes to the server.
pub(super) fn typed(value: &Value) -> Result<Typed, StoreError> {
    Ok(match value {
        Value::Null => Typed::Null,
        Value::Int(n) => Typed::Int(*n),
        Value::Uint(n) => Typed::Uint(*n),
        Value::Float(n) => Typed::Float(*n),
        Value::Double(n) => Typed::Double(*n),
        Value::Decimal(text) => Typed::Decimal(text.clone()),
        Value::Text(text) => Typed::Text(text.clone()),
        Value::Bytes(bytes) => Typed::Bytes(bytes.clone()),
        Value::Json(text) => Typed::Json(text.clone()),
        Value::Date(year, month, day) => Typed::Date(*year, *month, *day),
        Value::Datetime(micros) => Typed::Datetime(*micros),
        Value::Time(micros) => Typed::Time(*micros),
        other => {
            let problem = format!("a value like {other:?} is not sent to a server");
            return Err(StoreError::Engine { engine: "server", problem });
        }
    })
}

/// A value as it comes from there.
pub(super) fn value(typed: Typed) -> Value {
    match typed {
        Typed::Null => Value::Null,
        Typed::Int(n) => Value::Int(n),
        Typed::Uint(n) => Value::Uint(n),
        Typed::Float(n) => Value::Float(n),
        Typed::Double(n) => Value::Double(n),
        Typed::Decimal(text) => Value::Decimal(text),
        Typed::Text(text) => Value::Text(text),
        Typed::Bytes(bytes) => Value::Bytes(bytes),
        Typed::Json(text) => Value::Json(text),
        Typed::Date(year, month, day) => Value::Date(year, month, day),
        Typed::Datetime(micros) => Value::Datetime(micros),
        Typed::Time(micros) => Value::Time(micros),
    }
}

/// The questions that together are this one. Behind the columns that were asked for come those that decide.
pub(super) fn select(
    question: &Select<'_>,
    conditions: &Conditions<'_>,
) -> Result<Vec<Statement>, StoreError> {
    let columns: Vec<String> =
        question.columns.iter().chain(&conditions.columns).map(|c| identifier(c)).collect();
    let begin = format!("SELECT {} FROM {}", columns.join(", "), identifier(question.table));
    Ok(match &question.by {
        By::All => vec![(begin, Vec::new())],
        By::Equal(pairs) => {
            let (terms, values) = equal(pairs.iter().map(|(name, value)| (*name, value)))?;
            vec![(format!("{begin} WHERE {terms}"), values)]
        }
        By::In(column, texts) => {
            let mut sorted: Vec<&String> = texts.iter().collect();
            sorted.sort_unstable();
            sorted.dedup();
            let chunk = |texts: &[&String]| {
                // Texts of the same number make the same statement: it is prepared once.
                let marks = vec!["?"; texts.len()].join(", ");
                let values = texts.iter().map(|text| Typed::Text((*text).clone())).collect();
                (format!("{begin} WHERE {} IN ({marks})", identifier(column)), values)
            };
            sorted.chunks(CHUNK).map(chunk).collect()
        }
        By::Prefix(column, prefix) => {
            let escaped = prefix.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            let pattern = Typed::Text(format!("{escaped}%"));
            vec![(format!("{begin} WHERE {} LIKE ?", identifier(column)), vec![pattern])]
        }
    })
}

fn equal<'v>(pairs: impl Iterator<Item = (&'v str, &'v Value)>) -> Result<(String, Vec<Typed>), StoreError> {
    let (mut terms, mut values) = (Vec::new(), Vec::new());
    for (name, value) in pairs {
        if *value == Value::Null {
            terms.push(format!("{} IS NULL", identifier(name)));
        } else {
            terms.push(format!("{} = ?", identifier(name)));
            values.push(typed(value)?);
        }
    }
    Ok((terms.join(" AND "), values))
}

/// The changes as statements, in their order, each with how many changes it does. Rows that come one after the other into the same
/// table come together. `key_of` gives the primary key of a table; `is_default` tells whether a new row has a value in a column
/// without being told.
pub(super) fn each(
    changes: &[Change],
    mut key_of: impl FnMut(&str) -> Result<Vec<String>, StoreError>,
    is_default: &dyn Fn(&str, &str, &Value) -> bool,
    mut run: impl FnMut(Statement, usize) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut rest = changes;
    while let Some(first) = rest.first() {
        let count = if matches!(first, Change::Insert { .. }) {
            rest.iter().take(CHUNK).take_while(|next| comes_with(first, next)).count().max(1)
        } else {
            1
        };
        let (together, behind) = rest.split_at(count);
        rest = behind;
        let statement = match first {
            Change::Insert { table, values } => {
                let rows = together.iter().filter_map(|change| match change {
                    Change::Insert { values, .. } => Some(values),
                    _ => None,
                });
                let says_more = |(name, value): &(&'static str, Value)| !is_default(table, name, value);
                let is_told = |at: &usize| rows.clone().any(|row| row.get(*at).is_some_and(says_more));
                let told: Vec<usize> = (0..values.len()).filter(is_told).collect();
                insert(table, values, rows, &told)?
            }
            Change::Put { table, values } => {
                let keys = key_of(table)?;
                let all: Vec<usize> = (0..values.len()).collect();
                let (mut sql, params) = insert(table, values, std::iter::once(values), &all)?;
                let new: Vec<_> =
                    values.iter().filter(|(name, _)| !keys.iter().any(|key| key == name)).collect();
                // A row that is its key and nothing else stays as it is.
                let set = if new.is_empty() { values.iter().take(1).collect() } else { new };
                let set = set.iter().map(|(name, _)| format!("{0} = VALUES({0})", identifier(name)));
                sql.push_str(" ON DUPLICATE KEY UPDATE ");
                sql.push_str(&set.collect::<Vec<_>>().join(", "));
                (sql, params)
            }
            Change::Update { table, key, values } => {
                let set: Vec<String> =
                    values.iter().map(|(name, _)| format!("{} = ?", identifier(name))).collect();
                let mut params =
                    values.iter().map(|(_, value)| typed(value)).collect::<Result<Vec<_>, _>>()?;
                let (terms, of_key) = equal(key.iter().map(|(name, value)| (*name, value)))?;
                params.extend(of_key);
                (format!("UPDATE {} SET {} WHERE {terms}", identifier(table), set.join(", ")), params)
            }
            Change::Delete { table, key } => {
                let (terms, params) = equal(key.iter().map(|(name, value)| (*name, value)))?;
                (format!("DELETE FROM {} WHERE {terms}", identifier(table)), params)
            }
        };
        run(statement, count)?;
    }
    Ok(())
}

fn comes_with(first: &Change, next: &Change) -> bool {
    let (Change::Insert { table, values }, Change::Insert { table: other, values: others }) = (first, next)
    else {
        return false;
    };
    let names = |values: &Values| values.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    table == other && names(values) == names(others)
}

/// Whether this is the value that the column's definition writes out. Only what can have no other meaning is taken for it.
pub(super) fn is_default(column: &Column, value: &Value) -> bool {
    if column.primary_key || column.generated || column.auto_increment {
        return false;
    }
    let written = column.default.as_deref();
    match value {
        Value::Null => written.is_none() && column.nullable,
        Value::Int(number) => written.is_some_and(|text| text.trim_matches('\'') == number.to_string()),
        Value::Text(text) if text.chars().all(|c| c.is_ascii_alphanumeric()) => {
            written.is_some_and(|written| written == literal(text))
        }
        _ => false,
    }
}

// The columns at `told` of these rows.
fn insert<'v>(
    table: &str,
    first: &Values,
    rows: impl Iterator<Item = &'v Values>,
    told: &[usize],
) -> Result<Statement, StoreError> {
    let names: Vec<String> =
        told.iter().filter_map(|at| first.get(*at)).map(|(name, _)| identifier(name)).collect();
    let marks = format!("({})", vec!["?"; names.len()].join(", "));
    let (mut groups, mut params) = (Vec::new(), Vec::new());
    for row in rows {
        groups.push(Cow::Borrowed(marks.as_str()));
        for (_, value) in told.iter().filter_map(|at| row.get(*at)) {
            params.push(typed(value)?);
        }
    }
    let sql =
        format!("INSERT INTO {} ({}) VALUES {}", identifier(table), names.join(", "), groups.join(", "));
    Ok((sql, params))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Changes;
    use dolt_store::table::Encoding;

    fn statements(
        changes: &Changes,
        key_of: impl FnMut(&str) -> Result<Vec<String>, StoreError>,
        is_default: &dyn Fn(&str, &str, &Value) -> bool,
    ) -> Vec<Statement> {
        let (mut made, mut done) = (Vec::new(), 0);
        each(changes.as_slice(), key_of, is_default, |statement, changed| {
            made.push(statement);
            done += changed;
            Ok(())
        })
        .unwrap();
        assert_eq!(done, changes.as_slice().len(), "each change is done once");
        made
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn rows_of_the_same_shape_come_together_and_the_order_stays() {
        let mut changes = Changes::new();
        for label in ["a", "b"] {
            changes.insert("labels", vec![("issue_id", text("x-1")), ("label", text(label))]);
        }
        changes.insert("labels", vec![("label", text("c")), ("issue_id", text("x-1"))]);
        changes.update("issues", vec![("id", text("x-1"))], vec![("status", text("open"))]);
        changes.put("config", vec![("key", text("k")), ("value", text("v"))]);
        changes.delete("issues", vec![("id", text("x-2"))]);
        let key_of = |_: &str| Ok(vec!["key".to_owned()]);
        let made = statements(&changes, key_of, &|_, _, _| false);
        let sql: Vec<&str> = made.iter().map(|(sql, _)| sql.as_str()).collect();
        assert_eq!(
            sql,
            [
                "INSERT INTO `labels` (`issue_id`, `label`) VALUES (?, ?), (?, ?)",
                "INSERT INTO `labels` (`label`, `issue_id`) VALUES (?, ?)",
                "UPDATE `issues` SET `status` = ? WHERE `id` = ?",
                "INSERT INTO `config` (`key`, `value`) VALUES (?, ?) ON DUPLICATE KEY UPDATE `value` = VALUES(`value`)",
                "DELETE FROM `issues` WHERE `id` = ?",
            ]
        );
        assert_eq!(made[0].1, ["x-1", "a", "x-1", "b"].map(|t| Typed::Text(t.to_owned())));
    }

    #[test]
    fn only_what_a_definition_writes_out_is_left_to_it() {
        let column = |default: Option<&str>| Column {
            name: "c".to_owned(),
            sql_type: "varchar(9)".to_owned(),
            default: default.map(str::to_owned),
            comment: String::new(),
            tag: 1,
            encoding: Encoding::String,
            primary_key: false,
            nullable: true,
            auto_increment: false,
            hidden: false,
            generated: false,
            is_virtual: false,
            on_update: None,
        };
        let is = |default, value| is_default(&column(default), &value);
        assert!(is(None, Value::Null) && is(Some("''"), text("")) && is(Some("'open'"), text("open")));
        assert!(is(Some("'0'"), Value::Int(0)) && is(Some("-1"), Value::Int(-1)));
        assert!(!is(Some("''"), Value::Null) && !is(None, text("")) && !is(Some("NULL"), text("NULL")));
        assert!(!is(Some("(uuid())"), text("uuid")) && !is(Some("'00'"), Value::Int(0)));
        let key = Column { primary_key: true, ..column(Some("''")) };
        let needed = Column { nullable: false, ..column(None) };
        assert!(!is_default(&key, &text("")) && !is_default(&needed, &Value::Null));

        let mut changes = Changes::new();
        for (id, state) in [("x-1", "open"), ("x-2", "closed")] {
            changes.insert("issues", vec![("id", text(id)), ("status", text(state)), ("owner", text(""))]);
        }
        let without =
            |_: &str, column: &str, value: &Value| column != "id" && [text("open"), text("")].contains(value);
        let made = statements(&changes, |_| Ok(Vec::new()), &without);
        assert_eq!(
            made[0].0, "INSERT INTO `issues` (`id`, `status`) VALUES (?, ?), (?, ?)",
            "one row has another"
        );
        assert_eq!(made[0].1, ["x-1", "open", "x-2", "closed"].map(|t| Typed::Text(t.to_owned())));
    }

    #[test]
    fn many_texts_are_asked_for_in_several_questions_and_a_prefix_is_no_pattern() {
        let texts: Vec<String> = (0..1200).map(|n| format!("x-{n}")).collect();
        let by = By::In("id", &texts);
        let conditions = Conditions::of(&by);
        let question = Select { table: "issues", columns: &["title"], by: by.clone() };
        let asked = select(&question, &conditions).unwrap();
        assert_eq!(asked.iter().map(|(_, values)| values.len()).collect::<Vec<_>>(), [500, 500, 200]);
        assert!(asked[0].0.starts_with("SELECT `title`, `id` FROM `issues` WHERE `id` IN (?, ?"));
        let by = By::Prefix("id", r"a_b%\");
        let question = Select { table: "issues", columns: &["id"], by: by.clone() };
        let asked = select(&question, &Conditions::of(&by)).unwrap();
        assert_eq!(asked[0].1, [Typed::Text(r"a\_b\%\\%".to_owned())]);
    }
}
