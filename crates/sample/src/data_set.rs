//! What a data set is, wherever its samples were listed.

use crate::{DatasetError, Passed, Split, folder, manifest};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// One labelled file. Nothing says yet that it can be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The path relative to the data set, `/`-separated; unique.
    pub id: String,
    /// Where to open it.
    pub path: PathBuf,
    /// An index into the classes.
    pub label: u32,
    /// `None` where neither a folder nor a manifest says so: [`Ratios`](crate::Ratios) then draw it by the content.
    pub split: Option<Split>,
}

/// The labelled files of a folder or a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSet {
    /// At least one name, of a folder two, sorted by their bytes.
    pub classes: Vec<String>,
    /// At least one a class in a whole data set, sorted by the bytes of their ids.
    pub samples: Vec<Sample>,
    /// Images that no id can be made of, and why, sorted by what stands for their ids.
    pub skipped: Vec<Skipped>,
    /// Entries of a folder tree that are no images.
    pub passed: Passed,
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
    /// One of `count` runs of its samples, as equal as can be, in their order; `index` counts from 0. Classes stay those
    /// of the whole, so that parts can be put together again; the first part has what was skipped and passed over.
    pub fn part(mut self, index: usize, count: usize) -> DataSet {
        if index > 0 {
            self.skipped.clear();
            self.passed = Passed::default();
        }
        let bound = |at: usize| (self.samples.len() as u128 * at as u128 / count as u128) as usize;
        let run = bound(index)..bound(index + 1);
        self.samples = self.samples.drain(run).collect();
        self
    }

    /// Lists a data set; opens none of its images.
    ///
    /// A folder holds a folder per class, with or without `train`, `val` and `test` on top; images may lie deeper
    /// within their class. A `.csv` or `.parquet` manifest has the columns `path` (relative to the manifest's folder),
    /// `label` and, if it likes, `split`.
    pub fn open(input: &Path) -> Result<DataSet, DatasetError> {
        DataSet::open_below(input, None)
    }

    /// As [`DataSet::open`]; the paths of a manifest, and ids with them, are relative to `root`.
    pub fn open_below(input: &Path, root: Option<&Path>) -> Result<DataSet, DatasetError> {
        match std::fs::metadata(input) {
            Ok(metadata) if metadata.is_dir() => folder::open(input),
            Ok(_) if manifest::is_manifest(input) => manifest::open(input, root),
            Ok(_) => Err(DatasetError::NotADataSet(input.to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(DatasetError::Missing(input.to_owned()))
            }
            Err(source) => Err(DatasetError::Unreadable { path: input.to_owned(), source }),
        }
    }

    /// Why no classifier can be fitted on it, if so: a whole data set of labels or numbers is none the worse for it.
    pub fn doubt(&self) -> Option<Doubt> {
        if let [class] = &self.classes[..] {
            return Some(Doubt::OneClass { class: class.clone() });
        }
        let mut splits: Vec<BTreeSet<Option<Split>>> = vec![BTreeSet::new(); self.classes.len()];
        self.samples.iter().for_each(|sample| {
            splits[sample.label as usize].insert(sample.split);
        });
        let train = Some(Split::Train);
        // A data set without any train split is there to be evaluated on.
        if !splits.iter().any(|splits| splits.contains(&train)) {
            return None;
        }
        let untrained = splits.iter().position(|splits| !splits.contains(&train))?;
        let split = splits[untrained].iter().flatten().next().copied().unwrap_or(Split::Test);
        Some(Doubt::NotInTrain { class: self.classes[untrained].clone(), split })
    }

    /// Sorts, and numbers the classes.
    pub(crate) fn assemble(mut found: Vec<Found>, mut skipped: Vec<Skipped>, passed: Passed) -> DataSet {
        let classes: BTreeSet<&str> = found.iter().map(|sample| sample.class.as_str()).collect();
        let classes: Vec<String> = classes.into_iter().map(str::to_owned).collect();
        found.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        skipped.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let labels: BTreeMap<&str, u32> = classes.iter().map(String::as_str).zip(0..).collect();
        let samples = found
            .into_iter()
            .map(|Found { id, path, class, split }| Sample { label: labels[class.as_str()], id, path, split })
            .collect();
        DataSet { classes, samples, skipped, passed }
    }
}

/// A sample before its class has a number.
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) path: PathBuf,
    pub(crate) class: String,
    pub(crate) split: Option<Split>,
}
