//! A statement as tokens with the places where they stand: columns of an answer are named as their expressions are written.

use sqlparser::dialect::MySqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::{Result, fails, unsupported};
use crate::ddl::Places;
use crate::expr::is_blank;

/// A token and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Lexeme {
    /// Its word in capitals, if it is one without quotes.
    pub(super) fn word(&self) -> Option<String> {
        match &self.token {
            Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_ascii_uppercase()),
            _ => None,
        }
    }

    /// The name that it is.
    pub(super) fn name(&self) -> Option<String> {
        match &self.token {
            Token::Word(word) if word.quote_style == Some('`') => Some(word.value.replace("``", "`")),
            Token::Word(word) if word.quote_style.is_none() => Some(word.value.clone()),
            _ => None,
        }
    }

    pub(super) fn is(&self, token: &Token) -> bool {
        self.token == *token
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.token, Token::SingleQuotedString(_) | Token::DoubleQuotedString(_))
    }
}

/// A statement, and how far it has been read.
#[derive(Debug)]
pub(super) struct Lexemes<'s> {
    sql: &'s str,
    all: Vec<Lexeme>,
    at: usize,
}

impl<'s> Lexemes<'s> {
    pub(super) fn of(sql: &'s str) -> Result<Self> {
        let read = Tokenizer::new(&MySqlDialect {}, sql).with_unescape(false).tokenize_with_location();
        let read = match read {
            Ok(read) => read,
            Err(error) => return fails(error.to_string()),
        };
        let mut places = Places::new(sql);
        let mut all = Vec::new();
        for token in read {
            let (start, end) = (places.offset(token.span.start), places.offset(token.span.end));
            match token.token {
                Token::EOF => {}
                blank if is_blank(&blank) => {}
                Token::Whitespace(_) => return unsupported("a comment"),
                token => all.push(Lexeme { token, start, end }),
            }
        }
        while all.last().is_some_and(|last| last.is(&Token::SemiColon)) {
            all.pop();
        }
        if all.iter().any(|lexeme| lexeme.is(&Token::SemiColon)) {
            return unsupported("more than one statement");
        }
        Ok(Self { sql, all, at: 0 })
    }

    /// The text from one place to another.
    pub(super) fn text(&self, from: usize, to: usize) -> &'s str {
        self.sql.get(from..to).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<&Lexeme> {
        self.all.get(self.at)
    }

    /// The word that comes next, in capitals.
    pub(super) fn word(&self) -> Option<String> {
        self.peek().and_then(Lexeme::word)
    }

    pub(super) fn next(&mut self) -> Option<Lexeme> {
        let next = self.all.get(self.at).cloned();
        self.at = self.at.saturating_add(1).min(self.all.len());
        next
    }

    /// Takes these words, if they come next.
    pub(super) fn takes(&mut self, words: &[&str]) -> bool {
        let mut ahead = self.all.iter().skip(self.at);
        if !words.iter().all(|word| ahead.next().and_then(Lexeme::word).as_deref() == Some(word)) {
            return false;
        }
        self.at = self.at.saturating_add(words.len());
        true
    }

    /// Takes a sign, if it comes next.
    pub(super) fn takes_sign(&mut self, sign: &Token) -> bool {
        let takes = self.peek().is_some_and(|next| next.is(sign));
        if takes {
            self.next();
        }
        takes
    }

    /// The words that have to come next.
    pub(super) fn expect(&mut self, words: &[&str]) -> Result<()> {
        if self.takes(words) { Ok(()) } else { self.unexpected() }
    }

    /// A name, with or without quotes.
    pub(super) fn expect_name(&mut self) -> Result<String> {
        match self.peek().and_then(Lexeme::name) {
            Some(name) => {
                self.next();
                Ok(name)
            }
            None => self.unexpected(),
        }
    }

    /// Everything has been read.
    pub(super) fn expect_end(&self) -> Result<()> {
        if self.peek().is_none() { Ok(()) } else { self.unexpected() }
    }

    /// Refuses what comes next.
    pub(super) fn unexpected<T>(&self) -> Result<T> {
        match self.peek() {
            Some(next) => match next.word() {
                Some(word) => unsupported(format!("{word} in this place")),
                None => unsupported(format!("{} in this place", self.text(next.start, next.end))),
            },
            None => fails("syntax error: the statement ends too early"),
        }
    }

    /// What comes up to one of these words, or to the end, outside of parentheses.
    pub(super) fn until(&mut self, stops: &[&str]) -> Vec<Lexeme> {
        let (mut open, mut taken) = (0usize, Vec::new());
        while let Some(next) = self.peek() {
            match &next.token {
                Token::LParen => open = open.saturating_add(1),
                Token::RParen => open = open.saturating_sub(1),
                _ if open == 0 && next.word().is_some_and(|word| stops.contains(&word.as_str())) => break,
                _ => {}
            }
            taken.extend(self.next());
        }
        taken
    }
}

/// The parts between commas outside of parentheses, each with the comma before it.
pub(super) fn split(lexemes: &[Lexeme]) -> Vec<(Option<Lexeme>, Vec<Lexeme>)> {
    let mut parts = vec![(None, Vec::new())];
    let mut open = 0usize;
    for lexeme in lexemes {
        match &lexeme.token {
            Token::LParen => open = open.saturating_add(1),
            Token::RParen => open = open.saturating_sub(1),
            Token::Comma if open == 0 => {
                parts.push((Some(lexeme.clone()), Vec::new()));
                continue;
            }
            _ => {}
        }
        if let Some((_, part)) = parts.last_mut() {
            part.push(lexeme.clone());
        }
    }
    parts
}
