//! Random values of a column, extremes and what just does not fit among them, and how SQL spells each.

use std::fmt::Write;

use dolt_store::table::Value;
use gt::sql::literal;

use super::random::Random;
use super::schema::{Column, Kind};

/// Words that texts are made of: quotes, blanks, characters of every length, what escapes must get right.
const WORDS: [&str; 22] = [
    "a",
    "B",
    "ab",
    "zz",
    " ",
    "it's",
    "\"",
    "\\",
    "%",
    "_",
    "\n",
    "\t",
    "\r",
    "\0",
    "\u{1a}",
    "é",
    "e\u{301}",
    "ß",
    "日本",
    "😀",
    "\u{10ffff}",
    "\u{2028}",
];

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// 1000-01-01, 9999-12-31, in days since 1970.
const FIRST_DAY: i64 = -354_285;
const LAST_DAY: i64 = 2_932_896;

/// What kind of values is wanted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Style {
    /// From a small set, so that some meet again, and such as every program compares alike.
    pub(super) few: bool,
    /// None that does not fit into its column.
    pub(super) fits: bool,
    /// No long ones.
    pub(super) short: bool,
}

/// A value for a column.
pub(super) fn value(column: &Column, style: Style, random: &mut Random) -> Value {
    let in_key = style.few;
    if random.one_in(if column.nullable { 6 } else { 80 }) && (column.nullable || !style.fits) {
        return Value::Null;
    }
    // How often a value is one that is just too much.
    let too_much = |times: usize, random: &mut Random| !style.fits && random.one_in(times);
    match &column.kind {
        Kind::Int(_, bits, unsigned) => int(*bits, *unsigned, style, random),
        Kind::Float => Value::Float(float(in_key, random)),
        Kind::Double => Value::Double(double(in_key, random)),
        Kind::Decimal(digits, scale) => Value::Decimal(decimal(*digits, *scale, style, random)),
        Kind::Bit(bits) => {
            let all = u64::MAX >> (64 - bits);
            let any = random.next() & all;
            let over = if *bits < 64 && too_much(40, random) { all + 1 } else { all };
            Value::Uint(*random.pick(&[0, 1, over, any]))
        }
        Kind::Year => Value::Year(*random.pick(&[0, 1901, 1970, 2026, 2155])),
        Kind::Date => {
            let (year, month, day) = civil(day(in_key, random));
            Value::Date(year, month, day)
        }
        Kind::Time => Value::Time(match random.below(6) {
            0 => 0,
            1 => -1,
            2 => 3_020_399 * SECOND,
            3 => -3_020_399 * SECOND,
            4 if !in_key => random.between(-3_020_399 * SECOND, 3_020_399 * SECOND),
            _ => random.between(-3, 3) * 3600 * SECOND,
        }),
        Kind::Datetime(_) => {
            let (day, clock) = (day(in_key, random), clock(in_key, random));
            // The last moment is rounded to one that there is not.
            Value::Datetime(day * DAY + if style.fits && day == LAST_DAY { 0 } else { clock })
        }
        Kind::Timestamp(_) => {
            let last = 2_147_483_647 * SECOND;
            let any = random.between(SECOND, last);
            let over =
                if too_much(8, random) { *random.pick(&[SECOND - 1, last + SECOND, -DAY]) } else { any };
            Value::Datetime(*random.pick(&[SECOND, last, 86_400 * SECOND, any / SECOND * SECOND, any, over]))
        }
        Kind::Char(n) | Kind::Varchar(n) => Value::Text(short_text(*n, style, random)),
        Kind::Binary(n) | Kind::Varbinary(n) => {
            let count = length(*n, style, random);
            Value::Bytes(if in_key { vec![*random.pick(b"\0a\xff"); count] } else { random.bytes(count) })
        }
        Kind::Text(_, limit) => Value::Text(long_text(*limit, style, random)),
        Kind::Blob(_, limit) => {
            let count = long_length(*limit, style, random);
            Value::Bytes(random.bytes(count))
        }
        Kind::Json if style.short => Value::Json(format!("[{}]", random.below(100))),
        Kind::Json => Value::Json(json(random)),
        Kind::Enum(of) => Value::Enum(u16::try_from(1 + random.below(of.len())).unwrap()),
        Kind::Set(of) => Value::Set(random.next() & ((1 << of.len()) - 1)),
        Kind::Point => Value::Geometry(point(random)),
    }
}

fn int(bits: u32, unsigned: bool, style: Style, random: &mut Random) -> Value {
    let (low, high) =
        if unsigned { (0, (1i128 << bits) - 1) } else { (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1) };
    let any = low + i128::from(random.next()) % (high - low + 1);
    let small = i128::from(random.between(-5, 20)).clamp(low, high);
    let over = if bits < 64 && !style.fits && random.one_in(20) {
        *random.pick(&[low - 1, high + 1])
    } else {
        small
    };
    let n =
        if style.few && !random.one_in(4) { small } else { *random.pick(&[low, high, 0, 1, any, any, over]) };
    // A number below zero is no value of an unsigned column here.
    if unsigned {
        Value::Uint(u64::try_from(n.max(0)).unwrap())
    } else {
        Value::Int(i64::try_from(n).unwrap())
    }
}

// In a key such as every program compares alike.
fn float(in_key: bool, random: &mut Random) -> f32 {
    let half = f32::from(i16::try_from(random.between(-9, 9)).unwrap()) / 2.0;
    let any = f32::from_bits(u32::try_from(random.next() >> 32).unwrap());
    if in_key || !any.is_finite() {
        return half;
    }
    *random.pick(&[half, 0.1, -1.0e10, f32::MAX, f32::MIN, f32::MIN_POSITIVE, f32::from_bits(1), any, any])
}

fn double(in_key: bool, random: &mut Random) -> f64 {
    let half = f64::from(i16::try_from(random.between(-9, 9)).unwrap()) / 2.0;
    let any = f64::from_bits(random.next());
    if in_key || !any.is_finite() {
        return half;
    }
    *random.pick(&[half, 0.1, -1.0e100, f64::MAX, f64::MIN, f64::MIN_POSITIVE, f64::from_bits(1), any, any])
}

fn decimal(digits: usize, scale: usize, style: Style, random: &mut Random) -> String {
    let whole = digits - scale;
    let figures = |count: usize, random: &mut Random| -> String {
        (0..count).map(|_| char::from(*random.pick(b"0123456789"))).collect()
    };
    let sign = if random.one_in(3) { "-" } else { "" };
    match random.below(8) {
        0 => "0".to_owned(),
        1 => format!("{sign}{}.{}", nonempty("9".repeat(whole)), nonempty("9".repeat(scale))),
        // Rounded, at times up to one digit too many.
        2 if !style.few && !style.fits => {
            format!("{sign}{}.{}5", nonempty(figures(whole, random)), figures(scale, random))
        }
        3 if !style.few && !style.fits && random.one_in(4) => format!("{sign}1{}", "0".repeat(whole)),
        4 if !style.few => {
            format!("{sign}{}.{}", nonempty(figures(whole, random)), nonempty(figures(scale, random)))
        }
        _ if whole == 0 => "0".to_owned(),
        _ => format!("{sign}{}", figures(1, random)),
    }
}

fn nonempty(digits: String) -> String {
    if digits.is_empty() { "0".to_owned() } else { digits }
}

fn day(in_key: bool, random: &mut Random) -> i64 {
    match random.below(5) {
        0 => FIRST_DAY,
        1 => LAST_DAY,
        2 if !in_key => random.between(FIRST_DAY, LAST_DAY),
        _ => random.between(-3, 3),
    }
}

fn clock(in_key: bool, random: &mut Random) -> i64 {
    match random.below(6) {
        0 => 0,
        1 => DAY - SECOND,
        2 => DAY - 1,
        3 => SECOND / 2,
        4 if !in_key => random.between(0, DAY - 1),
        _ => random.between(0, 3) * 3600 * SECOND,
    }
}

/// Year, month and day of a day since 1970 (the algorithm of H. Hinnant, `days_from_civil` the other way round).
fn civil(day: i64) -> (u16, u8, u8) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    let day = doy - (153 * mp + 2) / 5 + 1;
    (u16::try_from(year).unwrap(), u8::try_from(month).unwrap(), u8::try_from(day).unwrap())
}

fn length(limit: usize, style: Style, random: &mut Random) -> usize {
    match random.below(10) {
        0 => 0,
        1 => limit,
        2 if !style.fits && random.one_in(10) => limit + 1,
        3..=5 if !style.few => random.below(limit + 1),
        _ => random.below(limit.min(3) + 1),
    }
}

fn short_text(limit: usize, style: Style, random: &mut Random) -> String {
    let count = length(limit, style, random);
    let words: Vec<char> = WORDS.concat().chars().collect();
    let few = ['a', 'b', 'é', '\''];
    (0..count).map(|_| if style.few { *random.pick(&few) } else { *random.pick(&words) }).collect()
}

fn long_length(limit: usize, style: Style, random: &mut Random) -> usize {
    let wanted = match random.below(12) {
        0 => 0,
        1..=5 => random.below(40),
        _ if style.short => random.below(100),
        6 | 7 => random.below(1000),
        8 | 9 => random.below(6000),
        10 => random.below(40_000),
        _ if random.one_in(10) => 300_000 + random.below(300_000),
        _ => 65_536 + random.below(10_000),
    };
    // Rarely one too many; for the long ones there is no such thing.
    wanted.min(if !style.fits && random.one_in(30) { limit + 1 } else { limit })
}

fn long_text(limit: usize, style: Style, random: &mut Random) -> String {
    let bytes = long_length(limit, style, random);
    let mut text = String::with_capacity(bytes);
    while text.len() < bytes {
        let word = random.pick(&WORDS);
        if text.len() + word.len() > bytes {
            text.push('x');
        } else {
            text.push_str(word);
        }
    }
    text
}

fn json(random: &mut Random) -> String {
    let mut text = String::new();
    // One in a few spans several chunks.
    let members = if random.one_in(12) { 300 + random.below(1500) } else { random.below(6) };
    if members > 200 {
        text.push('{');
        for n in 0..members {
            let comma = if n == 0 { "" } else { ", " };
            write!(text, "{comma}{}: ", quoted(&format!("{}{n}", short_text(3, Style::default(), random))))
                .unwrap();
            part(random, 2, &mut text);
        }
        text.push('}');
    } else {
        part(random, 0, &mut text);
    }
    text
}

fn part(random: &mut Random, depth: usize, text: &mut String) {
    match random.below(if depth > 3 { 6 } else { 9 }) {
        0 => text.push_str(["null", "true", "false"][random.below(3)]),
        1 => write!(text, "{}", random.between(-1000, 1000)).unwrap(),
        2 => write!(text, "{}", random.next() >> random.below(60)).unwrap(),
        3 => write!(text, "{:?}", double(false, random)).unwrap(),
        4 | 5 => {
            let long = if random.one_in(10) { 400 } else { 8 };
            text.push_str(&quoted(&short_text(long, Style::default(), random)));
        }
        6 | 7 => {
            text.push('{');
            for n in 0..random.below(5) {
                text.push_str(if n == 0 { "" } else { " , " });
                text.push_str(&quoted(&short_text(4, Style::default(), random)));
                text.push(':');
                part(random, depth + 1, text);
            }
            text.push('}');
        }
        _ => {
            text.push('[');
            for n in 0..random.below(5) {
                text.push_str(if n == 0 { "" } else { "," });
                part(random, depth + 1, text);
            }
            text.push(']');
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

// In `MySQL`'s form: the reference system, the byte order, the kind, two coordinates.
fn point(random: &mut Random) -> Vec<u8> {
    let (x, y) = (double(true, random), double(true, random));
    [&0u32.to_le_bytes()[..], &[1], &1u32.to_le_bytes(), &x.to_le_bytes(), &y.to_le_bytes()].concat()
}

/// How SQL spells a value.
pub(super) fn spelled(kind: &Kind, value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Uint(n) => n.to_string(),
        Value::Float(n) => format!("{:e}", f64::from(*n)),
        Value::Double(n) => format!("{n:e}"),
        Value::Decimal(text) => text.clone(),
        Value::Text(text) | Value::Json(text) => text_literal(text),
        Value::Bytes(bytes) => hex(bytes),
        Value::Date(year, month, day) => format!("'{year:04}-{month:02}-{day:02}'"),
        Value::Datetime(micros) => {
            let (year, month, day) = civil(micros.div_euclid(DAY));
            format!("'{year:04}-{month:02}-{day:02} {}'", clock_text(micros.rem_euclid(DAY)))
        }
        Value::Time(micros) => {
            format!("'{}{}'", if *micros < 0 { "-" } else { "" }, clock_text(micros.abs()))
        }
        Value::Year(year) => year.to_string(),
        Value::Enum(n) => match kind {
            Kind::Enum(of) => text_literal(&of[usize::from(*n) - 1]),
            _ => panic!("an enum for {kind:?}"),
        },
        Value::Set(bits) => match kind {
            Kind::Set(of) => {
                let chosen = of.iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1);
                text_literal(&chosen.map(|(_, m)| m.as_str()).collect::<Vec<_>>().join(","))
            }
            _ => panic!("a set for {kind:?}"),
        },
        Value::Geometry(bytes) => format!("ST_GeomFromWKB({})", hex(&bytes[4..])),
        other => panic!("{other:?} is in no column"),
    }
}

fn clock_text(micros: i64) -> String {
    let seconds = micros / SECOND;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:06}", seconds % 60, micros % SECOND)
}

fn text_literal(text: &str) -> String {
    literal(text).replace('\0', "\\0").replace('\u{1a}', "\\Z")
}

fn hex(bytes: &[u8]) -> String {
    let mut text = "X'".to_owned();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text.push('\'');
    text
}

/// The condition that a column has this value.
pub(super) fn is(kind: &Kind, name: &str, value: &Value) -> String {
    let spelled = spelled(kind, value);
    match (value, kind) {
        (Value::Null, _) => format!("{name} is null"),
        (Value::Json(_), _) => format!("{name} = cast({spelled} as json)"),
        _ => format!("{name} = {spelled}"),
    }
}
