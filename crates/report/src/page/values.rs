//! Labels and numbers row by row: what is so, and what the head says.

use serde::Serialize;

/// The split's n rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Values {
    /// Ids, (n,).
    pub ids: Vec<String>,
    /// Some outputs, or all.
    pub outputs: Vec<Output>,
}

/// One label, or one number, as columns of length n.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Output {
    /// Which of the page's names.
    pub output: u32,
    /// What is so: of a label 0 or 1.
    pub truth: Vec<f32>,
    /// What the head says: of a label its probability.
    pub predicted: Vec<f32>,
}
