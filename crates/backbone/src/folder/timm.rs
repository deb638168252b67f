//! timm's `config.json` (`timm.models.push_to_hf_hub`), which transformers' timm wrapper has as well.

use super::{
    Config, Described, EXPORT_IT, GIVE_FLAGS,
    limits::{classes_of, patches},
};
use crate::BackboneError;
use input::{
    Recipe,
    image::{Preprocessing, Resize},
};
use network::{Network, Op, zoo};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Model {
    architecture: String,
    num_classes: Option<usize>,
    global_pool: Option<String>,
    /// What the network was built with, other than by default.
    #[serde(default)]
    model_args: serde_json::Map<String, Value>,
    pretrained_cfg: Option<Value>,
}

#[derive(Deserialize)]
struct Pretrained {
    /// (channels, height, width).
    input_size: [u32; 3],
    #[serde(default = "bilinear")]
    interpolation: String,
    #[serde(default = "crop_pct")]
    crop_pct: f64,
    #[serde(default = "center")]
    crop_mode: String,
    mean: [f32; 3],
    std: [f32; 3],
}

fn bilinear() -> String {
    "bilinear".to_owned()
}

fn crop_pct() -> f64 {
    0.875
}

fn center() -> String {
    "center".to_owned()
}

pub(super) fn describe(config: Config, prepared: bool) -> Result<Described, BackboneError> {
    let Model { architecture, num_classes, global_pool, model_args, pretrained_cfg } = config.parse()?;
    let tag = pretrained_cfg.as_ref().and_then(|cfg| cfg.get("tag")?.as_str());
    let tagged = tag.map(|tag| format!("{architecture}.{tag}"));
    let entry =
        tagged.and_then(|name| zoo::find(&name).ok()).map_or_else(|| zoo::find_timms(&architecture), Ok);
    let entry = entry.map_err(|_| {
        config.unknown("the network", &architecture, "export it as ONNX, and give that as --backbone")
    })?;
    let recipe = match &pretrained_cfg {
        _ if prepared => None,
        Some(_) => Some(recipe(&config)?),
        None => Some((entry.recipe)()),
    };
    let network = zoo::built_by_timm(entry);
    let network = match side(&model_args).and_then(|side| Some((side, patch_of(&network)?))) {
        Some((side, patch)) => {
            let grid = patches(&config, side, patch)?;
            network.with_grid(grid, grid)
        }
        None => network,
    };
    let network = match model_args.get("bn_eps").and_then(Value::as_f64).map(|eps| eps as f32) {
        Some(eps) if eps > 0.0 && eps.is_finite() && network.batch_norm_eps().is_some() => {
            network.with_batch_norm_eps(eps)
        }
        _ => network,
    };
    let regrids = patch_of(&network).is_some();
    let pool = pooling(&network);
    let is_built = |(key, value): &(&String, &Value)| match key.as_str() {
        "num_classes" => true,
        "in_chans" => *value == 3,
        "img_size" if regrids => side(&model_args).is_some(),
        "img_size" => {
            let (height, width) = entry.input_size().unwrap_or_default();
            **value == Value::from([height, width].as_slice()) || *value == height && height == width
        }
        "global_pool" => value.as_str() == Some(pool),
        "bn_eps" => value.as_f64().map(|eps| eps as f32) == network.batch_norm_eps(),
        _ => false,
    };
    let own = global_pool.map(|pool| ("global_pool".to_owned(), Value::from(pool)));
    if let Some((key, value)) =
        model_args.iter().chain(own.iter().map(|(key, value)| (key, value))).find(|pair| !is_built(pair))
    {
        return Err(config.unknown(&format!("`{key}`"), &value.to_string(), EXPORT_IT));
    }
    let network = match num_classes {
        Some(classes @ 1..) => {
            classes_of(&config, classes)?;
            network.with_logits(classes)
        }
        _ => network,
    };
    Ok(Described {
        name: entry.name.to_owned(),
        network,
        default_tap: entry.default_tap.to_owned(),
        recipe,
        dense: Vec::new(),
        config: config.path,
    })
}

/// The side of square pictures that a network was built for, other than by default.
fn side(model_args: &serde_json::Map<String, Value>) -> Option<usize> {
    let of = |value: &Value| value.as_u64().and_then(|side| usize::try_from(side).ok());
    match model_args.get("img_size")? {
        Value::Array(sides) => match sides.as_slice() {
            [height, width] if height == width => of(height),
            _ => None,
        },
        side => of(side),
    }
}

/// The side of a patch, of a network that has positions for patches.
pub(super) fn patch_of(network: &Network) -> Option<usize> {
    let tokens = network.nodes().iter().find(|node| matches!(node.op, Op::Tokens { .. }))?;
    let window = network.window(network.node(*tokens.inputs.first()?))?;
    Some(window.stride.y)
}

/// What timm calls the way in which a network's `pooled` is made.
fn pooling(network: &Network) -> &'static str {
    let has = |name: &str| network.taps().iter().any(|tap| tap.name == name);
    match (has("cls"), has("patch_mean")) {
        (true, _) => "token",
        (false, true) => "map",
        _ => "avg",
    }
}

/// What `timm.data.transforms_factory.transforms_imagenet_eval` does.
pub(super) fn recipe(config: &Config) -> Result<Recipe, BackboneError> {
    let cfg: Pretrained = config.parse_part(&config.value["pretrained_cfg"])?;
    let [_, height, width] = cfg.input_size;
    if !(cfg.crop_pct > 0.0 && cfg.crop_pct <= 8.0) {
        return Err(config.unknown("`crop_pct`", &cfg.crop_pct.to_string(), GIVE_FLAGS));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a side of a few hundred pixels"
    )]
    let whole = |side: u32| (f64::from(side) / cfg.crop_pct).floor() as u32;
    let filter = config.filter(&cfg.interpolation)?;
    let resize = match cfg.crop_mode.as_str() {
        "center" if height == width => Resize::ShorterSide(whole(height)),
        "squash" => Resize::Exact(whole(height), whole(width)),
        other => return Err(config.unknown("`crop_mode`", other, GIVE_FLAGS)),
    };
    let recipe = Preprocessing {
        resize,
        filter,
        crop: Some((height, width)),
        mean: cfg.mean,
        std: cfg.std,
        ..Preprocessing::imagenet()
    };
    config.recipe(recipe)
}
