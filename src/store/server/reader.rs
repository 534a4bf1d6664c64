//! Rows by question to a server, all from one state: that of the transaction of the connection.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use dolt_store::table::Value;

use super::connection::Connection;
use super::statement::{self, Statement};
use crate::sql::{SqlError, Typed, identifier};
use crate::store::StoreError;
use crate::store::family::is_local;
use crate::store::reader::{Conditions, Reader, Select};

const NO_SUCH_TABLE: u16 = 1146;

/// The state of a transaction.
#[derive(Debug)]
pub struct ServerReader {
    connection: Rc<Connection>,
    keys: RefCell<HashMap<String, Vec<String>>>,
}

impl ServerReader {
    pub(super) fn of(connection: Connection) -> Self {
        Self { connection: Rc::new(connection), keys: RefCell::default() }
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Forgets which columns tables have: some have come.
    pub(super) fn forget_keys(&self) {
        self.keys.borrow_mut().clear();
    }

    // What a statement gives; nothing if its table is one that a clone may lack.
    fn ask(&self, table: &str, (sql, values): &Statement) -> Result<Vec<Vec<Typed>>, StoreError> {
        match self.connection.run(sql, values) {
            Ok(answer) => Ok(answer.rows),
            Err(StoreError::Sql(error)) if is_local(table) && is_missing(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

fn is_missing(error: &SqlError) -> bool {
    error.code() == Some(NO_SUCH_TABLE)
}

impl Reader for ServerReader {
    fn select(
        &self,
        question: &Select<'_>,
        each: &mut dyn FnMut(&mut Vec<Value>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let conditions = Conditions::of(&question.by);
        let wanted = question.columns.len();
        for statement in statement::select(question, &conditions)? {
            for row in self.ask(question.table, &statement)? {
                let mut values: Vec<Value> = row.into_iter().map(statement::value).collect();
                if conditions.hold(|i| values.get(wanted + i)) {
                    values.truncate(wanted);
                    each(&mut values)?;
                }
            }
        }
        Ok(())
    }

    fn key_of(&self, table: &str) -> Result<Vec<String>, StoreError> {
        if let Some(known) = self.keys.borrow().get(table) {
            return Ok(known.clone());
        }
        // Field, type, null, key, default, extra.
        let described = self.ask(table, &(format!("DESCRIBE {}", identifier(table)), Vec::new()))?;
        let key = described.into_iter().filter_map(|row| match (row.first(), row.get(3)) {
            (Some(Typed::Text(name)), Some(Typed::Text(key))) if key == "PRI" => Some(name.clone()),
            _ => None,
        });
        let key: Vec<String> = key.collect();
        self.keys.borrow_mut().insert(table.to_owned(), key.clone());
        Ok(key)
    }
}
