//! Opens features, checks them in full, and then hands rows out without a further look.

use super::{FeaturesError, Index, SCHEMA_VERSION, ShardRecord, Source, shard::Shard};
use crate::probes_digest;
use input::{PROBES, Views};
use sample::{Column, LABEL, Split};
use std::{ops::Range, path::Path};
use store::{Digest, Dtype, brief, ids};

/// An opened `NAME.features/`: n rows of d values, in the order of the index.
pub struct Features {
    index: Index,
    digest: Digest,
    shards: Vec<Shard>,
    /// The first row of each shard.
    starts: Vec<usize>,
    probes: Option<Shard>,
    /// The names of its columns.
    columns: Vec<String>,
}

impl Features {
    /// Opens and checks a features folder: versions, lengths, digests, structure, order, counts.
    ///
    /// # Errors
    /// One [`FeaturesError`] that says what is wrong where, and what to do.
    pub fn open(path: &Path) -> Result<Features, FeaturesError> {
        let (index, digest) = Index::read(path)?;
        let small = index.is_small();
        index.check_names(path)?;
        let open = |record: &ShardRecord, dtype: Dtype| -> Result<Shard, FeaturesError> {
            let shard = Shard::open(path, record, index.dim, dtype).map_err(|source| {
                FeaturesError::Shard { path: path.to_owned(), shard: record.file.clone(), source }
            })?;
            if !small {
                // One after the other is read in full here: the memory of one is enough.
                shard.release_all();
            }
            Ok(shard)
        };
        let shards =
            index.shards.iter().map(|record| open(record, index.dtype)).collect::<Result<Vec<_>, _>>()?;
        let probes = index.probes.as_ref().map(|record| open(record, Dtype::F32)).transpose()?;
        let starts = shards
            .iter()
            .scan(0, |next, shard| Some(std::mem::replace(next, *next + shard.rows())))
            .collect();
        let columns = match index.schema >= SCHEMA_VERSION {
            true => index.columns.clone(),
            false => vec![LABEL.to_owned()],
        };
        let features = Features { index, digest, shards, starts, probes, columns };
        let disagreement = features.disagreement();
        if !small {
            features.shards.iter().for_each(Shard::release_all);
        }
        match disagreement {
            Some(reason) => Err(FeaturesError::Inconsistent { path: path.to_owned(), reason }),
            None => Ok(features),
        }
    }

    /// What `index.json` says.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// n, the number of rows, augmented views among them; [`Features::samples`] are those without.
    pub fn len(&self) -> usize {
        self.starts.last().map_or(0, |start| start + self.shards[self.shards.len() - 1].rows())
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// d, the number of values in a row.
    pub fn dim(&self) -> usize {
        self.index.dim
    }

    /// The names of the columns, which say things of each sample.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// What a column says of every row; `None` where there is no such column.
    pub fn column(&self, name: &str) -> Option<Column> {
        let column = self.columns.iter().position(|own| own == name)?;
        if self.index.schema < SCHEMA_VERSION {
            let class = |row| self.index.classes[self.number(row) as usize].as_str();
            return Some(Column::new(name, (0..self.len()).map(class)));
        }
        let texts = |shard| (0..Shard::rows(shard)).map(move |row| shard.text(column, row));
        let texts = self.shards.iter().flat_map(texts);
        Some(Column::new(name, texts))
    }

    /// Identifies the whole artefact: the index's digest, and the index vouches for every shard.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The id of a row's sample.
    pub fn id(&self, row: usize) -> &str {
        let (shard, row) = self.locate(row);
        shard.id(row)
    }

    /// What a column says of a row; nothing where there is no such column.
    pub fn text(&self, row: usize, column: &str) -> &str {
        let Some(place) = self.columns.iter().position(|own| own == column) else { return "" };
        let (shard, at) = self.locate(row);
        match shard.label(at) {
            Some(number) => &self.index.classes[number as usize],
            None => shard.text(place, at),
        }
    }

    /// A row's split.
    pub fn split(&self, row: usize) -> Split {
        let (shard, row) = self.locate(row);
        shard.split(row)
    }

    /// A row's view: 0 for a sample's picture itself, from 1 on for augmented copies of it, which are there to be learnt
    /// from and for nothing else.
    pub fn view(&self, row: usize) -> u32 {
        let (shard, row) = self.locate(row);
        shard.view(row)
    }

    /// The rows of view 0, ascending: one a sample.
    pub fn samples(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(|&row| self.view(row) == 0)
    }

    /// A row's content key.
    pub fn key(&self, row: usize) -> Digest {
        let (shard, row) = self.locate(row);
        shard.key(row)
    }

    /// A row as it is stored: d values of the index's dtype, little-endian, a slice of the map.
    pub fn row_bytes(&self, row: usize) -> &[u8] {
        let (shard, row) = self.locate(row);
        shard.bytes(row)
    }

    /// Writes a row's values, widened to f32, into `out` (d,).
    pub fn copy_row(&self, row: usize, out: &mut [f32]) {
        self.index.dtype.decode(self.row_bytes(row), out);
    }

    /// The rows of one split and view 0, ascending: one a sample.
    pub fn rows_of(&self, split: Split) -> Vec<usize> {
        self.samples().filter(|&row| self.split(row) == split).collect()
    }

    /// The given rows' values, widened to f32: (rows.len(), d) row-major.
    pub fn matrix(&self, rows: &[usize]) -> Vec<f32> {
        let mut matrix = vec![0.0; rows.len() * self.dim()];
        for (&row, out) in rows.iter().zip(matrix.chunks_exact_mut(self.dim().max(1))) {
            self.copy_row(row, out);
        }
        matrix
    }

    /// Says that these rows are not needed for a while, so that their part of the map need not stay in memory.
    /// Nothing happens for small artefacts, which are read again and again.
    pub fn release(&self, rows: Range<usize>) {
        if self.index.is_small() || rows.is_empty() {
            return;
        }
        let (first, last) = (self.shard_of(rows.start), self.shard_of(rows.end - 1));
        for shard in first..=last {
            let (start, shard) = (self.starts[shard], &self.shards[shard]);
            shard.release(rows.start.saturating_sub(start)..(rows.end - start).min(shard.rows()));
        }
    }

    /// The features of the four synthetic probes, always f32: (4, d) row-major. Nothing where no network computed the rows.
    pub fn probes(&self) -> Vec<f32> {
        let Some(shard) = &self.probes else { return Vec::new() };
        let mut probes = vec![0.0; PROBES * self.dim()];
        for (k, out) in probes.chunks_exact_mut(self.dim()).enumerate() {
            Dtype::F32.decode(shard.bytes(k), out);
        }
        probes
    }

    fn locate(&self, row: usize) -> (&Shard, usize) {
        let shard = self.shard_of(row);
        (&self.shards[shard], row - self.starts[shard])
    }

    fn shard_of(&self, row: usize) -> usize {
        self.starts.partition_point(|&start| start <= row) - 1
    }

    /// Whether a row is what may follow the one before: that sample's next view, or, after all views of it, the next
    /// sample.
    fn is_next(&self, row: usize) -> bool {
        let Some(before) = row.checked_sub(1) else { return self.view(row) == 0 };
        if self.view(row) == 0 {
            return self.id(before) < self.id(row) && self.is_last_view(before);
        }
        let same = (self.id(before), self.split(before)) == (self.id(row), self.split(row));
        same && self.says_the_same(before, row)
            && self.view(row) == self.view(before) + 1
            && !self.is_last_view(before)
    }

    /// Whether all columns say the same of two rows.
    fn says_the_same(&self, one: usize, other: usize) -> bool {
        let says = |row: usize| {
            let (shard, at) = self.locate(row);
            let texts = (0..shard.texts()).map(move |column| shard.text(column, at));
            (shard.label(at), texts)
        };
        let ((label, texts), (other_label, others)) = (says(one), says(other));
        label == other_label && texts.eq(others)
    }

    /// A row's class by its number, up to schema 3.
    fn number(&self, row: usize) -> u32 {
        let (shard, row) = self.locate(row);
        shard.label(row).unwrap_or_default()
    }

    /// Whether a row is the last view that its sample has.
    fn is_last_view(&self, row: usize) -> bool {
        let views = self.index.views.as_ref().map_or(1, |views| views.of(self.split(row)));
        self.view(row) + 1 == views
    }

    /// What is wrong with the names of columns, or of classes, if anything.
    fn misnamed(&self) -> Option<String> {
        if self.index.schema < SCHEMA_VERSION {
            return sample::validate_names(&self.index.classes).or_else(|| {
                (!self.index.columns.is_empty()).then(|| "it has columns and classes".to_owned())
            });
        }
        let mut seen = std::collections::BTreeSet::new();
        if !self.index.classes.is_empty() {
            return Some("it has classes and columns".to_owned());
        }
        let twice = self.columns.iter().find(|name| !seen.insert(*name));
        twice.map(|name| format!("it has the column `{}` twice", brief::shortened(name)))
    }

    /// The first thing in which the parts contradict one another.
    fn disagreement(&self) -> Option<String> {
        if let Some(reason) = self.index.source.validate().or_else(|| self.misnamed()) {
            return Some(reason);
        }
        let dtype = self.index.source.dtype();
        if dtype != self.index.dtype {
            return Some(format!("dtype is {} and {dtype}", self.index.dtype));
        }
        let views = self.index.views.as_ref();
        if !self.index.may_have_these_views() {
            let with = if views.is_some() { "with" } else { "without" };
            return Some(format!("its index is of schema {} {with} views", self.index.schema));
        }
        if let Some(reason) = views.and_then(Views::validate) {
            return Some(reason);
        }
        if self.shards.iter().any(|shard| shard.is_viewed() != views.is_some())
            || self.probes.as_ref().is_some_and(Shard::is_viewed)
        {
            return Some("not all shards are of its index's schema".to_owned());
        }
        let (probes, expected) = (self.probes.as_ref().map_or(0, Shard::rows), probes_of(&self.index.source));
        if probes != expected {
            return Some(format!("{probes} probes, expected {expected}"));
        }
        let answered = self.index.source.endpoint().map(|endpoint| endpoint.probes);
        if answered.is_some_and(|digest| digest != probes_digest(&self.probes())) {
            return Some("its probes are not those that its source names".to_owned());
        }
        if self.len() as u64 != self.index.rows {
            return Some(format!("{} rows in its shards, index says {}", self.len(), self.index.rows));
        }
        let of_columns = self.index.schema >= SCHEMA_VERSION;
        let texts = if of_columns { self.columns.len() } else { 0 };
        let alike = |shard: &Shard| shard.texts() == texts && shard.is_labelled() != of_columns;
        if !self.shards.iter().all(alike) {
            return Some("not all shards have its index's columns".to_owned());
        }
        let mut splits = std::collections::BTreeMap::<Split, u64>::new();
        for row in 0..self.len() {
            let (number, classes) = (self.number(row), self.index.classes.len());
            if !of_columns && number as usize >= classes {
                return Some(format!("`{}` has label {number} of {classes} classes", self.id(row)));
            }
            if !ids::is_id(self.id(row)) {
                let id = brief::shortened(self.id(row)).into_owned();
                return Some(format!(
                    "`{id}` is no sample's id, which is a path below the data set's folder"
                ));
            }
            if !self.is_next(row) {
                return Some(format!("`{}` is out of order", self.id(row)));
            }
            *splits.entry(self.split(row)).or_default() += 1;
        }
        if self.len().checked_sub(1).is_some_and(|last| !self.is_last_view(last)) {
            return Some(format!("`{}` lacks views", self.id(self.len() - 1)));
        }
        (splits != self.index.splits)
            .then(|| format!("splits count {splits:?}, index says {:?}", self.index.splits))
    }
}

/// How many probes rows of this source have.
pub(super) fn probes_of(source: &Source) -> usize {
    if source.has_probes() { PROBES } else { 0 }
}
