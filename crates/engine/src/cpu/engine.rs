//! The engine that tools hold: compiled once, run batch after batch.

use super::{
    compile::compile,
    crew::awake,
    gemm::{Lane, tile_rows},
    memory::{Buffers, Memory},
    parallel::{Shared, alone, each, each_line, threads},
    plan::{Picture, Plan},
    simd::{Isa, LANES},
};
use crate::{
    EngineError, Executor, Precision,
    executor::{Normalisation, check_channels, check_length, pictures_of, pixels_of},
    texts::{Texts, joined, texts_of, tokens_of},
};
use input::{Batch, Recipe, text};
use network::{Network, Padding, Shape};
use rayon::prelude::*;
use std::{
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use weights::Bound;

/// Pictures that go through a step together, at most: enough that weights are read seldom.
const TOGETHER: usize = 16;
/// Blocks that the values of pictures that go together may take: 256 MiB.
const VALUES: usize = 1 << 22;

/// Pictures that are too few to get everything ready for: the probes, and one or two.
const FEW: usize = 6;

/// Pictures for which the pool's other threads stay awake, at most: whoever has more does not wait for one.
const AWAKE: usize = 4;

/// Tokens of texts that go through a step together, at most, unless one text has more.
const TOKENS: usize = 768;
/// The same of each thread alone, about: what a layer makes of them is still in a near cache when the next reads it, and weights are
/// not read too often (MiniLM was 6 % faster on two cores of Zen 4 than with all threads on 768; 96 and 384 gave less).
const OWN_TOKENS: usize = 192;

/// A network that is ready to run on this processor.
pub struct Cpu {
    name: String,
    revision: String,
    plan: Plan,
    isa: Isa,
    reads: Reads,
    /// Of a picture; of a token (1, 1).
    size: (usize, usize),
    widths: Vec<usize>,
    /// Kept from one batch to the next, one for each that is run at the same time.
    buffers: Mutex<Vec<Pool>>,
    /// How many pictures it has seen.
    seen: usize,
}

/// What a network is fed.
enum Reads {
    /// How bytes become numbers.
    Pictures(Box<Normalisation>),
    /// What says which tokens there are: the network, without its weights.
    Texts(Box<Network>),
    /// What another network gives.
    Given(Shape),
}

/// Buffers that are not in use.
#[derive(Default)]
struct Pool {
    shared: Buffers,
    /// Of pictures that are worked on alone.
    own: Mutex<Vec<Buffers>>,
}

impl Cpu {
    /// Compiles a network for inputs of this recipe, for the best instruction set there is.
    ///
    /// # Errors
    /// Where the recipe has no fixed size, or the network does not work at it.
    pub fn new(bound: Bound, recipe: &Recipe) -> Result<Cpu, EngineError> {
        Cpu::with_isa(bound, recipe, Isa::best())
    }

    /// [`Cpu::new`] for an instruction set. All of them give the same bits.
    ///
    /// # Errors
    /// As [`Cpu::new`].
    ///
    /// # Panics
    /// Where `isa` is not one of [`Isa::available`].
    pub fn with_isa(bound: Bound, recipe: &Recipe, isa: Isa) -> Result<Cpu, EngineError> {
        Cpu::with(bound, recipe, isa, Precision::F32)
    }

    /// [`Cpu::with_isa`] in f32, or in bf16, which most products are then made in. In each precision all instruction sets give the
    /// same bits.
    ///
    /// # Errors
    /// As [`Cpu::new`].
    ///
    /// # Panics
    /// As [`Cpu::with_isa`], and in other precisions.
    pub fn with(bound: Bound, recipe: &Recipe, isa: Isa, precision: Precision) -> Result<Cpu, EngineError> {
        let (reads, size) = match texts_of(bound.network(), recipe)? {
            true => (Reads::Texts(Box::new(bound.network().clone())), (1, 1)),
            false => {
                let (how, size) = pictures_of(bound.network().name(), recipe)?;
                (Reads::Pictures(Box::new(Normalisation::of(how))), size)
            }
        };
        check_channels(bound.network())?;
        Cpu::compiled(bound, reads, size, isa, precision)
    }

    /// Compiles a network that reads one map, one vector or one picture's tokens, which another network gives: a head, or what
    /// [`Network::cut`] left above. In f32.
    ///
    /// # Errors
    /// Where the network reads something else.
    ///
    /// # Panics
    /// As [`Cpu::with_isa`].
    pub fn given(bound: Bound, isa: Isa) -> Result<Cpu, EngineError> {
        let Some(shape) = bound.network().given_row() else {
            return Err(EngineError::NotGiven { network: bound.network().name().to_owned() });
        };
        let size = match shape {
            Shape::Map { height, width, .. } => (height, width),
            _ => (1, shape.places()),
        };
        let mut compiled = Cpu::compiled(bound, Reads::Given(shape), size, isa, Precision::F32)?;
        compiled.plan.settle();
        Ok(compiled)
    }

    fn compiled(
        bound: Bound,
        reads: Reads,
        size: (usize, usize),
        isa: Isa,
        precision: Precision,
    ) -> Result<Cpu, EngineError> {
        assert!(Isa::available().contains(&isa), "this processor has no {isa:?}");
        Ok(Cpu {
            name: bound.network().name().to_owned(),
            widths: bound.network().widths(size.0, size.1)?,
            plan: compile(bound, size, precision)?,
            revision: precision.processor(),
            isa,
            reads,
            size,
            buffers: Mutex::default(),
            seen: 0,
        })
    }

    /// d, the numbers of a row of [`Cpu::run_rows`]; none where the network reads something else.
    pub fn given_width(&self) -> usize {
        if let Reads::Given(shape) = self.reads { shape.len() } else { 0 }
    }

    /// rows: (n, d) of what the network is given, maps channel by channel. Gives one (n, d) matrix for every output. Threads take
    /// some rows each and wait for no other, so tasks of the pool may call it.
    ///
    /// # Errors
    /// Where the network reads something else, `rows` is no whole number of rows, or memory is short.
    pub fn run_rows(&self, rows: &[f32]) -> Result<Vec<Vec<f32>>, EngineError> {
        let Reads::Given(shape) = self.reads else {
            return Err(EngineError::NotGiven { network: self.name.clone() });
        };
        check_length(rows.len() / shape.len(), [shape.len(), 1, 1], rows.len())?;
        let n = rows.len() / shape.len();
        // A task of the pool must not wait for others, of which one may end in this same function.
        if n <= TOGETHER && rayon::current_thread_index().is_none() {
            return self.run_pictures(n, lines(shape, rows), |_, _| {});
        }
        let some = |rows: &[f32]| {
            alone(|| self.run_all(rows.len() / shape.len(), lines(shape, rows), &Times::default()))
        };
        let made: Vec<_> = rows.par_chunks(TOGETHER * shape.len()).map(some).collect::<Result<_, _>>()?;
        let mut all = self.no_rows(n);
        for made in made {
            all.iter_mut().zip(made).for_each(|(rows, made)| rows.extend(made));
        }
        Ok(all)
    }

    /// input: (n, 3, h, w) f32, already normalised, of the size that this was compiled for. For tests and benchmarks:
    /// `observe` is given every step's name and the time that it took.
    ///
    /// # Errors
    /// As [`Executor::run`].
    pub fn run_tensor(
        &mut self,
        input: &[f32],
        n: usize,
        observe: impl FnMut(&str, Duration),
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let (h, w) = self.size;
        check_length(n, [h, w, 3], input.len())?;
        self.expect(n);
        let line = |picture: usize, y: usize, pixel: usize, out: &mut [f32]| {
            let [red, green, blue] =
                [0, 1, 2].map(|channel| &input[((picture * 3 + channel) * h + y) * w..][..w]);
            let numbers = red.iter().zip(green).zip(blue);
            for (out, ((red, green), blue)) in out.chunks_exact_mut(pixel).zip(numbers) {
                out[..3].copy_from_slice(&[*red, *green, *blue]);
            }
        };
        self.run_pictures(n, line, observe)
    }

    /// Gets ready for `n` pictures more.
    fn expect(&mut self, n: usize) {
        self.seen = self.seen.saturating_add(n);
        if self.seen > FEW {
            self.plan.settle();
        }
    }

    /// Texts in groups of some tokens: each on a thread of its own, or on all threads where they are too few for that.
    fn run_texts(&self, tokens: &[text::Token], ends: &[usize]) -> Result<Vec<Vec<f32>>, EngineError> {
        let mut buffers = locked(&self.buffers).pop().unwrap_or_default();
        let all = Texts::new(tokens, ends);
        let rows = match self.run_apart(all, &buffers.own) {
            Some(rows) => Ok(rows),
            None if tokens.len() <= TOKENS => awake(|| self.run_together(all, &mut buffers.shared)),
            None => rayon::scope(|_| self.run_together(all, &mut buffers.shared)),
        };
        locked(&self.buffers).push(buffers);
        rows
    }

    /// A group of texts on each thread, which then waits for no other: `None` where there are too few of them, or one has so many
    /// tokens that all threads should work on it, or memory is short.
    fn run_apart(&self, all: Texts<'_>, buffers: &Mutex<Vec<Buffers>>) -> Option<Vec<Vec<f32>>> {
        let threads = rayon::current_num_threads();
        let groups = all.groups(threads, OWN_TOKENS, tile_rows(self.isa));
        // Long texts take memory, once for each thread.
        if groups.len() < threads.max(2) || groups.iter().any(|group| all.tokens_of(group) > TOKENS) {
            return None;
        }
        let run = |group: Range<usize>| {
            let mut own = locked(buffers).pop().unwrap_or_default();
            let fits = self.plan.make_room(all.tokens_of(&group), &mut own);
            let made = fits.then(|| {
                let mut rows = self.no_rows(group.len());
                alone(|| self.run_group(all, &group, &mut own, &mut rows));
                rows
            });
            locked(buffers).push(own);
            made
        };
        let made: Vec<_> = groups.into_par_iter().with_max_len(1).map(run).collect::<Option<_>>()?;
        let mut rows = self.no_rows(all.len());
        for made in made {
            rows.iter_mut().zip(made).for_each(|(rows, made)| rows.extend(made));
        }
        Some(rows)
    }

    /// Groups of texts one after the other, each on all threads; a text that has more tokens goes alone.
    fn run_together(&self, all: Texts<'_>, buffers: &mut Buffers) -> Result<Vec<Vec<f32>>, EngineError> {
        let mut rows = self.no_rows(all.len());
        let (mut first, mut most) = (0, TOKENS);
        while first < all.len() {
            let fitting = (first + 1..=all.len()).take_while(|end| all.tokens_of(&(first..*end)) <= most);
            let group = first..fitting.last().unwrap_or(first + 1);
            let tokens = all.tokens_of(&group);
            if !self.plan.make_room(tokens, buffers) {
                if group.len() > 1 {
                    most = tokens / 2;
                    continue;
                }
                return Err(EngineError::OutOfMemoryForText {
                    network: self.name.clone(),
                    tokens,
                    mebibytes: self.plan.lanes().saturating_mul(tokens * size_of::<Lane>()) >> 20,
                });
            }
            first = group.end;
            self.run_group(all, &group, buffers, &mut rows);
        }
        Ok(rows)
    }

    /// Adds the rows of a group of texts. `buffers`: large enough for its tokens.
    fn run_group(&self, all: Texts<'_>, group: &Range<usize>, buffers: &mut Buffers, rows: &mut [Vec<f32>]) {
        let ends = all.ends_of(group);
        let mut memory = Memory::of_texts(buffers, all.part(group, &ends));
        for step in self.plan.steps_in_order() {
            self.plan.run(step, self.isa, &mut memory);
        }
        self.plan.collect(&memory, rows);
    }

    /// Of each output, room for so many rows.
    fn no_rows(&self, count: usize) -> Vec<Vec<f32>> {
        self.widths.iter().map(|width| Vec::with_capacity(count * width)).collect()
    }

    /// line(picture, y, numbers of a pixel, out): puts a line of a picture's numbers, three a pixel.
    fn run_pictures(
        &self,
        n: usize,
        line: impl Fn(usize, usize, usize, &mut [f32]) + Send + Sync,
        mut observe: impl FnMut(&str, Duration),
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let times = Times::default();
        // By one of the pool's threads from the first step to the last: others would hand each step over, and wait.
        let rows = if n <= AWAKE && n < rayon::current_num_threads() {
            awake(|| self.run_all(n, line, &times))?
        } else {
            rayon::scope(|_| self.run_all(n, line, &times))?
        };
        times.tell(&self.plan, &mut observe);
        Ok(rows)
    }

    fn run_all(
        &self,
        n: usize,
        line: impl Fn(usize, usize, usize, &mut [f32]) + Send + Sync,
        times: &Times,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let mut rows = self.no_rows(n);
        // Taken, not held: another thread may begin a run meanwhile, and makes buffers of its own.
        let mut buffers = locked(&self.buffers).pop().unwrap_or_default();
        // Where each thread works alone, each has some.
        let shares = rayon::current_num_threads() / threads();
        let mut together = (VALUES / shares.max(1) / self.plan.lanes().max(1)).clamp(1, TOGETHER);
        let mut first = 0;
        while first < n {
            let count = together.min(n - first);
            if !self.plan.make_room(count, &mut buffers.shared) {
                if count == 1 {
                    return Err(self.out_of_memory());
                }
                together = count / 2;
                continue;
            }
            let mut memory = Memory::new(&mut buffers.shared, 0..count);
            let input = |from: usize| {
                let line = &line;
                move |picture: usize, y: usize, pixel: usize, out: &mut [f32]| {
                    line(first + from + picture, y, pixel, out);
                }
            };
            let (early, late) = self.plan.steps();
            times.take(0, || self.lay_out(false, &mut memory, input(0)));
            let short = AtomicBool::new(false);
            let take = |picture: usize| {
                let mut own = locked(&buffers.own).pop().unwrap_or_default();
                if self.plan.make_own_room(&mut own) {
                    // SAFETY: each picture is taken once, and whoever uses the memory of all waits until all are done.
                    let mut memory = unsafe { memory.of_one(picture, &mut own) };
                    times.take(0, || self.lay_out(true, &mut memory, input(picture)));
                    self.plan.run_early(self.isa, &mut memory, &|at, work| times.take(1 + at, work));
                } else {
                    short.store(true, Ordering::Relaxed);
                }
                locked(&buffers.own).push(own);
            };
            // Pictures that are very large one after the other, each on all threads.
            let workers = rayon::current_num_threads();
            if count < workers || self.plan.own_lanes().saturating_mul(workers) > VALUES {
                (0..count).for_each(take);
            } else {
                each(count, |picture| alone(|| take(picture)));
            }
            if short.into_inner() {
                return Err(self.out_of_memory());
            }
            for (at, step) in late.iter().enumerate() {
                times.take(1 + early.len() + at, || self.plan.run(step, self.isa, &mut memory));
            }
            self.plan.collect(&memory, &mut rows);
            first += count;
        }
        locked(&self.buffers).push(buffers);
        Ok(rows)
    }

    fn out_of_memory(&self) -> EngineError {
        EngineError::OutOfMemory {
            network: self.name.clone(),
            height: self.size.0,
            width: self.size.1,
            mebibytes: (self.plan.lanes().saturating_add(self.plan.own_lanes()))
                .saturating_mul(size_of::<Lane>())
                >> 20,
        }
    }

    /// Lays the memory's pictures out. `own`: for the steps that take them one by one.
    fn lay_out(
        &self,
        own: bool,
        memory: &mut Memory<'_>,
        fill: impl Fn(usize, usize, usize, &mut [f32]) + Send + Sync,
    ) {
        let ((height, width), count) = (self.size, memory.count());
        for (layout, value) in self.plan.pictures(own) {
            let to = self.plan.out(value, memory);
            let (rim, pixel) = match layout {
                Picture::Rimmed(rim) => (rim, 3),
                Picture::Lanes => (Padding::NONE, self.plan.value_at(value).blocks * LANES),
            };
            let Padding { top, left, bottom, right } = rim;
            let (rows, line) = (top + height + bottom, (left + width + right) * pixel);
            let length = to.len() / count * LANES;
            assert!(length >= rows * line);
            let to = Shared::writing(to);
            each_line(count * rows, line, |task| {
                let (picture, row) = (task / rows, task % rows);
                // SAFETY: within `to`, as checked above; every task has a line of its own.
                let out = unsafe {
                    std::slice::from_raw_parts_mut(to.get().add(picture * length + row * line), line)
                };
                out.fill(0.0);
                if (top..top + height).contains(&row) {
                    fill(picture, row - top, pixel, &mut out[left * pixel..][..width * pixel]);
                }
            });
        }
    }
}

impl Executor for Cpu {
    fn revision(&self) -> &str {
        &self.revision
    }

    fn widths(&self) -> &[usize] {
        &self.widths
    }

    fn run(&mut self, batch: Batch<'_>) -> Result<Vec<Vec<f32>>, EngineError> {
        self.expect(batch.len());
        let normalisation = match &self.reads {
            Reads::Pictures(normalisation) => normalisation,
            Reads::Texts(network) => {
                let (tokens, ends) = tokens_of(network, batch)?;
                return Ok(joined(batch, self.run_texts(&tokens, &ends)?, &self.widths));
            }
            Reads::Given(_) => return Err(EngineError::Given { network: self.name.clone() }),
        };
        let ((h, w), pixels) = (self.size, pixels_of(batch, self.size)?);
        let line = |picture: usize, y: usize, pixel: usize, out: &mut [f32]| {
            let bytes = &pixels[(picture * h + y) * w * 3..][..w * 3];
            for (out, bytes) in out.chunks_exact_mut(pixel).zip(bytes.chunks_exact(3)) {
                normalisation.pixel(bytes, out);
            }
        };
        self.run_pictures(batch.len(), line, |_, _| {})
    }
}

/// What puts a line of what is given, rows (n, d), for a sample: so many numbers a place.
fn lines(shape: Shape, rows: &[f32]) -> impl Fn(usize, usize, usize, &mut [f32]) + Send + Sync {
    move |sample, y, pixel, out| {
        let row = &rows[sample * shape.len()..][..shape.len()];
        for (x, out) in out.chunks_exact_mut(pixel).enumerate() {
            match shape {
                Shape::Map { height, width, .. } => {
                    let channels = row[y * width + x..].iter().step_by(height * width);
                    out.iter_mut().zip(channels).for_each(|(out, value)| *out = *value);
                }
                _ => out[..shape.width()].copy_from_slice(&row[x * shape.width()..][..shape.width()]),
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long each step has taken, on all threads that took it at the same time.
#[derive(Default)]
struct Times(Mutex<Vec<Duration>>);

impl Times {
    fn take(&self, at: usize, work: impl FnOnce()) {
        let start = Instant::now();
        work();
        let mut times = locked(&self.0);
        if times.len() <= at {
            times.resize(at + 1, Duration::ZERO);
        }
        times[at] += start.elapsed();
    }

    fn tell(self, plan: &Plan, observe: &mut impl FnMut(&str, Duration)) {
        let (early, late) = plan.steps();
        let names = std::iter::once("input").chain(early.iter().chain(late).map(|step| step.name.as_str()));
        let times = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        names.zip(times).for_each(|(name, time)| observe(name, time));
    }
}
