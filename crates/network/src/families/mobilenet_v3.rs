//! MobileNetV3 (Howard et al., 2019, tables 1 and 2), width 1.0, as torchvision builds it.

use super::Family;
use super::layers::{InvertedResidual, conv_bn_act, multiple_of_8};
use crate::entry::{entry, imagenet};
use crate::{Activation, Builder, Conv, Network};
use Activation::{HardSigmoid, HardSwish, Relu};

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        entry("mobilenet_v3_small", imagenet, |name| mobilenet_v3(name, &SMALL, 1024)),
        entry("mobilenet_v3_large", imagenet, |name| mobilenet_v3(name, &LARGE, 1280)),
    ],
    dialects: &[],
};

/// Kernel, channels inside, channels after, whether it squeezes and excites, activation, stride.
type Row = (usize, usize, usize, bool, Activation, usize);

const SMALL: [Row; 11] = [
    (3, 16, 16, true, Relu, 2),
    (3, 72, 24, false, Relu, 2),
    (3, 88, 24, false, Relu, 1),
    (5, 96, 40, true, HardSwish, 2),
    (5, 240, 40, true, HardSwish, 1),
    (5, 240, 40, true, HardSwish, 1),
    (5, 120, 48, true, HardSwish, 1),
    (5, 144, 48, true, HardSwish, 1),
    (5, 288, 96, true, HardSwish, 2),
    (5, 576, 96, true, HardSwish, 1),
    (5, 576, 96, true, HardSwish, 1),
];

const LARGE: [Row; 15] = [
    (3, 16, 16, false, Relu, 1),
    (3, 64, 24, false, Relu, 2),
    (3, 72, 24, false, Relu, 1),
    (5, 72, 40, true, Relu, 2),
    (5, 120, 40, true, Relu, 1),
    (5, 120, 40, true, Relu, 1),
    (3, 240, 80, false, HardSwish, 2),
    (3, 200, 80, false, HardSwish, 1),
    (3, 184, 80, false, HardSwish, 1),
    (3, 184, 80, false, HardSwish, 1),
    (3, 480, 112, true, HardSwish, 1),
    (3, 672, 112, true, HardSwish, 1),
    (5, 672, 160, true, HardSwish, 2),
    (5, 960, 160, true, HardSwish, 1),
    (5, 960, 160, true, HardSwish, 1),
];

/// The network. Taps: `pooled` and `gap` (one and the same: 576 or 960), `features`, `logits`.
fn mobilenet_v3(name: &str, rows: &[Row], hidden: usize) -> Network {
    let mut net = Builder::image();
    net.set_batch_norm_eps(1e-3);
    let input = net.input();
    let mut x = conv_bn_act(&mut net, "features.0", input, Conv::new(16, 3).stride(2), Some(HardSwish));
    for (i, &(kernel, expanded, out, squeezes, activation, stride)) in rows.iter().enumerate() {
        let squeeze = squeezes.then(|| multiple_of_8(expanded, 4));
        let gate = [Relu, HardSigmoid];
        let block = InvertedResidual { kernel, expanded, out, stride, squeeze, activation, gate };
        x = block.build(&mut net, &format!("features.{}", i + 1), x);
    }
    let last = Conv::new(6 * net.width(x), 1);
    x = conv_bn_act(&mut net, &format!("features.{}", rows.len() + 1), x, last, Some(HardSwish));
    net.module("features", x);
    let pooled = net.global_average_pool("avgpool", x);
    net.tap("pooled", pooled);
    net.tap("gap", pooled);
    let x = net.linear("classifier.0", pooled, hidden);
    let x = net.activation("classifier.1", x, HardSwish);
    net.module("classifier.2", x);
    let logits = net.linear("classifier.3", x, 1000);
    net.module("classifier", logits);
    net.tap("logits", logits);
    net.finish(name, logits)
}
