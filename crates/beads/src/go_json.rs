//! JSON spelled as Go's `encoding/json` spells it: `<`, `>`, `&`, U+2028 and U+2029 escaped, floats in Go's form. Scripts compare
//! the bytes that bd prints, so a spelling that merely means the same is a fault.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;
use serde_json::{Error, Number, Serializer, Value};

/// One line without line break, keys in the order of the type.
pub fn line(value: &impl Serialize) -> Result<String, Error> {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, Go))?;
    String::from_utf8(out).map_err(|e| Error::io(io::Error::new(io::ErrorKind::InvalidData, e)))
}

/// What `--json` prints of a list or of a command that prints its value raw: two spaces of indent, keys in the order of the
/// type, a line break at the end.
pub fn pretty(value: &impl Serialize) -> Result<String, Error> {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, GoPretty::at(0)))?;
    out.push(b'\n');
    String::from_utf8(out).map_err(|e| Error::io(io::Error::new(io::ErrorKind::InvalidData, e)))
}

/// What `--json` prints of an object: keys in alphabetical order at every level, with `"schema_version": 1` (bd
/// `cmd/bd/output.go`). Numbers go through a 64-bit float, as they do in bd. A value that is no object is printed as
/// [`pretty`] does.
pub fn object(value: &impl Serialize) -> Result<String, Error> {
    let text = line(value)?;
    match serde_json::from_str(&text)? {
        Value::Object(mut fields) => {
            fields.insert("schema_version".into(), Value::from(1));
            let mut sorted = Value::Object(fields);
            through_floats(&mut sorted);
            pretty(&sorted)
        }
        _ => Ok(indented(&text) + "\n"),
    }
}

/// What everything becomes under `BD_JSON_ENVELOPE=1`: the value under `data`, in its own key order.
pub fn envelope(value: &impl Serialize) -> Result<String, Error> {
    #[derive(Serialize)]
    struct Envelope<'v, T> {
        data: &'v T,
        schema_version: u8,
    }
    pretty(&Envelope { data: value, schema_version: 1 })
}

fn through_floats(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().and_then(Number::from_f64) {
                *number = float;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(through_floats),
        Value::Object(fields) => fields.values_mut().for_each(through_floats),
        _ => {}
    }
}

/// Go's form of a float: plain digits between 1e-6 and 1e21, otherwise an exponent of at least one digit.
fn float(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return format!("{value}");
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

/// The characters that Go escapes beyond those that JSON demands.
fn escape(c: char) -> Option<&'static str> {
    Some(match c {
        '<' => "\\u003c",
        '>' => "\\u003e",
        '&' => "\\u0026",
        '\u{2028}' => "\\u2028",
        '\u{2029}' => "\\u2029",
        _ => return None,
    })
}

/// Valid JSON without white space between tokens and with Go's escapes, otherwise unchanged (Go `json.Compact` as the encoder
/// of a raw message uses it).
pub fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        if !in_string && matches!(c, ' ' | '\t' | '\n' | '\r') {
            continue;
        }
        in_string ^= c == '"' && !escaped;
        escaped = in_string && c == '\\' && !escaped;
        match escape(c) {
            Some(text) => out.push_str(text),
            None => out.push(c),
        }
    }
    out
}

/// Compact JSON with line breaks and two spaces per level (Go `json.Indent`).
fn indented(compact: &str) -> String {
    let mut out = Vec::with_capacity(compact.len() * 2);
    indent(&mut out, compact.as_bytes(), 0);
    // Nothing but ASCII was put between whole tokens.
    String::from_utf8(out).unwrap_or_default()
}

// The same behind what is there, some levels in.
fn indent(out: &mut Vec<u8>, compact: &[u8], mut depth: usize) {
    let break_line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.extend(std::iter::repeat_n(b' ', depth * 2));
    };
    let mut rest = compact;
    let mut opened = false;
    while let Some((&byte, after)) = rest.split_first() {
        let closes = matches!(byte, b'}' | b']');
        if opened && !closes {
            depth += 1;
            break_line(out, depth);
        }
        if closes && !opened {
            depth = depth.saturating_sub(1);
            break_line(out, depth);
        }
        opened = matches!(byte, b'{' | b'[');
        if byte == b'"' {
            let (text, behind) = rest.split_at_checked(string_length(rest)).unwrap_or((rest, &[]));
            out.extend_from_slice(text);
            rest = behind;
            continue;
        }
        out.push(byte);
        rest = after;
        match byte {
            b',' => break_line(out, depth),
            b':' => out.push(b' '),
            _ => {}
        }
    }
}

// How many bytes the string at the beginning has, its quotes included.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// Writes what [`pretty`] gives of a list, item by item, so that a long one is never in memory as a whole.
pub fn write_list<T: Serialize>(
    out: &mut impl io::Write,
    items: impl IntoIterator<Item = T>,
) -> io::Result<()> {
    let mut text = Vec::new();
    let mut begin = LIST_BEGIN;
    for item in items {
        text.clear();
        text.extend_from_slice(begin);
        write_item(&item, &mut text).map_err(io::Error::from)?;
        out.write_all(&text)?;
        begin = LIST_NEXT;
    }
    out.write_all(if begin == LIST_BEGIN { b"[]\n" } else { LIST_END })
}

/// Some items of a list as [`write_list`] writes them: its first ones, or later ones. [`LIST_END`] has to follow all of them.
pub(crate) fn list_part<T: Serialize>(
    items: impl IntoIterator<Item = T>,
    are_first: bool,
) -> Result<Vec<u8>, Error> {
    let mut text = Vec::new();
    let mut begin = if are_first { LIST_BEGIN } else { LIST_NEXT };
    for item in items {
        text.extend_from_slice(begin);
        write_item(&item, &mut text)?;
        begin = LIST_NEXT;
    }
    Ok(text)
}

/// One item of such a list.
pub(crate) fn write_item(item: &impl Serialize, out: &mut Vec<u8>) -> Result<(), Error> {
    item.serialize(&mut Serializer::with_formatter(out, GoPretty::at(1)))
}

/// What stands before the first item of a list.
pub const LIST_BEGIN: &[u8] = b"[\n  ";
/// What stands before each other item.
pub const LIST_NEXT: &[u8] = b",\n  ";
/// What stands behind the items of a list.
pub const LIST_END: &[u8] = b"\n]\n";

/// Go's `omitempty` for a number.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(crate) fn is_zero(number: &i64) -> bool {
    *number == 0
}

struct Go;

impl Formatter for Go {
    fn write_f64<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(float(value).as_bytes())
    }

    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_escaped(writer, fragment)
    }
}

// Looked at as a whole, which is faster than up to the first one: hardly any text has one. The last is where U+2028 begins.
fn may_have_escapes(text: &str) -> bool {
    text.bytes().fold(false, |any, byte| any | matches!(byte, b'<' | b'>' | b'&' | 0xe2))
}

fn write_escaped<W: io::Write + ?Sized>(writer: &mut W, fragment: &str) -> io::Result<()> {
    if !may_have_escapes(fragment) {
        return writer.write_all(fragment.as_bytes());
    }
    let mut rest = fragment;
    while let Some((at, text)) = rest.char_indices().find_map(|(at, c)| Some((at, escape(c)?))) {
        let (plain, after) = rest.split_at(at);
        writer.write_all(plain.as_bytes())?;
        writer.write_all(text.as_bytes())?;
        rest = after.split_at(after.chars().next().map_or(0, char::len_utf8)).1;
    }
    writer.write_all(rest.as_bytes())
}

/// The same with line breaks, as [`indent`] puts them, without a second look at every byte.
struct GoPretty {
    depth: usize,
    // Something stands in the container that is open.
    has_value: bool,
}

impl GoPretty {
    fn at(depth: usize) -> Self {
        Self { depth, has_value: false }
    }

    fn open<W: io::Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_value = false;
        writer.write_all(bracket)
    }

    fn close<W: io::Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        if self.has_value {
            self.break_line(writer, true)?;
        }
        writer.write_all(bracket)
    }

    // In one piece: there is one of these for each field of a long list.
    fn break_line<W: io::Write + ?Sized>(&self, writer: &mut W, is_first: bool) -> io::Result<()> {
        const BREAK: &[u8] = b",\n                                ";
        let from = usize::from(is_first);
        if let Some(text) = BREAK.get(from..2 + self.depth * 2) {
            return writer.write_all(text);
        }
        writer.write_all(BREAK.get(from..2).unwrap_or_default())?;
        (0..self.depth).try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for GoPretty {
    fn write_f64<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        Go.write_f64(writer, value)
    }

    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_escaped(writer, fragment)
    }

    fn begin_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_array_value<W: io::Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.break_line(writer, first)
    }

    fn end_array_value<W: io::Write + ?Sized>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_object_key<W: io::Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.break_line(writer, first)
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object_value<W: io::Write + ?Sized>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn write_raw_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut text = Vec::with_capacity(fragment.len() * 2);
        indent(&mut text, fragment.as_bytes(), self.depth);
        writer.write_all(&text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn strings_are_escaped_as_go_escapes_them() {
        let text = "A <b> & \u{2028}\u{2029} \u{7}\u{8}\u{c}\u{7f}\n é😀\"\\";
        let expected =
            r#""A \u003cb\u003e \u0026 \u2028\u2029 \u0007\b\f"#.to_owned() + "\u{7f}" + r#"\n é😀\"\\""#;
        assert_eq!(line(&text).unwrap(), expected);
    }

    #[test]
    fn floats_have_gos_form() {
        for (value, text) in [
            (0.0, "0"),
            (-1.5, "-1.5"),
            (24.0, "24"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1e-6, "0.000001"),
            (1.5e-7, "1.5e-7"),
            (3_600_000_000_000.0, "3600000000000"),
        ] {
            assert_eq!(line(&value).unwrap(), text);
        }
    }

    #[derive(Serialize)]
    struct Out {
        z: i64,
        a: Vec<u8>,
    }

    #[test]
    fn objects_are_sorted_and_lists_are_not() {
        let list = line(&json!([{}, [], [1, {"a": "x: [y], {z}\""}]])).unwrap();
        assert_eq!(
            indented(&list),
            "[\n  {},\n  [],\n  [\n    1,\n    {\n      \"a\": \"x: [y], {z}\\\"\"\n    }\n  ]\n]"
        );
        let out = Out { z: 1 << 62, a: vec![] };
        assert_eq!(
            object(&out).unwrap(),
            "{\n  \"a\": [],\n  \"schema_version\": 1,\n  \"z\": 4611686018427388000\n}\n"
        );
        assert_eq!(pretty(&out).unwrap(), "{\n  \"z\": 4611686018427387904,\n  \"a\": []\n}\n");
        assert_eq!(object(&[1]).unwrap(), "[\n  1\n]\n");
        assert_eq!(envelope(&[1]).unwrap(), "{\n  \"data\": [\n    1\n  ],\n  \"schema_version\": 1\n}\n");
    }

    #[test]
    fn raw_json_loses_its_spaces_and_keeps_its_numbers() {
        assert_eq!(compact("{ \"a b\" : [ 1.50 ,\t\"<\\\" x\" ] }\n"), r#"{"a b":[1.50,"\u003c\" x"]}"#);
    }

    #[test]
    fn a_document_in_a_type_is_indented_with_it() {
        #[derive(Serialize)]
        struct Of {
            a: Box<serde_json::value::RawValue>,
            b: Vec<Self>,
        }
        let raw = |text: &str| serde_json::value::RawValue::from_string(text.to_owned()).unwrap();
        let inner = Of { a: raw("[]"), b: vec![] };
        let outer = Of { a: raw(r#"{"k":[1,{"a":"x: [y], {z}\""}],"e":{}}"#), b: vec![inner] };
        assert_eq!(pretty(&outer).unwrap(), indented(&line(&outer).unwrap()) + "\n");
    }

    #[test]
    fn a_list_is_written_item_by_item_as_it_is_at_once() {
        let item = |text: &str| serde_json::json!({ "a": [1, {}, [], {"b": text}], "c": null });
        let items = [item("x"), item("a \"quoted\" \\ <b>, : {"), item("")];
        for list in [&items[..], &items[..1], &[]] {
            let mut written = Vec::new();
            write_list(&mut written, list).unwrap();
            assert_eq!(String::from_utf8(written.clone()).unwrap(), pretty(&list).unwrap());
            for (first, rest) in (1..list.len()).map(|at| list.split_at(at)) {
                let parts = [list_part(first, true).unwrap(), list_part(rest, false).unwrap()];
                assert_eq!([&parts[0][..], &parts[1], LIST_END].concat(), written);
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_means_the_same(text in any::<String>(), number in any::<f64>()) {
            let written = line(&json!({ "t": [text], "n": number })).unwrap();
            let read = serde_json::from_str::<Value>(&written).unwrap();
            prop_assert_eq!(read["t"][0].as_str(), Some(text.as_str()));
            prop_assert_eq!(read["n"].as_f64(), Some(number).filter(|number| number.is_finite()));
            prop_assert_eq!(compact(&indented(&written)), written);
            let value = json!([{ "t": [&text, {}], "n": number }, [], {}, text]);
            prop_assert_eq!(pretty(&value).unwrap(), indented(&line(&value).unwrap()) + "\n");
        }
    }
}
