//! Samples that are worth a look.

use serde::Serialize;

/// A sample of any split; its thumbnail is found by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exhibit {
    /// Its id.
    pub id: String,
    /// The class that it has.
    pub class: u32,
    /// Its split, where that is not the page's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
}

/// A sample that the head is wrong about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mistake {
    /// The sample.
    pub sample: Exhibit,
    /// The class that the head gives it.
    pub predicted: u32,
    /// That class's probability.
    pub confidence: f64,
}

/// A sample whose label looks wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mislabel {
    /// The sample, with the label that it has.
    pub sample: Exhibit,
    /// The label that it should perhaps have.
    pub suggested: u32,
    /// How suspect it is, 0 to 1.
    pub score: f64,
}

/// Two samples that are nearly the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Duplicate {
    /// The one in the page's split.
    pub left: Exhibit,
    /// The other.
    pub right: Exhibit,
    /// Cosine of their features, or whatever else says how near they are; 1 is the same.
    pub similarity: f64,
}
