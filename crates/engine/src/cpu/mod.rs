//! Our own engine on the processor: a network is compiled once, for one size of picture, to steps of fused kernels.
//!
//! Maps lie channels last, in blocks of sixteen channels. Every kernel is written once, over such blocks, and compiled
//! for each instruction set.
//!
//! **Invariant:** the bits of a feature depend on its picture, the weights, the preprocessing and the tap alone: not on
//! the batch, the threads or the instruction set. Each number is made by one chain of operations, each rounded as
//! IEEE 754 says, in an order that the layer's shape fixes.

mod compile;
mod conv;
mod depthwise;
mod gemm;
mod maps;
mod parallel;
mod plan;
mod simd;
mod winograd;

pub use simd::Isa;

use crate::{EngineError, reference::check_length};
use artifact::{Channels, Preprocessing};
use gemm::Lane;
use network::Bound;
use parallel::{Shared, each};
use plan::{Picture, Plan};
use simd::LANES;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Pictures that go through a step together: enough that weights are read seldom, few enough for the caches.
const TOGETHER: usize = 8;

/// A network that is ready to run on this processor.
pub struct Cpu {
    name: String,
    plan: Plan,
    isa: Isa,
    tables: [[f32; 256]; 3],
    channels: Channels,
    size: (usize, usize),
    widths: Vec<usize>,
    /// Kept from one batch to the next.
    buffers: Mutex<Vec<Vec<Lane>>>,
}

impl Cpu {
    /// Compiles a network for pictures that were prepared in this way, for the best instruction set there is.
    ///
    /// # Errors
    /// Where the preprocessing has no fixed size, or the network does not work at it.
    pub fn new(bound: Bound, preprocessing: &Preprocessing) -> Result<Cpu, EngineError> {
        Cpu::with_isa(bound, preprocessing, Isa::best())
    }

    /// [`Cpu::new`] for an instruction set. All of them give the same bits.
    ///
    /// # Errors
    /// As [`Cpu::new`].
    ///
    /// # Panics
    /// Where `isa` is not one of [`Isa::available`].
    pub fn with_isa(bound: Bound, preprocessing: &Preprocessing, isa: Isa) -> Result<Cpu, EngineError> {
        assert!(Isa::available().contains(&isa), "this processor has no {isa:?}");
        let (height, width) = preprocessing.output_size().ok_or(EngineError::VaryingSize)?;
        let size = (height as usize, width as usize);
        Ok(Cpu {
            name: bound.network().name().to_owned(),
            widths: bound.network().widths(size.0, size.1)?,
            plan: compile::compile(bound, size)?,
            isa,
            tables: preprocessing.tables(),
            channels: preprocessing.channels,
            size,
            buffers: Mutex::default(),
        })
    }

    /// Height and width of the pictures it takes, in pixels.
    pub fn input_size(&self) -> (usize, usize) {
        self.size
    }

    /// d of every output.
    pub fn widths(&self) -> &[usize] {
        &self.widths
    }

    /// pixels: (n, h, w, 3) RGB bytes, as prepared. Gives one (n, d) matrix for every output of the network. Runs on the
    /// threads of the current rayon pool.
    ///
    /// # Errors
    /// Where there are not as many bytes as that, or memory is short.
    pub fn run(&self, pixels: &[u8], n: usize) -> Result<Vec<Vec<f32>>, EngineError> {
        let (h, w) = self.size;
        check_length(n, [h, w, 3], pixels.len())?;
        let order = match self.channels {
            Channels::Rgb => [0, 1, 2],
            Channels::Bgr => [2, 1, 0],
        };
        let number =
            |at: usize, channel: usize| self.tables[channel][usize::from(pixels[at * 3 + order[channel]])];
        self.run_numbers(n, number, |_, _| {})
    }

    /// input: (n, 3, h, w) f32, already normalised, of the size that this was compiled for. For tests and benchmarks:
    /// `observe` is given every step's name and the time that it took.
    ///
    /// # Errors
    /// As [`Cpu::run`].
    pub fn run_tensor(
        &self,
        input: &[f32],
        n: usize,
        observe: impl FnMut(&str, Duration),
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let (h, w) = self.size;
        check_length(n, [h, w, 3], input.len())?;
        let place = |at: usize, channel: usize| (at / (h * w) * 3 + channel) * h * w + at % (h * w);
        self.run_numbers(n, |at, channel| input[place(at, channel)], observe)
    }

    /// number(pixel, channel), pixels counted through all pictures.
    fn run_numbers(
        &self,
        n: usize,
        number: impl Fn(usize, usize) -> f32 + Send + Sync,
        mut observe: impl FnMut(&str, Duration),
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let mut rows: Vec<Vec<f32>> = self.widths.iter().map(|d| Vec::with_capacity(n * d)).collect();
        let mut kept = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        for first in (0..n).step_by(TOGETHER) {
            let count = TOGETHER.min(n - first);
            if kept.iter().map(Vec::len).sum::<usize>() < self.plan.lanes() * count {
                kept.clear();
                *kept = self.plan.buffers(count).ok_or_else(|| EngineError::OutOfMemory {
                    network: self.name.clone(),
                    height: self.size.0,
                    width: self.size.1,
                    mebibytes: (self.plan.lanes() * count * LANES * 4) >> 20,
                })?;
            }
            let buffers = &mut *kept;
            let pixels = self.size.0 * self.size.1;
            let start = Instant::now();
            for (layout, slot) in self.plan.pictures() {
                self.fill(layout, count, &mut buffers[slot], |at, channel| {
                    number(first * pixels + at, channel)
                });
            }
            observe("input", start.elapsed());
            for step in self.plan.steps() {
                let start = Instant::now();
                self.plan.run(step, self.isa, count, buffers);
                observe(&step.name, start.elapsed());
            }
            self.plan.collect(count, buffers, &mut rows);
        }
        Ok(rows)
    }

    /// Lays pictures out, a line a task.
    fn fill(
        &self,
        layout: Picture,
        n: usize,
        to: &mut [Lane],
        number: impl Fn(usize, usize) -> f32 + Send + Sync,
    ) {
        let (height, width) = self.size;
        let (rim, pixel) = match layout {
            Picture::Rimmed(rim) => (rim, 3),
            Picture::Lanes => (0, LANES),
        };
        let (rows, line) = (height + 2 * rim, (width + 2 * rim) * pixel);
        assert!(to.len() * LANES >= n * rows * line);
        let to = Shared(bytemuck::cast_slice_mut::<Lane, f32>(to).as_mut_ptr());
        each(n * rows, |task| {
            // SAFETY: within `to`, whose length was checked above; every task has a line of its own.
            let out = unsafe { std::slice::from_raw_parts_mut(to.get().add(task * line), line) };
            out.fill(0.0);
            let (picture, row) = (task / rows, task % rows);
            if (rim..rim + height).contains(&row) {
                let at = (picture * height + row - rim) * width;
                let inside = out[rim * pixel..].chunks_exact_mut(pixel).take(width);
                for (x, out) in inside.enumerate() {
                    (0..3).for_each(|channel| out[channel] = number(at + x, channel));
                }
            }
        });
    }
}
