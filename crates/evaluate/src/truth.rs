//! What is so of the rows that are scored.

use std::path::Path;

use cli::UsageError;
use features::Selection;
use head::Head;
use sample::LABEL;
use sample::targets::{Said, TargetSpec, TargetsFrom, Task, Truth};

use crate::Config;

/// Of `rows`: from the columns that the run names, or the head, in the manifest or in the features.
///
/// # Errors
/// A column that is nowhere, or says nothing, or nonsense, of a sample; a manifest that nothing is read from.
pub(crate) fn read(head: &Head, rows: &Selection<'_>, config: &Config) -> anyhow::Result<Truth> {
    let (spec, manifest) = spec(head, config)?;
    Ok(spec.read(&head.classes, Said { samples: rows, manifest })?)
}

/// Where it stands.
fn spec<'a>(head: &Head, config: &'a Config) -> Result<(TargetSpec, Option<&'a Path>), UsageError> {
    let of_column =
        |column: &str| TargetSpec { task: Task::Class, from: TargetsFrom::Column(column.to_owned()) };
    // Slices may stand in a table that says nothing of classes.
    let spare = config.manifest().filter(|_| config.slices().next().is_none());
    match (config.target_columns(), head.task()) {
        (Some([column]), Task::Class) => Ok((of_column(column), config.manifest())),
        (Some(columns), Task::Class) => Err(UsageError(format!(
            "--target-columns: expected the one column of classes, got {}",
            columns.len()
        ))),
        (Some(_), _) => Err(UsageError(
            "--target-columns is for heads of classes: this head names its columns itself".to_owned(),
        )),
        (None, _) if head.targets.from != TargetsFrom::Class => Ok((head.targets.clone(), config.manifest())),
        (None, Task::Class) if spare.is_some() => Ok((of_column(LABEL), spare)),
        (None, _) if spare.is_some() => Err(UsageError(
            "--manifest goes with --slice: this head's targets stand in class names".to_owned(),
        )),
        (None, _) => Ok((head.targets.clone(), None)),
    }
}
