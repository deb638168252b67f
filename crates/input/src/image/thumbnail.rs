//! A picture made small, for people to look at.

use std::io;

use crate::image::{Filter, Grey16, Resize};
use mozjpeg::{ColorSpace, Compress};

use crate::image::{BadImage, Picture, decode::decode_whole, resize, resized_size};

/// JPEG's quality, of 100: at this size nobody sees more.
const QUALITY: f32 = 75.0;

/// The picture in `bytes`, upright, as a JPEG whose shorter side has `side` pixels (no more than it had) and whose longer
/// one at most twice as many. Its grey is made as it was for the features.
///
/// # Errors
/// What [`decode`](crate::image::decode) says of the bytes.
pub fn thumbnail(bytes: &[u8], side: u32, grey16: Grey16) -> Result<Vec<u8>, BadImage> {
    let (picture, _share) = decode_whole(bytes, grey16)?.into_parts();
    let side = side.min(picture.width).min(picture.height).max(1);
    let (height, width) = resized_size(picture.width, picture.height, Resize::ShorterSide(side));
    let small = resize(&picture, width.min(2 * side), height.min(2 * side), Filter::Bilinear);
    // Writing to memory fails only where there is none.
    Ok(encode(&small).unwrap_or_default())
}

/// Pixels of a side of a sketch.
const SKETCH: u32 = 16;

/// The picture in `bytes`, whatever its shape, as 16 × 16 pixels: (16, 16, 3) numbers, each channel's mean taken off, of length
/// one (zeros for a picture of one colour). The product of two tells whether they are one picture: of photographs, copies
/// that were resized to half or compressed to quality 30 are above 0.99, pictures that merely look alike below 0.9.
///
/// # Errors
/// What [`decode`](crate::image::decode) says of the bytes.
pub fn sketch(bytes: &[u8], grey16: Grey16) -> Result<Vec<f32>, BadImage> {
    let (picture, _share) = decode_whole(bytes, grey16)?.into_parts();
    let small = resize(&picture, SKETCH, SKETCH, Filter::Bilinear);
    let mut values: Vec<f32> = small.pixels.iter().map(|&byte| f32::from(byte)).collect();
    for channel in 0..3 {
        let of_channel = || (channel..values.len()).step_by(3);
        let mean = of_channel().map(|at| values[at]).sum::<f32>() / (SKETCH * SKETCH) as f32;
        for at in of_channel() {
            values[at] -= mean;
        }
    }
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    // Below a level in all there is nothing but rounding.
    let factor = if length < 1.0 { 0.0 } else { 1.0 / length };
    values.iter_mut().for_each(|value| *value *= factor);
    Ok(values)
}

fn encode(picture: &Picture) -> io::Result<Vec<u8>> {
    let mut compress = Compress::new(ColorSpace::JCS_RGB);
    compress.set_size(picture.width as usize, picture.height as usize);
    compress.set_quality(QUALITY);
    let mut started = compress.start_compress(Vec::new())?;
    started.write_scanlines(&picture.pixels)?;
    started.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::decode;

    const CLIP: Grey16 = Grey16::Clip;

    #[test]
    fn sketches_survive_resizing_and_compression() {
        let picture = |seed: u32| {
            let wave = move |x: u32, y: u32, k: u32| ((x * (seed + k) + y * (seed * k + 3)) % 97 * 2) as u8;
            Picture::from_fn(120, 90, |x, y| [1, 2, 3].map(|k| wave(x / 9, y / 9, k)))
        };
        let product = |a: &[u8], b: &[u8]| -> f32 {
            let (a, b) = (sketch(a, CLIP).unwrap(), sketch(b, CLIP).unwrap());
            a.iter().zip(&b).map(|(a, b)| a * b).sum()
        };
        let bytes = encode(&picture(7)).unwrap();
        let smaller = encode(&resize(&picture(7), 60, 45, Filter::Bicubic)).unwrap();
        assert!(product(&bytes, &smaller) > 0.97, "{}", product(&bytes, &smaller));
        assert!(product(&bytes, &encode(&picture(31)).unwrap()) < 0.8);
        let grey = encode(&Picture::from_fn(20, 20, |_, _| [90, 90, 90])).unwrap();
        assert_eq!(product(&grey, &grey), 0.0);
        assert!(sketch(b"no picture", CLIP).is_err());
    }

    #[test]
    fn small_pictures_look_like_large_ones() {
        let large = Picture::from_fn(300, 200, |x, _| if x < 150 { [200, 30, 30] } else { [20, 20, 220] });
        let bytes = encode(&large).unwrap();
        let small = decode(&thumbnail(&bytes, 50, CLIP).unwrap()).unwrap();
        assert_eq!((small.width, small.height), (75, 50));
        let at = |x: usize| &small.pixels[(25 * 75 + x) * 3..][..3];
        assert!(at(5)[0] > 150 && at(70)[2] > 150, "{:?} {:?}", at(5), at(70));
        let tiny = decode(&thumbnail(&bytes, 4000, CLIP).unwrap()).unwrap();
        assert_eq!((tiny.width, tiny.height), (300, 200));
        assert!(thumbnail(b"no picture", 50, CLIP).is_err());
    }
}
