//! Each label by itself, with the metrics of its ranking.

use rayon::prelude::*;

use super::row::THRESHOLD;
use crate::against::Against;
use crate::row::nats;
use crate::{ClassRanking, ClassScores, Estimate, Interval, MultiLabel};

/// What one label scored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelScores {
    /// Precision, recall and F1 where the label is predicted above one half.
    pub scores: ClassScores,
    /// AUC and average precision; `None` where every row or no row bears the label.
    pub ranking: Option<ClassRanking>,
    /// Binary `log_loss`, in nats.
    pub log_loss: f64,
    /// Binary `brier_score_loss`.
    pub brier_score_loss: f64,
}

/// What each label scored, and averages over the labels that have a ranking.
#[derive(Clone, Debug, PartialEq)]
pub struct MultiLabelScores {
    labels: Vec<LabelScores>,
}

impl MultiLabelScores {
    /// Scores every label, labels shared out over the current rayon pool.
    pub fn of(rows: &MultiLabel<'_>) -> MultiLabelScores {
        let labels = (0..rows.labels()).into_par_iter().map(|label| LabelScores::of(rows, label));
        MultiLabelScores { labels: labels.collect() }
    }

    /// Scores of each label, (L,).
    pub fn labels(&self) -> &[LabelScores] {
        &self.labels
    }

    /// `roc_auc_score(average="macro")` over the labels that have one; undefined without any. Labels share their rows, so
    /// that the ends of the interval are the means of the labels'.
    pub fn macro_roc_auc(&self) -> Estimate {
        self.mean(|ranking| (ranking.roc_auc, ranking.roc_auc_interval()))
    }

    /// `average_precision_score(average="macro")` over the labels that have one (scikit-learn counts a label
    /// that no row bears as 0, and one that every row bears as 1), likewise.
    pub fn macro_average_precision(&self) -> Estimate {
        self.mean(|ranking| (ranking.average_precision, ranking.average_precision_interval()))
    }

    fn mean(&self, of: impl Fn(&ClassRanking) -> (f64, Interval)) -> Estimate {
        let all: Vec<(f64, Interval)> =
            self.labels.iter().filter_map(|label| label.ranking.as_ref()).map(of).collect();
        if all.is_empty() {
            return Estimate { value: None, interval: None };
        }
        let mean = |of: fn(&(f64, Interval)) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
        let interval = Interval { low: mean(|of| of.1.low), high: mean(|of| of.1.high) };
        Estimate { value: Some(mean(|of| of.0)), interval: Some(interval) }
    }
}

impl LabelScores {
    fn of(rows: &MultiLabel<'_>, label: usize) -> LabelScores {
        let (mut support, mut predicted, mut correct) = (0, 0, 0);
        let (mut sum, mut squares) = (0.0, 0.0);
        for (truth, p) in rows.column(label) {
            support += u64::from(truth);
            predicted += u64::from(p > THRESHOLD);
            correct += u64::from(truth && p > THRESHOLD);
            sum += nats(if truth { p } else { 1.0 - p });
            squares += if truth { (1.0 - p).powi(2) } else { p.powi(2) };
        }
        let positives = rows.column(label).filter(|(truth, _)| *truth).map(|(_, p)| p).collect();
        // Fewer than 2³² rows: what MultiLabel::new sees to.
        let mut against = Against::new(positives, (rows.rows() as u64 - support) as u32);
        for (_, p) in rows.column(label).filter(|(truth, _)| !truth) {
            against.count(p);
        }
        LabelScores {
            scores: ClassScores::of(correct, support, predicted),
            ranking: ClassRanking::of(&against),
            log_loss: sum / rows.rows() as f64,
            brier_score_loss: squares / rows.rows() as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_by_hand() {
        let truth = [true, true, false, false, true, false, true, false, false, true, true, false];
        let p = [0.75, 0.5, 0.25, 0.5, 0.5, 0.75, 0.25, 0.125, 0.0, 0.875, 0.25, 1.0];
        let rows = MultiLabel::new(&truth, &p, 3).unwrap();
        let scores = MultiLabelScores::of(&rows);
        let [first, second, third] = scores.labels() else { panic!("three labels") };
        assert_eq!((first.scores.support, first.scores.predicted, first.scores.correct), (3, 2, 2));
        assert_eq!(first.ranking.unwrap().roc_auc, 2.0 / 3.0);
        assert_eq!(first.brier_score_loss, (0.0625 + 0.25 + 0.5625 + 0.015_625) / 4.0);
        assert_eq!((second.scores.support, second.ranking.unwrap().roc_auc), (3, 1.0));
        assert_eq!((third.scores.support, third.ranking), (0, None));
        let mean = scores.macro_roc_auc();
        let each = [first, second].map(|label| label.ranking.unwrap().roc_auc);
        assert_eq!(mean.value, Some((each[0] + each[1]) / 2.0));
        assert!(mean.interval.is_some_and(|ends| ends.low < 0.5 && ends.high > 0.95), "{mean:?}");
    }
}
