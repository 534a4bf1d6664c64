//! From text to tokens (bd `internal/query/lexer.go`). Positions count bytes.

use super::{QueryError, refuse};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    End,
    Ident,
    String,
    Number,
    Duration,
    Equals,
    NotEquals,
    Less,
    LessEq,
    Greater,
    GreaterEq,
    And,
    Or,
    Not,
    Open,
    Close,
    Comma,
}

impl Kind {
    /// As messages name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::End => "EOF",
            Self::Ident => "IDENT",
            Self::String => "STRING",
            Self::Number => "NUMBER",
            Self::Duration => "DURATION",
            Self::Equals => "=",
            Self::NotEquals => "!=",
            Self::Less => "<",
            Self::LessEq => "<=",
            Self::Greater => ">",
            Self::GreaterEq => ">=",
            Self::And => "AND",
            Self::Or => "OR",
            Self::Not => "NOT",
            Self::Open => "(",
            Self::Close => ")",
            Self::Comma => ",",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) at: usize,
}

pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    fn peek(&self) -> Option<char> {
        // A zero byte ends the text, as in bd.
        self.text.get(self.at..)?.chars().next().filter(|c| *c != '\0')
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn take_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        if self.peek().is_some_and(wanted) { self.next() } else { None }
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool + Copy) -> String {
        std::iter::from_fn(|| self.take_if(wanted)).collect()
    }

    pub(super) fn token(&mut self) -> Result<Token, QueryError> {
        self.take_while(char::is_whitespace);
        let at = self.at;
        let Some(first) = self.next() else { return Ok(Token { kind: Kind::End, text: String::new(), at }) };
        let mut or_equal = |with, without| if self.take_if(|c| c == '=').is_some() { with } else { without };
        let kind = match first {
            '(' => Kind::Open,
            ')' => Kind::Close,
            ',' => Kind::Comma,
            '=' => Kind::Equals,
            '<' => or_equal(Kind::LessEq, Kind::Less),
            '>' => or_equal(Kind::GreaterEq, Kind::Greater),
            '!' => match or_equal(Kind::NotEquals, Kind::Not) {
                Kind::Not => {
                    return refuse(format!(
                        "unexpected character '!' at position {at} (did you mean '!=' or 'NOT'?)"
                    ));
                }
                kind => kind,
            },
            '"' | '\'' => return self.string(first, at),
            '-' | '+' | '0'..='9' => return self.number(first, at),
            c if c.is_alphabetic() || c == '_' => return Ok(self.word(c, at)),
            c => return refuse(format!("unexpected character '{c}' at position {at}")),
        };
        Ok(Token { kind, text: kind.name().to_owned(), at })
    }

    fn string(&mut self, quote: char, at: usize) -> Result<Token, QueryError> {
        let mut text = String::new();
        loop {
            match self.next() {
                None => return refuse(format!("unterminated string starting at position {at}")),
                Some(c) if c == quote => return Ok(Token { kind: Kind::String, text, at }),
                Some('\\') => match self.next() {
                    None => {
                        return refuse(format!("unterminated escape sequence at position {}", self.at - 1));
                    }
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some(c) => text.push(c),
                },
                Some(c) => text.push(c),
            }
        }
    }

    fn number(&mut self, first: char, at: usize) -> Result<Token, QueryError> {
        let mut text = String::from(first);
        if !first.is_ascii_digit() && !self.peek().is_some_and(|c| c.is_ascii_digit()) {
            return refuse(format!("expected digit at position {}", self.at));
        }
        text.push_str(&self.take_while(|c| c.is_ascii_digit()));
        let unit = self.take_if(|c| matches!(c.to_ascii_lowercase(), 'h' | 'd' | 'w' | 'm' | 'y'));
        text.extend(unit);
        let kind = if unit.is_some() { Kind::Duration } else { Kind::Number };
        Ok(Token { kind, text, at })
    }

    fn word(&mut self, first: char, at: usize) -> Token {
        let mut text = String::from(first);
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        text.push_str(&self.take_while(is_part));
        let kind = match text.to_uppercase().as_str() {
            "AND" => Kind::And,
            "OR" => Kind::Or,
            "NOT" => Kind::Not,
            _ => Kind::Ident,
        };
        Token { kind, text, at }
    }
}
