//! `index.json`: everything about the rows but the rows.

use super::{FeaturesError, INDEX};
use crate::{Digest, Dtype, Source, Split, Views};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, io, path::Path};

/// The schema of features of which every sample has one row.
pub const SCHEMA_VERSION: u32 = 1;
/// The schema of features with augmented views, which older programs would take for samples.
pub const SCHEMA_WITH_VIEWS: u32 = 2;

/// Shards of up to so many bytes in all stay in memory once they were read.
const SMALL: u64 = 256 << 20;

/// What `index.json` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// [`SCHEMA_VERSION`], or [`SCHEMA_WITH_VIEWS`].
    pub schema: u32,
    /// n, the number of rows over all shards, views counted.
    pub rows: u64,
    /// d, the number of values in a row.
    pub dim: usize,
    /// How values are stored.
    pub dtype: Dtype,
    /// Class names; a row's label is an index into them.
    pub classes: Vec<String>,
    /// Rows in each split that has any, views counted.
    pub splits: BTreeMap<Split, u64>,
    /// What computed the features.
    pub source: Source,
    /// What they were computed from.
    pub lineage: Lineage,
    /// The augmented views of its train samples; none where every sample has one row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub views: Option<Views>,
    /// The shards, in the order of their rows.
    pub shards: Vec<ShardRecord>,
    /// The features of the synthetic probes.
    pub probes: ShardRecord,
    /// Samples that were left out, and why, in the order of their ids.
    pub skipped: Vec<Skipped>,
}

/// What the rows were made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    /// Digest of every sample's id, label, split and content, in the order of rows.
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

/// A sample that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skipped {
    /// The sample's id.
    pub id: String,
    /// Why, in one line.
    pub reason: String,
}

impl Index {
    /// Whether all rows may stay in memory for as long as they are used.
    pub(super) fn is_small(&self) -> bool {
        self.shards.iter().map(|shard| shard.bytes).sum::<u64>() <= SMALL
    }

    /// The schema of an index with or without views.
    pub(super) fn schema_of(views: Option<&Views>) -> u32 {
        if views.is_some() { SCHEMA_WITH_VIEWS } else { SCHEMA_VERSION }
    }

    /// The bytes of `index.json`.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("plain data serialises");
        bytes.push(b'\n');
        bytes
    }

    /// Reads `folder/index.json`; also gives the digest of its bytes, which vouches for every shard.
    pub(super) fn read(folder: &Path) -> Result<(Index, Digest), FeaturesError> {
        #[derive(Deserialize)]
        struct Versioned {
            schema: u32,
        }
        let path = folder.to_owned();
        let bytes = match fs::read(folder.join(INDEX)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound && folder.is_dir() => {
                return Err(FeaturesError::NotFeatures(path));
            }
            Err(source) => return Err(FeaturesError::Missing { path, source }),
        };
        let malformed =
            |error: serde_json::Error| FeaturesError::Index { path: path.clone(), reason: error.to_string() };
        // The version first: another schema's fields would only confuse.
        let Versioned { schema } = serde_json::from_slice(&bytes).map_err(malformed)?;
        if schema > SCHEMA_WITH_VIEWS {
            return Err(FeaturesError::TooNew { path, expected: SCHEMA_WITH_VIEWS, got: schema });
        }
        if schema < SCHEMA_VERSION {
            return Err(FeaturesError::TooOld { path, expected: SCHEMA_VERSION, got: schema });
        }
        Ok((serde_json::from_slice(&bytes).map_err(malformed)?, Digest::of(&bytes)))
    }
}
