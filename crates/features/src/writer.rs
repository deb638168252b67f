//! Writes features: rows are gathered in memory up to a shard's size, and the index comes last.

use super::{
    Earlier, FeaturesError, INDEX, Index, Lineage, PROBES_FILE, SCHEMA_VERSION, ShardRecord,
    reader::probes_of,
    shard::{self, ShardColumns},
};
use crate::Source;
use input::Views;
use sample::{Skipped, Split};
use std::{collections::BTreeMap, fs, io, path::Path};
use store::{Digest, Dtype, Marks, Place, ids};

/// What is known before the first row.
#[derive(Clone, Debug)]
pub struct NewFeatures {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// d, the number of values in a row.
    pub dim: usize,
    /// Where the features are from; its dtype is the one stored.
    pub source: Source,
    /// A shard is written when its features reach this many bytes.
    pub shard_bytes: usize,
}

/// One sample's features.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The sample's id.
    pub id: &'a str,
    /// What each column says of it.
    pub texts: &'a [&'a str],
    /// The sample's split.
    pub split: Split,
    /// What the values are a pure function of.
    pub key: Digest,
    /// (d,) f32 values, rounded to the stored dtype on the way.
    pub values: &'a [f32],
}

/// The last row that came.
struct Last {
    id: String,
    view: u32,
    /// How many views its sample has.
    views: u32,
}

/// Features in the making; dropped without [`FeaturesWriter::finish`] or [`FeaturesWriter::suspend`], they leave the whole
/// shards that were written, if any, and what stopped runs had left, for the next run of that output.
pub struct FeaturesWriter {
    place: Place,
    plan: NewFeatures,
    columns: ShardColumns,
    shards: Vec<ShardRecord>,
    splits: BTreeMap<Split, u64>,
    views: Option<Views>,
    last: Option<Last>,
    encoded: Vec<u8>,
}

impl FeaturesWriter {
    /// Begins `path`, a folder.
    ///
    /// # Errors
    /// Where something is there already (and `force` is not given, or it is no features folder), or the disk refuses.
    pub fn create(path: &Path, force: bool, plan: NewFeatures) -> Result<FeaturesWriter, FeaturesError> {
        let place = Place::resumable(path, force, |folder| MARKS.all_of(folder))?;
        let columns = ShardColumns::new(plan.dim, plan.source.dtype(), plan.columns.len());
        Ok(FeaturesWriter {
            place,
            plan,
            columns,
            shards: Vec::new(),
            splits: BTreeMap::new(),
            views: None,
            last: None,
            encoded: Vec::new(),
        })
    }

    /// Says that train samples come in so many views; before the first row.
    pub fn with_views(mut self, views: Views) -> FeaturesWriter {
        self.views = Some(views);
        self
    }

    /// The rows that stopped runs of this output left, of this one's width and dtype. They are read and checked in full,
    /// so ask once.
    pub fn earlier(&self) -> Earlier {
        Earlier::open(&self.place.earlier(), self.plan.dim, self.plan.source.dtype())
    }

    /// Where the features go.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The finished folder that is going to be replaced, where there is one.
    pub fn replaces(&self) -> Option<&Path> {
        Some(self.place.target()).filter(|target| target.join(INDEX).exists())
    }

    /// Takes one row, of view 0. Rows come in the order of their ids' bytes.
    ///
    /// # Errors
    /// Where the row is out of order or misshapen, or the disk is full.
    pub fn push(&mut self, row: Row<'_>) -> Result<(), FeaturesError> {
        self.push_view(0, row)
    }

    /// As [`FeaturesWriter::push`]; a train sample's views come one after the other, from 0 on.
    ///
    /// # Errors
    /// As there; where it is a view that the sample has not, or the one before has not come.
    pub fn push_view(&mut self, view: u32, row: Row<'_>) -> Result<(), FeaturesError> {
        self.check(view, &row).map_err(|reason| FeaturesError::Row { id: row.id.to_owned(), reason })?;
        self.encoded.clear();
        self.plan.source.dtype().encode(row.values, &mut self.encoded);
        let stored = self.views.as_ref().map(|_| view);
        self.columns.push(row.id, row.split, stored, &row.key, row.texts, &self.encoded);
        *self.splits.entry(row.split).or_default() += 1;
        self.last = Some(Last { id: row.id.to_owned(), view, views: self.views_of(row.split) });
        if self.columns.bytes() >= self.plan.shard_bytes {
            self.flush()?;
            if self.plan.source.network().is_some() {
                // Hours of work, maybe: a run that fails later leaves them to the next.
                self.place.keep();
            }
        }
        Ok(())
    }

    /// Writes what is left, the probes' features ((4, d) f32; none of rows that no network computed) and the index;
    /// [`Complete::commit`] moves the folder into place.
    ///
    /// # Errors
    /// Where the disk is full, or a probe's feature is not finite.
    pub fn complete(
        mut self,
        probes: &[f32],
        lineage: Lineage,
        skipped: Vec<Skipped>,
    ) -> Result<Complete, FeaturesError> {
        let expected = probes_of(&self.plan.source);
        assert_eq!(probes.len(), expected * self.plan.dim, "the probes' features are (4, d)");
        if self.columns.rows() > 0 {
            self.flush()?;
        }
        let probes = (expected > 0).then(|| self.write_probes(probes)).transpose()?;
        let mut index = Index {
            schema: SCHEMA_VERSION,
            rows: self.splits.values().sum(),
            dim: self.plan.dim,
            dtype: self.plan.source.dtype(),
            columns: self.plan.columns,
            classes: Vec::new(),
            splits: self.splits,
            source: self.plan.source,
            lineage,
            views: self.views,
            shards: self.shards,
            probes,
            skipped,
            digest: None,
        };
        let write = fs::write(self.place.temporary().join(INDEX), index.seal());
        write.map_err(|error| self.place.failed(error))?;
        Ok(Complete { place: self.place, index })
    }

    /// [`FeaturesWriter::complete`] and [`Complete::commit`] in one.
    ///
    /// # Errors
    /// As both.
    pub fn finish(
        self,
        probes: &[f32],
        lineage: Lineage,
        skipped: Vec<Skipped>,
    ) -> Result<Index, FeaturesError> {
        self.complete(probes, lineage, skipped)?.commit()
    }

    /// Stops before the end, and leaves what was written for the next run of this output, which finds it through
    /// [`FeaturesWriter::earlier`]. Gives the number of rows left.
    ///
    /// A run that is killed leaves the same, but for the rows since the last whole shard.
    ///
    /// # Errors
    /// Where the disk is full; the shards before the last stay all the same.
    pub fn suspend(mut self) -> Result<u64, FeaturesError> {
        let rows = self.splits.values().sum();
        let flushed = if self.columns.rows() > 0 { self.flush() } else { Ok(()) };
        if rows > 0 {
            self.place.leave();
        }
        flushed.map(|()| rows)
    }

    /// Refuses what does not belong here, what the dtype cannot hold, and what no fit could use.
    fn check(&self, view: u32, row: &Row<'_>) -> Result<(), String> {
        if !ids::is_id(row.id) {
            return Err("is no sample's id, which is a path below the data set's folder".to_owned());
        }
        match &self.last {
            Some(last) if view == 0 && last.id.as_str() >= row.id => {
                return Err(format!("comes after `{}`; ids must rise strictly", last.id));
            }
            Some(last) if view == 0 && last.view + 1 < last.views => {
                return Err(format!("comes before all {} views of `{}` have come", last.views, last.id));
            }
            last => {
                let follows = last.as_ref().is_some_and(|last| last.id == row.id && last.view + 1 == view);
                let views = self.views_of(row.split);
                if view > 0 && !(follows && view < views) {
                    return Err(format!("has view {view} out of turn, of {views} in {}", row.split));
                }
            }
        }
        if row.values.len() != self.plan.dim {
            return Err(format!("has {} values, expected {}", row.values.len(), self.plan.dim));
        }
        if row.texts.len() != self.plan.columns.len() {
            return Err(format!("has {} texts, expected {}", row.texts.len(), self.plan.columns.len()));
        }
        let dtype = self.plan.source.dtype();
        match row.values.iter().enumerate().find(|(_, value)| !dtype.holds(**value)) {
            None => Ok(()),
            Some((column, value)) if value.is_finite() => Err(format!(
                "has the value {value} in column {column}, more than {dtype} holds; use --dtype f32"
            )),
            Some((column, value)) => {
                // Made on a card in f16, which holds less than others do.
                let advice = match self.plan.source.engine() {
                    Some(engine) if engine.contains("-f16-") => "use --precision bf16",
                    Some(_) => "check weights and preprocessing",
                    None => "mend or remove it",
                };
                Err(format!("has the value {value} in column {column}; {advice}"))
            }
        }
    }

    fn flush(&mut self) -> Result<(), FeaturesError> {
        let file = shard::name(self.shards.len());
        let empty = self.empty();
        let columns = std::mem::replace(&mut self.columns, empty);
        let record = self.written(columns.write(self.place.temporary(), file))?;
        // From here on the shard is found again, whatever becomes of this run.
        self.written(self.place.sync())?;
        self.shards.push(record);
        Ok(())
    }

    /// Views of a sample of this split.
    fn views_of(&self, split: Split) -> u32 {
        self.views.as_ref().map_or(1, |views| views.of(split))
    }

    fn empty(&self) -> ShardColumns {
        ShardColumns::new(self.plan.dim, self.plan.source.dtype(), self.plan.columns.len())
    }

    /// The probes lie in a shard like any other (one format, one reader), always in f32: exports are held against them.
    fn write_probes(&self, probes: &[f32]) -> Result<ShardRecord, FeaturesError> {
        let mut columns = ShardColumns::new(self.plan.dim, Dtype::F32, 0);
        for (k, values) in probes.chunks_exact(self.plan.dim).enumerate() {
            let id = format!("probe-{k}");
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                let reason = format!("has the value {value}; check weights and preprocessing");
                return Err(FeaturesError::Row { id, reason });
            }
            let mut bytes = Vec::new();
            Dtype::F32.encode(values, &mut bytes);
            columns.push(&id, Split::Train, None, &Digest::of(id.as_bytes()), &[], &bytes);
        }
        self.written(columns.write(self.place.temporary(), PROBES_FILE.to_owned()))
    }

    fn written<T>(&self, result: io::Result<T>) -> Result<T, FeaturesError> {
        Ok(result.map_err(|error| self.place.failed(error))?)
    }
}

/// Features that are written in full but not yet in their place; dropped, they leave nothing behind.
pub struct Complete {
    place: Place,
    index: Index,
}

impl Complete {
    /// Moves the folder into place.
    ///
    /// # Errors
    /// Where something has come to lie there meanwhile, or the disk refuses.
    pub fn commit(self) -> Result<Index, FeaturesError> {
        self.place.commit()?;
        Ok(self.index)
    }
}

/// Features of any version: `Index::read` would refuse those that are too old or too new.
const MARKS: Marks = Marks {
    manifest: INDEX,
    recognised: |index| index.get("schema").is_some_and(serde_json::Value::is_u64),
    belongs: |name| name == PROBES_FILE || shard::is_name(name),
};
