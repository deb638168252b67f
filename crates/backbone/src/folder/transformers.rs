//! transformers' `config.json`: networks of the kinds that are built here, whatever their sizes.

use super::{
    Config, Described, EXPORT_IT,
    limits::{above_zero, heads_of, patches, sane, shallow},
};
use crate::BackboneError;
use network::{
    Activation, Interpolation, Network,
    families::{convnext, regnet, resnet, swin, vit},
};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

const KINDS: &str = "vit, vit_mae, vit_msn, deit, dinov2, dinov2_with_registers, clip, clip_vision_model, siglip, \
                     siglip_vision_model, resnet, regnet, convnext, convnextv2 and swin";

/// `model_type` of `SigLIP 2` for pictures of any aspect ratio.
const NAFLEX: &str =
    "NaFlex takes pictures in another way; take SigLIP 2 at a fixed size, whose `model_type` is siglip";

pub(super) fn describe(config: Config, folder: &Path, prepared: bool) -> Result<Described, BackboneError> {
    let kind = config.text("model_type").unwrap_or_default().to_owned();
    let vision = config.value.get("vision_config");
    let network = match (kind.as_str(), vision) {
        ("vit" | "vit_mae" | "vit_msn" | "deit" | "dinov2" | "dinov2_with_registers", _) => {
            vision_transformer(&config, &kind)?
        }
        ("siglip2" | "siglip2_vision_model", _) => return Err(config.unknown("`model_type`", &kind, NAFLEX)),
        ("clip" | "siglip", Some(vision)) => tower(&config, vision, &kind)?,
        ("clip_vision_model" | "siglip_vision_model", _) => tower(&config, &config.value, &kind)?,
        ("resnet", _) => residual(&config)?,
        ("regnet", _) => reg(&config)?,
        ("convnext", _) => convolutional(&config, convnext::Block::Scaled)?,
        ("convnextv2", _) => convolutional(&config, convnext::Block::Responding)?,
        ("swin", _) => windowed(&config)?,
        (other, _) => {
            let texts = super::text::Kind::all();
            let known =
                format!("known are {KINDS}, and of texts {texts}; export others as ONNX, and give that");
            return Err(config.unknown("`model_type`", other, &known));
        }
    };
    let architecture = config.value.get("architectures").and_then(|names| names.get(0)?.as_str());
    let network = match architecture {
        Some(name) if name.ends_with("ForImageClassification") => network.with_logits(config.classes()),
        _ => network,
    };
    let recipe = config.recipe_of_pictures(folder, prepared)?;
    let lacks_pooling = vision.and_then(|vision| vision.get("vision_use_head")) == Some(&Value::Bool(false));
    let default_tap = if lacks_pooling { "patch_mean" } else { "pooled" }.to_owned();
    Ok(Described {
        name: network.name().to_owned(),
        network,
        default_tap,
        recipe,
        dense: Vec::new(),
        config: config.path,
    })
}

/// Of `ViTConfig`, `DeiTConfig`, `Dinov2Config`, `CLIPVisionConfig` and others, with the defaults that all share.
#[derive(Deserialize)]
struct Transformer {
    #[serde(default = "of::<768>")]
    hidden_size: usize,
    #[serde(default = "of::<12>")]
    num_hidden_layers: usize,
    #[serde(default = "of::<12>")]
    num_attention_heads: usize,
    intermediate_size: Option<usize>,
    #[serde(default = "of::<4>")]
    mlp_ratio: usize,
    hidden_act: Option<String>,
    layer_norm_eps: Option<f64>,
    #[serde(default = "of::<224>")]
    image_size: usize,
    patch_size: Option<usize>,
    projection_dim: Option<usize>,
    #[serde(default)]
    use_swiglu_ffn: bool,
    #[serde(default = "of::<4>")]
    num_register_tokens: usize,
    #[serde(default = "yes")]
    qkv_bias: bool,
    #[serde(default = "of::<3>")]
    num_channels: usize,
}

fn of<const N: usize>() -> usize {
    N
}

fn yes() -> bool {
    true
}

impl Transformer {
    /// A network of these sizes; `eps` and `function` are what its kind takes by default.
    fn vit(
        &self,
        config: &Config,
        patch: usize,
        eps: f64,
        function: &str,
    ) -> Result<vit::Vit, BackboneError> {
        let (width, heads) = (self.hidden_size, self.num_attention_heads);
        let hidden = self.intermediate_size.unwrap_or(width.saturating_mul(self.mlp_ratio));
        let patch = self.patch_size.unwrap_or(patch);
        sane(config, &[width, hidden])?;
        heads_of(config, &[heads])?;
        shallow(config, &[self.num_hidden_layers])?;
        let grid = patches(config, self.image_size, patch)?;
        for (what, is_not_built) in [
            ("qkv_bias false", !self.qkv_bias),
            ("num_channels other than 3", self.num_channels != 3),
            ("heads that do not divide the width", !width.is_multiple_of(heads)),
        ] {
            if is_not_built {
                return Err(config.unknown("the setting", what, EXPORT_IT));
            }
        }
        let eps = above_zero(config, "layer_norm_eps", self.layer_norm_eps.unwrap_or(eps))?;
        Ok(vit::Vit {
            hidden,
            grid,
            interpolation: Interpolation::Bicubic,
            activation: activation(config, self.hidden_act.as_deref().unwrap_or(function))?,
            eps,
            ..vit::Vit::new(patch, width, self.num_hidden_layers, heads)
        })
    }

    /// With layer scales, and with gates where it has them.
    fn dinov2(&self, config: &Config, patch: usize) -> Result<vit::Vit, BackboneError> {
        let own = vit::Vit { layer_scale: true, ..self.vit(config, patch, 1e-6, "gelu")? };
        if !self.use_swiglu_ffn {
            return Ok(own);
        }
        // Two thirds of what is usual, for there are two of them; the activation is not `hidden_act`.
        let hidden = (self.hidden_size.saturating_mul(self.mlp_ratio).saturating_mul(2) / 3).div_ceil(8) * 8;
        sane(config, &[hidden])?;
        Ok(vit::Vit { hidden, gated: true, activation: Activation::Silu, ..own })
    }
}

fn vision_transformer(config: &Config, kind: &str) -> Result<Network, BackboneError> {
    let said: Transformer = config.parse()?;
    Ok(match kind {
        "dinov2" => said.dinov2(config, 14)?.bare().build("dinov2"),
        "dinov2_with_registers" => {
            let own = said.dinov2(config, 16)?;
            let (registers, placed) = (said.num_register_tokens, vit::Placed::Class);
            let interpolation = Interpolation::Antialiased;
            sane(config, &[registers])?;
            vit::Vit { registers, placed, interpolation, ..own }.bare().build("dinov2_with_registers")
        }
        "deit" => vit::Vit { distilled: true, ..said.vit(config, 16, 1e-12, "gelu")? }.build("deit"),
        "vit_mae" => said.vit(config, 16, 1e-12, "gelu")?.bare().build("vit_mae"),
        "vit_msn" => said.vit(config, 16, 1e-6, "gelu")?.build("vit_msn"),
        _ => said.vit(config, 16, 1e-12, "gelu")?.build("vit"),
    })
}

/// The picture tower of a model of pictures and texts.
fn tower(config: &Config, vision: &Value, kind: &str) -> Result<Network, BackboneError> {
    let said: Transformer = config.parse_part(vision)?;
    if kind.starts_with("siglip") {
        let own = said.vit(config, 16, 1e-6, "gelu_pytorch_tanh")?;
        return Ok(vit::Vit { head: vit::Head::Attention, ..own }.build("siglip"));
    }
    let own = said.vit(config, 32, 1e-5, "quick_gelu")?;
    let above = config.value.get("projection_dim").and_then(Value::as_u64);
    let projected = above.and_then(|d| usize::try_from(d).ok()).or(said.projection_dim).unwrap_or(512);
    sane(config, &[projected])?;
    Ok(vit::Vit { norm_first: true, head: vit::Head::Projection(projected), ..own }.build("clip"))
}

#[derive(Deserialize)]
struct Stages {
    embedding_size: Option<usize>,
    embed_dim: Option<usize>,
    hidden_sizes: Option<[usize; 4]>,
    depths: Option<[usize; 4]>,
    num_heads: Option<[usize; 4]>,
    layer_type: Option<String>,
    hidden_act: Option<String>,
    groups_width: Option<usize>,
    window_size: Option<usize>,
    layer_norm_eps: Option<f64>,
    patch_size: Option<usize>,
    mlp_ratio: Option<f64>,
    #[serde(default)]
    downsample_in_first_stage: Option<bool>,
    #[serde(default)]
    downsample_in_bottleneck: bool,
    #[serde(default)]
    use_absolute_embeddings: bool,
}

/// Refuses what differs from the one value that is built.
fn only(config: &Config, settings: &[(&str, String, bool)]) -> Result<(), BackboneError> {
    match settings.iter().find(|(.., is_built)| !is_built) {
        Some((what, value, _)) => Err(config.unknown(&format!("`{what}`"), value, EXPORT_IT)),
        None => Ok(()),
    }
}

fn residual(config: &Config) -> Result<Network, BackboneError> {
    let said: Stages = config.parse()?;
    let act = said.hidden_act.clone().unwrap_or("relu".to_owned());
    let layer = said.layer_type.clone().unwrap_or("bottleneck".to_owned());
    let stem = said.embedding_size.unwrap_or(64);
    let first = said.downsample_in_first_stage.unwrap_or(false);
    only(
        config,
        &[
            ("hidden_act", act.clone(), act == "relu"),
            ("layer_type", layer.clone(), layer == "bottleneck" || layer == "basic"),
            ("embedding_size", stem.to_string(), stem == 64),
            ("downsample_in_first_stage", first.to_string(), !first),
            ("downsample_in_bottleneck", "true".to_owned(), !said.downsample_in_bottleneck),
        ],
    )?;
    let (out, depths) =
        (said.hidden_sizes.unwrap_or([256, 512, 1024, 2048]), said.depths.unwrap_or([3, 4, 6, 3]));
    sane(config, &out)?;
    shallow(config, &depths)?;
    let (block, widths) = match layer.as_str() {
        "basic" => (resnet::Block::Basic, out),
        _ => (resnet::Block::Bottleneck, out.map(|out| (out / 4).max(1))),
    };
    let plain = resnet::ResNet { stem: resnet::Stem::ImageNet, classes: Some(1000), ..resnet::ResNet::TINY };
    Ok(resnet::ResNet { block, widths, out, depths, ..plain }.build("resnet"))
}

fn reg(config: &Config) -> Result<Network, BackboneError> {
    let said: Stages = config.parse()?;
    let act = said.hidden_act.clone().unwrap_or("relu".to_owned());
    let layer = said.layer_type.clone().unwrap_or("y".to_owned());
    let stem = said.embedding_size.unwrap_or(32);
    let first = said.downsample_in_first_stage.unwrap_or(true);
    only(
        config,
        &[
            ("hidden_act", act.clone(), act == "relu"),
            ("layer_type", layer.clone(), layer == "x" || layer == "y"),
            ("embedding_size", stem.to_string(), stem == 32),
            ("downsample_in_first_stage", first.to_string(), first),
        ],
    )?;
    let (widths, depths) =
        (said.hidden_sizes.unwrap_or([128, 192, 512, 1088]), said.depths.unwrap_or([2, 6, 12, 2]));
    let group = said.groups_width.unwrap_or(64);
    sane(config, &[&widths[..], &[group]].concat())?;
    shallow(config, &depths)?;
    if let Some(width) = widths.iter().find(|width| **width > group && !width.is_multiple_of(group)) {
        return Err(config.unknown(
            "a width",
            &width.to_string(),
            "it should be a multiple of `groups_width`",
        ));
    }
    Ok(regnet::regnet("regnet", layer == "y", depths, widths, group))
}

fn convolutional(config: &Config, block: convnext::Block) -> Result<Network, BackboneError> {
    let said: Stages = config.parse()?;
    let act = said.hidden_act.clone().unwrap_or("gelu".to_owned());
    let patch = said.patch_size.unwrap_or(4);
    only(
        config,
        &[("hidden_act", act.clone(), act == "gelu"), ("patch_size", patch.to_string(), patch == 4)],
    )?;
    let (widths, depths) =
        (said.hidden_sizes.unwrap_or([96, 192, 384, 768]), said.depths.unwrap_or([3, 3, 9, 3]));
    sane(config, &widths)?;
    shallow(config, &depths)?;
    let stages = std::array::from_fn(|i| (depths[i], widths[i]));
    let eps = above_zero(config, "layer_norm_eps", said.layer_norm_eps.unwrap_or(1e-12))?;
    let name = if block == convnext::Block::Scaled { "convnext" } else { "convnextv2" };
    Ok(convnext::convnext_with(name, stages, block, eps))
}

fn windowed(config: &Config) -> Result<Network, BackboneError> {
    let said: Stages = config.parse()?;
    let act = said.hidden_act.clone().unwrap_or("gelu".to_owned());
    let (width, depths) = (said.embed_dim.unwrap_or(96), said.depths.unwrap_or([2, 2, 6, 2]));
    let (heads, window) = (said.num_heads.unwrap_or([3, 6, 12, 24]), said.window_size.unwrap_or(7));
    sane(config, &[width])?;
    heads_of(config, &heads)?;
    shallow(config, &depths)?;
    let (patch, ratio, eps) =
        (said.patch_size.unwrap_or(4), said.mlp_ratio.unwrap_or(4.0), said.layer_norm_eps.unwrap_or(1e-5));
    let head = width / heads[0];
    let are_even = (0..4).all(|i| heads[i] * head == width << i) && head > 0;
    only(
        config,
        &[
            ("hidden_act", act.clone(), act == "gelu"),
            ("patch_size", patch.to_string(), patch == 4),
            ("mlp_ratio", ratio.to_string(), ratio == 4.0),
            ("layer_norm_eps", eps.to_string(), (eps - 1e-5).abs() < 1e-12),
            ("num_heads", format!("{heads:?}"), are_even),
            ("window_size", window.to_string(), (1..64).contains(&window)),
            ("use_absolute_embeddings", "true".to_owned(), !said.use_absolute_embeddings),
        ],
    )?;
    Ok(swin::Swin { width, depths, head, window }.build("swin"))
}

pub(super) fn activation(config: &Config, name: &str) -> Result<Activation, BackboneError> {
    Ok(match name {
        "gelu" => Activation::Gelu,
        "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => Activation::GeluTanh,
        "quick_gelu" => Activation::QuickGelu,
        "relu" => Activation::Relu,
        "silu" | "swish" => Activation::Silu,
        other => {
            return Err(config.unknown("`hidden_act`", other, EXPORT_IT));
        }
    })
}
