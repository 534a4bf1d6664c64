//! From the shape of an expression to types: which columns it means, what each part gives, how sides are compared. What no
//! test has held against Dolt is refused here, before any row is looked at.

use super::arithmetic;
use super::ast::{Ast, Literal, Op};
use super::calls;
use super::canonical::Scope;
use super::compare::{how, resolved};
use super::decimal::Decimal;
use super::node::{Chain, Kind, Node};
use super::problem::{Problem, Result, unsupported};
use super::types::{MAX_SCALE, Text, TextKind, Type};
use super::value::Val;
use crate::table::CollationKind;

/// The expression for rows of these columns.
pub(crate) fn bind(ast: &Ast, scope: &Scope) -> Result<Node> {
    Binder { scope }.node(ast, false)
}

struct Binder<'s> {
    scope: &'s Scope,
}

impl Binder<'_> {
    fn boxed(&self, ast: &Ast) -> Result<Box<Node>> {
        self.node(ast, false).map(Box::new)
    }

    // `is_bare`: a comparison or a cast stands directly above.
    fn node(&self, ast: &Ast, is_bare: bool) -> Result<Node> {
        let truth = |kind| Ok(Node { kind, of: Type::Bool });
        match ast {
            Ast::Literal(literal) => value(literal),
            Ast::Column(name) => match self.scope.find(name) {
                Some((_, Type::Other)) => unsupported(&format!("the type of column {name}")),
                Some((at, of)) => Ok(Node { kind: Kind::Column(at), of: of.clone() }),
                None => Err(Problem::Fails(format!("there is no column {name}"))),
            },
            Ast::Minus(inner) => minus(self.node(inner, false)?),
            Ast::Not(inner) => {
                let inner = self.boxed(inner)?;
                let of = if inner.of == Type::Null { Type::Null } else { Type::Bool };
                Ok(Node { kind: Kind::Not(condition(inner)?), of })
            }
            Ast::Binary(op @ (Op::And | Op::Or | Op::Xor), left, right) => {
                let (left, right) = (condition(self.boxed(left)?)?, condition(self.boxed(right)?)?);
                truth(match op {
                    Op::And => Kind::And(left, right),
                    Op::Or => Kind::Or(left, right),
                    _ => Kind::Xor(left, right),
                })
            }
            Ast::Binary(op, left, right) if op.is_comparison() => {
                compared(*op, self.node(left, true)?, self.node(right, true)?)
            }
            Ast::Binary(..) => self.arithmetic(ast, Chain { rounds: !is_bare, is_bare, quotients: 0 }, true),
            Ast::IsNull(inner) => truth(Kind::IsNull(self.boxed(inner)?)),
            Ast::IsTruth(wanted, inner) => truth(Kind::IsTruth(*wanted, condition(self.boxed(inner)?)?)),
            Ast::In(left, list) => {
                let left = self.node(left, true)?;
                let one = |ast: &Ast| {
                    let right = self.node(ast, true)?;
                    Ok((how(&left, &right, false)?, right))
                };
                let list = list.iter().map(one).collect::<Result<Vec<_>>>()?;
                truth(Kind::In(Box::new(left), list))
            }
            Ast::Between(value, low, high) => {
                let part = |ast: &Ast| self.node(ast, true);
                let from = compared(Op::LessOrEqual, part(low)?, part(value)?)?;
                let to = compared(Op::GreaterOrEqual, part(high)?, part(value)?)?;
                truth(Kind::And(Box::new(from), Box::new(to)))
            }
            Ast::Like(value, pattern) => {
                let (value, pattern) = (self.boxed(value)?, self.boxed(pattern)?);
                let (Type::Text(a), Type::Text(b)) = (&value.of, &pattern.of) else {
                    return unsupported("LIKE between other things than texts");
                };
                let collation = resolved(a, b)?.0;
                if collation == CollationKind::Unknown {
                    return unsupported("LIKE under this collation");
                }
                truth(Kind::Like(collation, value, pattern))
            }
            Ast::Case { operand, branches, otherwise } => {
                self.case(operand.as_deref(), branches, otherwise.as_deref())
            }
            Ast::Cast(inner, to) => {
                let inner = self.node(inner, true)?;
                if calls::is_void(&inner, to)? {
                    return Ok(inner);
                }
                let of = calls::cast_type(&inner, to)?;
                Ok(Node { kind: Kind::Cast(Box::new(inner), to.clone()), of })
            }
            Ast::Collate(..) => unsupported("COLLATE"),
            Ast::Trim { side, pattern, text } => {
                let (pattern, text) = (self.boxed(pattern)?, self.boxed(text)?);
                let (Type::Text(of), Type::Text(_)) = (&text.of, &pattern.of) else {
                    return unsupported("TRIM of other things than texts");
                };
                let of = Type::Text(*of);
                Ok(Node { kind: Kind::Trim(*side, pattern, text), of })
            }
            Ast::Interval(..) => unsupported("INTERVAL"),
            Ast::Call(function, arguments) if function.name == "nullif" => {
                let [left, right] = arguments.as_slice() else { return unsupported("NULLIF") };
                let equal = compared(Op::Equal, self.node(left, true)?, self.node(right, true)?)?;
                let left = self.boxed(left)?;
                let of = left.of.clone();
                Ok(Node { kind: Kind::NullIf(Box::new(equal), left), of })
            }
            Ast::Call(function, arguments) => {
                let mut nodes = arguments.iter().map(|a| self.node(a, false)).collect::<Result<Vec<_>>>()?;
                if let ("if", Some(first)) = (function.name, nodes.first_mut()) {
                    *first = *condition(Box::new(first.clone()))?;
                }
                let of = calls::call_type(function, &nodes)?;
                Ok(Node { kind: Kind::Call(function, nodes), of })
            }
        }
    }

    fn case(&self, operand: Option<&Ast>, branches: &[(Ast, Ast)], otherwise: Option<&Ast>) -> Result<Node> {
        let mut bound = Vec::new();
        let mut of = Type::Null;
        for (when, then) in branches {
            let condition = match operand {
                Some(operand) => compared(Op::Equal, self.node(operand, true)?, self.node(when, true)?)?,
                None => *condition(self.boxed(when)?)?,
            };
            let value = self.node(then, false)?;
            of = general(&of, &value.of)?;
            bound.push((condition, value));
        }
        let otherwise = otherwise.map(|ast| self.boxed(ast)).transpose()?;
        if let Some(otherwise) = &otherwise {
            of = general(&of, &otherwise.of)?;
        }
        Ok(Node { kind: Kind::Case(bound, otherwise), of })
    }

    fn arithmetic(&self, ast: &Ast, chain: Chain, is_top: bool) -> Result<Node> {
        let Ast::Binary(op, left, right) = ast else { return self.node(ast, false) };
        if op.is_comparison() || matches!(op, Op::And | Op::Or | Op::Xor) {
            return self.node(ast, false);
        }
        let mut own = Chain { rounds: chain.rounds && is_top, ..chain };
        if *op == Op::Divide && own.quotients == 0 && !own.is_bare {
            own.quotients = quotients(ast);
        }
        if own.is_bare {
            own.quotients = -1;
        }
        let left = self.arithmetic(left, own, false)?;
        let right = self.arithmetic(right, own, false)?;
        let of = arithmetic::type_of(*op, &left, &right, own)?;
        Ok(Node { kind: Kind::Arithmetic(*op, Box::new(left), Box::new(right), own), of })
    }
}

fn compared(op: Op, left: Node, right: Node) -> Result<Node> {
    let ordered = !matches!(op, Op::Equal | Op::Same);
    let how = how(&left, &right, ordered)?;
    Ok(Node { kind: Kind::Compare(op, how, Box::new(left), Box::new(right)), of: Type::Bool })
}

// How many quotients stand one in the other at the left.
fn quotients(ast: &Ast) -> i32 {
    match ast {
        Ast::Binary(op, ..) if op.is_comparison() || matches!(op, Op::And | Op::Or | Op::Xor) => 0,
        Ast::Binary(Op::Divide, left, _) => quotients(left).saturating_add(1),
        Ast::Binary(_, left, _) => quotients(left),
        _ => 0,
    }
}

fn value(literal: &Literal) -> Result<Node> {
    let (value, of) = match literal {
        Literal::Null => (Val::Null, Type::Null),
        Literal::Bool(truth) => (Val::Bool(*truth), Type::Bool),
        Literal::Integer(digits) => match Type::of_integer(digits) {
            Some(of @ Type::Int { signed: true, .. }) => (digits.parse().map_or(Val::Null, Val::Int), of),
            Some(of) => (digits.parse().map_or(Val::Null, Val::Uint), of),
            None => return unsupported(&format!("the number {digits}")),
        },
        Literal::Decimal(text) => {
            let Some(n) = Decimal::parse(text).filter(|n| n.scale() <= MAX_SCALE) else {
                return unsupported(&format!("the number {text}"));
            };
            let of = Type::Decimal { precision: n.written_precision(), scale: n.scale(), of_column: false };
            (Val::Decimal(n), of)
        }
        Literal::Float(n) => (Val::Float(*n), Type::Float64),
        Literal::Text(text) => (Val::Text(text.clone()), Type::LONG_TEXT),
        Literal::Bytes(bytes) => {
            (Val::Bytes(bytes.clone()), Type::Bytes { length: 4_294_967_295, is_fixed: false })
        }
        Literal::Bits(n) => (Val::Uint(*n), Type::UINT64),
    };
    Ok(Node { kind: Kind::Value(value), of })
}

/// Something that is asked for its truth.
fn condition(node: Box<Node>) -> Result<Box<Node>> {
    match node.of {
        Type::Null | Type::Bool | Type::Int { .. } | Type::Float32 | Type::Float64 | Type::Decimal { .. } => {
            Ok(node)
        }
        _ => unsupported("a text, document or moment as a truth"),
    }
}

fn minus(inner: Node) -> Result<Node> {
    let of = match &inner.of {
        Type::Int { bits: 8 | 16 | 32, signed: true } => Type::INT64,
        of @ (Type::Int { signed: true, .. } | Type::Float64 | Type::Decimal { .. }) => of.clone(),
        _ => return unsupported("a minus before such a value"),
    };
    Ok(Node { kind: Kind::Minus(Box::new(inner)), of })
}

/// The type that two values have in common (`GeneralizeTypes` in `sql/types/conversion.go`).
pub(crate) fn general(a: &Type, b: &Type) -> Result<Type> {
    use Type as T;
    let of_column = |t: &T| matches!(t, T::Decimal { of_column: true, .. });
    if a == b && !of_column(a) {
        return Ok(a.clone());
    }
    Ok(match (a, b) {
        (T::Null, other) | (other, T::Null) => other.clone(),
        (T::Decimal { precision, scale, .. }, T::Decimal { precision: other, scale: beside, .. })
            if (precision, scale) == (other, beside) =>
        {
            a.clone()
        }
        (T::Text(x), T::Text(y)) => {
            let (collation, coercibility) = resolved(x, y)?;
            T::Text(Text { kind: TextKind::LONG, collation, coercibility })
        }
        // One byte is one for the other too.
        (T::Bool, T::Int { bits: 8, signed: true }) | (T::Int { bits: 8, signed: true }, T::Bool) => {
            a.clone()
        }
        (T::Date, T::Datetime(_)) | (T::Datetime(_), T::Date | T::Datetime(_)) => T::Datetime(6),
        (a, b) if a.is_integer() && b.is_integer() => integers(a, b),
        (a, b) if plain(a) && plain(b) && (a.is_float() || b.is_float()) => T::Float64,
        (a, b) if plain(a) && plain(b) => {
            T::Decimal { precision: super::types::MAX_PRECISION, scale: MAX_SCALE, of_column: false }
        }
        (a, T::Text(text)) | (T::Text(text), a) if plain(a) => {
            T::Text(Text { kind: TextKind::LONG, ..*text })
        }
        _ => return unsupported("values of such types in one place"),
    })
}

fn plain(t: &Type) -> bool {
    t.is_integer() || matches!(t, Type::Float64 | Type::Decimal { .. })
}

fn integers(a: &Type, b: &Type) -> Type {
    let bits = |t: &Type| match t {
        Type::Int { bits, signed } => (*bits, *signed),
        _ => (1, true),
    };
    let ((x, x_signed), (y, y_signed)) = (bits(a), bits(b));
    let is_mixed = x_signed || y_signed;
    let has = |bits: u8, signed: bool| (x, x_signed) == (bits, signed) || (y, y_signed) == (bits, signed);
    // From the widest to the narrowest: an unsigned one beside a signed one needs the next size.
    for (bits, next) in [(64, 0), (32, 64), (24, 32), (16, 24), (8, 16)] {
        if has(bits, false) {
            return match (is_mixed, bits) {
                (true, 64) => {
                    Type::Decimal { precision: super::types::MAX_PRECISION, scale: 0, of_column: false }
                }
                (true, _) => Type::Int { bits: next, signed: true },
                (false, _) => Type::Int { bits, signed: false },
            };
        }
        if has(bits, true) {
            return Type::Int { bits, signed: true };
        }
    }
    Type::Bool
}
