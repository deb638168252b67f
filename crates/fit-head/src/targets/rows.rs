//! The rows that are fitted on with their targets, and those that are looked at meanwhile.

use anyhow::bail;
use artifact::{FeatureSet, Rows as _, Sample, Selection, Split, Targets, Task};
use head::TargetKind;

use crate::Config;

/// Rows of one split with their views, read from the artefact as they are needed.
pub(crate) struct Part<'a> {
    selection: Selection<'a>,
    /// Each row's view; augmented ones are learnt from, and judge nothing.
    views: Vec<u32>,
    kind: TargetKind,
    /// (n, outputs)
    values: Vec<f64>,
    outputs: usize,
}

/// Train rows, val rows where there are any, and what their targets are.
pub(crate) struct Rows<'a> {
    pub(crate) train: Part<'a>,
    pub(crate) val: Option<Part<'a>>,
    pub(crate) targets: Targets,
    /// Of the outputs.
    pub(crate) names: Vec<String>,
}

impl<'a> Rows<'a> {
    /// Reads the targets, and takes both splits from `features`. Labels are those of all rows, as classes are.
    pub(crate) fn of(task: Task, features: &'a FeatureSet, config: &Config) -> anyhow::Result<Rows<'a>> {
        let path = features.names();
        let columns = config.target_columns();
        let manifest = columns.and(config.manifest());
        let all: Vec<Sample<'_>> = (0..features.len()).map(|row| sample(features, row)).collect();
        let (targets, names) = Targets::find(task, &all, manifest.zip(columns))?;
        // All of them: what is no target is told whatever its split.
        let values = targets.values(&names, &all, manifest)?;
        let part = |split: Split| {
            let selection = Selection::with_views(features, |row| features.split(row) == split);
            let own = (0..selection.len()).flat_map(|at| {
                let row = selection.row(at);
                &values[row * names.len()..][..names.len()]
            });
            let values: Vec<f64> = own.copied().collect();
            let kind = kind_of(task);
            let views = selection.views();
            (!values.is_empty()).then_some(Part { values, selection, views, kind, outputs: names.len() })
        };
        let Some(train) = part(Split::Train) else {
            bail!(
                "`{path}` has no train rows, expected some to fit on; give it a train folder, a train split in the manifest, or --split, and rerun extract"
            );
        };
        if task == Task::Labels {
            for (label, name) in names.iter().enumerate() {
                let bearing = train.values[label..].iter().step_by(names.len()).filter(|y| **y > 0.5).count();
                let who = match bearing {
                    0 => "no",
                    all if all == train.len() => "every",
                    _ => continue,
                };
                bail!(
                    "{who} train row of `{path}` bears the label `{name}`, expected some that do and some that do not"
                );
            }
        }
        let val = part(Split::Val);
        Ok(Rows { train, val, targets, names })
    }
}

/// What `head` calls them.
fn kind_of(task: Task) -> TargetKind {
    match task {
        Task::Labels => TargetKind::Labels,
        Task::Number => TargetKind::Numbers,
    }
}

fn sample(features: &FeatureSet, row: usize) -> Sample<'_> {
    Sample { id: features.id(row), class: &features.classes()[features.label(row) as usize] }
}

impl<'a> Part<'a> {
    /// These rows without those that `aside` picks, and of these those that are no augmented views.
    pub(crate) fn divide(
        &self,
        features: &'a FeatureSet,
        aside: impl Fn(usize) -> bool,
    ) -> (Part<'a>, Part<'a>) {
        // By row of the artefact: 0 is none of ours.
        let mut places = vec![0u8; features.len()];
        (0..self.len()).for_each(|at| places[self.row(at)] = 1 + u8::from(aside(at)));
        let part = |place: u8| {
            let is_kept = |row: usize| places[row] == place && (place == 1 || features.view(row) == 0);
            let selection = Selection::with_views(features, is_kept);
            let own = (0..self.len()).filter(|&at| is_kept(self.row(at)));
            let values = own.flat_map(|at| &self.values[at * self.outputs..][..self.outputs]).copied();
            let (values, views) = (values.collect(), selection.views());
            Part { values, selection, views, kind: self.kind, outputs: self.outputs }
        };
        (part(1), part(2))
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.selection.len()
    }

    /// The row of the artefact that is row `at` here.
    pub(crate) fn row(&self, at: usize) -> usize {
        self.selection.row(at)
    }

    /// The rows that are no augmented views: one a sample.
    pub(crate) fn samples(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(|&at| self.views[at] == 0)
    }

    /// Each row's view, (n,).
    pub(crate) fn views(&self) -> &[u32] {
        &self.views
    }

    /// What labels' samples are spread over folds by: the rarest label that each bears, and one more where it bears none, so
    /// that each label is in most folds. Numbers' samples are all alike.
    pub(crate) fn strata(&self) -> (Vec<u32>, usize) {
        if self.kind == TargetKind::Numbers {
            return (self.samples().map(|_| 0).collect(), 1);
        }
        let mut bearing = vec![0usize; self.outputs];
        let rows = || self.samples().map(|at| &self.values[at * self.outputs..][..self.outputs]);
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
        Ok(head::Targets::new(&self.selection, self.kind, &self.values, self.outputs)?)
    }
}
