//! Metrics of numbers, with their intervals.

use artifact::Split;
use metrics::{Estimate, Regression, RegressionMetric, regression_estimates};

use crate::table::{Row, Scope};

/// The table's rows of the mean over `outputs`; with `names` of more than one, those of each output too.
pub(super) fn rows(
    split: Split,
    scope: &Scope,
    names: &[String],
    outputs: &[Regression],
) -> anyhow::Result<Vec<Row>> {
    let metrics = RegressionMetric::ALL;
    let found = regression_estimates(outputs, &metrics);
    let n = outputs.first().map_or(0, Regression::rows) as u64;
    let mut rows = Vec::new();
    let mut push = |scope: &Scope, class: Option<&String>, estimates: &[Estimate]| {
        rows.extend(metrics.iter().zip(estimates).map(|(metric, found)| Row {
            split,
            scope: scope.clone(),
            metric: metric.to_string(),
            class: class.cloned(),
            value: found.value,
            interval: found.interval,
            n,
        }));
    };
    push(scope, None, &found.mean);
    for (name, estimates) in names.iter().zip(&found.outputs) {
        push(&Scope::Class, Some(name), estimates);
    }
    Ok(rows)
}
