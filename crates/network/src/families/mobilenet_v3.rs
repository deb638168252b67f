//! MobileNetV3 (Howard et al., 2019, tables 1 and 2), width 1.0, as torchvision builds it. timm's have another eps.

use super::Family;
use super::layers::{InvertedResidual, conv_bn_act, multiple_of_8, replaced};
use crate::entry::{bicubic, entry, imagenet, timm};
use crate::{Activation, Builder, Conv, Dialect, Network};
use Activation::{HardSigmoid, HardSwish, Relu};

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        entry("mobilenet_v3_small", imagenet, |name| mobilenet_v3(name, &SMALL, 1024, 1e-3)),
        entry("mobilenet_v3_large", imagenet, |name| mobilenet_v3(name, &LARGE, 1280, 1e-3)),
        timm(
            "mobilenetv3_small_100",
            &["lamb_in1k"],
            || bicubic(256, 224),
            |name| mobilenet_v3(name, &SMALL, 1024, 1e-5),
        ),
        timm(
            "mobilenetv3_large_100",
            &["ra_in1k"],
            || bicubic(256, 224),
            |name| mobilenet_v3(name, &LARGE, 1280, 1e-5),
        ),
    ],
    dialects: &[
        Dialect::timm(timm_small).only_of(|name| name == "mobilenetv3_small_100"),
        Dialect::timm(timm_large).only_of(|name| name == "mobilenetv3_large_100"),
    ],
};

/// How many blocks timm counts as a stage.
const SMALL_STAGES: [usize; 5] = [1, 2, 3, 2, 3];
const LARGE_STAGES: [usize; 6] = [1, 2, 3, 4, 2, 3];

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
fn mobilenet_v3(name: &str, rows: &[Row], hidden: usize, eps: f32) -> Network {
    let mut net = Builder::image();
    net.set_batch_norm_eps(eps);
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

/// timm's name of a parameter of the network of these rows, of which it counts so many as a stage each.
fn timm_name(param: &str, rows: &[Row], stages: &[usize]) -> String {
    let place = |param: &str| -> Option<String> {
        let (at, part) = param.strip_prefix("features.")?.split_once('.')?;
        let at = at.parse::<usize>().ok()?.checked_sub(1)?;
        let Some(row) = rows.get(at) else {
            let (layer, weight) = part.split_once('.')?;
            let layer = if layer == "0" { "conv" } else { "bn1" };
            return Some(format!("blocks.{}.0.{layer}.{weight}", stages.len()));
        };
        let (mut stage, mut block) = (0, at);
        while block >= stages[stage] {
            block -= stages[stage];
            stage += 1;
        }
        let layer = timm_layer(part.strip_prefix("block.")?, at == 0, row.3)?;
        Some(format!("blocks.{stage}.{block}.{layer}"))
    };
    let ends = [
        ("features.0.0.", "conv_stem."),
        ("features.0.1.", "bn1."),
        ("classifier.0.", "conv_head."),
        ("classifier.3.", "classifier."),
    ];
    place(param).unwrap_or_else(|| replaced(param, &ends))
}

/// A parameter of a block, `0.1.weight`, as timm calls it. The first block does not expand, and has one convolution less.
fn timm_layer(part: &str, is_first: bool, squeezes: bool) -> Option<String> {
    let convolutions: &[&str] = if is_first { &["dw", "pw"] } else { &["pw", "dw", "pwl"] };
    let (at, rest) = part.split_once('.')?;
    let (layer, weight) = rest.split_once('.')?;
    let (at, last) = (at.parse::<usize>().ok()?, convolutions.len() - 1);
    let conv = match (squeezes && at >= last, at) {
        (true, at) if at == last => {
            let layer = if layer == "fc1" { "conv_reduce" } else { "conv_expand" };
            return Some(format!("se.{layer}.{weight}"));
        }
        (true, at) => at - 1,
        (false, at) => at,
    };
    Some(match layer {
        "0" => format!("conv_{}.{weight}", convolutions.get(conv)?),
        _ => format!("bn{}.{weight}", conv + 1),
    })
}

/// timm's name of a parameter of the small one.
pub fn timm_small(param: &str) -> String {
    timm_name(param, &SMALL, &SMALL_STAGES)
}

/// timm's name of a parameter of the large one.
pub fn timm_large(param: &str) -> String {
    timm_name(param, &LARGE, &LARGE_STAGES)
}
