//! The networks that tools know by name.

use crate::{Dialect, error::nearest, families};
use std::sync::LazyLock;

pub use crate::entry::Entry;

static ENTRIES: LazyLock<Vec<Entry>> =
    LazyLock::new(|| families::ALL.iter().flat_map(|family| family.networks).copied().collect());

/// A name that no network bears.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZooError {
    /// With what it may have been meant to be.
    #[error("unknown backbone `{name}`{}", .suggestion.map_or_else(String::new, |near| format!("; did you mean `{near}`?")))]
    UnknownBackbone {
        /// What was asked for.
        name: String,
        /// The nearest name, where one is near.
        suggestion: Option<&'static str>,
    },
}

/// Every network, in the order in which lists show them.
pub fn all() -> &'static [Entry] {
    &ENTRIES
}

/// The ways in which parameters may be called, our own first: it wins where several fit equally, as for all ResNets, where
/// timm's names are the same.
pub fn dialects() -> impl Iterator<Item = Dialect> {
    std::iter::once(Dialect::OWN).chain(families::ALL.iter().flat_map(|family| family.dialects).copied())
}

/// The network of that name or alias.
///
/// # Errors
/// [`ZooError::UnknownBackbone`], with a suggestion.
pub fn find(name: &str) -> Result<&'static Entry, ZooError> {
    // timm tags weights after a dot; these are torchvision's own, so they go with torchvision's preprocessing.
    let plain = name.strip_suffix(".tv_in1k").unwrap_or(name);
    all().iter().find(|entry| entry.is_called(plain)).ok_or_else(|| ZooError::UnknownBackbone {
        name: name.to_owned(),
        suggestion: nearest(name, all().iter().map(|entry| entry.name)),
    })
}

/// The network that timm calls so: of its own weights, where torchvision's of that name is another.
///
/// # Errors
/// [`ZooError::UnknownBackbone`], with a suggestion.
pub fn find_timms(name: &str) -> Result<&'static Entry, ZooError> {
    let is_own = |entry: &&Entry| !entry.tags.is_empty() && entry.name.split('.').next() == Some(name);
    all().iter().find(is_own).map_or_else(|| find(name), Ok)
}
