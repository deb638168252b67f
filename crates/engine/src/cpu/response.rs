//! Global response normalisation: every channel of a map by how strong it is among all.

use super::{
    form::Form,
    functions::After,
    gemm::Lane,
    maps,
    parallel::{Shared, each_line},
    simd::{Isa, Kernel, LANES, Simd},
};

/// A response norm.
#[derive(Debug)]
pub(crate) struct ResponseNorm {
    pub(crate) channels: usize,
    pub(crate) weight: Vec<Lane>,
    pub(crate) bias: Vec<Lane>,
    pub(crate) eps: f32,
}

/// Places whose squares are one sum: many short sums round less than a long one.
const RUN: usize = 64;

impl ResponseNorm {
    /// from, to: n maps of as many blocks as the weight has.
    pub(crate) fn run(&self, isa: Isa, n: usize, from: &[Lane], to: &mut [Lane]) {
        let blocks = self.weight.len();
        assert!(n > 0 && from.len().is_multiple_of(n * blocks) && self.bias.len() == blocks);
        let map = from.len() / n;
        let mut scales = vec![Lane::default(); n * blocks];
        let out = Shared::writing(&mut scales);
        each_line(n * blocks, map / blocks * LANES, |task| {
            let (picture, block) = (task / blocks, task % blocks);
            let squares = Squares {
                blocks,
                from: &from[picture * map + block..(picture + 1) * map],
                // SAFETY: within `scales`, which has a block for every task.
                to: unsafe { out.get().add(task * LANES) },
            };
            // SAFETY: every task has a block of `scales` of its own.
            unsafe { isa.run(squares) }
        });
        scales.chunks_exact_mut(blocks).for_each(|squares| self.scale(squares));
        maps::scale_maps(isa, After::of(None), n, from, (&scales, &self.bias), (to, Form::Numbers));
    }

    /// A picture's sums of squares become what its channels are multiplied with.
    fn scale(&self, squares: &mut [Lane]) {
        let root = |x: f32| f64::from(x).sqrt();
        let numbers = squares.iter().flat_map(|block| block.0).take(self.channels);
        let mean = numbers.map(root).sum::<f64>() / self.channels as f64 + f64::from(self.eps);
        for (block, weight) in squares.iter_mut().zip(&self.weight) {
            for (x, weight) in block.0.iter_mut().zip(weight.0) {
                #[expect(clippy::cast_possible_truncation, reason = "rounded once")]
                let scale = (root(*x) / mean * f64::from(weight)) as f32;
                *x = scale;
            }
        }
    }
}

/// The sum of squares of a block of channels, over every `blocks`-th block.
struct Squares<'a> {
    blocks: usize,
    from: &'a [Lane],
    to: *mut f32,
}

impl Kernel for Squares<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: as promised by the caller of `Isa::run`; `to` has room for a block.
        unsafe {
            let mut sum = S::splat(0.0);
            for run in self.from.chunks(RUN * self.blocks) {
                let mut part = S::splat(0.0);
                for x in run.iter().step_by(self.blocks) {
                    let x = S::load(x.0.as_ptr());
                    part = S::fma(x, x, part);
                }
                sum = S::add(sum, part);
            }
            S::store(self.to, sum);
        }
    }
}
