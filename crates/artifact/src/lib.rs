//! The files that Headstart's tools hand to one another: features, heads, tables, and the lineage inside them.
//!
//! Only this crate knows rkyv, memmap2 and the `unsafe` of mapping. It knows nothing of images, networks or solvers.
//!
//! **Invariant:** an artefact is checked in full once, when it is opened; every accessor afterwards trusts it.
//! **Invariant:** [`ids`] alone makes ids of paths; an id that would lead out of its folder is never written or opened.
//! **Invariant:** nothing here writes a time, a host name or an absolute path: the same inputs give the same bytes.

mod backing;
pub mod brief;
mod digest;
mod dtype;
mod feature_set;
mod features;
mod head;
pub mod ids;
mod input;
mod ours;
mod place;
mod preprocessing;
mod rows;
mod seal;
mod source;
mod split;
pub mod table;
mod targets;
mod views;

pub use backing::{MapError, MappedFile};
pub use digest::{Digest, DigestBuilder, ParseDigestError};
pub use dtype::Dtype;
pub use feature_set::{FeatureSet, FeatureSetError};
pub use features::{
    Complete, Earlier, Features, FeaturesError, FeaturesWriter, Index, Lineage, Plan, Row, SCHEMA_VERSION,
    ShardError, ShardRecord, Skipped,
};
pub use head::{Dense, HEAD_FILE, Head, HeadError, HeadKind, Memory, Novelty};
pub use input::{MOST_PICTURE, check_header, open_file, read_file};
pub use ours::{Columns, Marks, Ours};
pub use place::{Place, PlaceError, distinct, withdraw};
pub use preprocessing::{Channels, Decode, Filter, Grey16, Preprocessing, PreprocessingError, Resize};
pub use rows::{Matrix, MatrixError, Rows, Selection};
pub use source::{Difference, Source};
pub use split::Split;
pub use targets::{Sample, TargetSpec, TargetsError, TargetsFrom, Task, Truth, label_set, list_in_disguise};
pub use views::{Augment, Views};

/// How many synthetic probe images every features artefact holds the features of.
pub const PROBES: usize = 4;
