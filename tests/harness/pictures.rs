//! Small pictures made on the spot, and PNG files that no encoder would write.

use image::{ImageFormat, Rgb, RgbImage};
use std::{fs, io::Cursor, path::Path};

const CLASSES: [&str; 4] = ["a", "b", "c", "d"];

pub(crate) fn write(folder: &Path, classes: usize, each: usize) {
    for (class, name) in CLASSES.iter().enumerate().take(classes) {
        fs::create_dir_all(folder.join(name)).unwrap();
        for n in 0..each {
            picture(class, n).save(folder.join(name).join(format!("{n:03}.png"))).unwrap();
        }
    }
}

/// The n-th picture of a class: stripes whose width and direction tell the class, whose colours do not.
pub fn picture(class: usize, n: usize) -> RgbImage {
    let (width, height) = (70 + n as u32 % 13, 70 + n as u32 % 7);
    RgbImage::from_fn(width, height, |x, y| {
        let along = if class.is_multiple_of(2) { x } else { y } + n as u32;
        let stripe = along / (3 + 4 * class as u32) % 2;
        let dark = 20 + (n * 37 % 90) as u32;
        let level = dark + stripe * 110 + (x * 7 + y * 13 + n as u32) % 11;
        Rgb([level as u8, (level / 2 + n as u32 * 5 % 60) as u8, (255 - level) as u8])
    })
}

/// A PNG file that begins as one of `width` by `height` pixels does, and ends there.
pub fn png_header(width: u32, height: u32) -> Vec<u8> {
    // Eight bits a channel, RGB, deflate, adaptive filters, not interlaced.
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.extend(chunk(b"IHDR", &header));
    bytes.extend(chunk(b"IDAT", &[]));
    bytes.extend(chunk(b"IEND", &[]));
    bytes
}

/// A PNG file whose pixels lie on their side and whose EXIF says so: what it shows is `upright`.
pub fn turned_png(upright: &RgbImage) -> Vec<u8> {
    /// TIFF, little-endian; one entry: orientation (0x0112), one SHORT, 6: turn clockwise by a quarter to see it.
    const EXIF: &[u8] = b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let mut bytes = Vec::new();
    image::imageops::rotate270(upright).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    // Signature and IHDR are 33 bytes.
    bytes.splice(33..33, chunk(b"eXIf", EXIF));
    bytes
}

/// A chunk of a PNG file: length, kind, data, and the right CRC of them.
pub fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let content = [kind, data].concat();
    [&(data.len() as u32).to_be_bytes()[..], &content, &crc(&content).to_be_bytes()].concat()
}

/// CRC-32 as PNG has it (ISO 3309, reflected), bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(
            crc ^ u32::from(byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    })
}
