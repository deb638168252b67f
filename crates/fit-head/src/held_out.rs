//! Which rows candidates are compared on, and temperatures fitted on.

use std::collections::HashMap;

use anyhow::bail;
use features::FeatureSet;
use head::{Examples, Folds, HeadFitError, HeldOut};
use sample::targets::Said;
use store::table::SampleTable;

use crate::{config::Choice, rows::Part};

/// Folds where nothing else is asked for.
pub(crate) const FOLDS: usize = 5;

/// Rows that are held out while candidates are fitted.
pub(crate) enum Held<'a> {
    Val(Examples<'a>),
    Folds(Folds),
}

impl Held<'_> {
    pub(crate) fn rows(&self) -> HeldOut<'_> {
        match self {
            Held::Val(rows) => HeldOut::Rows(*rows),
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
    manifest: Option<&SampleTable>,
) -> anyhow::Result<Folds> {
    let (strata, of) = train.examples()?.strata();
    if strata.len() < 2 {
        return Err(HeadFitError::NothingHeldOut.into());
    }
    // No more folds than rows: with a handful of rows, each is a fold of its own.
    let count = choice.folds.unwrap_or(usual.min(strata.len()));
    let Some(column) = &choice.groups else {
        return Ok(Folds::stratified(&strata, of, count, choice.seed)?.of_views(train.rows.views()));
    };
    let samples = train.rows.plain(features);
    let said = Said { samples: samples.selection(), manifest };
    let groups = said.column(column)?;
    if groups.words().len() < 2 {
        bail!(
            "`{column}` of {} has one value for all train rows, expected two groups or more",
            said.place(column)
        );
    }
    let count = choice.folds.unwrap_or(count.min(groups.words().len()));
    Ok(Folds::grouped(&strata, of, &first_come(groups.codes()), count, choice.seed)?
        .of_views(train.rows.views()))
}

/// The same groups, numbered in the order in which they come.
fn first_come(groups: &[u32]) -> Vec<u32> {
    let mut numbers: HashMap<u32, u32> = HashMap::new();
    let number = |group: &u32| {
        let next = numbers.len() as u32;
        *numbers.entry(*group).or_insert(next)
    };
    groups.iter().map(number).collect()
}
