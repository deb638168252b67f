//! The rows that are fitted on with their targets, and those that are looked at meanwhile.

use anyhow::bail;
use artifact::{FeatureSet, Sample, Split, TargetSpec, Task};
use head::TargetKind;

use crate::Config;
use crate::split_rows::SplitRows;

/// Rows of one split with their targets.
pub(crate) struct Part<'a> {
    pub(crate) rows: SplitRows<'a>,
    kind: TargetKind,
    /// (n, outputs)
    values: Vec<f64>,
    outputs: usize,
}

/// Train rows, val rows where there are any, and their targets.
pub(crate) struct Rows<'a> {
    pub(crate) train: Part<'a>,
    pub(crate) val: Option<Part<'a>>,
}

/// The targets of all samples, read once, whichever of their features are fitted on.
pub(crate) struct Read {
    pub(crate) targets: TargetSpec,
    /// Of the outputs.
    pub(crate) names: Vec<String>,
    /// (rows, outputs)
    values: Vec<f64>,
}

impl Read {
    /// Reads the targets of the rows of `features`. Labels are those of all rows, as classes are.
    pub(crate) fn of(task: Task, features: &FeatureSet, config: &Config) -> anyhow::Result<Read> {
        let columns = config.target_columns();
        let manifest = columns.and(config.manifest());
        let all: Vec<Sample<'_>> = (0..features.len()).map(|row| features.sample(row)).collect();
        let (targets, names) = TargetSpec::find(task, &all, &[], manifest.zip(columns))?;
        // All of them: what is no target is told whatever its split.
        let values = targets.read(&names, &all, manifest)?.values().to_vec();
        Ok(Read { targets, names, values })
    }
}

impl<'a> Rows<'a> {
    /// Takes both splits from `features`, whose targets `read` holds.
    pub(crate) fn of(read: &Read, features: &'a FeatureSet) -> anyhow::Result<Rows<'a>> {
        let Read { targets: TargetSpec { task, .. }, names, values } = read;
        let path = features.names();
        let part = |split: Split| {
            let rows = SplitRows::of(features, split)?;
            let own = (0..rows.len()).flat_map(|at| &values[rows.row(at) * names.len()..][..names.len()]);
            Some(Part { values: own.copied().collect(), rows, kind: kind_of(*task), outputs: names.len() })
        };
        let Some(train) = part(Split::Train) else {
            bail!(
                "`{path}` has no train rows, expected some to fit on; give it a train folder, a train split in the manifest, or --split, and rerun extract"
            );
        };
        if *task == Task::Labels {
            for (label, name) in names.iter().enumerate() {
                let bearing = train.values[label..].iter().step_by(names.len()).filter(|y| **y > 0.5).count();
                let who = match bearing {
                    0 => "no",
                    all if all == train.rows.len() => "every",
                    _ => continue,
                };
                bail!(
                    "{who} train row of `{path}` bears the label `{name}`, expected some that do and some that do not; leave its column out, or give it another split"
                );
            }
        }
        if *task == Task::Numbers {
            check_offsets(&train, names)?;
        }
        let val = part(Split::Val);
        Ok(Rows { train, val })
    }
}

/// Refuses numbers that f32, which heads are in, cannot tell apart: their spread must be well above the rounding of their mean.
fn check_offsets(train: &Part<'_>, names: &[String]) -> anyhow::Result<()> {
    for (output, name) in names.iter().enumerate() {
        let values = || train.values[output..].iter().step_by(names.len());
        let n = values().count() as f64;
        let mean = values().sum::<f64>() / n;
        let spread = (values().map(|y| (y - mean).powi(2)).sum::<f64>() / n).sqrt();
        if spread > 0.0 && mean.abs() * f64::from(f32::EPSILON) > 0.01 * spread {
            bail!(
                "`{name}` lies around {mean:.3e} and spreads by {spread:.1e} only, which 32-bit numbers do not tell apart; subtract a constant from it"
            );
        }
    }
    Ok(())
}

/// What `head` calls them.
fn kind_of(task: Task) -> TargetKind {
    match task {
        Task::Labels => TargetKind::Labels,
        Task::Class | Task::Numbers => TargetKind::Numbers,
    }
}

impl<'a> Part<'a> {
    /// These rows without those that `aside` picks, and of these those that are no augmented views.
    pub(crate) fn divide(
        &self,
        features: &'a FeatureSet,
        aside: impl Fn(usize) -> bool,
    ) -> (Part<'a>, Part<'a>) {
        let (others, picked) = self.rows.divide(features, aside);
        let part = |rows: SplitRows<'a>| {
            let own =
                rows.places_in(&self.rows).flat_map(|at| &self.values[at * self.outputs..][..self.outputs]);
            Part { values: own.copied().collect(), rows, kind: self.kind, outputs: self.outputs }
        };
        (part(others), part(picked))
    }

    /// What labels' samples are spread over folds by: the rarest label that each bears, and one more where it bears none, so
    /// that each label is in most folds. Numbers' samples are all alike.
    pub(crate) fn strata(&self) -> (Vec<u32>, usize) {
        if self.kind == TargetKind::Numbers {
            return (self.rows.samples().map(|_| 0).collect(), 1);
        }
        let mut bearing = vec![0usize; self.outputs];
        let rows = || self.rows.samples().map(|at| &self.values[at * self.outputs..][..self.outputs]);
        rows().for_each(|row| {
            bearing.iter_mut().zip(row).for_each(|(count, y)| *count += usize::from(*y > 0.5));
        });
        let rarest = |row: &[f64]| {
            let borne = (0..self.outputs).filter(|&label| row[label] > 0.5);
            borne.min_by_key(|&label| bearing[label]).unwrap_or(self.outputs) as u32
        };
        (rows().map(rarest).collect(), self.outputs + 1)
    }

    pub(crate) fn targets(&self) -> anyhow::Result<head::Targets<'_>> {
        Ok(head::Targets::new(self.rows.selection(), self.kind, &self.values, self.outputs)?)
    }
}
