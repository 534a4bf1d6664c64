//! Rows of one state of a database, straight from its files.
//!
//! Every question goes the shortest way that the schema offers: the primary key, an index that begins with the column, or
//! all rows. What could go wrong is a way that finds other rows than another; so rows are checked against the question
//! whatever the way was.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Bound;
use std::rc::Rc;

use dolt_store::commit::Session;
use dolt_store::table::{Direction, KeyRange, Projection, Table, Tables, Value};
use dolt_store::{Error, Hash};

use crate::store::StoreError;
use crate::store::family::is_local;
use crate::store::reader::{By, Conditions, Reader, Select, is_root, roots_among};

/// Looking up one row by itself costs as much as reading so many of all rows.
const LOOKUP_COST: u64 = 12;

/// The same where so many columns are asked for that long values, which lie outside of the rows, are among them.
const WIDE: usize = 20;
const WIDE_LOOKUP_COST: u64 = 2;

/// So many rows are worth a walk over a whole index, which is narrower.
const LONG: u64 = 200;

/// The working state of a branch, or any other root.
#[derive(Debug)]
pub struct NativeReader {
    root: Hash,
    tables: Tables,
    opened: RefCell<HashMap<String, Option<Rc<Table>>>>,
}

impl NativeReader {
    /// What the directory's branch holds now, committed or not.
    pub fn working(session: &Session) -> Result<Self, StoreError> {
        let branch = session.head();
        let root = match session.working_set(branch)? {
            Some(set) => set.working,
            None => {
                session.resolve_root(branch)?.ok_or_else(|| Error::NoBranch { name: branch.to_owned() })?
            }
        };
        Self::at(session, root)
    }

    /// A root value.
    pub fn at(session: &Session, root: Hash) -> Result<Self, StoreError> {
        Ok(Self { root, tables: session.tables(root)?, opened: RefCell::default() })
    }

    /// Which root value it is.
    pub fn root(&self) -> Hash {
        self.root
    }
}

impl Reader for NativeReader {
    fn tables(&self) -> Option<&Tables> {
        Some(&self.tables)
    }

    // Opened once.
    fn table(&self, name: &str) -> Result<Option<Rc<Table>>, StoreError> {
        if let Some(known) = self.opened.borrow().get(name) {
            return Ok(known.clone());
        }
        let opened = self.tables.open(name)?.map(Rc::new);
        self.opened.borrow_mut().insert(name.to_owned(), opened.clone());
        Ok(opened)
    }

    fn key_of(&self, table: &str) -> Result<Vec<String>, StoreError> {
        let Some(table) = self.table(table)? else { return Ok(Vec::new()) };
        let schema = table.schema();
        let columns = schema.key_columns.iter().filter_map(|at| schema.columns.get(usize::from(*at)));
        Ok(columns.map(|column| column.name.clone()).collect())
    }

    fn count_roots(&self, table: &str, prefix: &str, enough: &dyn Fn(u32) -> u32) -> Result<u32, StoreError> {
        let opened = self.table(table)?;
        let covering = opened.as_deref().and_then(|table| {
            let indexes = table.schema().indexes.iter();
            indexes.filter(|i| table.index_covers(i, &["id"])).min_by_key(|i| i.columns.len())
        });
        let index = match (&opened, covering) {
            (Some(opened), Some(covering)) => opened.index(&covering.name)?.map(|index| (opened, index)),
            _ => None,
        };
        let Some((table, index)) = index else {
            return Ok(roots_among(&self.texts(table, "id", By::Prefix("id", prefix))?, prefix));
        };
        let enough = enough(u32::try_from(table.entries()).unwrap_or(u32::MAX));
        let (mut entries, mut values) = (index.values(&KeyRange::ALL, &["id"])?, Vec::new());
        let mut count = 0;
        while count < enough && entries.read(&mut values)? {
            if let Some(Value::Text(id)) = values.first() {
                count += u32::from(is_root(id, prefix));
            }
        }
        Ok(count)
    }

    fn select(
        &self,
        question: &Select<'_>,
        each: &mut dyn FnMut(&mut Vec<Value>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let Some(table) = self.table(question.table)? else {
            if is_local(question.table) {
                return Ok(());
            }
            return Err(Error::NoTable { name: question.table.to_owned() }.into());
        };
        let wanted = question.columns.len();
        let conditions = Conditions::of(&question.by);
        // The columns that decide are read behind those that were asked for, if they are not among them.
        let mut columns = question.columns.to_vec();
        let mut places = Vec::with_capacity(conditions.columns.len());
        for column in &conditions.columns {
            places.push(columns.iter().position(|known| known == column).unwrap_or(columns.len()));
            if places.last() == Some(&columns.len()) {
                columns.push(column);
            }
        }
        let projection = table.project(&columns)?;
        let mut take = |values: &mut Vec<Value>| -> Result<(), StoreError> {
            if !conditions.hold(|i| values.get(*places.get(i)?)) {
                return Ok(());
            }
            values.truncate(wanted);
            each(values)
        };
        match Way::of(&table, &question.by, &columns) {
            Way::Entries(name, ranges) => {
                let missing = || Error::NotSupported { what: format!("index {name}, which has gone") };
                let index = table.index(&name)?.ok_or_else(missing)?;
                for range in ranges {
                    let (mut entries, mut values) = (index.values(&range, &columns)?, Vec::new());
                    while entries.read(&mut values)? {
                        take(&mut values)?;
                    }
                }
            }
            Way::Scan => {
                let (mut rows, mut values) = (projection.rows()?, Vec::new());
                while rows.read(&mut values)? {
                    take(&mut values)?;
                }
            }
            Way::Key(ranges) => {
                let mut values = Vec::new();
                for range in ranges {
                    let mut rows = projection.rows_in(&range, Direction::Forward)?;
                    while rows.read(&mut values)? {
                        take(&mut values)?;
                    }
                }
            }
            Way::Index(name, ranges) => along_index(&projection, &name, &ranges, &mut take)?,
        }
        Ok(())
    }
}

fn along_index(
    projection: &Projection,
    name: &str,
    ranges: &[KeyRange],
    take: &mut dyn FnMut(&mut Vec<Value>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let missing = || Error::NotSupported { what: format!("index {name}, which has gone") };
    let index = projection.index(name)?.ok_or_else(missing)?;
    for range in ranges {
        for row in index.rows(range, Direction::Forward)? {
            take(&mut row?.values)?;
        }
    }
    Ok(())
}

/// How rows are come to.
enum Way {
    Scan,
    /// An index that holds all columns that are asked for, a fraction of the rows' size.
    Entries(String, Vec<KeyRange>),
    Key(Vec<KeyRange>),
    Index(String, Vec<KeyRange>),
}

impl Way {
    fn of(table: &Table, by: &By<'_>, columns: &[&str]) -> Self {
        let indexes = &table.schema().indexes;
        let covers =
            |name: &str| indexes.iter().any(|index| index.name == name && table.index_covers(index, columns));
        let cost = if columns.len() > WIDE { WIDE_LOOKUP_COST } else { LOOKUP_COST };
        let way = Self::to_rows(table, by, cost);
        let is_long = match &way {
            Self::Scan => true,
            Self::Key(ranges) if matches!(by, By::Prefix(..)) => {
                let count = |range: &KeyRange| table.count_in(range).unwrap_or(0);
                ranges.iter().map(count).sum::<u64>() > LONG
            }
            Self::Index(name, ranges) if covers(name) => return Self::Entries(name.clone(), ranges.clone()),
            _ => false,
        };
        let indexes = indexes.iter().filter(|_| is_long);
        let best = indexes
            .filter(|index| table.index_covers(index, columns))
            .min_by_key(|index| index.columns.len());
        best.map_or(way, |best| Self::Entries(best.name.clone(), vec![KeyRange::ALL]))
    }

    fn to_rows(table: &Table, by: &By<'_>, lookup_cost: u64) -> Self {
        let schema = table.schema();
        let name_of = |position: &u16| schema.columns.get(usize::from(*position)).map(|c| c.name.as_str());
        let key: Vec<&str> = schema.key_columns.iter().filter_map(name_of).collect();
        let indexes = || {
            let plain = schema.indexes.iter().filter(|index| {
                index.unsupported.is_none() && index.prefix_lengths.iter().all(|length| *length == 0)
            });
            plain.map(|index| {
                let columns: Vec<&str> = index.columns.iter().filter_map(name_of).collect();
                (index.name.clone(), columns)
            })
        };
        match by {
            By::All => Self::Scan,
            By::Equal(pairs) => {
                let leading = |columns: &[&str]| {
                    let values = columns.iter().map_while(|column| {
                        let mut given = pairs.iter().filter(|(name, _)| name.eq_ignore_ascii_case(column));
                        given.next().map(|(_, value)| value.clone())
                    });
                    values.collect::<Vec<_>>()
                };
                let by_key = leading(&key);
                if !by_key.is_empty() {
                    return Self::Key(vec![KeyRange::prefix(&by_key)]);
                }
                let candidates = indexes().map(|(name, columns)| (name, leading(&columns)));
                let best = candidates.max_by_key(|(_, values)| values.len());
                match best {
                    Some((name, values)) if !values.is_empty() => {
                        Self::Index(name, vec![KeyRange::prefix(&values)])
                    }
                    _ => Self::Scan,
                }
            }
            By::In(column, texts) => {
                let lookups = u64::try_from(texts.len()).unwrap_or(u64::MAX).saturating_mul(lookup_cost);
                if lookups > table.entries() && texts.len() > 1 {
                    return Self::Scan;
                }
                let mut sorted: Vec<&String> = texts.iter().collect();
                sorted.sort_unstable();
                sorted.dedup();
                let one = |text: &&String| KeyRange::prefix(&[Value::Text((*text).clone())]);
                let ranges = sorted.iter().map(one).collect();
                Self::along(&key, indexes(), column, ranges)
            }
            By::Prefix(column, prefix) => {
                let from = Value::Text((*prefix).to_owned());
                // No text sorts behind this one and begins with the prefix.
                let to = Value::Text(format!("{prefix}{}", char::MAX));
                let range = KeyRange { from: Bound::Included(vec![from]), to: Bound::Included(vec![to]) };
                Self::along(&key, indexes(), column, vec![range])
            }
        }
    }

    fn along<'c>(
        key: &[&str],
        mut indexes: impl Iterator<Item = (String, Vec<&'c str>)>,
        column: &str,
        ranges: Vec<KeyRange>,
    ) -> Self {
        let leads =
            |columns: &[&str]| columns.first().is_some_and(|first| first.eq_ignore_ascii_case(column));
        if leads(key) {
            return Self::Key(ranges);
        }
        match indexes.find(|(_, columns)| leads(columns)) {
            Some((name, _)) => Self::Index(name, ranges),
            None => Self::Scan,
        }
    }
}
