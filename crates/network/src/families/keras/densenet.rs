//! DenseNet (Huang et al., 2016), as Keras builds it: torchvision's graph with another eps.

use super::{DIALECTS, average_and_predict, recipes};
use crate::entry::{Entry, keras};
use crate::families::Family;
use crate::{Builder, Conv, Network, NodeId, Pool};

pub(super) static FAMILY: Family = Family {
    networks: &[
        network("keras_densenet121", |name| densenet(name, [6, 12, 24, 16])),
        network("keras_densenet169", |name| densenet(name, [6, 12, 32, 32])),
        network("keras_densenet201", |name| densenet(name, [6, 12, 48, 32])),
    ],
    dialects: DIALECTS,
};

const fn network(name: &'static str, build: fn(&'static str) -> Network) -> Entry {
    keras(name, || recipes::torch(224), build)
}

const GROWTH: usize = 32;

/// Taps: `pooled` and `gap` (one and the same), `conv2` to `conv5`, `logits`.
fn densenet(name: &str, depths: [usize; 4]) -> Network {
    let mut net = Builder::image();
    net.set_batch_norm_eps(1.001e-5);
    let x = net.conv_bn("conv1_conv", "conv1_bn", net.input(), Conv::new(2 * GROWTH, 7).stride(2));
    let x = net.relu("conv1_relu", x);
    let mut x = net.max_pool("pool1", x, Pool::new(3, 2).pad(1));
    for (stage, depth) in (2..).zip(depths) {
        for block in 1..=depth {
            x = dense_layer(&mut net, &format!("conv{stage}_block{block}"), x);
        }
        net.tap(&format!("conv{stage}"), x);
        if stage < 5 {
            x = transition(&mut net, &format!("pool{stage}"), x);
        }
    }
    let x = net.batch_norm("bn", x);
    let x = net.relu("relu", x);
    let logits = average_and_predict(&mut net, x);
    net.finish(name, logits)
}

fn dense_layer(net: &mut Builder, at: &str, x: NodeId) -> NodeId {
    let part = |name: &str| format!("{at}_{name}");
    let y = net.batch_norm(&part("0_bn"), x);
    let y = net.relu(&part("0_relu"), y);
    let y = net.conv_bn(&part("1_conv"), &part("1_bn"), y, Conv::new(4 * GROWTH, 1));
    let y = net.relu(&part("1_relu"), y);
    let y = net.conv(&part("2_conv"), y, Conv::new(GROWTH, 3));
    net.concat(&part("concat"), &[x, y])
}

fn transition(net: &mut Builder, at: &str, x: NodeId) -> NodeId {
    let part = |name: &str| format!("{at}_{name}");
    let half = net.width(x) / 2;
    let x = net.batch_norm(&part("bn"), x);
    let x = net.relu(&part("relu"), x);
    let x = net.conv(&part("conv"), x, Conv::new(half, 1));
    net.average_pool(&part("pool"), x, Pool::new(2, 2))
}
