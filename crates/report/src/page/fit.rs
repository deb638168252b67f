//! How the fit came about: its rows, and a setting of it.

use serde::Serialize;

use super::{Estimate, Scale};

/// Heads fitted on parts of the rows: columns of one length, by rising number of rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Learning {
    /// Rows that each was fitted on.
    pub rows: Vec<u64>,
    /// The same as parts of all rows, 0 to 1; empty where not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fractions: Vec<f64>,
    /// What is measured of each, one plot a metric.
    pub metrics: Vec<LearningMetric>,
}

/// One metric over the number of rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LearningMetric {
    /// Its name as shown.
    pub name: String,
    /// Whether more is better.
    pub scale: Scale,
    /// On the rows fitted; empty where not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub train: Vec<Estimate>,
    /// On rows held out.
    pub held_out: Vec<Estimate>,
}

/// One setting of the fit, tried over a range: columns of one length, by rising value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sweep {
    /// The setting's name, as the fit calls it.
    pub parameter: String,
    /// What was measured.
    pub metric: String,
    /// Whether more of it is better.
    pub scale: Scale,
    /// The values tried, 0 or more; drawn on a logarithmic axis.
    pub values: Vec<f64>,
    /// On the rows fitted; empty where not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub train: Vec<Estimate>,
    /// On rows held out.
    pub held_out: Vec<Estimate>,
    /// Which of the values was chosen, an index.
    pub chosen: usize,
}
