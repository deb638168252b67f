//! What data are: which files belong to a data set, their splits, and targets, which are read from names or columns.
//!
//! A data set is a folder tree, a manifest, a list of paths, or one or several tars or
//! Parquet files that hold the pictures ([`DataSet::open`]). Or it is a folder of texts, tables with a column of them, or
//! lines ([`TextColumns`]).
//!
//! **Invariant:** an id is a relative, `/`-separated path; samples are sorted by its bytes, classes by theirs.
//! **Invariant:** a data set never loses what it cannot read: every entry of a tree is a sample, a named skip, a counted
//! entry that is passed over, or an error.
#![forbid(unsafe_code)]

mod archive;
mod cells;
mod column;
mod content;
mod data_set;
mod error;
mod folder;
mod given;
mod inputs;
mod list;
mod manifest;
mod names;
mod passed;
mod pictures;
mod ratios;
mod rows;
mod shards;
mod split;
pub mod targets;
mod texts;

pub use column::Column;
pub use content::Content;
pub use data_set::{DataSet, Doubt, Sample, Skipped};
pub use error::{DatasetError, PackedError, TextError};
pub use folder::{EXTENSIONS, Medium};
pub use given::{GivenRows, GivenSample, Said, read_labels};
pub use inputs::Inputs;
pub use names::validate_names;
pub use passed::Passed;
pub use pictures::Pictures;
pub use ratios::{Ratios, RatiosError};
pub use split::Split;
pub use texts::TextColumns;

/// The column that says which class a sample is of: folders are named so, and manifests may say it.
pub const LABEL: &str = "label";
