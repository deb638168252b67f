//! DenseNet (Huang et al., 2016, table 1), as torchvision builds it; timm's names are the same.

use super::Family;
use super::layers::average_and_classify;
use crate::entry::{entry, imagenet};
use crate::{Builder, Conv, Dialect, Network, NodeId, Pool};

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        entry("densenet121", imagenet, |name| densenet(name, 32, [6, 12, 24, 16])),
        entry("densenet161", imagenet, |name| densenet(name, 48, [6, 12, 36, 24])),
        entry("densenet169", imagenet, |name| densenet(name, 32, [6, 12, 32, 32])),
        entry("densenet201", imagenet, |name| densenet(name, 32, [6, 12, 48, 32])),
    ],
    dialects: &[Dialect::same("timm")],
};

/// The network, in which every layer adds `growth` channels. Taps: `pooled` and `gap` (one and the same), `denseblock1`
/// to `denseblock4`, `features`, `logits`.
pub fn densenet(name: &str, growth: usize, depths: [usize; 4]) -> Network {
    let mut net = Builder::image();
    let input = net.input();
    let x = net.conv_bn("features.conv0", "features.norm0", input, Conv::new(2 * growth, 7).stride(2));
    let x = net.relu("features.relu0", x);
    let mut x = net.max_pool("features.pool0", x, Pool::new(3, 2).pad(1));
    for (i, depth) in depths.into_iter().enumerate() {
        let block = format!("features.denseblock{}", i + 1);
        for layer in 1..=depth {
            x = dense_layer(&mut net, &format!("{block}.denselayer{layer}"), x, growth);
        }
        net.module(&block, x);
        net.tap(&format!("denseblock{}", i + 1), x);
        if i < 3 {
            x = transition(&mut net, &format!("features.transition{}", i + 1), x);
        }
    }
    let x = net.batch_norm("features.norm5", x);
    net.module("features", x);
    let x = net.relu("relu", x);
    let logits = average_and_classify(&mut net, x, "classifier");
    net.finish(name, logits)
}

/// What there is, and `growth` new channels made of all of it.
fn dense_layer(net: &mut Builder, at: &str, x: NodeId, growth: usize) -> NodeId {
    let part = |name: &str| format!("{at}.{name}");
    let y = net.batch_norm(&part("norm1"), x);
    let y = net.relu(&part("relu1"), y);
    let y = net.conv_bn(&part("conv1"), &part("norm2"), y, Conv::new(4 * growth, 1));
    let y = net.relu(&part("relu2"), y);
    let y = net.conv(&part("conv2"), y, Conv::new(growth, 3));
    net.module(at, y);
    net.concat(&part("concat"), &[x, y])
}

/// Half of the channels, half of the sides.
fn transition(net: &mut Builder, at: &str, x: NodeId) -> NodeId {
    let part = |name: &str| format!("{at}.{name}");
    let half = net.width(x) / 2;
    let x = net.batch_norm(&part("norm"), x);
    let x = net.relu(&part("relu"), x);
    let x = net.conv(&part("conv"), x, Conv::new(half, 1));
    let x = net.average_pool(&part("pool"), x, Pool::new(2, 2));
    net.module(at, x);
    x
}
