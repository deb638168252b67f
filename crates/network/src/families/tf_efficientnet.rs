//! `EfficientNet` (Tan & Le, 2019, table 1) with Google's own weights, and `EfficientNet-Lite` (Google, 2020), as timm builds
//! them: those called `tf_` pad as TensorFlow does for pictures of the network's own size. The Lite ones have ReLU6, no squeeze
//! and excite, and the stem and the ends of B0.

use super::Family;
use super::efficientnet::B0 as STAGES;
use super::layers::{average_and_classify, multiple_of_8, step_padding};
use crate::entry::{bicubic, centred, inception, timm};
use crate::{Activation, Builder, Conv, Dialect, Network, NodeId};

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        timm(
            "tf_efficientnet_b0",
            &["aa_in1k", "in1k", "ns_jft_in1k"],
            || bicubic(256, 224),
            |name| B0.build(name),
        ),
        timm(
            "tf_efficientnet_b1",
            &["aa_in1k", "in1k", "ns_jft_in1k"],
            || bicubic(272, 240),
            |name| B1.build(name),
        ),
        timm(
            "tf_efficientnet_b2",
            &["aa_in1k", "in1k", "ns_jft_in1k"],
            || bicubic(292, 260),
            |name| B2.build(name),
        ),
        timm(
            "tf_efficientnet_b3",
            &["aa_in1k", "in1k", "ns_jft_in1k"],
            || bicubic(331, 300),
            |name| B3.build(name),
        ),
        timm(
            "tf_efficientnet_b4",
            &["aa_in1k", "in1k", "ns_jft_in1k"],
            || bicubic(412, 380),
            |name| B4.build(name),
        ),
        timm(
            "tf_efficientnet_b5",
            &["aa_in1k", "in1k", "ns_jft_in1k", "ra_in1k"],
            || bicubic(488, 456),
            |name| B5.build(name),
        ),
        timm("tf_efficientnet_b6", &["aa_in1k", "ns_jft_in1k"], || bicubic(560, 528), |name| B6.build(name)),
        timm(
            "tf_efficientnet_b7",
            &["aa_in1k", "ns_jft_in1k", "ra_in1k"],
            || bicubic(632, 600),
            |name| B7.build(name),
        ),
        timm("tf_efficientnet_b0.ap_in1k", &["ap_in1k"], || centred(256, 224), |name| B0.build(name)),
        timm("tf_efficientnet_b1.ap_in1k", &["ap_in1k"], || centred(272, 240), |name| B1.build(name)),
        timm("tf_efficientnet_b2.ap_in1k", &["ap_in1k"], || centred(292, 260), |name| B2.build(name)),
        timm("tf_efficientnet_b3.ap_in1k", &["ap_in1k"], || centred(331, 300), |name| B3.build(name)),
        timm("tf_efficientnet_b4.ap_in1k", &["ap_in1k"], || centred(412, 380), |name| B4.build(name)),
        timm("tf_efficientnet_b5.ap_in1k", &["ap_in1k"], || centred(488, 456), |name| B5.build(name)),
        timm("tf_efficientnet_b6.ap_in1k", &["ap_in1k"], || centred(560, 528), |name| B6.build(name)),
        timm("tf_efficientnet_b7.ap_in1k", &["ap_in1k"], || centred(632, 600), |name| B7.build(name)),
        timm("tf_efficientnet_lite0", GOOGLE, || centred(256, 224), |name| LITE0.build(name)),
        timm("tf_efficientnet_lite1", GOOGLE, || centred(272, 240), |name| LITE1.build(name)),
        timm("tf_efficientnet_lite2", GOOGLE, || centred(292, 260), |name| LITE2.build(name)),
        timm("tf_efficientnet_lite3", GOOGLE, || inception(331, 300), |name| LITE3.build(name)),
        timm("tf_efficientnet_lite4", GOOGLE, || inception(413, 380), |name| LITE4.build(name)),
        timm("efficientnet_lite0", &["ra_in1k"], || bicubic(256, 224), |name| RETRAINED.build(name)),
    ],
    dialects: &[
        Dialect::numbered(|param| B0.numbered(param), |name| is_called(name, "tf_efficientnet_b0")),
        Dialect::numbered(|param| B1.numbered(param), |name| is_called(name, "tf_efficientnet_b1")),
        Dialect::numbered(|param| B2.numbered(param), |name| is_called(name, "tf_efficientnet_b2")),
        Dialect::numbered(|param| B3.numbered(param), |name| is_called(name, "tf_efficientnet_b3")),
        Dialect::numbered(|param| B4.numbered(param), |name| is_called(name, "tf_efficientnet_b4")),
        Dialect::numbered(|param| B5.numbered(param), |name| is_called(name, "tf_efficientnet_b5")),
        Dialect::numbered(|param| B6.numbered(param), |name| is_called(name, "tf_efficientnet_b6")),
        Dialect::numbered(|param| B7.numbered(param), |name| is_called(name, "tf_efficientnet_b7")),
        Dialect::numbered(|param| LITE0.numbered(param), |name| is_called(name, "tf_efficientnet_lite0")),
        Dialect::numbered(|param| LITE1.numbered(param), |name| is_called(name, "tf_efficientnet_lite1")),
        Dialect::numbered(|param| LITE2.numbered(param), |name| is_called(name, "tf_efficientnet_lite2")),
        Dialect::numbered(|param| LITE3.numbered(param), |name| is_called(name, "tf_efficientnet_lite3")),
        Dialect::numbered(|param| LITE4.numbered(param), |name| is_called(name, "tf_efficientnet_lite4")),
    ],
};

/// timm's tag of Google's own weights of the Lite ones.
const GOOGLE: &[&str] = &["in1k"];

/// What tells one of them from another.
#[derive(Clone, Copy)]
struct Scaled {
    /// Width and depth in tenths of B0's.
    width: usize,
    depth: usize,
    /// Of its pictures, where padding is TensorFlow's.
    side: Option<usize>,
    eps: f32,
    lite: bool,
}

const B0: Scaled = Scaled { width: 10, depth: 10, side: Some(224), eps: 1e-3, lite: false };
const B1: Scaled = Scaled { width: 10, depth: 11, side: Some(240), ..B0 };
const B2: Scaled = Scaled { width: 11, depth: 12, side: Some(260), ..B0 };
const B3: Scaled = Scaled { width: 12, depth: 14, side: Some(300), ..B0 };
const B4: Scaled = Scaled { width: 14, depth: 18, side: Some(380), ..B0 };
const B5: Scaled = Scaled { width: 16, depth: 22, side: Some(456), ..B0 };
const B6: Scaled = Scaled { width: 18, depth: 26, side: Some(528), ..B0 };
const B7: Scaled = Scaled { width: 20, depth: 31, side: Some(600), ..B0 };

const LITE0: Scaled = Scaled { lite: true, ..B0 };
const LITE1: Scaled = Scaled { depth: 11, side: Some(240), ..LITE0 };
const LITE2: Scaled = Scaled { width: 11, depth: 12, side: Some(260), ..LITE0 };
const LITE3: Scaled = Scaled { width: 12, depth: 14, side: Some(300), ..LITE0 };
const LITE4: Scaled = Scaled { width: 14, depth: 18, side: Some(380), ..LITE0 };
/// timm's own training of Lite0.
const RETRAINED: Scaled = Scaled { side: None, eps: 1e-5, ..LITE0 };

/// Whether a network has that name, or that and a tag.
fn is_called(name: &str, plain: &str) -> bool {
    name.split('.').next() == Some(plain)
}

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

impl Scaled {
    /// Taps: `pooled` and `gap` (one and the same), `blocks.0` to `blocks.6`, `logits`.
    fn build(self, name: &str) -> Network {
        let mut net = Builder::image();
        net.set_batch_norm_eps(self.eps);
        let (input, mut side) = (net.input(), self.side);
        let (stem, last) = if self.lite { (32, 1280) } else { (self.channels(32), self.channels(1280)) };
        let mut x =
            self.conv_bn_act(&mut net, ["conv_stem", "bn1"], input, step(Conv::new(stem, 3), 2, side));
        side = side.map(|side| side.div_ceil(2));
        for (i, (expansion, kernel, stride, out, _)) in STAGES.into_iter().enumerate() {
            let stage = format!("blocks.{i}");
            for block in 0..self.blocks(i) {
                let stride = if block == 0 { stride } else { 1 };
                let how = Block { expansion, kernel, stride, out: self.channels(out), side };
                x = self.block(&mut net, &format!("{stage}.{block}"), x, how);
                side = side.map(|side| side.div_ceil(stride));
            }
            net.tap(&stage, x);
        }
        net.module("blocks", x);
        x = self.conv_bn_act(&mut net, ["conv_head", "bn2"], x, Conv::new(last, 1));
        let logits = average_and_classify(&mut net, x, "classifier");
        net.finish(name, logits)
    }

    fn channels(self, channels: usize) -> usize {
        multiple_of_8(channels * self.width, 10)
    }

    /// How many blocks a stage has; of the Lite ones the first and the last stay as they are.
    fn blocks(self, stage: usize) -> usize {
        let (.., blocks) = STAGES[stage];
        if self.lite && (stage == 0 || stage + 1 == STAGES.len()) {
            blocks
        } else {
            (blocks * self.depth).div_ceil(10)
        }
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
        let (module, part) = rest.rsplit_once('.')?;
        let module = match (module, stage) {
            ("se.conv_reduce", _) => "se_reduce",
            ("se.conv_expand", _) => "se_expand",
            ("conv_dw", _) => "depthwise_conv",
            ("conv_pw", 0) | ("conv_pwl", _) => "project_conv",
            ("conv_pw", _) => "expand_conv",
            ("bn1", 1..) => "bn0",
            ("bn1", 0) | ("bn2", 1..) => "bn1",
            _ => "bn2",
        };
        Some(format!("_blocks.{number}._{module}.{part}"))
    }

    /// A convolution, its batch norm and an activation, which timm has as a module `act` inside of the norm.
    fn conv_bn_act(
        self,
        net: &mut Builder,
        [conv, norm]: [impl AsRef<str>; 2],
        x: NodeId,
        what: Conv,
    ) -> NodeId {
        let x = net.conv_bn(conv.as_ref(), norm.as_ref(), x, what);
        net.activation(&format!("{}.act", norm.as_ref()), x, self.activation())
    }

    fn activation(self) -> Activation {
        if self.lite { Activation::Relu6 } else { Activation::Silu }
    }

    fn block(self, net: &mut Builder, at: &str, x: NodeId, how: Block) -> NodeId {
        let Block { expansion, kernel, stride, out, side } = how;
        let part = |name: &str| format!("{at}.{name}");
        let inputs = net.width(x);
        let inside = inputs * expansion;
        let depthwise = step(Conv::new(inside, kernel).groups(inside), stride, side);
        let mut y = x;
        let norms = if expansion == 1 {
            ["bn1", "bn2"]
        } else {
            y = self.conv_bn_act(net, [&part("conv_pw"), &part("bn1")], y, Conv::new(inside, 1));
            ["bn2", "bn3"]
        };
        y = self.conv_bn_act(net, [&part("conv_dw"), &part(norms[0])], y, depthwise);
        if !self.lite {
            y = self.squeeze_excite(net, &part("se"), y, inputs / 4);
        }
        let last = part(if expansion == 1 { "conv_pw" } else { "conv_pwl" });
        y = net.conv_bn(&last, &part(norms[1]), y, Conv::new(out, 1));
        if stride == 1 && inputs == out {
            return net.add(at, x, y);
        }
        net.module(at, y);
        y
    }

    /// As in [`layers`](super::layers), under timm's names.
    fn squeeze_excite(self, net: &mut Builder, at: &str, x: NodeId, squeeze: usize) -> NodeId {
        let part = |name: &str| format!("{at}.{name}");
        let channels = net.width(x);
        let means = net.adaptive_average_pool(&part("mean"), x, 1);
        let y = net.conv(&part("conv_reduce"), means, Conv::new(squeeze, 1).bias());
        let y = net.activation(&part("act1"), y, self.activation());
        let y = net.conv(&part("conv_expand"), y, Conv::new(channels, 1).bias());
        let gates = net.activation(&part("gate"), y, Activation::Sigmoid);
        net.gate(at, x, gates)
    }
}

/// A convolution with that step over a map of that side.
fn step(conv: Conv, stride: usize, side: Option<usize>) -> Conv {
    match side {
        Some(side) if stride == 2 => conv.stride(2).pad(step_padding(conv.kernel.y, side)),
        _ => conv.stride(stride),
    }
}
