//! A head with the networks behind it: what somebody needs who asks it about new samples.
//!
//! - [`Model::open`] takes a head and finds its networks again, or takes a bundle, which holds all of it.
//! - [`Judge`] says what a head makes of rows.
//! - [`check_probes`] asks whether an engine still gives what the head was fitted on.
//!
//! **Invariant:** the networks of a [`Model`] have the graphs, the weights and the recipes that computed the head's features. Of a
//! head that is by their digests; of a bundle its own digest says it of the weights.
#![forbid(unsafe_code)]

mod bundle;
mod error;
mod judge;
mod model;
mod probes;
mod rows;
mod towers;

pub use bundle::{BUNDLE_FILE, write_bundle};
pub use error::ModelError;
pub use judge::{Answer, Judge, Verdict};
pub use model::Model;
pub use probes::{Distance, TOLERANCE, Unlike, check_probes};
pub use rows::Layout;
pub use towers::{Tower, towers_of};
