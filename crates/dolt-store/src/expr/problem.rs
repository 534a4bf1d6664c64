//! Why an expression has no value.

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// This crate does not know what Dolt would make of it.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// Dolt itself refuses: a value is out of range, or no value of its column.
    #[error("{0}")]
    Fails(String),
}

pub(crate) type Result<T> = std::result::Result<T, Problem>;

pub(crate) fn unsupported<T>(what: &str) -> Result<T> {
    Err(Problem::Unsupported(what.to_owned()))
}

pub(crate) fn fails<T>(what: &str) -> Result<T> {
    Err(Problem::Fails(what.to_owned()))
}
