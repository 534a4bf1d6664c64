//! Rows of a table, in key order.

use super::range::Bounds;
use super::schema::{Column, Encoding, Schema};
use super::tables::Table;
use super::tuple::Tuple;
use super::value::{self, Value};
use crate::chunk::Snapshot;
use crate::expr::Generator;
use crate::message::Node;
use crate::prolly::Cursor;
use crate::{Error, Hash, Result};

/// One row: the values of the visible columns, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The values, one for each of [`Schema::visible`].
    pub values: Vec<Value>,
}

/// Which field of which tuple each visible column is.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    places: Vec<Place>,
    is_keyless: bool,
    // Of the virtual columns, in their order: they may look at each other.
    generators: Vec<Generator>,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Key(usize, Encoding),
    Value(usize, Encoding),
    // A generated column that is not stored.
    Nowhere,
}

impl Layout {
    pub(super) fn of(schema: &Schema) -> Self {
        let values = schema.value_columns();
        let place = |(i, encoding): (usize, Encoding)| {
            let in_key = schema.key_columns.iter().position(|k| usize::from(*k) == i);
            let in_value = values.iter().position(|v| *v == i);
            match (in_key, in_value) {
                (Some(at), _) => Place::Key(at, encoding),
                (None, Some(at)) => Place::Value(at, encoding),
                (None, None) => Place::Nowhere,
            }
        };
        let places = schema.visible().map(|(i, c)| place((i, c.encoding))).collect();
        let has_virtual = schema.visible().any(|(_, c)| c.is_virtual);
        let mut generators = if has_virtual { Generator::all(schema) } else { Vec::new() };
        // A document that is not stored is printed otherwise than one that is.
        let is_shown =
            |c: &Column| c.is_virtual && !matches!(c.encoding, Encoding::JsonAddr | Encoding::JsonAdaptive);
        generators.retain(|g| schema.visible().nth(g.position()).is_some_and(|(_, c)| is_shown(c)));
        Self { places, is_keyless: schema.is_keyless(), generators }
    }

    /// A layout of some of the columns, by their positions in the schema. `None`: one of them is virtual.
    pub(super) fn of_columns(schema: &Schema, positions: &[usize]) -> Option<Self> {
        let all = Self::of(schema);
        let visible: Vec<usize> = schema.visible().map(|(i, _)| i).collect();
        let place = |position: &usize| {
            let at = visible.iter().position(|i| i == position)?;
            all.places.get(at).copied().filter(|place| !matches!(place, Place::Nowhere))
        };
        let places = positions.iter().map(place).collect::<Option<_>>()?;
        Some(Self { places, is_keyless: all.is_keyless, generators: Vec::new() })
    }

    /// How many values a row has.
    pub(super) fn width(&self) -> usize {
        self.places.len()
    }

    /// Computes the values of virtual columns from the others.
    pub(super) fn generate(&self, values: &mut [Value]) {
        for generator in &self.generators {
            // What is not known stays as it is: not stored.
            if let (Ok(value), Some(place)) = (generator.value(values), values.get_mut(generator.position()))
            {
                *place = value;
            }
        }
    }

    /// Decodes the row at an entry of a leaf. How often it counts (keyless tables) comes with it.
    pub(super) fn decode(&self, snapshot: &Snapshot, node: &Node, i: usize) -> Result<(Row, u64)> {
        let mut values = Vec::with_capacity(self.places.len());
        let times = self.decode_into(snapshot, node, i, &mut values)?;
        Ok((Row { values }, times))
    }

    /// The same in place of the values that are there. Gives how often the row counts.
    pub(super) fn decode_into(
        &self,
        snapshot: &Snapshot,
        node: &Node,
        i: usize,
        values: &mut Vec<Value>,
    ) -> Result<u64> {
        values.clear();
        let bad = |problem: String| Error::BadChunk { hash: Hash::NONE, problem };
        let key = Tuple::parse(node.key(i)).map_err(bad)?;
        let value = Tuple::parse(node.value(i)).map_err(bad)?;
        for place in &self.places {
            values.push(match place {
                Place::Key(at, encoding) => value::decode_key(*encoding, key.field(*at).map_err(bad)?)?,
                Place::Value(at, encoding) => {
                    value::decode(*encoding, value.field(*at).map_err(bad)?, snapshot)?
                }
                Place::Nowhere => Value::NotStored,
            });
        }
        self.generate(values);
        if !self.is_keyless {
            return Ok(1);
        }
        match value::decode(Encoding::Uint64, value.field(0).map_err(bad)?, snapshot)? {
            Value::Uint(n) => Ok(n),
            other => Err(bad(format!("a row counts {other:?} times"))),
        }
    }
}

/// Walks over rows.
#[derive(Debug)]
pub struct Rows<'t> {
    table: &'t Table,
    cursor: Cursor<'t>,
    // Where the walk ends before the tree does.
    bounds: Option<Bounds>,
    direction: Direction,
    // A keyless row that counts several times comes so often.
    again: Option<(Row, u64)>,
}

/// Which way a walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// In key order.
    Forward,
    /// Against key order.
    Backward,
}

impl<'t> Rows<'t> {
    pub(super) fn new(
        table: &'t Table,
        cursor: Cursor<'t>,
        bounds: Option<Bounds>,
        direction: Direction,
    ) -> Self {
        Self { table, cursor, bounds, direction, again: None }
    }

    /// Puts the next row's values in place of those that are there, which takes less time than the iterator, whose every row
    /// needs memory of its own. False behind the last row.
    pub fn read(&mut self, values: &mut Vec<Value>) -> Result<bool> {
        if let Some((row, left)) = self.again.take() {
            self.keep(&row.values, left);
            *values = row.values;
            return Ok(true);
        }
        let Some((node, i)) = self.cursor.entry() else { return Ok(false) };
        if let Some(bounds) = &self.bounds
            && bounds.is_past(self.table.order(), node.key(i), self.direction)
        {
            return Ok(false);
        }
        let times = self.table.decode_into(node, i, values)?;
        match self.direction {
            Direction::Forward => self.cursor.advance()?,
            Direction::Backward => self.cursor.retreat()?,
        }
        self.keep(values, times);
        Ok(true)
    }

    fn step(&mut self) -> Result<Option<Row>> {
        let mut values = Vec::with_capacity(self.table.width());
        Ok(self.read(&mut values)?.then_some(Row { values }))
    }

    fn keep(&mut self, values: &[Value], times: u64) {
        let left = times.checked_sub(1).filter(|n| *n > 0);
        self.again = left.map(|left| (Row { values: values.to_vec() }, left));
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
