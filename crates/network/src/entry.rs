//! One network of the zoo, and the words that the families' tables are written in.

use crate::Network;
use input::{
    Recipe,
    image::{Filter, Preprocessing, Resize},
};

/// A network, and what belongs to it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// torchvision's name, or timm's where the network was trained otherwise there.
    pub name: &'static str,
    /// The ecosystem that calls it so: `torchvision`.
    pub home: &'static str,
    /// timm's tags of weights that it is for: `timm/NAME.TAG` on the Hugging Face hub.
    pub tags: &'static [&'static str],
    /// Makes the graph, which is called as it is told.
    pub(crate) build: fn(&'static str) -> Network,
    /// Where features are read unless somebody says otherwise.
    pub default_tap: &'static str,
    /// How its inputs were made when it was trained.
    pub recipe: fn() -> Recipe,
    /// Trained weights that come with Headstart, as the bytes of a safetensors file.
    pub weights: Option<&'static [u8]>,
}

impl Entry {
    /// Its graph, without weights.
    pub fn network(&self) -> Network {
        (self.build)(self.name)
    }

    /// Its name without a tag that is a part of it.
    pub fn untagged(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(plain, _)| plain)
    }

    /// Whether this is its name, with or without one of its tags; or with one of them in place of that in its name.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let tag = name.strip_prefix(self.untagged()).and_then(|rest| rest.strip_prefix('.'));
        name == self.name || tag.is_some_and(|tag| self.tags.contains(&tag))
    }

    /// Height and width of its input in pixels, as it was trained.
    pub fn input_size(&self) -> Option<(u32, u32)> {
        (self.recipe)().picture_size()
    }
}

/// A network whose features are read from `pooled`.
pub(crate) const fn entry(
    name: &'static str,
    recipe: fn() -> Recipe,
    build: fn(&'static str) -> Network,
) -> Entry {
    Entry { name, home: "torchvision", tags: &[], build, default_tap: "pooled", recipe, weights: None }
}

/// The same for one of timm's, and the tags of weights that were trained with this preprocessing.
pub(crate) const fn timm(
    name: &'static str,
    tags: &'static [&'static str],
    recipe: fn() -> Recipe,
    build: fn(&'static str) -> Network,
) -> Entry {
    Entry { home: "timm", tags, ..entry(name, recipe, build) }
}

/// The same for one of Keras' own.
pub(crate) const fn keras(
    name: &'static str,
    recipe: fn() -> Recipe,
    build: fn(&'static str) -> Network,
) -> Entry {
    Entry { home: "Keras", ..entry(name, recipe, build) }
}

/// torchvision's classic, `bilinear(256, 224)`: that of its first weights (`IMAGENET1K_V1`) of most networks.
pub(crate) fn imagenet() -> Recipe {
    Preprocessing::imagenet().into()
}

/// ImageNet's mean and deviation; the shorter side to `resize` pixels, bilinear, then a centre crop of `crop`².
pub(crate) fn bilinear(resize: u32, crop: u32) -> Recipe {
    cropped(resize, crop, &Preprocessing::imagenet())
}

/// The same, bicubic. timm gives a crop as a part of the shorter side: 0.875 of 256 or 0.9 of 248 are 224.
pub(crate) fn bicubic(resize: u32, crop: u32) -> Recipe {
    normalised(resize, crop, Preprocessing::imagenet().mean, Preprocessing::imagenet().std)
}

/// The same, the whole picture to `side`² whatever its aspect ratio: timm's crop mode `squash`.
pub(crate) fn squashed(side: u32) -> Recipe {
    let how = Preprocessing { filter: Filter::Bicubic, ..Preprocessing::imagenet() };
    Preprocessing { resize: Resize::Exact(side, side), crop: Some((side, side)), ..how }.into()
}

/// Bicubic, with values brought to -1 … 1, as Google trains.
pub(crate) fn centred(resize: u32, crop: u32) -> Recipe {
    normalised(resize, crop, [0.5; 3], [0.5; 3])
}

/// Bilinear, with values brought to -1 … 1, as the Inceptions were trained. torchvision normalises as for other networks, and
/// takes that back in the network (`transform_input`): the same numbers but for roundings.
pub(crate) fn inception(resize: u32, crop: u32) -> Recipe {
    cropped(resize, crop, &Preprocessing { mean: [0.5; 3], std: [0.5; 3], ..Preprocessing::imagenet() })
}

/// Bicubic, with the mean and deviation of CLIP's own pictures (Radford et al., 2021).
pub(crate) fn clip(resize: u32, crop: u32) -> Recipe {
    let (mean, std) = ([0.481_454_66, 0.457_827_5, 0.408_210_73], [0.268_629_55, 0.261_302_6, 0.275_777_1]);
    normalised(resize, crop, mean, std)
}

fn normalised(resize: u32, crop: u32, mean: [f32; 3], std: [f32; 3]) -> Recipe {
    let how = Preprocessing { filter: Filter::Bicubic, mean, std, ..Preprocessing::imagenet() };
    cropped(resize, crop, &how)
}

fn cropped(resize: u32, crop: u32, how: &Preprocessing) -> Recipe {
    Preprocessing { resize: Resize::ShorterSide(resize), crop: Some((crop, crop)), ..how.clone() }.into()
}
