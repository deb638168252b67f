//! Numbers and their products, to the bit.

use emulator::Emulator;
use engine::cuda::Card;
use half::{bf16, f16};

use crate::{MEMORY, Probe, noise, upload, words};

#[test]
fn products_of_bf16() {
    check_product("probe_multiply_b16", 16, |x| pairs(x, |x| bf16::from_f32(x).to_bits()));
}

#[test]
fn products_of_f16() {
    check_product("probe_multiply_f16", 16, |x| pairs(x, |x| f16::from_f32(x).to_bits()));
}

#[test]
fn products_of_tf32_ignore_low_bits() {
    check_product("probe_multiply_t32", 8, |x| x.iter().map(|x| x.to_bits() | 0x1fff).collect());
}

#[test]
fn numbers_of_16_bits() {
    // Around every f16 and half-way between two; the same for bf16, but fewer; and anything.
    let around = |x: f32| (-2_i32..3).map(move |ulp| x.to_bits().wrapping_add_signed(ulp));
    let halves = (0..=u16::MAX).map(|bits| f16::from_bits(bits).to_f32());
    let middles =
        (0..0x7c00_u16).map(|bits| (f16::from_bits(bits).to_f32() + f16::from_bits(bits + 1).to_f32()) / 2.0);
    let brains =
        (0..=u16::MAX).step_by(7).flat_map(|bits| [u32::from(bits) << 16, u32::from(bits) << 16 | 0x8000]);
    let given: Vec<u32> = halves
        .chain(middles)
        .flat_map(around)
        .chain(brains.flat_map(|bits| around(f32::from_bits(bits))))
        .chain(noise(10_000))
        .collect();

    let card = Emulator::new(MEMORY);
    let count = given.len();
    let other: Vec<u32> = (0..count as u32 / 2 + 1).map(|i| ((2 * i) & 0xffff) | (2 * i + 1) << 16).collect();
    let (input, other) = (upload(&card, &given), upload(&card, &other));
    let out = card.allocate(16 * count).unwrap();
    let probe = Probe {
        input: Some(&input),
        other: Some(&other),
        out: Some(&out),
        count: count as i32,
        ..Probe::default()
    };
    probe.launch(&card, "probe_convert", [count.div_ceil(256) as u32, 1, 1], 256, 0).unwrap();
    for (i, (&bits, got)) in given.iter().zip(words(&card, &out, 4 * count).as_chunks::<4>().0).enumerate() {
        let x = f32::from_bits(bits);
        let [brain, half, back, tf32] = *got;
        let (brain, half) = (bf16::from_bits(brain as u16), f16::from_bits(half as u16));
        let wide = f16::from_bits(i as u16).to_f32();
        assert!(
            f32::from_bits(back) == wide || (f32::from_bits(back).is_nan() && wide.is_nan()),
            "f16 {i:#x}"
        );
        if x.is_nan() {
            assert!(brain.is_nan() && half.is_nan() && f32::from_bits(tf32).is_nan(), "{bits:#x}");
        } else {
            assert_eq!(brain.to_bits(), bf16::from_f32(x).to_bits(), "{bits:#x}");
            assert_eq!(half.to_bits(), f16::from_f32(x).to_bits(), "{bits:#x}");
            // Half a step more, then cut: in the bits of the magnitude that is away from zero.
            let away = (((bits & 0x7fff_ffff) + 0x1000) & !0x1fff) | (bits & 0x8000_0000);
            assert_eq!(tf32, away, "{bits:#x}");
        }
    }
}

/// Numbers that few bits hold, so that sums of their products are the same in any order.
fn short_numbers(count: usize) -> Vec<f32> {
    noise(count).iter().map(|word| (word % 129) as f32 / 16.0 - 4.0).collect()
}

/// a (16, k) . b (k, 8), for b as (8, k), thrice, and 1 more.
fn expected(a: &[f32], b: &[f32], k: usize) -> Vec<f32> {
    let dot = |row: usize, column: usize| (0..k).map(|i| a[row * k + i] * b[column * k + i]).sum::<f32>();
    (0..16 * 8).map(|i| 1.0 + 3.0 * dot(i / 8, i % 8)).collect()
}

fn check_product(kernel: &str, k: usize, pack: impl Fn(&[f32]) -> Vec<u32>) {
    let numbers = short_numbers(24 * k);
    let (a, b) = numbers.split_at(16 * k);
    let card = Emulator::new(MEMORY);
    for seed in 0..4 {
        card.set_order(seed);
        let (input, other) = (upload(&card, &pack(a)), upload(&card, &pack(b)));
        let out = upload(&card, &[1_f32.to_bits(); 128]);
        let probe =
            Probe { input: Some(&input), other: Some(&other), out: Some(&out), count: 3, ..Probe::default() };
        probe.launch(&card, kernel, [1, 1, 1], 32, 0).unwrap();
        let got: Vec<f32> = words(&card, &out, 128).into_iter().map(f32::from_bits).collect();
        assert_eq!(got, expected(a, b, k), "{kernel}, seed {seed}");
    }
}

fn pairs(numbers: &[f32], bits: impl Fn(f32) -> u16) -> Vec<u32> {
    numbers
        .as_chunks()
        .0
        .iter()
        .map(|&[low, high]| u32::from(bits(low)) | u32::from(bits(high)) << 16)
        .collect()
}
