//! What others call the parameters of a Vision Transformer.

use super::super::layers::replaced;
use crate::{Dialect, Stored, Turn};

/// Of plain networks. Those that timm has bear its names.
pub(super) const PLAIN: &[Dialect] = &[
    Dialect::timm(timm_name).known_for(|_| false),
    Dialect::stored("transformers", vit)
        .known_for(|name| name.contains("_patch") && !name.starts_with("deit3")),
    Dialect::stored("transformers", vit_in_memory).known_for(|_| false),
];

/// Of `DINOv2`. transformers has a position for the class token beside registers, so its files of those are of another graph.
pub(super) const DINOV2: &[Dialect] = &[
    Dialect::stored("transformers", dinov2).known_for(|name| name.ends_with("patch14_dinov2")),
    Dialect::stored("transformers", dinov2_gated).known_for(|_| false),
    Dialect::stored("transformers", dinov2_in_memory).known_for(|_| false),
    Dialect::stored("transformers", dinov2_gated_in_memory).known_for(|_| false),
];

pub(super) const CLIP: &[Dialect] = &[
    Dialect::stored("transformers", clip).known_for(is_common),
    Dialect::stored("open_clip", open_clip).known_for(is_common),
];

/// `open_clip`'s towers of `SigLIP` are timm's.
pub(super) const SIGLIP: &[Dialect] = &[Dialect::stored("transformers", siglip), Dialect::same("open_clip")];

/// Whether a tower of CLIP is known to others than timm, which tuned some at other sizes.
fn is_common(name: &str) -> bool {
    let tuned = ["_clip_384", "_clip_448", "huge_patch14_clip_336"];
    !tuned.iter().any(|end| name.ends_with(end))
}

/// timm's name of a parameter that bears torchvision's.
pub fn timm_name(param: &str) -> String {
    let pairs = [
        ("class_token", "cls_token"),
        ("conv_proj.", "patch_embed.proj."),
        ("encoder.pos_embedding", "pos_embed"),
        ("encoder.layers.encoder_layer_", "blocks."),
        (".ln_1.", ".norm1."),
        (".self_attention.in_proj_", ".attn.qkv."),
        (".self_attention.out_proj.", ".attn.proj."),
        (".ln_2.", ".norm2."),
        (".mlp.0.", ".mlp.fc1."),
        (".mlp.3.", ".mlp.fc2."),
        ("encoder.ln.", "norm."),
        ("heads.head.", "head."),
    ];
    replaced(param, &pairs)
}

/// Modules of a block of transformers' `ViTModel` that are not called as in timm.
const NORMS: [(&str, &str); 2] = [("norm1", "layernorm_before"), ("norm2", "layernorm_after")];

/// The same of `Dinov2Model`.
const SCALES: [(&str, &str); 2] =
    [("ls1.gamma", "layer_scale1.lambda1"), ("ls2.gamma", "layer_scale2.lambda1")];

/// transformers' `ViTModel` as files have it, and `DeiTModel`, and the encoders of `ViTMAEModel` and `ViTMSNModel`.
fn vit(param: &str) -> Stored {
    let dense = [("mlp.fc1", "intermediate.dense"), ("mlp.fc2", "output.dense")];
    let at = Encoder { blocks: "encoder.layer", qkv: OLD_QKV, projection: "attention.output.dense" };
    at.place(param, &[NORMS, dense].concat())
}

/// The same in memory, as `torch.save` writes a state dictionary of transformers 5.
fn vit_in_memory(param: &str) -> Stored {
    Encoder { blocks: "layers", qkv: QKV, projection: "attention.o_proj" }.place(param, &NORMS)
}

/// transformers' `Dinov2Model`, and `Dinov2WithRegistersModel`.
fn dinov2(param: &str) -> Stored {
    let at = Encoder { blocks: "encoder.layer", qkv: OLD_QKV, projection: "attention.output.dense" };
    at.place(param, &SCALES)
}

/// The same with gated dense layers.
fn dinov2_gated(param: &str) -> Stored {
    let dense = [("mlp.fc1", "mlp.weights_in"), ("mlp.fc2", "mlp.weights_out")];
    let at = Encoder { blocks: "encoder.layer", qkv: OLD_QKV, projection: "attention.output.dense" };
    at.place(param, &[SCALES, dense].concat())
}

/// Without gates, in memory.
fn dinov2_in_memory(param: &str) -> Stored {
    Encoder { blocks: "encoder.layer", qkv: QKV, projection: "attention.o_proj" }.place(param, &SCALES)
}

/// With gates, in memory: the first dense layer is two.
fn dinov2_gated_in_memory(param: &str) -> Stored {
    if let Some((at, part)) = param.split_once(".mlp.fc1.") {
        let parts = ["gate", "up"].map(|half| dinov2_in_memory(&format!("{at}.mlp.{half}_proj.{part}")));
        return Stored::Rows(parts.into());
    }
    dinov2_in_memory(&param.replace("mlp.fc2", "mlp.down_proj"))
}

/// How files of transformers' first Vision Transformers call queries, keys and values, and models in memory.
const OLD_QKV: [&str; 3] =
    ["attention.attention.query", "attention.attention.key", "attention.attention.value"];
const QKV: [&str; 3] = ["attention.q_proj", "attention.k_proj", "attention.v_proj"];

/// What transformers' first Vision Transformers call their parts.
struct Encoder {
    blocks: &'static str,
    qkv: [&'static str; 3],
    projection: &'static str,
}

impl Encoder {
    /// `modules` are those of a block that are not called as in timm.
    fn place(&self, param: &str, modules: &[(&str, &str)]) -> Stored {
        let param = timm_name(param);
        let Some((block, rest)) = in_block(&param) else {
            return Stored::As(replaced(
                &param,
                &[
                    ("cls_token", "embeddings.cls_token"),
                    ("dist_token", "embeddings.distillation_token"),
                    ("reg_token", "embeddings.register_tokens"),
                    ("pos_embed", "embeddings.position_embeddings"),
                    ("patch_embed.proj.", "embeddings.patch_embeddings.projection."),
                    ("norm.", "layernorm."),
                    ("head.", "classifier."),
                ],
            ));
        };
        let at = format!("{}.{block}", self.blocks);
        if let Some(part) = rest.strip_prefix("attn.qkv.") {
            return Stored::Rows(self.qkv.map(|name| Stored::As(format!("{at}.{name}.{part}"))).into());
        }
        let rest = replaced(&replaced(rest, modules), &[("attn.proj", self.projection)]);
        Stored::As(format!("{at}.{rest}"))
    }
}

/// The vision tower of transformers' `SiglipModel`, below `vision_model.`.
fn siglip(param: &str) -> Stored {
    let pool = "head";
    match param.strip_prefix("attn_pool.").map(|rest| rest.split_once('.').unwrap_or((rest, ""))) {
        Some(("latent", _)) => Stored::As(format!("{pool}.probe")),
        Some(("q", part)) => {
            Stored::Part { name: format!("{pool}.attention.in_proj_{part}"), parts: 0..1, of: 3 }
        }
        Some(("kv", part)) => {
            Stored::Part { name: format!("{pool}.attention.in_proj_{part}"), parts: 1..3, of: 3 }
        }
        Some(("proj", part)) => Stored::As(format!("{pool}.attention.out_proj.{part}")),
        Some(("norm", part)) => Stored::As(format!("{pool}.layernorm.{part}")),
        Some((module, part)) => Stored::As(format!("{pool}.{module}.{part}")),
        None => clip(param),
    }
}

/// The vision tower of transformers' `CLIPModel`, below `vision_model.` but for the projection.
fn clip(param: &str) -> Stored {
    let param = timm_name(param);
    let Some((block, rest)) = in_block(&param) else {
        return match param.as_str() {
            "head.weight" => Stored::As("visual_projection.weight".to_owned()),
            "head.bias" => Stored::Always(0.0),
            other => Stored::As(clip_name(other)),
        };
    };
    let at = format!("encoder.layers.{block}");
    if let Some(part) = rest.strip_prefix("attn.qkv.") {
        let each = ["q_proj", "k_proj", "v_proj"].map(|name| format!("{at}.self_attn.{name}.{part}"));
        return Stored::Rows(each.into_iter().map(Stored::As).collect());
    }
    let pairs = [("attn.proj", "self_attn.out_proj"), ("norm1", "layer_norm1"), ("norm2", "layer_norm2")];
    Stored::As(format!("{at}.{}", replaced(rest, &pairs)))
}

/// Outside of blocks.
fn clip_name(param: &str) -> String {
    let pairs = [
        ("cls_token", "embeddings.class_embedding"),
        ("pos_embed", "embeddings.position_embedding.weight"),
        ("patch_embed.proj.", "embeddings.patch_embedding."),
        // Spelt so by its authors.
        ("norm_pre.", "pre_layrnorm."),
        ("norm.", "post_layernorm."),
    ];
    let pair = pairs.into_iter().find(|(ours, _)| param.starts_with(ours));
    pair.map_or_else(|| param.to_owned(), |(ours, theirs)| param.replacen(ours, theirs, 1))
}

/// The picture tower of `OpenAI`'s CLIP and of `open_clip`, below `visual.` in both.
fn open_clip(param: &str) -> Stored {
    let param = timm_name(param);
    let Some((block, rest)) = in_block(&param) else {
        return match param.as_str() {
            // (d, projected), without a bias.
            "head.weight" => Stored::Turned("proj".to_owned(), Turn::Dense),
            "head.bias" => Stored::Always(0.0),
            other => Stored::As(replaced(
                other,
                &[
                    ("cls_token", "class_embedding"),
                    ("pos_embed", "positional_embedding"),
                    ("patch_embed.proj.", "conv1."),
                    ("norm_pre.", "ln_pre."),
                    ("norm.", "ln_post."),
                ],
            )),
        };
    };
    let pairs = [
        ("attn.qkv.", "attn.in_proj_"),
        ("attn.proj", "attn.out_proj"),
        ("norm1", "ln_1"),
        ("norm2", "ln_2"),
        ("mlp.fc1", "mlp.c_fc"),
        ("mlp.fc2", "mlp.c_proj"),
    ];
    Stored::As(format!("transformer.resblocks.{block}.{}", replaced(rest, &pairs)))
}

/// The number of a block, and what of it a parameter is.
fn in_block(param: &str) -> Option<(&str, &str)> {
    param.strip_prefix("blocks.")?.split_once('.')
}
