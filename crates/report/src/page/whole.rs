//! The page as a whole.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Calibration, ClassTable, Confusion, Curves, Duplicate, Learning, LineageGroup, Map, Mislabel, Mistake,
    Samples, Slices, Summary, Sweep, Values,
};

/// What the head tells: what names in [`Page::classes`] are names of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outputs {
    /// Which of several classes a sample is of.
    #[default]
    Class,
    /// Which of several labels it bears.
    Label,
    /// One or more numbers.
    Number,
}

impl Outputs {
    /// The heading over them all.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Outputs::Class => "Classes",
            Outputs::Label => "Labels",
            Outputs::Number => "Numbers",
        }
    }

    /// The heading over what is likely wrong.
    pub(crate) fn suspects(self) -> &'static str {
        match self {
            Outputs::Class => "Suspected mislabels",
            Outputs::Label => "Labels likely missing or wrong",
            Outputs::Number => "Numbers likely wrong",
        }
    }
}

/// All that one page says about one head on one split. Classes are indices into `classes`
/// throughout, and rows are indices into `samples`.
///
/// A section whose field is `None` or empty does not appear. [`Page::check`] says whether the
/// columns fit each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Page {
    /// What is judged, on what, and the figures that one looks at first.
    pub summary: Summary,
    /// The head's classes, in the order of its outputs.
    pub classes: Vec<String>,
    /// What these are.
    pub outputs: Outputs,
    /// The rows of the split, of classes; needed by the lists of samples behind confusions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<Samples>,
    /// What is so of the split's rows and what is said, of labels and numbers; `map` needs one of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Values>,
    /// Small pictures as `data:image/…` URIs, by the id of their sample; of any samples, or none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub thumbnails: BTreeMap<String, String>,
    /// Texts, or how they begin, by the id of their sample; of any samples, or none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, String>,
    /// Which class is taken for which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Confusion>,
    /// Whether probabilities mean what they say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// One class against the rest, over all thresholds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curves: Option<Curves>,
    /// One row of figures a class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_table: Option<ClassTable>,
    /// What more rows would bring.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning: Option<Learning>,
    /// How a setting of the fit was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
    /// Wrong and sure of it, worst first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mistakes: Vec<Mistake>,
    /// Labels that look wrong, most suspect first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mislabels: Vec<Mislabel>,
    /// Samples of different splits that are nearly the same, nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<Duplicate>,
    /// The features in two dimensions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<Map>,
    /// Figures of parts of the split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slices: Option<Slices>,
    /// What everything was made from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lineage: Vec<LineageGroup>,
}
