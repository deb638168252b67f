//! The rows that are fitted on, and those that are looked at meanwhile.

use anyhow::bail;
use artifact::{FeatureSet, Rows as _, Selection, Split};
use head::Examples;

use crate::Config;

/// Rows of one split, read from the artefact as they are needed.
pub(crate) struct Part<'a> {
    selection: Selection<'a>,
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
        let Some(train) = Part::of(features, Split::Train) else {
            bail!(
                "`{path}` has no train rows, expected some to fit on; give it a train folder, a train split in the manifest, or --split, and rerun extract"
            );
        };
        let counts = train.examples()?.counts();
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
        let selection = Selection::split(features, split);
        let labels = selection.labels();
        (!labels.is_empty()).then_some(Part { selection, labels, classes: features.classes().len() })
    }

    /// These rows without those that `aside` picks, and these.
    pub(crate) fn divide(
        &self,
        features: &'a FeatureSet,
        aside: impl Fn(usize) -> bool,
    ) -> (Part<'a>, Part<'a>) {
        // By row of the artefact: 0 is none of ours.
        let mut places = vec![0u8; features.len()];
        (0..self.len()).for_each(|at| places[self.row(at)] = 1 + u8::from(aside(at)));
        let part = |place: u8| {
            let selection = Selection::of(features, |row| places[row] == place);
            Part { labels: selection.labels(), selection, classes: self.classes }
        };
        (part(1), part(2))
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.selection.len()
    }

    /// Each row's class, (n,).
    pub(crate) fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The row of the artefact that is row `at` here.
    pub(crate) fn row(&self, at: usize) -> usize {
        self.selection.row(at)
    }

    pub(crate) fn examples(&self) -> anyhow::Result<Examples<'_>> {
        Ok(Examples::new(&self.selection, &self.labels, self.classes)?)
    }
}
