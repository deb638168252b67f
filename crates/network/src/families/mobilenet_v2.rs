//! MobileNetV2 (Sandler et al., 2018, table 2), width 1.0, as torchvision builds it.

use crate::{Activation, Builder, Conv, Network, NodeId};

/// Expansion, output channels, blocks, stride of the first.
const STAGES: [(usize, usize, usize, usize); 7] = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
];

/// The network. Taps: `pooled` and `gap` (one and the same, 1280), `features`, `logits`.
pub fn mobilenet_v2(name: &str) -> Network {
    let mut net = Builder::image();
    let input = net.input();
    let mut x = conv_bn_relu6(&mut net, "features.0", input, Conv::new(32, 3).stride(2));
    let mut at = 0;
    for (expansion, width, blocks, stride) in STAGES {
        for block in 0..blocks {
            at += 1;
            let stride = if block == 0 { stride } else { 1 };
            x = inverted_residual(&mut net, &format!("features.{at}"), x, expansion, width, stride);
        }
    }
    x = conv_bn_relu6(&mut net, &format!("features.{}", at + 1), x, Conv::new(1280, 1));
    net.module("features", x);
    let pooled = net.global_average_pool("avgpool", x);
    net.tap("pooled", pooled);
    net.tap("gap", pooled);
    let logits = net.linear("classifier.1", pooled, 1000);
    net.module("classifier.0", pooled);
    net.module("classifier", logits);
    net.tap("logits", logits);
    net.finish(name, logits)
}

/// timm's name of a parameter, which counts stages and blocks where torchvision counts blocks only.
pub fn timm_name(param: &str) -> String {
    translate(param).unwrap_or_else(|| param.to_owned())
}

/// torchvision's `Conv2dNormActivation`.
fn conv_bn_relu6(net: &mut Builder, name: &str, x: NodeId, conv: Conv) -> NodeId {
    let x = net.conv_bn(&format!("{name}.0"), &format!("{name}.1"), x, conv);
    let x = net.activation(&format!("{name}.2"), x, Activation::Relu6);
    net.module(name, x);
    x
}

fn inverted_residual(
    net: &mut Builder,
    at: &str,
    x: NodeId,
    expansion: usize,
    width: usize,
    stride: usize,
) -> NodeId {
    let inputs = net.width(x);
    let hidden = inputs * expansion;
    let mut part = 0..;
    let mut next = || format!("{at}.conv.{}", part.next().unwrap_or_default());
    let mut y = x;
    if expansion > 1 {
        y = conv_bn_relu6(net, &next(), y, Conv::new(hidden, 1));
    }
    y = conv_bn_relu6(net, &next(), y, Conv::new(hidden, 3).stride(stride).groups(hidden));
    y = net.conv_bn(&next(), &next(), y, Conv::new(width, 1));
    net.module(&format!("{at}.conv"), y);
    if stride == 1 && inputs == width {
        return net.add(at, x, y);
    }
    net.module(at, y);
    y
}

fn translate(param: &str) -> Option<String> {
    let (module, part) = param.rsplit_once('.')?;
    let theirs = match module {
        "features.0.0" => "conv_stem".to_owned(),
        "features.0.1" => "bn1".to_owned(),
        "features.18.0" => "conv_head".to_owned(),
        "features.18.1" => "bn2".to_owned(),
        "classifier.1" => "classifier".to_owned(),
        inside => {
            let (block, place) = inside.strip_prefix("features.")?.split_once(".conv.")?;
            let (stage, block) = stage_and_block(block.parse().ok()?)?;
            format!("blocks.{stage}.{block}.{}", place_in_block(place, STAGES[stage].0 > 1)?)
        }
    };
    Some(format!("{theirs}.{part}"))
}

/// Which stage the i-th block (from 1) is in, and its place there.
fn stage_and_block(i: usize) -> Option<(usize, usize)> {
    let mut left = i.checked_sub(1)?;
    for (stage, (_, _, blocks, _)) in STAGES.into_iter().enumerate() {
        if left < blocks {
            return Some((stage, left));
        }
        left -= blocks;
    }
    None
}

fn place_in_block(place: &str, expands: bool) -> Option<&'static str> {
    Some(match (place, expands) {
        ("0.0", true) => "conv_pw",
        ("0.0", false) | ("1.0", true) => "conv_dw",
        ("0.1", _) => "bn1",
        ("1.1", true) => "bn2",
        ("1", false) => "conv_pw",
        ("2", false) => "bn2",
        ("2", true) => "conv_pwl",
        ("3", true) => "bn3",
        _ => return None,
    })
}
