//! Whether probabilities mean what they say, and what declining to answer would bring.

use serde::Serialize;

use super::Estimate;

/// Confidence (the largest probability of a row) against accuracy.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Calibration {
    /// Bins of equal width, empty ones left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub equal_width: Vec<Bin>,
    /// Bins of equal count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub equal_mass: Vec<Bin>,
    /// How confidences are spread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub histogram: Option<Histogram>,
    /// Accuracy of the most confident part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject: Option<Reject>,
}

/// One bin of a reliability diagram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// The least confidence that falls into it.
    pub low: f64,
    /// The largest.
    pub high: f64,
    /// Mean confidence of its rows.
    pub confidence: f64,
    /// Part of its rows that are right.
    pub accuracy: Estimate,
    /// Its rows.
    pub count: u64,
}

/// Rows by confidence, in b bins of equal width over 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Histogram {
    /// Right rows of each bin: length b.
    pub right: Vec<u64>,
    /// Wrong rows of each bin: length b.
    pub wrong: Vec<u64>,
}

/// What is right of the rows that the head is surest of: columns of one length, by rising coverage.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Reject {
    /// Part of the rows that are answered, 0 to 1.
    pub coverage: Vec<f32>,
    /// Accuracy of those.
    pub accuracy: Vec<f32>,
    /// The confidence at which to answer.
    pub threshold: Vec<f32>,
}
