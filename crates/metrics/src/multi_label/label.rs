//! Each label by itself, with the metrics of its ranking.

use rayon::prelude::*;

use super::row::THRESHOLD;
use crate::against::Against;
use crate::ranked::Ranked;
use crate::ranking_bootstrap::{RankingEstimates, estimate};
use crate::resample::{Bootstrap, Strata};
use crate::row::nats;
use crate::{ClassRanking, ClassScores, MultiLabel};

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

    /// `roc_auc_score(average="macro")` over the labels that have one; `None` without any.
    pub fn macro_roc_auc(&self) -> Option<f64> {
        self.mean(|ranking| ranking.roc_auc)
    }

    /// `average_precision_score(average="macro")` over the labels that have one (scikit-learn counts a label
    /// that no row bears as 0, and one that every row bears as 1); `None` without any.
    pub fn macro_average_precision(&self) -> Option<f64> {
        self.mean(|ranking| ranking.average_precision)
    }

    fn mean(&self, of: impl Fn(&ClassRanking) -> f64) -> Option<f64> {
        let rankings = || self.labels.iter().filter_map(|label| label.ranking.as_ref());
        let count = rankings().count();
        (count > 0).then(|| rankings().map(of).sum::<f64>() / count as f64)
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

/// Percentile intervals of every label's ranking metrics and their averages over resamples of the rows. An
/// interval is `None` where a resample left its label to no row, or to all; averages are over the labels that
/// each resample ranks. Time is proportional to n · L · B.
pub fn bootstrap_label_rankings(rows: &MultiLabel<'_>, bootstrap: &Bootstrap) -> RankingEstimates {
    let ranked =
        |label: usize| Ranked::of(rows.column(label).zip(0..).map(|((truth, p), row)| (p, truth, row)));
    let labels: Vec<Ranked> = (0..rows.labels()).into_par_iter().map(ranked).collect();
    estimate(&labels, &Strata::one(rows.rows() as u32), bootstrap)
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
        let got = bootstrap_label_rankings(&rows, &Bootstrap { replicates: 50, seed: 0 });
        assert_eq!(got.roc_auc[0].value, first.ranking.map(|ranking| ranking.roc_auc));
        // Four rows: some resample lacks the one that does not bear the label.
        assert_eq!(got.roc_auc[0].interval, None);
        assert_eq!(got.macro_roc_auc.value, scores.macro_roc_auc());
        assert_eq!(got.macro_average_precision.value, scores.macro_average_precision());
    }
}
