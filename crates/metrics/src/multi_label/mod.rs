//! Rows that bear any number of labels at once: one probability for each label, each a question of its own.

mod input;
mod label;
mod metric;
mod outcomes;
mod row;
mod tally;

pub use input::MultiLabel;
pub use label::{LabelScores, MultiLabelScores, bootstrap_label_rankings};
pub use metric::{MultiLabelAverage, MultiLabelMetric};
pub use outcomes::{MultiLabelOutcomes, bootstrap_multi_label, paired_bootstrap_multi_label};
pub use tally::MultiLabelTally;
