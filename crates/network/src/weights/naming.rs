//! The names that ecosystems give to the same tensors. Ours are torchvision's, or timm's where only timm has the network;
//! a naming translates them.

use crate::{
    Network, WeightFile,
    families::{convnext, efficientnet, mobilenet_v2, swin, vgg, vit},
    zoo,
};

/// From our name of a parameter to an ecosystem's.
type Naming = fn(&str) -> String;

/// Ours first: it wins where several fit equally, as for all ResNets, where timm's names are the same.
const NAMINGS: [Naming; 7] = [
    str::to_owned,
    vgg::timm_name,
    mobilenet_v2::timm_name,
    efficientnet::timm_name,
    convnext::timm_name,
    vit::timm_name,
    swin::timm_name,
];

/// The naming under which the file holds most of the network's parameters.
pub(super) fn detect(network: &Network, file: &WeightFile) -> Naming {
    let found = |naming: Naming| {
        network.params().iter().filter(|param| file.shape(&naming(&param.name)).is_some()).count()
    };
    NAMINGS
        .into_iter()
        .fold(NAMINGS[0], |best, naming| if found(naming) > found(best) { naming } else { best })
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
pub(super) fn advice(full: &Network, file: &WeightFile) -> Option<String> {
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

fn has_extras(full: &Network, file: &WeightFile) -> bool {
    extras(full, file).next().is_some()
}

/// Tensors that the whole network has no place for.
pub(super) fn extras<'a>(full: &Network, file: &'a WeightFile) -> impl Iterator<Item = &'a str> {
    let naming = detect(full, file);
    let known: std::collections::BTreeSet<String> =
        full.params().iter().map(|param| naming(&param.name)).collect();
    file.names().filter(move |name| !is_ignored(name) && !known.contains(*name))
}

/// Whether the file holds all that a tap needs, in the right shapes.
fn suffices(full: &Network, tap: &str, file: &WeightFile) -> bool {
    let naming = detect(full, file);
    full.for_taps(&[tap]).is_ok_and(|network| {
        network
            .params()
            .iter()
            .all(|param| file.shape(&naming(&param.name)).is_some_and(|stored| fits(&param.shape, stored)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timm_names_are_timms() {
        // FNV-1a of the sorted keys of `timm.create_model(name).state_dict()`, timm 1.0.31, batch counters left out.
        for (name, naming, expected) in [
            ("vgg11", vgg::timm_name as Naming, 0xCA5B_0DA6_DC2D_01E4_u64),
            ("vgg16_bn", vgg::timm_name, 0x2102_C02F_8108_4D5E),
            ("mobilenetv2_100", mobilenet_v2::timm_name, 0x4941_ED80_42F0_9110),
            ("efficientnet_b0", efficientnet::timm_name, 0x5D5A_FDA1_66C0_A0E1),
            ("efficientnet_b4", efficientnet::timm_name, 0x17EE_DBDC_FE93_6B7E),
            ("convnext_small", convnext::timm_name, 0x1A04_8B45_89E5_3595),
            ("vit_b_16", vit::timm_name, 0x716C_7B24_EA82_3AEE),
            ("vit_l_16", vit::timm_name, 0x24F6_B2A2_78AC_CBDE),
            ("swin_t", swin::timm_name, 0x035A_3843_F2B4_1F75),
            ("swin_b", swin::timm_name, 0x875D_C855_62AD_5BB1),
        ] {
            let network = zoo::find(name).map(|entry| (entry.build)()).unwrap();
            let mut names: Vec<String> = network.params().iter().map(|param| naming(&param.name)).collect();
            names.sort();
            let digest = names.join("\n").bytes().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3)
            });
            assert_eq!(digest, expected, "{name}: {names:?}");
        }
    }
}
