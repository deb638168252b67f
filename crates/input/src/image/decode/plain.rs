//! PNG, WebP and BMP, through the `image` crate.

use super::{Stored, convert, orientation::Orientation, png, share::admit};
use crate::Noticed;
use crate::image::{BadImage, Format, Grey16, MAX_PIXELS, Picture};
use image::codecs::{bmp::BmpDecoder, png::PngDecoder, webp::WebPDecoder};
use image::{ColorType, ImageDecoder, ImageError, Limits};
use std::io::{Cursor, ErrorKind};

/// A decoder's own buffers (a row, a palette, a WebP's planes) beside the picture's, in bytes: generous, but bounded.
const MAX_WORKSPACE: u64 = MAX_PIXELS * 8;

pub(super) fn decode(bytes: &[u8], format: Format, grey16: Grey16) -> Result<Stored, BadImage> {
    let bad = |error| bad(format, error);
    let how = |grey_png| How { format, file: bytes, grey_png, grey16 };
    // Each constructor reads the header alone.
    match format {
        Format::WebP => {
            let orientation = Orientation::from_metadata(riff(bytes, EXIF), riff(bytes, XMP));
            how(false).read(WebPDecoder::new(Cursor::new(bytes)).map_err(bad)?, |_| orientation, |_| {})
        }
        Format::Bmp => {
            let decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(bad)?;
            how(false).read(
                decoder,
                |_| Orientation::UPRIGHT,
                |pixels| {
                    let Some(bits) = bmp_bits(bytes) else { return };
                    let tables = bits.map(expansion);
                    for pixel in pixels.chunks_exact_mut(3) {
                        pixel
                            .iter_mut()
                            .zip(&tables)
                            .for_each(|(byte, table)| *byte = table[usize::from(*byte)]);
                    }
                },
            )
        }
        _ => {
            // `image` calls a zero size corrupt; say what it is.
            if let Some((width, height)) = png_size(bytes) {
                format.check_size(width, height)?;
            }
            // A grey PNG stays grey for Pillow even where a tRNS chunk makes `image` add alpha.
            let grey = bytes.get(25) == Some(&0);
            let lean = png::lean(bytes);
            let decoder = PngDecoder::new(Cursor::new(&lean.file[..])).map_err(bad)?;
            let xmp = |decoder: &mut PngDecoder<_>| decoder.xmp_metadata().ok().flatten();
            let turned = |decoder: &mut _| Orientation::from_metadata(lean.exif, xmp(decoder).as_deref());
            how(grey).read(decoder, turned, |_| {})
        }
    }
}

/// What a file is read by.
struct How<'a> {
    format: Format,
    file: &'a [u8],
    /// Whether it is a PNG of grey without alpha.
    grey_png: bool,
    grey16: Grey16,
}

impl How<'_> {
    fn read<D: ImageDecoder>(
        self,
        mut decoder: D,
        orientation: impl FnOnce(&mut D) -> Orientation,
        mend: impl FnOnce(&mut [u8]),
    ) -> Result<Stored, BadImage> {
        let How { format, file, grey_png, grey16 } = self;
        let (width, height) = decoder.dimensions();
        let color = decoder.color_type();
        let share = admit(format, (width, height), workspace(format, color), file)?;
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(MAX_WORKSPACE);
        decoder.set_limits(limits).map_err(|error| bad(format, error))?;
        let orientation = orientation(&mut decoder);
        let size = usize::try_from(decoder.total_bytes())
            .map_err(|_| format.unsupported("more bytes than memory has"))?;
        let mut samples = vec![0; size];
        decoder.read_image(&mut samples).map_err(|error| bad(format, error))?;
        let mut noticed = Noticed::default();
        let wide = || samples.chunks_exact(2).map(|b| u16::from_ne_bytes([b[0], b[1]]));
        let mut sixteen = |channels| {
            let (grey, found) = convert::sixteen(wide(), grey16, 16);
            // Alpha is no grey: only the first of each pixel counts.
            noticed = if channels == 1 { found } else { convert::sixteen(wide().step_by(2), grey16, 16).1 };
            convert::grey(&grey, channels)
        };
        let mut pixels = match color {
            ColorType::L16 => sixteen(1),
            ColorType::La16 if grey_png => sixteen(2),
            ColorType::Rgb8 => samples,
            ColorType::Rgba8 => convert::first_three(&samples, 4),
            ColorType::L8 => convert::grey(&samples, 1),
            ColorType::La8 => convert::grey(&samples, 2),
            ColorType::La16 => convert::grey(&convert::high_bytes(wide()), 2),
            ColorType::Rgb16 => convert::high_bytes(wide()),
            ColorType::Rgba16 => convert::first_three(&convert::high_bytes(wide()), 4),
            other => return Err(format.unsupported(format!("pixels of {other:?}"))),
        };
        mend(&mut pixels);
        let part = Picture { width, height, pixels }.into();
        Ok(Stored { part, orientation, noticed, share })
    }
}

/// Bytes a pixel: the decoder's own, its samples, and what they become.
fn workspace(format: Format, color: ColorType) -> u64 {
    let own = if format == Format::WebP { 4 } else { 0 };
    let half = if color.bytes_per_pixel() > color.channel_count() { color.channel_count() } else { 0 };
    own + u64::from(color.bytes_per_pixel()) + u64::from(half) + if color == ColorType::Rgb8 { 0 } else { 3 }
}

/// Kind of a chunk, and the bit of a WebP's header that says it is there.
type Chunk = (&'static [u8; 4], u8);
const EXIF: Chunk = (b"EXIF", 8);
const XMP: Chunk = (b"XMP ", 4);

/// The first chunk of a kind in a WebP, if it is whole.
fn riff(bytes: &[u8], (wanted, flag): Chunk) -> Option<&[u8]> {
    let mut rest = bytes.get(12..)?;
    let flags = rest.strip_prefix(b"VP8X")?.get(4)?;
    while let Some((kind, after)) = rest.split_first_chunk::<4>() {
        let (length, data) = after.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let chunk = data.get(..length)?;
        if kind == wanted && flags & flag != 0 {
            return Some(chunk);
        }
        rest = data.get(length + length % 2..).unwrap_or_default();
    }
    None
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
