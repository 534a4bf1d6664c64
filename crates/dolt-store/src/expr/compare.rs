//! Comparisons: which type both sides are brought to, and what comes out (go-mysql-server `sql/expression/comparison.go`,
//! `castLeftAndRight`).

use std::cmp::Ordering;

use super::moment::moment_of_text;
use super::node::Node;
use super::problem::{Result, unsupported};
use super::types::{Text, Type};
use super::value::Val;
use crate::table::CollationKind;

/// How two values are compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum How {
    /// One of them is always NULL.
    Null,
    /// Whole numbers of one sign.
    Whole,
    Float,
    /// As decimals, both rounded first to the digits of a column.
    Decimal(Option<u32>),
    Text(CollationKind),
    Bytes,
    Moment,
    /// A member of these, and a text.
    Member(Vec<String>),
}

/// How two values are compared; `ordered`: with `<` and its like.
pub(crate) fn how(left: &Node, right: &Node, ordered: bool) -> Result<How> {
    let how = how_types(&left.of, &right.of, ordered)?;
    if !matches!(how, How::Text(_) | How::Null) && (left.is_unfetched() || right.is_unfetched()) {
        return unsupported("comparing a long text with something else");
    }
    Ok(how)
}

fn how_types(left: &Type, right: &Type, ordered: bool) -> Result<How> {
    use Type as T;
    Ok(match (left, right) {
        (T::Null, _) | (_, T::Null) => How::Null,
        (T::Enum(members), T::Text(text)) | (T::Text(text), T::Enum(members)) if !ordered => {
            if text.coercibility != 4 || members.collation != CollationKind::Bytes {
                return unsupported("comparing members with such a text");
            }
            How::Member(members.names.clone())
        }
        (T::Text(a), T::Text(b)) => {
            let collation = resolved(a, b)?.0;
            if collation == CollationKind::Unknown || (ordered && collation != CollationKind::Bytes) {
                return unsupported("comparing texts under their collation");
            }
            How::Text(collation)
        }
        (T::Bytes { .. }, T::Bytes { .. }) => How::Bytes,
        (a, b) if (a.is_time() && (b.is_time() || b.is_text())) || (b.is_time() && a.is_text()) => {
            How::Moment
        }
        (a, b) if is_plain_number(a) && is_plain_number(b) => numbers(a, b)?,
        (a, b) if (is_plain_number(a) && b.is_text()) || (is_plain_number(b) && a.is_text()) => {
            if a.is_decimal() || b.is_decimal() { decimals(a, b)? } else { How::Float }
        }
        _ => return unsupported("a comparison of such types"),
    })
}

fn is_plain_number(t: &Type) -> bool {
    t.is_number() && !matches!(t, Type::Bit(_))
}

fn numbers(a: &Type, b: &Type) -> Result<How> {
    Ok(if a.is_decimal() || b.is_decimal() {
        decimals(a, b)?
    } else if (a.is_signed() && b.is_signed()) || (a.is_unsigned() && b.is_unsigned()) {
        How::Whole
    } else {
        How::Float
    })
}

// The left type compares if it is a decimal, else the right one; one of a column rounds both sides to its digits.
fn decimals(a: &Type, b: &Type) -> Result<How> {
    if matches!(a, Type::Float32) || matches!(b, Type::Float32) {
        return unsupported("comparing a decimal with a float of 32 bits");
    }
    let by = if a.is_decimal() { a } else { b };
    Ok(How::Decimal(match by {
        Type::Decimal { scale, of_column: true, .. } => Some(*scale),
        _ => None,
    }))
}

/// The collation under which two texts meet, and how strongly it holds.
pub(crate) fn resolved(a: &Text, b: &Text) -> Result<(CollationKind, u8)> {
    match a.coercibility.cmp(&b.coercibility) {
        Ordering::Less => Ok((a.collation, a.coercibility)),
        Ordering::Greater => Ok((b.collation, b.coercibility)),
        Ordering::Equal if a.collation == b.collation => Ok((a.collation, a.coercibility)),
        Ordering::Equal => unsupported("texts of different collations together"),
    }
}

/// Compares two values. `None`: one is NULL.
pub(crate) fn compare(how: &How, left: &Val, right: &Val) -> Result<Option<Ordering>> {
    if left.is_null() || right.is_null() || *how == How::Null {
        return Ok(None);
    }
    Ok(Some(match how {
        How::Null => return Ok(None),
        How::Whole => match (left.integer(), right.integer()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => return unsupported("a whole number that is none"),
        },
        How::Float => {
            let (a, b) = (left.float()?, right.float()?);
            match a.partial_cmp(&b) {
                Some(order) => order,
                None => return unsupported("comparing what is no number"),
            }
        }
        How::Decimal(scale) => {
            let brought = |v: &Val| {
                let n = v.decimal()?;
                let kept = match scale {
                    Some(scale) => n.scaled(*scale),
                    None => n.rounded(super::types::MAX_SCALE),
                };
                kept.map_or_else(|| unsupported("a number of so many digits"), Ok)
            };
            match brought(left)?.compare(&brought(right)?) {
                Some(order) => order,
                None => return unsupported("numbers of so many digits"),
            }
        }
        How::Text(collation) => {
            let (a, b) = (left.text()?, right.text()?);
            match (collation.fold(&a), collation.fold(&b)) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => return unsupported("comparing texts under their collation"),
            }
        }
        How::Bytes => match (left, right) {
            (Val::Bytes(a), Val::Bytes(b)) => a.cmp(b),
            _ => return unsupported("bytes that are none"),
        },
        How::Moment => moment(left)?.cmp(&moment(right)?),
        How::Member(names) => {
            let number = |v: &Val| match v {
                Val::Enum(n) => Ok(usize::from(*n)),
                Val::Text(text) => match names.iter().position(|name| name == text) {
                    Some(at) => Ok(at.saturating_add(1)),
                    None => unsupported("comparing a member with a text that is none"),
                },
                _ => unsupported("comparing a member with such a value"),
            };
            number(left)?.cmp(&number(right)?)
        }
    }))
}

fn moment(value: &Val) -> Result<i64> {
    match value {
        Val::Moment(micros) => Ok(*micros),
        Val::Text(text) => moment_of_text(text),
        _ => unsupported("such a value as a moment"),
    }
}

/// Whether a text is like a pattern: `%` any characters, `_` one, `\` takes the next one as it is.
pub(crate) fn like(collation: CollationKind, text: &str, pattern: &str) -> Result<bool> {
    let (Some(text), Some(_)) = (collation.fold(text), collation.fold(pattern)) else {
        return unsupported("LIKE under this collation");
    };
    let mut nodes = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        nodes.push(match c {
            '%' => Piece::Any,
            '_' => Piece::One,
            '\\' => match chars.next() {
                Some(next) => Piece::Char(folded(collation, next)),
                None => return unsupported("a pattern that ends with a backslash"),
            },
            other => Piece::Char(folded(collation, other)),
        });
    }
    Ok(matches(&text.chars().collect::<Vec<_>>(), &nodes))
}

#[derive(Clone, Copy, PartialEq)]
enum Piece {
    Any,
    One,
    Char(char),
}

fn folded(collation: CollationKind, c: char) -> char {
    collation.fold(c.encode_utf8(&mut [0; 4])).and_then(|text| text.chars().next()).unwrap_or(c)
}

// The last `%` is gone back to; those before it need not be.
fn matches(text: &[char], pattern: &[Piece]) -> bool {
    let (mut t, mut p) = (0usize, 0usize);
    let mut back: Option<(usize, usize)> = None;
    while let Some(c) = text.get(t) {
        match pattern.get(p) {
            Some(Piece::Any) => {
                back = Some((t, p));
                p = p.saturating_add(1);
            }
            Some(Piece::One) => (t, p) = (t.saturating_add(1), p.saturating_add(1)),
            Some(Piece::Char(wanted)) if wanted == c => (t, p) = (t.saturating_add(1), p.saturating_add(1)),
            _ => {
                let Some((from, at)) = back else { return false };
                back = Some((from.saturating_add(1), at));
                (t, p) = (from.saturating_add(1), at.saturating_add(1));
            }
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|piece| *piece == Piece::Any)
}
