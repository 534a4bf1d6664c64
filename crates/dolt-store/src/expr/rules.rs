//! The expressions of one table's schema, ready to be evaluated.

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

/// The expression that generates a column.
#[derive(Debug, Clone)]
pub struct Generator {
    at: usize,
    of: Type,
    node: std::result::Result<Node, String>,
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
fn compiled(text: &str, scope: &Scope, of: &Type) -> std::result::Result<Node, String> {
    let parsed = parse(text)?;
    let node = bind(&parsed.ast, scope).map_err(|problem| problem.to_string())?;
    if node.is_unfetched() && !of.is_text() {
        return Err("a long text in a column of another type is not supported".to_owned());
    }
    Ok(node)
}

/// The value of a default, or of `ON UPDATE`, for a column of this type in a row of these columns.
pub(crate) fn default_value(
    text: &str,
    column: &Column,
    scope: &Scope,
    values: &[Value],
    context: Option<&EvalContext>,
) -> Result<Value> {
    let of = Type::of_column(&column.sql_type);
    let node = compiled(text, scope, &of).map_err(Problem::Unsupported)?;
    computed(&node, &of, &Row { values, context })
}

/// Whether a check holds for a row; unknown counts as holding.
pub(crate) fn check_holds(text: &str, scope: &Scope, values: &[Value]) -> Result<bool> {
    let node = compiled(text, scope, &Type::Bool).map_err(Problem::Unsupported)?;
    Ok(Row { values, context: None }.truth(&node)? != Some(false))
}
