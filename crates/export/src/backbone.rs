//! The backbone that a head was fitted behind: rebuilt, filled, and known to be the same.

use crate::{config::Config, towers};
use anyhow::{Result, bail};
use features::NetworkSource;
use head::Head;
use input::{Recipe, image::Preprocessing};
use model::Tower;

/// The graph up to the head's taps, in its order, with the weights that computed its features, and how its inputs are made.
///
/// # Errors
/// Where the head's features come from several backbones, or inputs prepared in several ways; and as [`towers::load`].
pub(crate) fn load(config: &Config, head: &Head) -> Result<Tower> {
    source(head)?;
    let mut towers = towers::load(config, head)?;
    match (towers.pop(), towers.is_empty()) {
        (Some(tower), true) => Ok(tower),
        _ => bail!(
            "the head takes features of several weights of one network, and a folder holds one; give --to onnx or bundle"
        ),
    }
}

/// What all of the head's sources have in common: a backbone, and how its inputs are made.
///
/// # Errors
/// Where they have not.
pub(crate) fn source(head: &Head) -> Result<&NetworkSource> {
    let each = networks(head)?;
    let Some(first) = each.first() else { bail!("the head says no source of its features") };
    for other in &each {
        if other.backbone != first.backbone {
            bail!(
                "the head takes features of {} and of {} side by side, and a folder holds one backbone; give --to onnx, or fit on one of them",
                first.backbone,
                other.backbone
            );
        }
        if other.recipe != first.recipe {
            bail!(
                "the head takes features of inputs that were prepared in two ways; give --to onnx, or extract both taps with the same preprocessing"
            );
        }
    }
    Ok(first)
}

/// How pictures become inputs.
///
/// # Errors
/// Where they are texts.
pub(crate) fn pictures(recipe: &Recipe) -> Result<&Preprocessing> {
    match recipe {
        Recipe::Image(how) => Ok(how),
        Recipe::Text(_) => {
            bail!(
                "the head is of texts, which this does not hold; give --to hf, onnx without --with-preprocessing, or bundle"
            )
        }
    }
}

/// The networks that computed the head's features.
///
/// # Errors
/// Where some were computed by none.
pub(crate) fn networks(head: &Head) -> Result<Vec<&NetworkSource>> {
    if let Some(given) = head.sources.iter().find(|source| source.network().is_none()) {
        bail!(
            "the head takes the {}, which no network of ours computed: there is none to export; the head's own layers lie in \
             its file, which is safetensors",
            given.name()
        );
    }
    Ok(head.sources.iter().filter_map(|source| source.network()).collect())
}

/// The head's taps, `layer3 + pooled`.
pub(crate) fn taps(head: &Head) -> String {
    let taps = head.sources.iter().filter_map(|source| source.network());
    taps.map(|source| source.tap.as_str()).collect::<Vec<_>>().join(" + ")
}
