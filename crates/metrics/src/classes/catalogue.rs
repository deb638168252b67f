//! Every metric of a classifier.

use super::{Binning, ClassOutcomes};
use crate::{
    Marginals,
    averages::{Average, ClassMetric},
    interval::proportion,
    metric::{
        Measured, Metric, Scale,
        ShownIn::{Few, Page, Summary, Verdict},
    },
};

/// An average over classes.
macro_rules! average {
    ($average:ident, $what:ident, $name:literal, $title:literal) => {
        M::new($name, $title, Scale::Share, |of| of.average(Average::$average, ClassMetric::$what))
            .within(|of, value| of.average_interval(Average::$average, ClassMetric::$what, value))
            .moved(|of, value| Some(of.average_moves(Average::$average, ClassMetric::$what, value)))
    };
}

type M = Metric<ClassOutcomes>;

impl Measured for ClassOutcomes {
    const METRICS: &'static [M] = &[
        M::new("accuracy", "Accuracy", Scale::Share, |of| of.some(Marginals::accuracy))
            .within(|of, _| of.accuracy_interval())
            .moved(|of, value| Some(of.accuracy_moves(value)))
            .shown(&[Summary, Page, Few, Verdict]),
        // The mean recall of the classes that have rows, over which all plain means are taken.
        M::new("balanced_accuracy", "Balanced accuracy", Scale::Share, |of| {
            of.some(Marginals::balanced_accuracy)
        })
        .moved(|of, value| Some(of.balanced_accuracy_moves(value)))
        .shown(&[Summary, Page, Few]),
        M::new("top_5_accuracy", "Top-5 accuracy", Scale::Share, |of| of.top_k_accuracy(5))
            .within(|of, _| proportion(of.tally.hits_at(5)?, of.tally.rows()))
            .moved(|of, value| Some(of.top_k_moves(5, value)))
            .when(|of| of.tally.classes() > 5)
            .shown(&[Summary, Page]),
        average!(Present, Precision, "macro_precision", "Macro precision"),
        average!(Present, Recall, "macro_recall", "Macro recall"),
        average!(Present, F1, "macro_f1", "Macro F1").shown(&[Summary, Page, Few]),
        average!(Micro, Precision, "micro_precision", "Micro precision"),
        average!(Micro, Recall, "micro_recall", "Micro recall"),
        average!(Micro, F1, "micro_f1", "Micro F1"),
        average!(Weighted, Precision, "weighted_precision", "Weighted precision"),
        average!(Weighted, Recall, "weighted_recall", "Weighted recall"),
        average!(Weighted, F1, "weighted_f1", "Weighted F1").shown(&[Summary]),
        // Undefined where every row has one class and is predicted so.
        M::new("cohen_kappa", "Cohen’s κ", Scale::Correlation, ClassOutcomes::cohen_kappa)
            .moved(ClassOutcomes::cohen_kappa_moves)
            .correlation()
            .shown(&[Summary, Page]),
        // 0 where either side is constant.
        M::new("matthews_corrcoef", "Matthews’ correlation", Scale::Correlation, |of| {
            of.some(Marginals::matthews_corrcoef)
        })
        .moved(ClassOutcomes::matthews_moves)
        .correlation()
        .shown(&[Summary, Page]),
        // In nats.
        M::new("log_loss", "Log loss", Scale::Loss, |of| of.tally.log_loss())
            .moved(|of, value| Some(of.log_loss_moves(value)))
            .shown(&[Summary, Page]),
        M::new("brier_score_loss", "Brier score", Scale::Loss, |of| of.tally.brier_score_loss())
            .moved(|of, value| Some(of.brier_score_moves(value)))
            .shown(&[Summary, Page]),
        M::new("ece", "ECE", Scale::Loss, |of| of.calibration_error(Binning::EqualWidth))
            .within(|of, value| of.calibration_interval(Binning::EqualWidth, value))
            .shown(&[Summary, Page]),
        M::new("ece_equal_mass", "ECE, equal mass", Scale::Loss, |of| {
            of.calibration_error(Binning::EqualMass)
        })
        .within(|of, value| of.calibration_interval(Binning::EqualMass, value))
        .shown(&[Page]),
        // Area under risk over coverage.
        M::new("aurc", "AURC", Scale::Loss, |of| of.tally.risk_coverage_area())
            .moved(|of, value| Some(of.risk_coverage_moves(value)))
            .shown(&[Page]),
        M::new("macro_roc_auc", "Macro ROC AUC", Scale::Share, |of| {
            of.rankings.as_ref()?.macro_roc_auc().value
        })
        .within(|of, _| of.rankings.as_ref()?.macro_roc_auc().interval)
        .when(|of| of.rankings.is_some())
        .shown(&[Summary, Page]),
        M::new("macro_average_precision", "Macro AP", Scale::Share, |of| {
            of.rankings.as_ref()?.macro_average_precision().value
        })
        .within(|of, _| of.rankings.as_ref()?.macro_average_precision().interval)
        .when(|of| of.rankings.is_some())
        .shown(&[Summary, Page]),
        M::new("coverage_at_reject", "Coverage (not rejected)", Scale::Share, |of| {
            let (answered, _) = of.answered()?;
            of.some(|all| answered as f64 / all.total() as f64)
        })
        .within(|of, _| proportion(of.answered()?.0, of.tally.rows()))
        .when(|of| of.reject_below.is_some())
        .shown(&[Summary, Page]),
        M::new("accuracy_at_reject", "Accuracy where not rejected", Scale::Share, |of| {
            let (answered, right) = of.answered()?;
            (answered > 0).then(|| right as f64 / answered as f64)
        })
        .within(|of, _| of.answered().and_then(|(answered, right)| proportion(right, answered)))
        .when(|of| of.reject_below.is_some())
        .over(|of| of.answered().map_or(0, |(answered, _)| answered))
        .shown(&[Summary, Page]),
    ];

    fn rows(&self) -> u64 {
        self.tally.rows()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClassRows, Estimate, Outcomes as _, figures, named};

    #[test]
    fn what_is_left_out() {
        let names = |classes| {
            figures(&ClassRows::new(classes).finish()).iter().map(|of| of.about.name).collect::<Vec<_>>()
        };
        assert!(names(6).contains(&"top_5_accuracy"));
        assert!(!names(5).contains(&"top_5_accuracy"));
        assert!(names(2).contains(&"weighted_recall") && !names(2).contains(&"macro_roc_auc"));
        let mut seen = std::collections::BTreeSet::new();
        assert!(ClassOutcomes::METRICS.iter().all(|metric| seen.insert(metric.about().name)));
    }

    #[test]
    fn undefined_values() {
        for figure in figures(&ClassRows::new(3).finish().rejecting(Some(0.5))) {
            assert_eq!((figure.estimate.value, figure.estimate.interval), (None, None), "{figure:?}");
        }
        let mut rows = ClassRows::new(3);
        rows.push(&[1], &[0.0, 1.0, 0.0]).unwrap();
        let outcomes = rows.finish().rejecting(Some(0.9));
        let found = figures(&outcomes);
        for (name, value) in [
            ("cohen_kappa", None),
            ("matthews_corrcoef", Some(0.0)),
            ("balanced_accuracy", Some(1.0)),
            ("coverage_at_reject", Some(1.0)),
        ] {
            assert_eq!(named(&found, name).unwrap().estimate.value, value, "{name}");
        }
        assert_eq!((outcomes.top_k_accuracy(3), outcomes.top_k_accuracy(2)), (None, Some(1.0)));
        // No row is of class 2, and none is said to be.
        let alone = figures(&outcomes.alone().nth(2).unwrap());
        for (name, value) in
            [("precision", Some(0.0)), ("recall", None), ("f1", None), ("support", Some(0.0))]
        {
            assert_eq!(named(&alone, name).unwrap().estimate.value, value, "{name}");
        }
    }

    #[test]
    fn plain_means_are_of_classes_that_have_rows() {
        // Two rows of class 0, of which one is given class 2, which no row bears: recall of class 0 is a half, and all else
        // is right. Of scikit-learn's labels=[0, 1].
        let mut rows = ClassRows::new(4);
        let p = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
        rows.push(&[0, 0, 1], &p).unwrap();
        let found = figures(&rows.finish());
        for (name, value) in [
            ("macro_precision", 1.0),
            ("macro_recall", 0.75),
            ("macro_f1", (2.0 / 3.0 + 1.0) / 2.0),
            ("micro_f1", 2.0 / 3.0),
        ] {
            let Estimate { value: got, interval } = named(&found, name).unwrap().estimate;
            let (got, ends) = (got.unwrap(), interval.unwrap());
            assert!((got - value).abs() < 1e-15 && ends.low <= value && value <= ends.high, "{name} {got}");
        }
    }
}
