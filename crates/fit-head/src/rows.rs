//! The rows that are fitted on with their truth, and those that are looked at meanwhile.

use anyhow::bail;
use features::FeatureSet;
use head::Examples;
use sample::{
    LABEL, Split,
    targets::{Said, Samples as _, TargetSpec, Task, Truth},
};
use store::table::SampleTable;

use crate::{Config, split_rows::SplitRows};

/// The truth of all samples, read once, whichever of their features are fitted on.
pub(crate) struct Read {
    pub(crate) spec: TargetSpec,
    /// Of the outputs.
    pub(crate) names: Vec<String>,
    truth: Truth,
    /// Where the truth stands, for messages.
    place: String,
    /// Whose columns count before the features' own.
    pub(crate) manifest: Option<SampleTable>,
    /// Samples of which it says another class than the features.
    pub(crate) corrected: Option<usize>,
}

/// Rows of one split with their truth.
pub(crate) struct Part<'a> {
    pub(crate) rows: SplitRows<'a>,
    pub(crate) truth: Truth,
    outputs: usize,
}

/// Train rows, and val rows where there are any.
pub(crate) struct Rows<'a> {
    pub(crate) train: Part<'a>,
    pub(crate) val: Option<Part<'a>>,
}

impl Read {
    /// Reads the truth of the rows of `features`. Classes and labels are those of all rows.
    pub(crate) fn of(features: &FeatureSet, config: &Config) -> anyhow::Result<Read> {
        let columns = config.target_columns();
        let usual = [LABEL.to_owned()];
        let wanted = columns.unwrap_or(&usual).iter().chain(&config.choice().groups);
        let wanted: Vec<&str> = wanted.map(String::as_str).collect();
        let manifest = config.manifest().map(|path| SampleTable::open(path, &wanted)).transpose()?;
        let said = Said { samples: features, manifest: manifest.as_ref() };
        let (spec, names) = TargetSpec::find(config.target().task(), said, columns)?;
        // All of them: what is no target is told whatever its split.
        let truth = spec.read(&names, said)?;
        let column = spec.columns(&names)[0];
        let (corrected, place) = (corrected(&truth, &names, column, said, features), said.place(column));
        Ok(Read { spec, names, truth, place, manifest, corrected })
    }
}

/// Of how many samples a manifest says another class than the column of that name of `features`.
fn corrected(
    truth: &Truth,
    names: &[String],
    column: &str,
    said: Said<'_>,
    features: &FeatureSet,
) -> Option<usize> {
    said.manifest.filter(|manifest| manifest.has(column))?;
    let (classes, own) = (truth.classes(), features.column(column)?);
    let is_another =
        |row: &usize| classes.get(*row).is_some_and(|&class| names[class as usize] != own.text(*row));
    Some(features.samples().filter(is_another).count())
}

impl<'a> Rows<'a> {
    /// Takes both splits from `features`, whose truth `read` holds, and checks that a head can be fitted.
    pub(crate) fn of(read: &Read, features: &'a FeatureSet, config: &Config) -> anyhow::Result<Rows<'a>> {
        let Read { spec, names, truth, place, .. } = read;
        let path = features.names();
        if let (Task::Class, [class]) = (spec.task, &names[..]) {
            bail!("{place} has one class, `{class}`: expected two or more to tell apart");
        }
        let part = |split: Split| {
            let rows = SplitRows::of(features, split)?;
            let own = truth.select((0..rows.len()).map(|at| rows.row(at)), names.len());
            Some(Part { truth: own, rows, outputs: names.len() })
        };
        let Some(train) = part(Split::Train) else {
            bail!(
                "`{path}` has no train rows, expected some to fit on; give it a train folder, a train split in the manifest, or --split, and rerun extract"
            );
        };
        match spec.task {
            Task::Class => train.check_classes(names, place, config.min_class_rows())?,
            Task::Labels => train.check_labels(names, place, config.min_class_rows())?,
            Task::Numbers => train.check_offsets(names)?,
        }
        Ok(Rows { train, val: part(Split::Val) })
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
        (self.part(others), self.part(picked))
    }

    /// These rows without augmented views: one a sample.
    pub(crate) fn plain(&self, features: &'a FeatureSet) -> Part<'a> {
        self.part(self.rows.plain(features))
    }

    pub(crate) fn examples(&self) -> anyhow::Result<Examples<'_>> {
        let examples = Examples::new(self.rows.selection(), &self.truth, self.outputs)?;
        Ok(examples.with_views(self.rows.views())?)
    }

    /// Those `rows` that are among these.
    fn part(&self, rows: SplitRows<'a>) -> Part<'a> {
        let truth = self.truth.select(rows.places_in(&self.rows), self.outputs);
        Part { truth, rows, outputs: self.outputs }
    }

    /// Samples of each class, or samples with each label, views not counted.
    fn counts(&self) -> Vec<usize> {
        self.truth.select(self.rows.samples(), self.outputs).counts(self.outputs)
    }

    fn check_classes(&self, names: &[String], place: &str, least: usize) -> anyhow::Result<()> {
        let counts = self.counts();
        if let Some(absent) = counts.iter().position(|&count| count == 0) {
            bail!("class `{}` of {place} has no train rows, expected some of every class", names[absent]);
        }
        check_least(&counts, names, place, least, "classes")
    }

    fn check_labels(&self, names: &[String], place: &str, least: usize) -> anyhow::Result<()> {
        let counts = self.counts();
        let samples = self.rows.samples().count();
        for (name, &count) in names.iter().zip(&counts) {
            let who = match count {
                0 => "no",
                all if all == samples => "every",
                _ => continue,
            };
            bail!(
                "{who} train row of {place} bears the label `{name}`, expected some that do and some that do not; leave its column out, or give it another split"
            );
        }
        check_least(&counts, names, place, least, "labels")
    }

    /// Refuses numbers that f32, which heads are in, cannot tell apart: their spread must be well above the rounding of
    /// their mean.
    fn check_offsets(&self, names: &[String]) -> anyhow::Result<()> {
        for (output, name) in names.iter().enumerate() {
            let values = || self.truth.values()[output..].iter().step_by(names.len());
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
}

fn check_least(
    counts: &[usize],
    names: &[String],
    place: &str,
    least: usize,
    what: &str,
) -> anyhow::Result<()> {
    let few = counts.iter().zip(names).filter(|(count, _)| **count < least);
    let few: Vec<String> = few.map(|(count, name)| format!("`{name}` {count}")).collect();
    if few.is_empty() {
        return Ok(());
    }
    bail!("{place} has fewer than {least} train rows of some {what}: {}", few.join(", "))
}
