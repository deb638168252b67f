//! Folders of pictures that our own `export` writes for transformers, with a class of ours around a network of torchvision's:
//! `model_type` `headstart_torchvision`.

use super::{
    Config, Described,
    limits::{classes_of, patches},
    timm,
};
use crate::BackboneError;
use network::zoo;
use serde::Deserialize;
use std::path::Path;

/// Their `model_type`.
pub const KIND: &str = "headstart_torchvision";

/// Of their `config.json`.
#[derive(Deserialize)]
struct Said {
    torchvision: String,
    #[serde(default)]
    arguments: Arguments,
}

/// What torchvision is told. What hangs off a network for training plays no part.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    image_size: Option<usize>,
    #[serde(rename = "aux_logits")]
    _aux_logits: Option<bool>,
    #[serde(rename = "init_weights")]
    _init_weights: Option<bool>,
}

/// # Errors
/// Where torchvision has no such network, or its pictures are made in a way that is not known.
pub(super) fn describe(config: Config, folder: &Path, prepared: bool) -> Result<Described, BackboneError> {
    let Said { torchvision, arguments } = config.parse()?;
    let found = zoo::find(&torchvision).ok().filter(|entry| entry.home == "torchvision");
    let entry = found.ok_or_else(|| config.unknown("the network", &torchvision, super::EXPORT_IT))?;
    let network = entry.network();
    let network = match (arguments.image_size, timm::patch_of(&network)) {
        (Some(side), Some(patch)) => {
            let grid = patches(&config, side, patch)?;
            network.with_grid(grid, grid)
        }
        _ => network,
    };
    let classes = config.classes();
    classes_of(&config, classes)?;
    Ok(Described {
        name: entry.name.to_owned(),
        network: network.with_logits(classes),
        default_tap: entry.default_tap.to_owned(),
        recipe: config.recipe_of_pictures(folder, prepared)?,
        dense: Vec::new(),
        config: config.path,
    })
}
