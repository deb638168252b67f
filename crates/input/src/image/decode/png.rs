//! What of a PNG's chunks is looked at: pixels and how they are to be turned. The others never reach the decoder, which
//! would inflate colour profiles and texts, a few kilobytes to gigabytes.

use std::borrow::Cow;

/// A PNG with nothing in it that is inflated but its pixels and an XMP packet, and its EXIF block.
pub(super) struct Lean<'a> {
    pub(super) file: Cow<'a, [u8]>,
    /// The last `eXIf` chunk, before or behind the pixels, as Pillow takes it.
    pub(super) exif: Option<&'a [u8]>,
}

const SIGNATURE: usize = 8;
/// Length, kind and checksum of a chunk.
const FRAME: usize = 12;
const XMP: &[u8] = b"XML:com.adobe.xmp\0";

pub(super) fn lean(bytes: &[u8]) -> Lean<'_> {
    let (mut kept, mut xmp, mut exif) = (Vec::new(), None, None);
    let (mut at, mut from, mut dropped) = (SIGNATURE, 0, false);
    while let Some((kind, chunk)) = chunk(bytes, at) {
        let data = &chunk[8..chunk.len() - 4];
        match kind {
            b"eXIf" => exif = Some(data),
            b"iTXt" if data.starts_with(XMP) => xmp = Some(chunk),
            b"iTXt" | b"tEXt" | b"zTXt" | b"iCCP" => {}
            _ => {
                at += chunk.len();
                continue;
            }
        }
        kept.push(&bytes[from..at]);
        at += chunk.len();
        (from, dropped) = (at, true);
    }
    if !dropped {
        return Lean { file: Cow::Borrowed(bytes), exif };
    }
    // Whatever is no whole chunk is for the decoder to judge.
    kept.push(&bytes[from..]);
    let mut file = kept.concat();
    if let Some(xmp) = xmp {
        // The decoder looks for it before the pixels; Pillow, behind them as well.
        let header = chunk(&file, SIGNATURE).map_or(file.len(), |(_, header)| SIGNATURE + header.len());
        file.splice(header..header, xmp.iter().copied());
    }
    Lean { file: Cow::Owned(file), exif }
}

/// Whether anything behind the pixels says how they are turned.
pub(super) fn is_turned_late(bytes: &[u8]) -> bool {
    let (mut at, mut behind) = (SIGNATURE, false);
    while let Some((kind, chunk)) = chunk(bytes, at) {
        match kind {
            b"IDAT" => behind = true,
            b"eXIf" if behind => return true,
            b"iTXt" if behind && chunk[8..].starts_with(XMP) => return true,
            _ => {}
        }
        at += chunk.len();
    }
    false
}

/// Kind and bytes, frame included, of the chunk at `at`, if it is whole.
fn chunk(bytes: &[u8], at: usize) -> Option<(&[u8; 4], &[u8])> {
    let (length, rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
    let kind = rest.first_chunk::<4>()?;
    let length = (u32::from_be_bytes(*length) as usize).checked_add(FRAME)?;
    Some((kind, bytes.get(at..at.checked_add(length)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        [&(data.len() as u32).to_be_bytes()[..], kind, data, b"crc."].concat()
    }

    #[test]
    fn only_pixels_and_orientation_are_left() {
        let head = [b"\x89PNG\r\n\x1a\n".to_vec(), framed(b"IHDR", &[0; 13])].concat();
        let (pixels, end) = (framed(b"IDAT", b"pixels"), framed(b"IEND", b""));
        let xmp = framed(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>");
        let plain = [&head[..], &pixels, &end].concat();
        assert!(matches!(lean(&plain).file, Cow::Borrowed(_)));
        let (profile, text) = (framed(b"iCCP", b"p\0\0zip"), framed(b"zTXt", b"t\0\0zip"));
        let (first, last) = (framed(b"eXIf", b"first"), framed(b"eXIf", b"last"));
        let full = [&head[..], &profile, &first, &pixels, &text, &last, &xmp, &end].concat();
        let Lean { file, exif } = lean(&full);
        assert_eq!((&file[..], exif), (&[&head[..], &xmp, &pixels, &end].concat()[..], Some(&b"last"[..])));
        for (file, late) in
            [(&plain, false), (&full, true), (&[&head[..], &first, &xmp, &pixels, &end].concat(), false)]
        {
            assert_eq!(is_turned_late(file), late);
        }
        // Cut off within a chunk.
        let cut = [&head[..], &profile, &pixels[..10]].concat();
        assert_eq!(&lean(&cut).file[..], [&head[..], &pixels[..10]].concat());
        for length in 0..full.len() {
            assert!(lean(&full[..length]).file.len() <= length);
        }
    }
}
