//! Names of the metrics that follow from outcomes, and their values.

use std::fmt;

use crate::{Binning, ClassScores, Tally};

/// A metric of a [`Tally`]. Displayed as scikit-learn spells it, where it has it: `accuracy`,
/// `top_5_accuracy`, `macro_f1`; the classes of [`Metric::Class`] go unnamed there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Part of rows predicted rightly.
    Accuracy,
    /// Mean recall of the classes that have rows.
    BalancedAccuracy,
    /// Part of rows whose true class is among the k most probable; undefined where k ≥ C.
    TopK(usize),
    /// An average over all classes.
    Average(Average, ClassMetric),
    /// Cohen's kappa; undefined where every row has one class and is predicted so.
    CohenKappa,
    /// Matthews' correlation; 0 where either side is constant.
    MatthewsCorrcoef,
    /// Mean negative log-likelihood, in nats.
    LogLoss,
    /// Mean squared distance to the label, halved for two classes.
    BrierScoreLoss,
    /// Expected calibration error over 15 bins.
    CalibrationError(Binning),
    /// Area under the risk-coverage curve.
    RiskCoverageArea,
    /// A score of one class; undefined where there is no such class.
    Class(usize, ClassMetric),
}

/// How scores of classes become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Average {
    /// The plain mean.
    Macro,
    /// From counts added up over the classes; for single labels that is accuracy.
    Micro,
    /// The mean weighted by support.
    Weighted,
}

/// A score of one class, 0 where its denominator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClassMetric {
    /// Of the rows predicted as the class, the part that are.
    Precision,
    /// Of the rows of the class, the part predicted so.
    Recall,
    /// Harmonic mean of the two.
    F1,
}

impl Metric {
    /// Every metric of the whole set that makes sense for `classes` classes: top 5 only where there are more.
    pub fn overall(classes: usize) -> Vec<Metric> {
        let mut metrics = vec![Metric::Accuracy, Metric::BalancedAccuracy];
        metrics.extend((classes > 5).then_some(Metric::TopK(5)));
        for average in Average::ALL {
            metrics.extend(ClassMetric::ALL.map(|what| Metric::Average(average, what)));
        }
        metrics.extend([
            Metric::CohenKappa,
            Metric::MatthewsCorrcoef,
            Metric::LogLoss,
            Metric::BrierScoreLoss,
            Metric::CalibrationError(Binning::EqualWidth),
            Metric::CalibrationError(Binning::EqualMass),
            Metric::RiskCoverageArea,
        ]);
        metrics
    }

    /// Precision, recall and F1 of each class, classes in order.
    pub fn per_class(classes: usize) -> Vec<Metric> {
        (0..classes).flat_map(|class| ClassMetric::ALL.map(|what| Metric::Class(class, what))).collect()
    }
}

impl Average {
    /// All three.
    pub const ALL: [Average; 3] = [Average::Macro, Average::Micro, Average::Weighted];
}

impl ClassMetric {
    /// All three.
    pub const ALL: [ClassMetric; 3] = [ClassMetric::Precision, ClassMetric::Recall, ClassMetric::F1];

    /// This one of `scores`.
    pub fn of(self, scores: &ClassScores) -> f64 {
        match self {
            ClassMetric::Precision => scores.precision,
            ClassMetric::Recall => scores.recall,
            ClassMetric::F1 => scores.f1,
        }
    }
}

impl Tally {
    /// The value of `metric`; `None` without rows, and where the metric's own words say undefined.
    pub fn value(&self, metric: Metric) -> Option<f64> {
        let (rows, marginals) = (self.rows(), self.marginals());
        if rows == 0 {
            return None;
        }
        match metric {
            Metric::Accuracy | Metric::Average(Average::Micro, _) => Some(marginals.accuracy()),
            Metric::BalancedAccuracy => Some(marginals.balanced_accuracy()),
            Metric::TopK(k) => self.hits_at(k).map(|hits| hits as f64 / rows as f64),
            Metric::Average(Average::Macro, what) => Some(marginals.macro_average(|class| what.of(class))),
            Metric::Average(Average::Weighted, what) => {
                Some(marginals.weighted_average(|class| what.of(class)))
            }
            Metric::CohenKappa => marginals.cohen_kappa(),
            Metric::MatthewsCorrcoef => Some(marginals.matthews_corrcoef()),
            Metric::LogLoss => self.log_loss(),
            Metric::BrierScoreLoss => self.brier_score_loss(),
            Metric::CalibrationError(binning) => self.bins(binning).expected_calibration_error(),
            Metric::RiskCoverageArea => self.risk_coverage_area(),
            Metric::Class(class, what) => {
                (class < marginals.classes()).then(|| what.of(&marginals.class(class)))
            }
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Metric::Accuracy => out.write_str("accuracy"),
            Metric::BalancedAccuracy => out.write_str("balanced_accuracy"),
            Metric::TopK(k) => write!(out, "top_{k}_accuracy"),
            Metric::Average(average, what) => write!(out, "{average}_{what}"),
            Metric::CohenKappa => out.write_str("cohen_kappa"),
            Metric::MatthewsCorrcoef => out.write_str("matthews_corrcoef"),
            Metric::LogLoss => out.write_str("log_loss"),
            Metric::BrierScoreLoss => out.write_str("brier_score_loss"),
            Metric::CalibrationError(Binning::EqualWidth) => out.write_str("ece"),
            Metric::CalibrationError(Binning::EqualMass) => out.write_str("ece_equal_mass"),
            Metric::RiskCoverageArea => out.write_str("aurc"),
            Metric::Class(_, what) => what.fmt(out),
        }
    }
}

impl fmt::Display for Average {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Average::Macro => "macro",
            Average::Micro => "micro",
            Average::Weighted => "weighted",
        })
    }
}

impl fmt::Display for ClassMetric {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            ClassMetric::Precision => "precision",
            ClassMetric::Recall => "recall",
            ClassMetric::F1 => "f1",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcomes;

    #[test]
    fn names_and_what_is_left_out() {
        let names = |classes| Metric::overall(classes).iter().map(Metric::to_string).collect::<Vec<_>>();
        assert!(names(6).contains(&"top_5_accuracy".to_owned()));
        assert!(!names(5).contains(&"top_5_accuracy".to_owned()));
        assert!(names(2).contains(&"weighted_recall".to_owned()));
        let classes: Vec<String> = Metric::per_class(2).iter().map(Metric::to_string).collect();
        assert_eq!(classes, ["precision", "recall", "f1", "precision", "recall", "f1"]);
    }

    #[test]
    fn undefined_values() {
        let nothing = Outcomes::new(3).tally();
        for metric in Metric::overall(3).into_iter().chain(Metric::per_class(3)) {
            assert_eq!(nothing.value(metric), None, "{metric}");
        }
        let mut outcomes = Outcomes::new(3);
        outcomes.push(&[1], &[0.0, 1.0, 0.0]).unwrap();
        let tally = outcomes.tally();
        for (metric, value) in [
            (Metric::CohenKappa, None),
            (Metric::TopK(3), None),
            (Metric::TopK(2), Some(1.0)),
            (Metric::Class(3, ClassMetric::F1), None),
            (Metric::Class(2, ClassMetric::F1), Some(0.0)),
            (Metric::MatthewsCorrcoef, Some(0.0)),
            (Metric::BalancedAccuracy, Some(1.0)),
        ] {
            assert_eq!(tally.value(metric), value, "{metric}");
        }
    }
}
