//! One number a row, and one guessed for it.

mod errors;
mod metric;
mod rows;

pub use metric::RegressionMetric;
pub use rows::{
    Regression, RegressionError, RegressionEstimates, bootstrap_regression, bootstrap_regressions,
    paired_bootstrap_regressions,
};
