//! `--slice`: the same metrics on the rows that share a value of a column.

use std::collections::BTreeMap;

use artifact::{FeatureSet, Rows as _, Selection, table::values_of};
use metrics::{Metric, estimates};

use crate::Config;
use crate::scores::SplitScores;
use crate::table::{Row, Scope};

/// The table's rows of every slice of a split, columns as they were given, values in order.
pub(crate) fn rows(
    scores: &SplitScores<'_>,
    features: &FeatureSet,
    config: &Config,
) -> anyhow::Result<Vec<Row>> {
    let metrics = Metric::overall(features.classes().len());
    let mut rows = Vec::new();
    for (scope, members) in members(&scores.rows, features, config)? {
        let outcomes = scores.outcomes.select(&members);
        let values = estimates(&outcomes, &metrics);
        rows.extend(metrics.iter().zip(values).map(|(metric, found)| Row {
            split: scores.split,
            scope: scope.clone(),
            metric: metric.to_string(),
            class: None,
            value: found.value,
            interval: found.interval,
            n: outcomes.rows() as u64,
        }));
    }
    Ok(rows)
}

/// Every slice of some rows with its members, columns as they were given, values in order.
pub(crate) fn members(
    rows: &Selection<'_>,
    features: &FeatureSet,
    config: &Config,
) -> anyhow::Result<Vec<(Scope, Vec<usize>)>> {
    let mut slices = Vec::new();
    for (manifest, column) in config.slices() {
        let ids = (0..rows.len()).map(|at| features.id(rows.row(at)));
        let mut members: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, value) in values_of(manifest, column, ids)?.into_iter().enumerate() {
            members.entry(value).or_default().push(at);
        }
        slices.extend(members.into_iter().map(|(value, members)| {
            let column = column.to_owned();
            (Scope::Slice { column, value }, members)
        }));
    }
    Ok(slices)
}
