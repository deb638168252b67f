//! ResNet (He et al., 2015) and its second version, with activations first (He et al., 2016), as Keras builds them.
//!
//! Convolutions have biases. Version 1 steps in the first 1×1 convolution of a stage, version 2 in the last block of one.

use super::{DIALECTS, average_and_predict, caffe, recipes};
use crate::entry::{Entry, keras};
use crate::families::Family;
use crate::{Builder, Conv, Network, NodeId, Pool};

pub(super) static FAMILY: Family = Family {
    networks: &[
        first("keras_resnet50", |name| resnet(name, [3, 4, 6, 3])),
        first("keras_resnet101", |name| resnet(name, [3, 4, 23, 3])),
        first("keras_resnet152", |name| resnet(name, [3, 8, 36, 3])),
        second("keras_resnet50v2", |name| resnet_v2(name, [3, 4, 6, 3])),
        second("keras_resnet101v2", |name| resnet_v2(name, [3, 4, 23, 3])),
        second("keras_resnet152v2", |name| resnet_v2(name, [3, 8, 36, 3])),
    ],
    dialects: DIALECTS,
};

const fn first(name: &'static str, build: fn(&'static str) -> Network) -> Entry {
    keras(name, caffe, build)
}

const fn second(name: &'static str, build: fn(&'static str) -> Network) -> Entry {
    keras(name, || recipes::centred(224), build)
}

const EPS: f32 = 1.001e-5;
const WIDTHS: [usize; 4] = [64, 128, 256, 512];

/// Taps: `pooled` and `gap` (one and the same), `conv2` to `conv5`, `logits`.
fn resnet(name: &str, depths: [usize; 4]) -> Network {
    let mut net = Builder::image();
    net.set_batch_norm_eps(EPS);
    let input = net.input();
    let x = net.conv_bn("conv1_conv", "conv1_bn", input, Conv::new(64, 7).stride(2).bias());
    let x = net.relu("conv1_relu", x);
    // Keras pads with zeros here, which never win over what a ReLU gives.
    let mut x = net.max_pool("pool1_pool", x, Pool::new(3, 2).pad(1));
    for (stage, (depth, width)) in depths.into_iter().zip(WIDTHS).enumerate() {
        for block in 1..=depth {
            let stride = if block == 1 && stage > 0 { 2 } else { 1 };
            x = residual_block(
                &mut net,
                &format!("conv{}_block{block}", stage + 2),
                x,
                width,
                stride,
                block == 1,
            );
        }
        net.tap(&format!("conv{}", stage + 2), x);
    }
    let logits = average_and_predict(&mut net, x);
    net.finish(name, logits)
}

fn residual_block(
    net: &mut Builder,
    at: &str,
    x: NodeId,
    width: usize,
    stride: usize,
    changes: bool,
) -> NodeId {
    let part = |name: &str| format!("{at}_{name}");
    let conv_bn = |net: &mut Builder, x, n: usize, conv: Conv| {
        net.conv_bn(&part(&format!("{n}_conv")), &part(&format!("{n}_bn")), x, conv.bias())
    };
    let shortcut = if changes { conv_bn(net, x, 0, Conv::new(4 * width, 1).stride(stride)) } else { x };
    let y = conv_bn(net, x, 1, Conv::new(width, 1).stride(stride));
    let y = net.relu(&part("1_relu"), y);
    let y = conv_bn(net, y, 2, Conv::new(width, 3));
    let y = net.relu(&part("2_relu"), y);
    let y = conv_bn(net, y, 3, Conv::new(4 * width, 1));
    let sum = net.add(&part("add"), shortcut, y);
    net.relu(&part("out"), sum)
}

/// Taps: as above; `conv2` to `conv5` are sums before batch norm.
fn resnet_v2(name: &str, depths: [usize; 4]) -> Network {
    let mut net = Builder::image();
    net.set_batch_norm_eps(EPS);
    let x = net.conv("conv1_conv", net.input(), Conv::new(64, 7).stride(2).bias());
    // Zeros that may win: no ReLU comes before the pool. They come from a convolution whose weights are all 1.
    let x = net.conv("pool1_pad", x, Conv::new(64, 1).groups(64).pad(1));
    let mut x = net.max_pool("pool1_pool", x, Pool::new(3, 2));
    for (stage, (depth, width)) in depths.into_iter().zip(WIDTHS).enumerate() {
        for block in 1..=depth {
            let stride = if block == depth && stage < 3 { 2 } else { 1 };
            let at = format!("conv{}_block{block}", stage + 2);
            x = residual_block_v2(&mut net, &at, x, width, stride, block == 1);
        }
        net.tap(&format!("conv{}", stage + 2), x);
    }
    let x = net.batch_norm("post_bn", x);
    let x = net.relu("post_relu", x);
    let logits = average_and_predict(&mut net, x);
    net.finish(name, logits)
}

fn residual_block_v2(
    net: &mut Builder,
    at: &str,
    x: NodeId,
    width: usize,
    stride: usize,
    changes: bool,
) -> NodeId {
    let part = |name: &str| format!("{at}_{name}");
    let ready = net.batch_norm(&part("preact_bn"), x);
    let ready = net.relu(&part("preact_relu"), ready);
    let shortcut = match (changes, stride) {
        (true, _) => net.conv(&part("0_conv"), ready, Conv::new(4 * width, 1).stride(stride).bias()),
        (false, 1) => x,
        (false, _) => net.max_pool(&part("0_pool"), x, Pool::new(1, stride)),
    };
    let y = net.conv_bn(&part("1_conv"), &part("1_bn"), ready, Conv::new(width, 1));
    let y = net.relu(&part("1_relu"), y);
    let y = net.conv_bn(&part("2_conv"), &part("2_bn"), y, Conv::new(width, 3).stride(stride));
    let y = net.relu(&part("2_relu"), y);
    let y = net.conv(&part("3_conv"), y, Conv::new(4 * width, 1).bias());
    net.add(&part("out"), shortcut, y)
}
