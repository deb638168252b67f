//! The first section: what was judged, and the figures that one looks at first.

use serde::Serialize;

use super::{Estimate, Scale};

/// What is judged, on what, with which result.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// The head's name: the page's heading.
    pub title: String,
    /// The features that it reads: network, weights and tap, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<String>,
    /// The split that it is judged on.
    pub split: String,
    /// Rows of that split.
    pub rows: u64,
    /// Headline figures, in the order shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Figure>,
    /// How it compares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// What a reader should know before trusting the figures, gravest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// One figure of the whole split.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// Its name as shown.
    pub name: String,
    /// The number.
    pub estimate: Estimate,
    /// The axis that it is drawn on.
    pub scale: Scale,
}

/// Another head, scored on the same rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Baseline {
    /// Its name.
    pub name: String,
    /// What one may conclude.
    pub verdict: Verdict,
    /// The verdict as a sentence, with the test behind it.
    pub reason: String,
    /// Figure by figure.
    pub differences: Vec<Difference>,
}

/// One figure of both heads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The figure's name, as among the [`Figure`]s.
    pub name: String,
    /// The page's head.
    pub value: f64,
    /// The baseline.
    pub baseline: f64,
    /// `value - baseline`, with the interval of the paired difference.
    pub difference: Estimate,
    /// Whether more is better.
    pub scale: Scale,
}

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The page's head is better than the baseline.
    Better,
    /// It is worse.
    Worse,
    /// The rows do not tell them apart.
    Undecided,
}

/// Something to know before trusting the figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Warning {
    /// In a few words.
    pub title: String,
    /// What was seen, and what it may mean.
    pub text: String,
}
