//! Which files come out otherwise than they once did.

use super::png;

/// Names how a file is decoded, in content keys, where its pixels have changed since the first version; else empty. JPEG
/// within TIFF has libjpeg's pixels since, and a PNG is turned as EXIF or XMP behind its pixels says.
pub fn decoder(file: &[u8]) -> &'static str {
    if file.starts_with(b"II*\0") || file.starts_with(b"MM\0*") {
        "tiff-2"
    } else if file.starts_with(b"\x89PNG") && png::is_turned_late(file) {
        "png-2"
    } else {
        ""
    }
}
