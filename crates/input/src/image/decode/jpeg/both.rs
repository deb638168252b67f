//! Our own decoder beside the library, for fuzzing.

use super::{Header, Inks, library, ordinary};
use crate::image::{
    BadImage, Format, Picture,
    decode::{Stored, Wanted},
    simd::Isa,
};

/// What our own decoder makes of an ordinary JPEG, and what libjpeg-turbo does, at so many eighths of its size: the same
/// bits, with vectors and without. Nothing of other files, which are the library's anyway.
pub fn decode_jpeg_both(
    bytes: &[u8],
    eighths: u32,
    vectors: bool,
) -> Option<(Picture, Result<Picture, BadImage>)> {
    if !matches!(Format::of(bytes), Some(Format::Jpeg)) {
        return None;
    }
    let all = |width: u32, height: u32| {
        let scaled = |side: u32| (side * eighths).div_ceil(8);
        Wanted { eighths, columns: 0..scaled(width), rows: 0..scaled(height) }
    };
    let isa = if vectors { Isa::best() } else { Isa::portable() };
    let picture = |stored: Stored| stored.orientation.apply(stored.part.into_picture());
    let own = ordinary(bytes, &Header::read(bytes)?, &all, isa)?;
    let library = library::decode(bytes, Inks::Inverted, &|_, _, _| eighths);
    Some((picture(own), library.map(picture)))
}
