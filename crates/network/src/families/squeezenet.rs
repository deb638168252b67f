//! SqueezeNet 1.0 and 1.1 (Iandola et al., 2016, table 1; 1.1 is the authors' later, lighter one), as torchvision
//! builds them. The first convolution is not padded, and the pools' last windows stick out.

use super::{Family, keras};
use crate::entry::{Entry, entry, imagenet};
use crate::{Builder, Conv, Dialect, Network, NodeId, Pool, Stored, Turn};

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        Entry { default_tap: "gap", ..entry("squeezenet1_0", imagenet, squeezenet1_0) },
        Entry { default_tap: "gap", ..entry("squeezenet1_1", imagenet, squeezenet1_1) },
    ],
    // Its pools do not stick out, which makes no difference at 224×224.
    dialects: &[Dialect::keras(keras_place, keras::caffe).known_for(|name| name == "squeezenet1_1")],
};

/// Squeeze and expand channels of a fire module, or a pool.
#[derive(Clone, Copy)]
enum Layer {
    Fire(usize, usize),
    Pool,
}
use Layer::{Fire, Pool as Max};

/// SqueezeNet 1.0: a first convolution of 7×7 to 96 channels.
pub fn squeezenet1_0(name: &str) -> Network {
    let layers = [
        Max,
        Fire(16, 64),
        Fire(16, 64),
        Fire(32, 128),
        Max,
        Fire(32, 128),
        Fire(48, 192),
        Fire(48, 192),
        Fire(64, 256),
        Max,
        Fire(64, 256),
    ];
    squeezenet(name, Conv::new(96, 7), &layers)
}

/// SqueezeNet 1.1: a first convolution of 3×3 to 64 channels, and pools that come earlier.
pub fn squeezenet1_1(name: &str) -> Network {
    let layers = [
        Max,
        Fire(16, 64),
        Fire(16, 64),
        Max,
        Fire(32, 128),
        Fire(32, 128),
        Max,
        Fire(48, 192),
        Fire(48, 192),
        Fire(64, 256),
        Fire(64, 256),
    ];
    squeezenet(name, Conv::new(64, 3), &layers)
}

/// Taps: `gap` and `pooled` (one and the same: the mean of the last map, 512), `features`, `logits`.
fn squeezenet(name: &str, first: Conv, layers: &[Layer]) -> Network {
    let mut net = Builder::image();
    let x = net.conv("features.0", net.input(), first.stride(2).pad(0).bias());
    let mut x = net.relu("features.1", x);
    for (i, layer) in layers.iter().enumerate() {
        let at = format!("features.{}", i + 2);
        x = match *layer {
            Fire(squeeze, expand) => fire(&mut net, &at, x, squeeze, expand),
            Max => net.max_pool(&at, x, Pool::new(3, 2).ceil()),
        };
    }
    net.module("features", x);
    let gap = net.global_average_pool("gap", x);
    net.tap("gap", gap);
    net.tap("pooled", gap);
    // The classifier is a convolution whose map is averaged last. Its dropout, classifier.0, does nothing here.
    net.module("classifier.0", x);
    let x = net.conv("classifier.1", x, Conv::new(1000, 1).bias());
    let x = net.relu("classifier.2", x);
    let logits = net.global_average_pool("classifier.3", x);
    net.module("classifier", logits);
    net.tap("logits", logits);
    net.finish(name, logits)
}

fn fire(net: &mut Builder, at: &str, x: NodeId, squeeze: usize, expand: usize) -> NodeId {
    let mut part = |x, part: &str, conv: Conv| {
        let x = net.conv(&format!("{at}.{part}"), x, conv.bias());
        net.relu(&format!("{at}.{part}_activation"), x)
    };
    let squeezed = part(x, "squeeze", Conv::new(squeeze, 1));
    let narrow = part(squeezed, "expand1x1", Conv::new(expand, 1));
    let wide = part(squeezed, "expand3x3", Conv::new(expand, 3));
    net.concat(at, &[narrow, wide])
}

/// Where keras-squeezenet (github.com/rcmalli/keras-squeezenet) keeps a parameter of version 1.1.
fn keras_place(param: &str) -> Stored {
    let Some((module, part)) = param.rsplit_once('.') else { return Stored::As(param.to_owned()) };
    let layer = match module {
        "features.0" => "conv1".to_owned(),
        "classifier.1" => "conv10".to_owned(),
        _ => {
            let fire = module.strip_prefix("features.").and_then(|rest| rest.split_once('.'));
            let Some((at, layer)) = fire else { return Stored::As(param.to_owned()) };
            // Fire modules are counted from 2, pools between them not at all.
            let fires = ["3", "4", "6", "7", "9", "10", "11", "12"];
            let Some(number) = fires.iter().position(|fire| *fire == at) else {
                return Stored::As(param.to_owned());
            };
            let layer = if layer == "squeeze" { "squeeze1x1" } else { layer };
            format!("fire{}_{layer}", number + 2)
        }
    };
    keras::kept(&layer, part, Turn::Conv)
}
