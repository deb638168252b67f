//! Pure functions of scores and labels: no I/O, no candle, no tables.
//!
//! Everything starts from [`Scored`], which checks labels and probabilities once; after that no
//! function can fail. All arithmetic is f64, all sums run in row order, so the same rows give the
//! same bits whatever the number of threads.
//!
//! Definitions are scikit-learn's (1.7 or later), called with `labels=range(classes)`: every class
//! the head knows counts, also one that no row bears. The one exception is scikit-learn's own:
//! [`Confusion::balanced_accuracy`] averages over the classes that have rows.
//!
//! **Invariant:** nothing here knows what a split, a file or a class name is.
#![forbid(unsafe_code)]

mod confusion;
mod interval;
mod probability;
mod ranking;
mod scored;

pub use confusion::{ClassScores, Confusion, Pair};
pub use interval::{Interval, wilson};
pub use probability::{ECE_BINS, brier_score_loss, expected_calibration_error, log_loss};
pub use ranking::{hits_at, top_k_accuracy};
pub use scored::{ScoreError, Scored};
