//! The rows that are fitted on, and those that are looked at meanwhile.

use anyhow::bail;
use artifact::{FeatureSet, Split};
use head::Examples;

use crate::Config;
use crate::split_rows::SplitRows;

/// Rows of one split with their classes.
pub(crate) struct Part<'a> {
    pub(crate) rows: SplitRows<'a>,
    labels: Vec<u32>,
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
        let part =
            |split| SplitRows::of(features, split).map(|rows| Part::new(rows, features.classes().len()));
        let Some(train) = part(Split::Train) else {
            bail!(
                "`{path}` has no train rows, expected some to fit on; give it a train folder, a train split in the manifest, or --split, and rerun extract"
            );
        };
        // Samples, not their views.
        let mut counts = vec![0; features.classes().len()];
        train.rows.samples().for_each(|at| counts[train.labels[at] as usize] += 1);
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
        Ok(Rows { train, val: part(Split::Val) })
    }
}

impl<'a> Part<'a> {
    fn new(rows: SplitRows<'a>, classes: usize) -> Part<'a> {
        Part { labels: rows.selection().labels(), rows, classes }
    }

    /// These rows without those that `aside` picks, and of these those that are no augmented views.
    pub(crate) fn divide(
        &self,
        features: &'a FeatureSet,
        aside: impl Fn(usize) -> bool,
    ) -> (Part<'a>, Part<'a>) {
        let (others, picked) = self.rows.divide(features, aside);
        (Part::new(others, self.classes), Part::new(picked, self.classes))
    }

    /// These rows without augmented views: one a sample.
    pub(crate) fn plain(&self, features: &'a FeatureSet) -> Part<'a> {
        Part::new(self.rows.plain(features), self.classes)
    }

    /// Each sample's class.
    pub(crate) fn labels_of_samples(&self) -> Vec<u32> {
        self.rows.samples().map(|at| self.labels[at]).collect()
    }

    pub(crate) fn examples(&self) -> anyhow::Result<Examples<'_>> {
        let examples = Examples::new(self.rows.selection(), &self.labels, self.classes)?;
        Ok(examples.with_views(self.rows.views())?)
    }
}
