//! What others call the parameters of a Vision Transformer.

use super::super::layers::replaced;
use crate::{Dialect, Stored, Turn};

pub(super) const ALL: &[Dialect] = &[
    // Those that timm has bear its names.
    Dialect::timm(timm_name).known_for(|_| false),
    Dialect::stored("transformers", vit).known_for(|name| name.contains("_patch") && !is_of_others(name)),
    Dialect::stored("transformers", dinov2).known_for(|name| name.ends_with("patch14_dinov2")),
    Dialect::stored("transformers", clip).known_for(|name| name.contains("clip") || name.contains("siglip")),
    Dialect::stored("open_clip", open_clip).known_for(|name| name.contains("clip")),
    // Its towers of SigLIP are timm's.
    Dialect::same("open_clip").known_for(|name| name.contains("siglip")),
];

/// Whether a network is more than a plain Vision Transformer.
fn is_of_others(name: &str) -> bool {
    ["clip", "siglip", "dinov2"].iter().any(|other| name.contains(other))
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

/// transformers' `ViTModel`, and `DeiTModel` without its distillation token.
fn vit(param: &str) -> Stored {
    encoder(
        param,
        &[
            ("norm1", "layernorm_before"),
            ("norm2", "layernorm_after"),
            ("mlp.fc1", "intermediate.dense"),
            ("mlp.fc2", "output.dense"),
        ],
    )
}

/// transformers' `Dinov2Model`, without registers and with them.
fn dinov2(param: &str) -> Stored {
    encoder(param, &[("ls1.gamma", "layer_scale1.lambda1"), ("ls2.gamma", "layer_scale2.lambda1")])
}

/// What transformers' first Vision Transformers share; `modules` are those of a block that are not called as in timm.
fn encoder(param: &str, modules: &[(&str, &str)]) -> Stored {
    let param = timm_name(param);
    let Some((block, rest)) = in_block(&param) else {
        return Stored::As(replaced(
            &param,
            &[
                ("cls_token", "embeddings.cls_token"),
                ("reg_token", "embeddings.register_tokens"),
                ("pos_embed", "embeddings.position_embeddings"),
                ("patch_embed.proj.", "embeddings.patch_embeddings.projection."),
                ("norm.", "layernorm."),
                ("head.", "classifier."),
            ],
        ));
    };
    let at = format!("encoder.layer.{block}");
    if let Some(part) = rest.strip_prefix("attn.qkv.") {
        let each = ["query", "key", "value"].map(|name| format!("{at}.attention.attention.{name}.{part}"));
        return Stored::Rows(each.into_iter().map(Stored::As).collect());
    }
    Stored::As(format!(
        "{at}.{}",
        replaced(&replaced(rest, modules), &[("attn.proj", "attention.output.dense")])
    ))
}

/// The vision tower of transformers' `CLIPModel` and `SiglipModel`, below `vision_model.` in both but for CLIP's projection.
fn clip(param: &str) -> Stored {
    let param = timm_name(param);
    let Some((block, rest)) = in_block(&param) else {
        let pool = "head";
        return match param.as_str() {
            "head.weight" => Stored::As("visual_projection.weight".to_owned()),
            "head.bias" => Stored::Always(0.0),
            "attn_pool.latent" => Stored::As(format!("{pool}.probe")),
            other => match other.strip_prefix("attn_pool.").and_then(|rest| rest.split_once('.')) {
                Some(("q", part)) => {
                    Stored::Part { name: format!("{pool}.attention.in_proj_{part}"), parts: 0..1, of: 3 }
                }
                Some(("kv", part)) => {
                    Stored::Part { name: format!("{pool}.attention.in_proj_{part}"), parts: 1..3, of: 3 }
                }
                Some(("proj", part)) => Stored::As(format!("{pool}.attention.out_proj.{part}")),
                Some(("norm", part)) => Stored::As(format!("{pool}.layernorm.{part}")),
                Some((module, part)) => Stored::As(format!("{pool}.{module}.{part}")),
                None => Stored::As(clip_name(other)),
            },
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
