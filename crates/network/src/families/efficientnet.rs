//! EfficientNet (Tan & Le, 2019, table 1) and `EfficientNetV2` (Tan & Le, 2021, table 4), as torchvision builds them.

use super::Family;
use super::layers::{InvertedResidual, average_and_classify, conv_bn_act, multiple_of_8, replaced, residual};
use crate::Dialect;
use crate::entry::{Entry, bicubic, bilinear, centred, entry, squashed, timm};
use crate::{Activation, Builder, Conv, Network, NodeId};
use Activation::{Sigmoid, Silu};

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        Entry {
            tags: &["ra_in1k"],
            ..entry("efficientnet_b0", || bicubic(256, 224), |name| efficientnet(name, 10, 10))
        },
        entry("efficientnet_b1", || bicubic(256, 240), |name| efficientnet(name, 10, 11)),
        entry("efficientnet_b2", || bicubic(288, 288), |name| efficientnet(name, 11, 12)),
        entry("efficientnet_b3", || bicubic(320, 300), |name| efficientnet(name, 12, 14)),
        entry("efficientnet_b4", || bicubic(384, 380), |name| efficientnet(name, 14, 18)),
        timm("efficientnet_b1.ft_in1k", &[], || bicubic(256, 224), |name| efficientnet(name, 10, 11)),
        timm(
            "efficientnet_b1.ra4_e3600_r240_in1k",
            &[],
            || centred(266, 240),
            |name| efficientnet(name, 10, 11),
        ),
        timm("efficientnet_b2.ra_in1k", &[], || bicubic(292, 256), |name| efficientnet(name, 11, 12)),
        timm("efficientnet_b3.ra2_in1k", &[], || bicubic(329, 288), |name| efficientnet(name, 12, 14)),
        timm("efficientnet_b4.ra2_in1k", &[], || bicubic(365, 320), |name| efficientnet(name, 14, 18)),
        entry("efficientnet_b5", || bicubic(456, 456), |name| efficientnet_of(name, 16, 22, 1e-3)),
        entry("efficientnet_b6", || bicubic(528, 528), |name| efficientnet_of(name, 18, 26, 1e-3)),
        entry("efficientnet_b7", || bicubic(600, 600), |name| efficientnet_of(name, 20, 31, 1e-3)),
        timm(
            "efficientnet_b5.sw_in12k_ft_in1k",
            &["sw_in12k_ft_in1k"],
            || squashed(448),
            |name| efficientnet(name, 16, 22),
        ),
        entry("efficientnet_v2_s", || bilinear(384, 384), |name| efficientnet_v2(name, &V2_S)),
        entry("efficientnet_v2_m", || bilinear(480, 480), |name| efficientnet_v2(name, &V2_M)),
        entry("efficientnet_v2_l", || centred(480, 480), |name| efficientnet_v2(name, &V2_L)),
    ],
    // Those of timm's that prepare pictures otherwise, and B5 with its other eps, are entries of their own.
    dialects: &[
        Dialect::timm(timm_name)
            .only_of(|name| {
                let others = ["efficientnet_b5", "efficientnet_b6", "efficientnet_b7"];
                name.starts_with("efficientnet_b") && !others.contains(&name)
            })
            .known_for(|name| name == "efficientnet_b0"),
        without_weights(timm_name, |name| ["efficientnet_b6", "efficientnet_b7"].contains(&name)),
        without_weights(timm_name_v2, |name| name.starts_with("efficientnet_v2")),
    ],
};

/// Of networks that timm builds with another eps, and has no weights of.
const fn without_weights(rename: fn(&str) -> String, is_of: fn(&str) -> bool) -> Dialect {
    Dialect::timm(rename).only_of(is_of).known_for(|_| false).with_batch_norm_eps(1e-5)
}

/// Whether its blocks are fused, expansion, kernel, stride of the first, channels, blocks.
pub(super) type Stage = (bool, usize, usize, usize, usize, usize);

/// B0 (table 1 of the paper): expansion, kernel, stride of the first, channels, blocks.
pub(super) const B0: [(usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
];

pub(super) const V2_S: [Stage; 6] = [
    (true, 1, 3, 1, 24, 2),
    (true, 4, 3, 2, 48, 4),
    (true, 4, 3, 2, 64, 4),
    (false, 4, 3, 2, 128, 6),
    (false, 6, 3, 1, 160, 9),
    (false, 6, 3, 2, 256, 15),
];

pub(super) const V2_M: [Stage; 7] = [
    (true, 1, 3, 1, 24, 3),
    (true, 4, 3, 2, 48, 5),
    (true, 4, 3, 2, 80, 5),
    (false, 4, 3, 2, 160, 7),
    (false, 6, 3, 1, 176, 14),
    (false, 6, 3, 2, 304, 18),
    (false, 6, 3, 1, 512, 5),
];

pub(super) const V2_L: [Stage; 7] = [
    (true, 1, 3, 1, 32, 4),
    (true, 4, 3, 2, 64, 7),
    (true, 4, 3, 2, 96, 7),
    (false, 4, 3, 2, 192, 10),
    (false, 6, 3, 1, 224, 19),
    (false, 6, 3, 2, 384, 25),
    (false, 6, 3, 1, 640, 7),
];

/// The network that is so many tenths as wide and as deep as B0. Taps: `pooled` and `gap` (one and the same), `features`,
/// `features.1` to `features.7`, `logits`.
fn efficientnet(name: &str, width: usize, depth: usize) -> Network {
    efficientnet_of(name, width, depth, 1e-5)
}

/// The same with another eps of batch norms.
fn efficientnet_of(name: &str, width: usize, depth: usize, eps: f32) -> Network {
    let mut net = Builder::image();
    net.set_batch_norm_eps(eps);
    let stages = B0.map(|(expansion, kernel, stride, out, blocks)| {
        (false, expansion, kernel, stride, multiple_of_8(out * width, 10), (blocks * depth).div_ceil(10))
    });
    build(net, name, multiple_of_8(32 * width, 10), &stages, 4 * stages[6].4)
}

/// An `EfficientNetV2`, with the same taps.
fn efficientnet_v2(name: &str, stages: &[Stage]) -> Network {
    let mut net = Builder::image();
    net.set_batch_norm_eps(1e-3);
    build(net, name, stages[0].4, stages, 1280)
}

fn build(mut net: Builder, name: &str, first: usize, stages: &[Stage], last: usize) -> Network {
    let input = net.input();
    let mut x = conv_bn_act(&mut net, "features.0", input, Conv::new(first, 3).stride(2), Some(Silu));
    for (i, &(fused, expansion, kernel, stride, out, blocks)) in stages.iter().enumerate() {
        let stage = format!("features.{}", i + 1);
        for block in 0..blocks {
            let (at, stride) = (format!("{stage}.{block}"), if block == 0 { stride } else { 1 });
            let inputs = net.width(x);
            let expanded = inputs * expansion;
            x = if fused {
                fused_block(&mut net, &at, x, expanded, Conv::new(out, kernel).stride(stride))
            } else {
                let (squeeze, gate) = (Some((inputs / 4).max(1)), [Silu, Sigmoid]);
                let block =
                    InvertedResidual { kernel, expanded, out, stride, squeeze, activation: Silu, gate };
                block.build(&mut net, &at, x)
            };
        }
        net.tap(&stage, x);
    }
    let end = format!("features.{}", stages.len() + 1);
    x = conv_bn_act(&mut net, &end, x, Conv::new(last, 1), Some(Silu));
    net.module("features", x);
    let logits = average_and_classify(&mut net, x, "classifier.1");
    net.module("classifier", logits);
    net.finish(name, logits)
}

/// Expansion and depthwise convolution in one (Tan & Le, 2021, figure 2); without expansion there is no projection.
fn fused_block(net: &mut Builder, at: &str, x: NodeId, expanded: usize, conv: Conv) -> NodeId {
    let mut y = x;
    if expanded == net.width(x) {
        y = conv_bn_act(net, &format!("{at}.block.0"), y, conv, Some(Silu));
    } else {
        y = conv_bn_act(net, &format!("{at}.block.0"), y, Conv { out: expanded, ..conv }, Some(Silu));
        y = conv_bn_act(net, &format!("{at}.block.1"), y, Conv::new(conv.out, 1), None);
    }
    residual(net, at, "block", x, y, conv.stride)
}

/// timm's name of a parameter of B0 to B7. Its first stage, which does not expand, has one convolution less.
pub fn timm_name(param: &str) -> String {
    timm_name_by(param, |stage| if stage == 0 { SEPARABLE } else { INVERTED })
}

/// timm's name of a parameter of a V2, whose first three stages are fused.
pub fn timm_name_v2(param: &str) -> String {
    timm_name_by(param, |stage| match stage {
        0 => CONVOLUTION,
        1 | 2 => FUSED,
        _ => INVERTED,
    })
}

/// The parts of a block here, and in timm.
type Parts = [(&'static str, &'static str)];

const CONVOLUTION: &Parts = &[("0.0.", "conv."), ("0.1.", "bn1.")];
const FUSED: &Parts = &[("0.0.", "conv_exp."), ("0.1.", "bn1."), ("1.0.", "conv_pwl."), ("1.1.", "bn2.")];
const SEPARABLE: &Parts = &[
    ("0.0.", "conv_dw."),
    ("0.1.", "bn1."),
    ("1.fc1.", "se.conv_reduce."),
    ("1.fc2.", "se.conv_expand."),
    ("2.0.", "conv_pw."),
    ("2.1.", "bn2."),
];
const INVERTED: &Parts = &[
    ("0.0.", "conv_pw."),
    ("0.1.", "bn1."),
    ("1.0.", "conv_dw."),
    ("1.1.", "bn2."),
    ("2.fc1.", "se.conv_reduce."),
    ("2.fc2.", "se.conv_expand."),
    ("3.0.", "conv_pwl."),
    ("3.1.", "bn3."),
];

/// timm counts stages from 0.
fn timm_name_by(param: &str, parts: fn(usize) -> &'static Parts) -> String {
    let place = |param: &str| -> Option<String> {
        let (stage, rest) = param.strip_prefix("features.")?.split_once('.')?;
        let (block, part) = rest.split_once(".block.")?;
        let stage = stage.parse::<usize>().ok()?.checked_sub(1)?;
        let (ours, theirs) = parts(stage).iter().find(|(ours, _)| part.starts_with(ours))?;
        Some(format!("blocks.{stage}.{block}.{theirs}{}", &part[ours.len()..]))
    };
    // The last convolution comes after six stages of the small V2, and after seven of all others.
    let ends = [
        ("features.0.0.", "conv_stem."),
        ("features.0.1.", "bn1."),
        ("features.7.0.", "conv_head."),
        ("features.7.1.", "bn2."),
        ("features.8.0.", "conv_head."),
        ("features.8.1.", "bn2."),
        ("classifier.1.", "classifier."),
    ];
    place(param).unwrap_or_else(|| replaced(param, &ends))
}
