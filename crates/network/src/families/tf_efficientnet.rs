//! `EfficientNet` (Tan & Le, 2019, table 1), `EfficientNet-Lite` (Google, 2020) and `EfficientNetV2` (Tan & Le, 2021) with
//! Google's own weights, as timm builds them: those called `tf_` pad as TensorFlow does for pictures of the network's own size.
//! The Lite ones have ReLU6, no squeeze and excite, and the stem and the ends of B0.

mod blocks;
mod v2;

use super::Family;
use super::efficientnet::B0 as STAGES;
use super::layers::{average_and_classify, multiple_of_8};
use crate::entry::{bicubic, centred, inception, timm};
use crate::{Builder, Conv, Dialect, Network};
use blocks::{Block, activation, conv_bn_act, step};

/// These networks by name, in the order in which lists show them.
pub(crate) static FAMILIES: [&Family; 2] = [&FIRST, &v2::FAMILY];

static FIRST: Family = Family {
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

impl Scaled {
    /// Taps: `pooled` and `gap` (one and the same), `blocks.0` to `blocks.6`, `logits`.
    fn build(self, name: &str) -> Network {
        let mut net = Builder::image();
        net.set_batch_norm_eps(self.eps);
        let (input, mut side) = (net.input(), self.side);
        let function = activation(self.lite);
        let (stem, last) = if self.lite { (32, 1280) } else { (self.channels(32), self.channels(1280)) };
        let mut x =
            conv_bn_act(&mut net, ["conv_stem", "bn1"], input, step(Conv::new(stem, 3), 2, side), function);
        side = side.map(|side| side.div_ceil(2));
        for (i, (expansion, kernel, stride, out, _)) in STAGES.into_iter().enumerate() {
            let stage = format!("blocks.{i}");
            for block in 0..self.blocks(i) {
                let stride = if block == 0 { stride } else { 1 };
                let how = Block { expansion, kernel, stride, out: self.channels(out), side, lite: self.lite };
                x = how.build(&mut net, &format!("{stage}.{block}"), x);
                side = side.map(|side| side.div_ceil(stride));
            }
            net.tap(&stage, x);
        }
        net.module("blocks", x);
        x = conv_bn_act(&mut net, ["conv_head", "bn2"], x, Conv::new(last, 1), function);
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
}
