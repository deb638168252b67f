//! The networks that tools know by name.

use crate::{
    Dialect, Network,
    error::nearest,
    families::{self, Family},
};
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

/// The ways in which the parameters of a network of that name may be called, our own first: it wins where several fit equally,
/// as for all ResNets, where timm's names are the same. Of a network that is not in the zoo they are all there are.
pub fn dialects(network: &str) -> impl Iterator<Item = Dialect> {
    let families = family(network).map_or(families::ALL, |family| std::slice::from_ref(family));
    let others = families.iter().flat_map(|family| family.dialects).copied();
    std::iter::once(Dialect::OWN).chain(others.filter(|dialect| !dialect.is_own() && dialect.is_of(network)))
}

/// The family of the network of that name.
fn family(network: &str) -> Option<&'static &'static Family> {
    families::ALL.iter().find(|family| family.networks.iter().any(|entry| entry.name == network))
}

/// The ecosystems that have weights of a network, the one that calls it so first. It has none where they come with it.
pub fn ecosystems(entry: &Entry) -> Vec<&'static str> {
    if entry.weights.is_some() {
        return Vec::new();
    }
    let dialects = family(entry.name).map_or(&[] as &[Dialect], |family| family.dialects);
    let mut names = vec![entry.home];
    for dialect in dialects.iter().filter(|dialect| dialect.is_known_for(entry.name)) {
        if !names.contains(&dialect.name) {
            names.push(dialect.name);
        }
    }
    names
}

/// What timm calls a network, and how it keeps the parameters. `None` of those that timm does not build. Batch norms of timm's
/// own may have another eps, which timm can be told.
pub fn in_timm(entry: &Entry) -> Option<(&'static str, Dialect)> {
    let dialect = |name: &str| {
        let mut dialects = family(name)?.dialects.iter().copied();
        dialects.find(|dialect| dialect.name == "timm" && dialect.is_of(name))
    };
    match entry.home {
        "timm" => Some((entry.untagged(), dialect(entry.name).unwrap_or(Dialect::OWN))),
        "torchvision" if entry.weights.is_none() => {
            let other = TIMMS.iter().find(|(ours, _)| *ours == entry.name).map(|(_, theirs)| *theirs);
            let architecture = other.unwrap_or(entry.name);
            Some((architecture, dialect(find_timms(architecture).ok()?.name)?))
        }
        _ => None,
    }
}

/// A network as timm builds it, unless it is told otherwise.
pub fn built_by_timm(entry: &Entry) -> Network {
    let network = entry.network();
    match in_timm(entry) {
        Some((_, dialect)) => dialect.built(network),
        None => network,
    }
}

/// What Keras calls the layers of a network; `None` where it has none such.
pub fn in_keras(entry: &Entry) -> Option<Dialect> {
    let mut dialects = family(entry.name)?.dialects.iter().copied();
    dialects.find(|dialect| dialect.name == "Keras" && dialect.is_known_for(entry.name))
}

/// Networks of torchvision's that timm calls otherwise.
const TIMMS: [(&str, &str); 16] = [
    ("efficientnet_v2_s", "efficientnetv2_s"),
    ("efficientnet_v2_m", "efficientnetv2_m"),
    ("efficientnet_v2_l", "efficientnetv2_l"),
    ("mobilenet_v2", "mobilenetv2_100"),
    ("mobilenet_v3_small", "mobilenetv3_small_100"),
    ("mobilenet_v3_large", "mobilenetv3_large_100"),
    ("mnasnet0_5", "mnasnet_050"),
    ("mnasnet0_75", "mnasnet_075"),
    ("mnasnet1_0", "mnasnet_100"),
    ("vit_b_16", "vit_base_patch16_224"),
    ("vit_b_32", "vit_base_patch32_224"),
    ("vit_l_16", "vit_large_patch16_224"),
    ("vit_l_32", "vit_large_patch32_224"),
    ("swin_t", "swin_tiny_patch4_window7_224"),
    ("swin_s", "swin_small_patch4_window7_224"),
    ("swin_b", "swin_base_patch4_window7_224"),
];

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
    let is_own = |entry: &&Entry| entry.home == "timm" && !entry.tags.is_empty() && entry.untagged() == name;
    let plain = all().iter().find(|entry| entry.home == "timm" && entry.name == name);
    // Networks that are the same here and there, and have no weights of timm's.
    let other = TIMMS.iter().find(|(_, theirs)| *theirs == name).map_or(name, |(ours, _)| ours);
    plain.or_else(|| all().iter().find(is_own)).map_or_else(|| find(other), Ok)
}
