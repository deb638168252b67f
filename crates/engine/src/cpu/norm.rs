//! Layer normalisation over the channels of each place, and the same by the mean square alone.

#![expect(
    clippy::needless_range_loop,
    reason = "constant indices into small arrays: these stay in registers"
)]

use super::{
    form::{Form, Out},
    gemm::Lane,
    parallel::each_line,
    simd::{Isa, Kernel, LANES, Simd},
};

/// A layer norm.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    pub(crate) channels: usize,
    pub(crate) weight: Vec<Lane>,
    pub(crate) bias: Vec<Lane>,
    pub(crate) eps: f32,
    /// Whether the mean is taken off first, as it is but for RMS norms.
    pub(crate) centred: bool,
}

/// Places that are worked on together, so that none waits for its own sums.
const TOGETHER: usize = 4;
/// Places of a task.
const GRAIN: usize = 32;

impl LayerNorm {
    /// from, to: places of as many blocks as the weight has, `to` in that form.
    pub(crate) fn run(&self, isa: Isa, from: &[Lane], to: &mut [Lane], form: Form) {
        assert!(from.len() == form.holds(to.len()) && self.weight.len() == self.bias.len());
        let blocks = self.weight.len();
        let places = from.len() / blocks;
        let out = Out::of(to, form);
        each_line(places.div_ceil(GRAIN), GRAIN * blocks * LANES, |task| {
            let run = task * GRAIN..places.min((task + 1) * GRAIN);
            let places = Places {
                layer: self,
                from: &from[run.start * blocks..run.end * blocks],
                to: out.skip(run.start * blocks * LANES),
            };
            // SAFETY: every task has places of `to` of its own.
            unsafe { isa.run(places) }
        });
    }
}

struct Places<'a> {
    layer: &'a LayerNorm,
    from: &'a [Lane],
    to: Out,
}

impl Kernel for Places<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let blocks = self.layer.weight.len();
        let count = self.from.len() / blocks;
        let even = count / TOGETHER * TOGETHER;
        // SAFETY: as promised by the caller of `Isa::run`; places lie within `from` and `to`.
        unsafe {
            for place in (0..even).step_by(TOGETHER) {
                self.normalise::<S, TOGETHER>(place);
            }
            for place in even..count {
                self.normalise::<S, 1>(place);
            }
        }
    }
}

impl Places<'_> {
    #[inline(always)]
    unsafe fn normalise<S: Simd, const N: usize>(&self, place: usize) {
        let LayerNorm { channels, weight, bias, eps, centred } = self.layer;
        let blocks = weight.len();
        let rest = channels - (blocks - 1) * LANES;
        let inside: [f32; LANES] = std::array::from_fn(|lane| if lane < rest { 1.0 } else { 0.0 });
        // No closures: they are compiled without the instruction set. SAFETY: as promised to `run`.
        unsafe {
            let inside = S::load(inside.as_ptr());
            let first = place * blocks * LANES;
            let (from, to) = (self.from.as_ptr().cast::<f32>().add(first), self.to.skip(first));
            let mut sums = [S::splat(0.0); N];
            for block in 0..if *centred { blocks } else { 0 } {
                for i in 0..N {
                    let mut x = S::load(from.add((i * blocks + block) * LANES));
                    if block + 1 == blocks {
                        x = S::mul(x, inside);
                    }
                    sums[i] = S::add(sums[i], x);
                }
            }
            let mut means = sums;
            for i in 0..N {
                means[i] = S::splat(S::sum(sums[i]) / *channels as f32);
            }
            let mut squares = [S::splat(0.0); N];
            for block in 0..blocks {
                for i in 0..N {
                    let mut apart = S::sub(S::load(from.add((i * blocks + block) * LANES)), means[i]);
                    if block + 1 == blocks {
                        apart = S::mul(apart, inside);
                    }
                    squares[i] = S::fma(apart, apart, squares[i]);
                }
            }
            let mut shares = squares;
            for i in 0..N {
                shares[i] = S::splat(1.0 / (S::sum(squares[i]) / *channels as f32 + eps).sqrt());
            }
            for block in 0..blocks {
                let weight = S::load(weight.as_ptr().add(block).cast());
                let bias = S::load(bias.as_ptr().add(block).cast());
                for i in 0..N {
                    let at = (i * blocks + block) * LANES;
                    let mut x = S::load(from.add(at));
                    if block + 1 == blocks {
                        x = S::mul(x, inside);
                    }
                    to.put::<S>(at, S::fma(S::mul(S::sub(x, means[i]), shares[i]), weight, bias));
                }
            }
        }
    }
}
