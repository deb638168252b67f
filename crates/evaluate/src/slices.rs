//! `--slice`: the rows that share a value of a column.

use std::collections::BTreeMap;

use artifact::{FeatureSet, Rows as _, Selection, table::values_of};

use crate::Config;
use crate::table::Scope;

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
