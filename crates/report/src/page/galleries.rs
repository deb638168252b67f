//! Samples that are worth a look. What is so of them, and what is said, stands in words: a class, labels, or numbers.

use serde::Serialize;

/// A sample of any split; its thumbnail is found by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exhibit {
    /// Its id.
    pub id: String,
    /// What is so of it.
    pub truth: String,
    /// Its split, where that is not the page's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
}

/// A sample that the head does badly on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mistake {
    /// The sample.
    pub sample: Exhibit,
    /// What the head says of it.
    pub predicted: String,
    /// Of a class its probability; of labels and numbers the loss.
    pub score: f64,
}

/// A sample of which something else is likely so.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mislabel {
    /// The sample, with what is said to be so.
    pub sample: Exhibit,
    /// What perhaps is.
    pub suggested: String,
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
