//! One class against the rest, or one label of many.

use crate::{
    ClassRanking, ClassScores, Interval,
    averages::ClassMetric,
    interval::proportion,
    labels::LabelOutcomes,
    metric::{
        Measured, Metric, Scale,
        ShownIn::{Few, Page},
    },
};

/// What one class, or one label, scored.
#[derive(Debug)]
pub struct Alone {
    pub(crate) scores: ClassScores,
    pub(crate) ranking: Option<ClassRanking>,
    /// The same where a label is only predicted from a threshold of its own on; `None` of a class, and where there is none.
    pub(crate) at_reject: Option<ClassScores>,
    /// Its rows as if it was the only label; `None` of a class.
    pub(crate) column: Option<LabelOutcomes>,
}

impl Alone {
    pub(crate) fn new(scores: ClassScores, ranking: Option<ClassRanking>) -> Alone {
        Alone { scores, ranking, at_reject: None, column: None }
    }

    /// A class that no row bears has neither recall nor F1. Labels have rows without them all the same, and count as scikit-learn
    /// has them: 0 where a denominator is.
    fn is_there(&self) -> bool {
        self.column.is_some() || self.scores.support > 0
    }

    fn losses(&self, of: impl FnOnce(&LabelOutcomes) -> Option<f64>) -> Option<f64> {
        self.column.as_ref().and_then(of)
    }
}

type M = Metric<Alone>;

impl Measured for Alone {
    const METRICS: &'static [M] = &[
        M::new("precision", "Precision", Scale::Share, |of| Some(of.scores.precision))
            .within(|of, _| of.scores.interval(ClassMetric::Precision))
            .over(|of| of.scores.predicted)
            .shown(&[Page, Few]),
        M::new("recall", "Recall", Scale::Share, |of| of.is_there().then_some(of.scores.recall))
            .within(|of, _| of.scores.interval(ClassMetric::Recall))
            .shown(&[Page, Few]),
        M::new("f1", "F1", Scale::Share, |of| of.is_there().then_some(of.scores.f1))
            .within(|of, _| of.scores.interval(ClassMetric::F1))
            .shown(&[Page, Few]),
        M::new("roc_auc", "ROC AUC", Scale::Share, |of| Some(of.ranking?.roc_auc))
            .within(|of, _| Some(of.ranking?.roc_auc_interval()))
            .shown(&[Page]),
        M::new("average_precision", "Average precision", Scale::Share, |of| {
            Some(of.ranking?.average_precision)
        })
        .within(|of, _| Some(of.ranking?.average_precision_interval()))
        .shown(&[Page]),
        M::new("log_loss", "Log loss", Scale::Loss, |of| of.losses(LabelOutcomes::log_loss))
            .moved(|of, value| of.column.as_ref()?.log_loss_moves(value))
            .when(|of| of.column.is_some())
            .over(|of| of.column.as_ref().map_or(0, Measured::rows)),
        M::new("brier_score_loss", "Brier score", Scale::Loss, |of| {
            of.losses(LabelOutcomes::brier_score_loss)
        })
        .moved(|of, value| of.column.as_ref()?.brier_score_moves(value))
        .when(|of| of.column.is_some())
        .over(|of| of.column.as_ref().map_or(0, Measured::rows)),
        M::new("precision_at_reject", "Precision from its threshold on", Scale::Share, |of| {
            Some(of.at_reject?.precision)
        })
        .within(|of, _| of.at_reject?.interval(ClassMetric::Precision))
        .when(|of| of.at_reject.is_some())
        .over(|of| of.at_reject.map_or(0, |own| own.predicted))
        .shown(&[Page]),
        M::new("recall_at_reject", "Recall from its threshold on", Scale::Share, |of| {
            Some(of.at_reject?.recall)
        })
        .within(|of, _| of.at_reject?.interval(ClassMetric::Recall))
        .when(|of| of.at_reject.is_some())
        .shown(&[Page]),
        M::new("support", "Rows", Scale::Count, |of| Some(of.scores.support as f64)).shown(&[Few]),
    ];

    /// Rows of the class.
    fn rows(&self) -> u64 {
        self.scores.support
    }
}

impl ClassScores {
    /// The exact 95 % interval of one of them; `None` where it is a ratio to nothing.
    pub(crate) fn interval(&self, what: ClassMetric) -> Option<Interval> {
        match what {
            ClassMetric::Precision => proportion(self.correct, self.predicted),
            ClassMetric::Recall => proportion(self.correct, self.support),
            ClassMetric::F1 => {
                crate::interval::f1(self.correct, self.support + self.predicted - 2 * self.correct)
            }
        }
    }
}
