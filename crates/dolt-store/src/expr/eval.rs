//! Evaluates a bound expression over the values of a row, three-valued as SQL is.

use std::cmp::Ordering;

use super::ast::Op;
use super::compare::{How, compare, like};
use super::functions::Function;
use super::moment::EvalContext;
use super::node::{Kind, Node, shows_its_sign};
use super::problem::{Problem, Result, unsupported};
use super::types::Type;
use super::value::Val;
use super::{arithmetic, calls, texts};
use crate::table::Value;

/// What an expression is evaluated over.
pub(crate) struct Row<'r> {
    /// The values of the visible columns.
    pub(crate) values: &'r [Value],
    /// `None`: whatever needs time or randomness is refused.
    pub(crate) context: Option<&'r EvalContext>,
}

impl Row<'_> {
    /// The value of an expression.
    pub(crate) fn evaluate(&self, node: &Node) -> Result<Val> {
        let truth = |t: Option<bool>| t.map_or(Val::Null, Val::Bool);
        Ok(match &node.kind {
            Kind::Value(value) => value.clone(),
            Kind::Column(at) => match self.values.get(*at) {
                Some(value) => Val::of(value)?,
                None => return unsupported("a column without a value"),
            },
            Kind::Minus(inner) => match self.evaluate(inner)? {
                Val::Null => Val::Null,
                Val::Int(n) => {
                    Val::Int(n.checked_neg().ok_or_else(|| Problem::Fails("BIGINT out of range".into()))?)
                }
                Val::Float(n) => Val::Float(-n),
                Val::Decimal(n) => match n.negated() {
                    Some(n) => Val::Decimal(n),
                    None => return unsupported("a number of so many digits"),
                },
                _ => return unsupported("a minus before such a value"),
            },
            Kind::Not(inner) => truth(self.truth(inner)?.map(|t| !t)),
            Kind::And(left, right) => self.joined(left, right, false)?,
            Kind::Or(left, right) => self.joined(left, right, true)?,
            Kind::Xor(left, right) => {
                let Some(left) = self.truth(left)? else { return Ok(Val::Null) };
                truth(self.truth(right)?.map(|right| left != right))
            }
            Kind::Compare(op, how, left, right) => {
                let (left, right) = (self.evaluate(left)?, self.evaluate(right)?);
                if *op == Op::Same && (left.is_null() || right.is_null()) {
                    return Ok(Val::Bool(left.is_null() && right.is_null()));
                }
                truth(compare(how, &left, &right)?.map(|order| holds(*op, order)))
            }
            Kind::Arithmetic(..) => arithmetic::evaluate(node, &|node| self.evaluate(node))?,
            Kind::IsNull(inner) => Val::Bool(self.evaluate(inner)?.is_null()),
            Kind::IsTruth(wanted, inner) => Val::Bool(self.truth(inner)? == Some(*wanted)),
            Kind::In(left, list) => self.is_in(left, list)?,
            Kind::Like(collation, value, pattern) => match (self.evaluate(value)?, self.evaluate(pattern)?) {
                (Val::Text(value), Val::Text(pattern)) => Val::Bool(like(*collation, &value, &pattern)?),
                (Val::Null, _) | (_, Val::Null) => Val::Null,
                _ => return unsupported("LIKE between other things than texts"),
            },
            Kind::Case(branches, otherwise) => self.case(node, branches, otherwise.as_deref())?,
            Kind::Cast(inner, to) => {
                let value = self.evaluate(inner)?;
                if to.name == "char" && shows_its_sign(inner, &value) {
                    return unsupported("a computed zero as a text");
                }
                calls::cast(&value, to)?
            }
            Kind::Trim(side, pattern, text) => {
                texts::trim(*side, &self.evaluate(pattern)?, &self.evaluate(text)?)?
            }
            Kind::NullIf(equal, left) => {
                if self.truth(equal)? == Some(true) {
                    Val::Null
                } else {
                    self.evaluate(left)?
                }
            }
            Kind::Call(function, arguments) => self.call(node, function, arguments)?,
        })
    }

    // `OR`, where one true side decides, or else `AND`, where one false side does.
    fn joined(&self, left: &Node, right: &Node, decides: bool) -> Result<Val> {
        let left = self.truth(left)?;
        if left == Some(decides) {
            return Ok(Val::Bool(decides));
        }
        Ok(match (left, self.truth(right)?) {
            (_, Some(right)) if right == decides => Val::Bool(decides),
            (Some(_), Some(_)) => Val::Bool(!decides),
            _ => Val::Null,
        })
    }

    fn is_in(&self, left: &Node, list: &[(How, Node)]) -> Result<Val> {
        let left = self.evaluate(left)?;
        if left.is_null() {
            return Ok(Val::Null);
        }
        let mut has_null = false;
        for (how, right) in list {
            match compare(how, &left, &self.evaluate(right)?)? {
                Some(Ordering::Equal) => return Ok(Val::Bool(true)),
                Some(_) => {}
                None => has_null = true,
            }
        }
        Ok(if has_null { Val::Null } else { Val::Bool(false) })
    }

    fn case(&self, node: &Node, branches: &[(Node, Node)], otherwise: Option<&Node>) -> Result<Val> {
        for (condition, value) in branches {
            if self.truth(condition)? == Some(true) {
                return self.brought(value, &node.of);
            }
        }
        otherwise.map_or(Ok(Val::Null), |otherwise| self.brought(otherwise, &node.of))
    }

    fn call(&self, node: &Node, function: &Function, arguments: &[Node]) -> Result<Val> {
        match (function.name, arguments) {
            ("if", [condition, yes, no]) => {
                let taken = if self.truth(condition)? == Some(true) { yes } else { no };
                return self.brought(taken, &node.of);
            }
            ("ifnull" | "coalesce", arguments) => {
                for argument in arguments {
                    let value = self.brought(argument, &node.of)?;
                    if !value.is_null() {
                        return Ok(value);
                    }
                }
                return Ok(Val::Null);
            }
            _ => {}
        }
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(match self.evaluate(argument) {
                // Whether Dolt comes to an argument behind a NULL depends on the function.
                Err(Problem::Fails(why)) if values.iter().any(Val::is_null) => {
                    return unsupported(&format!("an argument behind NULL, where {why},"));
                }
                Ok(value) if function.name == "concat" && shows_its_sign(argument, &value) => {
                    return unsupported("a computed zero as a text");
                }
                other => other?,
            });
        }
        calls::call(function, node, &values, self.context)
    }

    // Brought to a type that it has in common with others.
    fn brought(&self, node: &Node, of: &Type) -> Result<Val> {
        let value = self.evaluate(node)?;
        if of.is_text() && shows_its_sign(node, &value) {
            return unsupported("a computed zero as a text");
        }
        calls::brought(value, of)
    }

    /// Whether it holds; `None`: unknown.
    pub(crate) fn truth(&self, node: &Node) -> Result<Option<bool>> {
        self.evaluate(node)?.truth()
    }
}

fn holds(op: Op, order: Ordering) -> bool {
    match op {
        Op::Less => order.is_lt(),
        Op::LessOrEqual => order.is_le(),
        Op::Greater => order.is_gt(),
        Op::GreaterOrEqual => order.is_ge(),
        _ => order.is_eq(),
    }
}
