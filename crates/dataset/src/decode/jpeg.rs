//! JPEG, through zune-jpeg. Its bytes differ from libjpeg-turbo's (which Pillow stands on) by a few levels, mostly where
//! chroma is upsampled; what `tests/peers/preprocess.py` measures is in ACCURACY.md.

use super::{Upright, convert, orientation::Orientation};
use crate::{BadImage, Format, Picture};
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::{JpegDecoder, errors::DecodeErrors};

const JPEG: Format = Format::Jpeg;

pub(super) fn decode(bytes: &[u8]) -> Result<Upright, BadImage> {
    // The decoder, left to itself, fills what is missing of a truncated file with grey.
    if !reaches_its_end(bytes) {
        return Err(BadImage::Truncated(JPEG));
    }
    let options =
        DecoderOptions::default().set_strict_mode(false).set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(bad)?;
    let (width, height) = decoder.dimensions().ok_or_else(|| JPEG.corrupt("no frame header"))?;
    JPEG.check_size(width as u64, height as u64)?;
    let orientation =
        Orientation::from_metadata(decoder.exif().map(Vec::as_slice), decoder.xmp().map(Vec::as_slice));

    let stored = decoder.input_colorspace().ok_or_else(|| JPEG.corrupt("no frame header"))?;
    // Inks are taken as they are stored: Pillow's conversion of them to RGB is its own.
    let wanted = match stored {
        ColorSpace::Luma | ColorSpace::CMYK | ColorSpace::YCCK => stored,
        ColorSpace::RGB | ColorSpace::YCbCr => ColorSpace::RGB,
        other => return Err(JPEG.unsupported(format!("{} components", other.num_components()))),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(wanted));
    let samples = decoder.decode().map_err(bad)?;
    let pixels = match wanted {
        ColorSpace::Luma => convert::grey(&samples, 1),
        ColorSpace::CMYK => samples.chunks_exact(4).flat_map(inverted_cmyk).collect(),
        ColorSpace::YCCK => samples.chunks_exact(4).flat_map(ycck).collect(),
        _ => samples,
    };
    if pixels.len() != width * height * 3 {
        return Err(JPEG.corrupt("fewer pixels than its header says"));
    }
    // Both sides come from 16-bit fields.
    let (width, height) = (width as u32, height as u32);
    Ok(Upright { picture: Picture { width, height, pixels }, orientation })
}

/// Walks the segments up to the end-of-image marker.
fn reaches_its_end(bytes: &[u8]) -> bool {
    const END: u8 = 0xD9;
    let mut at = 2; // past the start-of-image marker
    loop {
        // Up to the next marker: over fill bytes, over what some writers leave between segments, and, within a scan,
        // over the compressed data, in which FF 00 is a byte FF and FF D0 to FF D7 are restarts.
        let marker = loop {
            match bytes.get(at..at + 2) {
                Some([0xFF, 0x00 | 0x01 | 0xD0..=0xD8]) => at += 2,
                Some([0xFF, marker]) if *marker != 0xFF => break *marker,
                Some(_) => at += 1,
                None => return false,
            }
        };
        if marker == END {
            return true;
        }
        match bytes.get(at + 2..at + 4) {
            Some([high, low]) => at += 2 + usize::from(u16::from_be_bytes([*high, *low])).max(2),
            _ => return false,
        }
    }
}

/// Every writer of CMYK JPEGs follows Adobe's inverted inks, Pillow assumes.
fn inverted_cmyk(stored: &[u8]) -> [u8; 3] {
    convert::cmyk_pixel([255 - stored[0], 255 - stored[1], 255 - stored[2], 255 - stored[3]])
}

/// YCCK: the first three are (255 - C, 255 - M, 255 - Y) as YCbCr, and Adobe's inversion comes on top.
fn ycck(stored: &[u8]) -> [u8; 3] {
    let [r, g, b] = ycc_to_rgb(stored[0], stored[1], stored[2]);
    convert::cmyk_pixel([r, g, b, 255 - stored[3]])
}

/// JFIF's conversion in libjpeg's 16-bit fixed point.
fn ycc_to_rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    let red = y + ((91_881 * cr + HALF) >> 16);
    let green = y + ((-22_554 * cb - 46_802 * cr + HALF) >> 16);
    let blue = y + ((116_130 * cb + HALF) >> 16);
    [red, green, blue].map(|v| v.clamp(0, 255) as u8)
}

fn bad(error: DecodeErrors) -> BadImage {
    match error {
        DecodeErrors::ExhaustedData => BadImage::Truncated(JPEG),
        DecodeErrors::Unsupported(what) => JPEG.unsupported(format!("{what:?}")),
        error => JPEG.corrupt(format!("{error:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_ends_at_the_end_of_image_marker_only() {
        let whole = b"\xff\xd8\xff\xe0\0\x04\xff\xd9\xff\xff\xda\0\x03\x01ab\xff\0c\xff\xd0d\xff\xd9";
        assert!(reaches_its_end(whole));
        assert!(reaches_its_end(&[whole, b"trailing".as_slice()].concat()));
        for length in 3..whole.len() {
            assert!(!reaches_its_end(&whole[..length]), "{length} bytes");
        }
    }

    #[test]
    fn ycc_gives_libjpegs_values() {
        // Image.new("YCbCr", (1, 1), ycc).convert("RGB") agrees with libjpeg on these.
        assert_eq!(ycc_to_rgb(128, 128, 128), [128, 128, 128]);
        assert_eq!(ycc_to_rgb(76, 85, 255), [254, 0, 0]);
        assert_eq!(ycc_to_rgb(150, 44, 21), [0, 255, 1]);
    }
}
