//! Decoding, on one small file of each kind: `fixtures/`, which `tests/peers/fixtures.py` makes and prints this table of.

use headstart_input::image::{BadImage, Format, decode};
use std::path::PathBuf;

/// File, (width, height), and FNV-1a of the RGB bytes that Pillow 13 decodes.
#[rustfmt::skip]
const FIXTURES: &[(&str, (u32, u32), u64)] = &[
    ("png-1", (13, 11), 0x6C97118EADB4C059),
    ("png-l", (13, 11), 0xD8012C657F9E1E61),
    ("png-l-trns", (13, 11), 0xD8012C657F9E1E61),
    ("png-la", (13, 11), 0xD8012C657F9E1E61),
    ("png-p", (13, 11), 0x2D8BDE233E0CB28C),
    ("png-p-trns", (13, 11), 0x2D8BDE233E0CB28C),
    ("png-p4-alphas", (13, 11), 0x5544B076215B8C44),
    ("png-rgb", (13, 11), 0x2D8BDE233E0CB28C),
    ("png-rgba", (13, 11), 0x2D8BDE233E0CB28C),
    ("png-i-16", (13, 11), 0x6BD27583D318EFDC),
    ("png-rgb16", (13, 11), 0xB5A7664D5F6FE00D),
    ("png-la16", (13, 11), 0x471485E4ECC86A63),
    ("png-rgba16", (13, 11), 0xB5A7664D5F6FE00D),
    ("png-grey-1-bit", (61, 43), 0x0E35E7AF801F4416),
    ("png-grey-2-bit", (61, 43), 0xACB2E27CBEBB6D65),
    ("png-grey-4-bit", (61, 43), 0x62CF8214DE58F07C),
    ("png-interlaced", (61, 43), 0x62CF8214DE58F07C),
    ("png-short-palette", (61, 43), 0xA69470FA44CEF40D),
    ("png-i-16-trns", (30, 20), 0xD17A3251C825CD35),
    ("png-exif", (27, 41), 0x89FB9F5C05C5C2AB),
    ("webp-exif", (27, 41), 0x89FB9F5C05C5C2AB),
    ("tiff-orientation", (27, 41), 0x89FB9F5C05C5C2AB),
    ("jpeg-exif", (27, 41), 0x3ED31DDC609A9BCC),
    ("webp-xmp", (27, 41), 0xDCBCDF832A22191B),
    ("jpeg-xmp", (27, 41), 0x002985BA7526F57B),
    ("png-xmp", (27, 41), 0xDCBCDF832A22191B),
    ("bmp-rgb", (13, 11), 0x5365C76315F71098),
    ("bmp-l", (13, 11), 0xFAF726A32E1480C2),
    ("bmp-1", (13, 11), 0xE9D08F19B18F786E),
    ("bmp-p", (13, 11), 0x1D7820E7B75710DB),
    ("bmp-rgba", (13, 11), 0x5365C76315F71098),
    ("bmp-16-bit", (13, 11), 0x57E4AE9E6DD6F39D),
    ("bmp-565", (13, 11), 0x1C458ADCA7334E01),
    ("gif-p", (13, 11), 0x46C14AB2F60806B7),
    ("gif-l", (13, 11), 0x400FED2FC17097BE),
    ("gif-transparent", (13, 11), 0x46C14AB2F60806B7),
    ("gif-animated", (13, 11), 0xECD19C8BCBDED72F),
    ("gif-offset", (22, 20), 0x0C05046C2DE6C600),
    ("webp-lossless", (13, 11), 0x8A08F3D2A84E6C17),
    ("webp-lossless-rgba", (13, 11), 0x8A08F3D2A84E6C17),
    ("webp-lossy", (13, 11), 0x1D03B29C4739B618),
    ("webp-lossy-rgba", (13, 11), 0x64A683CE1ABBFFD5),
    ("webp-animated", (13, 11), 0x8A08F3D2A84E6C17),
    ("tiff-rgb", (13, 11), 0x1876EBCD6C2BC898),
    ("tiff-rgba", (13, 11), 0x1876EBCD6C2BC898),
    ("tiff-l", (13, 11), 0x17463F551A72716E),
    ("tiff-1", (13, 11), 0x06824AFFAFDE7C13),
    ("tiff-la", (13, 11), 0x0FA71202A276B836),
    ("tiff-p", (13, 11), 0xB3295B4A965901AD),
    ("tiff-cmyk", (13, 11), 0x9E2CAB670BBA8A18),
    ("tiff-i-16", (13, 11), 0xA181DE737F3F060A),
    ("tiff-i", (13, 11), 0x0A6A8752B0519CAE),
    ("tiff-f", (13, 11), 0xF304A25FB470687B),
    ("tiff-tiff-lzw", (13, 11), 0x1876EBCD6C2BC898),
    ("tiff-tiff-adobe-deflate", (13, 11), 0x1876EBCD6C2BC898),
    ("tiff-packbits", (13, 11), 0x1876EBCD6C2BC898),
    ("tiff-rgb16", (13, 11), 0xC8E4466F04A0E03E),
    ("tiff-rgba16", (13, 11), 0xC8E4466F04A0E03E),
    ("tiff-cmyk16", (13, 11), 0x38D405883C5DD218),
    ("tiff-planar", (13, 11), 0x1876EBCD6C2BC898),
    ("tiff-signed-16", (13, 11), 0x866E33DF1F12DF8A),
    ("tiff-white-is-zero", (13, 11), 0x53671517D82F72E7),
    ("tiff-premultiplied", (13, 11), 0x6A09FA7D284AFDC2),
    ("tiff-i-16-white-is-zero", (13, 11), 0xA181DE737F3F060A),
    ("tiff-rgbx", (13, 11), 0x1876EBCD6C2BC898),
    ("tiff-grey-1-bit", (13, 11), 0x68A54CBB792945F5),
    ("tiff-palette-1-bit", (13, 11), 0xC5A4FB81A5F11B36),
    ("tiff-grey-2-bit", (13, 11), 0x3C695B209193BA24),
    ("tiff-palette-2-bit", (13, 11), 0xA4E873F09A0C3E50),
    ("tiff-grey-4-bit", (13, 11), 0xA4C0EA8CC2B3B644),
    ("tiff-palette-4-bit", (13, 11), 0xCA8F1653430ABE9D),
    ("jpeg-4-4-4", (13, 11), 0xAF2B894142599E34),
    ("jpeg-coarse-4-4-4", (13, 11), 0x018F731F877E18CF),
    ("jpeg-progressive-4-4-4", (13, 11), 0xF18E7BE29F20D91D),
    ("jpeg-unfinished-4-4-4", (13, 11), 0xCBC40E325E476B7E),
    ("jpeg-4-2-2", (13, 11), 0xE8D122548CE6DCED),
    ("jpeg-coarse-4-2-2", (13, 11), 0xC8432B85ED3D0ABA),
    ("jpeg-progressive-4-2-2", (13, 11), 0x2DC9671E43F225F5),
    ("jpeg-unfinished-4-2-2", (13, 11), 0xA8744F9884A76C5C),
    ("jpeg-4-2-0", (13, 11), 0x89259BCD6969E7E3),
    ("jpeg-coarse-4-2-0", (13, 11), 0x673405337F584C45),
    ("jpeg-progressive-4-2-0", (13, 11), 0xC6B056DA50BDB32A),
    ("jpeg-unfinished-4-2-0", (13, 11), 0x4A0DC06BD4C42015),
    ("jpeg-4-4-0", (11, 13), 0x5C0CA0E426099775),
    ("jpeg-4-4-0-progressive", (11, 13), 0xEE3ED6E6B931C2D5),
    ("jpeg-4-1-1", (26, 6), 0x5EF202096A63B829),
    ("jpeg-restarts", (13, 11), 0xFDFD23E0FEE02F14),
    ("jpeg-grey", (13, 11), 0xED9DDF4FB68F7D22),
    ("jpeg-progressive-grey", (13, 11), 0xED9DDF4FB68F7D22),
    ("jpeg-rgb", (13, 11), 0x2BF3E99A7BE43C84),
    ("jpeg-cmyk", (13, 11), 0x37664F8F736D14D3),
    ("jpeg-ycck", (13, 11), 0xB42675E21520439C),
    ("tiff-jpeg-4-4-4", (13, 11), 0xBA2F1F4AFF062FAD),
    ("tiff-jpeg-4-2-2", (13, 11), 0xF32510F59138E046),
    ("tiff-jpeg-4-2-0", (13, 11), 0x41112942A2F3156A),
    ("tiff-jpeg-progressive", (13, 11), 0x41112942A2F3156A),
    ("tiff-jpeg-grey", (13, 11), 0xB232CA1A1A082016),
    ("tiff-jpeg-white-is-zero", (13, 11), 0xB503971BE5968EE7),
    ("tiff-jpeg-rgb", (13, 11), 0xA9CEE68BDF56D0A9),
    ("tiff-jpeg-cmyk", (13, 11), 0x27A66AECF79FF64C),
    ("tiff-jpeg-by-libtiff", (13, 11), 0xA9CEE68BDF56D0A9),
    ("tiff-jpeg-grey-by-libtiff", (13, 11), 0xB232CA1A1A082016),
    ("pbm", (13, 11), 0x3E75C60BD9E28AC1),
    ("pbm-plain", (13, 11), 0x3E75C60BD9E28AC1),
    ("pgm", (13, 11), 0x20C42538E553A20A),
    ("pgm-plain", (13, 11), 0x20C42538E553A20A),
    ("ppm", (13, 11), 0x8D3B5B907187A479),
    ("ppm-plain", (13, 11), 0x8D3B5B907187A479),
    ("pgm-16-bit", (13, 11), 0xDC0428B894F695FB),
    ("pgm-plain-16-bit", (13, 11), 0xDC0428B894F695FB),
    ("ppm-16-bit", (13, 11), 0x059C6842EC9ADEFA),
    ("ppm-plain-16-bit", (13, 11), 0x059C6842EC9ADEFA),
    ("jxl", (13, 11), 0x43BE6CFE6AD4617A),
    ("jxl-l", (13, 11), 0xA6D824F11043CAF9),
    ("jxl-rgba", (13, 11), 0x43BE6CFE6AD4617A),
    ("jxl-boxed", (13, 11), 0x43BE6CFE6AD4617A),
    ("jxl-groups", (300, 270), 0x587DF07FD68C23B4),
];

fn fixture(name: &str) -> Vec<u8> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", name].iter().collect();
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3))
}

#[test]
fn every_kind_has_pillows_pixels() {
    for (name, size, digest) in FIXTURES {
        let picture = decode(&fixture(name)).unwrap_or_else(|reason| panic!("{name}: {reason}"));
        assert_eq!((picture.width, picture.height), *size, "{name}");
        assert_eq!(picture.pixels.len() as u32, size.0 * size.1 * 3, "{name}");
        assert_eq!(fnv(&picture.pixels), *digest, "{name}");
    }
}

/// Of floats that are the same everywhere. libjxl dithers them: `tests/peers/preprocess.py` allows for one level.
#[test]
fn lossy_jpeg_xl_has_the_same_pixels_everywhere() {
    let picture = decode(&fixture("jxl-lossy")).unwrap();
    assert_eq!((picture.width, picture.height, fnv(&picture.pixels)), (13, 11, 0x468C_7ED2_5370_23A0));
}

/// Every fixture, those whose pixels are not Pillow's as well.
fn names() -> impl Iterator<Item = &'static str> {
    FIXTURES.iter().map(|(name, ..)| *name).chain(["jxl-lossy"])
}

#[test]
fn a_file_cut_short_is_bad_at_every_length() {
    for name in names() {
        let bytes = fixture(name);
        // The last quarter may hold nothing that a picture needs: padding, tags that are read no more, a second frame.
        for length in (0..bytes.len() * 3 / 4).step_by(1 + bytes.len() / 300) {
            match decode(&bytes[..length]) {
                Err(reason) => orderly(name, &reason),
                Ok(_) => {
                    assert!(name.ends_with("animated") && length > bytes.len() / 3, "{name} at {length}");
                }
            }
        }
    }
}

#[test]
fn a_jpeg_without_its_last_byte_is_truncated() {
    for (name, ..) in FIXTURES.iter().filter(|(name, ..)| name.starts_with("jpeg")) {
        let bytes = fixture(name);
        assert_eq!(decode(&bytes[..bytes.len() - 1]), Err(BadImage::Truncated(Format::Jpeg)), "{name}");
    }
}

#[test]
fn flipped_bytes_are_another_picture_or_a_reason() {
    for name in names() {
        let bytes = fixture(name);
        for at in (0..bytes.len()).step_by(1 + bytes.len() / 400) {
            for flip in [0x01, 0x80, 0xFF] {
                let mut broken = bytes.clone();
                broken[at] ^= flip;
                match decode(&broken) {
                    Err(reason) => orderly(name, &reason),
                    Ok(picture) => {
                        assert_eq!(
                            picture.pixels.len(),
                            picture.width as usize * picture.height as usize * 3
                        );
                    }
                }
            }
        }
    }
}

/// A reason is one line, and none that was caught on its way to a crash.
fn orderly(name: &str, reason: &BadImage) {
    let reason = reason.to_string();
    assert!(!reason.contains('\n') && !reason.contains("gave up"), "{name}: {reason}");
}

/// A PNG's first chunk, saying this size, and nothing else.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
    header
}

#[test]
fn a_gifs_canvas_may_be_larger_than_what_it_holds() {
    let mut gif = fixture("gif-p");
    gif[6..10].copy_from_slice(&[0x88, 0x13, 0x88, 0x13]);
    let picture = decode(&gif).unwrap();
    assert_eq!((picture.width, picture.height), (5000, 5000));
}

#[test]
fn reasons_are_plain() {
    let bomb = "the PNG header says 50000×50000 pixels, more than the limit of 178956970";
    let mut gif = fixture("gif-p");
    gif.truncate(40);
    // 13,000×13,000 pixels of nothing at all.
    let mut webp = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f".to_vec();
    webp.extend((12_999u32 | 12_999 << 14).to_le_bytes());
    webp.extend([0; 9]);
    let cases: [(&[u8], &str); 12] = [
        (
            &webp,
            "the WebP header says 13000×13000 pixels in 34 bytes; of large pictures, more than 32768 pixels a byte are not decoded",
        ),
        (b"", "the file is empty"),
        (
            b"\0\0\0\x18ftypheic\0\0\0\0",
            "not an image: expected JPEG, PNG, WebP, BMP, GIF, TIFF, PNM or JPEG XL, got HEIC, which is not decoded; convert it to PNG or JPEG",
        ),
        (
            b"\0\0\0\x20ftypavif\0\0\0\0",
            "not an image: expected JPEG, PNG, WebP, BMP, GIF, TIFF, PNM or JPEG XL, got AVIF, which is not decoded; convert it to PNG or JPEG",
        ),
        (b"\xff\x0a\0\0", "truncated JPEG XL"),
        (b"hello, world", "not an image: expected JPEG, PNG, WebP, BMP, GIF, TIFF, PNM or JPEG XL, got text"),
        (&[0; 64], "not an image: expected JPEG, PNG, WebP, BMP, GIF, TIFF, PNM or JPEG XL, got zeros"),
        (
            b"\x7fELF\x02\x01",
            "not an image: expected JPEG, PNG, WebP, BMP, GIF, TIFF, PNM or JPEG XL, got bytes 7f 45 4c 46",
        ),
        (&png_header(50_000, 50_000), bomb),
        (&png_header(0, 7), "the PNG header says 0×7 pixels"),
        (&fixture("png-rgb")[..200], "truncated PNG"),
        (&fixture("jpeg-4-2-0")[..300], "truncated JPEG"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(decode(bytes).unwrap_err().to_string(), expected);
    }
}
