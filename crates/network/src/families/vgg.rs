//! VGG (Simonyan & Zisserman, 2014, table 1), with and without batch norm, as torchvision builds it.

use super::{Family, keras, layers::dense_classifier};
use crate::entry::{Entry, entry, imagenet};
use crate::{Builder, Conv, Network, Pool};
use crate::{Dialect, Stored, Turn};

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        gap("vgg11", |name| vgg(name, VGG11, false)),
        gap("vgg11_bn", |name| vgg(name, VGG11, true)),
        gap("vgg13", |name| vgg(name, VGG13, false)),
        gap("vgg13_bn", |name| vgg(name, VGG13, true)),
        gap("vgg16", |name| vgg(name, VGG16, false)),
        gap("vgg16_bn", |name| vgg(name, VGG16, true)),
        gap("vgg19", |name| vgg(name, VGG19, false)),
        gap("vgg19_bn", |name| vgg(name, VGG19, true)),
    ],
    dialects: &[
        Dialect::timm(timm_name),
        Dialect::keras(|param| keras_place(param, VGG16), keras::caffe).known_for(|name| name == "vgg16"),
        Dialect::keras(|param| keras_place(param, VGG19), keras::caffe).known_for(|name| name == "vgg19"),
    ],
};

const fn gap(name: &'static str, build: fn(&'static str) -> Network) -> Entry {
    Entry { default_tap: "gap", ..entry(name, imagenet, build) }
}

/// Convolutions of 3×3 before each of the five max pools.
pub type Depths = [usize; 5];

/// Configuration A.
pub const VGG11: Depths = [1, 1, 2, 2, 2];
/// Configuration B.
pub const VGG13: Depths = [2, 2, 2, 2, 2];
/// Configuration D.
pub const VGG16: Depths = [2, 2, 3, 3, 3];
/// Configuration E.
pub const VGG19: Depths = [2, 2, 4, 4, 4];

/// The network. Taps: `gap` (512, the mean of the last map), `fc7` (4096, after the second ReLU of the classifier),
/// `pooled` (what the last layer reads, which is `fc7`; timm's pre-logits), `features`, `logits`.
///
/// Inputs of any size from 32×32 work: the map is brought to 7×7 before the classifier.
pub fn vgg(name: &str, depths: Depths, batch_norm: bool) -> Network {
    let mut net = Builder::image();
    let mut x = net.input();
    // Modules are numbered through, as torchvision's `nn.Sequential` does.
    let mut next = 0..;
    let mut name_next = || format!("features.{}", next.next().unwrap_or_default());
    for (depth, width) in depths.into_iter().zip([64, 128, 256, 512, 512]) {
        for _ in 0..depth {
            x = net.conv(&name_next(), x, Conv::new(width, 3).bias());
            if batch_norm {
                x = net.batch_norm(&name_next(), x);
            }
            x = net.relu(&name_next(), x);
        }
        x = net.max_pool(&name_next(), x, Pool::new(2, 2));
    }
    let [_, fc6, fc7, logits] = dense_classifier(&mut net, x, 7, [0, 1, 3, 4, 6]);
    net.module("features", x);
    // Dropout does nothing to a frozen network, but its modules can be asked for.
    net.module("classifier.2", fc6);
    net.module("classifier.5", fc7);
    net.module("classifier", logits);
    net.finish(name, logits)
}

/// timm's name of a parameter. Its classifier's first layers are convolutions of 7×7 and 1×1: the same numbers.
pub fn timm_name(param: &str) -> String {
    for (ours, theirs) in [
        ("classifier.0.", "pre_logits.fc1."),
        ("classifier.3.", "pre_logits.fc2."),
        ("classifier.6.", "head.fc."),
    ] {
        if let Some(part) = param.strip_prefix(ours) {
            return format!("{theirs}{part}");
        }
    }
    param.to_owned()
}

/// Where Keras keeps a parameter of the network of these depths.
fn keras_place(param: &str, depths: Depths) -> Stored {
    let Some((module, part)) = param.rsplit_once('.') else { return Stored::As(param.to_owned()) };
    let number = |text: &str| text.parse::<usize>().ok();
    match module {
        // Keras flattens rows, columns and then channels.
        "classifier.0" => keras::kept("fc1", part, Turn::Flattened { height: 7, width: 7 }),
        "classifier.3" => keras::kept("fc2", part, Turn::Dense),
        "classifier.6" => keras::kept("predictions", part, Turn::Dense),
        _ => match module.strip_prefix("features.").and_then(number).and_then(|at| conv_at(at, depths)) {
            Some((block, conv)) => keras::kept(&format!("block{block}_conv{conv}"), part, Turn::Conv),
            None => Stored::As(param.to_owned()),
        },
    }
}

/// Block and number, both from 1, of the convolution that is this module: each has its ReLU after it, and each block a pool.
fn conv_at(mut module: usize, depths: Depths) -> Option<(usize, usize)> {
    for (block, depth) in depths.into_iter().enumerate() {
        if module < 2 * depth {
            return module.is_multiple_of(2).then_some((block + 1, module / 2 + 1));
        }
        module = module.checked_sub(2 * depth + 1)?;
    }
    None
}
