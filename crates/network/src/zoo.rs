//! The networks that tools know by name.

use crate::{
    Network, WeightError, WeightFile,
    error::nearest,
    families::{
        mobilenet_v2::mobilenet_v2,
        resnet::{
            Block::{Basic, Bottleneck},
            ResNet,
        },
        squeezenet::{squeezenet1_0, squeezenet1_1},
        vgg::{VGG11, VGG13, VGG16, VGG19, vgg},
    },
};
use artifact::{Filter, Preprocessing, Resize};
use std::path::Path;

/// A network, and what belongs to it.
#[derive(Debug)]
pub struct Entry {
    /// torchvision's name, or timm's where the network was trained otherwise there.
    pub name: &'static str,
    /// Other names for the same.
    pub aliases: &'static [&'static str],
    /// Makes the graph.
    pub build: fn() -> Network,
    /// Where features are read unless somebody says otherwise.
    pub default_tap: &'static str,
    /// How its pictures were prepared when it was trained.
    pub preprocessing: fn() -> Preprocessing,
    /// Trained weights that come with Headstart, as the bytes of a safetensors file.
    pub weights: Option<&'static [u8]>,
}

impl Entry {
    /// Height and width of its input in pixels, as it was trained.
    pub fn input_size(&self) -> Option<(u32, u32)> {
        (self.preprocessing)().output_size()
    }

    /// The weights to run it with: those of the file that the user gives, else those that come with Headstart; `None`
    /// where there are neither.
    ///
    /// # Errors
    /// Where the file cannot be read or is not a weights file.
    pub fn open_weights(&self, given: Option<&Path>) -> Result<Option<WeightFile>, WeightError> {
        match (given, self.weights) {
            (Some(path), _) => WeightFile::open(path).map(Some),
            (None, Some(bytes)) => WeightFile::embedded(self.name, bytes).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// A name that no network bears.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZooError {
    /// With what it may have been meant to be.
    #[error("unknown backbone `{name}`{}; known are {}", .suggestion.map_or_else(String::new, |near| format!("; did you mean `{near}`?")), names())]
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
    let known = |entry: &&Entry| entry.name == plain || entry.aliases.contains(&plain);
    ENTRIES.iter().find(known).ok_or_else(|| {
        let names = ENTRIES.iter().flat_map(|entry| std::iter::once(&entry.name).chain(entry.aliases));
        ZooError::UnknownBackbone { name: name.to_owned(), suggestion: nearest(name, names.copied()) }
    })
}

static ENTRIES: [Entry; 18] = [
    Entry {
        preprocessing: tiny_preprocessing,
        weights: Some(include_bytes!("../../../data/backbone/headstart_tiny.safetensors")),
        ..entry("headstart_tiny", || ResNet::TINY.build(), "pooled")
    },
    entry("resnet18", || ResNet::imagenet("resnet18", Basic, [2, 2, 2, 2]).build(), "pooled"),
    entry("resnet34", || ResNet::imagenet("resnet34", Basic, [3, 4, 6, 3]).build(), "pooled"),
    entry("resnet50", || ResNet::imagenet("resnet50", Bottleneck, [3, 4, 6, 3]).build(), "pooled"),
    entry("resnet101", || ResNet::imagenet("resnet101", Bottleneck, [3, 4, 23, 3]).build(), "pooled"),
    entry("resnet152", || ResNet::imagenet("resnet152", Bottleneck, [3, 8, 36, 3]).build(), "pooled"),
    entry("vgg11", || vgg("vgg11", VGG11, false), "gap"),
    entry("vgg11_bn", || vgg("vgg11_bn", VGG11, true), "gap"),
    entry("vgg13", || vgg("vgg13", VGG13, false), "gap"),
    entry("vgg13_bn", || vgg("vgg13_bn", VGG13, true), "gap"),
    entry("vgg16", || vgg("vgg16", VGG16, false), "gap"),
    entry("vgg16_bn", || vgg("vgg16_bn", VGG16, true), "gap"),
    entry("vgg19", || vgg("vgg19", VGG19, false), "gap"),
    entry("vgg19_bn", || vgg("vgg19_bn", VGG19, true), "gap"),
    entry("mobilenet_v2", || mobilenet_v2("mobilenet_v2"), "pooled"),
    Entry {
        aliases: &["mobilenetv2_100.ra_in1k"],
        preprocessing: timm_mobilenet_preprocessing,
        ..entry("mobilenetv2_100", || mobilenet_v2("mobilenetv2_100"), "pooled")
    },
    entry("squeezenet1_0", squeezenet1_0, "gap"),
    entry("squeezenet1_1", squeezenet1_1, "gap"),
];

const fn entry(name: &'static str, build: fn() -> Network, default_tap: &'static str) -> Entry {
    Entry { name, aliases: &[], build, default_tap, preprocessing: Preprocessing::imagenet, weights: None }
}

fn tiny_preprocessing() -> Preprocessing {
    Preprocessing { resize: Resize::ShorterSide(64), crop: Some((64, 64)), ..Preprocessing::imagenet() }
}

fn timm_mobilenet_preprocessing() -> Preprocessing {
    Preprocessing { filter: Filter::Bicubic, ..Preprocessing::imagenet() }
}

fn names() -> String {
    ENTRIES.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ")
}
