//! Why data cannot be looked at.

/// Why data cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// There is nothing to look at.
    #[error("no rows")]
    NoRows,
    /// Rows are counted in 32 bits.
    #[error("expected at most {most} rows, got {got}")]
    TooManyRows {
        /// The most that there may be.
        most: usize,
        /// Rows there are.
        got: usize,
    },
    /// A matrix is not a whole number of rows.
    #[error("expected {rows} rows of {dim} values, got {got} values")]
    Shape {
        /// Rows there should be.
        rows: usize,
        /// Values a row should have.
        dim: usize,
        /// Values there are.
        got: usize,
    },
    /// Two things do not describe the same rows.
    #[error("expected {expected} {what}, one a row, got {got}")]
    Count {
        /// What is counted, in the plural.
        what: &'static str,
        /// Rows there are.
        expected: usize,
        /// How many were given.
        got: usize,
    },
    /// A label names no class.
    #[error("row {row} has label {label}, but there are only {classes} classes")]
    Label {
        /// The row.
        row: usize,
        /// Its label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },
    /// With one class no label can be wrong.
    #[error("expected at least two classes, got {got}")]
    TooFewClasses {
        /// Number of classes.
        got: usize,
    },
    /// A probability outside [0, 1], or not a number.
    #[error("row {row}, class {class}: expected a probability, got {value}")]
    Probability {
        /// The row.
        row: usize,
        /// The class.
        class: usize,
        /// What stands there.
        value: f64,
    },
    /// Probabilities that do not add up.
    #[error("row {row}: expected probabilities with sum 1, got {sum}")]
    Sum {
        /// The row.
        row: usize,
        /// What they add up to.
        sum: f64,
    },
}
