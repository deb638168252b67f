//! What is decoded here against what libjpeg-turbo's code makes of the same bytes.

use super::*;
use crate::image::{Picture, probe};
use mozjpeg::{ColorSpace, Compress};

/// How a test picture is stored.
#[derive(Clone, Copy, Debug)]
struct How {
    /// Pixels a chroma sample; none for grey.
    sampling: Option<(u8, u8)>,
    quality: f32,
    restart: u32,
}

/// Every sampling that is decoded here.
const ORDINARY: [Option<(u8, u8)>; 4] = [Some((2, 2)), Some((2, 1)), Some((1, 1)), None];

fn encoded(picture: &Picture, how: How) -> Vec<u8> {
    let mut encoder =
        Compress::new(if how.sampling.is_some() { ColorSpace::JCS_RGB } else { ColorSpace::JCS_GRAYSCALE });
    encoder.set_fastest_defaults();
    encoder.set_size(picture.width as usize, picture.height as usize);
    encoder.set_quality(how.quality);
    if let Some(sampling) = how.sampling {
        encoder.set_color_space(ColorSpace::JCS_YCbCr);
        encoder.set_chroma_sampling_pixel_sizes(sampling, sampling);
    }
    let mut started = encoder.start_compress(Vec::new()).unwrap();
    match how.sampling {
        Some(_) => started.write_scanlines(&picture.pixels).unwrap(),
        None => {
            let grey: Vec<u8> = picture.pixels.chunks(3).map(|pixel| pixel[1]).collect();
            started.write_scanlines(&grey).unwrap();
        }
    }
    let bytes = started.finish().unwrap();
    if how.restart == 0 { bytes } else { with_restarts(&bytes, how.restart) }
}

/// The encoder has no flag for restarts; a file with an interval longer than the picture is one without.
fn with_restarts(bytes: &[u8], interval: u32) -> Vec<u8> {
    let scan = bytes.windows(2).position(|pair| pair == [0xFF, 0xDA]).unwrap();
    let segment = [0xFF, 0xDD, 0, 4, (interval >> 8) as u8, interval as u8];
    [&bytes[..scan], &segment, &bytes[scan..]].concat()
}

fn all(eighths: u32) -> impl Fn(u32, u32) -> Wanted {
    move |width, height| Wanted {
        eighths,
        columns: 0..(width * eighths).div_ceil(8),
        rows: 0..(height * eighths).div_ceil(8),
    }
}

fn here(bytes: &[u8], wanted: &dyn Fn(u32, u32) -> Wanted, isa: Isa) -> Option<Stored> {
    ordinary(bytes, &Header::read(bytes)?, wanted, isa)
}

fn there(bytes: &[u8], eighths: u32) -> Result<Stored, BadImage> {
    library::decode(bytes, Inks::Inverted, &|_, _, _| eighths)
}

/// A picture with everything from flat areas to noise of full contrast.
fn busy(width: u32, height: u32) -> Picture {
    let noise = probe(2);
    Picture::from_fn(width, height, |x, y| {
        let at = ((y % 256 * 256 + x % 256) * 3) as usize;
        let pixel = [noise.pixels[at], noise.pixels[at + 1], noise.pixels[at + 2]];
        match (x / 24 + y / 40) % 4 {
            0 => [(x * 3) as u8, (y * 2) as u8, 90],
            1 => pixel,
            2 => pixel.map(|v| if v > 120 { 255 } else { 0 }),
            _ => [17, 200, 90],
        }
    })
}

#[test]
fn every_size_and_sampling_has_the_librarys_bits() {
    let sizes = [(1, 1), (3, 2), (5, 9), (8, 8), (16, 16), (17, 33), (31, 7), (64, 48), (65, 49), (130, 71)];
    let (mut decoded, mut left) = (0, 0);
    for (width, height) in sizes {
        for sampling in ORDINARY {
            for quality in [25.0, 60.0, 98.0] {
                for eighths in [8, 4, 2, 1] {
                    let how = How { sampling, quality, restart: 0 };
                    let bytes = encoded(&busy(width, height), how);
                    let there = there(&bytes, eighths).unwrap().part.into_picture();
                    for isa in [Isa::best(), Isa::portable()] {
                        let Some(here) = here(&bytes, &all(eighths), isa) else {
                            // What would be spread without smoothing.
                            let narrow = width.div_ceil(2) * eighths <= 16;
                            assert!(narrow || eighths == 1, "{width}×{height} {how:?} {eighths}/8");
                            left += 1;
                            continue;
                        };
                        decoded += 1;
                        assert!(here.part.into_picture() == there, "{width}×{height} {how:?} {eighths}/8");
                    }
                }
            }
        }
    }
    assert!(decoded > 4 * left, "{decoded} {left}");
}

#[test]
fn a_window_has_the_pixels_of_the_whole() {
    for sampling in ORDINARY {
        let bytes = encoded(&busy(130, 71), How { sampling, quality: 85.0, restart: 0 });
        for eighths in [8, 4, 2] {
            let whole = there(&bytes, eighths).unwrap().part.into_picture();
            let (width, height) = (whole.width, whole.height);
            let windows = [
                (0..1, 0..1),
                (width - 1..width, height - 1..height),
                (width / 3..width / 2, height / 5..height / 2),
                (1..width, 0..height - 2),
                (width / 4 * 2 + 1..width / 4 * 2 + 2, 7..8),
            ];
            for (columns, rows) in windows {
                let wanted = |_, _| Wanted { eighths, columns: columns.clone(), rows: rows.clone() };
                let part = here(&bytes, &wanted, Isa::best()).unwrap().part;
                assert_eq!(part.whole, (width, height));
                let range = |range: &Range<u32>| range.start as usize..range.end as usize;
                let pixels = part.cut(&range(&columns), range(&rows));
                let expected: Vec<u8> = rows
                    .clone()
                    .flat_map(|y| {
                        let row = (y * width) as usize * 3;
                        whole.pixels[row + columns.start as usize * 3..row + columns.end as usize * 3]
                            .to_vec()
                    })
                    .collect();
                assert!(pixels == expected, "{sampling:?} {eighths}/8 {columns:?} {rows:?}");
            }
        }
    }
}

/// Every JPEG among the fixtures.
fn fixtures() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut files: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .filter(|(name, _)| name.starts_with("jpeg"))
        .map(|(name, path)| (name, std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn ordinary_files_are_decoded_here() {
    let left: Vec<String> = fixtures()
        .into_iter()
        .filter(|(_, bytes)| here(bytes, &all(8), Isa::best()).is_none())
        .map(|(name, _)| name)
        .collect();
    let unusual = |name: &str| {
        ["progressive", "unfinished", "4-1-1", "4-4-0", "rgb", "cmyk", "ycck"]
            .iter()
            .any(|kind| name.contains(kind))
    };
    assert!(left.iter().all(|name| unusual(name)), "{left:?}");
}

#[test]
fn whatever_is_broken_is_the_librarys_or_has_its_bits() {
    let mut decoded = 0;
    let mut check = |name: &str, at: usize, broken: &[u8]| {
        let eighths = if at.is_multiple_of(3) { 4 } else { 8 };
        let Some(here) = here(broken, &all(eighths), Isa::best()) else { return };
        decoded += 1;
        let there = there(broken, eighths).unwrap_or_else(|reason| panic!("{name} at {at}: {reason}"));
        assert_eq!(here.orientation, there.orientation, "{name} at {at}");
        assert!(here.part.into_picture() == there.part.into_picture(), "{name} at {at}, {eighths}/8");
    };
    let mut files = fixtures();
    for sampling in ORDINARY {
        for (quality, restart) in [(30.0, 0), (97.0, 500)] {
            let bytes = encoded(&busy(61, 45), How { sampling, quality, restart });
            files.push((format!("{sampling:?}"), bytes));
        }
    }
    for (name, bytes) in files {
        let frame = bytes.windows(2).position(|p| p[0] == 0xFF && (0xC0..=0xC2).contains(&p[1])).unwrap();
        for at in 2..bytes.len() {
            // A size that is merely large costs time and shows nothing.
            let flips: &[u8] = if (frame + 5..frame + 9).contains(&at) { &[0x03] } else { &[0x01, 0x90] };
            for flip in flips {
                let mut broken = bytes.clone();
                broken[at] ^= flip;
                check(&name, at, &broken);
            }
            let hole = [&bytes[..at], &bytes[(at + 3).min(bytes.len())..]].concat();
            check(&name, at, &hole);
        }
    }
    assert!(decoded > 5_000, "{decoded}");
}
