//! `--slice`: the same metrics on the rows that share a value of a column.

use std::collections::BTreeMap;

use artifact::{FeatureSet, Rows as _, table::values_of};
use metrics::{Bootstrap, Metric};

use crate::Config;
use crate::scores::SplitScores;
use crate::table::{Row, Scope};
use crate::values::estimates;

/// The table's rows of every slice of a split, columns as they were given, values in order.
pub(crate) fn rows(
    scores: &SplitScores<'_>,
    features: &FeatureSet,
    config: &Config,
    bootstrap: &Bootstrap,
) -> anyhow::Result<Vec<Row>> {
    let metrics = Metric::overall(features.classes().len());
    let mut rows = Vec::new();
    for (manifest, column) in config.slices() {
        let ids = (0..scores.rows.len()).map(|at| features.id(scores.rows.row(at)));
        let mut members: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, value) in values_of(manifest, column, ids)?.into_iter().enumerate() {
            members.entry(value).or_default().push(at);
        }
        for (value, members) in members {
            let outcomes = scores.outcomes.select(&members);
            let tally = outcomes.tally();
            let values = estimates(&outcomes, &tally, &metrics, bootstrap);
            let scope = Scope::Slice { column: column.to_owned(), value };
            rows.extend(metrics.iter().zip(values).map(|(metric, (value, interval))| Row {
                split: scores.split,
                scope: scope.clone(),
                metric: metric.to_string(),
                class: None,
                value,
                interval,
                n: tally.rows(),
            }));
        }
    }
    Ok(rows)
}
