//! What all tests of kernels need: numbers of each kind in the card's memory, launches, and comparisons.

use bytemuck::Pod;
use emulator::{Emulator, Memory};
use engine::cuda::{Address, Card, Launch};
use half::{bf16, f16};

/// Numbers of the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    F32,
    F16,
    B16,
}

impl Kind {
    pub(crate) const ALL: [Kind; 3] = [Kind::F32, Kind::F16, Kind::B16];

    pub(crate) fn kernel(self, name: &str) -> String {
        let suffix = match self {
            Kind::F32 => "f32",
            Kind::F16 => "f16",
            Kind::B16 => "b16",
        };
        format!("{name}_{suffix}")
    }

    pub(crate) fn size(self) -> usize {
        if self == Kind::F32 { 4 } else { 2 }
    }

    pub(crate) fn bytes(self, numbers: &[f32]) -> Vec<u8> {
        match self {
            Kind::F32 => numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Kind::F16 => numbers.iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect(),
            Kind::B16 => numbers.iter().flat_map(|x| bf16::from_f32(*x).to_le_bytes()).collect(),
        }
    }

    pub(crate) fn numbers(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Kind::F32 => bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect(),
            Kind::F16 => bytes.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            Kind::B16 => bytes.chunks_exact(2).map(|b| bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
        }
    }

    /// How far a number may be from what f64 gives: a few roundings of f32, or one of what is stored; the 16-bit kinds'
    /// error function is to 2.5e-5.
    fn tolerance(self, expected: f64) -> f64 {
        match self {
            Kind::F32 => 1e-6 * (1.0 + expected.abs()),
            Kind::F16 => 5e-4 * expected.abs() + 5e-5,
            Kind::B16 => 4e-3 * expected.abs() + 5e-5,
        }
    }
}

/// Rows of `stride` numbers, of which the first `channels` count and the rest are zeros.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    pub(crate) stride: usize,
    pub(crate) numbers: Vec<f32>,
}

impl Rows {
    /// Numbers between -1 and 1 without a pattern, rounded to a kind.
    pub(crate) fn random(kind: Kind, rows: usize, channels: usize, seed: u32) -> Rows {
        let stride = channels.next_multiple_of(8);
        let mut numbers = random(rows * stride, seed);
        for row in numbers.chunks_exact_mut(stride) {
            row[channels..].fill(0.0);
        }
        Rows { stride, numbers: kind.numbers(&kind.bytes(&numbers)) }
    }

    pub(crate) fn at(&self, row: usize, channel: usize) -> f64 {
        f64::from(self.numbers[row * self.stride + channel])
    }
}

pub(crate) fn random(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// A card, and what was put there.
pub(crate) struct Rig {
    card: Emulator,
    kept: Vec<Memory>,
}

impl Rig {
    pub(crate) fn new() -> Rig {
        Rig { card: Emulator::new(1 << 30), kept: Vec::new() }
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> Address {
        let memory = self.card.allocate(bytes.len()).unwrap();
        self.card.upload(bytes, &memory, 0).unwrap();
        let address = self.card.address(&memory);
        self.kept.push(memory);
        address
    }

    pub(crate) fn put_f32(&mut self, numbers: &[f32]) -> Address {
        self.put(&Kind::F32.bytes(numbers))
    }

    pub(crate) fn put_rows(&mut self, kind: Kind, rows: &Rows) -> Address {
        self.put(&kind.bytes(&rows.numbers))
    }

    /// Runs a kernel that writes `count` numbers to where it is told, with threads in two orders, and gives them.
    pub(crate) fn run<A: Pod>(
        &mut self,
        kernel: &str,
        [blocks, threads, shared]: [usize; 3],
        (kind, count): (Kind, usize),
        arguments: impl Fn(Address) -> A,
    ) -> Vec<f32> {
        let [blocks, threads, shared] = [blocks, threads, shared].map(|x| u32::try_from(x).unwrap());
        let mut results = [0, 7].map(|order| {
            self.card.set_order(order);
            let out = self.card.allocate(count * kind.size()).unwrap();
            let arguments = arguments(self.card.address(&out));
            let arguments = bytemuck::bytes_of(&arguments);
            let launch = Launch { kernel, blocks: [blocks, 1, 1], threads, shared, arguments };
            self.card.launch(&launch).unwrap();
            self.card.download(&out, 0, count * kind.size())
        });
        assert_eq!(results[0], results[1], "{kernel}: the order of threads changes what it gives");
        kind.numbers(&std::mem::take(&mut results[0]))
    }
}

/// Blocks of 256 threads for so many items.
pub(crate) fn items(count: usize) -> [usize; 3] {
    [count.div_ceil(256), 256, 0]
}

/// Compares rows of `stride` numbers with what is expected of the first `channels`, and zeros.
pub(crate) fn check(
    what: &str,
    kind: Kind,
    got: &[f32],
    (stride, channels): (usize, usize),
    expected: impl Fn(usize, usize) -> f64,
) {
    for (row, numbers) in got.chunks_exact(stride).enumerate() {
        for (channel, got) in numbers.iter().enumerate() {
            let got = f64::from(*got);
            if channel >= channels {
                assert!(got == 0.0, "{what} {kind:?}: row {row} has {got} after its channels, at {channel}");
                continue;
            }
            let expected = expected(row, channel);
            let near = (got - expected).abs() <= kind.tolerance(expected);
            assert!(near, "{what} {kind:?}: row {row}, channel {channel}: {got} instead of {expected}");
        }
    }
}

/// A count as the kernels take it.
pub(crate) fn int(count: usize) -> i32 {
    i32::try_from(count).unwrap()
}
