//! Bytes of a file → an upright RGB picture, as Pillow's `ImageOps.exif_transpose(image).convert("RGB")` gives it.
//!
//! The decoders are our own for ordinary JPEGs, libjpeg-turbo's for all others, the `image` crate's and those that the
//! latter stands on; the conversions to RGB are ours, since they differ from Pillow's there. What follows from that, and surprises at times:
//!
//! - alpha is dropped, not composited; a transparent pixel shows the colour that lies under it;
//! - 16-bit grey is *clipped* at 255, not scaled (Pillow's `I;16` → `RGB`); every other 16-bit kind keeps its high byte;
//! - colour profiles and gamma are ignored.
//!
//! **Invariant:** no input makes `decode` panic or allocate for more than [`MAX_PIXELS`](crate::MAX_PIXELS).

mod convert;
mod gif;
mod jpeg;
mod orientation;
mod part;
mod plain;
mod tiff;

use crate::{BadImage, Format, Picture};
use orientation::Orientation;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[doc(hidden)]
pub use jpeg::decode_jpeg_both;
pub(crate) use jpeg::idct;
pub(crate) use part::{Part, Wanted};

/// Decodes a whole file's bytes.
///
/// # Errors
///
/// [`BadImage`] says in one line why the file is not a picture; none of the reasons is worth a second try.
pub fn decode(bytes: &[u8]) -> Result<Picture, BadImage> {
    let whole = |width, height| Wanted { eighths: 8, columns: 0..width, rows: 0..height };
    Ok(decode_part(bytes, &whole)?.into_picture())
}

/// Decodes what `wanted` asks for, given the width and height of the upright picture, or more of it.
pub(crate) fn decode_part(
    bytes: &[u8],
    wanted: &dyn Fn(u32, u32) -> Wanted,
) -> Result<Part<'static>, BadImage> {
    if bytes.is_empty() {
        return Err(BadImage::Empty);
    }
    let format = Format::of(bytes).ok_or_else(|| BadImage::NotAnImage(beginning(bytes)))?;
    // The decoders are other people's code and see other people's bytes: should one of them panic, then it is this
    // picture that is bad, not the run.
    let decoded = catch_unwind(AssertUnwindSafe(|| match format {
        Format::Jpeg => jpeg::decode(bytes, wanted),
        Format::Png | Format::WebP | Format::Bmp => plain::decode(bytes, format),
        Format::Gif => gif::decode(bytes),
        Format::Tiff => tiff::decode(bytes),
    }));
    let Stored { part, orientation } =
        decoded.unwrap_or_else(|_| Err(format.corrupt("the decoder gave up")))?;
    Ok(match orientation {
        Orientation::UPRIGHT => part,
        // What is stored another way is always decoded whole.
        turned => turned.apply(part.into_picture()).into(),
    })
}

/// A picture as it is stored, and what makes it upright.
struct Stored {
    part: Part<'static>,
    orientation: Orientation,
}

/// What a file that is no image starts with, in words.
fn beginning(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(12)];
    if head.iter().all(|b| (b' '..=b'~').contains(b) || b.is_ascii_whitespace()) {
        "text".to_owned()
    } else if head.iter().all(|&b| b == 0) {
        "zeros".to_owned()
    } else {
        let hex: Vec<String> = head.iter().take(4).map(|b| format!("{b:02x}")).collect();
        format!("bytes {}", hex.join(" "))
    }
}
