//! JPEGs that are not what their headers say: the decoder is C, its errors unwind, and nobody may notice but the caller.

use headstart_input::image::{BadImage, MAX_PIXELS, decode};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Every JPEG of `fixtures/`, by name.
fn jpegs() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("fixtures lie beside this file") {
        let entry = entry.expect("a folder that can be listed");
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("jpeg") {
            files.push((name, std::fs::read(entry.path()).expect("a file that can be read")));
        }
    }
    assert!(files.len() > 15, "{} files", files.len());
    files.sort();
    files
}

fn jpeg(name: &str) -> Vec<u8> {
    jpegs().into_iter().find(|(file, _)| file == name).expect("a fixture of that name").1
}

/// Where a segment of this kind starts, its FF included.
fn segment(bytes: &[u8], marker: u8) -> usize {
    bytes.windows(2).position(|pair| pair == [0xFF, marker]).expect("a segment of that kind")
}

#[test]
fn a_broken_file_is_a_reason_or_a_picture_the_same_each_time_and_no_panic() {
    // A hook prints a line in the tools: errors that the decoder expects must not reach it.
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        usual(panic);
    }));
    let check = |name: &str, at: usize, broken: &[u8]| {
        let decoded = decode(broken);
        // Pixels that nobody has written would differ.
        assert!(decoded == decode(broken), "{name} at {at}: not the same twice");
        match decoded {
            Err(reason) => {
                let reason = reason.to_string();
                assert!(!reason.contains('\n') && !reason.contains("gave up"), "{name} at {at}: {reason}");
                true
            }
            Ok(picture) => {
                assert_eq!(
                    picture.pixels.len() as u64,
                    u64::from(picture.width) * u64::from(picture.height) * 3
                );
                false
            }
        }
    };
    let (mut refused, mut files) = (0, 0);
    for (name, bytes) in jpegs() {
        for at in 0..bytes.len() {
            // A size in the frame header that is merely large costs time and shows nothing.
            let frame =
                [0xC0, 0xC2].iter().find_map(|kind| bytes.windows(2).position(|p| p == [0xFF, *kind]));
            let flips: &[u8] = if frame.is_some_and(|frame| (frame + 5..frame + 9).contains(&at)) {
                &[0x03]
            } else {
                &[0x01, 0x80, 0xFF]
            };
            for flip in flips {
                let mut broken = bytes.clone();
                broken[at] ^= flip;
                files += 1;
                refused += usize::from(check(&name, at, &broken));
            }
            // A hole, closed.
            let hole = [&bytes[..at], &bytes[(at + 5).min(bytes.len())..]].concat();
            files += 1;
            refused += usize::from(check(&name, at, &hole));
        }
    }
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
    assert!(refused > files / 20 && refused < files, "{refused} of {files} refused");
}

#[test]
fn a_scan_repeated_without_end_is_refused() {
    let bytes = jpeg("jpeg-progressive-grey");
    let last = bytes.windows(2).rposition(|pair| pair == [0xFF, 0xDA]).unwrap();
    let (before, scan) = bytes[..bytes.len() - 2].split_at(last);
    let repeated = |times: usize| [before, &scan.repeat(times), b"\xff\xd9"].concat();
    let scans = bytes.windows(2).filter(|pair| *pair == [0xFF, 0xDA]).count();
    let refusal = "unsupported JPEG: 501 scans, more than the limit of 500";
    assert!(decode(&repeated(501 - scans)).is_ok());
    assert_eq!(decode(&repeated(502 - scans)).unwrap_err().to_string(), refusal);
}

#[test]
fn headers_are_believed_before_memory_is_asked_for() {
    let with_size = |height: u16, width: u16| {
        let mut bytes = jpeg("jpeg-4-2-0");
        let frame = segment(&bytes, 0xC0);
        bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
        bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
        decode(&bytes).unwrap_err()
    };
    assert!(matches!(with_size(60_000, 60_000), BadImage::TooLarge { width: 60_000, height: 60_000, .. }));
    assert!(u64::from(13_378u16).pow(2) > MAX_PIXELS);
    assert!(matches!(with_size(13_378, 13_378), BadImage::TooLarge { .. }));
    let reasons = [
        (with_size(65_535, 2), "unsupported JPEG: Maximum supported image dimension is 65500 pixels"),
        (with_size(0, 7), "unsupported JPEG: Empty JPEG image (DNL not supported)"),
    ];
    for (reason, expected) in reasons {
        assert_eq!(reason.to_string(), expected);
    }
}

#[test]
fn kinds_that_are_not_decoded_are_unsupported() {
    // Lossless, and arithmetically coded.
    for (marker, says) in [(0xC3, "SOF type 0xc3"), (0xC9, "arithmetic coding is not implemented")] {
        let mut bytes = jpeg("jpeg-4-4-4");
        let frame = segment(&bytes, 0xC0);
        bytes[frame + 1] = marker;
        let reason = decode(&bytes).unwrap_err();
        assert!(matches!(reason, BadImage::Unsupported { .. }), "{reason}");
        assert!(reason.to_string().contains(says), "{reason}");
    }
}
