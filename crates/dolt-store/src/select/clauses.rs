//! The clauses of a `SELECT`, and its expressions: which table, which columns of it, under which names.

use std::cell::RefCell;

use sqlparser::tokenizer::Token;

use super::lexeme::{Lexeme, Lexemes, split};
use super::{Result, fails, unsupported};
use crate::expr::{Ast, parse_tokens};
use crate::table::{Column, Table};

/// The words that end a clause.
const ENDS: [&str; 14] = [
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "INTO",
    "FOR",
    "LOCK",
    "WINDOW",
    "PROCEDURE",
];

/// One thing that is asked for.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) lexemes: Vec<Lexeme>,
    /// As which it is shown.
    pub(super) name: String,
    pub(super) alias: Option<String>,
}

/// Where rows come from, and how expressions call it.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) table: String,
    pub(super) called: String,
}

/// A `SELECT` taken apart.
#[derive(Debug)]
pub(super) struct Clauses {
    pub(super) distinct: bool,
    pub(super) items: Vec<Item>,
    pub(super) source: Option<Source>,
    pub(super) filter: Vec<Lexeme>,
    pub(super) group: Vec<Vec<Lexeme>>,
    /// By what, and whether the greatest comes first.
    pub(super) order: Vec<(Vec<Lexeme>, bool)>,
    pub(super) offset: usize,
    pub(super) limit: usize,
}

impl Clauses {
    pub(super) fn of(words: &mut Lexemes<'_>) -> Result<Self> {
        words.expect(&["SELECT"])?;
        let distinct = words.takes(&["DISTINCT"]);
        let items = split(&words.until(&ENDS));
        let items = items.into_iter().map(|(comma, part)| item(words, comma.as_ref(), part));
        let items = items.collect::<Result<Vec<_>>>()?;
        let source = if words.takes(&["FROM"]) { Some(source(words)?) } else { None };
        let filter = if words.takes(&["WHERE"]) { clause(words)? } else { Vec::new() };
        let mut group = Vec::new();
        if words.takes(&["GROUP", "BY"]) {
            group = split(&clause(words)?).into_iter().map(|(_, part)| part).collect();
        }
        let mut order = Vec::new();
        if words.takes(&["ORDER", "BY"]) {
            for (_, mut part) in split(&clause(words)?) {
                let last = part.last().and_then(Lexeme::word);
                let is_descending = last.as_deref() == Some("DESC");
                if is_descending || last.as_deref() == Some("ASC") {
                    part.pop();
                }
                order.push((part, is_descending));
            }
        }
        let (offset, limit) = if words.takes(&["LIMIT"]) { limit(words)? } else { (0, usize::MAX) };
        words.expect_end()?;
        Ok(Self { distinct, items, source, filter, group, order, offset, limit })
    }
}

/// What a clause says; it says something.
pub(super) fn clause(words: &mut Lexemes<'_>) -> Result<Vec<Lexeme>> {
    let taken = words.until(&ENDS);
    if taken.is_empty() { words.unexpected() } else { Ok(taken) }
}

/// `t`, `t a`, `t AS a`.
pub(super) fn source(words: &mut Lexemes<'_>) -> Result<Source> {
    let table = words.expect_name()?;
    let follows = words.word();
    let is_end = |word: &str| ENDS.contains(&word) || matches!(word, "SET" | "VALUES" | "VALUE");
    let joins =
        ["JOIN", "INNER", "LEFT", "RIGHT", "CROSS", "NATURAL", "STRAIGHT_JOIN", "USE", "FORCE", "IGNORE"];
    let called = match follows.as_deref() {
        Some("AS") => {
            words.next();
            if matches!(words.word().as_deref(), Some("OF")) {
                return unsupported("AS OF");
            }
            words.expect_name()?
        }
        Some(word) if joins.contains(&word) => return unsupported(format!("{word} in a statement")),
        Some(word) if is_end(word) => table.clone(),
        None if words.peek().is_none_or(|next| next.name().is_none()) => table.clone(),
        _ => words.expect_name()?,
    };
    if let Some(word) = words.word().filter(|word| joins.contains(&word.as_str())) {
        return unsupported(format!("{word} in a statement"));
    }
    if words.peek().is_some_and(|next| next.is(&Token::Comma)) {
        return unsupported("more than one table in a statement");
    }
    Ok(Source { table, called })
}

fn limit(words: &mut Lexemes<'_>) -> Result<(usize, usize)> {
    let first = limit_number(words)?;
    if words.takes(&["OFFSET"]) {
        return limit_number(words).map(|offset| (offset, first));
    }
    if words.takes_sign(&Token::Comma) {
        return limit_number(words).map(|limit| (first, limit));
    }
    Ok((0, first))
}

fn limit_number(words: &mut Lexemes<'_>) -> Result<usize> {
    match words.next().map(|lexeme| lexeme.token) {
        Some(Token::Number(digits, _)) => digits.parse().or_else(|_| unsupported(format!("LIMIT {digits}"))),
        _ => unsupported("LIMIT without a number"),
    }
}

// Words behind which an operand has to come, so that what comes is no name for what stands before.
const OPERATORS: [&str; 22] = [
    "IS",
    "NOT",
    "AND",
    "OR",
    "XOR",
    "DIV",
    "MOD",
    "LIKE",
    "RLIKE",
    "REGEXP",
    "IN",
    "BETWEEN",
    "COLLATE",
    "BINARY",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "INTERVAL",
    "ESCAPE",
    "DISTINCT",
    "SEPARATOR",
];

fn item(words: &Lexemes<'_>, comma: Option<&Lexeme>, mut lexemes: Vec<Lexeme>) -> Result<Item> {
    let [.., before, last] = lexemes.as_slice() else {
        return match lexemes.first() {
            Some(_) => named(words, comma, lexemes, None),
            None => fails("syntax error: nothing stands between two commas"),
        };
    };
    let alias = last.name().or_else(|| last.is_text().then(|| unquoted(&last.token)).flatten());
    let word = last.word();
    let word = word.as_deref().unwrap_or_default();
    let is_operand = match (&before.token, before.word().as_deref()) {
        (_, Some("DATE" | "TIME" | "TIMESTAMP")) if last.is_text() => {
            return unsupported("a literal with its type before it");
        }
        (_, Some(word)) => !OPERATORS.contains(&word) && !word.starts_with('_'),
        (Token::Word(_) | Token::Number(..) | Token::RParen, _) => true,
        (_, _) if before.is_text() => !last.is_text(),
        _ => false,
    };
    if before.word().as_deref() == Some("AS") {
        let Some(alias) = alias else { return unsupported("such a name behind AS") };
        lexemes.truncate(lexemes.len().saturating_sub(2));
        return named(words, comma, lexemes, Some(alias));
    }
    match alias {
        Some(alias) if is_operand && !matches!(word, "NULL" | "TRUE" | "FALSE" | "UNKNOWN" | "END") => {
            lexemes.pop();
            named(words, comma, lexemes, Some(alias))
        }
        _ => named(words, comma, lexemes, None),
    }
}

// Without a name of its own it is called as it is written, a column by its name alone, a text by what it says. Dolt lets the
// text begin at the comma before it, if there is a blank before that.
fn named(
    words: &Lexemes<'_>,
    comma: Option<&Lexeme>,
    lexemes: Vec<Lexeme>,
    alias: Option<String>,
) -> Result<Item> {
    let (Some(first), Some(last)) = (lexemes.first(), lexemes.last()) else {
        return fails("syntax error: nothing stands before a name");
    };
    let is_column = lexemes.iter().step_by(2).all(|l| l.name().is_some())
        && lexemes.iter().skip(1).step_by(2).all(|l| l.is(&Token::Period))
        && lexemes.len() % 2 == 1
        && !matches!(first.word().as_deref(), Some("NULL" | "TRUE" | "FALSE"));
    let before = comma.map(|comma| words.text(comma.start.saturating_sub(1), comma.start));
    let is_apart = before.is_some_and(|text| text.chars().all(char::is_whitespace));
    let name = match (&alias, is_column, comma) {
        (Some(alias), ..) => alias.clone(),
        (None, true, _) => last.name().unwrap_or_default(),
        (None, false, Some(comma)) if is_apart => words.text(comma.start, last.end).to_owned(),
        (None, false, _) if lexemes.len() == 1 && first.is_text() => match unquoted(&first.token) {
            Some(text) => text,
            None => return unsupported("a text with such signs as a name"),
        },
        (None, false, _) => words.text(first.start, last.end).to_owned(),
    };
    Ok(Item { lexemes, name, alias })
}

// What a text says, if no sign of it stands for another.
fn unquoted(token: &Token) -> Option<String> {
    match token {
        Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => {
            (!text.contains(['\\', '\'', '"'])).then(|| text.clone())
        }
        _ => None,
    }
}

/// What names mean in expressions.
pub(super) struct Names<'t> {
    table: Option<(&'t Table, String)>,
    used: RefCell<Vec<usize>>,
}

impl<'t> Names<'t> {
    pub(super) fn of(table: Option<(&'t Table, String)>) -> Self {
        Self { table, used: RefCell::default() }
    }

    /// The visible columns that expressions have named so far, in the order in which they did.
    pub(super) fn used(&self) -> Vec<usize> {
        self.used.borrow().clone()
    }

    /// Names a visible column.
    pub(super) fn uses(&self, column: usize) -> usize {
        let mut used = self.used.borrow_mut();
        if let Some(at) = used.iter().position(|other| *other == column) {
            return at;
        }
        used.push(column);
        used.len().saturating_sub(1)
    }

    /// How many columns there are.
    pub(super) fn columns(&self) -> usize {
        self.table.as_ref().map_or(0, |(table, _)| table.schema().visible().count())
    }

    /// The visible position and the name of a column, by its name in any case.
    fn column(&self, name: &str) -> Option<(usize, &'t str)> {
        let (table, _) = self.table.as_ref()?;
        let mut visible = table.schema().visible().enumerate();
        let found = visible.find(|(_, (_, column))| column.name.eq_ignore_ascii_case(name));
        found.map(|(at, (_, column))| (at, column.name.as_str()))
    }

    /// The visible position of the column that an expression is.
    pub(super) fn position_of(&self, ast: &Ast) -> Option<usize> {
        match ast {
            Ast::Column(name) => self.column(name).map(|(at, _)| at),
            _ => None,
        }
    }

    /// The name of a visible column.
    pub(super) fn name_of(&self, column: usize) -> Option<String> {
        let (table, _) = self.table.as_ref()?;
        table.schema().visible().nth(column).map(|(_, column)| column.name.clone())
    }

    /// A visible column by its name in any case, with its position.
    pub(super) fn visible(&self, name: &str) -> Option<(usize, &'t Column)> {
        let (table, _) = self.table.as_ref()?;
        let (at, _) = self.column(name)?;
        table.schema().visible().nth(at).map(|(_, column)| (at, column))
    }

    /// Whether this names the table.
    pub(super) fn is_table(&self, name: &str) -> bool {
        self.table.as_ref().is_some_and(|(_, called)| called.eq_ignore_ascii_case(name))
    }

    /// Tokens in which columns stand alone, by the names that the schema has for them.
    pub(super) fn bare(&self, lexemes: &[Lexeme]) -> Result<Vec<Token>> {
        let mut tokens = Vec::with_capacity(lexemes.len());
        let mut rest = lexemes;
        while let Some((first, mut behind)) = rest.split_first() {
            let mut lexeme = first;
            if let [dot, second, others @ ..] = behind
                && dot.is(&Token::Period)
                && let (Some(table), Some(_)) = (first.name(), second.name())
            {
                if !self.is_table(&table) {
                    return fails(format!("table not found: {table}"));
                }
                (lexeme, behind) = (second, others);
            }
            let is_call = behind.first().is_some_and(|next| next.is(&Token::LParen));
            let column = lexeme.name().filter(|_| !is_call).and_then(|name| self.column(&name));
            tokens.push(match (&lexeme.token, column) {
                (Token::Word(word), Some((at, name))) => {
                    self.uses(at);
                    let mut word = word.clone();
                    word.value =
                        if word.quote_style.is_some() { name.replace('`', "``") } else { name.to_owned() };
                    Token::Word(word)
                }
                (token, _) => token.clone(),
            });
            rest = behind;
        }
        Ok(tokens)
    }

    /// An expression.
    pub(super) fn expression(&self, lexemes: &[Lexeme]) -> Result<Ast> {
        match parse_tokens(self.bare(lexemes)?) {
            Ok(parsed) => Ok(parsed.ast),
            Err(problem) => unsupported(problem),
        }
    }
}
