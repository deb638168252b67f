//! Rows that stopped runs left behind, and those of finished folders, found by their content keys.
//!
//! A stopped run leaves nothing but shards. No journal says what they are: a shard's prefix vouches for its bytes, and a
//! row's key for everything that its values are a function of (file, network, weights, preprocessing, tap, dtype, engine).
//! So a shard that was cut short is passed over, rows of another network or of a changed picture are never asked for, and
//! whatever fits is used, from however many runs.

use super::{
    FeaturesError, Index, ShardError,
    shard::{self, Shard},
};
use std::{
    cmp::Reverse,
    collections::{HashMap, hash_map::Entry},
    fs,
    path::{Path, PathBuf},
};
use store::{Digest, Dtype};

#[cfg(test)]
mod tests;

/// Rows that can be taken over instead of computed.
pub struct Earlier {
    shards: Vec<Shard>,
    /// Shard and row of each key.
    rows: HashMap<Digest, (usize, usize)>,
    dim: usize,
    dtype: Dtype,
}

/// A finished folder whose rows can be taken over.
pub struct Finished {
    /// What its index says.
    pub index: Index,
    /// The content keys of its rows, but for those of shards that cannot be used: none where its rows are of another width
    /// or dtype.
    pub keys: Vec<Digest>,
    /// Names of shards that cannot be used, and why.
    pub unusable: Vec<(String, ShardError)>,
}

impl Earlier {
    /// Adds the rows of a finished features folder, of any schema. A shard that cannot be used is passed over.
    ///
    /// # Errors
    /// Where there is no such folder, or its index cannot be read.
    pub fn add(&mut self, folder: &Path) -> Result<Finished, FeaturesError> {
        let (index, _) = Index::read(folder)?;
        index.check_names(folder)?;
        let mut finished = Finished { index, keys: Vec::new(), unusable: Vec::new() };
        if (finished.index.dim, finished.index.dtype) != (self.dim, self.dtype) {
            return Ok(finished);
        }
        for record in &finished.index.shards {
            match Shard::open(folder, record, self.dim, self.dtype) {
                Ok(shard) => {
                    if !finished.index.is_small() {
                        // It was read in full, and may be larger than memory.
                        shard.release_all();
                    }
                    finished.keys.extend((0..shard.rows()).map(|row| shard.key(row)));
                    self.take(shard);
                }
                Err(error) => finished.unusable.push((record.file.clone(), error)),
            }
        }
        Ok(finished)
    }

    /// Opens and checks `folder/RUN/shard-….rkyv`, and removes every shard whose rows others hold as well: otherwise a job
    /// that is stopped ten times would leave its first rows ten times. What cannot be used is passed over.
    pub(super) fn open(folder: &Path, dim: usize, dtype: Dtype) -> Earlier {
        let mut earlier = Earlier { shards: Vec::new(), rows: HashMap::new(), dim, dtype };
        let runs = entries(folder);
        let files = runs
            .iter()
            .flat_map(|run| entries(run))
            .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(shard::is_name));
        let mut found: Vec<_> =
            files.filter_map(|path| Some((Shard::open_alone(&path, dim, dtype).ok()?, path))).collect();
        // The last shard of a stopped run is short, and the next run's shard holds its rows as well: long ones first.
        found.sort_by_key(|(shard, _)| Reverse(shard.rows()));
        for (shard, path) in found {
            if !earlier.take(shard) {
                // One that stays takes up room, no more.
                let _ = fs::remove_file(path);
            }
        }
        // Refused for those that are not empty.
        runs.iter().for_each(|run| drop(fs::remove_dir(run)));
        earlier
    }

    /// n, the number of different rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The values of a key's row: (d,) f32, which become the same stored bits again.
    pub fn get(&self, key: &Digest) -> Option<Vec<f32>> {
        let &(shard, row) = self.rows.get(key)?;
        let mut values = vec![0.0; self.dim];
        self.dtype.decode(self.shards[shard].bytes(row), &mut values);
        Some(values)
    }

    /// Whether the shard holds any row that no other does.
    fn take(&mut self, shard: Shard) -> bool {
        let (next, before) = (self.shards.len(), self.rows.len());
        for row in 0..shard.rows() {
            if let Entry::Vacant(vacant) = self.rows.entry(shard.key(row)) {
                vacant.insert((next, row));
            }
        }
        let useful = self.rows.len() > before;
        if useful {
            self.shards.push(shard);
        }
        useful
    }
}

/// What lies in a folder, by name; nothing where there is no folder.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}
