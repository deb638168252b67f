//! Pillow's conversions to RGB, one per kind of pixel.

use crate::Noticed;
use crate::image::Grey16;

/// (n, channels) bytes, of which the first three are RGB → (n, 3).
pub(super) fn first_three(samples: &[u8], channels: usize) -> Vec<u8> {
    samples.chunks_exact(channels).flat_map(|p| [p[0], p[1], p[2]]).collect()
}

/// (n, channels) bytes, of which the first is grey → (n, 3).
pub(super) fn grey(samples: &[u8], channels: usize) -> Vec<u8> {
    samples.chunks_exact(channels).flat_map(|p| [p[0]; 3]).collect()
}

/// Native 16-bit samples → their high bytes, as Pillow unpacks 16-bit RGB, RGBA, LA and CMYK.
pub(super) fn high_bytes(samples: impl Iterator<Item = u16>) -> Vec<u8> {
    samples.map(|v| (v >> 8) as u8).collect()
}

/// Grey of `bits` bits, more than 8, → bytes: clipped, as Pillow's `I;16` → `RGB` does, or the upper 8 bits.
pub(super) fn sixteen(samples: impl Iterator<Item = u16>, how: Grey16, bits: u32) -> (Vec<u8>, Noticed) {
    let mut above = 0;
    let grey = match how {
        Grey16::Clip => samples.inspect(|v| above |= v >> 8).map(|v| v.min(255) as u8).collect(),
        Grey16::Scale => samples.map(|v| (v >> (bits - 8)) as u8).collect(),
    };
    (grey, Noticed { clipped: above > 0, ..Noticed::default() })
}

/// (n) indices → (n, 3) by a palette of (entries, 3); what lies beyond the palette is black.
pub(super) fn indexed(indices: &[u8], palette: &[u8]) -> Vec<u8> {
    let mut colours = [[0u8; 3]; 256];
    for (colour, entry) in colours.iter_mut().zip(palette.chunks_exact(3)) {
        colour.copy_from_slice(entry);
    }
    indices.iter().flat_map(|&i| colours[usize::from(i)]).collect()
}

/// (n, channels) bytes, of which the first four are CMYK (0 is no ink) → (n, 3).
pub(super) fn cmyk(samples: &[u8], channels: usize) -> Vec<u8> {
    samples.chunks_exact(channels).flat_map(|p| cmyk_pixel([p[0], p[1], p[2], p[3]])).collect()
}

/// Pillow's `cmyk2rgb`: r = (1 - k) - c·(1 - k), in bytes with its rounded product.
pub(super) fn cmyk_pixel([c, m, y, k]: [u8; 4]) -> [u8; 3] {
    let white = 255 - k;
    // A rounded product never exceeds its factors, so the difference cannot be negative.
    [c, m, y].map(|ink| white - product(ink, white))
}

/// a·b / 255, rounded, without a division (Pillow's `MULDIV255`).
fn product(a: u8, b: u8) -> u8 {
    let t = u32::from(a) * u32::from(b) + 128;
    (((t >> 8) + t) >> 8) as u8
}

/// Rows of `width` samples of 1, 2 or 4 bits, each row padded to a byte → one byte a sample, not scaled.
pub(super) fn unpack(packed: &[u8], width: usize, height: usize, bits: usize) -> Vec<u8> {
    let mask = (1u8 << bits) - 1;
    let row_bytes = (width * bits).div_ceil(8);
    let mut samples = Vec::with_capacity(width * height);
    for row in packed.chunks_exact(row_bytes).take(height) {
        samples.extend((0..width).map(|x| row[x * bits / 8] >> (8 - bits - x * bits % 8) & mask));
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cmyk_gives_pillows_values() {
        // Image.new("CMYK", (1, 1), inks).convert("RGB").getpixel((0, 0)), Pillow 13.
        let cases = [
            ([0, 0, 0, 0], [255, 255, 255]),
            ([255, 0, 0, 0], [0, 255, 255]),
            ([10, 100, 200, 50], [197, 125, 44]),
            ([128, 64, 32, 16], [119, 179, 209]),
            ([1, 2, 3, 254], [1, 1, 1]),
        ];
        for (inks, rgb) in cases {
            assert_eq!(cmyk_pixel(inks), rgb, "{inks:?}");
        }
    }

    #[test]
    fn packed_samples_come_out_in_order() {
        assert_eq!(unpack(&[0b1010_0000, 0b0110_0000], 3, 2, 1), [1, 0, 1, 0, 1, 1]);
        assert_eq!(unpack(&[0b0001_1011, 0b1100_0000], 5, 1, 2), [0, 1, 2, 3, 3]);
        assert_eq!(unpack(&[0x4F, 0xA0], 3, 1, 4), [4, 15, 10]);
    }

    #[test]
    fn an_index_beyond_the_palette_is_black() {
        assert_eq!(indexed(&[1, 0, 2], &[1, 2, 3, 4, 5, 6]), [4, 5, 6, 1, 2, 3, 0, 0, 0]);
    }
}
