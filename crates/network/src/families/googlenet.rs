//! GoogLeNet (Szegedy et al., 2014, table 1), as torchvision builds it: with batch norms, and kernels of 3×3 where the
//! paper has 5×5. What hangs off it for training is left out.

use super::Family;
use super::layers::{average_and_classify, conv_bn_relu};
use crate::entry::{entry, inception};
use crate::{Builder, Conv, Network, NodeId, Pool};

/// This network by name.
pub(crate) static FAMILY: Family =
    Family { networks: &[entry("googlenet", || inception(256, 224), googlenet)], dialects: &[] };

/// Channels of a block's branches: 1×1; 3×3 and what stands before it; the same again; after the pool.
type Branches = (usize, (usize, usize), (usize, usize), usize);

const STAGES: [(usize, &[Branches]); 3] = [
    (3, &[(64, (96, 128), (16, 32), 32), (128, (128, 192), (32, 96), 64)]),
    (
        4,
        &[
            (192, (96, 208), (16, 48), 64),
            (160, (112, 224), (24, 64), 64),
            (128, (128, 256), (24, 64), 64),
            (112, (144, 288), (32, 64), 64),
            (256, (160, 320), (32, 128), 128),
        ],
    ),
    (5, &[(256, (160, 320), (32, 128), 128), (384, (192, 384), (48, 128), 128)]),
];

/// The network. Taps: `pooled` and `gap` (one and the same, 1024), `inception3`, `inception4`, `inception5`, `logits`.
pub fn googlenet(name: &str) -> Network {
    let mut net = Builder::image();
    net.set_batch_norm_eps(1e-3);
    let input = net.input();
    let x = conv_bn_relu(&mut net, "conv1", input, Conv::new(64, 7).stride(2));
    let x = net.max_pool("maxpool1", x, Pool::new(3, 2).ceil());
    let x = conv_bn_relu(&mut net, "conv2", x, Conv::new(64, 1));
    let mut x = conv_bn_relu(&mut net, "conv3", x, Conv::new(192, 3));
    for (stage, blocks) in STAGES {
        let side = if stage == 5 { 2 } else { 3 };
        x = net.max_pool(&format!("maxpool{}", stage - 1), x, Pool::new(side, 2).ceil());
        for (branches, letter) in blocks.iter().zip('a'..) {
            x = block(&mut net, &format!("inception{stage}{letter}"), x, *branches);
        }
        net.tap(&format!("inception{stage}"), x);
    }
    let logits = average_and_classify(&mut net, x, "fc");
    net.finish(name, logits)
}

fn block(net: &mut Builder, at: &str, x: NodeId, (one, two, three, four): Branches) -> NodeId {
    let part = |name: &str| format!("{at}.{name}");
    let first = conv_bn_relu(net, &part("branch1"), x, Conv::new(one, 1));
    let mut wide = |branch: &str, (before, out): (usize, usize)| {
        let y = conv_bn_relu(net, &part(&format!("{branch}.0")), x, Conv::new(before, 1));
        let y = conv_bn_relu(net, &part(&format!("{branch}.1")), y, Conv::new(out, 3));
        net.module(&part(branch), y);
        y
    };
    let (second, third) = (wide("branch2", two), wide("branch3", three));
    let y = net.max_pool(&part("branch4.0"), x, Pool::new(3, 1).pad(1).ceil());
    let fourth = conv_bn_relu(net, &part("branch4.1"), y, Conv::new(four, 1));
    net.module(&part("branch4"), fourth);
    net.concat(at, &[first, second, third, fourth])
}
