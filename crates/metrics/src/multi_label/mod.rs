//! Rows that bear any number of labels at once: one probability for each label, each a question of its own.

mod input;
mod intervals;
mod label;
mod metric;
mod outcomes;
mod row;
mod tally;

pub use input::MultiLabel;
pub use intervals::{multi_label_differences, multi_label_estimates};
pub use label::{LabelScores, MultiLabelScores};
pub use metric::{MultiLabelAverage, MultiLabelMetric};
pub use outcomes::MultiLabelOutcomes;
pub use tally::MultiLabelTally;
