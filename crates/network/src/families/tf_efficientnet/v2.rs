//! `EfficientNetV2` (Tan & Le, 2021, table 4), as Google trained it and timm keeps it.

use super::blocks::{Block, conv_bn_act, step};
use crate::entry::{Entry, bicubic, centred, timm};
use crate::families::{
    Family,
    efficientnet::{Stage, V2_L, V2_M, V2_S},
    layers::average_and_classify,
};
use crate::{Activation::Silu, Builder, Conv, Network};
use input::{
    Recipe,
    image::{Filter, Preprocessing, Resize},
};

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        first("tf_efficientnetv2_b0", || bicubic(219, 192), |name| base(name, 10, 10, 192)),
        first("tf_efficientnetv2_b1", || bicubic(217, 192), |name| base(name, 10, 11, 192)),
        first("tf_efficientnetv2_b2", || bicubic(233, 208), |name| base(name, 11, 12, 208)),
        first("tf_efficientnetv2_b3", || bicubic(265, 240), |name| base(name, 12, 14, 240)),
        timm("tf_efficientnetv2_b3.in21k", &[], || centred(265, 240), |name| base(name, 12, 14, 240)),
        timm(
            "tf_efficientnetv2_b3.in21k_ft_in1k",
            &[],
            || squashed(266, 240),
            |name| base(name, 12, 14, 240),
        ),
        timm("tf_efficientnetv2_s", ALL, || centred(300, 300), |name| build(name, &V2_S, 300)),
        timm("tf_efficientnetv2_m", ALL, || squashed(384, 384), |name| build(name, &V2_M, 384)),
        timm("tf_efficientnetv2_l", ALL, || squashed(384, 384), |name| build(name, &V2_L, 384)),
        timm("tf_efficientnetv2_xl", LARGEST, || squashed(384, 384), |name| build(name, &V2_XL, 384)),
    ],
    dialects: &[],
};

const ALL: &[&str] = &["in1k", "in21k_ft_in1k", "in21k"];
const LARGEST: &[&str] = &["in21k_ft_in1k", "in21k"];

const fn first(name: &'static str, recipe: fn() -> Recipe, build: fn(&'static str) -> Network) -> Entry {
    timm(name, &["in1k"], recipe, build)
}

/// The whole picture to `resize`² whatever its aspect ratio, bicubic, and of that the middle; values in -1 … 1.
fn squashed(resize: u32, crop: u32) -> Recipe {
    let how =
        Preprocessing { filter: Filter::Bicubic, mean: [0.5; 3], std: [0.5; 3], ..Preprocessing::imagenet() };
    Preprocessing { resize: Resize::Exact(resize, resize), crop: Some((crop, crop)), ..how }.into()
}

const V2_XL: [Stage; 7] = [
    (true, 1, 3, 1, 32, 4),
    (true, 4, 3, 2, 64, 8),
    (true, 4, 3, 2, 96, 8),
    (false, 4, 3, 2, 192, 16),
    (false, 6, 3, 1, 256, 24),
    (false, 6, 3, 2, 512, 32),
    (false, 6, 3, 1, 640, 8),
];

/// Of B0, which the others are scaled from.
const BASE: [Stage; 6] = [
    (true, 1, 3, 1, 16, 1),
    (true, 4, 3, 2, 32, 2),
    (true, 4, 3, 2, 48, 2),
    (false, 4, 3, 2, 96, 3),
    (false, 6, 3, 1, 112, 5),
    (false, 6, 3, 2, 192, 8),
];

/// So many tenths as wide and as deep as B0.
fn base(name: &str, width: usize, depth: usize, side: usize) -> Network {
    // The nearest multiple of 8, also where it is more than a tenth below.
    let channels = |channels: usize| (channels * width + 40) / 80 * 8;
    let stages = BASE.map(|(fused, expansion, kernel, stride, out, blocks)| {
        (fused, expansion, kernel, stride, channels(out), (blocks * depth).div_ceil(10))
    });
    stacked(name, &stages, [channels(32), channels(1280)], side)
}

fn build(name: &str, stages: &[Stage], side: usize) -> Network {
    stacked(name, stages, [stages[0].4, 1280], side)
}

/// With so many channels in its first and last convolution, for pictures of that side. Taps: `pooled` and `gap` (one and the
/// same), `blocks.0` to `blocks.5` or `blocks.6`, `logits`.
fn stacked(name: &str, stages: &[Stage], [stem, last]: [usize; 2], mut side: usize) -> Network {
    let mut net = Builder::image();
    net.set_batch_norm_eps(1e-3);
    let input = net.input();
    let mut x =
        conv_bn_act(&mut net, ["conv_stem", "bn1"], input, step(Conv::new(stem, 3), 2, Some(side)), Silu);
    side = side.div_ceil(2);
    for (i, &(fused, expansion, kernel, stride, out, blocks)) in stages.iter().enumerate() {
        let stage = format!("blocks.{i}");
        for block in 0..blocks {
            let stride = if block == 0 { stride } else { 1 };
            let how = Block { expansion, kernel, stride, out, side: Some(side), lite: false };
            let at = format!("{stage}.{block}");
            x = if fused { how.fused(&mut net, &at, x) } else { how.build(&mut net, &at, x) };
            side = side.div_ceil(stride);
        }
        net.tap(&stage, x);
    }
    net.module("blocks", x);
    x = conv_bn_act(&mut net, ["conv_head", "bn2"], x, Conv::new(last, 1), Silu);
    let logits = average_and_classify(&mut net, x, "classifier");
    net.finish(name, logits)
}
