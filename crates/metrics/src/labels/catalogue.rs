//! Every metric of several labels a row.

use super::{outcomes::LabelOutcomes, spreads::Over};
use crate::{
    averages::{Average, ClassMetric},
    interval::proportion,
    metric::{
        Measured, Metric, Scale,
        ShownIn::{Few, Page, Summary, Verdict},
    },
};

/// An average over labels, or over rows.
macro_rules! average {
    ($over:expr, $what:ident, $name:literal, $title:literal) => {
        M::new($name, $title, Scale::Share, |of| of.average($over, ClassMetric::$what))
            .within(|of, value| of.average_interval($over, ClassMetric::$what, value))
            .moved(|of, value| of.average_moves($over, ClassMetric::$what, value))
    };
}

/// An average over all labels, where each is only predicted from a threshold of its own on.
macro_rules! at_reject {
    ($what:ident, $name:literal, $title:literal) => {
        M::new($name, $title, Scale::Share, |of| of.at_reject()?.average(MICRO, ClassMetric::$what))
            .within(|of, value| of.at_reject()?.average_interval(MICRO, ClassMetric::$what, value))
            .moved(|of, value| of.at_reject()?.average_moves(MICRO, ClassMetric::$what, value))
            .when(|of| of.at_reject().is_some())
            .shown(&[Summary, Page])
    };
}

const MACRO: Over = Over::Labels(Average::Macro);
const MICRO: Over = Over::Labels(Average::Micro);
const WEIGHTED: Over = Over::Labels(Average::Weighted);

type M = Metric<LabelOutcomes>;

impl Measured for LabelOutcomes {
    const METRICS: &'static [M] = &[
        // Part of the rows whose labels are all as predicted: scikit-learn's `accuracy_score` of label indicators.
        M::new("subset_accuracy", "Subset accuracy", Scale::Share, |of| {
            Some(of.tally.exact as f64 / of.tally.rows() as f64)
        })
        .within(|of, _| proportion(of.tally.exact, of.tally.rows()))
        .moved(|of, value| of.mean_moves(value, 1.0, |row| f64::from(u8::from(row.wrong() == 0))))
        .shown(&[Summary, Page, Few]),
        // Part of all (row, label) that is not as predicted.
        M::new("hamming_loss", "Hamming loss", Scale::Loss, |of| Some(of.tally.wrong as f64 / of.entries()))
            .moved(|of, value| {
                let labels = of.labels() as f64;
                of.mean_moves(value, 1.0, |row| f64::from(row.wrong()) / labels)
            })
            .shown(&[Summary, Page]),
        average!(MACRO, Precision, "macro_precision", "Macro precision"),
        average!(MACRO, Recall, "macro_recall", "Macro recall"),
        average!(MACRO, F1, "macro_f1", "Macro F1").shown(&[Summary, Page, Few]),
        average!(MICRO, Precision, "micro_precision", "Micro precision"),
        average!(MICRO, Recall, "micro_recall", "Micro recall"),
        average!(MICRO, F1, "micro_f1", "Micro F1").shown(&[Summary, Page, Few, Verdict]),
        average!(WEIGHTED, Precision, "weighted_precision", "Weighted precision"),
        average!(WEIGHTED, Recall, "weighted_recall", "Weighted recall"),
        average!(WEIGHTED, F1, "weighted_f1", "Weighted F1"),
        average!(Over::Rows, Precision, "samples_precision", "Precision a sample"),
        average!(Over::Rows, Recall, "samples_recall", "Recall a sample"),
        average!(Over::Rows, F1, "samples_f1", "F1 a sample").shown(&[Summary, Page]),
        at_reject!(Precision, "micro_precision_at_reject", "Micro precision from thresholds on"),
        at_reject!(Recall, "micro_recall_at_reject", "Micro recall from thresholds on"),
        // How far down a row's ranking all its labels are found, on average; a row without labels counts 0.
        M::new("coverage_error", "Coverage error", Scale::Loss, |of| {
            Some(of.tally.coverage as f64 / of.tally.rows() as f64)
        })
        .moved(|of, value| of.mean_moves(value, of.labels() as f64, |row| f64::from(row.coverage)))
        .shown(&[Page]),
        // Mean precision at the rank of each label that a row bears, on average; 1 for rows that bear none or all.
        M::new("label_ranking_average_precision", "Label ranking AP", Scale::Share, |of| {
            Some(of.tally.ranking_precision / of.tally.rows() as f64)
        })
        .moved(|of, value| of.mean_moves(value, 1.0, |row| row.ranking_precision))
        .shown(&[Page]),
        // Of the labels on average, in nats.
        M::new("log_loss", "Log loss", Scale::Loss, LabelOutcomes::log_loss)
            .moved(LabelOutcomes::log_loss_moves)
            .shown(&[Summary, Page]),
        // Of the labels on average.
        M::new("brier_score_loss", "Brier score", Scale::Loss, LabelOutcomes::brier_score_loss)
            .moved(LabelOutcomes::brier_score_moves)
            .shown(&[Summary, Page]),
        // Over the labels that some rows bear and some do not.
        M::new("macro_roc_auc", "Macro ROC AUC", Scale::Share, |of| {
            of.rankings.as_ref()?.macro_roc_auc().value
        })
        .within(|of, _| of.rankings.as_ref()?.macro_roc_auc().interval)
        .when(|of| of.rankings.is_some())
        .shown(&[Summary, Page]),
        // Likewise; scikit-learn counts a label that no row bears as 0, and one that every row bears as 1.
        M::new("macro_average_precision", "Macro AP", Scale::Share, |of| {
            of.rankings.as_ref()?.macro_average_precision().value
        })
        .within(|of, _| of.rankings.as_ref()?.macro_average_precision().interval)
        .when(|of| of.rankings.is_some())
        .shown(&[Summary, Page]),
    ];

    fn rows(&self) -> u64 {
        self.tally.rows()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outcomes as _, differences, figures, named};

    const TRUTH: [bool; 6] = [true, false, false, true, true, false];
    const P: [f64; 6] = [0.75, 0.25, 0.625, 0.875, 0.25, 0.125];

    fn of(truth: &[bool], p: &[f64]) -> LabelOutcomes {
        LabelOutcomes::new(truth.to_vec(), p.to_vec(), 2).unwrap()
    }

    #[test]
    fn where_nothing_is_borne_ratios_are_zero() {
        let outcomes = of(&[false; 4], &[0.25, 0.5, 0.0, 0.5]);
        let alone = outcomes.alone().flat_map(|label| figures(&label));
        let found = figures(&outcomes).into_iter().chain(alone.filter(|of| of.about.name != "roc_auc"));
        for figure in found.filter(|of| of.about.name != "average_precision") {
            let value = figure.estimate.value.unwrap();
            match figure.about.name {
                "subset_accuracy" | "label_ranking_average_precision" => assert_eq!(value, 1.0, "{figure:?}"),
                "log_loss" | "brier_score_loss" => assert!(value > 0.0, "{figure:?}"),
                _ => assert_eq!(value, 0.0, "{figure:?}"),
            }
        }
    }

    #[test]
    fn a_head_does_not_differ_from_itself() {
        let own = of(&TRUTH, &P);
        for found in differences(&own, &own).unwrap() {
            assert_eq!(found.difference, Some(0.0));
            assert_eq!(found.interval.map(|ends| (ends.low, ends.high)), Some((0.0, 0.0)));
        }
        let right = of(&TRUTH, &TRUTH.map(|truth| if truth { 0.9 } else { 0.1 }));
        let found = differences(&own, &right).unwrap()[0];
        assert_eq!((found.first, found.second), (Some(1.0 / 3.0), Some(1.0)));
        assert!(differences(&own, &own.select(&[0])).is_err());
        assert!(differences(&own, &of(&[true; 6], &P)).is_err());
    }

    #[test]
    fn one_row_has_wide_intervals() {
        for figure in figures(&of(&TRUTH[..2], &P[..2])) {
            let ends = figure.estimate.interval.unwrap();
            assert!(ends.high - ends.low > 0.3, "{figure:?}");
        }
        assert!(named(&figures(&of(&TRUTH, &P).ranked()), "macro_roc_auc").is_some());
    }
}
