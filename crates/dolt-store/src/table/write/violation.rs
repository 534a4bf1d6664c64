//! The rules of a table that a change can break.

use super::Misfit;

/// What a row must be like, and is not. Keys are spelled as Dolt prints them, their columns with commas between.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A column that must have a value is to be NULL.
    #[error("column {column} cannot be NULL")]
    Null {
        /// The column.
        column: String,
    },
    /// A column that must have a value, and has no default, got none.
    #[error("column {column} has no default, and no value was given")]
    NoValue {
        /// The column.
        column: String,
    },
    /// A value cannot be in its column.
    #[error("a value does not fit into column {column}: {misfit}")]
    Value {
        /// The column.
        column: String,
        /// Why not.
        misfit: Misfit,
    },
    /// A value was given for a column that an expression generates.
    #[error("column {column} is generated, a value cannot be given")]
    Generated {
        /// The column.
        column: String,
    },
    /// The expression of a column gives what cannot be in it.
    #[error("the expression of column {column} has no value for this row: {problem}")]
    Expression {
        /// The column.
        column: String,
        /// What Dolt would say, in short.
        problem: String,
    },
    /// A check does not hold.
    #[error("check {name} does not hold")]
    Check {
        /// Its name.
        name: String,
    },
    /// A row has so many values, the table so many columns.
    #[error("{given} values for {columns} columns")]
    Columns {
        /// How many values came.
        given: usize,
        /// How many columns there are.
        columns: usize,
    },
    /// Another row has the same key.
    #[error("another row has the same {index}: {key}")]
    Duplicate {
        /// The unique index; `PRIMARY` for the primary key.
        index: String,
        /// What is in it.
        key: String,
    },
    /// The row that is to be changed is not there, or not as it was read.
    #[error("there is no such row: {key}")]
    NoRow {
        /// Its primary key; of a table without one, all its values.
        key: String,
    },
    /// A foreign key does not hold.
    #[error("foreign key {name} from {child} to {parent}: {problem}: {key}")]
    ForeignKey {
        /// Its name.
        name: String,
        /// The table that refers.
        child: String,
        /// The table that is referred to.
        parent: String,
        /// The values of its columns.
        key: String,
        /// What is wrong.
        problem: Reference,
    },
}

/// How a foreign key does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reference {
    /// A row would refer to one that is not there.
    #[error("there is no such parent")]
    NoParent,
    /// A row that is to change or go is referred to.
    #[error("rows refer to it")]
    HasChildren,
    /// Changes of rows lead to changes of others, and so on, more often than Dolt goes along.
    #[error("its actions go too deep")]
    TooDeep,
}
