//! Vision Transformers as transformers has them: `ViT`, `DeiT`, `DINOv2` and the picture tower of `SigLIP`.

use super::{
    super::{
        layout::Layout,
        seen::{Seen, same},
    },
    place,
};
use network::{Activation, Network, Op};
use serde_json::{Map, Value, json};

/// What all of them have in common.
struct Sizes {
    config: Map<String, Value>,
    width: usize,
    hidden: usize,
    gated: bool,
    /// Positions beside those of the patches.
    placed: usize,
    /// Tokens before the patches.
    tokens: usize,
}

/// `None` where no class computes the same: `CLIP` norms first, and its class of transformers reads other features; `DeiT III`
/// has layer scales.
pub(super) fn layout(network: &Network, size: (usize, usize)) -> Option<Layout> {
    let seen = Seen(network);
    let sizes = Sizes::of(seen, size)?;
    if seen.has("norm_pre.weight") {
        return None;
    }
    let scales = seen.ops().any(|op| matches!(op, Op::Scale { .. }));
    match (sizes.tokens, scales) {
        (0, false) => sizes.siglip(network),
        (1 | 2, false) if sizes.placed == sizes.tokens && !sizes.gated => sizes.plain(seen.has("dist_token")),
        (1, true) if sizes.placed == 1 => sizes.dinov2(0),
        (tokens, true) if tokens > 1 && seen.has("reg_token") && sizes.placed < 2 => sizes.dinov2(tokens - 1),
        _ => None,
    }
}

impl Sizes {
    fn of(seen: Seen<'_>, (height, width): (usize, usize)) -> Option<Sizes> {
        let (grid, places, prefix) = seen.ops().find_map(|op| match op {
            Op::Tokens { prefix, positions, grid, .. } => {
                Some((*grid, seen.0.param(*positions).shape[1], prefix.clone()))
            }
            _ => None,
        })?;
        let patches = seen.ops().find_map(|op| match op {
            Op::Conv { weight, bias, .. } => Some((&seen.0.param(*weight).shape, bias.is_some())),
            _ => None,
        })?;
        let (&[d, 3, patch, _], has_bias) = (patches.0.as_slice(), patches.1) else { return None };
        let layers = |op: &Op| matches!(op, Op::Attention { .. });
        let depth = seen.0.nodes().iter().filter(|node| layers(&node.op) && node.inputs.len() == 1).count();
        let heads = same(seen.ops().filter_map(|op| match op {
            Op::Attention { heads, .. } => Some(*heads),
            _ => None,
        }))?;
        let eps = same(seen.norms())?;
        let function = same(seen.ops().filter_map(|op| match op {
            Op::Activation { function } => Some(*function),
            _ => None,
        }))?;
        let gated = seen.ops().any(|op| matches!(op, Op::Multiply));
        let act = match function {
            Activation::Gelu => "gelu",
            Activation::GeluTanh => "gelu_pytorch_tanh",
            Activation::QuickGelu => "quick_gelu",
            Activation::Relu => "relu",
            // Of gates, where it is no setting.
            Activation::Silu if gated => "gelu",
            Activation::Silu => "silu",
            _ => return None,
        };
        let first = seen.ending(".mlp.fc1.weight").or_else(|| seen.ending(".mlp.0.weight"))?[0];
        let tokens = prefix.iter().map(|param| seen.0.param(*param).shape[1]).sum();
        // A picture's own size, or a patch's rest at its end would be lost in other ways.
        if !has_bias || height != width || grid != (height / patch, width / patch) {
            return None;
        }
        let config = json!({
            "hidden_size": d,
            "num_hidden_layers": depth,
            "num_attention_heads": heads,
            "hidden_act": act,
            "layer_norm_eps": eps,
            "image_size": height,
            "patch_size": patch,
        });
        let Value::Object(config) = config else { return None };
        let hidden = if gated { first / 2 } else { first };
        Some(Sizes { config, width: d, hidden, gated, placed: places - grid.0 * grid.1, tokens })
    }

    /// The configuration with these on top.
    fn with(&self, more: Value) -> Value {
        let mut config = self.config.clone();
        if let Value::Object(more) = more {
            config.extend(more);
        }
        Value::Object(config)
    }

    fn plain(&self, distilled: bool) -> Option<Layout> {
        let (kind, class, prefix) = if distilled {
            ("deit", "DeiTForImageClassification", "deit.")
        } else {
            ("vit", "ViTForImageClassification", "vit.")
        };
        let own = json!({"model_type": kind, "architectures": [class], "intermediate_size": self.hidden, "qkv_bias": true});
        let at = place("vit_base_patch16_224", 0, prefix)?;
        Some(Layout::new(class, "transformers", self.with(own), at, "classifier"))
    }

    /// Its classifier reads the class token and the mean of the patches.
    fn dinov2(&self, registers: usize) -> Option<Layout> {
        let (kind, class, prefix) = if registers > 0 {
            ("dinov2_with_registers", "Dinov2WithRegistersForImageClassification", "dinov2_with_registers.")
        } else {
            ("dinov2", "Dinov2ForImageClassification", "dinov2.")
        };
        let hidden = |ratio: usize| match self.gated {
            true => (ratio * self.width * 2 / 3).div_ceil(8) * 8,
            false => ratio * self.width,
        };
        let ratio = (1..16).find(|ratio| hidden(*ratio) == self.hidden)?;
        let mut own = json!({
            "model_type": kind,
            "architectures": [class],
            "mlp_ratio": ratio,
            "use_swiglu_ffn": self.gated,
            "qkv_bias": true,
        });
        if registers > 0 {
            own["num_register_tokens"] = registers.into();
        }
        let at = place("vit_base_patch14_dinov2", usize::from(self.gated), prefix)?;
        Some(Layout {
            reads: vec!["pooled".to_owned(), "patch_mean".to_owned()],
            // Of training.
            zeros: vec![(format!("{prefix}embeddings.mask_token"), vec![1, self.width])],
            places_class: self.placed == 0,
            ..Layout::new(class, "transformers", self.with(own), at, "classifier")
        })
    }

    /// Its classifier reads the mean of the patches, and not what attends to them.
    fn siglip(&self, network: &Network) -> Option<Layout> {
        if network.resolve("attn_pool").is_ok() {
            return None;
        }
        let vision = self.with(json!({"intermediate_size": self.hidden, "vision_use_head": false}));
        let config = json!({
            "model_type": "siglip",
            "architectures": ["SiglipForImageClassification"],
            "vision_config": vision,
        });
        let at = place("vit_base_patch16_siglip_224", 0, "vision_model.")?;
        Some(Layout {
            shape: |name, ours| match ours {
                [1, count, width] if name.ends_with("position_embedding.weight") => {
                    Some(vec![*count, *width])
                }
                _ => None,
            },
            reads: vec!["patch_mean".to_owned()],
            ..Layout::new("SiglipForImageClassification", "transformers", config, at, "classifier")
        })
    }
}
