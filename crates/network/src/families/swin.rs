//! Swin Transformer (Liu et al., 2021, section 3), as torchvision builds it; timm's arithmetic is the same.

use super::Family;
use super::layers::{average_and_classify, mlp, replaced};
use crate::entry::{bicubic, entry, timm};
use crate::{Activation, Builder, Conv, Network, NodeId};
use crate::{Dialect, Stored};

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        entry("swin_t", || bicubic(232, 224), |name| TINY.build(name)),
        entry("swin_s", || bicubic(246, 224), |name| SMALL.build(name)),
        entry("swin_b", || bicubic(238, 224), |name| BASE.build(name)),
        timm("swin_tiny_patch4_window7_224", MS, || bicubic(248, 224), |name| TINY.build(name)),
        timm("swin_small_patch4_window7_224", MS, || bicubic(248, 224), |name| SMALL.build(name)),
        timm("swin_base_patch4_window7_224", MS, || bicubic(248, 224), |name| BASE.build(name)),
    ],
    dialects: &[
        Dialect::timm(timm_name).known_for(is_timms),
        Dialect::stored("transformers", transformers).known_for(is_timms),
    ],
};

/// timm's tags of Microsoft's own weights.
const MS: &[&str] = &["ms_in1k", "ms_in22k_ft_in1k"];

/// Whether a network bears a name of timm's, as whose weights Microsoft's own are known.
fn is_timms(network: &str) -> bool {
    network.contains("_window")
}

/// What tells one Swin Transformer from another.
#[derive(Clone, Copy, Debug)]
pub struct Swin {
    /// Channels of the first stage; each later one has twice as many.
    pub width: usize,
    /// Blocks in each stage.
    pub depths: [usize; 4],
    /// Channels in each head.
    pub head: usize,
    /// Side of a window, in places.
    pub window: usize,
}

/// Swin-T.
pub const TINY: Swin = Swin { width: 96, depths: [2, 2, 6, 2], head: 32, window: 7 };
/// Swin-S.
pub const SMALL: Swin = Swin { depths: [2, 2, 18, 2], ..TINY };
/// Swin-B.
pub const BASE: Swin = Swin { width: 128, ..SMALL };

const EPS: f32 = 1e-5;

impl Swin {
    /// The network. Taps: `pooled` and `gap` (one and the same), `stage1` to `stage4`, `features`, `logits`.
    ///
    /// Every stage's map must be a multiple of the window: sides of 224 pixels, or multiples of them.
    pub fn build(self, name: &str) -> Network {
        let mut net = Builder::image();
        let input = net.input();
        let mut x = net.conv("features.0.0", input, Conv::new(self.width, 4).stride(4).pad(0).bias());
        // features.0.1 permutes axes, which ours need not.
        x = net.layer_norm("features.0.2", x, EPS);
        net.module("features.0", x);
        for (i, depth) in self.depths.into_iter().enumerate() {
            if i > 0 {
                x = merge(&mut net, &format!("features.{}", 2 * i), x);
            }
            let at = format!("features.{}", 2 * i + 1);
            for block in 0..depth {
                let shift = if block % 2 == 0 { 0 } else { self.window / 2 };
                x = self.block(&mut net, &format!("{at}.{block}"), x, shift);
            }
            net.module(&at, x);
            net.tap(&format!("stage{}", i + 1), x);
        }
        net.module("features", x);
        let x = net.layer_norm("norm", x, EPS);
        let logits = average_and_classify(&mut net, x, "head");
        net.finish(name, logits)
    }

    /// Attention within windows and two dense layers, each after a layer norm and beside a shortcut.
    fn block(self, net: &mut Builder, at: &str, x: NodeId, shift: usize) -> NodeId {
        let part = |name: &str| format!("{at}.{name}");
        let width = net.width(x);
        let y = net.layer_norm(&part("norm1"), x, EPS);
        let qkv = net.linear(&part("attn.qkv"), y, 3 * width);
        let table = part("attn.relative_position_bias_table");
        let heads = width / self.head;
        let y = net.window_attention(&part("attn.attention"), &table, qkv, heads, (self.window, shift));
        let y = net.linear(&part("attn.proj"), y, width);
        net.module(&part("attn"), y);
        let x = net.add(&part("add"), x, y);
        let y = net.layer_norm(&part("norm2"), x, EPS);
        let y = mlp(net, [&part("mlp.0"), &part("mlp.1"), &part("mlp.3")], y, 4 * width, Activation::Gelu);
        net.module(&part("mlp"), y);
        net.add(at, x, y)
    }
}

/// Half of the sides, twice the channels.
fn merge(net: &mut Builder, at: &str, x: NodeId) -> NodeId {
    let width = net.width(x);
    let x = net.merge_patches(&format!("{at}.merge"), x);
    let x = net.layer_norm(&format!("{at}.norm"), x, EPS);
    let x = net.linear_without_bias(&format!("{at}.reduction"), x, 2 * width);
    net.module(at, x);
    x
}

/// timm's name of a parameter. Where torchvision counts stages and what is between them, it counts stages.
pub fn timm_name(param: &str) -> String {
    let place = |param: &str| -> Option<String> {
        let (module, rest) = param.strip_prefix("features.")?.split_once('.')?;
        match module.parse::<usize>().ok()? {
            0 => Some(format!("patch_embed.{}", replaced(rest, &[("0.", "proj."), ("2.", "norm.")]))),
            i if i % 2 == 0 => Some(format!("layers.{}.downsample.{rest}", i / 2)),
            i => {
                let rest = replaced(rest, &[(".mlp.0.", ".mlp.fc1."), (".mlp.3.", ".mlp.fc2.")]);
                Some(format!("layers.{}.blocks.{rest}", i / 2))
            }
        }
    };
    place(param).unwrap_or_else(|| replaced(param, &[("head.", "head.fc.")]))
}

/// transformers' `SwinModel`, which counts stages as timm does, and what halves the sides with the stage before.
fn transformers(param: &str) -> Stored {
    let place = |param: &str| -> Option<Stored> {
        let (module, rest) = param.strip_prefix("features.")?.split_once('.')?;
        let module = module.parse::<usize>().ok()?;
        if module == 0 {
            let names = [("0.", "patch_embeddings.projection."), ("2.", "norm.")];
            let (ours, theirs) = names.into_iter().find(|(ours, _)| rest.starts_with(ours))?;
            return Some(Stored::As(format!("embeddings.{theirs}{}", &rest[ours.len()..])));
        }
        if module % 2 == 0 {
            return Some(Stored::As(format!("encoder.layers.{}.downsample.{rest}", module / 2 - 1)));
        }
        let (block, rest) = rest.split_once('.')?;
        let at = format!("encoder.layers.{}.blocks.{block}", module / 2);
        if let Some(part) = rest.strip_prefix("attn.qkv.") {
            let each = ["query", "key", "value"].map(|name| format!("{at}.attention.self.{name}.{part}"));
            return Some(Stored::Rows(each.into_iter().map(Stored::As).collect()));
        }
        let names = [
            ("attn.proj.", "attention.output.dense."),
            ("attn.relative", "attention.self.relative"),
            ("norm1.", "layernorm_before."),
            ("norm2.", "layernorm_after."),
            ("mlp.0.", "intermediate.dense."),
            ("mlp.3.", "output.dense."),
        ];
        Some(Stored::As(format!("{at}.{}", replaced(rest, &names))))
    };
    let ends = [("norm.", "layernorm."), ("head.", "classifier.")];
    place(param).unwrap_or_else(|| Stored::As(replaced(param, &ends)))
}
