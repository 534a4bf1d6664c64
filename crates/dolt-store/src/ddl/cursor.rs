//! SQL taken apart into tokens, each with the place where it stands: expressions and views are stored as they were written.
//!
//! The tokens are those of `sqlparser` in its dialect of `MySQL`; what escapes in a text mean is decided here, because Dolt
//! (vitess `go/vt/sqlparser/token.go`) decodes some of them otherwise.

use sqlparser::dialect::MySqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Token, Tokenizer};

use crate::{Error, Result};

/// A statement, and how far it has been read.
#[derive(Debug)]
pub(super) struct Cursor<'s> {
    sql: &'s str,
    tokens: Vec<Lexeme>,
    at: usize,
}

#[derive(Debug)]
struct Lexeme {
    token: Token,
    start: usize,
    end: usize,
}

impl<'s> Cursor<'s> {
    pub(super) fn new(sql: &'s str) -> Result<Self> {
        // What stands in such comments is read by Dolt, depending on the number in it.
        if sql.contains("/*!") {
            return Err(Error::NotSupported { what: "a comment that begins with /*!".to_owned() });
        }
        let read = Tokenizer::new(&MySqlDialect {}, sql).tokenize_with_location();
        let read = read.map_err(|e| Error::Sql { problem: e.to_string() })?;
        let mut places = Places::new(sql);
        let mut tokens = Vec::new();
        for token in read {
            let (start, end) = (places.offset(token.span.start), places.offset(token.span.end));
            match token.token {
                Token::Whitespace(_) | Token::EOF => {}
                token => tokens.push(Lexeme { token, start, end }),
            }
        }
        Ok(Self { sql, tokens, at: 0 })
    }

    fn peek_at(&self, ahead: usize) -> Option<&Lexeme> {
        self.tokens.get(self.at.saturating_add(ahead))
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.peek_at(0).map(|l| &l.token)
    }

    fn text(&self, lexeme: &Lexeme) -> &'s str {
        self.sql.get(lexeme.start..lexeme.end).unwrap_or_default()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// An error about what comes next.
    pub(super) fn unexpected<T>(&self, wanted: &str) -> Result<T> {
        let found = self.peek_at(0).map_or("the end", |l| self.text(l));
        Err(Error::Sql { problem: format!("{wanted} is expected, not {found}") })
    }

    /// The next word, if it is not in quotes, in capitals.
    pub(super) fn word(&self) -> Option<String> {
        self.word_at(0)
    }

    fn word_at(&self, ahead: usize) -> Option<String> {
        match &self.peek_at(ahead)?.token {
            Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_ascii_uppercase()),
            _ => None,
        }
    }

    /// Whether these words come next.
    pub(super) fn is(&self, words: &str) -> bool {
        words.split(' ').enumerate().all(|(i, word)| self.word_at(i).as_deref() == Some(word))
    }

    /// Steps over these words, if they come next.
    pub(super) fn eat(&mut self, words: &str) -> bool {
        let is_next = self.is(words);
        if is_next {
            self.at = self.at.saturating_add(words.split(' ').count());
        }
        is_next
    }

    pub(super) fn expect(&mut self, words: &str) -> Result<()> {
        if self.eat(words) { Ok(()) } else { self.unexpected(words) }
    }

    /// Steps over this token, if it comes next.
    pub(super) fn eat_token(&mut self, token: &Token) -> bool {
        let is_next = self.peek() == Some(token);
        if is_next {
            self.step();
        }
        is_next
    }

    pub(super) fn expect_token(&mut self, token: &Token) -> Result<()> {
        if self.eat_token(token) { Ok(()) } else { self.unexpected(&token.to_string()) }
    }

    /// A name, in backquotes or not.
    pub(super) fn name(&mut self) -> Result<String> {
        let Some(Token::Word(word)) = self.peek() else { return self.unexpected("a name") };
        let is_fine = match word.quote_style {
            Some(_) => true,
            // What could be read as something else has to be quoted.
            None => !RESERVED.contains(&word.keyword) && !word.value.contains('@'),
        };
        if !is_fine {
            return self.unexpected("a name");
        }
        let name = word.value.clone();
        self.step();
        Ok(name)
    }

    /// The name of a table of this database.
    pub(super) fn table_name(&mut self) -> Result<String> {
        let name = self.name()?;
        if self.peek() == Some(&Token::Period) {
            return Err(Error::NotSupported { what: format!("a name with a database, {name}.…,") });
        }
        Ok(name)
    }

    /// Names in parentheses.
    pub(super) fn names(&mut self) -> Result<Vec<String>> {
        self.listed(Self::name)
    }

    /// Things in parentheses, with commas between them.
    pub(super) fn listed<T>(&mut self, mut one: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect_token(&Token::LParen)?;
        let mut found = vec![one(self)?];
        while self.eat_token(&Token::Comma) {
            found.push(one(self)?);
        }
        self.expect_token(&Token::RParen)?;
        Ok(found)
    }

    /// A text in quotes.
    pub(super) fn string(&mut self) -> Result<String> {
        let Some(lexeme) = self.peek_at(0) else { return self.unexpected("a text") };
        if !matches!(lexeme.token, Token::SingleQuotedString(_) | Token::DoubleQuotedString(_)) {
            return self.unexpected("a text");
        }
        let text = unescaped(self.text(lexeme))?;
        self.step();
        Ok(text)
    }

    /// A whole number.
    pub(super) fn number(&mut self) -> Result<u64> {
        let Some(Token::Number(digits, _)) = self.peek() else { return self.unexpected("a number") };
        let Ok(number) = digits.parse() else { return self.unexpected("a whole number") };
        self.step();
        Ok(number)
    }

    /// What stands between the next parenthesis and the one that closes it, as it was written.
    pub(super) fn inside(&mut self) -> Result<&'s str> {
        let start = self.peek_at(0).map_or(0, |l| l.end);
        self.expect_token(&Token::LParen)?;
        let mut depth = 1u32;
        while let Some(lexeme) = self.peek_at(0) {
            match lexeme.token {
                Token::LParen => depth = depth.saturating_add(1),
                Token::RParen => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                let text = self.sql.get(start..lexeme.start).unwrap_or_default();
                self.step();
                return Ok(text.trim());
            }
            self.step();
        }
        self.unexpected(")")
    }

    /// A value as it was written: a literal with its sign, a word, a call, or anything in parentheses.
    pub(super) fn value(&mut self) -> Result<&'s str> {
        let start = self.peek_at(0).map_or(0, |l| l.start);
        while self.eat_token(&Token::Minus) || self.eat_token(&Token::Plus) {}
        match self.peek() {
            Some(Token::LParen) => {
                self.inside()?;
            }
            Some(Token::Word(word)) => {
                let is_introducer = word.quote_style.is_none() && word.value.starts_with('_');
                self.step();
                if is_introducer && matches!(self.peek(), Some(Token::SingleQuotedString(_))) {
                    self.step();
                } else if self.peek() == Some(&Token::LParen) {
                    self.inside()?;
                }
            }
            Some(_) => self.step(),
            None => return self.unexpected("a value"),
        }
        let end = self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(start, |l| l.end);
        Ok(self.sql.get(start..end).unwrap_or_default())
    }

    /// Everything from the next token on, without a semicolon at the end, as it was written.
    pub(super) fn rest(&mut self) -> &'s str {
        let is_end = |l: &Lexeme| l.token != Token::SemiColon;
        let last = self.tokens.iter().rposition(is_end).filter(|last| *last >= self.at);
        let (Some(first), Some(last)) = (self.peek_at(0), last.and_then(|l| self.tokens.get(l))) else {
            return "";
        };
        let text = self.sql.get(first.start..last.end).unwrap_or_default();
        self.at = self.tokens.len();
        text
    }

    /// Nothing may follow but a semicolon.
    pub(super) fn end(&mut self) -> Result<()> {
        while self.eat_token(&Token::SemiColon) {}
        if self.peek().is_none() { Ok(()) } else { self.unexpected("the end") }
    }
}

// Words that begin a part of a definition, or end one: as names they must stand in backquotes, in MySQL too.
const RESERVED: [Keyword; 19] = [
    Keyword::CHECK,
    Keyword::COLLATE,
    Keyword::CONSTRAINT,
    Keyword::CREATE,
    Keyword::DEFAULT,
    Keyword::DROP,
    Keyword::FOREIGN,
    Keyword::FULLTEXT,
    Keyword::GENERATED,
    Keyword::INDEX,
    Keyword::KEY,
    Keyword::LIKE,
    Keyword::NOT,
    Keyword::NULL,
    Keyword::ON,
    Keyword::PRIMARY,
    Keyword::REFERENCES,
    Keyword::SPATIAL,
    Keyword::UNIQUE,
];

// From line and column, which the tokenizer counts in characters, to bytes. It is asked in ascending order.
pub(crate) struct Places<'s> {
    rest: std::str::Chars<'s>,
    length: usize,
    at: Location,
}

impl<'s> Places<'s> {
    pub(crate) fn new(sql: &'s str) -> Self {
        Self { rest: sql.chars(), length: sql.len(), at: Location { line: 1, column: 1 } }
    }

    pub(crate) fn offset(&mut self, place: Location) -> usize {
        while (self.at.line, self.at.column) < (place.line, place.column) {
            match self.rest.next() {
                Some('\n') => self.at = Location { line: self.at.line.saturating_add(1), column: 1 },
                Some(_) => self.at.column = self.at.column.saturating_add(1),
                None => break,
            }
        }
        self.length.saturating_sub(self.rest.as_str().len())
    }
}

// A literal with its quotes to what it means.
fn unescaped(literal: &str) -> Result<String> {
    let mut chars = literal.chars();
    let quote = chars.next();
    let mut out = String::with_capacity(literal.len());
    let mut chars = chars.peekable();
    while let Some(c) = chars.next() {
        if c == '\\' {
            out.push(match chars.next() {
                Some('0') => '\0',
                Some('b') => '\u{8}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('Z') => '\u{1a}',
                Some(c @ ('%' | '_')) => {
                    return Err(Error::NotSupported { what: format!("the escape \\{c} in {literal}") });
                }
                Some(other) => other,
                None => '\\',
            });
        } else if Some(c) == quote {
            if chars.next_if_eq(&c).is_none() {
                break;
            }
            out.push(c);
        } else {
            out.push(c);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_given_back_as_it_was() {
        let mut cursor =
            Cursor::new("é `ü``b` -- note\n( 'it''s' , (1 + `)`) )  _utf8mb4'x' -1.5 NOW( 3 ) 'a\\'b\\n' ;")
                .unwrap();
        assert_eq!(cursor.name().unwrap(), "é");
        assert_eq!(cursor.name().unwrap(), "ü`b");
        assert_eq!(cursor.inside().unwrap(), "'it''s' , (1 + `)`)");
        assert_eq!(cursor.value().unwrap(), "_utf8mb4'x'");
        assert_eq!(cursor.value().unwrap(), "-1.5");
        assert_eq!(cursor.value().unwrap(), "NOW( 3 )");
        assert_eq!(cursor.string().unwrap(), "a'b\n");
        cursor.end().unwrap();
        let mut cursor = Cursor::new("as\nselect 'é',\n 2 ;\n").unwrap();
        assert!(cursor.eat("AS"));
        assert_eq!(cursor.rest(), "select 'é',\n 2");
        assert!(Cursor::new("a 'open").is_err());
        assert!(Cursor::new("/*! x */").is_err());
    }
}
