//! JPEG, through libjpeg-turbo's code as mozjpeg carries it, with the settings that Pillow leaves it (slow integer DCT,
//! smooth upsampling, smoothing of unfinished progressive files): the bytes are Pillow's.
//!
//! The library's SIMD is left out. Valid files have the same bytes with it; corrupt ones, whose coefficients overflow
//! its 16 bits, have not.

use super::{Inks, JPEG, orientation, warnings};
use crate::Noticed;
use crate::image::{
    BadImage, MAX_PIXELS, Picture,
    decode::{Stored, convert, share::admit},
};
use mozjpeg::{ColorSpace, Decompress, Marker};
use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// More scans than this are refused: each goes over the whole picture, so that a small file could take hours. Writers
/// make about ten; libjpeg-turbo's fuzzers draw the line here.
const MAX_SCANS: usize = 500;

/// Pixels times scans: 24 scans of the largest picture.
const MAX_WORK: u64 = 24 * MAX_PIXELS;

/// `eighths` says at how many eighths of its size the picture is wanted: it is given the width and height that are
/// stored, and whether upright they change places.
pub(super) fn decode(
    bytes: &[u8],
    inks: Inks,
    eighths: &dyn Fn(u32, u32, bool) -> u32,
) -> Result<Stored, BadImage> {
    // The decoder, left to itself, fills what is missing of a truncated file with grey.
    let scans = match scans(bytes) {
        None => return Err(BadImage::Truncated(JPEG)),
        Some(scans @ ..=MAX_SCANS) => scans,
        Some(scans) => {
            return Err(JPEG.unsupported(format!("{scans} scans, more than the limit of {MAX_SCANS}")));
        }
    };
    // The library's fatal errors unwind to here with their message; no panic hook hears of them. Its warnings (odd
    // restarts, data that end early) are counted.
    warnings::take();
    let stored = catch_unwind(AssertUnwindSafe(|| read(bytes, inks, scans, eighths)));
    let damaged = warnings::take() > 0;
    let stored = stored.unwrap_or_else(|error| Err(fatal(error)))?;
    Ok(Stored { noticed: Noticed { damaged, ..Noticed::default() }, ..stored })
}

fn read(
    bytes: &[u8],
    inks: Inks,
    scans: usize,
    eighths: &dyn Fn(u32, u32, bool) -> u32,
) -> Result<Stored, BadImage> {
    // Reads the header alone.
    let decoder = Decompress::with_err(warnings::manager()).with_markers(&[Marker::APP(1)]);
    let mut decoder = decoder.from_mem(bytes).map_err(bad)?;
    // Both sides come from 16-bit fields.
    let (width, height) = decoder.size();
    let size = (width as u32, height as u32);
    let work = width as u64 * height as u64 * scans as u64;
    if work > MAX_WORK {
        return Err(JPEG.unsupported(format!("{scans} scans over {width}×{height} pixels, too much work")));
    }
    // Coefficients of up to four components, where there are several scans; samples; and what they become.
    let share = admit(JPEG, size, if scans > 1 { 12 } else { 6 }, bytes)?;
    let orientation = orientation(&decoder.markers().map(|marker| marker.data).collect::<Vec<_>>());
    let eighths = eighths(width as u32, height as u32, orientation.turns());
    decoder.scale(eighths as u8);
    let scaled = |side: usize| (side * eighths as usize).div_ceil(8);
    let (width, height) = (scaled(width), scaled(height));
    // Inks are taken as they are stored: Pillow's conversion of them to RGB is its own.
    let wanted = match decoder.components().len() {
        1 => ColorSpace::JCS_GRAYSCALE,
        3 => ColorSpace::JCS_RGB,
        4 => ColorSpace::JCS_CMYK,
        other => return Err(JPEG.unsupported(format!("{other} components"))),
    };
    let mut started = decoder.to_colorspace(wanted).map_err(bad)?;
    let samples: Vec<u8> = started.read_scanlines().map_err(bad)?;
    started.finish().map_err(bad)?;
    let pixels = match wanted {
        ColorSpace::JCS_GRAYSCALE => convert::grey(&samples, 1),
        ColorSpace::JCS_CMYK if inks == Inks::Plain => convert::cmyk(&samples, 4),
        ColorSpace::JCS_CMYK => samples.chunks_exact(4).flat_map(inverted_cmyk).collect(),
        _ => samples,
    };
    if pixels.len() != width * height * 3 {
        return Err(JPEG.corrupt("fewer pixels than its header says"));
    }
    let picture = Picture { width: width as u32, height: height as u32, pixels };
    Ok(Stored { part: picture.into(), orientation, noticed: Noticed::default(), share })
}

/// How many scans there are up to the end-of-image marker; none where the file ends before that.
fn scans(bytes: &[u8]) -> Option<usize> {
    const SCAN: u8 = 0xDA;
    const END: u8 = 0xD9;
    let mut scans = 0;
    let mut at = 2; // past the start-of-image marker
    loop {
        // Up to the next marker: over fill bytes, over what some writers leave between segments, and, within a scan,
        // over the compressed data, in which FF 00 is a byte FF and FF D0 to FF D7 are restarts.
        let marker = loop {
            match bytes.get(at..at + 2)? {
                [0xFF, 0x00 | 0x01 | 0xD0..=0xD8] => at += 2,
                [0xFF, marker] if *marker != 0xFF => break *marker,
                _ => at += 1,
            }
        };
        match marker {
            END => return Some(scans),
            SCAN => scans += 1,
            _ => {}
        }
        let length = bytes.get(at + 2..at + 4)?;
        at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
    }
}

/// Every writer of CMYK JPEGs follows Adobe's inverted inks, Pillow assumes.
fn inverted_cmyk(stored: &[u8]) -> [u8; 3] {
    convert::cmyk_pixel([255 - stored[0], 255 - stored[1], 255 - stored[2], 255 - stored[3]])
}

fn bad(error: io::Error) -> BadImage {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => BadImage::Truncated(JPEG),
        _ => JPEG.corrupt(error),
    }
}

/// What the library gave up with.
fn fatal(error: Box<dyn Any + Send>) -> BadImage {
    match error.downcast::<String>() {
        Ok(message) => {
            let message = message.strip_prefix("libjpeg fatal error: ").unwrap_or(&message);
            let unsupported = ["Unsupported", "not supported", "not implemented", "Maximum supported"];
            match unsupported.iter().any(|words| message.contains(words)) {
                true => JPEG.unsupported(message),
                false => JPEG.corrupt(message),
            }
        }
        Err(other) => resume_unwind(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_ends_at_the_end_of_image_marker_only() {
        let whole = b"\xff\xd8\xff\xe0\0\x04\xff\xd9\xff\xff\xda\0\x03\x01ab\xff\0c\xff\xd0d\xff\xd9";
        assert_eq!(scans(whole), Some(1));
        assert_eq!(scans(&[whole, b"trailing".as_slice()].concat()), Some(1));
        for length in 3..whole.len() {
            assert_eq!(scans(&whole[..length]), None, "{length} bytes");
        }
    }
}
