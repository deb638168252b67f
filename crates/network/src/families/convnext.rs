//! ConvNeXt (Liu et al., 2022, section 3), as torchvision builds it, and ConvNeXt V2 (Woo et al., 2023, section 3 and table 14).

use super::Family;
use super::layers::{mlp, replaced};
use crate::entry::{bicubic, bilinear, entry, squashed, timm};
use crate::{Activation, Builder, Conv, Network, NodeId};
use crate::{Dialect, Stored};
use input::Recipe;

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        entry("convnext_tiny", || bilinear(236, 224), |name| convnext(name, TINY)),
        entry("convnext_small", || bilinear(230, 224), |name| convnext(name, SMALL)),
        entry("convnext_base", || bilinear(232, 224), |name| convnext(name, BASE)),
        entry("convnext_large", || bilinear(232, 224), |name| convnext(name, LARGE)),
        timm("convnext_tiny.fb_in1k", &[], fb, |name| convnext(name, TINY)),
        timm("convnext_small.fb_in1k", &[], fb, |name| convnext(name, SMALL)),
        timm("convnext_base.fb_in1k", &[], fb, |name| convnext(name, BASE)),
        timm("convnext_large.fb_in1k", &[], fb, |name| convnext(name, LARGE)),
        timm("convnext_tiny.fb_in22k_ft_in1k", &[], fb, |name| convnext(name, TINY)),
        timm("convnext_small.fb_in22k_ft_in1k", &[], fb, |name| convnext(name, SMALL)),
        timm("convnext_base.fb_in22k_ft_in1k", &[], fb, |name| convnext(name, BASE)),
        timm("convnext_large.fb_in22k_ft_in1k", &[], fb, |name| convnext(name, LARGE)),
        timm("convnext_tiny.in12k_ft_in1k", &[], in12k, |name| convnext(name, TINY)),
        timm("convnext_small.in12k_ft_in1k", &[], in12k, |name| convnext(name, SMALL)),
        timm("convnextv2_atto", FCMAE, fb, |name| convnext_v2(name, ATTO)),
        timm("convnextv2_femto", FCMAE, fb, |name| convnext_v2(name, FEMTO)),
        timm("convnextv2_pico", FCMAE, fb, |name| convnext_v2(name, PICO)),
        timm("convnextv2_nano", FCMAE_22K, fb, |name| convnext_v2(name, NANO)),
        timm("convnextv2_tiny", FCMAE_22K, fb, |name| convnext_v2(name, TINY)),
        timm("convnextv2_base", FCMAE_22K, fb, |name| convnext_v2(name, BASE)),
        timm("convnextv2_large", FCMAE_22K, fb, |name| convnext_v2(name, LARGE)),
        timm("convnextv2_huge", FCMAE, fb, |name| convnext_v2(name, HUGE)),
        timm(
            "convnextv2_nano.fcmae_ft_in22k_in1k_384",
            &[],
            || squashed(384),
            |name| convnext_v2(name, NANO),
        ),
        timm(
            "convnextv2_tiny.fcmae_ft_in22k_in1k_384",
            &[],
            || squashed(384),
            |name| convnext_v2(name, TINY),
        ),
        timm(
            "convnextv2_base.fcmae_ft_in22k_in1k_384",
            &[],
            || squashed(384),
            |name| convnext_v2(name, BASE),
        ),
        timm(
            "convnextv2_large.fcmae_ft_in22k_in1k_384",
            &[],
            || squashed(384),
            |name| convnext_v2(name, LARGE),
        ),
        timm(
            "convnextv2_huge.fcmae_ft_in22k_in1k_384",
            &[],
            || squashed(384),
            |name| convnext_v2(name, HUGE),
        ),
        timm(
            "convnextv2_huge.fcmae_ft_in22k_in1k_512",
            &[],
            || squashed(512),
            |name| convnext_v2(name, HUGE),
        ),
    ],
    dialects: &[
        // Those that timm has are entries of their own.
        Dialect::timm(timm_name).known_for(|_| false),
        Dialect::stored("transformers", transformers)
            .known_for(|name| name.contains(".fb_") || name.starts_with("convnextv2_")),
    ],
};

/// Blocks and channels of each stage.
pub type Stages = [(usize, usize); 4];

/// ConvNeXt-T.
pub const TINY: Stages = [(3, 96), (3, 192), (9, 384), (3, 768)];
/// ConvNeXt-S.
pub const SMALL: Stages = [(3, 96), (3, 192), (27, 384), (3, 768)];
/// ConvNeXt-B.
pub const BASE: Stages = [(3, 128), (3, 256), (27, 512), (3, 1024)];
/// ConvNeXt-L.
pub const LARGE: Stages = [(3, 192), (3, 384), (27, 768), (3, 1536)];

/// ConvNeXt V2's small ones.
const ATTO: Stages = [(2, 40), (2, 80), (6, 160), (2, 320)];
const FEMTO: Stages = [(2, 48), (2, 96), (6, 192), (2, 384)];
const PICO: Stages = [(2, 64), (2, 128), (6, 256), (2, 512)];
const NANO: Stages = [(2, 80), (2, 160), (8, 320), (2, 640)];
/// ConvNeXt V2-H.
const HUGE: Stages = [(3, 352), (3, 704), (27, 1408), (3, 2816)];

/// timm's tags of the authors' weights of ConvNeXt V2: from masked pictures alone, and tuned.
const FCMAE: &[&str] = &["fcmae", "fcmae_ft_in1k"];
const FCMAE_22K: &[&str] = &["fcmae", "fcmae_ft_in1k", "fcmae_ft_in22k_in1k"];

fn fb() -> Recipe {
    bicubic(256, 224)
}

fn in12k() -> Recipe {
    bicubic(235, 224)
}

const EPS: f32 = 1e-6;

/// The network. Taps: `pooled` (the normalised mean of the last map), `gap` (that mean itself), `stage1` to `stage4`,
/// `features`, `logits`.
pub fn convnext(name: &str, stages: Stages) -> Network {
    convnext_with(name, stages, Block::Scaled, EPS)
}

/// ConvNeXt V2, with the same taps.
pub fn convnext_v2(name: &str, stages: Stages) -> Network {
    convnext_with(name, stages, Block::Responding, EPS)
}

/// What tells the blocks of V2 from those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// A layer scale at the end.
    Scaled,
    /// A global response norm between the dense layers.
    Responding,
}

/// The same with another eps of the last layer norm, as transformers has it.
pub fn convnext_with(name: &str, stages: Stages, block: Block, last_eps: f32) -> Network {
    let mut net = Builder::image();
    let mut x = net.input();
    for (i, (depth, width)) in stages.into_iter().enumerate() {
        let at = format!("features.{}", 2 * i);
        if i == 0 {
            x = net.conv(&format!("{at}.0"), x, Conv::new(width, 4).stride(4).pad(0).bias());
            x = net.layer_norm(&format!("{at}.1"), x, EPS);
        } else {
            x = net.layer_norm(&format!("{at}.0"), x, EPS);
            x = net.conv(&format!("{at}.1"), x, Conv::new(width, 2).stride(2).pad(0).bias());
        }
        net.module(&at, x);
        let at = format!("features.{}", 2 * i + 1);
        for i in 0..depth {
            x = block.build(&mut net, &format!("{at}.{i}"), x);
        }
        net.module(&at, x);
        net.tap(&format!("stage{}", i + 1), x);
    }
    net.module("features", x);
    let gap = net.global_average_pool("avgpool", x);
    let pooled = net.layer_norm("classifier.0", gap, last_eps);
    net.module("classifier.1", pooled);
    let logits = net.linear("classifier.2", pooled, 1000);
    net.module("classifier", logits);
    net.tap("pooled", pooled);
    net.tap("gap", gap);
    net.tap("logits", logits);
    net.finish(name, logits)
}

impl Block {
    /// A depthwise 7×7, a layer norm, two dense layers at every place, a layer scale and a shortcut (figure 4); of V2 the
    /// responses of all places in place of the scale.
    fn build(self, net: &mut Builder, at: &str, x: NodeId) -> NodeId {
        let part = |i: usize| format!("{at}.block.{i}");
        let width = net.width(x);
        let y = net.conv(&part(0), x, Conv::new(width, 7).groups(width).bias());
        // block.1 and block.6 permute axes, which ours need not.
        let y = net.layer_norm(&part(2), y, EPS);
        if self == Block::Responding {
            let y = net.linear(&part(3), y, 4 * width);
            let y = net.activation(&part(4), y, Activation::Gelu);
            let responses = net.response_norm(&format!("{at}.block.grn"), y, EPS);
            let y = net.add(&format!("{at}.block.sum"), y, responses);
            let y = net.linear(&part(5), y, width);
            net.module(&format!("{at}.block"), y);
            return net.add(at, x, y);
        }
        let y = mlp(net, [&part(3), &part(4), &part(5)], y, 4 * width, Activation::Gelu);
        net.module(&format!("{at}.block"), y);
        let scale = format!("{at}.layer_scale");
        let y = net.scale(&scale, &scale, &[width, 1, 1], y);
        net.add(at, x, y)
    }
}

/// timm's name of a parameter. Where torchvision counts stages and what is between them, it counts stages.
pub fn timm_name(param: &str) -> String {
    let place = |param: &str| -> Option<String> {
        let (module, rest) = param.strip_prefix("features.")?.split_once('.')?;
        match module.parse::<usize>().ok()? {
            0 => Some(format!("stem.{rest}")),
            i if i % 2 == 0 => Some(format!("stages.{}.downsample.{rest}", i / 2)),
            i => Some(format!("stages.{}.blocks.{}", i / 2, replaced(rest, &IN_BLOCK))),
        }
    };
    let ends = [("classifier.0.", "head.norm."), ("classifier.2.", "head.fc.")];
    place(param).unwrap_or_else(|| replaced(param, &ends))
}

const IN_BLOCK: [(&str, &str); 6] = [
    (".block.grn.", ".mlp.grn."),
    (".block.0.", ".conv_dw."),
    (".block.2.", ".norm."),
    (".block.3.", ".mlp.fc1."),
    (".block.5.", ".mlp.fc2."),
    (".layer_scale", ".gamma"),
];

/// transformers' `ConvNextModel` and `ConvNextV2Model`.
fn transformers(param: &str) -> Stored {
    let place = |param: &str| -> Option<String> {
        let (module, rest) = param.strip_prefix("features.")?.split_once('.')?;
        match module.parse::<usize>().ok()? {
            0 => {
                let names = [("0.", "patch_embeddings."), ("1.", "layernorm.")];
                let (ours, theirs) = names.into_iter().find(|(ours, _)| rest.starts_with(ours))?;
                Some(format!("embeddings.{theirs}{}", &rest[ours.len()..]))
            }
            i if i % 2 == 0 => Some(format!("encoder.stages.{}.downsampling_layer.{rest}", i / 2)),
            i => {
                let names = [
                    (".block.grn.", ".grn."),
                    (".block.0.", ".dwconv."),
                    (".block.2.", ".layernorm."),
                    (".block.3.", ".pwconv1."),
                    (".block.5.", ".pwconv2."),
                    (".layer_scale", ".layer_scale_parameter"),
                ];
                Some(format!("encoder.stages.{}.layers.{}", i / 2, replaced(rest, &names)))
            }
        }
    };
    let ends = [("classifier.0.", "layernorm."), ("classifier.2.", "classifier.")];
    Stored::As(place(param).unwrap_or_else(|| replaced(param, &ends)))
}
