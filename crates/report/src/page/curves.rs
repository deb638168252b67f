//! One class against the rest, over all thresholds.

use serde::Serialize;

use super::Estimate;

/// Receiver operating characteristic and precision against recall.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Curves {
    /// Mean of the classes' ROC curves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub macro_roc: Option<Curve>,
    /// Mean of the classes' curves of precision over recall.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub macro_precision_recall: Option<Curve>,
    /// Curves of single classes; not every class needs any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassCurves>,
    /// Classes that have curves too, better ones, which are left out for the page's size.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The curves of one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassCurves {
    /// The class.
    pub class: u32,
    /// Part of the rows that are of this class: the precision of a guess.
    pub prevalence: f64,
    /// True positive rate over false positive rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roc: Option<Curve>,
    /// Precision over recall.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision_recall: Option<Curve>,
    /// The probability above which a label is predicted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
}

/// A curve as columns of one length, by rising x; [`Curve::thinned`] keeps a page of a thousand
/// classes small.
///
/// For ROC, x is the false and y the true positive rate, joined by straight lines. For precision
/// and recall, x is recall and y precision, which holds from the recall before to its own, as
/// average precision sums it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    /// Across.
    pub x: Vec<f32>,
    /// Up.
    pub y: Vec<f32>,
    /// The score at which each point is reached; empty where not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub threshold: Vec<f32>,
    /// AUC or average precision, of all points, before any were left out.
    pub area: Estimate,
}
