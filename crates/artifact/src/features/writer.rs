//! Writes features: rows are gathered in memory up to a shard's size, and the index comes last.

use super::{FeaturesError, INDEX, Index, Lineage, SCHEMA_VERSION, ShardRecord, Skipped, shard::Columns};
use crate::{Digest, PROBES, Place, Source, Split};
use std::{collections::BTreeMap, fs, io, path::Path};

/// What is known before the first row.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Class names, in the order of labels.
    pub classes: Vec<String>,
    /// d, the number of values in a row.
    pub dim: usize,
    /// What computes the features; its dtype is the one stored.
    pub source: Source,
    /// A shard is written when its features reach this many bytes.
    pub shard_bytes: usize,
}

/// One sample's features.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The sample's id.
    pub id: &'a str,
    /// An index into the classes.
    pub label: u32,
    /// The sample's split.
    pub split: Split,
    /// What the values are a pure function of.
    pub key: Digest,
    /// (d,) f32 values, rounded to the stored dtype on the way.
    pub values: &'a [f32],
}

/// Features in the making; dropped without [`FeaturesWriter::finish`], they leave nothing behind.
pub struct FeaturesWriter {
    place: Place,
    plan: Plan,
    columns: Columns,
    shards: Vec<ShardRecord>,
    splits: BTreeMap<Split, u64>,
    last_id: Option<String>,
    encoded: Vec<u8>,
}

impl FeaturesWriter {
    /// Begins `path`, a folder.
    ///
    /// # Errors
    /// Where something is there already (and `force` is not given, or it is no features folder), or the disk refuses.
    pub fn create(path: &Path, force: bool, plan: Plan) -> Result<FeaturesWriter, FeaturesError> {
        let place = Place::folder(path, force, INDEX)?;
        let columns = Columns::new(plan.dim, plan.source.dtype);
        Ok(FeaturesWriter {
            place,
            plan,
            columns,
            shards: Vec::new(),
            splits: BTreeMap::new(),
            last_id: None,
            encoded: Vec::new(),
        })
    }

    /// Takes one row. Rows come in the order of their ids' bytes.
    ///
    /// # Errors
    /// Where the row is out of order or misshapen, or the disk is full.
    pub fn push(&mut self, row: Row<'_>) -> Result<(), FeaturesError> {
        self.check(&row).map_err(|reason| FeaturesError::Row { id: row.id.to_owned(), reason })?;
        self.encoded.clear();
        self.plan.source.dtype.encode(row.values, &mut self.encoded);
        self.columns.push(row.id, row.label, row.split, &row.key, &self.encoded);
        *self.splits.entry(row.split).or_default() += 1;
        self.last_id = Some(row.id.to_owned());
        if self.columns.bytes() >= self.plan.shard_bytes {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what is left, the probes' features ((4, d) f32) and the index, and moves the folder into place.
    ///
    /// # Errors
    /// Where the disk is full.
    pub fn finish(
        mut self,
        probes: &[f32],
        lineage: Lineage,
        skipped: Vec<Skipped>,
    ) -> Result<Index, FeaturesError> {
        assert_eq!(probes.len(), PROBES * self.plan.dim, "the probes' features are (4, d)");
        if self.columns.rows() > 0 {
            self.flush()?;
        }
        let probes = self.write_probes(probes)?;
        let index = Index {
            schema: SCHEMA_VERSION,
            rows: self.splits.values().sum(),
            dim: self.plan.dim,
            dtype: self.plan.source.dtype,
            classes: self.plan.classes,
            splits: self.splits,
            source: self.plan.source,
            lineage,
            shards: self.shards,
            probes,
            skipped,
        };
        let write = fs::write(self.place.temporary().join(INDEX), index.to_bytes());
        write.map_err(|error| self.place.failed(error))?;
        self.place.commit()?;
        Ok(index)
    }

    fn check(&self, row: &Row<'_>) -> Result<(), String> {
        if let Some(last) = self.last_id.as_deref().filter(|last| *last >= row.id) {
            return Err(format!("comes after `{last}`; ids must rise strictly"));
        }
        if row.values.len() != self.plan.dim {
            return Err(format!("has {} values, expected {}", row.values.len(), self.plan.dim));
        }
        if row.label as usize >= self.plan.classes.len() {
            return Err(format!("has label {}, there are {} classes", row.label, self.plan.classes.len()));
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FeaturesError> {
        let file = format!("shard-{:05}.rkyv", self.shards.len());
        let empty = Columns::new(self.plan.dim, self.plan.source.dtype);
        let columns = std::mem::replace(&mut self.columns, empty);
        let record = self.written(columns.write(self.place.temporary(), file))?;
        self.shards.push(record);
        Ok(())
    }

    /// The probes lie in a shard like any other: one format, one reader.
    fn write_probes(&self, probes: &[f32]) -> Result<ShardRecord, FeaturesError> {
        let mut columns = Columns::new(self.plan.dim, self.plan.source.dtype);
        for (k, values) in probes.chunks_exact(self.plan.dim).enumerate() {
            let mut bytes = Vec::new();
            self.plan.source.dtype.encode(values, &mut bytes);
            let id = format!("probe-{k}");
            columns.push(&id, 0, Split::Train, &Digest::of(id.as_bytes()), &bytes);
        }
        self.written(columns.write(self.place.temporary(), "probes.rkyv".to_owned()))
    }

    fn written<T>(&self, result: io::Result<T>) -> Result<T, FeaturesError> {
        Ok(result.map_err(|error| self.place.failed(error))?)
    }
}
