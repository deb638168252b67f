//! The backbone that a head was fitted behind: rebuilt, filled, and known to be the same.

use crate::config::Config;
use anyhow::{Result, anyhow, bail};
use backbone::BackboneError;
use cli::UsageError;
use features::NetworkSource;
use head::Head;
use std::path::{Path, PathBuf};
use weights::Bound;

/// The graph up to the head's taps, in its order, with the weights that computed its features.
///
/// # Errors
/// Where the head's features come from several backbones, or pictures prepared in several ways; and as [`load_some`].
pub(crate) fn load(config: &Config, head: &Head) -> Result<Bound> {
    source(head)?;
    load_some(config.weights().first().map(PathBuf::as_path), &networks(head)?)
}

/// The graph up to the taps of some sources of one backbone, with the weights that computed their features.
///
/// # Errors
/// Where the weights are missing or others, or this program builds that network differently.
pub(crate) fn load_some(weights: Option<&Path>, sources: &[&NetworkSource]) -> Result<Bound> {
    let Some(source) = sources.first() else { bail!("the head says no source of its features") };
    let taps: Vec<String> = sources.iter().map(|source| source.tap.clone()).collect();
    let found = backbone::again(&source.backbone, weights, &taps, &source.recipe);
    let found = found.map_err(|error| match error {
        BackboneError::NoWeights { name } => {
            UsageError(format!("{name} needs --weights, those that extract read")).into()
        }
        error => anyhow::Error::from(error),
    })?;
    let mut bound = None;
    for source in sources {
        let pruned = match found.network.for_taps(&[&source.tap]) {
            Ok(pruned) => pruned,
            Err(_) if weights.is_some() => return Err(of_another(found.file())),
            Err(error) => return Err(error.into()),
        };
        if pruned.fingerprint() != source.network {
            let is_filled = |own: Bound| own.digest() == source.weights;
            if weights.is_some() && !found.bind(&[&source.tap]).is_ok_and(is_filled) {
                return Err(of_another(found.file()));
            }
            bail!(
                "the graph of {} up to `{}` is not the one that computed these features; rerun extract with this version",
                found.name,
                source.tap
            );
        }
        let own = found.bind(&[&source.tap])?;
        let got = own.digest();
        if got != source.weights {
            bail!(
                "`{}` holds other weights than those that computed these features: expected digest {}, got {got}",
                found.file(),
                source.weights
            );
        }
        bound = Some(own);
    }
    match bound {
        Some(bound) if sources.len() == 1 => Ok(bound),
        _ => {
            let taps: Vec<&str> = sources.iter().map(|source| source.tap.as_str()).collect();
            Ok(found.bind(&taps)?)
        }
    }
}

/// Weights that fill a network, but not this one.
fn of_another(file: &str) -> anyhow::Error {
    anyhow!(
        "`{file}` is of another network than the one that computed these features; give --weights as extract was given them"
    )
}

/// What all of the head's sources have in common: a backbone, and how pictures become its inputs.
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
                "the head takes features of pictures that were prepared in two ways; give --to onnx, or extract both taps with the same preprocessing"
            );
        }
    }
    Ok(first)
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
