//! transformers' `preprocessor_config.json`: what its image processors do.

use super::{Config, GIVE_FLAGS};
use crate::BackboneError;
use input::{
    Recipe,
    image::{CropRounding, Filter, Preprocessing, Resize},
};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

#[derive(Deserialize)]
struct Processor {
    image_processor_type: Option<String>,
    feature_extractor_type: Option<String>,
    #[serde(default = "yes")]
    do_resize: bool,
    size: Option<Value>,
    /// Pillow's number of a filter.
    resample: Option<u32>,
    do_center_crop: Option<bool>,
    crop_size: Option<Value>,
    /// ConvNeXT's.
    crop_pct: Option<f64>,
    #[serde(default = "yes")]
    do_rescale: bool,
    rescale_factor: Option<f64>,
    #[serde(default = "yes")]
    do_normalize: bool,
    image_mean: Option<[f32; 3]>,
    image_std: Option<[f32; 3]>,
    do_pad: Option<bool>,
}

fn yes() -> bool {
    true
}

/// A size as it is spelt: a number, sides, or the shortest edge.
enum Size {
    Shortest(u32),
    Sides(u32, u32),
}

/// The recipe; `None` where there is no such file.
pub(super) fn recipe(folder: &Path) -> Result<Option<Recipe>, BackboneError> {
    let Some(config) = Config::read(folder, "preprocessor_config.json")? else { return Ok(None) };
    let how: Processor = config.parse()?;
    let kind =
        how.image_processor_type.as_deref().or(how.feature_extractor_type.as_deref()).unwrap_or_default();
    let kind = kind.trim_end_matches("Fast").trim_end_matches("Pil");
    if how.do_pad == Some(true) {
        return Err(config.unknown("`do_pad`", "true", GIVE_FLAGS));
    }
    if !how.do_rescale {
        return Err(config.unknown("`do_rescale`", "false", GIVE_FLAGS));
    }
    if how.rescale_factor.is_some_and(|factor| (factor - 1.0 / 255.0).abs() > 1e-9) {
        let factor = how.rescale_factor.map_or("none".to_owned(), |factor| factor.to_string());
        return Err(config.unknown("`rescale_factor`", &factor, GIVE_FLAGS));
    }
    let filter = match how.resample {
        Some(2) => Filter::Bilinear,
        Some(3) => Filter::Bicubic,
        // Each kind has a default of its own.
        None => match kind {
            "ViTImageProcessor"
            | "ViTFeatureExtractor"
            | "ConvNextImageProcessor"
            | "ConvNextFeatureExtractor" => Filter::Bilinear,
            "CLIPImageProcessor"
            | "CLIPFeatureExtractor"
            | "BitImageProcessor"
            | "SiglipImageProcessor"
            | "DeiTImageProcessor"
            | "DeiTFeatureExtractor" => Filter::Bicubic,
            other => return Err(config.unknown("the filter of", other, GIVE_FLAGS)),
        },
        Some(other) => return Err(config.unknown("`resample`", &other.to_string(), GIVE_FLAGS)),
    };
    if !how.do_resize {
        return Err(config.unknown("`do_resize`", "false", GIVE_FLAGS));
    }
    let is_deit = kind.starts_with("DeiT");
    let size = match &how.size {
        Some(size) => match parse(&config, "size", size)? {
            // To these a number alone is both sides.
            Size::Shortest(side) if size.is_number() && (is_deit || kind.starts_with("ViT")) => {
                Size::Sides(side, side)
            }
            size => size,
        },
        None if is_deit => Size::Sides(256, 256),
        None => Size::Sides(224, 224),
    };
    let crops = how.do_center_crop.unwrap_or(
        is_deit || matches!(kind, "CLIPImageProcessor" | "CLIPFeatureExtractor" | "BitImageProcessor"),
    );
    let (resize, crop) = match (size, crops) {
        (Size::Shortest(side), _) if kind.starts_with("ConvNext") => match side {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a side of a few hundred pixels"
            )]
            ..384 => {
                let whole =
                    f64::from(side) / how.crop_pct.filter(|part| *part > 0.0).unwrap_or(224.0 / 256.0);
                (Resize::ShorterSide(whole as u32), Some((side, side)))
            }
            _ => (Resize::Exact(side, side), None),
        },
        (Size::Shortest(side), _) => (Resize::ShorterSide(side), crop(&config, &how, side)?),
        (Size::Sides(height, width), false) => (Resize::Exact(height, width), None),
        (Size::Sides(height, width), true) => {
            (Resize::Exact(height, width), crop(&config, &how, if is_deit { 224 } else { height })?)
        }
    };
    let plain = Preprocessing::imagenet();
    let (mean, std) = match how.do_normalize {
        true => (how.image_mean.unwrap_or(plain.mean), how.image_std.unwrap_or(plain.std)),
        false => ([0.0; 3], [1.0; 3]),
    };
    // Without a crop it plays no part.
    let crop_rounding = if crop.is_some() { CropRounding::Down } else { CropRounding::Even };
    let recipe = Preprocessing { resize, filter, crop, mean, std, crop_rounding, ..plain };
    config.recipe(recipe).map(Some)
}

/// What is cropped, `side` by default.
fn crop(config: &Config, how: &Processor, side: u32) -> Result<Option<(u32, u32)>, BackboneError> {
    Ok(Some(match &how.crop_size {
        None => (side, side),
        Some(size) => match parse(config, "crop_size", size)? {
            Size::Shortest(side) => (side, side),
            Size::Sides(height, width) => (height, width),
        },
    }))
}

/// `224`, `[224, 224]`, `{"height": …, "width": …}` or `{"shortest_edge": …}`. A number alone is the shortest edge to most.
fn parse(config: &Config, what: &str, size: &Value) -> Result<Size, BackboneError> {
    let number =
        |value: Option<&Value>| value.and_then(Value::as_u64).and_then(|side| u32::try_from(side).ok());
    let found = match size {
        Value::Number(_) => number(Some(size)).map(Size::Shortest),
        Value::Array(sides) => match &sides[..] {
            [height, width] => number(Some(height)).zip(number(Some(width))).map(|(h, w)| Size::Sides(h, w)),
            _ => None,
        },
        size => number(size.get("shortest_edge")).map(Size::Shortest).or_else(|| {
            number(size.get("height")).zip(number(size.get("width"))).map(|(h, w)| Size::Sides(h, w))
        }),
    };
    found.ok_or_else(|| config.unknown(&format!("`{what}`"), &size.to_string(), GIVE_FLAGS))
}
