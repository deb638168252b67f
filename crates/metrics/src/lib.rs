//! Pure functions of scores and labels: no I/O, no candle, no tables.
//!
//! Inputs are checked once, when [`Outcomes::push`], [`Scored::new`], [`MultiLabel::new`] or
//! [`Regression::new`] take them; after that no function can fail, and what has no value is `None`.
//!
//! - **One label a row.** Blocks of probabilities are pushed into [`Outcomes`], a few columns; their
//!   [`Tally`] has the value of every [`Metric`], bins and counts included, also of a slice. [`estimates`]
//!   gives intervals, [`differences`] and [`mcnemar`] compare two heads.
//! - **Ranking.** The same blocks once more, into [`OneVsRest`], give [`Rankings`]: AUC, average precision
//!   and curves of every class, exactly, without the matrix and without sorting it.
//! - **Any number of labels a row** ([`MultiLabelOutcomes`], [`MultiLabelScores`]) and **a number a row**
//!   ([`Regression`]).
//!
//! Definitions are scikit-learn's (1.7 or later), called with `labels=range(classes)`: every class the head
//! knows counts, also one that no row bears. The one exception is scikit-learn's own:
//! [`Marginals::balanced_accuracy`] averages over the classes that have rows. A ratio whose denominator is
//! zero is 0 (`zero_division=0`).
//!
//! All arithmetic is f64. Counts are integers and sums run in an order that follows from the rows alone, so
//! the same rows give the same bits whatever the number of threads and the size of blocks.
//!
//! **Invariant:** nothing here knows what a split, a file or a class name is.
#![forbid(unsafe_code)]

mod against;
mod averages;
mod beta;
mod calibration;
mod class_ranking;
mod compare;
mod confusion;
mod curves;
mod estimate;
mod interval;
mod marginals;
mod metric;
mod multi_label;
mod one_vs_rest;
mod outcomes;
mod probability;
mod ranking;
mod rankings;
mod regression;
mod rejection;
mod row;
mod scored;
mod sorted;
mod special;
mod spread;
mod spreads;
mod tally;
mod thin;

pub use calibration::{Binning, Bins, ECE_BINS, ReliabilityBin};
pub use class_ranking::ClassRanking;
pub use compare::{CompareError, Difference, MCNEMAR_EXACT_BELOW, McNemar, differences, mcnemar};
pub use confusion::{Confusion, Pair};
pub use curves::{PrecisionRecallPoint, RocPoint};
pub use estimate::{Estimate, estimates};
pub use interval::{Interval, proportion};
pub use marginals::{ClassScores, Marginals};
pub use metric::{Average, ClassMetric, Metric};
pub use multi_label::{
    LabelScores, MultiLabel, MultiLabelAverage, MultiLabelMetric, MultiLabelOutcomes, MultiLabelScores,
    MultiLabelTally, multi_label_differences, multi_label_estimates,
};
pub use one_vs_rest::{OneVsRest, RankingError};
pub use outcomes::Outcomes;
pub use probability::{brier_score_loss, expected_calibration_error, log_loss};
pub use ranking::{hits_at, top_k_accuracy};
pub use rankings::Rankings;
pub use regression::{
    Regression, RegressionError, RegressionEstimates, RegressionMetric, regression_differences,
    regression_estimates,
};
pub use rejection::RejectionPoint;
pub use scored::{ScoreError, Scored};
pub use tally::Tally;
