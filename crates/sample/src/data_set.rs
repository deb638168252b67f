//! What a data set is, wherever its samples were listed.

use crate::{Column, Content, DatasetError, Inputs, LABEL, Passed, Split};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// One sample. Nothing says yet that it can be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The path relative to the data set, `/`-separated; unique.
    pub id: String,
    /// Where its bytes are.
    pub content: Content,
    /// `None` where neither a folder nor a manifest says so: [`Ratios`](crate::Ratios) then draw it by the content.
    pub split: Option<Split>,
}

/// The files of a folder or a manifest, and what these say of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSet {
    /// What is said of each sample: of a tree its class, as [`LABEL`], where there are class folders; of a manifest every
    /// column but `path` and `split`, in its order.
    pub columns: Vec<Column>,
    /// At least one, sorted by the bytes of their ids.
    pub samples: Vec<Sample>,
    /// Samples that no id can be made of, and texts that cannot be one, with the reasons. Sorted by what stands for their ids.
    pub skipped: Vec<Skipped>,
    /// Entries of a folder tree that are no samples.
    pub passed: Passed,
    /// Columns of a manifest that hold neither text nor numbers.
    pub left_out: Vec<String>,
}

/// A sample that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skipped {
    /// The sample's id.
    pub id: String,
    /// Why, in one line.
    pub reason: String,
}

/// Why no classifier can be fitted on a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// There is nothing to tell apart.
    OneClass {
        /// The class.
        class: String,
    },
    /// A class could not be learnt.
    NotInTrain {
        /// The class.
        class: String,
        /// Where it is found.
        split: Split,
    },
}

impl DataSet {
    /// One of `count` runs of its samples, as equal as can be, in their order; `index` counts from 0. The first part has
    /// what was skipped and passed over.
    pub fn part(mut self, index: usize, count: usize) -> DataSet {
        if index > 0 {
            self.skipped.clear();
            self.passed = Passed::default();
        }
        let bound = |at: usize| (self.samples.len() as u128 * at as u128 / count as u128) as usize;
        let run = bound(index)..bound(index + 1);
        self.columns = self.columns.iter().map(|column| column.select(run.clone())).collect();
        self.samples = self.samples.drain(run).collect();
        self
    }

    /// Lists a data set; opens none of its images.
    ///
    /// A folder holds a folder per class, with or without `train`, `val` and `test` on top; images may lie deeper
    /// within their class. Where it holds images and no folders, they have no labels. A `.csv` or `.parquet` manifest has the column `path` (relative to the manifest's folder) and, if
    /// it likes, `split`; all others are what is said of the samples.
    pub fn open(input: &Path) -> Result<DataSet, DatasetError> {
        Inputs { paths: &[input.to_owned()], root: None, spool: None, bare: false, texts: None }.open()
    }

    /// As [`DataSet::open`], of whatever a command line may name.
    pub fn open_inputs(inputs: &Inputs<'_>) -> Result<DataSet, DatasetError> {
        inputs.open()
    }

    /// The class of each sample, where that is said.
    pub fn labels(&self) -> Option<&Column> {
        self.columns.iter().find(|column| column.name() == LABEL)
    }

    /// Why no classifier can be fitted on its classes, if so: a whole data set of labels or numbers is none the worse for it.
    pub fn doubt(&self) -> Option<Doubt> {
        let labels = self.labels()?;
        if let [class] = labels.words() {
            return Some(Doubt::OneClass { class: class.clone() });
        }
        let mut splits: Vec<BTreeSet<Option<Split>>> = vec![BTreeSet::new(); labels.words().len()];
        self.samples.iter().zip(labels.codes()).for_each(|(sample, &label)| {
            splits[label as usize].insert(sample.split);
        });
        let train = Some(Split::Train);
        // A data set without any train split is there to be evaluated on.
        if !splits.iter().any(|splits| splits.contains(&train)) {
            return None;
        }
        let untrained = splits.iter().position(|splits| !splits.contains(&train))?;
        let split = splits[untrained].iter().flatten().next().copied().unwrap_or(Split::Test);
        Some(Doubt::NotInTrain { class: labels.words()[untrained].clone(), split })
    }

    /// Sorts. `columns` are names, and the text of each [`Found::row`].
    pub(crate) fn assemble<'a>(
        mut found: Vec<Found>,
        columns: impl IntoIterator<Item = (&'a str, impl Fn(usize) -> &'a str)>,
    ) -> DataSet {
        found.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let columns = columns.into_iter();
        let columns = columns
            .map(|(name, text)| Column::new(name, found.iter().map(|sample| text(sample.row))))
            .collect();
        let samples = found.into_iter().map(|Found { id, content, split, .. }| Sample { id, content, split });
        let (samples, skipped, left_out) = (samples.collect(), Vec::new(), Vec::new());
        DataSet { columns, samples, skipped, passed: Passed::default(), left_out }
    }
}

/// A sample before it has its place.
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) content: Content,
    pub(crate) split: Option<Split>,
    /// Where the texts stand that are said of it.
    pub(crate) row: usize,
}
