//! One class a row: its outcomes, and everything that follows from them.

mod calibration;
mod catalogue;
mod confusion;
mod mcnemar;
mod one_vs_rest;
mod open_set;
mod outcomes;
mod rejection;
mod rows;
mod sorted;
mod spreads;
mod tally;

pub use calibration::{Binning, Bins, ECE_BINS, ReliabilityBin};
pub use confusion::{Confusion, Pair};
pub use mcnemar::{MCNEMAR_EXACT_BELOW, McNemar, mcnemar};
pub use one_vs_rest::{OneVsRest, RankingError};
pub use open_set::{Answer, OpenSet};
pub use outcomes::ClassOutcomes;
pub use rejection::RejectionPoint;
pub use rows::ClassRows;
pub use tally::Tally;
