//! Why a file did not become a picture. The reasons end up in the index, beside the sample that was skipped.

use crate::image::decode::is_space;
use std::fmt;

/// A picture with more pixels than this is refused before memory is asked for: 178,956,970, where Pillow, too,
/// stops with a `DecompressionBombError`.
pub const MAX_PIXELS: u64 = 178_956_970;

/// A file that is not a picture which we can, or want to, decode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadImage {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// No format's signature.
    #[error("not an image: expected JPEG, PNG, WebP, BMP, GIF, TIFF, PNM or JPEG XL, got {0}")]
    NotAnImage(
        /// What the file starts with, in words.
        String,
    ),
    /// No pixel.
    #[error("the {format} header says {width}×{height} pixels")]
    ZeroSize {
        /// Whose header.
        format: Format,
        /// Columns.
        width: u64,
        /// Rows.
        height: u64,
    },
    /// A decompression bomb, or a map of the world.
    #[error("the {format} header says {width}×{height} pixels, more than the limit of {MAX_PIXELS}")]
    TooLarge {
        /// Whose header.
        format: Format,
        /// Columns.
        width: u64,
        /// Rows.
        height: u64,
    },
    /// More pixels a byte than a picture has that somebody made: a limit of ours, which few formats set.
    #[error(
        "the {format} header says {width}×{height} pixels in {bytes} bytes; of large pictures, more than {most} pixels a \
         byte are not decoded"
    )]
    TooDense {
        /// Whose header.
        format: Format,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Of the file.
        bytes: usize,
        /// Pixels a byte.
        most: u64,
    },
    /// The file ends before the picture does.
    #[error("truncated {0}")]
    Truncated(
        /// Whose data.
        Format,
    ),
    /// The decoder gave up.
    #[error("corrupt {format}: {reason}")]
    Corrupt {
        /// Whose data.
        format: Format,
        /// The decoder's words, on one line.
        reason: String,
    },
    /// Valid as far as we can tell, but of a kind that we do not decode.
    #[error("unsupported {format}: {reason}")]
    Unsupported {
        /// Whose data.
        format: Format,
        /// What is not supported.
        reason: String,
    },
}

/// The formats that are decoded. They are told apart by content; a file's extension plays no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Baseline and progressive, grey, YCbCr, RGB, CMYK, YCCK.
    Jpeg,
    /// Every depth and colour type; of an animation the default image.
    Png,
    /// Lossy and lossless; of an animation the first frame.
    WebP,
    /// Windows bitmaps.
    Bmp,
    /// The first frame.
    Gif,
    /// The first page.
    Tiff,
    /// PBM, PGM and PPM, plain and raw.
    Pnm,
    /// The first frame.
    Jxl,
}

impl Format {
    /// The format that the first bytes of a file announce.
    pub fn of(bytes: &[u8]) -> Option<Format> {
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Some(Format::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Format::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Format::WebP),
            [b'B', b'M', ..] => Some(Format::Bmp),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Format::Gif),
            // 42 is classic TIFF, 43 BigTIFF.
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(Format::Tiff),
            [b'P', b'1'..=b'6', space, ..] if is_space(*space) => Some(Format::Pnm),
            // Bare, or in boxes.
            [0xFF, 0x0A, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Some(Format::Jxl),
            _ => None,
        }
    }

    pub(crate) fn corrupt(self, reason: impl fmt::Display) -> BadImage {
        BadImage::Corrupt { format: self, reason: one_line(&reason) }
    }

    pub(crate) fn unsupported(self, reason: impl fmt::Display) -> BadImage {
        BadImage::Unsupported { format: self, reason: one_line(&reason) }
    }

    /// Checks a header's size, before anything is allocated by it.
    pub(crate) fn check_size(self, width: impl Into<u64>, height: impl Into<u64>) -> Result<(), BadImage> {
        let (format, width, height) = (self, width.into(), height.into());
        match width.checked_mul(height) {
            Some(0) => Err(BadImage::ZeroSize { format, width, height }),
            Some(1..=MAX_PIXELS) => Ok(()),
            _ => Err(BadImage::TooLarge { format, width, height }),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Jpeg => "JPEG",
            Format::Png => "PNG",
            Format::WebP => "WebP",
            Format::Bmp => "BMP",
            Format::Gif => "GIF",
            Format::Tiff => "TIFF",
            Format::Pnm => "PNM",
            Format::Jxl => "JPEG XL",
        })
    }
}

/// Decoders' messages come with line breaks at times; a reason is one line of a table.
fn one_line(reason: &impl fmt::Display) -> String {
    reason.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
