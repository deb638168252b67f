//! The rows of the split, and where they lie on a map.

use serde::Serialize;

/// The split's n rows, as columns of length n.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Samples {
    /// Ids.
    pub ids: Vec<String>,
    /// The class that each row has.
    pub truth: Vec<u32>,
    /// The class that the head gives it.
    pub predicted: Vec<u32>,
    /// The largest probability, 0 to 1.
    pub confidence: Vec<f32>,
}

/// Features projected to two dimensions: columns of length p, of points that are rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Map {
    /// How it was made, in words: it names the axes' meaning, or that they have none.
    pub method: String,
    /// The row of `samples` that each point is; empty where point i is row i.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<u32>,
    /// To the right, in the projection's own unit.
    pub x: Vec<f32>,
    /// Upwards, in the same unit.
    pub y: Vec<f32>,
}
