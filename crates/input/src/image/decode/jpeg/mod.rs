//! JPEG, in the bits of libjpeg-turbo with the settings that Pillow leaves it: slow integer DCT, smooth upsampling.
//!
//! Ordinary files (baseline Huffman, grey or YCbCr, nothing wrong with them) are decoded here, with vectors, and only as
//! far as they are asked for. Everything else, and every file in which anything at all is amiss, goes through
//! libjpeg-turbo's own code ([`library`]), so that it decides what a broken file comes to.
//!
//! **Invariant:** whatever is decoded here has the bits that [`library`] would give it.

mod bits;
mod both;
mod colour;
mod header;
mod huffman;
pub(crate) mod idct;
mod library;
mod planes;
mod pool;
mod reduced;
#[expect(unsafe_code, reason = "fills in and reads libjpeg's error manager")]
mod warnings;

use super::{Part, Stored, Wanted, orientation::Orientation, share::admit};
use crate::Noticed;
use crate::image::{BadImage, Format, simd::Isa};
pub use both::decode_jpeg_both;
pub(super) use colour::Ycc;
use header::Header;
use std::ops::Range;

const JPEG: Format = Format::Jpeg;

/// Columns and rows of a picture.
struct Area {
    columns: Range<usize>,
    rows: Range<usize>,
}

/// How the four inks of a CMYK JPEG are stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Inks {
    /// As every writer of JPEG files does after Adobe, Pillow assumes.
    Inverted,
    /// As TIFF has them.
    Plain,
}

/// Decodes what `wanted` asks for, given the size of the upright picture, or more.
pub(super) fn decode(
    bytes: &[u8],
    inks: Inks,
    wanted: &dyn Fn(u32, u32) -> Wanted,
) -> Result<Stored, BadImage> {
    if let Some(stored) = Header::read(bytes).and_then(|header| ordinary(bytes, &header, wanted, Isa::best()))
    {
        return Ok(stored);
    }
    library::decode(bytes, inks, &|width, height, turned| eighths(wanted, width, height, turned))
}

fn ordinary(
    bytes: &[u8],
    header: &Header<'_>,
    wanted: &dyn Fn(u32, u32) -> Wanted,
    isa: Isa,
) -> Option<Stored> {
    let (width, height) = (header.size.0 as u32, header.size.1 as u32);
    let orientation = orientation(&header.app1);
    // Planes; turned, they become a picture, and that another.
    let share =
        admit(JPEG, (width, height), if orientation == Orientation::UPRIGHT { 2 } else { 6 }, bytes).ok()?;
    let eighths = eighths(wanted, width, height, orientation.turns());
    let scaled = |side: u32| (side * eighths).div_ceil(8);
    let (width, height) = (scaled(width), scaled(height));
    let (columns, rows) = match orientation {
        Orientation::UPRIGHT => {
            let wanted = wanted(header.size.0 as u32, header.size.1 as u32);
            (wanted.columns, wanted.rows)
        }
        _ => (0..width, 0..height),
    };
    let range = |range: Range<u32>| range.start as usize..range.end as usize;
    let area = Area { columns: range(columns), rows: range(rows) };
    let planes = planes::planes(header, eighths as usize, &area, isa)?;
    let part = Part::of_planes((width, height), Ycc { planes, isa });
    Some(Stored { part, orientation, noticed: Noticed::default(), share })
}

/// At how many eighths of its size a picture is wanted that is stored as `width` × `height`.
fn eighths(wanted: &dyn Fn(u32, u32) -> Wanted, width: u32, height: u32, turned: bool) -> u32 {
    if turned { wanted(height, width).eighths } else { wanted(width, height).eighths }
}

/// Of EXIF's segments all, one after the other; of XMP's the last, as Pillow takes them.
fn orientation(app1: &[&[u8]]) -> Orientation {
    let exif: Vec<&[u8]> = app1.iter().filter_map(|data| data.strip_prefix(b"Exif\0\0")).collect();
    let xmp = app1.iter().rev().find_map(|data| data.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0"));
    Orientation::from_metadata((!exif.is_empty()).then(|| exif.concat()).as_deref(), xmp)
}

#[cfg(test)]
mod tests;
