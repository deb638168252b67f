//! Models of the Hugging Face hub, in the hub's own cache.

mod cache;
mod file;
mod listing;
mod snapshot;
mod wanted;

pub(crate) use snapshot::fetch;
pub(crate) use wanted::Wanted;
