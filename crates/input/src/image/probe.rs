//! The probes: four pictures made by a formula, by which any hand-over between tools can be checked without carrying
//! anybody's photographs along.
//!
//! **Invariant:** their bytes never change, or every artefact that was written before stops matching. Integers only, so
//! that they are the same on every machine.

use crate::{
    Inputs, PROBES,
    image::{Picture, Preprocessing, prepare},
};

/// Probe `k`; the four differ in size and kind: gradients 320×240, checks 240×320, noise 256×256, discs 97×131.
///
/// # Panics
///
/// Where `k` is not below [`crate::PROBES`].
pub fn probe(k: usize) -> Picture {
    match k {
        0 => Picture::from_fn(320, 240, gradients),
        1 => Picture::from_fn(240, 320, checks),
        2 => Picture::from_fn(256, 256, noise),
        3 => Picture::from_fn(97, 131, discs),
        _ => panic!("there are four probes, 0 to 3, got {k}"),
    }
}

/// All of them, prepared: (h, w, 3) RGB bytes each.
pub fn probes(how: &Preprocessing) -> Inputs {
    Inputs::of((0..PROBES).map(|k| prepare(&probe(k), how)))
}

/// Three ramps: to the right, downwards, along the diagonal.
fn gradients(x: u32, y: u32) -> [u8; 3] {
    [x * 255 / 319, y * 255 / 239, (x + y) * 255 / 558].map(|v| v as u8)
}

/// Squares of 16, 24 and 40 pixels, one size a channel.
fn checks(x: u32, y: u32) -> [u8; 3] {
    [(16, 230), (24, 180), (40, 130)]
        .map(|(side, high)| if (x / side + y / side).is_multiple_of(2) { high } else { 25 })
}

/// Noise in blocks of 1, 4 and 16 pixels, so that some of it survives any resize.
fn noise(x: u32, y: u32) -> [u8; 3] {
    let mut sum = [0u32; 3];
    for shift in [0u32, 2, 4] {
        let cell = u64::from(shift) << 40 | u64::from(y >> shift) << 20 | u64::from(x >> shift);
        let bits = splitmix64(cell);
        for (channel, sum) in sum.iter_mut().enumerate() {
            *sum += (bits >> (8 * channel) & 0xFF) as u32;
        }
    }
    sum.map(|v| (v / 3) as u8)
}

/// Discs on a lattice of 29 pixels, each of its own radius and colour, on grey.
fn discs(x: u32, y: u32) -> [u8; 3] {
    const PITCH: u32 = 29;
    let bits = splitmix64(u64::from(y / PITCH) << 8 | u64::from(x / PITCH));
    let (dx, dy) = ((x % PITCH).abs_diff(PITCH / 2), (y % PITCH).abs_diff(PITCH / 2));
    let radius = 5 + (bits >> 32) as u32 % 10;
    if dx * dx + dy * dy <= radius * radius {
        [bits as u8, (bits >> 8) as u8, (bits >> 16) as u8]
    } else {
        [128; 3]
    }
}

/// One step of SplitMix64 (Steele, Lea and Flood, 2014) from the state `seed`.
fn splitmix64(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::Digest;

    #[test]
    fn the_probes_never_change() {
        let digests: [String; 4] =
            std::array::from_fn(|k| Digest::of(&probe(k).pixels).to_string()[..16].to_owned());
        assert_eq!(digests, ["6d2d922945fda766", "c04f79188023fbdc", "0c6fa1a06b5a00cb", "18f4930226a52df0"]);
    }

    #[test]
    fn the_generator_gives_its_published_first_number() {
        assert_eq!(splitmix64(0), 0xE220_A839_7B1D_CDAF);
    }
}
