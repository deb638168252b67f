//! MobileNetV4 (Qin et al., 2024, tables 11 to 13), the convolutional ones, as timm builds them.

use super::Family;
use crate::entry::{bicubic, timm};
use crate::{Activation, Builder, Conv, Network, NodeId};
use Block::{Fused, Plain, Universal};

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        timm(
            "mobilenetv4_conv_small",
            &["e2400_r224_in1k"],
            || bicubic(256, 224),
            |name| mobilenet_v4(name, 32, SMALL),
        ),
        timm(
            "mobilenetv4_conv_medium",
            &["e500_r256_in1k"],
            || bicubic(269, 256),
            |name| mobilenet_v4(name, 32, MEDIUM),
        ),
        timm(
            "mobilenetv4_conv_large",
            &["e600_r384_in1k"],
            || bicubic(404, 384),
            |name| mobilenet_v4(name, 24, LARGE),
        ),
    ],
    dialects: &[],
};

/// A block; the numbers are in the order of timm's own notation.
#[derive(Clone, Copy)]
enum Block {
    /// A convolution: kernel, stride, channels.
    Plain(usize, usize, usize),
    /// 3×3 to more channels, and 1×1: stride, expansion, channels.
    Fused(usize, usize, usize),
    /// The universal inverted bottleneck (figure 4): kernels of the depthwise convolutions before and after the expansion
    /// (0 where there is none), stride, expansion, channels.
    Universal(usize, usize, usize, usize, usize),
}

/// The blocks of each stage, with how often each stands in a row; only the first of them has the stride.
type Stages = &'static [&'static [(usize, Block)]];

const SMALL: Stages = &[
    &[(1, Plain(3, 2, 32)), (1, Plain(1, 1, 32))],
    &[(1, Plain(3, 2, 96)), (1, Plain(1, 1, 64))],
    &[(1, Universal(5, 5, 2, 3, 96)), (4, Universal(0, 3, 1, 2, 96)), (1, Universal(3, 0, 1, 4, 96))],
    &[
        (1, Universal(3, 3, 2, 6, 128)),
        (1, Universal(5, 5, 1, 4, 128)),
        (1, Universal(0, 5, 1, 4, 128)),
        (1, Universal(0, 5, 1, 3, 128)),
        (2, Universal(0, 3, 1, 4, 128)),
    ],
    &[(1, Plain(1, 1, 960))],
];

const MEDIUM: Stages = &[
    &[(1, Fused(2, 4, 48))],
    &[(1, Universal(3, 5, 2, 4, 80)), (1, Universal(3, 3, 1, 2, 80))],
    &[
        (1, Universal(3, 5, 2, 6, 160)),
        (2, Universal(3, 3, 1, 4, 160)),
        (1, Universal(3, 5, 1, 4, 160)),
        (1, Universal(3, 3, 1, 4, 160)),
        (1, Universal(3, 0, 1, 4, 160)),
        (1, Universal(0, 0, 1, 2, 160)),
        (1, Universal(3, 0, 1, 4, 160)),
    ],
    &[
        (1, Universal(5, 5, 2, 6, 256)),
        (1, Universal(5, 5, 1, 4, 256)),
        (2, Universal(3, 5, 1, 4, 256)),
        (1, Universal(0, 0, 1, 4, 256)),
        (1, Universal(3, 0, 1, 4, 256)),
        (1, Universal(3, 5, 1, 2, 256)),
        (1, Universal(5, 5, 1, 4, 256)),
        (2, Universal(0, 0, 1, 4, 256)),
        (1, Universal(5, 0, 1, 2, 256)),
    ],
    &[(1, Plain(1, 1, 960))],
];

const LARGE: Stages = &[
    &[(1, Fused(2, 4, 48))],
    &[(1, Universal(3, 5, 2, 4, 96)), (1, Universal(3, 3, 1, 4, 96))],
    &[
        (1, Universal(3, 5, 2, 4, 192)),
        (3, Universal(3, 3, 1, 4, 192)),
        (1, Universal(3, 5, 1, 4, 192)),
        (5, Universal(5, 3, 1, 4, 192)),
        (1, Universal(3, 0, 1, 4, 192)),
    ],
    &[
        (4, Universal(5, 5, 2, 4, 512)),
        (1, Universal(5, 0, 1, 4, 512)),
        (1, Universal(5, 3, 1, 4, 512)),
        (2, Universal(5, 0, 1, 4, 512)),
        (1, Universal(5, 3, 1, 4, 512)),
        (1, Universal(5, 5, 1, 4, 512)),
        (3, Universal(5, 0, 1, 4, 512)),
    ],
    &[(1, Plain(1, 1, 960))],
];

/// The network. Taps: `pooled` (1280, what the classifier reads), `gap` (960, the mean of the last map), `blocks.0` to
/// `blocks.4`, `logits`.
fn mobilenet_v4(name: &str, first: usize, stages: Stages) -> Network {
    let mut net = Builder::image();
    let input = net.input();
    let mut x = conv_bn_relu(&mut net, ["conv_stem", "bn1"], input, Conv::new(first, 3).stride(2));
    for (stage, rows) in stages.iter().enumerate() {
        let blocks = rows.iter().flat_map(|&(count, block)| (0..count).map(move |i| (block, i > 0)));
        for (i, (block, again)) in blocks.enumerate() {
            x = block.build(&mut net, &format!("blocks.{stage}.{i}"), x, again);
        }
        net.tap(&format!("blocks.{stage}"), x);
    }
    net.module("blocks", x);
    let gap = net.global_average_pool("gap", x);
    // The mean again, as a map of one place, since a batch norm follows.
    let y = net.adaptive_average_pool("global_pool", x, 1);
    let y = conv_bn_relu(&mut net, ["conv_head", "norm_head"], y, Conv::new(1280, 1));
    let pooled = net.flatten("flatten", y);
    let logits = net.linear("classifier", pooled, 1000);
    net.tap("pooled", pooled);
    net.tap("gap", gap);
    net.tap("logits", logits);
    net.finish(name, logits)
}

impl Block {
    fn build(self, net: &mut Builder, at: &str, x: NodeId, again: bool) -> NodeId {
        let part = |name: &str| format!("{at}.{name}");
        let inputs = net.width(x);
        let step = |stride| if again { 1 } else { stride };
        let (y, stride, shortcut) = match self {
            Plain(kernel, stride, out) => {
                let conv = Conv::new(out, kernel).stride(step(stride));
                (conv_bn_relu(net, [&part("conv"), &part("bn1")], x, conv), stride, false)
            }
            Fused(stride, expansion, out) => {
                let conv = Conv::new(expansion * inputs, 3).stride(step(stride));
                let y = conv_bn_relu(net, [&part("conv_exp"), &part("bn1")], x, conv);
                let y = net.conv_bn(&part("conv_pwl"), &part("bn2"), y, Conv::new(out, 1));
                (y, step(stride), true)
            }
            Universal(before, after, stride, expansion, out) => {
                let stride = step(stride);
                let names = |name: &str| [format!("{at}.{name}.conv"), format!("{at}.{name}.bn")];
                let mut y = x;
                if before > 0 {
                    let [conv, norm] = names("dw_start");
                    let stride = if after == 0 { stride } else { 1 };
                    y = net.conv_bn(&conv, &norm, y, Conv::new(inputs, before).stride(stride).groups(inputs));
                }
                let hidden = expansion * inputs;
                y = conv_bn_relu(net, names("pw_exp").each_ref(), y, Conv::new(hidden, 1));
                if after > 0 {
                    let conv = Conv::new(hidden, after).stride(stride).groups(hidden);
                    y = conv_bn_relu(net, names("dw_mid").each_ref(), y, conv);
                }
                let [conv, norm] = names("pw_proj");
                (net.conv_bn(&conv, &norm, y, Conv::new(out, 1)), stride, true)
            }
        };
        if shortcut && stride == 1 && net.width(y) == inputs {
            return net.add(at, x, y);
        }
        net.module(at, y);
        y
    }
}

/// timm's batch norms bring their activation along, as a module `act` inside.
fn conv_bn_relu(net: &mut Builder, [conv, norm]: [impl AsRef<str>; 2], x: NodeId, what: Conv) -> NodeId {
    let x = net.conv_bn(conv.as_ref(), norm.as_ref(), x, what);
    net.activation(&format!("{}.act", norm.as_ref()), x, Activation::Relu)
}
