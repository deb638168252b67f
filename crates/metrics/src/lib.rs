//! Pure functions of scores and labels: no I/O, no candle, no tables.
//!
//! Inputs are checked once, when [`ClassRows::push`], [`LabelOutcomes::new`] or [`NumberOutcomes::new`] take them; after that
//! no function can fail, and what has no value is `None`.
//!
//! - **Tasks.** One class a row ([`ClassOutcomes`]), any number of labels ([`LabelOutcomes`]), or numbers
//!   ([`NumberOutcomes`]): each is [`Outcomes`], of all rows, of a slice, and of each output alone.
//! - **Metrics.** Each task has one catalogue ([`Measured::METRICS`]). [`figures`] gives every value with its interval,
//!   [`differences`] compares two heads by all of them. To add a metric is to add an entry.
//! - **Blocks.** Classes are many, so blocks of probabilities are pushed into [`ClassRows`], a few columns. The same blocks
//!   once more, into [`OneVsRest`], give [`Rankings`]: AUC, average precision and curves of every class, exactly, without
//!   the matrix and without sorting it.
//!
//! Definitions are scikit-learn's (1.7 or later), with `zero_division=0`. Plain means over classes are those of
//! `labels=` the classes that have rows. All else is of `labels=range(classes)`. A class without rows has neither
//! recall nor F1. Labels count whether rows bear them or not.
//!
//! All arithmetic is f64. Counts are integers and sums run in an order that follows from the rows alone, so
//! the same rows give the same bits whatever the number of threads and the size of blocks.
//!
//! **Invariant:** nothing here knows what a split, a file or a class name is.
#![forbid(unsafe_code)]

mod against;
mod alone;
mod averages;
mod beta;
mod class_ranking;
mod classes;
mod compare;
mod curves;
mod draws;
mod interval;
mod labels;
mod marginals;
mod metric;
mod numbers;
mod rankings;
mod row;
mod scored;
mod special;
mod spread;
mod thin;

pub use alone::Alone;
pub use class_ranking::ClassRanking;
pub use classes::*;
pub use compare::{CompareError, Difference, differences};
pub use curves::{PrecisionRecallPoint, RocPoint};
pub use draws::{OverDraws, over_draws};
pub use interval::{Interval, proportion};
pub use labels::{LABEL_THRESHOLD, LabelOutcomes, LabelTally};
pub use marginals::{ClassScores, Marginals};
pub use metric::{About, Estimate, Figure, Measured, Metric, Outcomes, Scale, ShownIn, figures, named};
pub use numbers::{NumberError, NumberOutcomes};
pub use rankings::Rankings;
pub use row::argmax;
pub use scored::{ScoreError, Scored};
