//! The functions that this crate knows, with the spelling that go-mysql-server gives them in what it stores
//! (`sql/expression/function`, the `String` of each). A function that is not here is refused by name.

/// A function.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name in lower case.
    pub(crate) name: &'static str,
    /// Other names of it.
    pub(crate) also: &'static [&'static str],
    /// As it is stored.
    pub(crate) shown: &'static str,
    /// What stands between its arguments.
    glue: &'static str,
    /// How many arguments it takes.
    least: usize,
    most: usize,
}

const ANY: usize = 250;

const fn function(
    name: &'static str,
    also: &'static [&'static str],
    shown: &'static str,
    glue: &'static str,
    (least, most): (usize, usize),
) -> Function {
    Function { name, also, shown, glue, least, most }
}

const KNOWN: &[Function] = &[
    function("abs", &[], "abs", ",", (1, 1)),
    function("ascii", &[], "ascii", ",", (1, 1)),
    function("ceil", &["ceiling"], "ceil", ",", (1, 1)),
    function("char_length", &["character_length"], "char_length", ",", (1, 1)),
    function("coalesce", &[], "coalesce", ",", (1, ANY)),
    function("concat", &[], "concat", ",", (1, ANY)),
    function("concat_ws", &[], "concat_ws", ",", (2, ANY)),
    function("curdate", &[], "curdate", ",", (0, 0)),
    function("current_date", &[], "current_date", ",", (0, 0)),
    function("date", &[], "DATE", ",", (1, 1)),
    function("date_add", &[], "date_add", ",", (2, 2)),
    function("date_format", &[], "date_format", ", ", (2, 2)),
    function("date_sub", &[], "date_sub", ",", (2, 2)),
    function("datediff", &[], "DATEDIFF", ", ", (2, 2)),
    function("day", &["dayofmonth"], "day", ",", (1, 1)),
    function("field", &[], "field", ",", (2, ANY)),
    function("floor", &[], "floor", ",", (1, 1)),
    function("greatest", &[], "greatest", ",", (1, ANY)),
    function("hex", &[], "hex", ",", (1, 1)),
    function("hour", &[], "hour", ",", (1, 1)),
    function("if", &[], "if", ",", (3, 3)),
    function("ifnull", &[], "ifnull", ", ", (2, 2)),
    function("instr", &[], "INSTR", ", ", (2, 2)),
    function("isnull", &[], "isnull", ",", (1, 1)),
    function("json_array", &[], "json_array", ",", (0, ANY)),
    function("json_extract", &[], "json_extract", ", ", (2, ANY)),
    function("json_length", &[], "json_length", ", ", (1, 1)),
    function("json_object", &[], "json_object", ",", (0, ANY)),
    function("json_quote", &[], "json_quote", ",", (1, 1)),
    function("json_type", &[], "json_type", ",", (1, 1)),
    function("json_unquote", &[], "json_unquote", ",", (1, 1)),
    function("json_valid", &[], "json_valid", ",", (1, 1)),
    function("least", &[], "least", ", ", (1, ANY)),
    function("left", &[], "LEFT", ", ", (2, 2)),
    function("length", &["octet_length"], "length", ",", (1, 1)),
    function("locate", &[], "locate", ",", (2, 3)),
    function("lower", &["lcase"], "lower", ",", (1, 1)),
    function("lpad", &[], "lpad", ", ", (3, 3)),
    function("ltrim", &[], "ltrim", ",", (1, 1)),
    function("md5", &[], "md5", ",", (1, 1)),
    function("month", &[], "month", ",", (1, 1)),
    function("now", &["current_timestamp", "localtime", "localtimestamp"], "NOW", ",", (0, 1)),
    function("nullif", &[], "nullif", ",", (2, 2)),
    function("pi", &[], "pi", ",", (0, 0)),
    function("power", &["pow"], "power", ", ", (2, 2)),
    function("rand", &[], "rand", ",", (0, 0)),
    function("regexp_like", &[], "regexp_like", ",", (2, 2)),
    function("repeat", &[], "repeat", ", ", (2, 2)),
    function("replace", &[], "replace", ", ", (3, 3)),
    function("reverse", &[], "reverse", ",", (1, 1)),
    function("right", &[], "RIGHT", ", ", (2, 2)),
    function("round", &[], "round", ",", (1, 2)),
    function("rpad", &[], "rpad", ", ", (3, 3)),
    function("rtrim", &[], "rtrim", ",", (1, 1)),
    function("second", &[], "second", ",", (1, 1)),
    function("sign", &[], "sign", ",", (1, 1)),
    function("sqrt", &[], "sqrt", ",", (1, 1)),
    function("strcmp", &[], "strcmp", ",", (2, 2)),
    function("substring", &["substr", "mid"], "SUBSTRING", ", ", (2, 3)),
    function("substring_index", &[], "SUBSTRING_INDEX", ", ", (3, 3)),
    function("truncate", &[], "truncate", ",", (2, 2)),
    function("unhex", &[], "unhex", ",", (1, 1)),
    function("unix_timestamp", &[], "unix_timestamp", ",", (0, 1)),
    function("upper", &["ucase"], "upper", ",", (1, 1)),
    function("utc_timestamp", &[], "UTC_TIMESTAMP", ",", (0, 1)),
    function("uuid", &[], "uuid", ",", (0, 0)),
    function("uuid_to_bin", &[], "UUID_TO_BIN", ", ", (1, 2)),
    function("year", &[], "year", ",", (1, 1)),
];

impl Function {
    /// A function by any of its names, in any case.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        let is = |known: &&str| known.eq_ignore_ascii_case(name);
        KNOWN.iter().find(|f| is(&f.name) || f.also.iter().any(is))
    }

    /// Whether it takes so many arguments.
    pub(crate) fn takes(&self, arguments: usize) -> bool {
        (self.least..=self.most).contains(&arguments)
    }

    /// A call as it is stored.
    pub(crate) fn call(&self, arguments: &[String]) -> String {
        format!("{}({})", self.shown, arguments.join(self.glue))
    }
}
