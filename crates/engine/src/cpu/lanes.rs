//! Blocks of numbers that are laid out once: weights.

use super::gemm::Lane;
use std::ops::{Deref, DerefMut};
use store::LargeMemory;

/// Blocks from which on large pages pay: 4 MiB.
const LARGE: usize = 1 << 16;

/// So many blocks, zeros at first.
#[derive(Debug)]
pub(crate) enum Lanes {
    Small(Vec<Lane>),
    Large(LargeMemory),
}

impl Lanes {
    pub(crate) fn zeroed(count: usize) -> Lanes {
        // Where the system refuses, the other way says so as all memory that is short does.
        match (count >= LARGE).then(|| LargeMemory::zeroed(count * size_of::<Lane>())) {
            Some(Ok(memory)) => Lanes::Large(memory),
            _ => Lanes::Small(vec![Lane::default(); count]),
        }
    }
}

impl Deref for Lanes {
    type Target = [Lane];

    fn deref(&self) -> &[Lane] {
        match self {
            Lanes::Small(lanes) => lanes,
            Lanes::Large(memory) => bytemuck::cast_slice(memory),
        }
    }
}

impl DerefMut for Lanes {
    fn deref_mut(&mut self) -> &mut [Lane] {
        match self {
            Lanes::Small(lanes) => lanes,
            Lanes::Large(memory) => bytemuck::cast_slice_mut(memory),
        }
    }
}
