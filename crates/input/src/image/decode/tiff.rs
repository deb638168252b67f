//! TIFF: the first page, in the kinds that Pillow reads.

use super::{Stored, convert, orientation::Orientation, share::admit, tiff_jpeg};
use crate::Noticed;
use crate::image::{BadImage, Format, Grey16, MAX_PIXELS, Picture};
use std::io::{Cursor, ErrorKind};
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::{ColorType, TiffError, tags::Tag};

const TIFF: Format = Format::Tiff;

pub(super) type Reader<'a> = Decoder<Cursor<&'a [u8]>>;

/// The tag's value for JPEG as it is written today; what was called so before is refused.
const JPEG: u16 = 7;

pub(super) fn decode(bytes: &[u8], grey16: Grey16) -> Result<Stored, BadImage> {
    match palette_tag(bytes) {
        // The decoder refuses palettes, but reads their indices well enough when told that they are grey.
        Some(at) => {
            let mut grey = bytes.to_vec();
            grey[at] = 1;
            page(&grey, true, grey16)
        }
        None => page(bytes, false, grey16),
    }
}

/// The first page; `indexed`: what looks like grey levels are places in the colour map.
fn page(bytes: &[u8], indexed: bool, grey16: Grey16) -> Result<Stored, BadImage> {
    let mut reader = Decoder::new(Cursor::new(bytes)).map_err(bad)?;
    let (width, height) = reader.dimensions().map_err(bad)?;
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_PIXELS as usize * 4;
    limits.intermediate_buffer_size = MAX_PIXELS as usize * 4;
    reader = reader.with_limits(limits);
    let orientation = reader.find_tag_unsigned::<u64>(Tag::Orientation).map_err(bad)?.unwrap_or(1);

    let compression = reader.find_tag_unsigned::<u16>(Tag::Compression).map_err(bad)?;
    let color = reader.colortype().map_err(bad)?;
    if color.num_samples() > 4 || color.bit_depth() > 32 {
        return Err(TIFF.unsupported(format!("pixels of {color:?}")));
    }
    // Samples twice, where their order changes; what they become; and that turned.
    let sample = u64::from(color.num_samples()) * u64::from(color.bit_depth()).div_ceil(8);
    let share = admit(TIFF, (width, height), sample * 2 + 6, bytes)?;
    let (pixels, noticed) = match compression {
        Some(JPEG) if !indexed => tiff_jpeg::pixels(&mut reader, bytes, (width, height))?,
        Some(JPEG) => return Err(TIFF.unsupported("JPEG compression of a palette's indices")),
        _ => {
            let samples = interleaved(&mut reader, color)?;
            let mut noticed = Noticed::default();
            let how = How { indexed, grey16, size: (width as usize, height as usize) };
            (to_rgb(&mut reader, samples, color, &how, &mut noticed)?, noticed)
        }
    };
    if pixels.len() != width as usize * height as usize * 3 {
        return Err(BadImage::Truncated(TIFF));
    }
    let picture = Picture { width, height, pixels };
    let orientation = Orientation::from_tag(orientation);
    Ok(Stored { part: picture.into(), orientation, noticed, share })
}

/// What the page's samples are, beside their type.
struct How {
    /// What looks like grey levels are places in the colour map.
    indexed: bool,
    grey16: Grey16,
    size: (usize, usize),
}

/// All samples of the page, pixel by pixel, whether the file keeps them so or plane by plane.
fn interleaved(reader: &mut Reader<'_>, color: ColorType) -> Result<DecodingResult, BadImage> {
    let mut samples = DecodingResult::U8(Vec::new());
    let layout = reader.read_image_to_buffer(&mut samples).map_err(bad)?;
    if layout.planes <= 1 {
        return Ok(samples);
    }
    let channels = usize::from(color.num_samples()).min(layout.planes);
    Ok(match samples {
        DecodingResult::U8(planes) => DecodingResult::U8(interleave(&planes, channels, layout.planes)),
        DecodingResult::U16(planes) => DecodingResult::U16(interleave(&planes, channels, layout.planes)),
        _ => return Err(TIFF.unsupported("separate planes of 32 or 64 bits")),
    })
}

/// (planes, n) → (n, channels).
fn interleave<T: Copy>(samples: &[T], channels: usize, planes: usize) -> Vec<T> {
    let length = samples.len() / planes;
    (0..length).flat_map(|i| (0..channels).map(move |c| samples[c * length + i])).collect()
}

fn to_rgb(
    reader: &mut Reader<'_>,
    samples: DecodingResult,
    color: ColorType,
    &How { indexed, grey16, size: (width, height) }: &How,
    noticed: &mut Noticed,
) -> Result<Vec<u8>, BadImage> {
    use DecodingResult::{F32, I8, I16, I32, U8, U16, U32};
    let kind = || TIFF.unsupported(format!("pixels of {color:?}"));
    Ok(match (samples, color) {
        (U8(v), ColorType::Gray(8)) if indexed => convert::indexed(&v, &palette(reader)?),
        (U8(v), ColorType::Gray(bits @ (1 | 2 | 4))) if indexed => {
            convert::indexed(&convert::unpack(&v, width, height, usize::from(bits)), &palette(reader)?)
        }
        _ if indexed => return Err(TIFF.unsupported("a palette with further samples")),
        (U8(v), ColorType::Gray(bits @ (1 | 2 | 4))) => {
            let scale = (255 / ((1u16 << bits) - 1)) as u8;
            let mut levels = convert::unpack(&v, width, height, usize::from(bits));
            levels.iter_mut().for_each(|level| *level *= scale);
            convert::grey(&levels, 1)
        }
        (U8(v), ColorType::Gray(8)) => convert::grey(&v, 1),
        (I8(v), ColorType::Gray(8)) => v.into_iter().flat_map(|level| [level as u8; 3]).collect(),
        (U16(v), ColorType::Gray(bits @ (12 | 16))) => {
            // Pillow takes 16-bit levels as they are stored, even where white is zero; the decoder has turned them over,
            // which is right as soon as they are scaled.
            let turned =
                reader.find_tag_unsigned::<u16>(Tag::PhotometricInterpretation).map_err(bad)? == Some(0);
            let stored = turned && grey16 == Grey16::Clip;
            let levels = v.into_iter().map(|level| if stored { !level } else { level });
            let (grey, found) = convert::sixteen(levels, grey16, u32::from(bits));
            *noticed = found;
            convert::grey(&grey, 1)
        }
        (I16(v), ColorType::Gray(16)) => clamped(v.into_iter().map(f64::from), noticed),
        (U32(v), ColorType::Gray(32)) => clamped(v.into_iter().map(|level| f64::from(level as i32)), noticed),
        (I32(v), ColorType::Gray(32)) => clamped(v.into_iter().map(f64::from), noticed),
        (F32(v), ColorType::Gray(32)) => {
            // Such levels are from 0 to 1 more often than not.
            let most = v.iter().copied().fold(0.0, f32::max);
            noticed.flattened = most > 0.0 && most <= 1.0;
            clamped(v.into_iter().map(f64::from), noticed)
        }
        (U8(v), ColorType::GrayA(8) | ColorType::Multiband { bit_depth: 8, num_samples: 2 }) => {
            convert::grey(&v, 2)
        }
        (U8(v), ColorType::RGB(8)) => v,
        (U16(v), ColorType::RGB(16)) => convert::high_bytes(v.into_iter()),
        (U8(v), ColorType::RGBA(8)) => rgba(reader, &v)?,
        (U16(v), ColorType::RGBA(16)) => rgba(reader, &convert::high_bytes(v.into_iter()))?,
        (U8(v), ColorType::CMYK(8)) => convert::cmyk(&v, 4),
        (U16(v), ColorType::CMYK(16)) => convert::cmyk(&convert::high_bytes(v.into_iter()), 4),
        _ => return Err(kind()),
    })
}

/// Grey of more than 16 bits, signed or real: clipped to 0..=255, then cut off to whole levels, as Pillow does.
fn clamped(levels: impl Iterator<Item = f64>, noticed: &mut Noticed) -> Vec<u8> {
    let mut outside = false;
    let levels = levels.inspect(|level| outside |= !(0.0..=255.0).contains(level));
    let pixels = levels.flat_map(|level| [level.clamp(0.0, 255.0) as u8; 3]).collect();
    noticed.flattened |= outside;
    pixels
}

/// RGBA → RGB; colours that are stored multiplied by their alpha (ExtraSamples 1) are divided by it again.
fn rgba(reader: &mut Reader<'_>, samples: &[u8]) -> Result<Vec<u8>, BadImage> {
    let extra = reader.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples).map_err(bad)?;
    if extra.is_none_or(|extra| extra.first() != Some(&1)) {
        return Ok(convert::first_three(samples, 4));
    }
    let divided = |colour: u8, alpha: u8| match alpha {
        0 => 0,
        alpha => (u32::from(colour) * 255 / u32::from(alpha)).min(255) as u8,
    };
    Ok(samples
        .chunks_exact(4)
        .flat_map(|p| [divided(p[0], p[3]), divided(p[1], p[3]), divided(p[2], p[3])])
        .collect())
}

/// The colour map (all reds, all greens, all blues, of 16 bits) as (entries, 3) bytes.
fn palette(reader: &mut Reader<'_>) -> Result<Vec<u8>, BadImage> {
    let map = reader.get_tag_u16_vec(Tag::ColorMap).map_err(bad)?;
    Ok(interleave(&convert::high_bytes(map.into_iter()), 3, 3))
}

/// Where the file says that the first page is indexed: the low byte of the value of its tag 262 (photometric
/// interpretation), if that is 3.
fn palette_tag(bytes: &[u8]) -> Option<usize> {
    let big_endian = bytes.starts_with(b"MM");
    let number = |at: usize, length: usize| -> Option<usize> {
        let field = bytes.get(at..at.checked_add(length)?)?;
        let push = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        let value = if big_endian { field.iter().fold(0, push) } else { field.iter().rev().fold(0, push) };
        usize::try_from(value).ok()
    };
    // BigTIFF's fields are twice as wide.
    let (directory, count, entry, value) = match number(2, 2)? {
        43 => (number(8, 8)?, 8, 20, 12),
        _ => (number(4, 4)?, 2, 12, 8),
    };
    let first = directory.checked_add(count)?;
    let entries = number(directory, count)?.min(bytes.len() / entry);
    let tag = (0..entries).map(|i| first + i * entry).find(|at| number(*at, 2) == Some(262))?;
    (number(tag + value, 2)? == 3).then_some(tag + value + usize::from(big_endian))
}

pub(super) fn bad(error: TiffError) -> BadImage {
    match error {
        TiffError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => BadImage::Truncated(TIFF),
        TiffError::UnsupportedError(error) => TIFF.unsupported(error),
        error => TIFF.corrupt(error),
    }
}
