//! A picture → what a network is fed, still in bytes: torchvision's `Resize` and `CenterCrop`.

use crate::Noticed;
use crate::image::{
    BadImage, CropRounding, Decode, Picture, Preprocessing, Resize,
    decode::{Part, Wanted, decode_part},
    resample::{inputs, resize_window},
};
use std::{cell::Cell, ops::Range};

/// Resizes and crops: (height, width, 3) RGB bytes, where (height, width) is `how.output_size()`, or, where that is
/// `None`, [`resized`](resized_size) to whatever the picture's aspect ratio makes of it.
///
/// Channel order and normalisation are left to the engine, by `how.tables()`.
pub fn prepare(picture: &Picture, how: &Preprocessing) -> Vec<u8> {
    finish(&Part::of(picture), how, &Layout::of(picture.width, picture.height, how))
}

/// The bytes of a file → those of [`prepare`], without decoding more than that takes: what lies outside the crop is left
/// out, and where `how.decode` says so, JPEGs are decoded at the smallest half, quarter or eighth of their size that is
/// not smaller than what they are resized to.
///
/// # Errors
///
/// As [`decode`](crate::image::decode).
pub fn load(bytes: &[u8], how: &Preprocessing) -> Result<Loaded, BadImage> {
    let upright = Cell::new((0, 0));
    let part = decode_part(bytes, how.grey16, &|width, height| {
        upright.set((width, height));
        let layout = Layout::of(width, height, how);
        let eighths = match how.decode {
            Decode::Exact => 8,
            Decode::Fast => 8 / draft(width, height, layout.width, layout.height),
        };
        let scaled = |side: u32| (side * eighths).div_ceil(8);
        let needed = |from, to, kept: &CropSpan| inputs(scaled(from), to, kept.range.clone(), how.filter);
        Wanted {
            eighths,
            columns: needed(width, layout.width, &layout.columns),
            rows: needed(height, layout.height, &layout.rows),
        }
    })?;
    // What a picture is resized to follows its own size, not the one that it was decoded at. Decoders that have but one
    // size do not ask for it.
    let (width, height) = match upright.get() {
        (0, 0) => part.whole,
        size => size,
    };
    Ok(Loaded { pixels: finish(&part, how, &Layout::of(width, height, how)), noticed: part.noticed })
}

/// A file that was decoded and prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// As [`prepare`] gives them.
    pub pixels: Vec<u8>,
    /// What was noticed while it was decoded.
    pub noticed: Noticed,
}

/// A whole picture, of which a part is looked at that needs it to be of `width` × `height` pixels or more: decoded, where
/// `how` says so, at the smallest half, quarter or eighth of its size that is.
///
/// # Errors
///
/// As [`decode`](crate::image::decode).
pub(crate) fn decode_for(
    bytes: &[u8],
    how: &Preprocessing,
    width: u32,
    height: u32,
) -> Result<Part<'static>, BadImage> {
    decode_part(bytes, how.grey16, &|whole_width, whole_height| {
        let eighths = match how.decode {
            Decode::Exact => 8,
            Decode::Fast => 8 / draft(whole_width, whole_height, width, height),
        };
        let scaled = |side: u32| (side * eighths).div_ceil(8);
        Wanted { eighths, columns: 0..scaled(whole_width), rows: 0..scaled(whole_height) }
    })
}

/// How many times smaller a picture may be decoded that is to be of `to_width` × `to_height`: Pillow's `Image.draft`.
fn draft(width: u32, height: u32, to_width: u32, to_height: u32) -> u32 {
    let times = (width / to_width.max(1)).min(height / to_height.max(1));
    [8, 4, 2].into_iter().find(|scale| times >= *scale).unwrap_or(1)
}

/// What a picture is resized to, and what the crop keeps of that.
struct Layout {
    width: u32,
    height: u32,
    columns: CropSpan,
    rows: CropSpan,
    /// Height and width.
    crop: (u32, u32),
}

impl Layout {
    fn of(width: u32, height: u32, how: &Preprocessing) -> Layout {
        let (height, width) = resized_size(width, height, how.resize);
        let crop = how.crop.unwrap_or((height, width));
        Layout {
            width,
            height,
            columns: CropSpan::of(width, crop.1, how.crop_rounding),
            rows: CropSpan::of(height, crop.0, how.crop_rounding),
            crop,
        }
    }
}

fn finish(part: &Part<'_>, how: &Preprocessing, layout: &Layout) -> Vec<u8> {
    let Layout { width, height, columns, rows, crop: (crop_height, crop_width) } = layout;
    let (crop_height, crop_width) = (*crop_height, *crop_width);
    // Only what the crop keeps is computed; a thin strip would else be blown up to gigabytes and thrown away.
    let kept = resize_window(part, (*width, *height), how.filter, columns.range.clone(), rows.range.clone());
    if rows.is_all_of(crop_height) && columns.is_all_of(crop_width) {
        return kept;
    }
    let (stride, kept_stride) = (crop_width as usize * 3, columns.range.len() * 3);
    let mut padded = vec![0; crop_height as usize * stride];
    let inner = padded.chunks_exact_mut(stride).skip(rows.before as usize);
    for (row, pixels) in inner.zip(kept.chunks_exact(kept_stride)) {
        row[columns.before as usize * 3..][..kept_stride].copy_from_slice(pixels);
    }
    padded
}

/// (height, width) in pixels that a picture of `width` × `height` is resized to. torchvision's `Resize(n)`: the longer
/// side becomes `int(n * long / short)`.
pub fn resized_size(width: u32, height: u32, resize: Resize) -> (u32, u32) {
    // What a side of 2³² pixels would be for is not our question: saturate.
    let longer = |size: u32, long: u32, short: u32| {
        u32::try_from(u64::from(size) * u64::from(long) / u64::from(short)).unwrap_or(u32::MAX)
    };
    match resize {
        Resize::Exact(height, width) => (height, width),
        Resize::ShorterSide(size) if width <= height => (longer(size, height, width), size),
        Resize::ShorterSide(size) => (size, longer(size, width, height)),
    }
}

/// What a centre crop leaves of one axis: a range of it, and how many zeros come before.
struct CropSpan {
    range: Range<u32>,
    before: u32,
}

impl CropSpan {
    fn of(length: u32, crop: u32, rounding: CropRounding) -> CropSpan {
        let is_even = rounding == CropRounding::Even;
        if crop >= length {
            let excess = crop - length;
            return CropSpan {
                range: 0..length,
                before: if is_even { excess / 2 } else { excess.div_ceil(2) },
            };
        }
        // Python's round((length - crop) / 2.0), halves to the even neighbour; or its (length - crop) // 2.
        let excess = length - crop;
        let start = excess / 2 + u32::from(is_even && excess % 4 == 3);
        CropSpan { range: start..start + crop, before: 0 }
    }

    fn is_all_of(&self, crop: u32) -> bool {
        self.range.len() == crop as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Filter;

    #[test]
    fn the_longer_side_is_cut_off_to_whole_pixels() {
        // torchvision.transforms.functional._compute_resized_output_size((height, width), [size])
        let cases = [
            ((640, 480), 256, (256, 341)),
            ((480, 640), 256, (341, 256)),
            ((100, 100), 256, (256, 256)),
            ((1, 1000), 64, (64_000, 64)),
            ((333, 500), 232, (348, 232)),
        ];
        for ((width, height), size, expected) in cases {
            assert_eq!(resized_size(width, height, Resize::ShorterSide(size)), expected, "{width}×{height}");
        }
        assert_eq!(resized_size(9, 7, Resize::Exact(3, 4)), (3, 4));
    }

    #[test]
    fn halves_round_to_even_and_odd_padding_goes_after() {
        let kept_by = |length, crop, rounding| {
            let CropSpan { range, before } = CropSpan::of(length, crop, rounding);
            (range.start, range.end, before)
        };
        let kept = |length, crop| kept_by(length, crop, CropRounding::Even);
        // int(round((length - crop) / 2.0)) for 1, 3, 5 and 7.
        assert_eq!(kept(225, 224), (0, 224, 0));
        assert_eq!(kept(227, 224), (2, 226, 0));
        assert_eq!(kept(229, 224), (2, 226, 0));
        assert_eq!(kept(231, 224), (4, 228, 0));
        assert_eq!(kept(256, 224), (16, 240, 0));
        assert_eq!(kept(221, 224), (0, 221, 1));
        // (length - crop) // 2, and ceil((crop - length) / 2) before.
        assert_eq!(kept_by(227, 224, CropRounding::Down), (1, 225, 0));
        assert_eq!(kept_by(231, 224, CropRounding::Down), (3, 227, 0));
        assert_eq!(kept_by(221, 224, CropRounding::Down), (0, 221, 2));
    }

    fn how(resize: Resize, crop: Option<(u32, u32)>) -> Preprocessing {
        Preprocessing { resize, crop, filter: Filter::Bicubic, ..Preprocessing::imagenet() }
    }

    #[test]
    fn a_crop_holds_the_very_bytes_of_the_whole() {
        let picture = crate::image::probe(3);
        let whole = crate::image::resize(&picture, 50, 67, Filter::Bicubic);
        assert_eq!(prepare(&picture, &how(Resize::ShorterSide(50), None)), whole.pixels);
        let cropped = prepare(&picture, &how(Resize::ShorterSide(50), Some((32, 20))));
        // (67 - 32) / 2 = 17.5 → 18, (50 - 20) / 2 = 15
        for (row, pixels) in cropped.chunks(20 * 3).enumerate() {
            let at = ((18 + row) * 50 + 15) * 3;
            assert_eq!(pixels, &whole.pixels[at..at + 60], "row {row}");
        }
    }

    #[test]
    fn what_is_smaller_than_the_crop_is_padded_with_zeros() {
        let picture = Picture::from_fn(2, 1, |x, _| [x as u8 + 1; 3]);
        let grey = |how: &Preprocessing| prepare(&picture, how).chunks(3).map(|p| p[0]).collect::<Vec<_>>();
        let padded = grey(&how(Resize::Exact(1, 2), Some((3, 5))));
        assert_eq!(padded, [0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0]);
        // Taller than the picture, but narrower.
        assert_eq!(grey(&how(Resize::Exact(1, 2), Some((2, 1)))), [1, 0]);
    }

    #[test]
    fn a_thin_strip_costs_no_more_than_its_crop() {
        let strip = Picture::from_fn(60_000, 1, |x, _| [(x % 251) as u8; 3]);
        assert_eq!(prepare(&strip, &Preprocessing::imagenet()).len(), 224 * 224 * 3);
    }

    /// Files that differ in format, sampling and how the camera was held.
    fn files() -> Vec<(String, Vec<u8>)> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
        let names =
            ["jpeg-4-2-0", "jpeg-4-4-0", "jpeg-exif", "jpeg-xmp", "jpeg-cmyk", "png-rgb", "tiff-orientation"];
        names.map(|name| (name.to_owned(), std::fs::read(format!("{folder}/{name}")).unwrap())).into()
    }

    #[test]
    fn loading_is_decoding_and_preparing() {
        for (name, bytes) in files() {
            let picture = crate::image::decode(&bytes).unwrap();
            for resize in
                [Resize::Exact(5, 9), Resize::ShorterSide(8), Resize::ShorterSide(40), Resize::Exact(11, 13)]
            {
                for crop in [None, Some((4, 3)), Some((30, 50))] {
                    let how = how(resize, crop);
                    assert!(
                        load(&bytes, &how).unwrap().pixels == prepare(&picture, &how),
                        "{name}, {resize:?}, {crop:?}"
                    );
                }
            }
        }
        assert_eq!(load(b"", &how(Resize::Exact(1, 1), None)), Err(BadImage::Empty));
    }

    #[test]
    fn drafts_are_pillows() {
        // Image.draft(None, (width, height)) of a picture of 640×480: how many times smaller it becomes.
        let cases =
            [((640, 480), 1), ((341, 256), 1), ((320, 240), 2), ((85, 64), 4), ((80, 60), 8), ((1, 480), 1)];
        for ((width, height), times) in cases {
            assert_eq!(draft(640, 480, width, height), times, "{width}×{height}");
        }
    }

    #[test]
    fn fast_is_another_picture_only_where_a_jpeg_shrinks_enough() {
        for (name, bytes) in files() {
            for (side, shrinks) in [(20, false), (3, name.starts_with("jpeg"))] {
                let exact = how(Resize::ShorterSide(side), Some((3, 3)));
                let fast = Preprocessing { decode: Decode::Fast, ..exact.clone() };
                let (exact, fast) =
                    (load(&bytes, &exact).unwrap().pixels, load(&bytes, &fast).unwrap().pixels);
                assert_eq!(exact != fast, shrinks, "{name} to {side}");
            }
        }
    }
}
