//! Why targets cannot be read.

use store::table::TableError;

/// Targets that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TargetsError {
    /// What should be a number is none.
    #[error("{place}: `{id}` has `{value}`, expected a finite number (below 3.4e38), such as 28.2")]
    Number {
        /// The class names, or a column.
        place: String,
        /// The sample.
        id: String,
        /// What stands there.
        value: String,
    },
    /// What should say whether a sample bears a label does not.
    #[error("{place}: `{id}` has `{value}`, expected 0 or 1, or false or true")]
    Label {
        /// The column.
        place: String,
        /// The sample.
        id: String,
        /// What stands there.
        value: String,
    },
    /// A sample bears a label that the head does not know.
    #[error("{place}: `{id}` bears `{label}`, which is no label of the head, only {known}")]
    Unknown {
        /// The class names, or a column.
        place: String,
        /// The sample.
        id: String,
        /// The label.
        label: String,
        /// The labels there are.
        known: String,
    },
    /// A sample is of a class that the head does not know.
    #[error("{place}: `{id}` is of class `{class}`, which the head does not know, only {known}")]
    UnknownClass {
        /// The class names, or a column.
        place: String,
        /// The sample.
        id: String,
        /// The class.
        class: String,
        /// The classes there are.
        known: String,
    },
    /// No label, and labels.
    #[error("{place}: `{id}` has `{value}`, expected `none` alone, or labels without it")]
    None {
        /// The class names, or a column.
        place: String,
        /// The sample.
        id: String,
        /// What stands there.
        value: String,
    },
    /// There is nothing to tell.
    #[error("{place}: no sample bears a label, expected some, such as `cat` or `cat|dog`")]
    NoLabels {
        /// The class names, or a column.
        place: String,
    },
    /// Two outputs of one name.
    #[error("the column `{0}` is named twice")]
    Twice(String),
    /// A sample is of one class only.
    #[error("classes stand in one column, got {columns}")]
    Columns {
        /// The columns.
        columns: String,
    },
    /// A column that is said to hold them is nowhere.
    #[error(
        "{place} has no column `{column}`, {known}{manifest}; name another, or give a --manifest that has it"
    )]
    NoColumn {
        /// The features.
        place: String,
        /// The column.
        column: String,
        /// Those there are.
        known: String,
        /// That the manifest has none either.
        manifest: String,
    },
    /// Nothing is said of a sample.
    #[error("{place}: `{column}` of `{id}` is empty; fill it in a --manifest")]
    Empty {
        /// The features.
        place: String,
        /// The column.
        column: String,
        /// The sample.
        id: String,
    },
    /// A sample of which a list of labels says nothing.
    #[error("{0}; a sample without labels says `none`")]
    NoList(Box<TargetsError>),
    /// The manifest cannot be read, or says nothing of a sample.
    #[error(transparent)]
    Table(#[from] TableError),
}
