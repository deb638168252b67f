//! AlexNet (Krizhevsky, 2014, "One weird trick for parallelizing convolutional neural networks"), as torchvision builds it.

use super::{Family, layers::dense_classifier};
use crate::entry::{Entry, entry, imagenet};
use crate::{Builder, Conv, Network, Pool};

/// This network by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[Entry { default_tap: "gap", ..entry("alexnet", imagenet, alexnet) }],
    dialects: &[],
};

/// The network. Taps: `gap` (256, the mean of the last map), `fc7` (4096, after the second ReLU of the classifier),
/// `pooled` (what the last layer reads, which is `fc7`), `features`, `logits`.
///
/// Inputs of any size from 63×63 work: the map is brought to 6×6 before the classifier.
pub fn alexnet(name: &str) -> Network {
    let mut net = Builder::image();
    let mut x = net.input();
    let mut next = 0..;
    let mut name_next = || format!("features.{}", next.next().unwrap_or_default());
    for (conv, pools) in [
        (Conv::new(64, 11).stride(4).pad(2), true),
        (Conv::new(192, 5), true),
        (Conv::new(384, 3), false),
        (Conv::new(256, 3), false),
        (Conv::new(256, 3), true),
    ] {
        x = net.conv(&name_next(), x, conv.bias());
        x = net.relu(&name_next(), x);
        if pools {
            x = net.max_pool(&name_next(), x, Pool::new(3, 2));
        }
    }
    net.module("features", x);
    let [flat, fc6, _, logits] = dense_classifier(&mut net, x, 6, [1, 2, 4, 5, 6]);
    // Dropout does nothing to a frozen network, but its modules can be asked for.
    for (name, node) in [("classifier.0", flat), ("classifier.3", fc6), ("classifier", logits)] {
        net.module(name, node);
    }
    net.finish(name, logits)
}
