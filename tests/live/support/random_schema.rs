//! Schemas from a seed: the same number always gives the same tables, and every one of them is SQL that both Dolts take.
//!
//! What could go wrong is a schema that a Dolt refuses: then a test that was to compare two databases compares nothing. So
//! what each type allows (keys, prefixes, literal defaults) stands here, and a test runs many seeds through both.

use std::fmt::Write;

/// What may be in a schema. Everything may, unless it is switched off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wishes {
    /// How many tables.
    pub(crate) tables: usize,
    /// Texts whose order is not that of their bytes.
    pub(crate) collations: bool,
    /// Columns that are generated, and checks.
    pub(crate) expressions: bool,
    /// Foreign keys between the tables.
    pub(crate) foreign_keys: bool,
    /// Tables without a primary key.
    pub(crate) keyless: bool,
    /// Columns that Dolt fills (`AUTO_INCREMENT`, `CURRENT_TIMESTAMP`) and names with blanks, quotes and letters of all sorts.
    pub(crate) oddities: bool,
}

impl Wishes {
    /// All there is.
    pub(crate) fn all(tables: usize) -> Self {
        Self {
            tables,
            collations: true,
            expressions: true,
            foreign_keys: true,
            keyless: true,
            oddities: true,
        }
    }
}

/// A column, for who makes rows.
#[derive(Debug, Clone)]
pub(crate) struct RandomColumn {
    pub(crate) name: String,
    /// As it was written: `decimal(10,3)`, `enum('a','b')`.
    pub(crate) sql_type: String,
    pub(crate) nullable: bool,
    /// Dolt computes it: nothing can be inserted.
    pub(crate) generated: bool,
    /// In the primary key.
    pub(crate) key: bool,
}

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct RandomTable {
    pub(crate) name: String,
    pub(crate) columns: Vec<RandomColumn>,
    /// Its `CREATE TABLE`.
    pub(crate) sql: String,
}

/// Tables from a seed, in an order in which they can be created.
pub(crate) fn random_schema(seed: u64, wishes: &Wishes) -> Vec<RandomTable> {
    let mut dice = Dice(seed);
    let mut tables: Vec<RandomTable> = Vec::new();
    for n in 0..wishes.tables {
        let table = random_table(&mut dice, wishes, n, &tables);
        tables.push(table);
    }
    tables
}

/// Numbers from a seed (`SplitMix64`).
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(n).unwrap()).unwrap()
    }

    /// Once in `n`.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

// What a type allows.
struct Kind {
    sql: String,
    // Literals that can be its default.
    defaults: &'static [&'static str],
    // As a whole in a key; with a prefix only; not at all.
    key: Key,
    is_integer: bool,
}

#[derive(PartialEq, Clone, Copy)]
enum Key {
    Whole,
    Prefix,
    Never,
}

fn kind(dice: &mut Dice, wishes: &Wishes) -> Kind {
    const WIDE: [&str; 5] = ["tinyint", "smallint", "mediumint", "int", "bigint"];
    let of = |sql: String, defaults, key| Kind { sql, defaults, key, is_integer: false };
    let collation = |dice: &mut Dice| {
        const ORDERS: [&str; 6] = [
            " COLLATE utf8mb4_0900_ai_ci",
            " COLLATE utf8mb4_general_ci",
            " COLLATE utf8mb4_unicode_ci",
            " COLLATE utf8mb4_bin",
            " CHARACTER SET latin1 COLLATE latin1_swedish_ci",
            " CHARACTER SET ascii COLLATE ascii_general_ci",
        ];
        if wishes.collations && dice.one_in(5) { *dice.pick(&ORDERS) } else { "" }
    };
    match dice.below(20) {
        0..=5 => {
            let unsigned = if dice.one_in(3) { " unsigned" } else { "" };
            let sql = format!("{}{unsigned}", dice.pick(&WIDE));
            Kind { sql, defaults: &["0", "7", "100"], key: Key::Whole, is_integer: true }
        }
        6 => of(dice.pick(&["tinyint(1)", "bool"]).to_string(), &["0", "1"], Key::Whole),
        7 => of(dice.pick(&["float", "double"]).to_string(), &["0", "1.5", "-2.25"], Key::Whole),
        8 => {
            let scale = dice.below(6);
            of(format!("decimal({},{scale})", scale + 1 + dice.below(30)), &["0", "1"], Key::Whole)
        }
        9 | 10 => {
            let name = dice.pick(&["char", "varchar", "varchar"]).to_string();
            let sql = format!("{name}({}){}", 1 + dice.below(120), collation(dice));
            of(sql, &["''", "'a'", "'x'"], Key::Whole)
        }
        11 => of(
            format!("{}({})", dice.pick(&["binary", "varbinary"]), 1 + dice.below(60)),
            &["'b'"],
            Key::Whole,
        ),
        12 => {
            let name = dice.pick(&["tinytext", "text", "mediumtext", "longtext"]).to_string();
            of(format!("{name}{}", collation(dice)), &[], Key::Prefix)
        }
        13 => of(dice.pick(&["tinyblob", "blob", "mediumblob", "longblob"]).to_string(), &[], Key::Prefix),
        14 => of("json".to_owned(), &[], Key::Never),
        15 => of("date".to_owned(), &["'2026-02-03'"], Key::Whole),
        16 => {
            let name = *dice.pick(&["datetime", "timestamp"]);
            let digits = dice.below(7);
            of(
                if digits == 0 { name.to_owned() } else { format!("{name}({digits})") },
                &["'2026-02-03 04:05:06'"],
                Key::Whole,
            )
        }
        17 => of(dice.pick(&["time", "year"]).to_string(), &[], Key::Whole),
        18 if dice.one_in(2) => of("set('x','y','z')".to_owned(), &["'x,z'", "''"], Key::Whole),
        18 => {
            of(dice.pick(&["enum('a','b','it''s')", "enum('a','ß',' ')"]).to_string(), &["'a'"], Key::Whole)
        }
        _ => of(format!("bit({})", 1 + dice.below(64)), &["b'1'"], Key::Whole),
    }
}

fn random_table(dice: &mut Dice, wishes: &Wishes, n: usize, before: &[RandomTable]) -> RandomTable {
    let name = match dice.below(6) {
        0 if wishes.oddities => format!("T {n} é`\"'"),
        1 if wishes.oddities => format!("Übung_{n}"),
        _ => format!("t{n}"),
    };
    let count = if dice.one_in(12) { 60 + dice.below(60) } else { 1 + dice.below(14) };
    let keyless = wishes.keyless && dice.one_in(6);
    let keys = if keyless { 0 } else { 1 + dice.below(3).min(count - 1) };
    let mut made = Made::default();
    for _ in 0..count {
        made.add(dice, wishes, keys);
    }
    let mut lines = std::mem::take(&mut made.lines);
    if keys > 0 {
        let mut order: Vec<usize> = (0..keys).collect();
        if keys > 1 && dice.one_in(2) {
            order.reverse();
        }
        lines.push(format!("PRIMARY KEY ({})", listed(&made.columns, &order)));
    }
    for i in 0..dice.below(4) {
        lines.extend(index(dice, &made.columns, &made.kinds, i));
    }
    if wishes.foreign_keys && dice.one_in(2) {
        lines.extend(foreign_key(dice, before, &made, n));
    }
    if wishes.expressions
        && dice.one_in(3)
        && let Some(at) = made.kinds.iter().position(|k| k.is_integer)
    {
        let name = if dice.one_in(2) { format!("CONSTRAINT `chk {n}` ") } else { String::new() };
        let column = quoted(&made.columns[at].name);
        lines.push(format!("{name}CHECK ({column} >= -{})", 1 + dice.below(1000)));
    }
    let mut sql = format!("CREATE TABLE {} (\n  {}\n)", quoted(&name), lines.join(",\n  "));
    if dice.one_in(5) {
        sql.push_str(" COMMENT='a table''s comment'");
    }
    if wishes.collations && dice.one_in(8) {
        sql.push_str(" COLLATE=utf8mb4_general_ci");
    }
    RandomTable { name, columns: made.columns, sql }
}

// Columns of a table, as far as they are made.
#[derive(Default)]
struct Made {
    columns: Vec<RandomColumn>,
    kinds: Vec<Kind>,
    lines: Vec<String>,
    // Those that others are computed from: no foreign key may change them.
    sources: Vec<String>,
}

impl Made {
    // The first `keys` columns are the primary key.
    fn add(&mut self, dice: &mut Dice, wishes: &Wishes, keys: usize) {
        let c = self.columns.len();
        let name = match dice.below(12) {
            0 if wishes.oddities => format!("Spalte {c} ö`x"),
            1 if wishes.oddities => format!("C'{c}\""),
            _ => format!("c{c}"),
        };
        let key = c < keys;
        let kind = loop {
            let kind = kind(dice, wishes);
            // A key of few values would leave room for few rows.
            let has_room = c > 0 || kind.is_integer || kind.sql.contains("char");
            if !key || (kind.key == Key::Whole && has_room) {
                break kind;
            }
        };
        let source = self.kinds.iter().rposition(|k| k.is_integer).map(|at| &self.columns[at]);
        let source = source.filter(|s| !s.generated).map(|s| s.name.clone());
        let is_generated = wishes.expressions && !key && kind.is_integer && dice.one_in(4);
        let mut column =
            RandomColumn { name, sql_type: kind.sql.clone(), nullable: !key, generated: false, key };
        let options = match source {
            Some(source) if is_generated => {
                // Of a wide type, so that it always fits.
                column = RandomColumn { sql_type: "bigint".to_owned(), generated: true, ..column };
                let options = format!(" GENERATED ALWAYS AS ({} + 1) STORED", quoted(&source));
                self.sources.push(source);
                options
            }
            _ if key && keys == 1 && wishes.oddities && kind.is_integer && dice.one_in(3) => {
                " AUTO_INCREMENT".to_owned()
            }
            _ if key => String::new(),
            _ => options(dice, wishes, &kind, &mut column),
        };
        let mut line = format!("{} {}{options}", quoted(&column.name), column.sql_type);
        if dice.one_in(6) {
            write!(line, " COMMENT 'about {c}, it''s'").unwrap();
        }
        self.lines.push(line);
        self.kinds.push(kind);
        self.columns.push(column);
    }
}

// NOT NULL and defaults.
fn options(dice: &mut Dice, wishes: &Wishes, kind: &Kind, column: &mut RandomColumn) -> String {
    let mut line = String::new();
    if dice.one_in(4) {
        column.nullable = false;
        line.push_str(" NOT NULL");
    }
    let is_moment = kind.sql.starts_with("datetime") || kind.sql.starts_with("timestamp");
    if is_moment && wishes.oddities && dice.one_in(2) {
        let digits = kind.sql.split_once('(').map_or(String::new(), |(_, d)| format!("({d}"));
        write!(line, " DEFAULT CURRENT_TIMESTAMP{digits}").unwrap();
        if dice.one_in(2) {
            write!(line, " ON UPDATE CURRENT_TIMESTAMP{digits}").unwrap();
        }
    } else if dice.one_in(3) && !kind.defaults.is_empty() {
        write!(line, " DEFAULT {}", dice.pick(kind.defaults)).unwrap();
    } else if dice.one_in(6) && column.nullable {
        line.push_str(" DEFAULT NULL");
    }
    line
}

fn index(dice: &mut Dice, columns: &[RandomColumn], kinds: &[Kind], i: usize) -> Option<String> {
    let mut at: Vec<usize> = (0..=dice.below(3)).map(|_| dice.below(columns.len())).collect();
    at.retain(|c| kinds[*c].key != Key::Never);
    at.dedup();
    if at.len() == 3 && at[0] == at[2] {
        at.pop();
    }
    if at.is_empty() {
        return None;
    }
    let parts: Vec<String> = at
        .iter()
        .map(|c| {
            let name = quoted(&columns[*c].name);
            if kinds[*c].key == Key::Prefix { format!("{name}({})", 1 + dice.below(40)) } else { name }
        })
        .collect();
    let unique = if dice.one_in(5) { "UNIQUE " } else { "" };
    let name = if dice.one_in(3) { String::new() } else { quoted(&format!("k{i}")) + " " };
    Some(format!("{unique}KEY {name}({})", parts.join(", ")))
}

// To a column that is alone in its table's primary key.
fn foreign_key(dice: &mut Dice, before: &[RandomTable], made: &Made, n: usize) -> Option<String> {
    const ACTIONS: [&str; 4] =
        ["", " ON DELETE CASCADE", " ON DELETE RESTRICT ON UPDATE CASCADE", " ON DELETE NO ACTION"];
    for parent in before {
        let keys: Vec<&RandomColumn> = parent.columns.iter().filter(|c| c.key).collect();
        let [key] = keys.as_slice() else { continue };
        let is_free = |c: &&RandomColumn| !c.generated && !made.sources.contains(&c.name);
        let child = made.columns.iter().filter(is_free).find(|c| c.sql_type == key.sql_type);
        let Some(child) = child else { continue };
        let name = if dice.one_in(2) { format!("CONSTRAINT `fk {n}` ") } else { String::new() };
        return Some(format!(
            "{name}FOREIGN KEY ({}) REFERENCES {} ({}){}",
            quoted(&child.name),
            quoted(&parent.name),
            quoted(&key.name),
            dice.pick(&ACTIONS)
        ));
    }
    None
}

fn listed(columns: &[RandomColumn], at: &[usize]) -> String {
    at.iter().map(|c| quoted(&columns[*c].name)).collect::<Vec<_>>().join(", ")
}

/// A name in backquotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
