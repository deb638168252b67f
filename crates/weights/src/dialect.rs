//! Which ecosystem's names a file follows, and what it is good for.

use crate::Tensors;
use network::{Dialect, Network, zoo};

/// The dialect under which the file holds most of the network's parameters.
pub(super) fn detect(network: &Network, file: &dyn Tensors) -> Dialect {
    let found = |dialect: Dialect| {
        network.params().iter().filter(|param| file.shape(&(dialect.rename)(&param.name)).is_some()).count()
    };
    zoo::dialects()
        .fold(Dialect::OWN, |best, dialect| if found(dialect) > found(best) { dialect } else { best })
}

/// Whether a stored shape can fill a slot as it is: equal but for axes of length 1 (a layer scale (c,) where a map is
/// scaled by (c, 1, 1), a 1×1 convolution that is a dense layer), or a convolution over a whole map where a dense layer
/// reads that map flattened (timm's VGG). Both hold the same numbers in the same order.
pub(super) fn fits(expected: &[usize], stored: &[usize]) -> bool {
    match (expected, stored) {
        (&[out, inputs], &[rows, channels, height, width]) => {
            rows == out && channels.checked_mul(height).and_then(|n| n.checked_mul(width)) == Some(inputs)
        }
        _ => expected.iter().filter(|side| **side != 1).eq(stored.iter().filter(|side| **side != 1)),
    }
}

/// Whether a tensor may be in any file without being a parameter: PyTorch counts a batch norm's training steps, files of
/// Swin Transformers hold what follows from the size of their windows, and a mask token stands for what training hid.
pub(super) fn is_ignored(tensor: &str) -> bool {
    let part = tensor.rsplit('.').next().unwrap_or_default();
    ["num_batches_tracked", "relative_position_index", "attn_mask", "mask_token"].contains(&part)
}

/// What the file is good for: taps of this network that it suffices for, or another network that it fits.
pub(super) fn advice(full: &Network, file: &dyn Tensors) -> Option<String> {
    if !has_extras(full, file) {
        let taps: Vec<&str> =
            full.taps().iter().map(|tap| tap.name.as_str()).filter(|tap| suffices(full, tap, file)).collect();
        return (!taps.is_empty()).then(|| format!("it suffices for the taps {}", taps.join(", ")));
    }
    let other = zoo::all().iter().find(|entry| {
        let network = (entry.build)();
        entry.name != full.name()
            && !has_extras(&network, file)
            && suffices(&network, entry.default_tap, file)
    });
    other.map(|entry| format!("it looks like {}", entry.name))
}

fn has_extras(full: &Network, file: &dyn Tensors) -> bool {
    extras(full, file).next().is_some()
}

/// Tensors that the whole network has no place for.
pub(super) fn extras<'a>(full: &Network, file: &'a dyn Tensors) -> impl Iterator<Item = &'a str> {
    let Dialect { rename, .. } = detect(full, file);
    let known: std::collections::BTreeSet<String> =
        full.params().iter().map(|param| rename(&param.name)).collect();
    file.names().into_iter().filter(move |name| !is_ignored(name) && !known.contains(*name))
}

/// Whether the file holds all that a tap needs, in the right shapes.
fn suffices(full: &Network, tap: &str, file: &dyn Tensors) -> bool {
    let Dialect { rename, .. } = detect(full, file);
    full.for_taps(&[tap]).is_ok_and(|network| {
        network
            .params()
            .iter()
            .all(|param| file.shape(&rename(&param.name)).is_some_and(|stored| fits(&param.shape, stored)))
    })
}
