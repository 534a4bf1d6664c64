//! `+ - * / DIV %` with go-mysql-server's types and digits (`sql/expression/arithmetic.go`, `div.go`, `mod.go`). Dolt 1.x and
//! 2.x compute decimals with different libraries; where a digit could differ the value is refused.

use super::ast::Op;
use super::decimal::Decimal;
use super::node::{Chain, Kind, Node};
use super::problem::{Problem, Result, fails, unsupported};
use super::types::{MAX_PRECISION, MAX_SCALE, Type};
use super::value::Val;

/// Digits that a quotient has behind those of its left side.
const QUOTIENT_DIGITS: u32 = 4;
/// Decimals are divided in steps of so many digits.
const STEP: u32 = 9;

/// What an operator gives.
pub(crate) fn type_of(op: Op, left: &Node, right: &Node, chain: Chain) -> Result<Type> {
    let (l, r) = (&left.of, &right.of);
    let known = |t: &Type| {
        t.is_integer() || t.is_text() || matches!(t, Type::Null | Type::Float64 | Type::Decimal { .. })
    };
    if !known(l) || !known(r) {
        return unsupported("arithmetic with such values");
    }
    if left.is_unfetched() || right.is_unfetched() {
        return unsupported("arithmetic with a long text");
    }
    let has_text = l.is_text() || r.is_text();
    Ok(match op {
        _ if (has_text || l.is_float() || r.is_float()) && op != Op::DivideWhole && op != Op::Remainder => {
            Type::Float64
        }
        Op::Divide => {
            let (precision, scale) = match l {
                Type::Decimal { precision, scale, .. } if chain.is_bare => {
                    let scale = scale.saturating_add(QUOTIENT_DIGITS);
                    let scale = (scale / STEP).saturating_add(1).saturating_mul(STEP);
                    (precision.saturating_add(scale), scale)
                }
                Type::Decimal { precision, scale, .. } => {
                    (precision.saturating_add(QUOTIENT_DIGITS), scale.saturating_add(QUOTIENT_DIGITS))
                }
                _ => (MAX_PRECISION, if chain.is_bare { STEP } else { QUOTIENT_DIGITS }),
            };
            limited(precision, scale)
        }
        Op::DivideWhole if l.is_unsigned() || r.is_unsigned() => Type::UINT64,
        Op::DivideWhole => Type::INT64,
        Op::Remainder if has_text => Type::Float64,
        // Whether it is one of floats depends on the last function in it (`getFloatOrMaxDecimalType`).
        Op::Remainder if has_float(left) || has_float(right) => {
            let is_plain = |n: &Node| !has_call(n) && (!has_float(n) || has_float_column(n));
            if !is_plain(left) || !is_plain(right) {
                return unsupported("a remainder of such floats");
            }
            Type::Float64
        }
        // Its digits are those of the decimals and literals in it; nothing that is known here looks at them but `CASE` and
        // comparisons, for which any type of no column is the same.
        Op::Remainder => Type::Decimal { precision: MAX_PRECISION, scale: MAX_SCALE, of_column: false },
        _ => match (l, r) {
            (l, r) if l.is_unsigned() && r.is_unsigned() => Type::UINT64,
            (l, r) if l.is_integer() && r.is_integer() => Type::INT64,
            (
                Type::Decimal { precision, scale, .. },
                Type::Decimal { precision: other, scale: beside, .. },
            ) => {
                let scale = if op == Op::Times { scale.saturating_add(*beside) } else { *scale.max(beside) };
                limited((*precision.max(other)).saturating_add(scale), scale)
            }
            (decimal @ Type::Decimal { .. }, _) | (_, decimal @ Type::Decimal { .. }) => decimal.clone(),
            _ => Type::Float64,
        },
    })
}

fn any(node: &Node, is: &dyn Fn(&Node) -> bool) -> bool {
    is(node)
        || match &node.kind {
            Kind::Minus(a) | Kind::Cast(a, _) => any(a, is),
            Kind::Arithmetic(_, a, b, _) => any(a, is) || any(b, is),
            Kind::Call(_, arguments) => arguments.iter().any(|a| any(a, is)),
            _ => false,
        }
}

fn has_float(node: &Node) -> bool {
    any(node, &|n| n.of.is_float())
}

fn has_float_column(node: &Node) -> bool {
    any(node, &|n| n.of.is_float() && matches!(n.kind, Kind::Column(_)))
}

// Anything but operators, columns and literals.
fn has_call(node: &Node) -> bool {
    any(node, &|n| {
        !matches!(n.kind, Kind::Column(_) | Kind::Value(_) | Kind::Minus(_) | Kind::Arithmetic(..))
    })
}

fn limited(precision: u32, scale: u32) -> Type {
    Type::Decimal { precision: precision.min(MAX_PRECISION), scale: scale.min(MAX_SCALE), of_column: false }
}

/// What is asked of a row again for the digits of a quotient.
pub(crate) type Evaluate<'e> = &'e dyn Fn(&Node) -> Result<Val>;

/// Evaluates an operator.
pub(crate) fn evaluate(node: &Node, evaluate: Evaluate<'_>) -> Result<Val> {
    let Kind::Arithmetic(op, left, right, chain) = &node.kind else { return unsupported("no arithmetic") };
    let (mut l, r) = (evaluate(left)?, evaluate(right)?);
    if l.is_null() || r.is_null() {
        return Ok(Val::Null);
    }
    let many = || Problem::Unsupported("numbers of so many digits".to_owned());
    let result = match op {
        Op::Divide | Op::Remainder if node.of.is_float() => return float(*op, &l, &r),
        Op::Divide => {
            if let (Val::Decimal(n), Type::Decimal { scale, .. }) = (&l, &left.of)
                && *scale > n.scale()
            {
                l = Val::Decimal(n.scaled(*scale).ok_or_else(many)?);
            }
            match quotient(&l.decimal()?, &r.decimal()?)? {
                Some(n) => n,
                None => return Ok(Val::Null),
            }
        }
        Op::DivideWhole => return whole_quotient(left, right, &l, &r),
        Op::Remainder => {
            let by = r.decimal()?;
            if by.is_zero() {
                return Ok(Val::Null);
            }
            let of = l.decimal()?;
            // 2.x refuses where the quotient has more digits than both sides; 1.x does not.
            let whole = of.divided(&by, 0).ok_or_else(many)?;
            if whole.digits() > of.digits().max(by.digits()) {
                return unsupported("a remainder that depends on the version of Dolt");
            }
            return of.remainder(&by).map(Val::Decimal).ok_or_else(many);
        }
        _ => match &node.of {
            Type::Float64 => return float(*op, &l, &r),
            Type::Int { signed, .. } => return whole(*op, *signed, &l, &r),
            _ => {
                let (a, b) = (l.decimal()?, r.decimal()?);
                let result = match op {
                    Op::Plus => a.plus(&b),
                    Op::Minus => a.minus(&b),
                    _ => a.times(&b),
                };
                result.ok_or_else(many)?
            }
        },
    };
    if !chain.rounds {
        return Ok(Val::Decimal(result));
    }
    let (digits, has_quotient) = final_digits(node, 0, evaluate)?;
    if !has_quotient {
        return Ok(Val::Decimal(result));
    }
    result.scaled(digits).map(Val::Decimal).ok_or_else(many)
}

fn float(op: Op, l: &Val, r: &Val) -> Result<Val> {
    let (a, b) = (l.float()?, r.float()?);
    let result = match op {
        Op::Plus => a + b,
        Op::Minus => a - b,
        Op::Times => a * b,
        Op::Divide | Op::Remainder if b == 0.0 => return Ok(Val::Null),
        Op::Divide => a / b,
        _ => a % b,
    };
    if result.is_finite() { Ok(Val::Float(result)) } else { unsupported("a float without end") }
}

// Dolt lets them wrap around; MySQL does not.
fn whole(op: Op, signed: bool, l: &Val, r: &Val) -> Result<Val> {
    let (Some(a), Some(b)) = (l.integer(), r.integer()) else {
        return unsupported("whole numbers that are none");
    };
    // What does not fit into a signed number is cut to the greatest (`convertToInt64`).
    let clamped = |n: i128| i64::try_from(n).unwrap_or(if n < 0 { i64::MIN } else { i64::MAX });
    if signed {
        let (a, b) = (clamped(a), clamped(b));
        return Ok(Val::Int(match op {
            Op::Plus => a.wrapping_add(b),
            Op::Minus => a.wrapping_sub(b),
            _ => a.wrapping_mul(b),
        }));
    }
    let (Ok(a), Ok(b)) = (u64::try_from(a), u64::try_from(b)) else {
        return unsupported("a number below zero");
    };
    Ok(Val::Uint(match op {
        Op::Plus => a.wrapping_add(b),
        Op::Minus => a.wrapping_sub(b),
        _ => a.wrapping_mul(b),
    }))
}

// `None`: divided by zero.
fn quotient(l: &Decimal, r: &Decimal) -> Result<Option<Decimal>> {
    if r.is_zero() {
        return Ok(None);
    }
    let steps = |digits: u32| digits.div_ceil(STEP);
    let mut inc = steps(l.scale().saturating_add(r.scale()).saturating_add(QUOTIENT_DIGITS));
    if l.scale() != 0 && r.scale() != 0 {
        inc = inc.max(steps(l.scale()).saturating_add(steps(r.scale())));
    }
    let scale = inc.saturating_mul(STEP);
    let many = || Problem::Unsupported("numbers of so many digits".to_owned());
    let cut = l.divided(r, scale).ok_or_else(many)?;
    // 1.x rounds two digits further before it cuts; 2.x only cuts.
    let further = l.divided(r, scale.saturating_add(3)).ok_or_else(many)?;
    let rounded =
        further.rounded(scale.saturating_add(2)).and_then(|n| n.truncated(scale)).ok_or_else(many)?;
    if cut != rounded {
        return unsupported("a quotient whose last digit depends on the version of Dolt");
    }
    Ok(Some(cut))
}

fn whole_quotient(left: &Node, right: &Node, l: &Val, r: &Val) -> Result<Val> {
    if left.of.is_text() || right.of.is_text() {
        let by = r.float()?;
        if by == 0.0 {
            return Ok(Val::Null);
        }
        let quotient = (l.float()? / by).floor();
        return match format!("{quotient:.0}").parse() {
            Ok(n) => Ok(Val::Int(n)),
            Err(_) => unsupported("a quotient so large"),
        };
    }
    if left.of.is_integer() && right.of.is_integer() {
        return integer_quotient(left, right, l, r);
    }
    if left.of.is_float() || right.of.is_float() {
        return unsupported("DIV of floats");
    }
    let (of, by) = (l.decimal()?, r.decimal()?);
    if by.is_zero() {
        return Ok(Val::Null);
    }
    let many = || Problem::Unsupported("numbers of so many digits".to_owned());
    let cut = of.divided(&by, 0).ok_or_else(many)?;
    // 1.x rounds to two digits first.
    let rounded =
        of.divided(&by, 3).and_then(|n| n.rounded(2)).and_then(|n| n.truncated(0)).ok_or_else(many)?;
    if cut != rounded {
        return unsupported("a quotient that depends on the version of Dolt");
    }
    match cut.whole().and_then(|n| i64::try_from(n).ok()) {
        Some(n) => Ok(Val::Int(n)),
        None => fails("BIGINT value is out of range"),
    }
}

fn integer_quotient(left: &Node, right: &Node, l: &Val, r: &Val) -> Result<Val> {
    let (Some(of), Some(by)) = (l.integer(), r.integer()) else {
        return unsupported("whole numbers that are none");
    };
    if by == 0 {
        return Ok(Val::Null);
    }
    let Some(quotient) = of.checked_div(by) else { return unsupported("a quotient so large") };
    if left.of.is_unsigned() && right.of.is_unsigned() {
        return u64::try_from(quotient)
            .map_or_else(|_| fails("BIGINT value is out of range"), |n| Ok(Val::Uint(n)));
    }
    match i64::try_from(quotient) {
        Ok(n) => Ok(Val::Int(n)),
        Err(_) if left.of.is_signed() && right.of.is_signed() => unsupported("a quotient so large"),
        Err(_) => fails("BIGINT value is out of range"),
    }
}

// The digits behind the point of the whole chain, and whether a quotient is in it (`getFinalScale`).
fn final_digits(node: &Node, quotients: i32, evaluate: Evaluate<'_>) -> Result<(u32, bool)> {
    let of_type = |t: &Type| if let Type::Decimal { scale, .. } = t { *scale } else { 0 };
    let Kind::Arithmetic(op, left, right, chain) = &node.kind else {
        let own = match &node.kind {
            Kind::Value(Val::Decimal(n)) => n.scale(),
            _ => 0,
        };
        return Ok((own.max(of_type(&node.of)), false));
    };
    let (digits, has_quotient) = match op {
        Op::Divide => {
            let quotients = quotients.saturating_add(1);
            let of_left = if quotients == chain.quotients {
                let value = match evaluate(left)? {
                    Val::Decimal(n) => n.scale(),
                    Val::Float(_) | Val::Float32(_) | Val::Text(_) => {
                        return unsupported("a quotient with floats in it");
                    }
                    _ => 0,
                };
                value.max(of_type(&left.of))
            } else {
                final_digits(left, quotients, evaluate)?.0
            };
            (of_left.saturating_add(QUOTIENT_DIGITS), true)
        }
        Op::DivideWhole => (of_type(&node.of), false),
        _ => {
            let (a, left_has) = final_digits(left, quotients, evaluate)?;
            let (b, right_has) = final_digits(right, quotients, evaluate)?;
            (if *op == Op::Times { a.saturating_add(b) } else { a.max(b) }, left_has || right_has)
        }
    };
    Ok((digits.min(MAX_SCALE), has_quotient))
}
