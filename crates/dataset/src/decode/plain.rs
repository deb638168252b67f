//! PNG, WebP and BMP, through the `image` crate.

use super::{Stored, convert, orientation::Orientation};
use crate::{BadImage, Format, MAX_PIXELS, Picture};
use image::codecs::{bmp::BmpDecoder, png::PngDecoder, webp::WebPDecoder};
use image::{ColorType, ImageDecoder, ImageError, Limits};
use std::io::{Cursor, ErrorKind};

/// A decoder's own buffers (a row, a palette, a WebP's planes) beside the picture's, in bytes: generous, but bounded.
const MAX_WORKSPACE: u64 = MAX_PIXELS * 8;

pub(super) fn decode(bytes: &[u8], format: Format) -> Result<Stored, BadImage> {
    let (picture, orientation) = stored(bytes, format)?;
    Ok(Stored { part: picture.into(), orientation })
}

fn stored(bytes: &[u8], format: Format) -> Result<(Picture, Orientation), BadImage> {
    let file = Cursor::new(bytes);
    let bad = |error| bad(format, error);
    // Each constructor reads the header alone.
    match format {
        Format::WebP => read(WebPDecoder::new(file).map_err(bad)?, format, false),
        Format::Bmp => {
            let (mut picture, orientation) = read(BmpDecoder::new(file).map_err(bad)?, format, false)?;
            if let Some(bits) = bmp_bits(bytes) {
                let tables = bits.map(expansion);
                for pixel in picture.pixels.chunks_exact_mut(3) {
                    pixel.iter_mut().zip(&tables).for_each(|(byte, table)| *byte = table[usize::from(*byte)]);
                }
            }
            Ok((picture, orientation))
        }
        _ => {
            // `image` calls a zero size corrupt; say what it is.
            if let Some((width, height)) = png_size(bytes) {
                format.check_size(width, height)?;
            }
            // A grey PNG stays grey for Pillow even where a tRNS chunk makes `image` add alpha.
            let grey = bytes.get(25) == Some(&0);
            read(PngDecoder::new(file).map_err(bad)?, format, grey)
        }
    }
}

fn read(
    mut decoder: impl ImageDecoder,
    format: Format,
    grey_png: bool,
) -> Result<(Picture, Orientation), BadImage> {
    let (width, height) = decoder.dimensions();
    format.check_size(width, height)?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_WORKSPACE);
    decoder.set_limits(limits).map_err(|error| bad(format, error))?;
    let exif = decoder.exif_metadata().ok().flatten();
    let xmp = decoder.xmp_metadata().ok().flatten();
    let orientation = Orientation::from_metadata(exif.as_deref(), xmp.as_deref());

    let color = decoder.color_type();
    let size = usize::try_from(decoder.total_bytes())
        .map_err(|_| format.unsupported("more bytes than memory has"))?;
    let mut samples = vec![0; size];
    decoder.read_image(&mut samples).map_err(|error| bad(format, error))?;
    let wide = || samples.chunks_exact(2).map(|b| u16::from_ne_bytes([b[0], b[1]]));
    let pixels = match color {
        ColorType::Rgb8 => samples,
        ColorType::Rgba8 => convert::first_three(&samples, 4),
        ColorType::L8 => convert::grey(&samples, 1),
        ColorType::La8 => convert::grey(&samples, 2),
        ColorType::L16 => convert::grey(&convert::clipped(wide()), 1),
        ColorType::La16 if grey_png => convert::grey(&convert::clipped(wide()), 2),
        ColorType::La16 => convert::grey(&convert::high_bytes(wide()), 2),
        ColorType::Rgb16 => convert::high_bytes(wide()),
        ColorType::Rgba16 => convert::first_three(&convert::high_bytes(wide()), 4),
        other => return Err(format.unsupported(format!("pixels of {other:?}"))),
    };
    Ok((Picture { width, height, pixels }, orientation))
}

/// How many bits red, green and blue have in a BMP of 16 bits a pixel.
fn bmp_bits(bytes: &[u8]) -> Option<[u32; 3]> {
    let field = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let (header, depth, compression) = (field(14)?, field(26)? >> 16, field(30)?);
    if header < 40 || depth != 16 {
        return None;
    }
    match compression {
        0 => Some([5; 3]),
        3 => Some([field(54)?, field(58)?, field(62)?].map(u32::count_ones)),
        _ => None,
    }
}

/// The byte that `image` makes of a level of `bits` bits → the one that Pillow makes: the first rounds, the other cuts off.
fn expansion(bits: u32) -> [u8; 256] {
    let top = (1u32 << bits.clamp(1, 8)) - 1;
    std::array::from_fn(|byte| ((byte as u32 * top + 127) / 255 * 255 / top) as u8)
}

/// Width and height of a PNG's first chunk, which must be IHDR.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let header = bytes.get(12..24)?;
    let number = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    header.starts_with(b"IHDR").then_some((number(4)?, number(8)?))
}

fn bad(format: Format, error: ImageError) -> BadImage {
    match error {
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => BadImage::Truncated(format),
        ImageError::Unsupported(error) => format.unsupported(error),
        error => format.corrupt(error),
    }
}
