//! HDF5 files, and what Keras calls what is in them.

mod config;
mod file;
mod guard;
mod keras;

pub use config::KerasGroups;
pub(super) use file::{Hdf5File, WEIGHTS};
