//! The page of a head that is no classifier: figures with intervals, a table of its outputs, the sweep, slices, lineage.

use anyhow::Context;
use artifact::{FeatureSet, Head, Split, Task};
use report::{
    Baseline, ClassTable, Column, Difference, Estimate, Figure, Outputs, Page, Scale, Slices, Summary,
    Verdict,
};

use super::{classes, estimate, fit, lineage, summary};
use crate::Config;
use crate::table::{Row, Scope, overall};
use crate::targets::Comparison;

/// What such a page is made of.
pub(crate) struct TargetsMaterial<'a> {
    pub(crate) config: &'a Config,
    pub(crate) features: &'a FeatureSet,
    pub(crate) head: &'a Head,
    pub(crate) split: Split,
    /// Rows of the split.
    pub(crate) n: usize,
    pub(crate) rows: &'a [Row],
    pub(crate) comparison: Option<&'a Comparison>,
}

/// Figures of labels: metric, name, axis.
const OF_LABELS: [(&str, &str, Scale); 11] = [
    ("subset_accuracy", "Subset accuracy", Scale::Share),
    ("micro_f1", "Micro F1", Scale::Share),
    ("macro_f1", "Macro F1", Scale::Share),
    ("samples_f1", "F1 a sample", Scale::Share),
    ("macro_roc_auc", "Macro ROC AUC", Scale::Share),
    ("macro_average_precision", "Macro AP", Scale::Share),
    ("label_ranking_average_precision", "Label ranking AP", Scale::Share),
    ("hamming_loss", "Hamming loss", Scale::Loss),
    ("coverage_error", "Coverage error", Scale::Loss),
    ("log_loss", "Log loss", Scale::Loss),
    ("brier_score_loss", "Brier score", Scale::Loss),
];
/// Columns of the table of labels.
const EACH_LABEL: [(&str, &str, Scale); 5] = [
    ("precision", "Precision", Scale::Share),
    ("recall", "Recall", Scale::Share),
    ("f1", "F1", Scale::Share),
    ("roc_auc", "ROC AUC", Scale::Share),
    ("average_precision", "Average precision", Scale::Share),
];
/// Columns of the table of slices, of labels.
const SLICED: [(&str, &str); 3] =
    [("subset_accuracy", "Subset accuracy"), ("micro_f1", "Micro F1"), ("macro_f1", "Macro F1")];
/// Figures of numbers, and columns of their table.
const OF_NUMBERS: [(&str, &str, Scale); 6] = [
    ("mean_absolute_error", "Mean absolute error", Scale::Loss),
    ("root_mean_squared_error", "Root mean squared error", Scale::Loss),
    ("median_absolute_error", "Median absolute error", Scale::Loss),
    ("max_error", "Largest error", Scale::Loss),
    ("r2_score", "R²", Scale::Correlation),
    ("explained_variance_score", "Explained variance", Scale::Correlation),
];

impl TargetsMaterial<'_> {
    /// The page's bytes.
    pub(crate) fn render(&self) -> anyhow::Result<String> {
        let page = Page {
            summary: self.summary(),
            classes: self.head.classes.clone(),
            outputs: if self.is_of_labels() { Outputs::Label } else { Outputs::Number },
            class_table: Some(self.table()),
            sweep: self.sweep(),
            slices: self.slices(),
            lineage: lineage::of(self.features, self.head),
            ..Page::default()
        };
        page.check().context("cannot set the report")?;
        Ok(report::render(&page))
    }

    fn is_of_labels(&self) -> bool {
        self.head.task() == Task::Labels
    }

    fn figures(&self) -> &'static [(&'static str, &'static str, Scale)] {
        if self.is_of_labels() { &OF_LABELS } else { &OF_NUMBERS }
    }

    fn summary(&self) -> Summary {
        let figures = self.figures().iter().filter_map(|&(metric, name, scale)| {
            let row = overall(self.rows, self.split, metric).filter(|row| row.value.is_some())?;
            Some(Figure { name: name.to_owned(), estimate: estimate(row), scale })
        });
        Summary {
            title: summary::stem(self.config.head()),
            features: Some(summary::of_features(&self.features.sources())),
            split: self.split.name().to_owned(),
            rows: self.n as u64,
            figures: figures.collect(),
            baseline: self.baseline(),
            warnings: if self.split == Split::Train {
                vec![summary::of_train_rows(self.features, self.head)]
            } else {
                Vec::new()
            },
        }
    }

    fn baseline(&self) -> Option<Baseline> {
        let comparison = self.comparison?;
        let (path, _) = self.config.baseline()?;
        let differences = comparison.differences().filter_map(|(metric, found)| {
            let (_, name, scale) = self.figures().iter().find(|(own, ..)| *own == metric)?;
            Some(Difference {
                name: (*name).to_owned(),
                value: found.second?,
                baseline: found.first?,
                difference: Estimate {
                    value: found.difference?,
                    interval: found.interval.map(|interval| [interval.low, interval.high]),
                },
                scale: *scale,
            })
        });
        let verdict = match comparison.sign() {
            0 => Verdict::Undecided,
            1.. => Verdict::Better,
            _ => Verdict::Worse,
        };
        let differences = differences.collect();
        Some(Baseline { name: summary::stem(path), verdict, reason: comparison.verdict(), differences })
    }

    /// One row a label, or a number.
    fn table(&self) -> ClassTable {
        let of = |metric: &'static str| {
            let own = self.rows.iter().filter(|row| row.split == self.split && row.scope == Scope::Class);
            own.filter(move |row| row.metric == metric)
        };
        let columns = if self.is_of_labels() { &EACH_LABEL[..] } else { &OF_NUMBERS };
        ClassTable {
            support: if self.is_of_labels() {
                of("support").map(|row| row.n).collect()
            } else {
                vec![self.n as u64; self.head.classes.len()]
            },
            columns: columns
                .iter()
                .map(|&(metric, name, scale)| Column {
                    name: name.to_owned(),
                    scale,
                    estimates: of(metric).map(estimate).collect(),
                })
                .collect(),
        }
    }

    /// Losses of ridge regressions are squares.
    fn sweep(&self) -> Option<report::Sweep> {
        let sweep = fit::sweep(self.head)?;
        let is_likelihood = self.head.fit["head"] == "linear";
        Some(if is_likelihood {
            sweep
        } else {
            report::Sweep { metric: "Squared error".to_owned(), ..sweep }
        })
    }

    /// The page shows shares of 0 to 1: there are none of numbers.
    fn slices(&self) -> Option<Slices> {
        if !self.is_of_labels() {
            return None;
        }
        classes::slices_of(self.rows, self.split, &SLICED)
    }
}
