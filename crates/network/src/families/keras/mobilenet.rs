//! MobileNet (Howard et al., 2017) and MobileNetV2 (Sandler et al., 2018), as Keras builds them. A step of 2 pads behind only.

use super::{DIALECTS, average_and_predict, recipes, step_padding};
use crate::entry::keras;
use crate::families::Family;
use crate::{Activation, Builder, Conv, Network, NodeId};

pub(super) static FAMILY: Family = Family {
    networks: &[
        keras("keras_mobilenet", || recipes::centred(224), mobilenet),
        keras("keras_mobilenet_v2", || recipes::centred(224), mobilenet_v2),
    ],
    dialects: DIALECTS,
};

const EPS: f32 = 1e-3;

fn conv_bn_relu6(net: &mut Builder, [conv, norm, relu]: [&str; 3], x: NodeId, shape: Conv) -> NodeId {
    let x = net.conv_bn(conv, norm, x, shape);
    net.activation(relu, x, Activation::Relu6)
}

/// A depthwise 3×3 convolution. Maps of these networks have even sides before each step of 2.
fn depthwise(channels: usize, stride: usize) -> Conv {
    let conv = Conv::new(channels, 3).groups(channels);
    if stride == 2 { conv.stride(2).pad(step_padding(3, 224)) } else { conv }
}

/// Taps: `pooled` and `gap` (one and the same), `logits`.
fn mobilenet(name: &str) -> Network {
    let mut net = Builder::image();
    net.set_batch_norm_eps(EPS);
    let first = Conv::new(32, 3).stride(2).pad(step_padding(3, 224));
    let input = net.input();
    let mut x = conv_bn_relu6(&mut net, ["conv1", "conv1_bn", "conv1_relu"], input, first);
    let blocks = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024];
    for (i, out) in blocks.into_iter().enumerate() {
        let stride = if [2, 4, 6, 12].contains(&(i + 1)) { 2 } else { 1 };
        let channels = net.width(x);
        for (part, conv) in [("dw", depthwise(channels, stride)), ("pw", Conv::new(out, 1))] {
            let at = format!("conv_{part}_{}", i + 1);
            x = conv_bn_relu6(&mut net, [&at, &format!("{at}_bn"), &format!("{at}_relu")], x, conv);
        }
    }
    let pooled = net.global_average_pool("avg_pool", x);
    net.tap("pooled", pooled);
    net.tap("gap", pooled);
    let cells = net.adaptive_average_pool("global_average_pooling2d", x, 1);
    let scores = net.conv("conv_preds", cells, Conv::new(1000, 1).bias());
    let logits = net.flatten("reshape_2", scores);
    net.tap("logits", logits);
    net.finish(name, logits)
}

/// Taps: as above.
fn mobilenet_v2(name: &str) -> Network {
    let mut net = Builder::image();
    net.set_batch_norm_eps(EPS);
    let first = Conv::new(32, 3).stride(2).pad(step_padding(3, 224));
    let input = net.input();
    let mut x = conv_bn_relu6(&mut net, ["Conv1", "bn_Conv1", "Conv1_relu"], input, first);
    // Channels, blocks, and the step of the first.
    let stages = [(16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1)];
    let mut block = 0;
    for (out, depth, step) in stages {
        for i in 0..depth {
            x = inverted_residual(&mut net, x, block, out, if i == 0 { step } else { 1 });
            block += 1;
        }
    }
    let x = conv_bn_relu6(&mut net, ["Conv_1", "Conv_1_bn", "out_relu"], x, Conv::new(1280, 1));
    let logits = average_and_predict(&mut net, x);
    net.finish(name, logits)
}

fn inverted_residual(net: &mut Builder, x: NodeId, block: usize, out: usize, stride: usize) -> NodeId {
    let at = if block == 0 { "expanded_conv".to_owned() } else { format!("block_{block}") };
    let part = |name: &str| format!("{at}_{name}");
    let inputs = net.width(x);
    let mut y = x;
    if block > 0 {
        let names = [part("expand"), part("expand_BN"), part("expand_relu")];
        y = conv_bn_relu6(net, names.each_ref().map(String::as_str), y, Conv::new(6 * inputs, 1));
    }
    let names = [part("depthwise"), part("depthwise_BN"), part("depthwise_relu")];
    let conv = depthwise(net.width(y), stride);
    y = conv_bn_relu6(net, names.each_ref().map(String::as_str), y, conv);
    y = net.conv_bn(&part("project"), &part("project_BN"), y, Conv::new(out, 1));
    if inputs == out && stride == 1 { net.add(&part("add"), x, y) } else { y }
}
