//! The backbone that a head was fitted behind: rebuilt, filled, and known to be the same.

use crate::config::Config;
use anyhow::{Result, bail};
use artifact::Head;
use cli::UsageError;
use network::{Bound, zoo};

/// The graph up to the head's tap with the weights that computed its features.
///
/// # Errors
/// Where the weights are missing or others, or this program builds that network differently.
pub(crate) fn load(config: &Config, head: &Head) -> Result<Bound> {
    let source = &head.source;
    let entry = zoo::find(&source.backbone)?;
    let Some(file) = entry.open_weights(config.weights())? else {
        let name = entry.name;
        return Err(UsageError(format!("{name} needs --weights FILE, the one that extract read")).into());
    };
    let full = (entry.build)();
    let pruned = full.for_taps(&[&source.tap])?;
    if pruned.fingerprint() != source.network {
        bail!(
            "the graph of {} up to `{}` is not the one that computed these features; rerun extract with this version",
            entry.name,
            source.tap
        );
    }
    let bound = Bound::bind(pruned, &full, &file)?;
    let got = bound.digest();
    if got != source.weights {
        bail!(
            "`{}` holds other weights than those that computed these features: expected digest {}, got {got}",
            file.label(),
            source.weights
        );
    }
    Ok(bound)
}
