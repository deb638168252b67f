//! Pictures of every format, and JPEGs against the library whose bits they must have.

use input::image::{MAX_PIXELS, Picture};

/// Decoding takes time by the pixel, and large pictures show nothing that small ones do not.
const LARGE: u64 = 1 << 18;

/// A file of any format.
pub fn picture(bytes: &[u8]) {
    if declared(bytes).is_some_and(|pixels| pixels > LARGE) {
        return;
    }
    match input::image::decode(bytes) {
        Ok(picture) => whole(&picture),
        Err(reason) => assert!(!reason.to_string().contains('\n'), "{reason}"),
    }
}

/// First a byte that says at how many eighths of its size, and with which instructions, then the file.
pub fn jpeg(bytes: &[u8]) {
    let Some((&how, bytes)) = bytes.split_first() else { return };
    if declared(bytes).is_some_and(|pixels| pixels > LARGE) {
        return;
    }
    let eighths = [8, 4, 2, 1][usize::from(how & 3)];
    let Some((own, library)) = input::image::decode_jpeg_both(bytes, eighths, how & 4 == 0) else { return };
    whole(&own);
    match library {
        Ok(library) => assert!(own == library, "other bits than the library's"),
        Err(reason) => panic!("decoded what the library refuses: {reason}"),
    }
}

fn whole(picture: &Picture) {
    let pixels = u64::from(picture.width) * u64::from(picture.height);
    assert!((1..=MAX_PIXELS).contains(&pixels), "{picture:?}");
    assert_eq!(picture.pixels.len() as u64, pixels * 3);
}

/// How many pixels a file says it has, as far as that can be seen at once.
fn declared(bytes: &[u8]) -> Option<u64> {
    let big = |at: usize, n: usize| {
        Some(bytes.get(at..at + n)?.iter().fold(0, |all, &byte| all << 8 | u64::from(byte)))
    };
    let little = |at: usize, n: usize| {
        Some(bytes.get(at..at + n)?.iter().rev().fold(0, |all, &byte| all << 8 | u64::from(byte)))
    };
    match bytes {
        [0x89, b'P', ..] => Some(big(16, 4)? * big(20, 4)?),
        [b'G', b'I', b'F', ..] => Some(little(6, 2)? * little(8, 2)?),
        [b'B', b'M', ..] => Some(little(18, 2)? * little(22, 2)?),
        [0xFF, 0xD8, ..] => {
            let frames = bytes
                .windows(2)
                .enumerate()
                .filter(|(_, pair)| pair[0] == 0xFF && (0xC0..=0xCF).contains(&pair[1]));
            frames.filter_map(|(at, _)| Some(big(at + 5, 2)? * big(at + 7, 2)?)).max()
        }
        _ => None,
    }
}
