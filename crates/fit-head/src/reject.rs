//! `--reject-at`: the confidence from which on a head is right often enough.

use head::{sigmoid, softmax};
use sample::targets::{Task, Truth};

use crate::{methods::calibrated, record::Record};

/// Confidences, and whether they are right: of classes one a row, of labels one each.
pub(crate) type Judgements = Vec<(f64, bool)>;

/// From where on a head is right often enough: in a row's class, or in each label that it says.
pub(crate) struct Reject {
    /// That were held out.
    rows: usize,
    precision: f64,
    task: Task,
    /// Of classes one, of labels one each; `None` where no confidence is enough.
    each: Vec<Option<Threshold>>,
}

/// A least confidence, and what it keeps.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Threshold {
    confidence: f64,
    /// Of the rows.
    coverage: f64,
    /// Of the rows that are right, or have the label.
    recall: f64,
}

impl Reject {
    /// Confidence of a row's scores after division by `temperature`, and whether they are right: of classes for the likeliest
    /// one, of labels for each.
    pub(crate) fn judge(truth: &Truth, row: usize, scores: &[f32], temperature: f64) -> Judgements {
        let scaled = calibrated(scores, temperature);
        if let Truth::Class(labels) = truth {
            let probabilities = softmax(&scaled, scaled.len());
            let confidence = probabilities.iter().fold(0.0f64, |most, &p| most.max(p));
            let predicted = probabilities.iter().position(|&p| p == confidence);
            return vec![(confidence, predicted == Some(labels[row] as usize))];
        }
        let own = &truth.values()[row * scores.len()..];
        sigmoid(&scaled).into_iter().zip(own).map(|(p, y)| (p, *y > 0.5)).collect()
    }

    /// Finds the least confidences at which, of the held-out rows that reach it, at least the part `precision` is right.
    pub(crate) fn of(judged: &[Judgements], precision: f64, task: Task) -> Reject {
        let outputs = judged.first().map_or(0, Vec::len);
        let each = (0..outputs).map(|output| {
            let mut own: Vec<(f64, bool)> = judged.iter().map(|row| row[output]).collect();
            threshold(&mut own, precision)
        });
        Reject { precision, task, each: each.collect(), rows: judged.len() }
    }

    pub(crate) fn record(&self, record: &mut Record) {
        record.set("reject_precision", self.precision);
        let each = |of: fn(&Threshold) -> f64| -> Vec<Option<f64>> {
            self.each.iter().map(|own| own.as_ref().map(of)).collect()
        };
        if self.task == Task::Labels {
            record.set("label_thresholds", each(|own| own.confidence));
            record.set("label_recalls", each(|own| own.recall));
        } else if let Some(Some(own)) = self.each.first() {
            record.set("reject_threshold", own.confidence);
            record.set("reject_coverage", own.coverage);
        }
    }

    /// What it comes to, for the last line.
    pub(crate) fn line(&self) -> String {
        let precision = 100.0 * self.precision;
        let found: Vec<&Threshold> = self.each.iter().flatten().collect();
        match (self.task, &found[..]) {
            (_, []) => format!(", no confidence at which {precision:.1} % are right"),
            (Task::Labels, found) => {
                let recall = 100.0 * found.iter().map(|own| own.recall).sum::<f64>() / self.each.len() as f64;
                let (some, all) = (found.len(), self.each.len());
                format!(
                    ", {some} of {all} labels with a threshold of {precision:.1} % precision (mean recall {recall:.1} %)"
                )
            }
            (_, [own, ..]) => format!(
                ", right in {precision:.1} % where its confidence is {:.4} or more ({:.1} % of {} rows)",
                own.confidence,
                100.0 * own.coverage,
                cli::count(self.rows as u64)
            ),
        }
    }
}

/// That of pairs of confidence and whether it was right.
fn threshold(judged: &mut [(f64, bool)], precision: f64) -> Option<Threshold> {
    judged.sort_by(|a, b| b.0.total_cmp(&a.0));
    let all = judged.iter().filter(|(_, right)| *right).count();
    let (mut right, mut found) = (0usize, None);
    for (at, &(confidence, is_right)) in judged.iter().enumerate() {
        right += usize::from(is_right);
        // Rows of equal confidence are kept or rejected together.
        let is_last = judged.get(at + 1).is_none_or(|next| next.0 < confidence);
        if is_last && right > 0 && right as f64 >= precision * (at + 1) as f64 {
            let coverage = (at + 1) as f64 / judged.len() as f64;
            found = Some(Threshold { confidence, coverage, recall: right as f64 / all as f64 });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_confidence_that_is_right_often_enough() {
        let mut judged = [(0.9, true), (0.4, false), (0.8, true), (0.7, false), (0.7, true), (0.6, true)];
        let mut found = |precision| {
            threshold(&mut judged, precision).map(|own| (own.confidence, own.coverage, own.recall))
        };
        assert_eq!(found(1.0), Some((0.8, 2.0 / 6.0, 0.5)));
        assert_eq!(found(0.75), Some((0.6, 5.0 / 6.0, 1.0)));
        assert_eq!(found(0.5), Some((0.4, 1.0, 1.0)));
        assert_eq!(threshold(&mut [(0.9, false)], 0.5), None);
    }

    #[test]
    fn each_label_has_its_own() {
        let truth = Truth::Labels(vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        let scores = [[4.0, 1.0], [2.0, 3.0], [1.0, -1.0]];
        let judged = scores.iter().enumerate().map(|(row, scores)| Reject::judge(&truth, row, scores, 2.0));
        let reject = Reject::of(&judged.collect::<Vec<_>>(), 0.6, Task::Labels);
        let first = reject.each[0].unwrap();
        assert!((first.confidence - sigmoid(&[0.5])[0]).abs() < 1e-12 && first.recall == 1.0, "{first:?}");
        assert_eq!(reject.each[1], None);
        assert!(reject.line().starts_with(", 1 of 2 labels with a threshold of 60.0 %"), "{}", reject.line());
    }
}
