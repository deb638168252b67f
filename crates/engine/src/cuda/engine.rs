//! The engine that tools hold: compiled once, given batch after batch.

use super::{
    Card, CardError, Queue,
    compile::compile,
    plan::{Bases, Plan, To},
    precision::Precision,
    products::Unit,
    work::Work,
};
use crate::{
    EngineError, Executor,
    executor::{check_channels, check_length, pictures_of, pixels_of},
};
use input::{Batch, Recipe};
use std::{collections::VecDeque, time::Duration};
use weights::Bound;

/// Batches that a card has at a time: one is copied while the other is run.
const SLOTS: usize = 2;
/// Pictures of a batch, where memory does not say otherwise: more keep no card busier.
const MOST: usize = 256;

/// A network that is ready to run on a card.
///
/// **Invariant:** as on the processor, the bits of a feature depend on its picture, the weights, the preprocessing and the
/// tap, and on the precision and the kind of card besides, but not on the batch or on what else was in it.
pub struct Cuda<C: Card> {
    /// Dropped before the card.
    slots: Vec<Slot<C>>,
    /// In the order in which they were given.
    flights: VecDeque<Flight<C>>,
    values: C::Memory,
    constants: C::Memory,
    card: C,
    plan: Plan,
    precision: Precision,
    unit: Unit,
    size: (usize, usize),
    widths: Vec<usize>,
    revision: String,
    batch: usize,
    next: usize,
    spent: Spent,
}

/// What a batch needs for itself.
struct Slot<C: Card> {
    pixels: C::Memory,
    out: C::Memory,
    /// The features, on the host.
    features: Option<C::Staging>,
    /// The launches for a full batch.
    graph: Option<C::Graph>,
    /// Full batches that were run.
    runs: usize,
}

/// A batch that is under way.
struct Flight<C: Card> {
    slot: usize,
    n: usize,
    pixels: C::Staging,
    features: C::Staging,
    copies: [C::Event; 2],
    kernels: [C::Event; 2],
    done: C::Event,
}

/// How long a card was busy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// Copying pictures to it.
    pub copies: Duration,
    /// Running kernels.
    pub kernels: Duration,
}

/// What a batch came to.
pub struct Collected<C: Card> {
    /// One (n, d) matrix for every output of the network.
    pub rows: Vec<Vec<f32>>,
    /// The memory that its pictures were in, for others.
    pub pixels: C::Staging,
}

impl<C: Card> Cuda<C> {
    /// Compiles a network for inputs of this recipe, in batches of at most `batch` pictures: fewer where
    /// the card has no memory for as many; without a number, as many as keep it busy.
    ///
    /// # Errors
    /// Where the recipe has no fixed size, the network does not work at it or holds what the kernels do not do, or
    /// the card has no memory for a single picture.
    pub fn new(
        card: C,
        bound: Bound,
        recipe: &Recipe,
        precision: Precision,
        batch: Option<usize>,
    ) -> Result<Cuda<C>, EngineError> {
        let unit = Unit::best(&card, precision)?;
        Cuda::with_unit(card, bound, recipe, precision, batch, unit)
    }

    /// [`Cuda::new`], with products made by those who are named.
    ///
    /// # Errors
    /// As [`Cuda::new`].
    pub fn with_unit(
        card: C,
        bound: Bound,
        recipe: &Recipe,
        precision: Precision,
        batch: Option<usize>,
        unit: Unit,
    ) -> Result<Cuda<C>, EngineError> {
        if bound.network().reads_texts() {
            return Err(EngineError::TextsOnCard { network: bound.network().name().to_owned() });
        }
        let (how, size) = pictures_of(bound.network().name(), recipe)?;
        check_channels(bound.network())?;
        let revision = precision.engine(card.description().capability, unit);
        let widths = bound.network().widths(size.0, size.1)?;
        let mut plan = compile(bound, how, size, precision, unit)?;
        let constants = card.allocate(plan.constants.len().max(1))?;
        card.upload(&plan.constants, &constants, 0)?;
        plan.constants = Vec::new();
        let own = (size.0 * size.1 * 3).next_multiple_of(256) + plan.out_bytes().next_multiple_of(256);
        let each = (plan.memory + SLOTS * own).max(1);
        // A tenth is left to others, and to the driver.
        let fits = card.free()? / 10 * 9 / each;
        let most = fits.min(plan.most_pictures()).max(1);
        let mut batch = batch.unwrap_or(MOST).clamp(1, most);
        let (values, slots) = loop {
            match room(&card, &plan, size, batch) {
                Err(CardError::OutOfMemory { .. }) if batch > 1 => batch /= 2,
                room => break room?,
            }
        };
        let (flights, spent) = (VecDeque::new(), Spent::default());
        Ok(Cuda {
            slots,
            flights,
            values,
            constants,
            card,
            plan,
            precision,
            unit,
            size,
            widths,
            revision,
            batch,
            next: 0,
            spent,
        })
    }

    /// The card.
    pub fn card(&self) -> &C {
        &self.card
    }

    /// Who makes its products.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Pictures of a batch, at most.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// What it was busy with so far, of the batches that were collected.
    pub fn spent(&self) -> Spent {
        self.spent
    }

    /// Whether one more batch can be given before one is collected.
    pub fn is_ready(&self) -> bool {
        self.flights.len() < SLOTS
    }

    /// Memory for a batch of pictures.
    ///
    /// # Errors
    /// Where the host has none.
    pub fn staging(&self) -> Result<C::Staging, EngineError> {
        Ok(self.card.staging(self.batch * self.size.0 * self.size.1 * 3)?)
    }

    /// Gives the card a batch. pixels: of [`Cuda::staging`], (n, h, w, 3) RGB bytes as prepared at its beginning.
    ///
    /// # Errors
    /// Where the driver fails.
    ///
    /// # Panics
    /// Where the card is not ready for one more, `n` is larger than its batches, or a call before failed: whoever was told
    /// that goes on with another engine.
    pub fn submit(&mut self, pixels: C::Staging, n: usize) -> Result<(), EngineError> {
        assert!(self.is_ready() && n <= self.batch, "a batch of {n} pictures was given unasked");
        let slot = self.next;
        self.next = (slot + 1) % SLOTS;
        let features = self.slots[slot].features.take();
        let mut features = features.expect("a slot whose batch was collected has its memory back");
        let start = self.card.event(Queue::Copies)?;
        let length = n * self.size.0 * self.size.1 * 3;
        if length > 0 {
            self.card.copy_in(&pixels, length, &self.slots[slot].pixels)?;
        }
        let copied = self.card.event(Queue::Copies)?;
        self.card.wait(Queue::Kernels, &copied)?;
        let begin = self.card.event(Queue::Kernels)?;
        self.run_slot(slot, n)?;
        let end = self.card.event(Queue::Kernels)?;
        let length = n * self.plan.out_bytes();
        if length > 0 {
            self.card.copy_out(&self.slots[slot].out, &mut features, length)?;
        }
        let done = self.card.event(Queue::Kernels)?;
        let (copies, kernels) = ([start, copied], [begin, end]);
        self.flights.push_back(Flight { slot, n, pixels, features, copies, kernels, done });
        Ok(())
    }

    /// Waits for the batch that was given first, of those that are under way; `None` where none is.
    ///
    /// # Errors
    /// Where the driver fails.
    pub fn collect(&mut self) -> Result<Option<Collected<C>>, EngineError> {
        let Some(flight) = self.flights.pop_front() else { return Ok(None) };
        self.card.finish(&flight.done)?;
        let took = |[start, end]: &[C::Event; 2]| self.card.between(start, end).map(milliseconds);
        self.spent.copies += took(&flight.copies)?;
        self.spent.kernels += took(&flight.kernels)?;
        let rows = self.plan.rows(&flight.features, flight.n);
        self.slots[flight.slot].features = Some(flight.features);
        Ok(Some(Collected { rows, pixels: flight.pixels }))
    }

    /// input: (n, 3, h, w) f32, already normalised, of the size that this was compiled for. For tests and benchmarks.
    ///
    /// # Errors
    /// As [`Executor::run`].
    ///
    /// # Panics
    /// Where batches are under way, or `n` is larger than them.
    pub fn run_tensor(&mut self, input: &[f32], n: usize) -> Result<Vec<Vec<f32>>, EngineError> {
        assert!(self.flights.is_empty() && n <= self.batch, "batches are under way, or too small");
        let (h, w) = self.size;
        check_length(n, [3, h, w], input.len())?;
        for step in &self.plan.steps {
            let (Work::Normalise { .. }, To::Value(value)) = (&step.work, step.to) else { continue };
            let value = &self.plan.values[value];
            let number = |i: usize| {
                let (place, channel) = (i / value.stride, i % value.stride);
                let (picture, place) = (place / (h * w), place % (h * w));
                if channel < 3 { input[(picture * 3 + channel) * h * w + place] } else { 0.0 }
            };
            let mut bytes = Vec::new();
            self.precision.encode((0..n * h * w * value.stride).map(number), &mut bytes);
            self.card.upload(&bytes, &self.values, value.at * n)?;
        }
        self.launch(0, n, |work| !matches!(work, Work::Normalise { .. }))?;
        let Slot { out, features, .. } = &mut self.slots[0];
        let Some(features) = features else { unreachable!("no batch is under way") };
        self.card.copy_out(out, features, n * self.plan.out_bytes())?;
        self.card.finish(&self.card.event(Queue::Kernels)?)?;
        Ok(self.plan.rows(features, n))
    }

    /// Runs a batch of pictures as they happen to lie there, step by step. For benchmarks: names of nodes and kernels, and
    /// the time that each took.
    ///
    /// # Errors
    /// Where the driver fails.
    ///
    /// # Panics
    /// Where batches are under way.
    pub fn profile(&mut self) -> Result<Vec<(String, String, Duration)>, EngineError> {
        assert!(self.flights.is_empty(), "batches are under way");
        let bases = self.bases(0);
        let mut events = vec![self.card.event(Queue::Kernels)?];
        let mut steps = Vec::new();
        for step in &self.plan.steps {
            let prepared = self.plan.prepare(step, self.precision, self.batch, &bases);
            self.card.launch(&prepared.launch())?;
            events.push(self.card.event(Queue::Kernels)?);
            steps.push((step.name.clone(), prepared.kernel));
        }
        self.card.finish(&events[steps.len()])?;
        let timed = steps.into_iter().zip(events.windows(2)).map(|((step, kernel), ends)| {
            Ok((step, kernel, milliseconds(self.card.between(&ends[0], &ends[1])?)))
        });
        timed.collect()
    }

    /// Has a batch run: a full one from a recording, from its second time on.
    fn run_slot(&mut self, slot: usize, n: usize) -> Result<(), EngineError> {
        if n == self.batch {
            self.slots[slot].runs += 1;
            if self.slots[slot].runs == 2 {
                // Without a recording each is launched as it comes; where that is not all, it fails as well, and says why.
                let graph = self.card.record(&mut || self.launch(slot, n, |_| true));
                self.slots[slot].graph = graph.unwrap_or(None);
            }
            if let Some(graph) = &self.slots[slot].graph {
                return Ok(self.card.replay(graph)?);
            }
        }
        Ok(self.launch(slot, n, |_| true)?)
    }

    /// Launches all steps whose work is wanted.
    fn launch(&self, slot: usize, n: usize, wanted: impl Fn(&Work) -> bool) -> Result<(), CardError> {
        if n == 0 {
            return Ok(());
        }
        let bases = self.bases(slot);
        for step in self.plan.steps.iter().filter(|step| wanted(&step.work)) {
            self.card.launch(&self.plan.prepare(step, self.precision, n, &bases).launch())?;
        }
        Ok(())
    }

    fn bases(&self, slot: usize) -> Bases {
        Bases {
            constants: self.card.address(&self.constants),
            values: self.card.address(&self.values),
            pixels: self.card.address(&self.slots[slot].pixels),
            out: self.card.address(&self.slots[slot].out),
        }
    }
}

impl<C: Card> Executor for Cuda<C> {
    /// Such as `cuda-1-f16-sm90a`.
    fn revision(&self) -> &str {
        &self.revision
    }

    fn widths(&self) -> &[usize] {
        &self.widths
    }

    /// # Panics
    /// Where batches are under way.
    fn run(&mut self, batch: Batch<'_>) -> Result<Vec<Vec<f32>>, EngineError> {
        assert!(self.flights.is_empty(), "batches are under way");
        let (n, pixels) = (batch.len(), pixels_of(batch, self.size)?);
        let picture = self.size.0 * self.size.1 * 3;
        let mut rows = vec![Vec::new(); self.widths.len()];
        let mut staging = self.staging()?;
        for first in (0..n).step_by(self.batch) {
            let count = self.batch.min(n - first);
            staging[..count * picture].copy_from_slice(&pixels[first * picture..][..count * picture]);
            self.submit(staging, count)?;
            let Some(features) = self.collect()? else { unreachable!("one was given") };
            rows.iter_mut().zip(features.rows).for_each(|(rows, more)| rows.extend(more));
            staging = features.pixels;
        }
        Ok(rows)
    }
}

fn milliseconds(ms: f32) -> Duration {
    Duration::from_secs_f32(ms.max(0.0) / 1e3)
}

/// Memory for batches of so many pictures.
fn room<C: Card>(
    card: &C,
    plan: &Plan,
    (height, width): (usize, usize),
    batch: usize,
) -> Result<(C::Memory, Vec<Slot<C>>), CardError> {
    let out = batch * plan.out_bytes();
    let values = card.allocate((batch * plan.memory).max(1))?;
    let slot = |_| {
        Ok(Slot {
            pixels: card.allocate((batch * height * width * 3).max(1))?,
            out: card.allocate(out.max(1))?,
            features: Some(card.staging(out.max(1))?),
            graph: None,
            runs: 0,
        })
    };
    Ok((values, (0..SLOTS).map(slot).collect::<Result<_, CardError>>()?))
}
