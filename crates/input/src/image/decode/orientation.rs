//! The eight ways in which a camera may have been held (EXIF tag 274), undone.

use crate::image::Picture;

/// EXIF's orientation, 1 to 8; anything else counts as 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orientation(u8);

impl Orientation {
    /// Stored upright.
    pub(super) const UPRIGHT: Orientation = Orientation(1);

    /// The value of a TIFF or EXIF tag.
    pub(super) fn from_tag(value: u64) -> Orientation {
        match value {
            2..=8 => Orientation(value as u8),
            _ => Orientation::UPRIGHT,
        }
    }

    /// From a file's EXIF block (a TIFF header and its tags) or, where that has no such tag, from its XMP packet, in
    /// which Pillow looks next.
    pub(super) fn from_metadata(exif: Option<&[u8]>, xmp: Option<&[u8]>) -> Orientation {
        let tag = exif.and_then(in_exif).or_else(|| xmp.and_then(in_xmp));
        tag.map_or(Orientation::UPRIGHT, Orientation::from_tag)
    }

    /// Whether width and height change places.
    pub(super) fn turns(self) -> bool {
        self.0 >= 5
    }

    /// The picture turned upright.
    pub(super) fn apply(self, picture: Picture) -> Picture {
        // Where the pixel at (x, y) of the result was stored, as (column, row); `right` and `bottom` are the last ones.
        let stored: fn(u32, u32, u32, u32) -> (u32, u32) = match self.0 {
            2 => |x, y, right, _| (right - x, y),
            3 => |x, y, right, bottom| (right - x, bottom - y),
            4 => |x, y, _, bottom| (x, bottom - y),
            5 => |x, y, _, _| (y, x),
            6 => |x, y, _, bottom| (y, bottom - x),
            7 => |x, y, right, bottom| (right - y, bottom - x),
            8 => |x, y, right, _| (right - y, x),
            _ => return picture,
        };
        let (right, bottom) = (picture.width - 1, picture.height - 1);
        let (width, height) =
            if self.0 < 5 { (picture.width, picture.height) } else { (picture.height, picture.width) };
        Picture::from_fn(width, height, |x, y| {
            let (column, row) = stored(x, y, right, bottom);
            let at = (row as usize * picture.width as usize + column as usize) * 3;
            [picture.pixels[at], picture.pixels[at + 1], picture.pixels[at + 2]]
        })
    }
}

/// Tag 274 of the first directory of an EXIF block, of whatever integer type.
fn in_exif(exif: &[u8]) -> Option<u64> {
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let big = match exif.get(..4)? {
        [b'I', b'I', 42, 0] => false,
        [b'M', b'M', 0, 42] => true,
        _ => return None,
    };
    let number = |at: usize, bytes: usize| -> Option<u64> {
        let field = exif.get(at..at.checked_add(bytes)?)?;
        let push = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if big { field.iter().fold(0, push) } else { field.iter().rev().fold(0, push) })
    };
    let directory = number(4, 4)? as usize;
    let entries = number(directory, 2)? as usize;
    for entry in (0..entries).map(|i| directory + 2 + 12 * i) {
        if number(entry, 2)? == 274 {
            return match number(entry + 2, 2)? {
                1 => number(entry + 8, 1),
                3 => number(entry + 8, 2),
                4 => number(entry + 8, 4),
                _ => None,
            };
        }
    }
    None
}

/// `tiff:Orientation="N"` or `<tiff:Orientation>N<`.
fn in_xmp(xmp: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"tiff:Orientation";
    let found = xmp.windows(NAME.len()).enumerate().filter(|(_, window)| *window == NAME);
    found.into_iter().find_map(|(at, _)| match xmp.get(at + NAME.len()..)? {
        [b'=', b'"', digit @ b'0'..=b'9', ..] | [b'>', digit @ b'0'..=b'9', ..] => {
            Some(u64::from(digit - b'0'))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3×2 pixels named by their red channel: 0 1 2 / 3 4 5.
    fn stored() -> Picture {
        Picture::from_fn(3, 2, |x, y| [(y * 3 + x) as u8, 0, 0])
    }

    #[test]
    fn every_orientation_is_what_pillow_makes_of_it() {
        // np.asarray(ImageOps.exif_transpose(im))[..., 0] for each orientation, Pillow 13.
        let cases: [(u64, u32, [u8; 6]); 9] = [
            (1, 3, [0, 1, 2, 3, 4, 5]),
            (2, 3, [2, 1, 0, 5, 4, 3]),
            (3, 3, [5, 4, 3, 2, 1, 0]),
            (4, 3, [3, 4, 5, 0, 1, 2]),
            (5, 2, [0, 3, 1, 4, 2, 5]),
            (6, 2, [3, 0, 4, 1, 5, 2]),
            (7, 2, [5, 2, 4, 1, 3, 0]),
            (8, 2, [2, 5, 1, 4, 0, 3]),
            (9, 3, [0, 1, 2, 3, 4, 5]),
        ];
        for (tag, width, expected) in cases {
            let upright = Orientation::from_tag(tag).apply(stored());
            let reds: Vec<u8> = upright.pixels.chunks(3).map(|p| p[0]).collect();
            assert_eq!((upright.width, reds.as_slice()), (width, &expected[..]), "orientation {tag}");
        }
    }

    #[test]
    fn exif_comes_first_then_xmp_and_nonsense_is_upright() {
        let little = b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        let big = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0";
        let none = b"II\x2a\0\x08\0\0\0\0\0";
        let xmp = br#"<x tiff:Orientation="3"/>"#;
        let element = b"<tiff:Orientation>4</tiff:Orientation>";
        let cases: [(&[u8], &[u8], u8); 8] = [
            (little, xmp, 6),
            (big, xmp, 8),
            (b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0", xmp, 8),
            (none, xmp, 3),
            (none, element, 4),
            (&little[..16], b"", 1),
            (b"II\x2a\0\xff\xff\xff\xff", b"tiff:Orientation", 1),
            (b"", b"tiff:Orientation=\"x\"", 1),
        ];
        for (exif, xmp, expected) in cases {
            assert_eq!(Orientation::from_metadata(Some(exif), Some(xmp)), Orientation(expected), "{exif:?}");
        }
        assert_eq!(Orientation::from_metadata(None, None), Orientation::UPRIGHT);
    }
}
