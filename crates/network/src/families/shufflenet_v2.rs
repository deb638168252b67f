//! ShuffleNetV2 (Ma et al., 2018, table 5), as torchvision builds it.

use super::Family;
use super::layers::average_and_classify;
use crate::entry::{bilinear, entry, imagenet};
use crate::{Builder, Conv, Network, NodeId, Pool};

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        entry("shufflenet_v2_x0_5", imagenet, |name| shufflenet_v2(name, [48, 96, 192], 1024)),
        entry("shufflenet_v2_x1_0", imagenet, |name| shufflenet_v2(name, [116, 232, 464], 1024)),
        entry("shufflenet_v2_x1_5", || bilinear(232, 224), |name| shufflenet_v2(name, [176, 352, 704], 1024)),
        entry("shufflenet_v2_x2_0", || bilinear(232, 224), |name| shufflenet_v2(name, [244, 488, 976], 2048)),
    ],
    dialects: &[],
};

/// Blocks of every stage.
const DEPTHS: [usize; 3] = [4, 8, 4];

/// The network, with `widths` channels in its stages and `last` at the end. Taps: `pooled` and `gap` (one and the same),
/// `stage2` to `stage4`, `logits`.
pub fn shufflenet_v2(name: &str, widths: [usize; 3], last: usize) -> Network {
    let mut net = Builder::image();
    let input = net.input();
    let x = conv_bn_relu(&mut net, "conv1", 0, input, Conv::new(24, 3).stride(2));
    net.module("conv1", x);
    let mut x = net.max_pool("maxpool", x, Pool::new(3, 2).pad(1));
    for ((width, depth), stage) in widths.into_iter().zip(DEPTHS).zip(2..) {
        let stage = format!("stage{stage}");
        for block in 0..depth {
            let at = format!("{stage}.{block}");
            x = if block == 0 { smaller(&mut net, &at, x, width / 2) } else { same(&mut net, &at, x) };
        }
        net.module(&stage, x);
        net.tap(&stage, x);
    }
    let x = conv_bn_relu(&mut net, "conv5", 0, x, Conv::new(last, 1));
    net.module("conv5", x);
    let logits = average_and_classify(&mut net, x, "fc");
    net.finish(name, logits)
}

/// Half of the sides; each branch sees all of it, and gives `width` channels.
fn smaller(net: &mut Builder, at: &str, x: NodeId, width: usize) -> NodeId {
    let branch = format!("{at}.branch1");
    let one = depthwise(net, &branch, 0, x, 2);
    let one = conv_bn_relu(net, &branch, 2, one, Conv::new(width, 1));
    net.module(&branch, one);
    let two = long_branch(net, at, x, width, 2);
    shuffled(net, at, one, two)
}

/// One half of the channels as it is, beside what becomes of the other.
fn same(net: &mut Builder, at: &str, x: NodeId) -> NodeId {
    let width = net.width(x);
    let one = net.channels(&format!("{at}.branch1"), x, (0, width / 2));
    let two = net.channels(&format!("{at}.chunk"), x, (width / 2, width));
    let two = long_branch(net, at, two, width / 2, 1);
    shuffled(net, at, one, two)
}

fn long_branch(net: &mut Builder, at: &str, x: NodeId, width: usize, stride: usize) -> NodeId {
    let branch = format!("{at}.branch2");
    let x = conv_bn_relu(net, &branch, 0, x, Conv::new(width, 1));
    let x = depthwise(net, &branch, 3, x, stride);
    let x = conv_bn_relu(net, &branch, 5, x, Conv::new(width, 1));
    net.module(&branch, x);
    x
}

fn shuffled(net: &mut Builder, at: &str, one: NodeId, two: NodeId) -> NodeId {
    let x = net.concat(&format!("{at}.concat"), &[one, two]);
    net.shuffle(at, x, 2)
}

/// A convolution and a batch norm, numbered from `first` on.
fn depthwise(net: &mut Builder, branch: &str, first: usize, x: NodeId, stride: usize) -> NodeId {
    let width = net.width(x);
    let names = [first, first + 1].map(|part| format!("{branch}.{part}"));
    net.conv_bn(&names[0], &names[1], x, Conv::new(width, 3).stride(stride).groups(width))
}

/// The same with a ReLU.
fn conv_bn_relu(net: &mut Builder, branch: &str, first: usize, x: NodeId, conv: Conv) -> NodeId {
    let names = [first, first + 1, first + 2].map(|part| format!("{branch}.{part}"));
    let x = net.conv_bn(&names[0], &names[1], x, conv);
    net.relu(&names[2], x)
}
