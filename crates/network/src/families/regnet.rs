//! RegNet X and Y (Radosavovic et al., 2020, figures 13 and 14), as torchvision builds them.

use super::Family;
use super::layers::{average_and_classify, conv_bn_act, squeeze_excite};
use crate::entry::{bicubic, entry, imagenet};
use crate::{Activation, Builder, Conv, Dialect, Network, NodeId, Pair, Stored};
use Activation::{Relu, Sigmoid};

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        entry("regnet_x_400mf", imagenet, |name| x(name, [1, 2, 7, 12], [32, 64, 160, 400], 16)),
        entry("regnet_x_800mf", imagenet, |name| x(name, [1, 3, 7, 5], [64, 128, 288, 672], 16)),
        entry("regnet_x_1_6gf", imagenet, |name| x(name, [2, 4, 10, 2], [72, 168, 408, 912], 24)),
        entry("regnet_x_3_2gf", imagenet, |name| x(name, [2, 6, 15, 2], [96, 192, 432, 1008], 48)),
        entry("regnet_x_8gf", imagenet, |name| x(name, [2, 5, 15, 1], [80, 240, 720, 1920], 120)),
        entry("regnet_x_16gf", imagenet, |name| x(name, [2, 6, 13, 1], [256, 512, 896, 2048], 128)),
        entry("regnet_x_32gf", imagenet, |name| x(name, [2, 7, 13, 1], [336, 672, 1344, 2520], 168)),
        entry("regnet_y_400mf", imagenet, |name| y(name, [1, 3, 6, 6], [48, 104, 208, 440], 8)),
        entry("regnet_y_800mf", imagenet, |name| y(name, [1, 3, 8, 2], [64, 144, 320, 784], 16)),
        entry("regnet_y_1_6gf", imagenet, |name| y(name, [2, 6, 17, 2], [48, 120, 336, 888], 24)),
        entry("regnet_y_3_2gf", imagenet, |name| y(name, [2, 5, 13, 1], [72, 216, 576, 1512], 24)),
        entry("regnet_y_8gf", imagenet, |name| y(name, [2, 4, 10, 1], [224, 448, 896, 2016], 56)),
        entry("regnet_y_16gf", imagenet, |name| y(name, [2, 4, 11, 1], [224, 448, 1232, 3024], 112)),
        entry("regnet_y_32gf", imagenet, |name| y(name, [2, 5, 12, 1], [232, 696, 1392, 3712], 232)),
        // Trained as SWAG only (Singh et al., 2022), here at its own size.
        entry(
            "regnet_y_128gf",
            || bicubic(384, 384),
            |name| y(name, [2, 7, 17, 1], [528, 1056, 2904, 7392], 264),
        ),
    ],
    dialects: &[
        Dialect::stored("transformers", |param| transformers(param, 2)),
        Dialect::stored("transformers", |param| transformers(param, 3)),
    ],
};

/// Without squeeze and excite.
fn x(name: &str, depths: [usize; 4], widths: [usize; 4], group: usize) -> Network {
    regnet(name, false, depths, widths, group)
}

/// Squeezing to a quarter of a block's input's channels.
fn y(name: &str, depths: [usize; 4], widths: [usize; 4], group: usize) -> Network {
    regnet(name, true, depths, widths, group)
}

/// The network of four stages of so many blocks and channels; a 3×3 has groups of `group` channels, or a single one where
/// it is narrower. Taps: `pooled` and `gap` (one and the same), `block1` to `block4`, `logits`.
pub fn regnet(name: &str, excites: bool, depths: [usize; 4], widths: [usize; 4], group: usize) -> Network {
    let mut net = Builder::image();
    let input = net.input();
    let mut x = conv_bn_act(&mut net, "stem", input, Conv::new(32, 3).stride(2), Some(Relu));
    for (i, (depth, width)) in depths.into_iter().zip(widths).enumerate() {
        let stage = format!("block{}", i + 1);
        for block in 0..depth {
            let at = format!("trunk_output.{stage}.{stage}-{block}");
            let conv = Conv::new(width, 3).stride(if block == 0 { 2 } else { 1 });
            x = residual_block(&mut net, &at, x, conv.groups((width / group).max(1)), excites);
        }
        net.module(&format!("trunk_output.{stage}"), x);
        net.tap(&stage, x);
    }
    net.module("trunk_output", x);
    let logits = average_and_classify(&mut net, x, "fc");
    net.finish(name, logits)
}

/// 1×1, `conv`, 1×1, and a shortcut.
fn residual_block(net: &mut Builder, at: &str, x: NodeId, conv: Conv, excites: bool) -> NodeId {
    let inputs = net.width(x);
    let narrow = Conv::new(conv.out, 1);
    let shortcut = if inputs == conv.out && conv.stride == Pair::ONE {
        x
    } else {
        conv_bn_act(net, &format!("{at}.proj"), x, narrow.stride(conv.stride), None)
    };
    let y = conv_bn_act(net, &format!("{at}.f.a"), x, narrow, Some(Relu));
    let mut y = conv_bn_act(net, &format!("{at}.f.b"), y, conv, Some(Relu));
    if excites {
        y = squeeze_excite(net, &format!("{at}.f.se"), y, inputs / 4, [Relu, Sigmoid]);
    }
    let y = conv_bn_act(net, &format!("{at}.f.c"), y, narrow, None);
    net.module(&format!("{at}.f"), y);
    let sum = net.add(&format!("{at}.add"), shortcut, y);
    net.relu(at, sum)
}

/// transformers' `RegNetModel`; `last` is the place of a block's last convolution, which squeeze and excite moves by one.
fn transformers(param: &str, last: usize) -> Stored {
    let place = |param: &str| -> Option<String> {
        let (module, part) = param.rsplit_once('.')?;
        let layer = |at: &str| if at == "0" { "convolution" } else { "normalization" };
        if let Some(at) = module.strip_prefix("stem.") {
            return Some(format!("embedder.embedder.{}.{part}", layer(at)));
        }
        if module == "fc" {
            return Some(format!("classifier.1.{part}"));
        }
        let (block, inside) = module.strip_prefix("trunk_output.")?.split_once('-')?;
        let stage = block.rsplit_once("block")?.1.parse::<usize>().ok()?.checked_sub(1)?;
        let (block, inside) = inside.split_once('.')?;
        let (module, at) = inside.rsplit_once('.')?;
        let module = match (module, at) {
            ("proj", at) => format!("shortcut.{}", layer(at)),
            ("f.a", at) => format!("layer.0.{}", layer(at)),
            ("f.b", at) => format!("layer.1.{}", layer(at)),
            ("f.se", "fc1") => "layer.2.attention.0".to_owned(),
            ("f.se", _) => "layer.2.attention.2".to_owned(),
            (_, at) => format!("layer.{last}.{}", layer(at)),
        };
        Some(format!("encoder.stages.{stage}.layers.{block}.{module}.{part}"))
    };
    Stored::As(place(param).unwrap_or_else(|| param.to_owned()))
}
