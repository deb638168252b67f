//! Figures of parts of the split.

use serde::Serialize;

use super::{Estimate, Scale};

/// A table of parts by metrics.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Slices {
    /// Names of the m metrics.
    pub metrics: Vec<String>,
    /// Which of their values are good.
    pub scales: Vec<Scale>,
    /// The whole split's m values; what parts are compared with.
    pub overall: Vec<Estimate>,
    /// The parts, those of one attribute together.
    pub slices: Vec<Slice>,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slice {
    /// What the split is cut by.
    pub attribute: String,
    /// The attribute's value here.
    pub value: String,
    /// Rows.
    pub rows: u64,
    /// m values.
    pub estimates: Vec<Estimate>,
}
