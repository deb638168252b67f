//! One number a row, and one guessed for it.

mod errors;
mod intervals;
mod metric;
mod rows;

pub use intervals::{RegressionEstimates, regression_differences, regression_estimates};
pub use metric::RegressionMetric;
pub use rows::{Regression, RegressionError};
