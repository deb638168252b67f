//! EfficientNet (Tan & Le, 2019), as Keras builds it for ImageNet: normalisation is inside, and steps of 2 pad less before
//! than behind where a side is even. Padding is that of the network's own size.

use super::{average_and_predict, place, recipes, step_padding};
use crate::entry::keras;
use crate::families::{Family, efficientnet::B0 as STAGES, layers::multiple_of_8};
use crate::{Activation, Builder, Conv, Dialect, Network, NodeId, Stored};
use Activation::{Sigmoid, Silu};

pub(super) static FAMILY: Family = Family {
    networks: &[
        keras("keras_efficientnet_b0", || recipes::unit(224), |name| B0.build(name)),
        keras("keras_efficientnet_b1", || recipes::unit(240), |name| B1.build(name)),
        keras("keras_efficientnet_b2", || recipes::unit(260), |name| B2.build(name)),
        keras("keras_efficientnet_b3", || recipes::unit(300), |name| B3.build(name)),
        keras("keras_efficientnet_b4", || recipes::unit(380), |name| B4.build(name)),
        keras("keras_efficientnet_b5", || recipes::unit(456), |name| B5.build(name)),
        keras("keras_efficientnet_b6", || recipes::unit(528), |name| B6.build(name)),
        keras("keras_efficientnet_b7", || recipes::unit(600), |name| B7.build(name)),
    ],
    dialects: &[Dialect::stored("Keras", normalised)],
};

const B0: EfficientNet = EfficientNet::new(10, 10, 224);
const B1: EfficientNet = EfficientNet::new(10, 11, 240);
const B2: EfficientNet = EfficientNet::new(11, 12, 260);
const B3: EfficientNet = EfficientNet::new(12, 14, 300);
const B4: EfficientNet = EfficientNet::new(14, 18, 380);
const B5: EfficientNet = EfficientNet::new(16, 22, 456);
const B6: EfficientNet = EfficientNet::new(18, 26, 528);
const B7: EfficientNet = EfficientNet::new(20, 31, 600);

/// Width and depth in tenths, and the side of its pictures.
#[derive(Clone, Copy)]
struct EfficientNet {
    width: usize,
    depth: usize,
    side: usize,
}

/// What one block does.
struct Block {
    kernel: usize,
    out: usize,
    expansion: usize,
    stride: usize,
    /// Of the map that it reads.
    side: usize,
}

impl EfficientNet {
    const fn new(width: usize, depth: usize, side: usize) -> EfficientNet {
        EfficientNet { width, depth, side }
    }

    fn channels(self, channels: usize) -> usize {
        multiple_of_8(channels * self.width, 10)
    }

    /// Taps: `pooled` and `gap` (one and the same), `logits`.
    fn build(self, name: &str) -> Network {
        let mut net = Builder::image();
        let mut side = self.side;
        let x = normalisation(&mut net);
        net.set_batch_norm_eps(1e-3);
        let stem = Conv::new(self.channels(32), 3).stride(2).pad(step_padding(3, side));
        side = side.div_ceil(2);
        let x = net.conv_bn("stem_conv", "stem_bn", x, stem);
        let mut x = net.activation("stem_activation", x, Silu);
        for (stage, (expansion, kernel, step, out, depth)) in (1..).zip(STAGES) {
            for (letter, i) in ('a'..).zip(0..(depth * self.depth).div_ceil(10)) {
                let stride = if i == 0 { step } else { 1 };
                let block = Block { kernel, out: self.channels(out), expansion, stride, side };
                x = block.build(&mut net, &format!("block{stage}{letter}"), x);
                side = side.div_ceil(stride);
            }
        }
        let x = net.conv_bn("top_conv", "top_bn", x, Conv::new(self.channels(1280), 1));
        let x = net.activation("top_activation", x, Silu);
        let logits = average_and_predict(&mut net, x);
        net.finish(name, logits)
    }
}

/// (x - mean) / variance. Keras divides by the root of the variance in a layer with weights, and again in one without, so
/// that what it calls the variance is ImageNet's deviation (tensorflow issue 49930).
fn normalisation(net: &mut Builder) -> NodeId {
    // As good as none: Keras allows for no smaller deviation than 1e-7.
    net.set_batch_norm_eps(1e-14);
    let x = net.batch_norm("normalization_0", net.input());
    net.batch_norm("rescaling", x)
}

/// Where Keras keeps a parameter of these networks.
fn normalised(param: &str) -> Stored {
    let kept = |weight: &str| Stored::As(format!("normalization_0/{weight}"));
    match param.split_once('.') {
        Some(("normalization_0" | "rescaling", "weight")) => Stored::Always(1.0),
        Some(("normalization_0" | "rescaling", "bias")) | Some(("rescaling", "running_mean")) => {
            Stored::Always(0.0)
        }
        Some(("normalization_0", "running_mean")) => kept("mean"),
        Some(("normalization_0" | "rescaling", "running_var")) => kept("variance"),
        _ => place(param),
    }
}

impl Block {
    fn build(self, net: &mut Builder, at: &str, x: NodeId) -> NodeId {
        let Block { kernel, out, expansion, stride, side } = self;
        let part = |name: &str| format!("{at}_{name}");
        let inputs = net.width(x);
        let inside = inputs * expansion;
        let mut y = x;
        if expansion > 1 {
            y = net.conv_bn(&part("expand_conv"), &part("expand_bn"), y, Conv::new(inside, 1));
            y = net.activation(&part("expand_activation"), y, Silu);
        }
        let depthwise = Conv::new(inside, kernel).groups(inside);
        let depthwise =
            if stride == 2 { depthwise.stride(2).pad(step_padding(kernel, side)) } else { depthwise };
        y = net.conv_bn(&part("dwconv"), &part("bn"), y, depthwise);
        y = net.activation(&part("activation"), y, Silu);
        let means = net.adaptive_average_pool(&part("se_squeeze"), y, 1);
        let gates = net.conv(&part("se_reduce"), means, Conv::new((inputs / 4).max(1), 1).bias());
        let gates = net.activation(&part("se_reduce_activation"), gates, Silu);
        let gates = net.conv(&part("se_expand"), gates, Conv::new(inside, 1).bias());
        let gates = net.activation(&part("se_expand_activation"), gates, Sigmoid);
        y = net.gate(&part("se_excite"), y, gates);
        y = net.conv_bn(&part("project_conv"), &part("project_bn"), y, Conv::new(out, 1));
        if stride == 1 && inputs == out { net.add(&part("add"), y, x) } else { y }
    }
}
