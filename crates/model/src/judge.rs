//! What a head says of rows.

use head::{Distances, Head, HeadError, Scorer, sigmoid, softmax};
use metrics::{LABEL_THRESHOLD, argmax};
use sample::targets::Task;

/// A head made ready to judge block after block of rows.
///
/// What it says of a row is what `evaluate --predictions` says, to the bit, and depends on the row alone.
pub struct Judge {
    task: Task,
    scorer: Scorer,
    /// How far rows are from those that were fitted, and beyond which distance one is novel.
    distances: Option<(Distances, f64)>,
    reject: Option<f64>,
    label_thresholds: Option<Vec<Option<f64>>>,
}

/// What is said of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What it is.
    pub answer: Answer,
    /// The distance from what was fitted, in standard deviations, and whether that is unlike anything seen; of a head that
    /// knows.
    pub novelty: Option<(f32, bool)>,
}

/// What a row is.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Of a class.
    Class {
        /// The most probable one; of equals the first.
        predicted: usize,
        /// Its probability.
        confidence: f64,
        /// Whether that is too low to answer, of a head that knows.
        rejected: Option<bool>,
        /// Of all classes.
        probabilities: Vec<f64>,
    },
    /// Of labels.
    Labels {
        /// Those more probable than not.
        predicted: Vec<bool>,
        /// Those probable enough to be right as often as was asked of the fit, of a head that knows.
        accepted: Option<Vec<bool>>,
        /// Of all labels.
        probabilities: Vec<f64>,
    },
    /// Numbers, one for each output.
    Numbers(Vec<f64>),
}

impl Judge {
    /// Lays the head's numbers out anew.
    ///
    /// # Errors
    /// Where the head's graph cannot be run.
    pub fn of(head: &Head) -> Result<Judge, HeadError> {
        let novelty = head.novelty.as_ref();
        Ok(Judge {
            task: head.task(),
            scorer: Scorer::of(head)?,
            distances: novelty.map(|novelty| (Distances::of(novelty), novelty.threshold)),
            reject: head.reject_threshold(),
            label_thresholds: head.label_thresholds(),
        })
    }

    /// x: (n, d) → n verdicts. `None` of a row whose scores are no numbers: features too large for the head.
    ///
    /// # Panics
    /// Where `x` is not a whole number of rows of the head's features.
    pub fn of_rows(&self, x: &[f32]) -> Vec<Option<Verdict>> {
        let (outputs, scores) = (self.scorer.outputs(), self.scorer.of_rows(x));
        let values = match self.task {
            Task::Class => softmax(&scores, outputs),
            Task::Labels => sigmoid(&scores),
            Task::Numbers => scores.into_iter().map(f64::from).collect(),
        };
        let distances = self.distances.as_ref().map(|(own, threshold)| (own.of_rows(x), *threshold));
        let verdict = |(at, values): (usize, &[f64])| {
            values.iter().all(|value| value.is_finite()).then(|| Verdict {
                answer: self.answer(values),
                novelty: distances.as_ref().map(|(own, most)| (own[at], f64::from(own[at]) > *most)),
            })
        };
        values.chunks_exact(outputs.max(1)).enumerate().map(verdict).collect()
    }

    fn answer(&self, values: &[f64]) -> Answer {
        match self.task {
            Task::Class => {
                let predicted = argmax(values);
                let confidence = values[predicted];
                Answer::Class {
                    predicted,
                    confidence,
                    rejected: self.reject.map(|threshold| confidence < threshold),
                    probabilities: values.to_vec(),
                }
            }
            Task::Labels => Answer::Labels {
                predicted: values.iter().map(|p| *p > LABEL_THRESHOLD).collect(),
                accepted: self.label_thresholds.as_ref().map(|each| {
                    values.iter().zip(each).map(|(p, own)| own.is_some_and(|own| *p >= own)).collect()
                }),
                probabilities: values.to_vec(),
            },
            Task::Numbers => Answer::Numbers(values.to_vec()),
        }
    }
}

impl Answer {
    /// The outputs by their probability, the largest first; of equals in their order. None of numbers.
    pub fn ranked(&self) -> Vec<(usize, f64)> {
        let (Answer::Class { probabilities, .. } | Answer::Labels { probabilities, .. }) = self else {
            return Vec::new();
        };
        let mut ranked: Vec<(usize, f64)> = probabilities.iter().copied().enumerate().collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked
    }
}
