//! An expression as it was understood: the operators and functions that this crate knows, spelled in one way each.

use super::functions::Function;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ast {
    /// A value that is written out.
    Literal(Literal),
    /// A column by its name, as it was written.
    Column(String),
    /// `-x`.
    Minus(Box<Self>),
    /// `NOT x`.
    Not(Box<Self>),
    /// Two operands.
    Binary(Op, Box<Self>, Box<Self>),
    /// `x IS NULL`.
    IsNull(Box<Self>),
    /// `x IS TRUE`, or `x IS FALSE`.
    IsTruth(bool, Box<Self>),
    /// `x IN (…)`.
    In(Box<Self>, Vec<Self>),
    /// `x BETWEEN low AND high`.
    Between(Box<Self>, Box<Self>, Box<Self>),
    /// `x LIKE pattern`.
    Like(Box<Self>, Box<Self>),
    /// `CASE operand WHEN … THEN … ELSE … END`.
    Case { operand: Option<Box<Self>>, branches: Vec<(Self, Self)>, otherwise: Option<Box<Self>> },
    /// `CAST(x AS type)`.
    Cast(Box<Self>, CastTo),
    /// `x COLLATE name`.
    Collate(Box<Self>, String),
    /// `TRIM(… FROM …)`.
    Trim { side: Side, pattern: Box<Self>, text: Box<Self> },
    /// `INTERVAL n unit`; the unit in upper case. Only beside `+` and `-`, and in functions of time.
    Interval(Box<Self>, String),
    /// A function.
    Call(&'static Function, Vec<Self>),
}

/// A value that is written out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    /// Whole, of any length: a minus perhaps, then digits without leading zeros.
    Integer(String),
    /// Digits with a point, as they were written.
    Decimal(String),
    Float(f64),
    Text(String),
    /// `0x41`, `x'41'`.
    Bytes(Vec<u8>),
    /// `b'101'`.
    Bits(u64),
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Or,
    Xor,
    And,
    Equal,
    /// `<=>`.
    Same,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
    Divide,
    /// `DIV`.
    DivideWhole,
    Remainder,
}

impl Op {
    /// As go-mysql-server prints it.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Or => "OR",
            Self::Xor => "XOR",
            Self::And => "AND",
            Self::Equal => "=",
            Self::Same => "<=>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Divide => "/",
            Self::DivideWhole => "div",
            Self::Remainder => "%",
        }
    }

    /// Whether it compares.
    pub(crate) fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal | Self::Same | Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual
        )
    }
}

/// What a value is cast to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CastTo {
    /// `char`, `decimal`, `signed`, …: go-mysql-server's word.
    pub(crate) name: &'static str,
    /// Characters, bytes, digits, digits of a second. 0: not said.
    pub(crate) length: u32,
    /// Digits behind the point. 0: not said.
    pub(crate) scale: u32,
}

/// Which end is trimmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Both,
    Leading,
    Trailing,
}
