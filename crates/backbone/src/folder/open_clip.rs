//! `open_clip`'s configuration: `open_clip_config.json`.

use super::{
    Config, Described, EXPORT_IT, GIVE_FLAGS,
    limits::{heads_of, patches, sane, shallow},
};
use crate::BackboneError;
use input::{
    Recipe,
    image::{Preprocessing, Resize},
};
use network::{Activation, families::vit};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Model {
    embed_dim: usize,
    #[serde(default)]
    quick_gelu: bool,
    vision_cfg: Vision,
}

#[derive(Deserialize)]
struct Vision {
    layers: Value,
    width: Option<usize>,
    #[serde(default = "head_width")]
    head_width: usize,
    #[serde(default = "mlp_ratio")]
    mlp_ratio: f64,
    patch_size: Option<usize>,
    image_size: Option<usize>,
    timm_model_name: Option<String>,
}

#[derive(Deserialize)]
struct Preprocess {
    size: Option<Value>,
    mean: [f32; 3],
    std: [f32; 3],
    #[serde(default = "bicubic")]
    interpolation: String,
    #[serde(default = "shortest")]
    resize_mode: String,
}

fn head_width() -> usize {
    64
}

fn mlp_ratio() -> f64 {
    4.0
}

fn bicubic() -> String {
    "bicubic".to_owned()
}

fn shortest() -> String {
    "shortest".to_owned()
}

pub(super) fn describe(config: Config, prepared: bool) -> Result<Described, BackboneError> {
    let Model { embed_dim, quick_gelu, vision_cfg } = config.parse_part(&config.value["model_cfg"])?;
    if let Some(name) = &vision_cfg.timm_model_name {
        return Err(config.unknown("timm's tower", name, EXPORT_IT));
    }
    let Vision { layers, width, head_width, mlp_ratio, patch_size, image_size, .. } = vision_cfg;
    let (Some(depth), Some(patch)) = (layers.as_u64(), patch_size) else {
        return Err(config.unknown("a tower with `layers`", &layers.to_string(), EXPORT_IT));
    };
    let width = width.unwrap_or(768);
    let recipe = if prepared { None } else { Some(recipe(&config)?) };
    let (depth, side) = (usize::try_from(depth).unwrap_or(usize::MAX), image_size.unwrap_or(224));
    // A float beyond them becomes the least or the largest number.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a width")]
    let hidden = (width as f64 * mlp_ratio) as usize;
    sane(&config, &[width, head_width, embed_dim, hidden])?;
    shallow(&config, &[depth])?;
    let grid = patches(&config, side, patch)?;
    if !width.is_multiple_of(head_width) {
        return Err(config.unknown("`head_width`", &head_width.to_string(), EXPORT_IT));
    }
    heads_of(&config, &[width / head_width])?;
    let plain = vit::Vit::new(patch, width, depth, width / head_width);
    let tower = vit::Vit {
        grid,
        hidden,
        activation: if quick_gelu { Activation::QuickGelu } else { Activation::Gelu },
        ..plain.clip(vit::Head::Projection(embed_dim))
    };
    Ok(Described {
        name: "open_clip".to_owned(),
        network: tower.build("open_clip"),
        default_tap: "pooled".to_owned(),
        recipe,
        dense: Vec::new(),
        config: config.path,
    })
}

/// What `open_clip.image_transform` does when it is not training.
pub(super) fn recipe(config: &Config) -> Result<Recipe, BackboneError> {
    let how: Preprocess = config.parse_part(&config.value["preprocess_cfg"])?;
    let own = &config.value["model_cfg"]["vision_cfg"]["image_size"];
    let size = how.size.as_ref().unwrap_or(own);
    let side = |value: &Value| value.as_u64().and_then(|side| u32::try_from(side).ok());
    let size = match size {
        Value::Array(sides) if sides.len() == 2 => side(&sides[0]).zip(side(&sides[1])),
        size => side(size).map(|side| (side, side)),
    };
    let Some((height, width)) = size else {
        return Err(config.unknown(
            "a picture of size",
            &how.size.unwrap_or_default().to_string(),
            GIVE_FLAGS,
        ));
    };
    let resize = match how.resize_mode.as_str() {
        "shortest" if height == width => Resize::ShorterSide(height),
        "squash" => Resize::Exact(height, width),
        other => return Err(config.unknown("`resize_mode`", other, GIVE_FLAGS)),
    };
    let filter = config.filter(&how.interpolation)?;
    let recipe = Preprocessing {
        resize,
        filter,
        crop: Some((height, width)),
        mean: how.mean,
        std: how.std,
        ..Preprocessing::imagenet()
    };
    config.recipe(recipe)
}
