//! Archives that are whole, damaged, or lie.

use super::*;
use std::io::Write;

/// An archive of stored entries, with where its directory begins.
fn archive(entries: &[(&str, &[u8])]) -> (Vec<u8>, usize) {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in entries {
        let mut checksum = Crc::new();
        checksum.update(bytes);
        let size = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let length = u16::try_from(name.len()).unwrap().to_le_bytes();
        let common = [&[0; 8][..], &checksum.sum().to_le_bytes(), &size, &size, &length, &[0, 0]].concat();
        let offset = u32::try_from(file.len()).unwrap().to_le_bytes();
        file.extend([LOCAL, &[20, 0], &common, name.as_bytes(), bytes].concat());
        directory.extend([CENTRAL, &[20, 0, 20, 0], &common, &[0; 10], &offset, name.as_bytes()].concat());
    }
    let (start, count) = (file.len(), u16::try_from(entries.len()).unwrap().to_le_bytes());
    let numbers = [directory.len(), start].map(|number| u32::try_from(number).unwrap().to_le_bytes());
    file.extend([&directory[..], END, &[0; 4], &count, &count, &numbers[0], &numbers[1], &[0, 0]].concat());
    (file, start)
}

fn refused(file: &[u8]) -> String {
    Zip::read(file).err().unwrap_or_default()
}

#[test]
fn entries_are_found_and_checked() {
    let (file, _) = archive(&[("a/b", b"hello"), ("c", b"")]);
    let zip = Zip::read(&file).unwrap();
    assert_eq!(
        zip.entries().map(|(name, entry)| (name, entry.size)).collect::<Vec<_>>(),
        [("a/b", 5), ("c", 0)]
    );
    let entry = zip.entry("a/b").unwrap();
    assert_eq!(
        (&file[entry.stored().unwrap()], &*entry.bytes(&file, 5).unwrap()),
        (&b"hello"[..], &b"hello"[..])
    );
    assert!(entry.bytes(&file, 4).unwrap_err().contains("takes 5 bytes, 4 at most"));
    for cut in 0..file.len() {
        assert!(Zip::read(&file[..cut]).is_err(), "{cut}");
    }
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 0x41;
        // Names, times and versions may be anything; bytes may not.
        let Ok(zip) = Zip::read(&changed) else { continue };
        let read = zip.entry("a/b").map(|entry| entry.bytes(&changed, 9));
        assert!(!matches!(read, Some(Ok(bytes)) if *bytes != *b"hello"), "{at}");
    }
}

#[test]
fn numbers_of_64_bits_are_read_from_where_they_stand() {
    let (small, start) = archive(&[("a", b"hello")]);
    // The directory's sizes and offset, and the archive's end, are said to stand elsewhere.
    let mut directory = small[start..small.len() - 22].to_vec();
    directory[20..28].fill(255);
    directory[42..46].fill(255);
    directory[30] = 28;
    directory.extend([&[1, 0, 24, 0][..], &[5_u64, 5, 0].map(u64::to_le_bytes).concat()].concat());
    let wide = |number: usize| (number as u64).to_le_bytes();
    let (count, at) = (wide(1), wide(start + directory.len()));
    let end = [END_64, &wide(44), &[0; 12], &count, &count, &wide(directory.len()), &wide(start)].concat();
    let locator = [LOCATOR_64, &[0; 4], &at, &[1, 0, 0, 0]].concat();
    let last = [END, &[0; 4], &[255; 12], &[0; 2]].concat();
    let file = [&small[..start], &directory, &end, &locator, &last].concat();
    assert_eq!(*Zip::read(&file).unwrap().entry("a").unwrap().bytes(&file, 5).unwrap(), *b"hello");
    for at in start..file.len() {
        let changed = [&file[..at], &[file[at] ^ 0x91], &file[at + 1..]].concat();
        let Ok(zip) = Zip::read(&changed) else { continue };
        let read = zip.entry("a").map(|entry| entry.bytes(&changed, 9));
        assert!(!matches!(read, Some(Ok(bytes)) if *bytes != *b"hello"), "{at}");
    }
}

#[test]
fn archives_that_lie_are_refused() {
    let (file, start) = archive(&[("a", b"hello"), ("b", b"world")]);
    let with = |changes: &[(usize, &[u8])]| {
        let mut file = file.clone();
        for (at, bytes) in changes {
            file[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        refused(&file)
    };
    let end = file.len() - 22;
    for (reason, expected) in [
        (with(&[(end + 8, &[255, 0, 255, 0])]), "too short for 255 entries"),
        (with(&[(end + 16, &[255; 4])]), "would lie outside"),
        (with(&[(start + 20, &[255; 8])]), "its directory is damaged"),
        (with(&[(start + 8, &[1])]), "`a` is encrypted"),
        (with(&[(start + 20, &[255, 255, 0, 0, 255, 255])]), "`a` is longer than the file"),
        (with(&[(start + 24, &[9])]), "`a` is stored in another length"),
        (with(&[(start + 10, &[8]), (start + 24, &[255, 255])]), "`a` would unpack to more"),
        (with(&[(start + 42, &[1])]), "`a` is not where"),
        (with(&[(start + 47 + 42, &[0]), (start + 47 + 46, b"a")]), "it holds `a` twice"),
        (refused(&archive(&[("x/../../y", b"")]).0), "`x/../../y` leads out of it"),
        (refused(&archive(&[("/etc/x", b"")]).0), "`/etc/x` leads out of it"),
        (refused(b""), "directory at its end is missing"),
    ] {
        assert!(reason.contains(expected), "{reason}: {expected}");
    }
    // An archive as an entry of another one, whose directory names both.
    let (inner, _) = archive(&[("b", b"world")]);
    let (mut outer, start) = archive(&[("a", &inner), ("b", b"world")]);
    outer[start + 47 + 42..][..4].copy_from_slice(&31_u32.to_le_bytes());
    assert_eq!(refused(&outer), "its entry `b` lies within another");
}

#[test]
fn what_is_compressed_unpacks_to_what_the_archive_says() {
    let plain = vec![7; 100_000];
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&plain).unwrap();
    let packed = encoder.finish().unwrap();
    let mut checksum = Crc::new();
    checksum.update(&plain);
    let entry = |size| Entry { method: 8, checksum: checksum.sum(), packed: 0..packed.len(), size };
    assert_eq!(*entry(plain.len()).bytes(&packed, 100_000).unwrap(), plain);
    for size in [99_999, 100_001] {
        let reason = entry(size).bytes(&packed, 200_000).unwrap_err();
        assert!(reason.contains("another length"), "{reason}");
    }
    let damaged = Entry { method: 12, ..entry(5) }.bytes(&packed, 9).unwrap_err();
    assert!(damaged.contains("method 12"), "{damaged}");
}
