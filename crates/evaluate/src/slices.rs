//! `--slice`: the rows that share a value of a column.

use std::collections::BTreeMap;

use features::Selection;

use crate::{Config, table::Scope, truth::TruthSource};

/// Every slice of some rows with its members, columns as they were given, values in order.
pub(crate) fn members(
    rows: &Selection<'_>,
    config: &Config,
    source: &TruthSource<'_>,
) -> anyhow::Result<Vec<(Scope, Vec<usize>)>> {
    let said = source.said(rows);
    let mut slices = Vec::new();
    for name in config.slices() {
        let column = said.column(name)?;
        let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (at, &code) in column.codes().iter().enumerate() {
            members.entry(code).or_default().push(at);
        }
        slices.extend(members.into_iter().map(|(code, members)| {
            let (column, value) = (name.to_owned(), column.words()[code as usize].clone());
            (Scope::Slice { column, value }, members)
        }));
    }
    Ok(slices)
}
