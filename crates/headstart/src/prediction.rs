//! What is said of a picture.

use model::{Answer, Verdict};
use std::{fmt, sync::Arc};

/// What a model says of a picture.
#[derive(Clone, PartialEq)]
pub struct Prediction {
    names: Arc<[String]>,
    verdict: Verdict,
}

impl Prediction {
    pub(crate) fn new(names: Arc<[String]>, verdict: Verdict) -> Prediction {
        Prediction { names, verdict }
    }

    /// The class: the most probable one, of equals the first. `None` of a model of labels or numbers.
    pub fn class(&self) -> Option<&str> {
        match self.verdict.answer {
            Answer::Class { predicted, .. } => Some(&self.names[predicted]),
            _ => None,
        }
    }

    /// How probable that is.
    pub fn confidence(&self) -> Option<f64> {
        match self.verdict.answer {
            Answer::Class { confidence, .. } => Some(confidence),
            _ => None,
        }
    }

    /// Whether that is too low to answer, of a model of classes that was fitted with `--reject-at`.
    pub fn is_rejected(&self) -> Option<bool> {
        match self.verdict.answer {
            Answer::Class { rejected, .. } => rejected,
            _ => None,
        }
    }

    /// The labels that it bears, of a model of labels: those more probable than not.
    pub fn labels(&self) -> Vec<&str> {
        let Answer::Labels { predicted, .. } = &self.verdict.answer else { return Vec::new() };
        self.names.iter().zip(predicted).filter(|(_, is)| **is).map(|(name, _)| name.as_str()).collect()
    }

    /// The numbers, of a model of numbers, in the order of [`Classifier::names`](crate::Classifier::names).
    pub fn numbers(&self) -> &[f64] {
        match &self.verdict.answer {
            Answer::Numbers(numbers) => numbers,
            _ => &[],
        }
    }

    /// The probability of each class or label, in the order of [`Classifier::names`](crate::Classifier::names); none of numbers.
    pub fn probabilities(&self) -> &[f64] {
        match &self.verdict.answer {
            Answer::Class { probabilities, .. } | Answer::Labels { probabilities, .. } => probabilities,
            Answer::Numbers(_) => &[],
        }
    }

    /// The `k` most probable classes or labels, the most probable first.
    pub fn top(&self, k: usize) -> Vec<(&str, f64)> {
        let ranked = self.verdict.answer.ranked();
        ranked.into_iter().take(k).map(|(at, p)| (self.names[at].as_str(), p)).collect()
    }

    /// How far it is from all that the head was fitted on, in standard deviations, of a model that was fitted with
    /// `--novelty-at`.
    pub fn distance(&self) -> Option<f64> {
        self.verdict.novelty.map(|(distance, _)| f64::from(distance))
    }

    /// Whether that is unlike anything seen.
    pub fn is_novel(&self) -> Option<bool> {
        self.verdict.novelty.map(|(_, novel)| novel)
    }
}

impl fmt::Debug for Prediction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prediction").field("top", &self.top(3)).field("verdict", &self.verdict).finish()
    }
}
