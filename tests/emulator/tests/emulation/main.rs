//! The emulator, tried by kernels of its own (`src/probes.cu`): what they are given and how they are launched.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use emulator::{Emulator, Memory};
use engine::cuda::{Card, CardError, Launch};

mod card;
mod mistakes;
mod numbers;
mod threads;

/// Room for every test here.
pub(crate) const MEMORY: usize = 64 << 20;

/// The one argument of all of them.
#[derive(Default)]
pub(crate) struct Probe<'a> {
    /// Memory, by what the kernel calls it.
    pub(crate) input: Option<&'a Memory>,
    pub(crate) other: Option<&'a Memory>,
    pub(crate) out: Option<&'a Memory>,
    pub(crate) count: i32,
    pub(crate) mode: i32,
}

impl Probe<'_> {
    /// Has a kernel run.
    pub(crate) fn launch(
        &self,
        card: &Emulator,
        kernel: &str,
        blocks: [u32; 3],
        threads: u32,
        shared: u32,
    ) -> Result<(), CardError> {
        let mut arguments = Vec::new();
        for memory in [self.input, self.other, self.out] {
            arguments.extend(memory.map_or(0, |memory| card.address(memory)).to_ne_bytes());
        }
        arguments.extend(self.count.to_ne_bytes());
        arguments.extend(self.mode.to_ne_bytes());
        card.launch(&Launch { kernel, blocks, threads, shared, arguments: &arguments })
    }
}

/// Memory that holds these words.
pub(crate) fn upload(card: &Emulator, words: &[u32]) -> Memory {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let memory = card.allocate(bytes.len()).unwrap();
    card.upload(&bytes, &memory, 0).unwrap();
    memory
}

/// The words that memory holds.
pub(crate) fn words(card: &Emulator, memory: &Memory, count: usize) -> Vec<u32> {
    let bytes = card.download(memory, 0, 4 * count);
    bytes.as_chunks().0.iter().map(|&word| u32::from_ne_bytes(word)).collect()
}

/// Words that look random, always the same.
pub(crate) fn noise(count: usize) -> Vec<u32> {
    let mut state = 0x9e37_79b9_u64;
    let step = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as u32
    };
    (0..count).map(step).collect()
}
