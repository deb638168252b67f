//! Rows that bear any number of labels at once: one probability for each label, each a question of its own.

mod catalogue;
mod outcomes;
mod row;
mod spreads;
mod tally;

pub use outcomes::{LABEL_THRESHOLD, LabelOutcomes};
pub use tally::LabelTally;
