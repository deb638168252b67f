//! The table of classes, and that of slices.

use artifact::Split;
use report::{ClassTable, Column, Scale, Slice, Slices};

use super::{Material, estimate};
use crate::table::{Row, Scope, overall};

/// Columns of the table of classes: metric, name.
const COLUMNS: [(&str, &str); 5] = [
    ("precision", "Precision"),
    ("recall", "Recall"),
    ("f1", "F1"),
    ("roc_auc", "ROC AUC"),
    ("average_precision", "Average precision"),
];
/// Columns of the table of slices.
const SLICED: [(&str, &str); 3] =
    [("accuracy", "Accuracy"), ("balanced_accuracy", "Balanced accuracy"), ("macro_f1", "Macro F1")];

pub(super) fn table(material: &Material<'_>) -> ClassTable {
    // The table's rows of classes are in the order of classes.
    let of = |metric: &'static str| {
        let rows = material.rows.iter();
        let split = material.scores.split;
        rows.filter(move |row| row.split == split && row.scope == Scope::Class && row.metric == metric)
    };
    ClassTable {
        support: of("support").map(|row| row.n).collect(),
        columns: COLUMNS
            .iter()
            .map(|&(metric, name)| Column {
                name: name.to_owned(),
                scale: Scale::Share,
                estimates: of(metric).map(estimate).collect(),
            })
            .collect(),
    }
}

pub(super) fn slices(material: &Material<'_>) -> Option<Slices> {
    slices_of(material.rows, material.scores.split, &SLICED)
}

/// Every slice of a split with the metrics (as the table calls them, as the page does) that are shown of it.
pub(super) fn slices_of(rows: &[Row], split: Split, shown: &[(&str, &str)]) -> Option<Slices> {
    let mut slices: Vec<Slice> = Vec::new();
    for row in rows.iter().filter(|row| row.split == split) {
        let Scope::Slice { column, value } = &row.scope else { continue };
        let is_last = |slice: &Slice| slice.attribute == *column && slice.value == *value;
        if !slices.last().is_some_and(is_last) {
            let (attribute, value) = (column.clone(), value.clone());
            slices.push(Slice { attribute, value, rows: row.n, estimates: Vec::new() });
        }
        if shown.iter().any(|(metric, _)| *metric == row.metric)
            && let Some(slice) = slices.last_mut()
        {
            slice.estimates.push(estimate(row));
        }
    }
    let all = |metric: &str| overall(rows, split, metric).map(estimate);
    (!slices.is_empty()).then(|| Slices {
        metrics: shown.iter().map(|(_, name)| (*name).to_owned()).collect(),
        overall: shown.iter().filter_map(|(metric, _)| all(metric)).collect(),
        slices,
    })
}
