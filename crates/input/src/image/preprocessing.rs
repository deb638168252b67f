//! How a picture becomes a network's input, described as data.

use serde::{Deserialize, Serialize};
use store::Digest;

/// Resize, centre crop, channel order, normalisation. `value = (byte / divisor - mean[c]) / std[c]`, in f32.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// What the picture is resized to.
    pub resize: Resize,
    /// The resampling kernel; always antialiased, as Pillow's `Image.resize` is.
    pub filter: Filter,
    /// The centre crop (height, width) taken after resizing, in pixels; zero-padded where the picture is smaller.
    pub crop: Option<(u32, u32)>,
    /// The order in which the network expects its channels.
    pub channels: Channels,
    /// What bytes are divided by first: 255 for torchvision's `ToTensor`, 1 for Keras' `caffe` mode.
    pub divisor: f32,
    /// Subtracted, per channel in the order of `channels`.
    pub mean: [f32; 3],
    /// Divided by, per channel in the order of `channels`.
    pub std: [f32; 3],
    /// How JPEGs are decoded. Left out where it is exact, so that what was described before there was a choice keeps its
    /// fingerprint.
    #[serde(default, skip_serializing_if = "Decode::is_exact")]
    pub decode: Decode,
    /// What becomes of 16-bit grey. Left out where it is clipped, for the same reason.
    #[serde(default, skip_serializing_if = "Grey16::is_clip")]
    pub grey16: Grey16,
    /// Where a crop begins that cannot be in the middle. Left out where it is torchvision's, for the same reason.
    #[serde(default, skip_serializing_if = "CropRounding::is_even")]
    pub crop_rounding: CropRounding,
}

/// Where a centre crop begins, and padding, where an odd number of pixels is to be shared between two sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CropRounding {
    /// A half goes to the even neighbour, and the odd row of padding after: torchvision's `CenterCrop`.
    #[default]
    Even,
    /// A half goes down, and the odd row of padding before: transformers' `center_crop`.
    Down,
}

impl CropRounding {
    fn is_even(&self) -> bool {
        *self == CropRounding::Even
    }
}

/// How 16-bit grey becomes 8 bits. It plays no part in other pictures: 16-bit colours always keep their high byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grey16 {
    /// Levels above 255 become 255: Pillow's `convert("RGB")` of `I;16`.
    #[default]
    Clip,
    /// The high byte is kept, as of 16-bit colours, and as OpenCV and libpng's `png_set_strip_16` do; levels of 12 bits
    /// keep their upper 8.
    Scale,
}

impl Grey16 {
    fn is_clip(&self) -> bool {
        *self == Grey16::Clip
    }
}

/// How JPEGs are decoded. It plays no part in other formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decode {
    /// Every pixel of them.
    #[default]
    Exact,
    /// At half, a quarter or an eighth of their size, scaled within the DCT, where that is still no smaller than what
    /// they are resized to: Pillow's `Image.draft`.
    Fast,
}

impl Decode {
    fn is_exact(&self) -> bool {
        *self == Decode::Exact
    }
}

/// The size that a picture is resized to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resize {
    /// The shorter side becomes so many pixels, the longer one keeps the aspect ratio (torchvision's `Resize(n)`).
    ShorterSide(u32),
    /// (height, width) in pixels, whatever the aspect ratio.
    Exact(u32, u32),
}

/// A resampling kernel, as Pillow defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filter {
    /// Triangle, support 1.
    Bilinear,
    /// Keys' cubic with a = -0.5, support 2.
    Bicubic,
}

/// A channel order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// Red, green, blue: nearly every network.
    Rgb,
    /// Blue, green, red: networks that grew up in Caffe, such as Keras' VGG16.
    Bgr,
}

/// A description that no network can be fed by.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum PreprocessingError {
    /// The output's size would follow the picture's.
    #[error(
        "resizing the shorter side needs a centre crop, or pictures come out in different sizes; give a crop or an exact size"
    )]
    VaryingSize,
    /// Tokens of a text, none or more than any network reads.
    #[error("{got} tokens of a text are outside 1 to {most}")]
    MaxTokens {
        /// How many.
        got: usize,
        /// How many there may be.
        most: usize,
    },
    /// A size of nothing, or of more than any network takes.
    #[error("a side of {0} pixels is outside 1 to 8192")]
    Side(u32),
    /// Numbers that are fine alone.
    #[error("divisor, mean and std together make values that are not finite")]
    Overflow,
    /// A number that no arithmetic survives.
    #[error("{what} must be a finite number other than zero, got {value}")]
    Number {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: f32,
    },
}

impl Preprocessing {
    /// torchvision's classic: shorter side to 256, bilinear, centre crop 224, ImageNet's mean and standard deviation.
    pub fn imagenet() -> Preprocessing {
        Preprocessing {
            resize: Resize::ShorterSide(256),
            filter: Filter::Bilinear,
            crop: Some((224, 224)),
            channels: Channels::Rgb,
            divisor: 255.0,
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
            decode: Decode::Exact,
            grey16: Grey16::Clip,
            crop_rounding: CropRounding::Even,
        }
    }

    /// Keras' `preprocess_input` of VGG16: 224×224 whatever the aspect ratio, BGR, mean-subtracted, not scaled.
    pub fn keras_caffe() -> Preprocessing {
        Preprocessing {
            resize: Resize::Exact(224, 224),
            filter: Filter::Bilinear,
            crop: None,
            channels: Channels::Bgr,
            divisor: 1.0,
            mean: [103.939, 116.779, 123.68],
            std: [1.0; 3],
            decode: Decode::Exact,
            grey16: Grey16::Clip,
            crop_rounding: CropRounding::Even,
        }
    }

    /// (height, width) of every prepared picture; `None` where it would follow the picture's own.
    pub fn output_size(&self) -> Option<(u32, u32)> {
        match (self.crop, self.resize) {
            (Some(size), _) => Some(size),
            (None, Resize::Exact(height, width)) => Some((height, width)),
            (None, Resize::ShorterSide(_)) => None,
        }
    }

    /// Checks what the type alone does not: a fixed output size, sane sides, numbers that can be divided by.
    pub fn check(&self) -> Result<(), PreprocessingError> {
        let (height, width) = self.output_size().ok_or(PreprocessingError::VaryingSize)?;
        let resized = match self.resize {
            Resize::ShorterSide(side) => [side, side],
            Resize::Exact(height, width) => [height, width],
        };
        for side in [height, width].into_iter().chain(resized) {
            if !(1..=8192).contains(&side) {
                return Err(PreprocessingError::Side(side));
            }
        }
        let divisors = std::iter::once(("the divisor", self.divisor)).chain(self.std.map(|s| ("a std", s)));
        for (what, value) in divisors {
            if !value.is_finite() || value == 0.0 {
                return Err(PreprocessingError::Number { what, value });
            }
        }
        if let Some(value) = self.mean.into_iter().find(|m| !m.is_finite()) {
            return Err(PreprocessingError::Number { what: "a mean", value });
        }
        match self.tables().iter().flatten().all(|value| value.is_finite()) {
            true => Ok(()),
            false => Err(PreprocessingError::Overflow),
        }
    }

    /// Identifies this description: two that differ in anything differ here.
    pub fn fingerprint(&self) -> Digest {
        Digest::of_json(self)
    }

    /// The value of every byte in every channel, in the order of `channels`: (3, 256).
    ///
    /// The f32 operations are those of torchvision's `ToTensor` and `Normalize`, one after the other, so the values
    /// are theirs to the bit.
    pub fn tables(&self) -> [[f32; 256]; 3] {
        std::array::from_fn(|c| {
            std::array::from_fn(|byte| (byte as f32 / self.divisor - self.mean[c]) / self.std[c])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_hold_torchvisions_values() {
        // torchvision: (torch.tensor(v / 255, f32) - mean) / std for v = 0 and 255 in the red channel.
        let [red, ..] = Preprocessing::imagenet().tables();
        assert_eq!((red[0], red[255]), (-2.117_904, 2.248_908_3));
        let [blue, ..] = Preprocessing::keras_caffe().tables();
        assert_eq!(blue[0], -103.939);
    }

    #[test]
    fn descriptions_that_cannot_feed_a_network_are_refused() {
        let ok = Preprocessing::imagenet();
        assert_eq!(ok.check(), Ok(()));
        assert_eq!(Preprocessing::keras_caffe().check(), Ok(()));
        let cases = [
            (Preprocessing { crop: None, ..ok.clone() }, PreprocessingError::VaryingSize),
            (Preprocessing { crop: Some((0, 224)), ..ok.clone() }, PreprocessingError::Side(0)),
            (
                Preprocessing { resize: Resize::ShorterSide(9000), ..ok.clone() },
                PreprocessingError::Side(9000),
            ),
            (
                Preprocessing { std: [1.0, 0.0, 1.0], ..ok.clone() },
                PreprocessingError::Number { what: "a std", value: 0.0 },
            ),
            (Preprocessing { divisor: 1e-40, ..ok.clone() }, PreprocessingError::Overflow),
        ];
        for (preprocessing, expected) in cases {
            assert_eq!(preprocessing.check(), Err(expected));
        }
    }

    #[test]
    fn defaults_are_left_out_so_that_old_fingerprints_hold() {
        let json = serde_json::to_string(&Preprocessing::imagenet()).unwrap();
        assert!(!["decode", "grey16", "crop_rounding"].iter().any(|field| json.contains(field)), "{json}");
        assert_eq!(serde_json::from_str::<Preprocessing>(&json).unwrap(), Preprocessing::imagenet());
        let scaled = Preprocessing { grey16: Grey16::Scale, ..Preprocessing::imagenet() };
        let json = serde_json::to_string(&scaled).unwrap();
        assert!(json.contains(r#""grey16":"scale""#), "{json}");
        assert_eq!(serde_json::from_str::<Preprocessing>(&json).unwrap(), scaled);
    }

    #[test]
    fn fingerprints_tell_descriptions_apart() {
        let a = Preprocessing::imagenet();
        let b = Preprocessing { filter: Filter::Bicubic, ..a.clone() };
        let fast = Preprocessing { decode: Decode::Fast, ..a.clone() };
        assert_ne!(a.fingerprint(), b.fingerprint());
        assert_ne!(a.fingerprint(), fast.fingerprint());
        let scaled = Preprocessing { grey16: Grey16::Scale, ..a.clone() };
        assert_ne!(a.fingerprint(), scaled.fingerprint());
        assert_eq!(a.fingerprint(), a.clone().fingerprint());
    }
}
