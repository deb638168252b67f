//! What is so of the rows that are scored.

use artifact::{FeatureSet, Head, Rows as _, Sample, Selection, TargetSpec, TargetsFrom, Task, Truth};
use cli::UsageError;

use crate::Config;

/// The column that says what class a sample is of, where none is named.
const LABEL: &str = "label";

/// Of `rows`, which are of `features`: from the columns that the run names, or the head, or from what the features hold.
///
/// # Errors
/// A manifest that is needed and not given, or says nothing, or nonsense, of a sample; one that nothing is read from.
pub(crate) fn read(
    head: &Head,
    features: &FeatureSet,
    rows: &Selection<'_>,
    config: &Config,
) -> anyhow::Result<Truth> {
    let spec = spec(head, config)?;
    // The features' classes are the head's: no need to look for each name.
    if spec == TargetSpec::default() {
        return Ok(Truth::Class(rows.labels()));
    }
    let samples: Vec<Sample<'_>> = (0..rows.len()).map(|at| features.sample(rows.row(at))).collect();
    Ok(spec.read(&head.classes, &samples, config.manifest())?)
}

/// Where it stands.
fn spec(head: &Head, config: &Config) -> Result<TargetSpec, UsageError> {
    let is_of_classes = head.task() == Task::Class;
    let of_column =
        |column: &str| TargetSpec { task: Task::Class, from: TargetsFrom::Column(column.to_owned()) };
    // Slices may stand in a table that says nothing of classes.
    let is_idle = config.manifest().is_some() && config.slices().next().is_none();
    match config.target_columns() {
        Some([column]) if is_of_classes => Ok(of_column(column)),
        Some(columns) if is_of_classes => Err(UsageError(format!(
            "--target-columns: expected the one column of classes, got {}",
            columns.len()
        ))),
        Some(_) => Err(UsageError(
            "--target-columns is for heads of classes: this head names its columns itself".to_owned(),
        )),
        None if head.targets.need_manifest() || !is_idle => Ok(head.targets.clone()),
        None if is_of_classes => Ok(of_column(LABEL)),
        None => Err(UsageError(
            "--manifest goes with --slice: this head's targets stand in class names".to_owned(),
        )),
    }
}
