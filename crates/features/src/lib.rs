//! Rows of samples. `NAME.features/` is an `index.json` beside shards of rows, each shard one mapped rkyv archive.
//!
//! **Invariant:** rows are sorted by the bytes of their sample's id and then by view, strictly; splits are interleaved as
//! they fall. Every sample has view 0; where there are views, a train sample has all of them and no other sample has more.
//! **Invariant:** a shard vouches for itself, and a content key for its row: what a stopped run left needs no index.
//! **Invariant:** an artefact is checked in full once, when it is opened; every accessor afterwards trusts it.
//! **Invariant:** only here is rkyv, and `shard.rs` alone says `unsafe`.
#![deny(unsafe_code)]

mod earlier;
mod error;
mod index;
mod key;
mod probes;
mod reader;
mod rows;
mod set;
#[expect(unsafe_code, reason = "reads archives whose digest was checked")]
mod shard;
mod source;
mod writer;

#[cfg(test)]
mod tests;

pub use earlier::{Earlier, Finished};
pub use error::{FeaturesError, ShardError};
pub use index::{Index, Lineage, SCHEMA_VERSION, ShardRecord};
pub use key::{ContentDigest, content_key, endpoint_key};
pub use probes::{PROBES_TOLERANCE, probes_apart, probes_digest};
pub use reader::Features;
pub use rows::{Matrix, MatrixError, Rows, Selection};
pub use set::{FeatureSet, FeatureSetError};
pub use source::{EndpointSource, GivenSource, NetworkSource, Source, SourceDifference};
pub use writer::{Complete, FeaturesWriter, NewFeatures, Row};

/// The file by which a features folder is known.
const INDEX: &str = "index.json";
const PROBES_FILE: &str = "probes.rkyv";
