//! `EfficientNet-Lite` (Google, 2020): `EfficientNet` with ReLU6, without squeeze and excite, and with the stem and the ends of
//! B0. As timm builds them; those called `tf_` pad as TensorFlow does for pictures of the network's own size.

use super::Family;
use super::layers::{average_and_classify, multiple_of_8, step_padding};
use crate::entry::{bicubic, centred, inception, timm};
use crate::{Activation, Builder, Conv, Dialect, Network, NodeId};

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        timm("tf_efficientnet_lite0", GOOGLE, || centred(256, 224), || LITE0.build("tf_efficientnet_lite0")),
        timm("tf_efficientnet_lite1", GOOGLE, || centred(272, 240), || LITE1.build("tf_efficientnet_lite1")),
        timm("tf_efficientnet_lite2", GOOGLE, || centred(292, 260), || LITE2.build("tf_efficientnet_lite2")),
        timm(
            "tf_efficientnet_lite3",
            GOOGLE,
            || inception(331, 300),
            || LITE3.build("tf_efficientnet_lite3"),
        ),
        timm(
            "tf_efficientnet_lite4",
            GOOGLE,
            || inception(413, 380),
            || LITE4.build("tf_efficientnet_lite4"),
        ),
        timm(
            "efficientnet_lite0",
            &["ra_in1k"],
            || bicubic(256, 224),
            || RETRAINED.build("efficientnet_lite0"),
        ),
    ],
    dialects: &[
        Dialect::numbered(|param| LITE0.numbered(param)).only_of(|name| name == "tf_efficientnet_lite0"),
        Dialect::numbered(|param| LITE1.numbered(param)).only_of(|name| name == "tf_efficientnet_lite1"),
        Dialect::numbered(|param| LITE2.numbered(param)).only_of(|name| name == "tf_efficientnet_lite2"),
        Dialect::numbered(|param| LITE3.numbered(param)).only_of(|name| name == "tf_efficientnet_lite3"),
        Dialect::numbered(|param| LITE4.numbered(param)).only_of(|name| name == "tf_efficientnet_lite4"),
    ],
};

/// timm's tag of Google's own weights.
const GOOGLE: &[&str] = &["in1k"];

/// What tells one of them from another.
#[derive(Clone, Copy)]
struct Lite {
    /// Width and depth in tenths of B0's.
    width: usize,
    depth: usize,
    /// Of its pictures, where padding is TensorFlow's.
    side: Option<usize>,
    eps: f32,
}

const LITE0: Lite = Lite { width: 10, depth: 10, side: Some(224), eps: 1e-3 };
const LITE1: Lite = Lite { width: 10, depth: 11, side: Some(240), ..LITE0 };
const LITE2: Lite = Lite { width: 11, depth: 12, side: Some(260), ..LITE0 };
const LITE3: Lite = Lite { width: 12, depth: 14, side: Some(300), ..LITE0 };
const LITE4: Lite = Lite { width: 14, depth: 18, side: Some(380), ..LITE0 };
/// timm's own training of Lite0.
const RETRAINED: Lite = Lite { side: None, eps: 1e-5, ..LITE0 };

/// Expansion, kernel, stride of the first, channels, and blocks, at width and depth 1.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
];

/// One depthwise convolution's surroundings.
#[derive(Clone, Copy)]
struct Block {
    expansion: usize,
    kernel: usize,
    stride: usize,
    out: usize,
    /// Of the map that it reads, where padding is TensorFlow's.
    side: Option<usize>,
}

impl Lite {
    /// Taps: `pooled` and `gap` (one and the same), `blocks.0` to `blocks.6`, `logits`.
    fn build(self, name: &str) -> Network {
        let mut net = Builder::image();
        net.set_batch_norm_eps(self.eps);
        let (input, mut side) = (net.input(), self.side);
        let mut x = conv_bn_relu6(&mut net, ["conv_stem", "bn1"], input, step(Conv::new(32, 3), 2, side));
        side = side.map(|side| side.div_ceil(2));
        for (i, (expansion, kernel, stride, out, _)) in STAGES.into_iter().enumerate() {
            let stage = format!("blocks.{i}");
            for block in 0..self.blocks(i) {
                let stride = if block == 0 { stride } else { 1 };
                let how = Block { expansion, kernel, stride, out: multiple_of_8(out * self.width, 10), side };
                x = how.build(&mut net, &format!("{stage}.{block}"), x);
                side = side.map(|side| side.div_ceil(stride));
            }
            net.tap(&stage, x);
        }
        net.module("blocks", x);
        x = conv_bn_relu6(&mut net, ["conv_head", "bn2"], x, Conv::new(1280, 1));
        let logits = average_and_classify(&mut net, x, "classifier");
        net.finish(name, logits)
    }

    /// How many blocks a stage has; the first and the last stay as they are.
    fn blocks(self, stage: usize) -> usize {
        let (.., blocks) = STAGES[stage];
        if stage == 0 || stage + 1 == STAGES.len() { blocks } else { (blocks * self.depth).div_ceil(10) }
    }

    /// `efficientnet_pytorch`'s name of a parameter, which counts all blocks through.
    fn numbered(self, param: &str) -> String {
        self.in_block(param).unwrap_or_else(|| {
            let (module, part) = param.rsplit_once('.').unwrap_or((param, ""));
            let module = match module {
                "bn1" => "bn0",
                "bn2" => "bn1",
                "classifier" => "fc",
                other => other,
            };
            format!("_{module}.{part}")
        })
    }

    fn in_block(self, param: &str) -> Option<String> {
        let mut parts = param.strip_prefix("blocks.")?.splitn(3, '.');
        let stage = parts.next()?.parse::<usize>().ok()?;
        let (block, rest) = (parts.next()?.parse::<usize>().ok()?, parts.next()?);
        let number = (0..stage).map(|stage| self.blocks(stage)).sum::<usize>() + block;
        let (module, part) = rest.split_once('.')?;
        let module = match (module, stage) {
            ("conv_dw", _) => "depthwise_conv",
            ("conv_pw", 0) | ("conv_pwl", _) => "project_conv",
            ("conv_pw", _) => "expand_conv",
            ("bn1", 1..) => "bn0",
            ("bn1", 0) | ("bn2", 1..) => "bn1",
            _ => "bn2",
        };
        Some(format!("_blocks.{number}._{module}.{part}"))
    }
}

impl Block {
    fn build(self, net: &mut Builder, at: &str, x: NodeId) -> NodeId {
        let Block { expansion, kernel, stride, out, side } = self;
        let part = |name: &str| format!("{at}.{name}");
        let inside = net.width(x) * expansion;
        let depthwise = step(Conv::new(inside, kernel).groups(inside), stride, side);
        let narrow = Conv::new(out, 1);
        let y = if expansion == 1 {
            let y = conv_bn_relu6(net, [&part("conv_dw"), &part("bn1")], x, depthwise);
            net.conv_bn(&part("conv_pw"), &part("bn2"), y, narrow)
        } else {
            let y = conv_bn_relu6(net, [&part("conv_pw"), &part("bn1")], x, Conv::new(inside, 1));
            let y = conv_bn_relu6(net, [&part("conv_dw"), &part("bn2")], y, depthwise);
            net.conv_bn(&part("conv_pwl"), &part("bn3"), y, narrow)
        };
        if stride == 1 && net.width(x) == out {
            return net.add(at, x, y);
        }
        net.module(at, y);
        y
    }
}

/// A convolution with that step over a map of that side.
fn step(conv: Conv, stride: usize, side: Option<usize>) -> Conv {
    match side {
        Some(side) if stride == 2 => conv.stride(2).pad(step_padding(conv.kernel.y, side)),
        _ => conv.stride(stride),
    }
}

/// timm's batch norms bring their activation along, as a module `act` inside.
fn conv_bn_relu6(net: &mut Builder, [conv, norm]: [impl AsRef<str>; 2], x: NodeId, what: Conv) -> NodeId {
    let x = net.conv_bn(conv.as_ref(), norm.as_ref(), x, what);
    net.activation(&format!("{}.act", norm.as_ref()), x, Activation::Relu6)
}
