//! A backbone: a network, its weights, and how its inputs are made; found by a name, a weight file or a folder.
//!
//! **Invariant:** what is not understood of a folder's configuration is an error, and never a guess.
//! **Invariant:** where a file lies plays no part: the same weights give the same backbone, but for hints that are told.
#![forbid(unsafe_code)]

mod called;
mod error;
mod find;
mod folder;
mod model;
mod recognise;

pub use error::BackboneError;
pub use find::{Backbone, OF_TEXTS, Wanted, again, find};
pub use folder::{EXPORTED_PICTURES, EXPORTED_TEXTS, config_of_texts};
pub use model::PREPROCESSING;
