//! The expressions of one table's schema, ready to be evaluated.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::bind::bind;
use super::canonical::Scope;
use super::eval::Row;
use super::moment::EvalContext;
use super::node::{Node, shows_its_sign};
use super::parse::parse;
use super::problem::{Problem, Result, unsupported};
use super::store::stored;
use super::types::Type;
use crate::table::{Column, Schema, Value};

// An expression, or why it is not understood.
type Compiled = std::result::Result<Node, String>;

/// The expression that generates a column.
#[derive(Debug, Clone)]
pub struct Generator {
    at: usize,
    of: Type,
    node: Compiled,
}

impl Generator {
    /// Those of a schema, in the order of the columns.
    pub fn all(schema: &Schema) -> Vec<Self> {
        let scope = Scope::of(schema);
        let one = |(at, (_, column)): (usize, (usize, &Column))| {
            let text = column.default.as_deref().filter(|_| column.generated)?;
            let of = Type::of_column(&column.sql_type);
            Some(Self { at, node: compiled(text, &scope, &of), of })
        };
        schema.visible().enumerate().filter_map(one).collect()
    }

    /// The column's position among the visible ones.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Whether it is understood at all. Single values may be refused even then.
    pub fn is_known(&self) -> bool {
        self.node.is_ok()
    }

    /// The column's value in a row whose other values these are.
    pub fn value(&self, values: &[Value]) -> Result<Value> {
        let node = self.node.as_ref().map_err(|why| Problem::Unsupported(why.clone()))?;
        computed(node, &self.of, &Row { values, context: None })
    }
}

fn computed(node: &Node, of: &Type, row: &Row<'_>) -> Result<Value> {
    let value = row.evaluate(node)?;
    if of.is_text() && shows_its_sign(node, &value) {
        return unsupported("a computed zero as a text");
    }
    stored(value, of)
}

// `Problem` tells apart who refuses; before a row is looked at that is always this crate.
fn compiled(text: &str, scope: &Scope, of: &Type) -> Compiled {
    let parsed = parse(text)?;
    let node = bind(&parsed.ast, scope).map_err(|problem| problem.to_string())?;
    if node.is_unfetched() && !of.is_text() {
        return Err("a long text in a column of another type is not supported".to_owned());
    }
    Ok(node)
}

/// All expressions of a table's schema. Each is read when it is first needed, and once.
pub(crate) struct Rules {
    scope: Scope,
    generators: Vec<Generator>,
    // By the text and the type that it is for.
    known: RefCell<HashMap<(String, String), Rc<Compiled>>>,
}

impl Rules {
    pub(crate) fn of(schema: &Schema) -> Self {
        let has_generated = schema.visible().any(|(_, c)| c.generated);
        let generators = if has_generated { Generator::all(schema) } else { Vec::new() };
        Self { scope: Scope::of(schema), generators, known: RefCell::default() }
    }

    /// What generates columns, in their order.
    pub(crate) fn generators(&self) -> &[Generator] {
        &self.generators
    }

    /// The value of a default, or of `ON UPDATE`, of a column in a row whose other values these are.
    pub(crate) fn value(
        &self,
        text: &str,
        column: &Column,
        values: &[Value],
        context: Option<&EvalContext>,
    ) -> Result<Value> {
        let of = Type::of_column(&column.sql_type);
        match &*self.node(text, &column.sql_type) {
            Ok(node) => computed(node, &of, &Row { values, context }),
            Err(why) => Err(Problem::Unsupported(why.clone())),
        }
    }

    /// Whether a check holds for a row; unknown counts as holding.
    pub(crate) fn holds(&self, check: &str, values: &[Value]) -> Result<bool> {
        match &*self.node(check, "tinyint(1)") {
            Ok(node) => Ok(Row { values, context: None }.truth(node)? != Some(false)),
            Err(why) => Err(Problem::Unsupported(why.clone())),
        }
    }

    fn node(&self, text: &str, sql_type: &str) -> Rc<Compiled> {
        let key = (text.to_owned(), sql_type.to_owned());
        let mut known = self.known.borrow_mut();
        let read = || Rc::new(compiled(text, &self.scope, &Type::of_column(sql_type)));
        Rc::clone(known.entry(key).or_insert_with(read))
    }
}
