//! Features of the same samples from several taps or backbones, side by side.

use crate::{Features, FeaturesError, NetworkSource, Source};
use input::{PROBES, Recipe, image::Preprocessing};
use sample::{Column, Split, targets::Samples};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::brief::few;
use store::{Digest, DigestBuilder};

/// n rows of d = d₁ + d₂ + … values: row i is sample i of every part, its values one part after the other.
///
/// **Invariant:** there is a part, and all parts have the same samples, views, classes and splits.
#[derive(Clone)]
pub struct FeatureSet {
    parts: Vec<Part>,
}

#[derive(Clone)]
struct Part {
    path: PathBuf,
    features: Arc<Features>,
}

/// Features that cannot be opened together.
#[derive(Debug, thiserror::Error)]
pub enum FeatureSetError {
    /// One of them cannot be opened.
    #[error(transparent)]
    Features(#[from] FeaturesError),
    /// Two of them are not of the same samples.
    #[error(
        "`{second}` is not of the same samples as `{first}`: {what}; extract both from the same data, with the same splits and views"
    )]
    Apart {
        /// One folder.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// The first difference.
        what: String,
    },
    /// Two of them are the same.
    #[error("`{first}` and `{second}` hold the same features; give each once")]
    Twice {
        /// One folder.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
}

impl FeatureSet {
    /// Opens and checks the folders `paths`, one or more, and that they are of the same samples.
    ///
    /// # Errors
    /// A folder that cannot be opened; two that differ in samples, classes, labels or splits, or are the same.
    ///
    /// # Panics
    /// Without a path.
    pub fn open<P: AsRef<Path>>(paths: &[P]) -> Result<FeatureSet, FeatureSetError> {
        assert!(!paths.is_empty(), "a set of features has a part");
        let mut parts: Vec<Part> = Vec::new();
        for path in paths.iter().map(AsRef::as_ref) {
            let features = Features::open(path)?;
            if let Some(first) = parts.first()
                && let Some(what) = difference(&first.features, &features)
            {
                let (first, second) = (first.path.clone(), path.to_owned());
                return Err(FeatureSetError::Apart { first, second, what });
            }
            if let Some(same) = parts.iter().find(|part| part.features.digest() == features.digest()) {
                let (first, second) = (same.path.clone(), path.to_owned());
                return Err(FeatureSetError::Twice { first, second });
            }
            parts.push(Part { path: path.to_owned(), features: Arc::new(features) });
        }
        Ok(FeatureSet { parts })
    }

    /// Some of the parts, in the order that `chosen` names them in.
    ///
    /// # Panics
    /// Where `chosen` is empty or names a part that there is not.
    pub fn of(&self, chosen: &[usize]) -> FeatureSet {
        assert!(!chosen.is_empty(), "a set of features has a part");
        FeatureSet { parts: chosen.iter().map(|&at| self.parts[at].clone()).collect() }
    }

    /// The parts.
    pub fn parts(&self) -> impl ExactSizeIterator<Item = &Features> {
        self.parts.iter().map(|part| &*part.features)
    }

    /// Where each part was opened.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &Path> {
        self.parts.iter().map(|part| part.path.as_path())
    }

    /// The same in words, as messages put them between backticks: `a.features`, `b.features`.
    pub fn names(&self) -> String {
        self.paths().map(|path| path.display().to_string()).collect::<Vec<_>>().join("`, `")
    }

    /// Where each part is from.
    pub fn sources(&self) -> Vec<Source> {
        self.parts().map(|part| part.index().source.clone()).collect()
    }

    /// How content was read: those who show it do the same. Of rows that no network computed nobody knows; theirs are pictures
    /// as most are read.
    pub fn recipe(&self) -> Recipe {
        self.computed().map_or_else(|| Preprocessing::imagenet().into(), |source| source.recipe.clone())
    }

    /// Whether a file is still what the row of view 0 was computed from, and would still be decoded as it was. Of rows that were
    /// there already nothing else is known.
    pub fn is_of(&self, row: usize, file: &[u8]) -> bool {
        let computed = self.parts().find_map(|part| Some((part, part.index().source.key(file)?)));
        computed.is_none_or(|(part, key)| key == part.key(row))
    }

    /// n, the number of rows, augmented views among them; [`FeatureSet::samples`] are those without.
    pub fn len(&self) -> usize {
        self.first().len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.first().is_empty()
    }

    /// d, the number of values in a row.
    pub fn dim(&self) -> usize {
        self.parts().map(Features::dim).sum()
    }

    /// Rows of each split that has any, views counted.
    pub fn splits(&self) -> &BTreeMap<Split, u64> {
        &self.first().index().splits
    }

    /// The id of a row's sample.
    pub fn id(&self, row: usize) -> &str {
        self.first().id(row)
    }

    /// What a column says of a row; nothing where there is no such column.
    pub fn text(&self, row: usize, column: &str) -> &str {
        self.first().text(row, column)
    }

    /// A row's split.
    pub fn split(&self, row: usize) -> Split {
        self.first().split(row)
    }

    /// A row's view, as [`Features::view`].
    pub fn view(&self, row: usize) -> u32 {
        self.first().view(row)
    }

    /// What a row is a function of: of one part, its content key; of several, one over theirs in order.
    pub fn key(&self, row: usize) -> Digest {
        if let [part] = &self.parts[..] {
            return part.features.key(row);
        }
        let mut key = DigestBuilder::new();
        self.parts().for_each(|part| {
            key.field(part.key(row).as_bytes());
        });
        key.finish()
    }

    /// The rows of view 0, ascending: one a sample.
    pub fn samples(&self) -> impl Iterator<Item = usize> {
        self.first().samples()
    }

    /// Writes a row's values, widened to f32, into `out` (d,).
    pub fn copy_row(&self, row: usize, out: &mut [f32]) {
        let mut rest = out;
        for part in self.parts() {
            let (own, others) = rest.split_at_mut(part.dim());
            part.copy_row(row, own);
            rest = others;
        }
    }

    /// Says that these rows are not needed for a while, as [`Features::release`].
    pub fn release(&self, rows: Range<usize>) {
        self.parts().for_each(|part| part.release(rows.clone()));
    }

    /// The features of the four synthetic probes: (4, d) row-major. Nothing where no network computed one of the parts.
    pub fn probes(&self) -> Vec<f32> {
        if self.parts().any(|part| part.index().probes.is_none()) {
            return Vec::new();
        }
        let each: Vec<(usize, Vec<f32>)> = self.parts().map(|part| (part.dim(), part.probes())).collect();
        let row = |k: usize| each.iter().flat_map(move |(dim, probes)| &probes[k * dim..][..*dim]);
        (0..PROBES).flat_map(row).copied().collect()
    }

    /// Identifies all of it: of one part, its own digest; of several, one over theirs in order.
    pub fn digest(&self) -> Digest {
        if let [part] = &self.parts[..] {
            return part.features.digest();
        }
        let mut digest = DigestBuilder::new();
        self.parts().for_each(|part| {
            digest.field(part.digest().to_string().as_bytes());
        });
        digest.finish()
    }

    /// The first network that computed a part.
    fn computed(&self) -> Option<&NetworkSource> {
        self.parts().find_map(|part| part.index().source.network())
    }

    /// The part that says what the samples are: any does.
    fn first(&self) -> &Features {
        &self.parts[0].features
    }
}

/// All rows, augmented views among them.
impl Samples for FeatureSet {
    fn len(&self) -> usize {
        FeatureSet::len(self)
    }

    fn id(&self, row: usize) -> &str {
        FeatureSet::id(self, row)
    }

    fn columns(&self) -> &[String] {
        self.first().columns()
    }

    fn column(&self, name: &str) -> Option<Column> {
        self.first().column(name)
    }

    fn place(&self) -> String {
        format!("`{}`", self.names())
    }
}

/// The first thing in which two artefacts' samples differ.
fn difference(first: &Features, second: &Features) -> Option<String> {
    if first.columns() != second.columns() {
        return Some(format!("it has the columns {}, not {}", few(second.columns()), few(first.columns())));
    }
    // A row is one copy of a picture: all parts of it must be.
    if first.index().views != second.index().views {
        return Some("it has other augmented views".to_owned());
    }
    for row in 0..first.len().min(second.len()) {
        let (a, b) = (first.id(row), second.id(row));
        if a != b {
            // Both ascend: the smaller one is missing in the other.
            let missing = a.min(b);
            return Some(format!("only one of them has `{missing}`"));
        }
        if let Some(name) =
            first.columns().iter().find(|name| first.text(row, name) != second.text(row, name))
        {
            return Some(format!("`{a}` has another `{name}`"));
        }
        if first.split(row) != second.split(row) {
            return Some(format!("`{a}` is in {}, not in {}", second.split(row), first.split(row)));
        }
    }
    if first.len() != second.len() {
        return Some(format!("it has {} rows, not {}", second.len(), first.len()));
    }
    // Over what the files held: names may be the same all the same. Of rows that were there already it is the rows.
    let computed = |features: &Features| features.index().source.has_probes();
    let apart = computed(first)
        && computed(second)
        && first.index().lineage.dataset != second.index().lineage.dataset;
    apart.then(|| "its files have the same names, and hold something else".to_owned())
}
