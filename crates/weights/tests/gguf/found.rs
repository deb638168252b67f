//! What is found in good files.

use crate::{
    open,
    writer::{ARRAY, Gguf, TEXT, UINT32, array, text},
};
use headstart_weights::WeightError;

/// A type's name and number, the bytes and the numbers of a block, and where its scales lie, as halves.
type Blocks = (&'static str, u32, usize, usize, &'static [usize], [f32; 4], f64);

/// What `gguf.quants.dequantize` gives for the block of [`block`]: its numbers 0, 1, n / 2 and n - 1, and the sum of each
/// number times its place modulo 7.
#[rustfmt::skip]
const BLOCKS: [Blocks; 10] = [
    ("Q8_0", 8, 34, 32, &[0], [2.65625, 3.8125, -2.84375, -1.5], -13.8125),
    ("Q4_0", 2, 18, 32, &[0], [-0.09375, 0.0625, -0.09375, 0.0], 1.53125),
    ("Q4_1", 3, 20, 32, &[0, 2], [0.34375, 0.0, 0.15625, 0.25], 9.09375),
    ("Q5_0", 6, 22, 32, &[0], [0.28125, -0.0625, 0.4375, 0.03125], 3.03125),
    ("Q5_1", 7, 24, 32, &[0, 2], [0.46875, 0.625, 0.46875, 0.03125], 29.5625),
    ("Q2_K", 10, 84, 256, &[80, 82], [1.03125, 0.0, 0.65625, 0.5625], 912.6875),
    ("Q3_K", 11, 110, 256, &[108], [2.53125, -3.375, 0.0625, 1.3125], 62.6875),
    ("Q4_K", 12, 144, 256, &[0, 2], [17.03125, 6.375, 14.90625, 6.4375], 8355.375),
    ("Q5_K", 13, 176, 256, &[0, 2], [32.53125, 6.375, 34.40625, 8.3125], 14212.625),
    ("Q6_K", 14, 210, 256, &[208], [-44.71875, 53.0, -10.96875, -1.875], 164.53125),
];

/// Bytes that differ, and 1/32 and -1/8 as scale and minimum.
fn block(size: usize, scales: &[usize]) -> Vec<u8> {
    let mut block: Vec<u8> = (0..size).map(|i| ((i * 37 + 11) % 256) as u8).collect();
    for (at, scale) in scales.iter().zip([0x2800_u16, 0xB000]) {
        block[*at..at + 2].copy_from_slice(&scale.to_le_bytes());
    }
    block
}

#[test]
fn every_kind_of_blocks_gives_gguf_pythons_numbers() {
    let mut file = Gguf::new();
    for (name, kind, size, count, scales, ..) in BLOCKS {
        file = file.tensor(name, kind, &[3, count], &block(size, scales).repeat(3));
    }
    let file = open(&file.bytes()).unwrap();
    for (name, _, _, count, _, some, sum) in BLOCKS {
        let tensor = file.read(name).unwrap().unwrap();
        assert_eq!(tensor.shape, [3, count], "{name}");
        for row in tensor.data.chunks(count) {
            assert_eq!([0, 1, count / 2, count - 1].map(|at| row[at]), some, "{name}");
            let got: f64 =
                row.iter().enumerate().map(|(at, value)| f64::from(*value) * (at % 7) as f64).sum();
            assert!((got - sum).abs() < 1e-9, "{name}: {got}");
        }
    }
}

#[test]
fn plain_numbers_are_as_they_stand() {
    let numbers = [0.5_f32, -2.0, 3.0, 0.007_812_5, 1.0, -0.25];
    let each = |to: &dyn Fn(f32) -> Vec<u8>| numbers.iter().flat_map(|x| to(*x)).collect::<Vec<u8>>();
    for version in [2, 3] {
        let mut file = Gguf::new()
            .tensor("f32", 0, &[2, 3], &each(&|x| x.to_le_bytes().to_vec()))
            .tensor("f16", 1, &[2, 3], &each(&|x| half::f16::from_f32(x).to_le_bytes().to_vec()))
            .tensor("bf16", 30, &[2, 3], &each(&|x| half::bf16::from_f32(x).to_le_bytes().to_vec()))
            .tensor("f64", 28, &[2, 3], &each(&|x| f64::from(x).to_le_bytes().to_vec()))
            .tensor("empty", 0, &[0, 3], &[])
            .listed(&text("empty blocks"), &[32, 0], 8, 1 << 40)
            .tensor("scalar", 0, &[], &2.5_f32.to_le_bytes());
        file.version = version;
        let file = open(&file.bytes()).unwrap();
        assert_eq!(file.names(), ["bf16", "empty", "empty blocks", "f16", "f32", "f64", "scalar"]);
        for name in ["bf16", "f16", "f32", "f64"] {
            let tensor = file.read(name).unwrap().unwrap();
            assert_eq!((tensor.shape, tensor.data), (vec![2, 3], numbers.to_vec()), "{name}");
        }
        assert_eq!(file.read("scalar").unwrap().unwrap().data, [2.5]);
        assert_eq!(
            (file.read("empty").unwrap().unwrap().data, file.shape("empty")),
            (vec![], Some(&[0, 3][..]))
        );
        assert!(file.read("empty blocks").unwrap().unwrap().data.is_empty());
        assert!(file.read("none").unwrap().is_none());
    }
}

/// Tensors begin at multiples of 32, or of what the metadata say. A file of 123 tensors has the bytes of JSON in its header.
#[test]
fn metadata_are_passed_over_and_alignment_is_kept() {
    let one = 1.0_f32.to_le_bytes();
    let words = array(TEXT, 2, &[text("a"), text("longer")].concat());
    let nested = array(ARRAY, 2, &[array(UINT32, 1, &[1, 0, 0, 0]), array(TEXT, 0, &[])].concat());
    for alignment in [8, 64, 4096] {
        let mut file = Gguf::new()
            .entry("general.architecture", TEXT, &text("clip"))
            .entry("tokenizer.ggml.tokens", ARRAY, &words)
            .entry("nested", ARRAY, &nested)
            .entry("numbers", ARRAY, &array(12, 2, &[0; 16]))
            .entry("flag", 7, &[1])
            .entry("general.alignment", UINT32, &u32::try_from(alignment).unwrap().to_le_bytes());
        file.alignment = alignment;
        for at in 0..123 {
            file = file.tensor(&format!("t{at}"), 0, &[1], &one);
        }
        let file = open(&file.bytes()).unwrap();
        assert_eq!(file.names().len(), 123);
        assert!((0..123).all(|at| file.read(&format!("t{at}")).unwrap().unwrap().data == [1.0]));
    }
}

/// Other tensors of the file are read all the same.
#[test]
fn what_is_not_read_is_named_with_its_tensor() {
    let file = Gguf::new()
        .tensor("iq", 23, &[256], &[0; 136])
        .tensor("new", 77, &[256], &[0; 100])
        .tensor("whole", 26, &[2], &[0; 8])
        .tensor("nan", 8, &[32], &[&[0x00, 0x7E][..], &[1; 32]].concat())
        .tensor("fine", 0, &[1], &1.5_f32.to_le_bytes());
    let file = open(&file.bytes()).unwrap();
    assert_eq!(file.read("fine").unwrap().unwrap().data, [1.5]);
    for (name, kind) in [("iq", "IQ4_XS"), ("new", "GGML's type 77")] {
        let line = file.read(name).unwrap_err().to_string();
        let expected =
            format!("the tensor `{name}` is stored as {kind}; expected one of F32, F16, Q4_0, Q4_1");
        assert!(line.contains(&expected) && line.contains("Q6_K, F64, BF16") && line.len() < 500, "{line}");
    }
    assert!(matches!(file.read("whole"), Err(WeightError::Dtype { got, .. }) if got == "I32"));
    assert!(matches!(file.read("nan"), Err(WeightError::NotFinite { index: 0, .. })));
}
