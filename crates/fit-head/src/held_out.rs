//! Which rows candidates are compared on, and temperatures fitted on.

use std::collections::HashMap;

use anyhow::bail;
use artifact::{FeatureSet, table};
use head::{Folds, HeadFitError, HeldOut};

use crate::config::Choice;
use crate::rows::{Part, Rows};

/// Folds where nothing else is asked for.
pub(crate) const FOLDS: usize = 5;

/// Rows that are held out while candidates are fitted.
pub(crate) enum Held<'a> {
    /// The val rows, whatever is learnt of them.
    Val(HeldOut<'a>),
    Folds(Folds),
}

impl<'a> Held<'a> {
    /// The val rows where there are any, unless folds are asked for; else folds of the train rows.
    pub(crate) fn of(choice: &Choice, rows: &'a Rows<'a>, features: &FeatureSet) -> anyhow::Result<Held<'a>> {
        match &rows.val {
            Some(val) if !choice.asks_for_folds() => Ok(Held::Val(HeldOut::Rows(val.examples()?))),
            _ => Ok(Held::Folds(folds(choice, FOLDS, &rows.train, features)?)),
        }
    }

    pub(crate) fn rows(&self) -> HeldOut<'_> {
        match self {
            Held::Val(rows) => *rows,
            Held::Folds(folds) => HeldOut::Folds(folds),
        }
    }

    /// As the record and messages name them: `val`, `5 folds`.
    pub(crate) fn name(&self) -> String {
        match self {
            Held::Val(_) => "val".to_owned(),
            Held::Folds(folds) => format!("{} folds", folds.count()),
        }
    }
}

/// Folds of the train rows, as many as was asked for, else `usual`: a sample's augmented views are held out with it.
pub(crate) fn folds(
    choice: &Choice,
    usual: usize,
    train: &Part<'_>,
    features: &FeatureSet,
) -> anyhow::Result<Folds> {
    let ids = train.rows.samples().map(|at| features.id(train.rows.row(at)));
    let (labels, classes) = (train.labels_of_samples(), features.classes().len());
    Ok(folds_of(choice, usual, &labels, classes, ids)?.of_views(train.rows.views()))
}

/// Folds of samples with `labels` (n,), each below `classes`, and `ids` that a manifest names them by.
pub(crate) fn folds_of<'b>(
    choice: &Choice,
    usual: usize,
    labels: &[u32],
    classes: usize,
    ids: impl Iterator<Item = &'b str>,
) -> anyhow::Result<Folds> {
    // No more folds than rows: with a handful of rows, each is a fold of its own.
    let count = choice.folds.unwrap_or(usual.min(labels.len()));
    if labels.len() < 2 {
        return Err(HeadFitError::NothingHeldOut.into());
    }
    let Some((table, column)) = &choice.groups else {
        return Ok(Folds::stratified(labels, classes, count, choice.seed)?);
    };
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let groups: Vec<u32> = table::values_of(table, column, ids)?
        .into_iter()
        .map(|value| {
            let next = numbers.len() as u32;
            *numbers.entry(value).or_insert(next)
        })
        .collect();
    if numbers.len() < 2 {
        bail!(
            "`{column}` of `{}` has one value for all train rows, expected two groups or more",
            table.display()
        );
    }
    let count = choice.folds.unwrap_or(count.min(numbers.len()));
    Ok(Folds::grouped(labels, classes, &groups, count, choice.seed)?)
}
