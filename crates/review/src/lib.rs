//! Looking at the data: pure functions of features, labels and what a model says.
//!
//! - [`suspects`]: labels that are likely wrong, by model and neighbours together; [`ConfidentJoint`] and [`LabelQuality`] are
//!   confident learning by itself.
//! - [`near_duplicates`] and [`groups`]: pictures that are the same one, altered a little. Whoever knows the splits
//!   sees which of them leak.
//! - [`map`]: a picture of the data in two dimensions.
//!
//! Features come as [`features::Rows`], a block at a time, so that they may lie anywhere. Whoever looks for pairs makes a [`Space`]
//! of them first, and finds [`Neighbours`] in it; the same neighbours serve `near_duplicates` and `suspects`.
//!
//! **Invariant:** nothing here knows what a file, a split or a class name is. **Invariant:** the same rows give the same
//! bits whatever the number of threads.
#![forbid(unsafe_code)]

mod confident;
mod duplicates;
mod error;
mod groups;
mod map;
mod neighbours;
mod powers;
mod predictions;
mod principal;
mod products;
mod quality;
mod random;
mod rows;
mod space;
mod suspects;

pub use confident::{ConfidentJoint, SelfConfidence, issues};
pub use duplicates::{NEIGHBOURS, Pair, Rule, near_duplicates};
pub use error::ReviewError;
pub use groups::groups;
pub use map::map;
pub use neighbours::Neighbours;
pub use predictions::Predictions;
pub use quality::{LabelQuality, adjusted};
pub use space::Space;
pub use suspects::{Judges, Suspect, UNDECIDED, in_order, suspects};
