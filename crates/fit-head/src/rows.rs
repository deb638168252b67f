//! The rows that are fitted on, and those that are looked at meanwhile.

use anyhow::bail;
use artifact::{FeatureSet, Rows as _, Selection, Split};
use cli::count;
use head::Examples;

use crate::Config;

/// Rows of one split with their views, read from the artefact as they are needed.
pub(crate) struct Part<'a> {
    selection: Selection<'a>,
    labels: Vec<u32>,
    /// Each row's view; augmented ones are learnt from, and judge nothing.
    views: Vec<u32>,
    classes: usize,
}

/// Train rows, and val rows where there are any.
pub(crate) struct Rows<'a> {
    pub(crate) train: Part<'a>,
    pub(crate) val: Option<Part<'a>>,
}

impl<'a> Rows<'a> {
    /// Takes both splits from `features` and checks that a classifier can be fitted.
    pub(crate) fn of(features: &'a FeatureSet, config: &Config) -> anyhow::Result<Rows<'a>> {
        let path = features.names();
        if let [class] = features.classes() {
            bail!("`{path}` has one class, `{class}`: expected two or more to tell apart");
        }
        let Some(train) = Part::of(features, Split::Train) else {
            bail!(
                "`{path}` has no train rows, expected some to fit on; give it a train folder, a train split in the manifest, or --split, and rerun extract"
            );
        };
        // Samples, not their views.
        let mut counts = vec![0; features.classes().len()];
        train.samples().for_each(|at| counts[train.labels[at] as usize] += 1);
        if let Some(absent) = counts.iter().position(|&count| count == 0) {
            let class = &features.classes()[absent];
            bail!("class `{class}` of `{path}` has no train rows, expected some of every class");
        }
        let least = config.min_class_rows();
        let few = counts.iter().zip(features.classes()).filter(|(count, _)| **count < least);
        let few: Vec<String> = few.map(|(count, class)| format!("`{class}` {count}")).collect();
        if !few.is_empty() {
            bail!("`{path}` has fewer than {least} train rows of some classes: {}", few.join(", "));
        }
        Ok(Rows { train, val: Part::of(features, Split::Val) })
    }
}

impl<'a> Part<'a> {
    /// `None` where the split has no rows.
    fn of(features: &'a FeatureSet, split: Split) -> Option<Part<'a>> {
        let selection = Selection::with_views(features, |row| features.split(row) == split);
        let part = Part::new(selection, features.classes().len());
        (part.len() > 0).then_some(part)
    }

    fn new(selection: Selection<'a>, classes: usize) -> Part<'a> {
        Part { labels: selection.labels(), views: selection.views(), selection, classes }
    }

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
            let rows = Selection::with_views(features, |row| {
                places[row] == place && (place == 1 || features.view(row) == 0)
            });
            Part::new(rows, self.classes)
        };
        (part(1), part(2))
    }

    /// These rows without augmented views: one a sample.
    pub(crate) fn plain(&self, features: &'a FeatureSet) -> Part<'a> {
        self.divide(features, |_| true).1
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.selection.len()
    }

    /// The rows that are no augmented views: one a sample.
    pub(crate) fn samples(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(|&at| self.views[at] == 0)
    }

    /// Whether there are augmented views among them.
    pub(crate) fn has_views(&self) -> bool {
        self.views.iter().any(|view| *view > 0)
    }

    /// `90 rows`; with views `360 rows (90 samples and their views)`.
    pub(crate) fn describe(&self) -> String {
        let rows = format!("{} rows", count(self.len() as u64));
        if !self.has_views() {
            return rows;
        }
        format!("{rows} ({} samples and their views)", count(self.samples().count() as u64))
    }

    /// Each row's view, (n,).
    pub(crate) fn views(&self) -> &[u32] {
        &self.views
    }

    /// Each sample's class.
    pub(crate) fn labels_of_samples(&self) -> Vec<u32> {
        self.samples().map(|at| self.labels[at]).collect()
    }

    /// The row of the artefact that is row `at` here.
    pub(crate) fn row(&self, at: usize) -> usize {
        self.selection.row(at)
    }

    pub(crate) fn examples(&self) -> anyhow::Result<Examples<'_>> {
        Ok(Examples::new(&self.selection, &self.labels, self.classes)?.with_views(&self.views)?)
    }
}
