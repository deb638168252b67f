//! Bytes of a file → an upright RGB picture, as Pillow's `ImageOps.exif_transpose(image).convert("RGB")` gives it.
//!
//! The decoders are our own for ordinary JPEGs, libjpeg-turbo's for all others, libjxl's in Rust, the `image` crate's
//! and those that the latter stands on; the conversions to RGB are ours, since they differ from Pillow's there. What follows from that, and surprises at times:
//!
//! - alpha is dropped, not composited; a transparent pixel shows the colour that lies under it;
//! - 16-bit grey is *clipped* at 255 (Pillow's `I;16` → `RGB`), unless [`Grey16`] says otherwise; every other 16-bit kind
//!   keeps its high byte;
//! - colour profiles and gamma are ignored.
//!
//! **Invariant:** no input makes `decode` panic or allocate for more than [`MAX_PIXELS`](crate::image::MAX_PIXELS).
//! **Invariant:** nothing is allocated by what a file says before that was [set aside](share).

mod convert;
mod gif;
mod jpeg;
mod jxl;
mod orientation;
mod part;
mod plain;
mod png;
mod pnm;
mod revision;
mod share;
mod tiff;
mod tiff_jpeg;

use crate::Noticed;
use crate::image::{BadImage, Format, Grey16, Picture};
use orientation::Orientation;
use share::Share;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[doc(hidden)]
pub use jpeg::decode_jpeg_both;
pub(crate) use jpeg::idct;
pub(crate) use part::{Part, Wanted};
pub(crate) use pnm::is_space;
pub use revision::decoder;

/// Decodes a whole file's bytes; 16-bit grey is clipped.
///
/// # Errors
///
/// [`BadImage`] says in one line why the file is not a picture; none of the reasons is worth a second try.
pub fn decode(bytes: &[u8]) -> Result<Picture, BadImage> {
    Ok(decode_whole(bytes, Grey16::Clip)?.into_picture())
}

/// All of a picture.
pub(crate) fn decode_whole(bytes: &[u8], grey16: Grey16) -> Result<Part<'static>, BadImage> {
    decode_part(bytes, grey16, &|width, height| Wanted { eighths: 8, columns: 0..width, rows: 0..height })
}

/// Decodes what `wanted` asks for, given the width and height of the upright picture, or more of it.
pub(crate) fn decode_part(
    bytes: &[u8],
    grey16: Grey16,
    wanted: &dyn Fn(u32, u32) -> Wanted,
) -> Result<Part<'static>, BadImage> {
    if bytes.is_empty() {
        return Err(BadImage::Empty);
    }
    let format = Format::of(bytes).ok_or_else(|| BadImage::NotAnImage(beginning(bytes)))?;
    // The decoders are other people's code and see other people's bytes: should one of them panic, then it is this
    // picture that is bad, not the run.
    let decoded = catch_unwind(AssertUnwindSafe(|| match format {
        Format::Jpeg => jpeg::decode(bytes, jpeg::Inks::Inverted, wanted),
        Format::Png | Format::WebP | Format::Bmp => plain::decode(bytes, format, grey16),
        Format::Gif => gif::decode(bytes),
        Format::Tiff => tiff::decode(bytes, grey16),
        Format::Pnm => pnm::decode(bytes, grey16),
        Format::Jxl => jxl::decode(bytes),
    }));
    let Stored { part, orientation, noticed, share } =
        decoded.unwrap_or_else(|_| Err(format.corrupt("the decoder gave up")))?;
    let part = match orientation {
        Orientation::UPRIGHT => part,
        // What is stored another way is always decoded whole.
        turned => turned.apply(part.into_picture()).into(),
    };
    Ok(part.with(noticed, share))
}

/// A picture as it is stored, and what makes it upright.
struct Stored {
    part: Part<'static>,
    orientation: Orientation,
    noticed: Noticed,
    /// Of memory, held as long as the picture is.
    share: Share,
}

/// The formats that no decoder here knows: ISO 23008-12 and AV1's files.
fn not_decoded(head: &[u8]) -> Option<&'static str> {
    match head {
        [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', b'f' | b's'] => Some("AVIF"),
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => {
            let known: [&[u8]; 6] = [b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1"];
            known.contains(&brand).then_some("HEIC")
        }
        _ => None,
    }
}

/// What a file that is no image starts with, in words.
fn beginning(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(12)];
    if let Some(known) = not_decoded(head) {
        return format!("{known}, which is not decoded; convert it to PNG or JPEG");
    }
    if head.iter().all(|b| (b' '..=b'~').contains(b) || b.is_ascii_whitespace()) {
        "text".to_owned()
    } else if head.iter().all(|&b| b == 0) {
        "zeros".to_owned()
    } else {
        let hex: Vec<String> = head.iter().take(4).map(|b| format!("{b:02x}")).collect();
        format!("bytes {}", hex.join(" "))
    }
}
