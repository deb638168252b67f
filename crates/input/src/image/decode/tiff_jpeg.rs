//! JPEG in TIFF (compression 7): each strip or tile is a JPEG whose tables may stand in the directory. Put together again
//! they are decoded as any JPEG is, so that pixels are those of libtiff over libjpeg-turbo, which Pillow reads them with.
//!
//! The directory, not the JPEG's markers, says what the components are; so it is told by a marker of Adobe's.

use super::{Stored, Wanted, jpeg, tiff::Reader};
use crate::Noticed;
use crate::image::{BadImage, Format, Picture};
use std::ops::Range;
use tiff::decoder::{ChunkType, ifd::Value};
use tiff::tags::Tag;

const TIFF: Format = Format::Tiff;

/// What the samples are, by the directory's photometric interpretation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    WhiteIsZero,
    Grey,
    Rgb,
    Inks,
    Ycc,
}

/// All strips or tiles of the page: its pixels, (height, width, 3).
pub(super) fn pixels(
    reader: &mut Reader<'_>,
    file: &[u8],
    (width, height): (u32, u32),
) -> Result<(Vec<u8>, Noticed), BadImage> {
    let kind = kind(reader)?;
    let tables = reader.find_tag(Tag::JPEGTables).map_err(super::tiff::bad)?;
    let tables = tables.map(Value::into_u8_vec).transpose().map_err(super::tiff::bad)?;
    let tiled = reader.get_chunk_type() == ChunkType::Tile;
    let (offsets, lengths) = match tiled {
        true => (Tag::TileOffsets, Tag::TileByteCounts),
        false => (Tag::StripOffsets, Tag::StripByteCounts),
    };
    let offsets = reader.get_tag_u64_vec(offsets).map_err(super::tiff::bad)?;
    let lengths = reader.get_tag_u64_vec(lengths).map_err(super::tiff::bad)?;
    let (chunk_width, chunk_height) = reader.chunk_dimensions();
    let (chunk_width, chunk_height) = (chunk_width.max(1), chunk_height.max(1));
    let across = width.div_ceil(chunk_width);
    if (offsets.len() as u64) < u64::from(across) * u64::from(height.div_ceil(chunk_height)) {
        return Err(BadImage::Truncated(TIFF));
    }
    let stride = width as usize * 3;
    let mut pixels = vec![0; stride * height as usize];
    let mut noticed = Noticed::default();
    for (number, (offset, length)) in (0u32..).zip(offsets.into_iter().zip(lengths)) {
        let (left, top) = (number % across * chunk_width, number / across * chunk_height);
        if top >= height {
            break;
        }
        let (columns, rows) = (chunk_width.min(width - left), chunk_height.min(height - top));
        let stream = range(offset, length).and_then(|range| file.get(range));
        let stream = stream.ok_or(BadImage::Truncated(TIFF))?;
        let jpeg = whole(tables.as_deref().unwrap_or_default(), stream, kind)?;
        // The last strip may be stored as high as the others.
        let (expected, least) = (chunk_width, if tiled { chunk_height } else { rows });
        let fits = move |size: (u32, u32)| size.0 == expected && (least..=chunk_height).contains(&size.1);
        let (chunk, found) = decoded(&jpeg, fits)?;
        noticed = noticed.or(found);
        let kept = columns as usize * 3;
        let from = chunk.pixels.chunks_exact(chunk.width as usize * 3);
        let to = pixels[top as usize * stride..].chunks_exact_mut(stride).take(rows as usize);
        for (to, from) in to.zip(from) {
            to[left as usize * 3..][..kept].copy_from_slice(&from[..kept]);
        }
    }
    if kind == Kind::WhiteIsZero {
        pixels.iter_mut().for_each(|level| *level = !*level);
    }
    Ok((pixels, noticed))
}

/// # Errors
/// Where it is of a kind that has no one meaning, or whose bits would not be Pillow's.
fn kind(reader: &mut Reader<'_>) -> Result<Kind, BadImage> {
    let mut number = |tag, usual: u16| -> Result<u16, BadImage> {
        let found = reader.find_tag_unsigned_vec::<u16>(tag).map_err(super::tiff::bad)?;
        Ok(found.and_then(|found| found.first().copied()).unwrap_or(usual))
    };
    let (bits, samples) = (number(Tag::BitsPerSample, 1)?, number(Tag::SamplesPerPixel, 1)?);
    let refused = |what: String| Err(TIFF.unsupported(format!("JPEG compression of {what}")));
    if bits != 8 {
        return refused(format!("{bits} bits a sample"));
    }
    if samples > 1 && number(Tag::PlanarConfiguration, 1)? != 1 {
        return refused("separate planes".to_owned());
    }
    match (number(Tag::PhotometricInterpretation, 1)?, samples) {
        (0, 1) => Ok(Kind::WhiteIsZero),
        (1, 1) => Ok(Kind::Grey),
        (2, 3) => Ok(Kind::Rgb),
        (5, 4) => Ok(Kind::Inks),
        (6, 3) => Ok(Kind::Ycc),
        (photometric, _) => refused(format!("{samples} samples of photometric interpretation {photometric}")),
    }
}

fn range(offset: u64, length: u64) -> Option<Range<usize>> {
    Some(usize::try_from(offset).ok()?..usize::try_from(offset.checked_add(length)?).ok()?)
}

/// A JPEG of its own: tables, a marker that says what its components are, and a strip without any such marker.
fn whole(tables: &[u8], stream: &[u8], kind: Kind) -> Result<Vec<u8>, BadImage> {
    let corrupt = || TIFF.corrupt("a strip or tile that is no JPEG");
    let start = stream.strip_prefix(&[0xFF, 0xD8]).ok_or_else(corrupt)?;
    let transform = u8::from(kind == Kind::Ycc);
    let mut jpeg = vec![0xFF, 0xD8];
    jpeg.extend(b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0");
    jpeg.push(transform);
    if let Some(tables) = tables.strip_prefix(&[0xFF, 0xD8]) {
        jpeg.extend(tables.strip_suffix(&[0xFF, 0xD9]).unwrap_or(tables));
    }
    let mut rest = start;
    while let [0xFF, marker, high, low, ..] = *rest {
        let length = 2 + usize::from(u16::from_be_bytes([high, low]));
        let (segment, after) = rest.split_at_checked(length).ok_or(BadImage::Truncated(TIFF))?;
        match marker {
            0xE0..=0xEF | 0xFE => {}
            0xDA => break,
            _ => jpeg.extend(segment),
        }
        rest = after;
    }
    jpeg.extend(rest);
    Ok(jpeg)
}

/// All pixels of a JPEG whose size is as it should be.
fn decoded(jpeg: &[u8], fits: impl Fn((u32, u32)) -> bool) -> Result<(Picture, Noticed), BadImage> {
    let inks = jpeg::Inks::Plain;
    let whole = |width, height| Wanted { eighths: 8, columns: 0..width, rows: 0..height };
    let Stored { part, noticed, .. } = jpeg::decode(jpeg, inks, &whole).map_err(|reason| match reason {
        BadImage::Truncated(_) => BadImage::Truncated(TIFF),
        BadImage::Unsupported { reason, .. } => TIFF.unsupported(format!("JPEG in it: {reason}")),
        reason => TIFF.corrupt(reason),
    })?;
    if !fits(part.whole) {
        let (width, height) = part.whole;
        return Err(
            TIFF.corrupt(format!("a strip or tile of {width}×{height} pixels, not as large as it should be"))
        );
    }
    Ok((part.into_picture(), noticed))
}
