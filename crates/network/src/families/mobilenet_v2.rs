//! MobileNetV2 (Sandler et al., 2018, table 2), width 1.0, as torchvision builds it.

use super::Family;
use super::layers::{average_and_classify, conv_bn_act, residual};
use crate::Dialect;
use crate::entry::{bicubic, entry, imagenet, timm};
use crate::{Activation, Builder, Conv, Network, NodeId};

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        entry("mobilenet_v2", imagenet, mobilenet_v2),
        timm("mobilenetv2_100", &["ra_in1k"], || bicubic(256, 224), mobilenet_v2),
    ],
    dialects: &[Dialect::timm(timm_name).known_for(|name| name == "mobilenetv2_100")],
};

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
    let mut x = conv(&mut net, "features.0", input, Conv::new(32, 3).stride(2));
    let mut at = 0;
    for (expansion, width, blocks, stride) in STAGES {
        for block in 0..blocks {
            at += 1;
            let stride = if block == 0 { stride } else { 1 };
            x = inverted_residual(&mut net, &format!("features.{at}"), x, expansion, width, stride);
        }
    }
    x = conv(&mut net, &format!("features.{}", at + 1), x, Conv::new(1280, 1));
    net.module("features", x);
    let logits = average_and_classify(&mut net, x, "classifier.1");
    net.module("classifier", logits);
    net.finish(name, logits)
}

/// timm's name of a parameter, which counts stages and blocks where torchvision counts blocks only.
pub fn timm_name(param: &str) -> String {
    translate(param).unwrap_or_else(|| param.to_owned())
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
        y = conv(net, &next(), y, Conv::new(hidden, 1));
    }
    y = conv(net, &next(), y, Conv::new(hidden, 3).stride(stride).groups(hidden));
    y = net.conv_bn(&next(), &next(), y, Conv::new(width, 1));
    residual(net, at, "conv", x, y, stride)
}

fn conv(net: &mut Builder, name: &str, x: NodeId, conv: Conv) -> NodeId {
    conv_bn_act(net, name, x, conv, Some(Activation::Relu6))
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
