//! A picture made small, for people to look at.

use std::io;

use artifact::{Filter, Resize};
use mozjpeg::{ColorSpace, Compress};

use crate::{BadImage, Picture, decode, resize, resized_size};

/// JPEG's quality, of 100: at this size nobody sees more.
const QUALITY: f32 = 75.0;

/// The picture in `bytes`, upright, as a JPEG whose shorter side has `side` pixels (no more than it had) and whose longer
/// one at most twice as many.
///
/// # Errors
/// What [`decode`] says of the bytes.
pub fn thumbnail(bytes: &[u8], side: u32) -> Result<Vec<u8>, BadImage> {
    let picture = decode(bytes)?;
    let side = side.min(picture.width).min(picture.height).max(1);
    let (height, width) = resized_size(picture.width, picture.height, Resize::ShorterSide(side));
    let small = resize(&picture, width.min(2 * side), height.min(2 * side), Filter::Bilinear);
    // Writing to memory fails only where there is none.
    Ok(encode(&small).unwrap_or_default())
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

    #[test]
    fn small_pictures_look_like_large_ones() {
        let large = Picture::from_fn(300, 200, |x, _| if x < 150 { [200, 30, 30] } else { [20, 20, 220] });
        let bytes = encode(&large).unwrap();
        let small = decode(&thumbnail(&bytes, 50).unwrap()).unwrap();
        assert_eq!((small.width, small.height), (75, 50));
        let at = |x: usize| &small.pixels[(25 * 75 + x) * 3..][..3];
        assert!(at(5)[0] > 150 && at(70)[2] > 150, "{:?} {:?}", at(5), at(70));
        let tiny = decode(&thumbnail(&bytes, 4000).unwrap()).unwrap();
        assert_eq!((tiny.width, tiny.height), (300, 200));
        assert!(thumbnail(b"no picture", 50).is_err());
    }
}
