//! How inputs are made, in the words of other libraries. What these words cannot say exactly is refused.

use input::image::{Channels, CropRounding, Decode, Filter, Grey16, Preprocessing, Resize};
use network::as_written;
use serde_json::{Value, json};

/// A recipe in the words of others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Prepared {
    /// timm's `pretrained_cfg`, whose pixels are Pillow's and torchvision's.
    Timm(Value),
    /// transformers' `preprocessor_config.json`, which only its slow processors follow exactly.
    Processor(Value),
}

/// Why a recipe cannot be carried over.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum NotCarried {
    #[error("pictures are prepared in a way that the library has not: {0}; --to onnx carries it")]
    Setting(&'static str),
    #[error(
        "pictures are cropped as transformers does, which neither timm nor torchvision does; --to onnx carries it, or extract with --preprocess imagenet and flags on top"
    )]
    Rounding,
}

impl Prepared {
    /// `by_transformers`: whether the network is one of transformers' own, so that its processors will do.
    ///
    /// # Errors
    /// Where it cannot be said exactly.
    pub(crate) fn of(how: &Preprocessing, by_transformers: bool) -> Result<Prepared, NotCarried> {
        refuse([
            ("channels are BGR", how.channels != Channels::Rgb),
            ("bytes are not divided by 255", how.divisor != 255.0),
        ])?;
        decoded_plainly(how)?;
        let rounds_down = how.crop_rounding == CropRounding::Down && crop_may_be_uneven(how);
        match (rounds_down, by_transformers) {
            (false, _) => pretrained_cfg(how).map(Prepared::Timm),
            (true, true) => Ok(Prepared::Processor(processor(how))),
            (true, false) => Err(NotCarried::Rounding),
        }
    }
}

/// Refuses what no other library does when it decodes pictures.
///
/// # Errors
/// Where they are decoded so.
pub(crate) fn decoded_plainly(how: &Preprocessing) -> Result<(), NotCarried> {
    refuse([
        ("JPEGs are decoded small (--decode fast)", how.decode != Decode::Exact),
        ("16-bit grey is scaled (--grey16 scale)", how.grey16 != Grey16::Clip),
    ])
}

/// Refuses the first of these settings that is so.
fn refuse(settings: [(&'static str, bool); 2]) -> Result<(), NotCarried> {
    let other = settings.into_iter().find(|(_, is_other)| *is_other);
    other.map_or(Ok(()), |(what, _)| Err(NotCarried::Setting(what)))
}

/// Whether an odd number of pixels may be left beside the crop. It never is where all sides are known and none is.
fn crop_may_be_uneven(how: &Preprocessing) -> bool {
    let Some((height, width)) = how.crop else { return false };
    let is_uneven = |side: u32, crop: u32| side < crop || (side - crop) % 2 == 1;
    match how.resize {
        Resize::Exact(rows, columns) => is_uneven(rows, height) || is_uneven(columns, width),
        Resize::ShorterSide(_) => true,
    }
}

fn pretrained_cfg(how: &Preprocessing) -> Result<Value, NotCarried> {
    let (height, width) = how.output_size().ok_or(NotCarried::Setting("their sizes vary"))?;
    let (mode, resized) = match how.resize {
        Resize::ShorterSide(side) if height == width => ("center", [side, side]),
        Resize::ShorterSide(_) => {
            return Err(NotCarried::Setting("a crop that is no square of the shorter side"));
        }
        Resize::Exact(rows, columns) => ("squash", [rows, columns]),
    };
    let part =
        crop_pct([height, width], resized).ok_or(NotCarried::Setting("its sizes of resize and crop"))?;
    Ok(json!({
        "input_size": [3, height, width],
        "interpolation": filter(how.filter),
        "crop_pct": part,
        "crop_mode": mode,
        "mean": how.mean.map(as_written),
        "std": how.std.map(as_written),
    }))
}

/// The part of the resized picture that the crop is, with as few digits as give back the sizes exactly: timm resizes to
/// ⌊crop / part⌋.
fn crop_pct(crop: [u32; 2], resized: [u32; 2]) -> Option<f64> {
    let gives = |part: &f64| {
        let [a, b] = crop.map(|side| (f64::from(side) / part).floor());
        part.is_finite() && *part > 0.0 && [a, b] == resized.map(f64::from)
    };
    // A part between these two: each side's alone reaches from the one to the other.
    let least = (0..2).map(|i| f64::from(crop[i]) / f64::from(resized[i] + 1)).fold(0.0, f64::max);
    let most = (0..2).map(|i| f64::from(crop[i]) / f64::from(resized[i])).fold(f64::INFINITY, f64::min);
    let rounded = (1..17).flat_map(|digits| {
        [most, (least + most) / 2.0].map(|part| format!("{part:.digits$}").parse::<f64>().unwrap_or(f64::NAN))
    });
    rounded.chain([most, most.next_down(), most.next_down().next_down()]).find(gives)
}

fn filter(filter: Filter) -> &'static str {
    match filter {
        Filter::Bilinear => "bilinear",
        Filter::Bicubic => "bicubic",
    }
}

/// Of the kind that resizes and crops as it is told.
fn processor(how: &Preprocessing) -> Value {
    let size = match how.resize {
        Resize::ShorterSide(side) => json!({"shortest_edge": side}),
        Resize::Exact(height, width) => json!({"height": height, "width": width}),
    };
    let crop = how.crop.map(|(height, width)| json!({"height": height, "width": width}));
    json!({
        "image_processor_type": "BitImageProcessor",
        "do_convert_rgb": true,
        "do_resize": true,
        "size": size,
        "resample": match how.filter {
            Filter::Bilinear => 2,
            Filter::Bicubic => 3,
        },
        "do_center_crop": crop.is_some(),
        "crop_size": crop,
        "do_rescale": true,
        "rescale_factor": 1.0 / 255.0,
        "do_normalize": true,
        "image_mean": how.mean.map(as_written),
        "image_std": how.std.map(as_written),
    })
}

/// The same recipe without what plays no part, so that two of one meaning are equal.
pub(crate) fn essence(how: &Preprocessing) -> Preprocessing {
    let mut how = how.clone();
    if let (Resize::Exact(height, width), Some(crop)) = (how.resize, how.crop)
        && (height, width) == crop
    {
        how.crop = None;
    }
    if !crop_may_be_uneven(&how) {
        how.crop_rounding = CropRounding::Even;
    }
    how
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_give_back_the_sizes() {
        for crop in [64, 96, 160, 192, 224, 240, 256, 260, 288, 299, 300, 384, 456, 512, 518] {
            for resized in (crop / 2..2 * crop).chain([crop, 8192]) {
                let part = crop_pct([crop; 2], [resized; 2]).unwrap();
                assert_eq!(
                    (f64::from(crop) / part).floor(),
                    f64::from(resized),
                    "{crop} of {resized}: {part}"
                );
            }
        }
        // As people write them.
        for (crop, resized, part) in [(224, 256, 0.875), (224, 224, 1.0), (224, 248, 0.9), (288, 303, 0.95)] {
            assert!((crop_pct([crop; 2], [resized; 2]).unwrap() - part).abs() < 5e-3, "{crop} of {resized}");
        }
        assert_eq!(crop_pct([224, 224], [256, 256]), Some(0.875));
        assert_eq!(crop_pct([224, 224], [224, 300]), None);
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        let plain = Preprocessing::imagenet();
        let down = Preprocessing { crop_rounding: CropRounding::Down, ..plain.clone() };
        let squashed = Preprocessing { resize: Resize::Exact(256, 256), ..down.clone() };
        for (how, by_transformers, expected) in [
            (plain.clone(), false, Ok("timm")),
            (plain.clone(), true, Ok("timm")),
            (down.clone(), true, Ok("processor")),
            (down.clone(), false, Err("cropped as transformers does")),
            // 32 pixels are left: as many on either side.
            (squashed, false, Ok("timm")),
            (Preprocessing::keras_caffe(), true, Err("channels are BGR")),
            (Preprocessing { divisor: 1.0, ..plain.clone() }, true, Err("not divided by 255")),
            (Preprocessing { decode: Decode::Fast, ..plain.clone() }, true, Err("--decode fast")),
            (Preprocessing { grey16: Grey16::Scale, ..plain.clone() }, true, Err("--grey16 scale")),
            (Preprocessing { crop: Some((96, 128)), ..plain.clone() }, true, Err("no square")),
        ] {
            match (Prepared::of(&how, by_transformers), expected) {
                (Ok(Prepared::Timm(_)), Ok("timm")) | (Ok(Prepared::Processor(_)), Ok("processor")) => {}
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
                (got, expected) => panic!("{got:?} instead of {expected:?}"),
            }
        }
    }

    #[test]
    fn numbers_are_written_as_people_write_them() {
        let Prepared::Timm(cfg) = Prepared::of(&Preprocessing::imagenet(), false).unwrap() else { panic!() };
        assert_eq!(cfg["mean"], json!([0.485, 0.456, 0.406]));
        assert_eq!(cfg["input_size"], json!([3, 224, 224]));
        assert_eq!(cfg["interpolation"], "bilinear");
    }
}
