//! The engine that tools hold: compiled once, run batch after batch.

use super::{
    compile::compile,
    gemm::Lane,
    parallel::{Shared, each_line},
    plan::{Picture, Plan},
    simd::{Isa, LANES},
};
use crate::{EngineError, reference::check_length};
use artifact::{Channels, Preprocessing};
use network::{Bound, Op};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Pictures that go through a step together, at most: enough that weights are read seldom.
const TOGETHER: usize = 16;
/// Blocks that the values of pictures that go together may take: 256 MiB.
const VALUES: usize = 1 << 22;

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
        for node in bound.network().nodes() {
            if let Op::Input { channels } = node.op
                && channels != 3
            {
                return Err(EngineError::Channels { network: bound.network().name().to_owned(), channels });
            }
        }
        Ok(Cpu {
            name: bound.network().name().to_owned(),
            widths: bound.network().widths(size.0, size.1)?,
            plan: compile(bound, size)?,
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
        // Taken, not held: another thread may begin a run meanwhile, and makes buffers of its own.
        let mut buffers = std::mem::take(&mut *self.buffers.lock().unwrap_or_else(PoisonError::into_inner));
        let mut together = (VALUES / self.plan.lanes().max(1)).clamp(1, TOGETHER);
        let mut first = 0;
        while first < n {
            let count = together.min(n - first);
            if !self.plan.fits(count, &buffers) {
                buffers.clear();
                match self.plan.buffers(count) {
                    Some(made) => buffers = made,
                    None if count > 1 => {
                        together = count / 2;
                        continue;
                    }
                    None => return Err(self.out_of_memory()),
                }
            }
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
                self.plan.run(step, self.isa, count, &mut buffers);
                observe(&step.name, start.elapsed());
            }
            self.plan.collect(count, &buffers, &mut rows);
            first += count;
        }
        *self.buffers.lock().unwrap_or_else(PoisonError::into_inner) = buffers;
        Ok(rows)
    }

    fn out_of_memory(&self) -> EngineError {
        EngineError::OutOfMemory {
            network: self.name.clone(),
            height: self.size.0,
            width: self.size.1,
            mebibytes: self.plan.lanes().saturating_mul(size_of::<Lane>()) >> 20,
        }
    }

    /// Lays pictures out.
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
        let to = Shared::writing(to);
        each_line(n * rows, line, |task| {
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
