//! `index.json`: everything about the rows but the rows.

use super::{FeaturesError, INDEX};
use crate::Source;
use input::Views;
use sample::{Skipped, Split};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io, path::Path};
use store::{
    Digest, Dtype, brief, read_file,
    seal::{self, DIGITS},
};

/// The schema that is written: columns of texts instead of classes.
pub const SCHEMA_VERSION: u32 = 4;
/// The first schema: no digest, every sample has one row.
const FIRST: u32 = 1;
/// The second: no digest, augmented views.
const SECOND: u32 = 2;
/// The third: a digest over the whole index, with views or without.
const THIRD: u32 = 3;

/// Longer than any index: a million skipped samples take 150 MB.
const MOST_BYTES: u64 = 512 << 20;
/// What follows the digits of an index's digest.
const END: &[u8] = b"\"\n}\n";

/// Shards of up to so many bytes in all stay in memory once they were read.
const SMALL: u64 = 256 << 20;

/// What `index.json` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// [`SCHEMA_VERSION`], or an older one.
    pub schema: u32,
    /// n, the number of rows over all shards, views counted.
    pub rows: u64,
    /// d, the number of values in a row.
    pub dim: usize,
    /// How values are stored.
    pub dtype: Dtype,
    /// The names of its columns, what each says of a sample being in the shards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Class names, up to schema 3: a row's label is an index into them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) classes: Vec<String>,
    /// Rows in each split that has any, views counted.
    pub splits: BTreeMap<Split, u64>,
    /// Where the features are from.
    pub source: Source,
    /// What they were computed from.
    pub lineage: Lineage,
    /// The augmented views of its train samples; none where every sample has one row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub views: Option<Views>,
    /// The shards, in the order of their rows.
    pub shards: Vec<ShardRecord>,
    /// The features of the synthetic probes; none where no network computed the rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probes: Option<ShardRecord>,
    /// Samples that were left out, and why, in the order of their ids.
    pub skipped: Vec<Skipped>,
    /// Of all the bytes of `index.json`; none in older schemas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) digest: Option<Digest>,
}

/// What the rows were made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    /// Digest of every sample's id, texts, split and content, in the order of rows.
    pub dataset: Digest,
    /// The program and its version.
    pub tool: String,
}

/// One shard, as the index vouches for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardRecord {
    /// File name inside the folder.
    pub file: String,
    /// Rows that it holds.
    pub rows: u64,
    /// Length of the whole file in bytes.
    pub bytes: u64,
    /// Digest of its archive, as its prefix says too.
    pub digest: Digest,
}

impl Index {
    /// Whether all rows may stay in memory for as long as they are used.
    pub(super) fn is_small(&self) -> bool {
        self.shards.iter().map(|shard| shard.bytes).sum::<u64>() <= SMALL
    }

    /// An index names files, not paths: nothing outside its folder is ever opened.
    pub(super) fn check_names(&self, folder: &Path) -> Result<(), FeaturesError> {
        let is_path = |file: &str| Path::new(file).file_name().is_none_or(|name| name != file);
        let mut files = self.shards.iter().chain(&self.probes).map(|record| &record.file);
        match files.find(|file| is_path(file)) {
            Some(file) => {
                let reason = format!("its index names `{file}`, which is no file of this folder");
                Err(FeaturesError::Inconsistent { path: folder.to_owned(), reason })
            }
            None => Ok(()),
        }
    }

    /// Whether its schema allows its views, or its having none.
    pub(super) fn may_have_these_views(&self) -> bool {
        match self.schema {
            FIRST => self.views.is_none(),
            SECOND => self.views.is_some(),
            _ => true,
        }
    }

    /// Seals the index; gives the bytes of `index.json`.
    pub(super) fn seal(&mut self) -> Vec<u8> {
        self.digest = Some(seal::blank());
        let mut bytes = serde_json::to_vec_pretty(self).expect("plain data serialises");
        bytes.push(b'\n');
        let at = digest_at(&bytes).expect("an index ends with its digest");
        self.digest = Some(seal::seal(&mut bytes, at));
        bytes
    }

    /// Reads `folder/index.json`; also gives the digest of its bytes, which vouches for every shard.
    pub(super) fn read(folder: &Path) -> Result<(Index, Digest), FeaturesError> {
        #[derive(Deserialize)]
        struct Versioned {
            schema: u32,
        }
        let path = folder.to_owned();
        let bytes = match read_file(&folder.join(INDEX), MOST_BYTES).map_err(|error| error.source) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound && folder.is_dir() => {
                return Err(FeaturesError::NotFeatures(path));
            }
            Err(source) => return Err(FeaturesError::Missing { path, source }),
        };
        let malformed = |error: serde_json::Error| FeaturesError::Index {
            path: path.clone(),
            reason: brief::told(&error),
        };
        // The version first: another schema's fields would only confuse.
        let Versioned { schema } = serde_json::from_slice(&bytes).map_err(malformed)?;
        if schema > SCHEMA_VERSION {
            return Err(FeaturesError::TooNew { path, expected: SCHEMA_VERSION, got: schema });
        }
        if schema < FIRST {
            return Err(FeaturesError::TooOld { path, expected: SCHEMA_VERSION, got: schema });
        }
        let index: Index = serde_json::from_slice(&bytes).map_err(malformed)?;
        match index.unsealed(&bytes) {
            Some(reason) => Err(FeaturesError::Index { path, reason: reason.to_owned() }),
            None => Ok((index, Digest::of(&bytes))),
        }
    }

    /// Why these, which it was read from, are not the bytes that were written.
    fn unsealed(&self, bytes: &[u8]) -> Option<&'static str> {
        match (self.digest, self.schema >= THIRD) {
            (None, false) => None,
            (Some(_), false) => Some("it has a digest, which its schema does not know"),
            (None, true) => Some("it has no digest"),
            (Some(digest), true) => {
                let holds = digest_at(bytes).is_some_and(|at| seal::holds(bytes, at, digest));
                (!holds).then_some("it was changed, and does not match its digest")
            }
        }
    }
}

/// Where the digits of an index's digest begin.
pub(super) fn digest_at(bytes: &[u8]) -> Option<usize> {
    bytes.strip_suffix(END)?.len().checked_sub(DIGITS)
}
