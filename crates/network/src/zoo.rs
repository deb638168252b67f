//! The networks that tools know by name. Each family's file ends with the table of its own.

mod entry;

use crate::{error::nearest, families};
pub use entry::Entry;
pub(crate) use entry::{bicubic, bilinear, centred, clip, entry, imagenet, timm};
use std::sync::LazyLock;

/// The families' tables, in the order in which lists show them.
static FAMILIES: [&[Entry]; 12] = [
    families::resnet::NETWORKS,
    families::vgg::NETWORKS,
    families::squeezenet::NETWORKS,
    families::densenet::NETWORKS,
    families::mobilenet_v2::NETWORKS,
    families::mobilenet_v3::NETWORKS,
    families::mobilenet_v4::NETWORKS,
    families::efficientnet::NETWORKS,
    families::regnet::NETWORKS,
    families::convnext::NETWORKS,
    families::vit::NETWORKS,
    families::swin::NETWORKS,
];

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| FAMILIES.concat());

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
