//! What a head says of a sample, and what is so.

use std::path::Path;

use anyhow::bail;
use artifact::table::values_of;
use artifact::{FeatureSet, Head, Rows as _, Sample, Selection, Targets, Task as Target};
use cli::UsageError;

use crate::Config;

/// What a head says of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Which of several classes it is of.
    Class,
    /// Which of some labels it bears, any number of them.
    Labels,
    /// One number or several.
    Numbers,
}

/// What is so of some rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Truth {
    /// (n,), in the order of the head's classes.
    Class(Vec<u32>),
    /// (n, labels), row-major.
    Labels(Vec<bool>),
    /// (n, outputs), row-major.
    Numbers(Vec<f64>),
}

impl Task {
    pub(crate) fn of(head: &Head) -> Task {
        match head.targets.as_ref().map(|targets| targets.task) {
            None => Task::Class,
            Some(Target::Labels) => Task::Labels,
            Some(Target::Number) => Task::Numbers,
        }
    }

    /// What its outputs are called.
    pub(crate) fn noun(self, outputs: usize) -> &'static str {
        match (self, outputs) {
            // Nobody has one class.
            (Task::Class, _) => "classes",
            (Task::Labels, 1) => "label",
            (Task::Labels, _) => "labels",
            (Task::Numbers, 1) => "number",
            (Task::Numbers, _) => "numbers",
        }
    }

    /// What one of them is called.
    pub(crate) fn singular(self) -> &'static str {
        match self {
            Task::Class => "class",
            Task::Labels => "label",
            Task::Numbers => "number",
        }
    }
}

impl Truth {
    /// Of `rows`, which are of `features`: from the columns that the head names, or that the run does, or from what the
    /// features hold.
    ///
    /// # Errors
    /// A manifest that is needed and not given, or says nothing, or nonsense, of a sample; one that nothing is read from.
    pub(crate) fn read(
        head: &Head,
        features: &FeatureSet,
        rows: &Selection<'_>,
        config: &Config,
    ) -> anyhow::Result<Truth> {
        let Some(targets) = &head.targets else { return of_classes(head, features, rows, config) };
        if config.target_columns().is_some() {
            let text = "--target-columns is for heads of classes: this head names its columns itself";
            return Err(UsageError(text.to_owned()).into());
        }
        let is_idle = config.manifest().is_some() && config.slices().next().is_none();
        if is_idle && !targets.need_manifest() {
            let text = "--manifest goes with --slice: this head's targets stand in class names";
            return Err(UsageError(text.to_owned()).into());
        }
        of_targets(targets, head, features, rows, config.manifest())
    }
}

fn of_targets(
    targets: &Targets,
    head: &Head,
    features: &FeatureSet,
    rows: &Selection<'_>,
    manifest: Option<&Path>,
) -> anyhow::Result<Truth> {
    let samples: Vec<Sample<'_>> = (0..rows.len()).map(|at| features.sample(rows.row(at))).collect();
    let values = targets.values(&head.classes, &samples, manifest)?;
    Ok(match targets.task {
        Target::Labels => Truth::Labels(values.iter().map(|&truth| truth > 0.5).collect()),
        Target::Number => Truth::Numbers(values),
    })
}

fn of_classes(
    head: &Head,
    features: &FeatureSet,
    rows: &Selection<'_>,
    config: &Config,
) -> anyhow::Result<Truth> {
    let column = match (config.manifest(), config.target_columns()) {
        (Some(manifest), Some([column])) => (manifest, column.as_str()),
        (_, Some(columns)) => {
            let text = format!("--target-columns: expected the one column of classes, got {}", columns.len());
            return Err(UsageError(text).into());
        }
        (None, None) => return Ok(Truth::Class(rows.labels())),
        // Slices may stand in a table that says nothing of classes.
        (Some(_), None) if config.slices().next().is_some() => return Ok(Truth::Class(rows.labels())),
        (Some(manifest), None) => (manifest, "label"),
    };
    let ids = (0..rows.len()).map(|at| features.id(rows.row(at)));
    let names = values_of(column.0, column.1, ids)?;
    let class = |(at, name): (usize, &String)| match head.classes.iter().position(|class| class == name) {
        Some(class) => Ok(class as u32),
        None => bail!(
            "`{}`, column `{}`: `{}` is of `{}`, which is no class of the head",
            column.0.display(),
            cli::name(column.1),
            cli::name(features.id(rows.row(at))),
            cli::name(name)
        ),
    };
    Ok(Truth::Class(names.iter().enumerate().map(class).collect::<anyhow::Result<_>>()?))
}
