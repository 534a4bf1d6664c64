//! Random tables: columns of every scalar type, primary keys of none to three columns, indexes of all kinds that are written,
//! foreign keys with every action, to other tables and to the same one; and columns and tables that come later.

use std::fmt::Write;

use super::random::Random;
use super::rules::{Check, Rule, compute_columns, rule_columns};
use gt::sql::{identifier, literal};

/// A type of a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Its name, bits, whether it is unsigned.
    Int(&'static str, u32, bool),
    Float,
    Double,
    /// Digits, and how many of them stand behind the point.
    Decimal(usize, usize),
    Bit(u32),
    Year,
    Date,
    Time,
    /// Digits behind the second.
    Datetime(usize),
    Timestamp(usize),
    Char(usize),
    Varchar(usize),
    Binary(usize),
    Varbinary(usize),
    /// Its name, bytes at most.
    Text(&'static str, usize),
    Blob(&'static str, usize),
    Json,
    Enum(Vec<String>),
    Set(Vec<String>),
    Point,
}

#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    pub(super) collation: Option<&'static str>,
    pub(super) rule: Rule,
    /// Not there before a step adds it.
    pub(super) late: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Index {
    pub(super) name: String,
    pub(super) unique: bool,
    /// Positions of columns, each with the length of its prefix.
    pub(super) columns: Vec<(usize, Option<usize>)>,
}

/// A foreign key to the primary key of an earlier table, or of its own.
#[derive(Debug, Clone)]
pub(super) struct ForeignKey {
    pub(super) name: String,
    pub(super) columns: Vec<usize>,
    /// Which of the case's tables, and its columns.
    pub(super) parent: usize,
    pub(super) parent_columns: Vec<usize>,
    on_delete: Option<&'static str>,
    on_update: Option<&'static str>,
}

/// A table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// Positions of the primary key's columns. None of them: a keyless table.
    pub(super) key: Vec<usize>,
    pub(super) indexes: Vec<Index>,
    pub(super) foreign_keys: Vec<ForeignKey>,
    pub(super) checks: Vec<Check>,
    /// Not there before a step makes it.
    pub(super) late: bool,
}

// `None`: nothing is said. The first is none for columns that cannot be NULL.
const ACTIONS: [Option<&str>; 6] =
    [Some("set null"), Some("cascade"), Some("restrict"), Some("no action"), None, Some("cascade")];
const INTS: [(&str, u32); 5] =
    [("tinyint", 8), ("smallint", 16), ("mediumint", 24), ("int", 32), ("bigint", 64)];
const TEXTS: [(&str, usize); 4] =
    [("tinytext", 255), ("text", 65_535), ("mediumtext", 1 << 24), ("longtext", 1 << 30)];
const BLOBS: [(&str, usize); 4] =
    [("tinyblob", 255), ("blob", 65_535), ("mediumblob", 1 << 24), ("longblob", 1 << 30)];
const MEMBERS: [&str; 10] = ["a", "B", "it's", "two words", "ü", "日本", "😀", "x,y", "\"", "Zz"];
const NAMES: [&str; 12] =
    ["a", "Name", "two words", "größe", "列", "order", "b`c", "value", "It's", "n1", "p%", "UPPER"];

impl Kind {
    fn any(random: &mut Random) -> Self {
        match random.below(24) {
            0..=5 => Self::int(random),
            6 => Self::Float,
            7 => Self::Double,
            8 | 9 => {
                let most = *random.pick(&[18, 18, 65]);
                let digits = 1 + random.below(most);
                Self::Decimal(digits, random.below(digits.min(30) + 1))
            }
            10 => Self::Bit(1 + u32::try_from(random.below(64)).unwrap()),
            11 => Self::Year,
            12 => Self::Date,
            13 => Self::Time,
            14 => Self::Datetime(*random.pick(&[0, 3, 6])),
            15 => Self::Timestamp(*random.pick(&[0, 6])),
            16..=18 => Self::string(random),
            19 => {
                let (name, limit) = *random.pick(&TEXTS);
                Self::Text(name, limit)
            }
            20 => {
                let (name, limit) = *random.pick(&BLOBS);
                Self::Blob(name, limit)
            }
            21 if random.one_in(8) => Self::Point,
            21 | 22 => Self::Json,
            _ => Self::members(random),
        }
    }

    /// One that a key can be made of without a prefix.
    fn of_key(random: &mut Random) -> Self {
        loop {
            let kind = if random.one_in(2) { Self::string(random) } else { Self::any(random) };
            if !matches!(kind, Self::Text(..) | Self::Blob(..) | Self::Json | Self::Point) {
                return kind;
            }
        }
    }

    pub(super) fn int(random: &mut Random) -> Self {
        let (name, bits) = *random.pick(&INTS);
        Self::Int(name, bits, random.one_in(3))
    }

    fn string(random: &mut Random) -> Self {
        let length = *random.pick(&[1, 5, 20, 36, 100]);
        match random.below(6) {
            0 => Self::Char(length),
            1 => Self::Binary(length),
            2 => Self::Varbinary(length),
            _ => Self::Varchar(length),
        }
    }

    fn members(random: &mut Random) -> Self {
        let count = 1 + random.below(MEMBERS.len());
        let members = MEMBERS[..count].iter().map(|m| (*m).to_owned());
        // A comma parts the members of a set.
        if random.one_in(2) {
            Self::Enum(members.collect())
        } else {
            Self::Set(members.filter(|m| !m.contains(',')).collect())
        }
    }

    /// Digits behind the second.
    pub(super) fn digits(&self) -> usize {
        match self {
            Self::Datetime(digits) | Self::Timestamp(digits) => *digits,
            _ => 0,
        }
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Char(_) | Self::Varchar(_) | Self::Text(..))
    }

    fn sql(&self) -> String {
        let members = |of: &[String]| of.iter().map(|m| literal(m)).collect::<Vec<_>>().join(",");
        match self {
            Self::Int(name, _, unsigned) => format!("{name}{}", if *unsigned { " unsigned" } else { "" }),
            Self::Float => "float".to_owned(),
            Self::Double => "double".to_owned(),
            Self::Decimal(digits, scale) => format!("decimal({digits},{scale})"),
            Self::Bit(bits) => format!("bit({bits})"),
            Self::Year => "year".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Time => "time".to_owned(),
            Self::Datetime(digits) => format!("datetime({digits})"),
            Self::Timestamp(digits) => format!("timestamp({digits})"),
            Self::Char(n) => format!("char({n})"),
            Self::Varchar(n) => format!("varchar({n})"),
            Self::Binary(n) => format!("binary({n})"),
            Self::Varbinary(n) => format!("varbinary({n})"),
            Self::Text(name, _) | Self::Blob(name, _) => (*name).to_owned(),
            Self::Json => "json".to_owned(),
            Self::Enum(of) => format!("enum({})", members(of)),
            Self::Set(of) => format!("set({})", members(of)),
            Self::Point => "point".to_owned(),
        }
    }
}

impl Column {
    /// One of which nothing is said.
    pub(super) fn plain(name: String, kind: Kind) -> Self {
        Self { name, kind, nullable: true, collation: None, rule: Rule::None, late: false }
    }

    /// Whether expressions may look at it: its values are written as they are stored.
    pub(super) fn is_plain(&self) -> bool {
        let is_given = matches!(self.rule, Rule::None | Rule::Default(_));
        let has_order = self.collation.is_none();
        matches!(self.kind, Kind::Int(..) | Kind::Varchar(_)) && is_given && has_order && !self.late
    }

    pub(super) fn is_generated(&self) -> bool {
        matches!(self.rule, Rule::Generated { .. })
    }

    fn sql(&self, table: &Table) -> String {
        let mut part = format!("{} {}", identifier(&self.name), self.kind.sql());
        if let Some(collation) = self.collation {
            write!(part, " collate {collation}").unwrap();
        }
        // A timestamp is not null by itself in some modes.
        part.push_str(match self.rule {
            Rule::Generated { .. } => "",
            _ if self.nullable => " null",
            _ => " not null",
        });
        part + &self.rule.sql(self, table)
    }
}

impl Table {
    /// A table behind those of its database that are there.
    pub(super) fn any(random: &mut Random, before: &[Self]) -> Self {
        let n = before.len();
        let keys = *random.pick(&[0, 1, 1, 1, 2, 3]);
        let count = keys + 1 + random.below(7);
        let mut key: Vec<usize> = (0..count).collect();
        while key.len() > keys {
            key.remove(random.below(key.len()));
        }
        // The key's own order.
        if random.one_in(2) {
            key.reverse();
        }
        let mut table = Self {
            name: format!("{}{n}", random.pick(&NAMES)),
            columns: Vec::new(),
            key,
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            late: false,
        };
        for i in 0..count {
            let is_key = table.key.contains(&i);
            let kind = if is_key { Kind::of_key(random) } else { Kind::any(random) };
            table.add_column(kind, !is_key && !random.one_in(4), random);
        }
        rule_columns(&mut table, random);
        for _ in 0..random.below(3) {
            table.refer(random, before);
        }
        compute_columns(&mut table, random);
        for _ in 0..random.below(3) {
            table.add_column(Kind::any(random), !random.one_in(4), random);
            let last = table.columns.len() - 1;
            if !random.one_in(3) {
                // Only the last one is looked at.
                let mut alone =
                    Self { columns: table.columns.split_off(last), key: Vec::new(), ..table.clone() };
                rule_columns(&mut alone, random);
                table.columns.append(&mut alone.columns);
            }
            table.columns[last].late = true;
        }
        for i in 0..random.below(4) {
            let index = table.index(random, i, false);
            table.indexes.extend(index);
        }
        table
    }

    fn add_column(&mut self, kind: Kind, nullable: bool, random: &mut Random) {
        let i = self.columns.len();
        let name = format!("{}{i}", random.pick(&NAMES));
        let collation = (!self.key.contains(&i) && kind.is_text() && random.one_in(5))
            .then(|| *random.pick(&["utf8mb4_0900_ai_ci", "utf8mb4_bin", "utf8mb4_general_ci"]));
        self.columns.push(Column { nullable, collation, ..Column::plain(name, kind) });
    }

    // Adds a foreign key, with columns for it, to some table that has a key of one or two columns, maybe itself.
    fn refer(&mut self, random: &mut Random, before: &[Self]) {
        let parent = if random.one_in(3) { before.len() } else { random.below(before.len() + 1) };
        let of = before.get(parent).unwrap_or(self);
        if !(1..=2).contains(&of.key.len()) {
            return;
        }
        let parent_columns = of.key.clone();
        let kinds: Vec<Kind> = of.key.iter().map(|from| of.columns[*from].kind.clone()).collect();
        let nullable = !random.one_in(4);
        let mut columns = Vec::new();
        for kind in kinds {
            columns.push(self.columns.len());
            let name = format!("to{}", self.columns.len());
            self.columns.push(Column { nullable, ..Column::plain(name, kind) });
        }
        let mut action = || *random.pick(&ACTIONS[usize::from(!nullable)..]);
        let (on_delete, on_update) = (action(), action());
        let name = format!("fk_{}_{}", before.len(), self.foreign_keys.len());
        self.foreign_keys.push(ForeignKey { name, columns, parent, parent_columns, on_delete, on_update });
    }

    /// A random index; of columns that come later only if that is wanted.
    pub(super) fn index(&self, random: &mut Random, n: usize, late: bool) -> Option<Index> {
        let mut columns = Vec::new();
        for _ in 0..=random.below(3) {
            let at = random.below(self.columns.len());
            if self.columns[at].late && !late {
                continue;
            }
            let prefix = match self.columns[at].kind {
                Kind::Json | Kind::Point => continue,
                // Dolt leaves the entry of such a row where it is when the row goes (`trimKeyPart` of its keyless writer
                // does not know long values); ours takes it away.
                Kind::Text(..) | Kind::Blob(..) if self.key.is_empty() => continue,
                // Versions of Dolt order indexes over whole long values differently; those are refused.
                Kind::Text(..) | Kind::Blob(..) => Some(1 + random.below(30)),
                // Of a key's column such an index is refused: see `store_refusals`.
                Kind::Varchar(n) | Kind::Char(n) if n > 1 && !self.key.contains(&at) && random.one_in(4) => {
                    Some(1 + random.below(n - 1))
                }
                _ => None,
            };
            let has_order = self.columns[at].collation.is_none_or(|name| name.ends_with("_bin"));
            if has_order && !columns.iter().any(|(other, _)| *other == at) {
                columns.push((at, prefix));
            }
        }
        let name = format!("{}{n}", random.pick(&NAMES));
        (!columns.is_empty()).then(|| Index { name, unique: random.one_in(3), columns })
    }

    /// Whether a column refers to another table.
    pub(super) fn is_foreign(&self, column: usize) -> bool {
        self.foreign_keys.iter().any(|key| key.columns.contains(&column))
    }

    /// Whether a row may follow from a change of another one of it.
    pub(super) fn refers_to_itself(&self, own: usize) -> bool {
        self.foreign_keys.iter().any(|key| key.parent == own)
    }

    /// Whether it has columns that are not stored. Where another row has the same key Dolt reads that one as if they were, and
    /// panics (`writer/prolly_index_writer.go`, `uniqueKeyError`): an insert is refused so, a transaction is lost, and an upsert
    /// cannot be compared.
    pub(super) fn has_virtual_columns(&self) -> bool {
        self.columns.iter().any(|column| matches!(column.rule, Rule::Generated { stored: false, .. }))
    }

    /// Whether it counts up.
    pub(super) fn counts(&self) -> bool {
        self.columns.iter().any(|column| column.rule == Rule::Counting)
    }

    /// The statement that makes it, without its indexes and foreign keys.
    pub(super) fn create(&self) -> String {
        self.create_with(Vec::new())
    }

    /// The statement that makes it whole.
    pub(super) fn create_whole(&self, tables: &[Self]) -> String {
        let indexes = self.indexes.iter().map(|index| self.index_sql(index));
        self.create_with(
            indexes.chain(self.foreign_keys.iter().map(|key| self.key_sql(key, tables))).collect(),
        )
    }

    fn create_with(&self, more: Vec<String>) -> String {
        let mut parts: Vec<String> =
            self.columns.iter().filter(|c| !c.late).map(|column| column.sql(self)).collect();
        if !self.key.is_empty() {
            let key: Vec<String> = self.key.iter().map(|i| identifier(&self.columns[*i].name)).collect();
            parts.push(format!("primary key ({})", key.join(",")));
        }
        parts.extend(more);
        parts.extend(self.checks.iter().map(|check| check.sql(self)));
        format!("create table {} ({})", identifier(&self.name), parts.join(", "))
    }

    /// The statement that adds one of its columns.
    pub(super) fn add_column_sql(&self, column: usize, place: &str) -> String {
        let (table, column) = (identifier(&self.name), self.columns[column].sql(self));
        format!("alter table {table} add column {column}{place}")
    }

    fn index_sql(&self, index: &Index) -> String {
        let column = |(at, prefix): &(usize, Option<usize>)| {
            let prefix = prefix.map_or(String::new(), |n| format!("({n})"));
            format!("{}{prefix}", identifier(&self.columns[*at].name))
        };
        let columns: Vec<String> = index.columns.iter().map(column).collect();
        let kind = if index.unique { "unique index" } else { "index" };
        format!("{kind} {} ({})", identifier(&index.name), columns.join(","))
    }

    fn key_sql(&self, key: &ForeignKey, tables: &[Self]) -> String {
        let parent = &tables[key.parent];
        let names = |table: &Self, columns: &[usize]| {
            columns.iter().map(|i| identifier(&table.columns[*i].name)).collect::<Vec<_>>().join(",")
        };
        let mut sql = format!(
            "constraint {} foreign key ({}) references {} ({})",
            key.name,
            names(self, &key.columns),
            identifier(&parent.name),
            names(parent, &key.parent_columns),
        );
        for (on, action) in [("delete", key.on_delete), ("update", key.on_update)] {
            if let Some(action) = action {
                write!(sql, " on {on} {action}").unwrap();
            }
        }
        sql
    }

    /// The statement that adds one of its indexes.
    pub(super) fn add_index(&self, index: &Index) -> String {
        format!("alter table {} add {}", identifier(&self.name), self.index_sql(index))
    }

    /// The same, or in the other words for it.
    pub(super) fn add_index_in(&self, index: &Index, words: bool) -> String {
        if words {
            return self.add_index(index);
        }
        let sql = self.index_sql(index);
        let (head, columns) = sql.split_once(" (").expect("its columns");
        format!("create {head} on {} ({columns}", identifier(&self.name))
    }

    /// The statement that adds one of its foreign keys.
    pub(super) fn add_foreign_key(&self, key: &ForeignKey, tables: &[Self]) -> String {
        format!("alter table {} add {}", identifier(&self.name), self.key_sql(key, tables))
    }
}
