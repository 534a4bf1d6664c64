//! From the text of an expression to its [`Ast`]. The text is parsed by `sqlparser`, whose dialect of `MySQL` binds some
//! operators otherwise than Dolt's parser (vitess `sqlparser/sql.y`) and takes more than it. So nothing is believed: strings
//! are unescaped here, only known tokens and known shapes pass, and a tree that Dolt's precedences would not give is refused.

use sqlparser::ast as sql;
use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator, Value,
};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

use super::ast::{Ast, CastTo, Literal, Op, Side};
use super::functions::Function;

/// A text with more tokens is refused: the depth of its tree must fit on any stack.
const MAX_TOKENS: usize = 2_000;
/// How deep expressions may be nested.
const MAX_DEPTH: usize = 60;
/// What is deeper is parsed on a stack of its own: a level costs `sqlparser` up to a hundred kilobytes where nothing is optimized.
const SHALLOW: usize = 10;
const DEEP_STACK: usize = 32 << 20;

type Result<T> = std::result::Result<T, String>;

/// An expression, and how it was written.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) ast: Ast,
    /// Whether parentheses stand around all of it.
    pub(crate) is_enclosed: bool,
    /// Whether what stands inside of those, or else all of it, is what Dolt's grammar calls a value: no comparison, no `AND`.
    pub(crate) is_value: bool,
}

/// Reads an expression. What is wrong or unknown is told in words.
pub(crate) fn parse(text: &str) -> Result<Parsed> {
    let dialect = MySqlDialect {};
    let tokens = Tokenizer::new(&dialect, text).with_unescape(false).tokenize().map_err(|e| e.to_string())?;
    parse_tokens(tokens.into_iter().filter(|t| !is_blank(t)).collect())
}

/// The same of tokens, none of them blank, as the tokenizer gives them that leaves texts as they are written.
pub(crate) fn parse_tokens(tokens: Vec<Token>) -> Result<Parsed> {
    if tokens.len() > MAX_TOKENS {
        return Err(format!("it has more than {MAX_TOKENS} words and signs"));
    }
    if let Some(token) = tokens.iter().find(|t| !is_known(t)) {
        return Err(format!("{token} is not understood"));
    }
    let is_text = |t: &Token| matches!(t, Token::SingleQuotedString(_) | Token::DoubleQuotedString(_));
    if tokens.windows(2).any(|pair| pair.iter().all(is_text)) {
        return Err("texts side by side are not understood".to_owned());
    }
    if depth(&tokens) <= SHALLOW {
        return parsed(tokens);
    }
    let deep = std::thread::Builder::new().stack_size(DEEP_STACK).spawn(|| parsed(tokens));
    let deep =
        deep.map_err(|e| format!("it is nested too deep for this thread, and there is no other: {e}"))?;
    deep.join().unwrap_or_else(|_| Err("it could not be parsed".to_owned()))
}

fn parsed(tokens: Vec<Token>) -> Result<Parsed> {
    let dialect = MySqlDialect {};
    let mut parser = Parser::new(&dialect).with_recursion_limit(MAX_DEPTH).with_tokens(tokens);
    let expr = parser.parse_expr().map_err(|e| e.to_string())?;
    match parser.peek_token().token {
        Token::EOF => {
            let inner = if let Expr::Nested(inner) = &expr { inner } else { &expr };
            let is_value = strength(inner)? >= VALUE;
            Ok(Parsed { ast: node(&expr, 0)?, is_enclosed: matches!(expr, Expr::Nested(_)), is_value })
        }
        rest => Err(format!("{rest} follows the expression")),
    }
}

// How deep the parser may go, or less: parentheses and `CASE` that are open, and everything that may stand before an operand.
fn depth(tokens: &[Token]) -> usize {
    let (mut open, mut before, mut deepest) = (0usize, 0usize, 0usize);
    for token in tokens {
        match token {
            Token::LParen => open = open.saturating_add(1),
            Token::RParen => open = open.saturating_sub(1),
            Token::Minus | Token::Plus => before = before.saturating_add(1),
            Token::Word(word) if word.quote_style.is_none() => match word.value.to_ascii_lowercase().as_str()
            {
                "case" => open = open.saturating_add(3),
                "end" => open = open.saturating_sub(3),
                "not" | "interval" | "binary" => before = before.saturating_add(1),
                _ => {}
            },
            _ => {}
        }
        deepest = deepest.max(open.saturating_add(before));
    }
    deepest
}

/// Whether it only keeps others apart. Comments are none of these.
pub(crate) fn is_blank(token: &Token) -> bool {
    matches!(token, Token::Whitespace(Whitespace::Space | Whitespace::Newline | Whitespace::Tab))
}

fn is_known(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(word.quote_style, None | Some('`')) && !word.value.starts_with('@'),
        Token::Number(_, is_long) => !is_long,
        Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::HexStringLiteral(_)
        | Token::SingleQuotedByteStringLiteral(_)
        | Token::Comma
        | Token::Eq
        | Token::Neq
        | Token::Lt
        | Token::Gt
        | Token::LtEq
        | Token::GtEq
        | Token::Spaceship
        | Token::Plus
        | Token::Minus
        | Token::Mul
        | Token::Div
        | Token::Mod
        | Token::StringConcat
        | Token::LParen
        | Token::RParen
        | Token::Arrow
        | Token::LongArrow => true,
        _ => false,
    }
}

/// How strongly an expression holds together in Dolt's grammar: `OR` least, then `XOR`, `AND`, `NOT`, comparisons and `IS`,
/// sums, products, signs; what stands in parentheses most.
fn strength(expr: &Expr) -> Result<u8> {
    Ok(match expr {
        Expr::BinaryOp { op, .. } => match op {
            BinaryOperator::Or | BinaryOperator::StringConcat => 1,
            BinaryOperator::Xor => 2,
            BinaryOperator::And => 3,
            BinaryOperator::Plus | BinaryOperator::Minus => 9,
            BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::MyIntegerDivide
            | BinaryOperator::Modulo => 10,
            BinaryOperator::Arrow | BinaryOperator::LongArrow => 20,
            other => {
                comparison(other)?;
                5
            }
        },
        Expr::UnaryOp { op: UnaryOperator::Not, .. } => 4,
        Expr::UnaryOp { .. } => 13,
        Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_) => IS,
        Expr::InList { .. } | Expr::Between { .. } | Expr::Like { .. } | Expr::RLike { .. } => 5,
        Expr::Collate { .. } => 14,
        Expr::Interval(_) => 15,
        _ => 20,
    })
}

// `IS` takes comparisons at its left, and comparisons do not take it.
const IS: u8 = 5;
const VALUE: u8 = 6;

// An operand, if Dolt would read it as one of something that needs so much strength.
fn operand(expr: &Expr, least: u8, depth: usize) -> Result<Ast> {
    if strength(expr)? < least {
        return Err(format!("what {expr} belongs to depends on the parser; parentheses would tell"));
    }
    node(expr, depth)
}

fn boxed(expr: &Expr, least: u8, depth: usize) -> Result<Box<Ast>> {
    operand(expr, least, depth).map(Box::new)
}

fn node(expr: &Expr, depth: usize) -> Result<Ast> {
    if depth > MAX_DEPTH {
        return Err(format!("it is nested more than {MAX_DEPTH} deep"));
    }
    let depth = depth.saturating_add(1);
    let not = |negated: bool, ast: Ast| if negated { Ast::Not(Box::new(ast)) } else { ast };
    Ok(match expr {
        Expr::Nested(inner) => node(inner, depth)?,
        Expr::Identifier(ident) => Ast::Column(name(ident)),
        Expr::Value(value) => Ast::Literal(literal(&value.value)?),
        Expr::Prefixed { prefix, value } if prefix.value.eq_ignore_ascii_case("_utf8mb4") => {
            node(value, depth)?
        }
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => Ast::Not(boxed(expr, 4, depth)?),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => operand(expr, 13, depth)?,
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => minus(expr, depth)?,
        Expr::BinaryOp { left, op, right } => binary(left, op, right, depth)?,
        Expr::IsNull(inner) => Ast::IsNull(boxed(inner, IS, depth)?),
        Expr::IsNotNull(inner) => not(true, Ast::IsNull(boxed(inner, IS, depth)?)),
        Expr::IsTrue(inner) => Ast::IsTruth(true, boxed(inner, IS, depth)?),
        Expr::IsNotTrue(inner) => not(true, Ast::IsTruth(true, boxed(inner, IS, depth)?)),
        Expr::IsFalse(inner) => Ast::IsTruth(false, boxed(inner, IS, depth)?),
        Expr::IsNotFalse(inner) => not(true, Ast::IsTruth(false, boxed(inner, IS, depth)?)),
        Expr::InList { expr, list, negated } => {
            let list = list.iter().map(|e| node(e, depth)).collect::<Result<Vec<_>>>()?;
            not(*negated, Ast::In(boxed(expr, VALUE, depth)?, list))
        }
        Expr::Between { expr, negated, low, high } => {
            let part = |e: &Expr| boxed(e, VALUE, depth);
            not(*negated, Ast::Between(part(expr)?, part(low)?, part(high)?))
        }
        Expr::Like { negated, any: false, expr, pattern, escape_char: None } => {
            not(*negated, Ast::Like(boxed(expr, VALUE, depth)?, boxed(pattern, VALUE, depth)?))
        }
        Expr::RLike { negated, expr, pattern, .. } => {
            let arguments = vec![operand(expr, VALUE, depth)?, operand(pattern, VALUE, depth)?];
            not(*negated, call("regexp_like", arguments)?)
        }
        Expr::Case { operand, conditions, else_result, .. } => {
            let part = |e: &Expr| node(e, depth).map(Box::new);
            let branches =
                conditions.iter().map(|c| Ok((node(&c.condition, depth)?, node(&c.result, depth)?)));
            Ast::Case {
                operand: operand.as_deref().map(part).transpose()?,
                branches: branches.collect::<Result<_>>()?,
                otherwise: else_result.as_deref().map(part).transpose()?,
            }
        }
        Expr::Cast { kind: sql::CastKind::Cast, expr, data_type, format: None } => {
            Ast::Cast(Box::new(node(expr, depth)?), cast_to(data_type)?)
        }
        Expr::Convert { is_try: false, expr, data_type: Some(data_type), charset: None, styles, .. }
            if styles.is_empty() =>
        {
            Ast::Cast(Box::new(node(expr, depth)?), cast_to(data_type)?)
        }
        Expr::Collate { expr, collation } => Ast::Collate(boxed(expr, 13, depth)?, collation.to_string()),
        Expr::Interval(interval) => interval_of(interval, depth)?,
        Expr::Trim { trim_where, trim_what, expr, trim_characters: None } => {
            let side = match trim_where {
                None | Some(sql::TrimWhereField::Both) => Side::Both,
                Some(sql::TrimWhereField::Leading) => Side::Leading,
                Some(sql::TrimWhereField::Trailing) => Side::Trailing,
            };
            let pattern = match trim_what {
                Some(what) => node(what, depth)?,
                None => Ast::Literal(Literal::Text(" ".to_owned())),
            };
            Ast::Trim { side, pattern: Box::new(pattern), text: Box::new(node(expr, depth)?) }
        }
        Expr::Substring { expr, substring_from: Some(from), substring_for, special: true, .. } => {
            let mut arguments = vec![node(expr, depth)?, node(from, depth)?];
            arguments.extend(substring_for.iter().map(|e| node(e, depth)).collect::<Result<Vec<_>>>()?);
            call("substring", arguments)?
        }
        Expr::Ceil { expr, field: sql::CeilFloorKind::DateTimeField(sql::DateTimeField::NoDateTime) } => {
            call("ceil", vec![node(expr, depth)?])?
        }
        Expr::Floor { expr, field: sql::CeilFloorKind::DateTimeField(sql::DateTimeField::NoDateTime) } => {
            call("floor", vec![node(expr, depth)?])?
        }
        Expr::Function(function) => function_call(function, depth)?,
        other => return Err(format!("{other} is not understood")),
    })
}

// A quoted name comes as it is written, so that a mark inside of it is doubled.
fn name(ident: &sql::Ident) -> String {
    if ident.quote_style == Some('`') { ident.value.replace("``", "`") } else { ident.value.clone() }
}

fn minus(expr: &Expr, depth: usize) -> Result<Ast> {
    let inner = operand(expr, 13, depth)?;
    // A whole number that is written with a minus is one literal.
    Ok(match (expr, inner) {
        (Expr::Value(_), Ast::Literal(Literal::Integer(digits))) if !digits.starts_with('-') => {
            Ast::Literal(Literal::Integer(if digits == "0" { digits } else { format!("-{digits}") }))
        }
        (Expr::UnaryOp { .. }, _) => return Err(format!("a minus before {expr} is not understood")),
        (_, inner) => Ast::Minus(Box::new(inner)),
    })
}

fn binary(left: &Expr, op: &BinaryOperator, right: &Expr, depth: usize) -> Result<Ast> {
    let build = |op: Op, at_left: u8, at_right: u8| -> Result<Ast> {
        Ok(Ast::Binary(op, boxed(left, at_left, depth)?, boxed(right, at_right, depth)?))
    };
    match op {
        BinaryOperator::Or | BinaryOperator::StringConcat => build(Op::Or, 1, 2),
        BinaryOperator::Xor => build(Op::Xor, 2, 3),
        BinaryOperator::And => build(Op::And, 3, 4),
        BinaryOperator::Plus => build(Op::Plus, 9, 10),
        BinaryOperator::Minus => build(Op::Minus, 9, 10),
        BinaryOperator::Multiply => build(Op::Times, 10, 11),
        BinaryOperator::Divide => build(Op::Divide, 10, 11),
        BinaryOperator::MyIntegerDivide => build(Op::DivideWhole, 10, 11),
        BinaryOperator::Modulo => build(Op::Remainder, 10, 11),
        BinaryOperator::NotEq => Ok(Ast::Not(Box::new(build(Op::Equal, VALUE, VALUE)?))),
        BinaryOperator::Arrow | BinaryOperator::LongArrow => {
            if !matches!(left, Expr::Identifier(_)) || !matches!(right, Expr::Value(_)) {
                return Err(format!("{op} stands between a column and a path"));
            }
            let found = call("json_extract", vec![node(left, depth)?, node(right, depth)?])?;
            if *op == BinaryOperator::Arrow { Ok(found) } else { call("json_unquote", vec![found]) }
        }
        other => build(comparison(other)?, VALUE, VALUE),
    }
}

fn comparison(op: &BinaryOperator) -> Result<Op> {
    Ok(match op {
        BinaryOperator::Eq | BinaryOperator::NotEq => Op::Equal,
        BinaryOperator::Spaceship => Op::Same,
        BinaryOperator::Lt => Op::Less,
        BinaryOperator::LtEq => Op::LessOrEqual,
        BinaryOperator::Gt => Op::Greater,
        BinaryOperator::GtEq => Op::GreaterOrEqual,
        other => return Err(format!("the operator {other} is not understood")),
    })
}

fn interval_of(interval: &sql::Interval, depth: usize) -> Result<Ast> {
    let sql::Interval { value, leading_field: Some(unit), .. } = interval else {
        return Err("an interval without a unit is not understood".to_owned());
    };
    let is_plain = interval.leading_precision.is_none()
        && interval.last_field.is_none()
        && interval.fractional_seconds_precision.is_none()
        && strength(value)? >= 13;
    if !is_plain {
        return Err(format!("{interval} is not understood"));
    }
    Ok(Ast::Interval(Box::new(node(value, depth)?), unit.to_string().to_ascii_uppercase()))
}

fn function_call(function: &sql::Function, depth: usize) -> Result<Ast> {
    let shown = || format!("{function} is not understood");
    let is_plain = !function.uses_odbc_syntax
        && matches!(function.parameters, FunctionArguments::None)
        && function.filter.is_none()
        && function.null_treatment.is_none()
        && function.over.is_none()
        && function.within_group.is_empty();
    let [sql::ObjectNamePart::Identifier(ident)] = function.name.0.as_slice() else { return Err(shown()) };
    if !is_plain || ident.quote_style.is_some() {
        return Err(shown());
    }
    let mut arguments = Vec::new();
    match &function.args {
        FunctionArguments::None => {}
        FunctionArguments::List(list) if list.duplicate_treatment.is_none() && list.clauses.is_empty() => {
            for argument in &list.args {
                let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = argument else { return Err(shown()) };
                arguments.push(node(expr, depth)?);
            }
        }
        _ => return Err(shown()),
    }
    call(&ident.value, arguments)
}

// A call of a function, with what go-mysql-server makes of some of them at once.
fn call(name: &str, mut arguments: Vec<Ast>) -> Result<Ast> {
    if name.eq_ignore_ascii_case("mod") && arguments.len() == 2 {
        let right = arguments.pop().map(Box::new);
        let left = arguments.pop().map(Box::new);
        if let (Some(left), Some(right)) = (left, right) {
            return Ok(Ast::Binary(Op::Remainder, left, right));
        }
    }
    let function = Function::named(name).ok_or_else(|| format!("the function {name} is not known"))?;
    if !function.takes(arguments.len()) {
        return Err(format!("the function {name} with {} arguments is not known", arguments.len()));
    }
    let zero = || Ast::Literal(Literal::Integer("0".to_owned()));
    match (function.name, arguments.len()) {
        ("round", 1) | ("utc_timestamp", 0) => arguments.push(zero()),
        _ => {}
    }
    Ok(Ast::Call(function, arguments))
}

fn literal(value: &Value) -> Result<Literal> {
    Ok(match value {
        Value::Null => Literal::Null,
        Value::Boolean(truth) => Literal::Bool(*truth),
        Value::Number(text, false) => number(text)?,
        Value::SingleQuotedString(raw) => Literal::Text(unescaped(raw, '\'')),
        Value::DoubleQuotedString(raw) => Literal::Text(unescaped(raw, '"')),
        Value::HexStringLiteral(digits) => Literal::Bytes(bytes(digits)?),
        Value::SingleQuotedByteStringLiteral(digits) => {
            Literal::Bits(u64::from_str_radix(digits, 2).map_err(|_| format!("b'{digits}' is no number"))?)
        }
        other => return Err(format!("{other} is not understood")),
    })
}

fn number(text: &str) -> Result<Literal> {
    if text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
        let digits = text.trim_start_matches('0');
        return Ok(Literal::Integer(if digits.is_empty() { "0".to_owned() } else { digits.to_owned() }));
    }
    if text.contains(['e', 'E']) {
        let float: f64 = text.parse().map_err(|_| format!("{text} is no number"))?;
        return if float.is_finite() {
            Ok(Literal::Float(float))
        } else {
            Err(format!("{text} is too large"))
        };
    }
    let is_decimal = text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.matches('.').count() == 1;
    if is_decimal { Ok(Literal::Decimal(text.to_owned())) } else { Err(format!("{text} is no number")) }
}

// As vitess reads strings (`sqlparser/token.go`, `scanString`): `\%` and `\_` lose their backslash.
fn unescaped(raw: &str, quote: char) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('0') => text.push('\0'),
                Some('b') => text.push('\u{8}'),
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('t') => text.push('\t'),
                Some('Z') => text.push('\u{1a}'),
                Some(other) => text.push(other),
                None => {}
            },
            // Two of them stand for one.
            c if c == quote => text.extend(chars.next()),
            other => text.push(other),
        }
    }
    text
}

fn bytes(digits: &str) -> Result<Vec<u8>> {
    let padded = if digits.len().is_multiple_of(2) { digits.to_owned() } else { format!("0{digits}") };
    let pairs = padded.as_bytes().chunks(2).map(|pair| {
        let pair = str::from_utf8(pair).ok()?;
        // A sign is none of a byte's.
        if pair.starts_with('+') { None } else { u8::from_str_radix(pair, 16).ok() }
    });
    pairs.collect::<Option<_>>().ok_or_else(|| format!("0x{digits} has other signs than hexadecimal digits"))
}

fn cast_to(data_type: &sql::DataType) -> Result<CastTo> {
    use sql::{CharacterLength, DataType, ExactNumberInfo, TimezoneInfo};
    let to = |name, length: Option<u64>, scale: Option<i64>| -> Result<CastTo> {
        let small =
            |n: Option<u64>| u32::try_from(n.unwrap_or(0)).map_err(|_| format!("{data_type} is too long"));
        let scale = scale.map(u64::try_from).transpose().map_err(|_| format!("{data_type} is no type"))?;
        Ok(CastTo { name, length: small(length)?, scale: small(scale)? })
    };
    let of = |length: &Option<CharacterLength>| match length {
        None => Ok(None),
        Some(CharacterLength::IntegerLength { length, unit: None }) => Ok(Some(*length)),
        Some(_) => Err(format!("{data_type} is not understood")),
    };
    match data_type {
        DataType::Char(length) | DataType::Character(length) => to("char", of(length)?, None),
        DataType::Date => to("date", None, None),
        DataType::Datetime(digits) => to("datetime", *digits, None),
        DataType::Time(digits, TimezoneInfo::None) => to("time", *digits, None),
        DataType::Decimal(info) | DataType::Dec(info) => match info {
            ExactNumberInfo::None => to("decimal", None, None),
            ExactNumberInfo::Precision(p) => to("decimal", Some(*p), None),
            ExactNumberInfo::PrecisionAndScale(p, s) => to("decimal", Some(*p), Some(*s)),
        },
        DataType::Float(ExactNumberInfo::None) => to("float", None, None),
        DataType::Double(ExactNumberInfo::None) => to("double", None, None),
        DataType::JSON => to("json", None, None),
        DataType::Signed | DataType::SignedInteger => to("signed", None, None),
        DataType::Unsigned | DataType::UnsignedInteger => to("unsigned", None, None),
        other => Err(format!("a cast to {other} is not understood")),
    }
}
