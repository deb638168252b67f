//! The engine that tools hold: compiled once, given batch after batch.

use super::{
    Card, CardError, Queue,
    compile::{Reads, compile},
    part::{Part, Reader, lay_out},
    plan::{Bases, Plan, To},
    products::Unit,
    slot::{Flight, Room, SLOTS, Slot},
    work::Work,
};
use crate::{
    EngineError, Executor, Precision,
    executor::{check_channels, check_length, pictures_of, pixels_of},
    texts::{Texts, joined, texts_of},
};
use input::{Batch, Recipe};
use std::{collections::VecDeque, time::Duration};
use weights::Bound;

/// A network that is ready to run on a card.
///
/// **Invariant:** as on the processor, the bits of a feature depend on its sample, the weights, the preprocessing and the
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
    /// Of a picture; of a token (1, 1).
    size: (usize, usize),
    /// Of texts.
    reader: Option<Box<Reader>>,
    /// Bytes of a sample, at most.
    most_bytes: usize,
    widths: Vec<usize>,
    revision: String,
    batch: usize,
    /// Pictures, or tokens, that there is memory for.
    units: usize,
    next: usize,
    spent: Spent,
}

/// How long a card was busy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// Copying samples to it.
    pub copies: Duration,
    /// Running kernels.
    pub kernels: Duration,
}

/// What a batch came to.
pub struct Collected<C: Card> {
    /// One (n, d) matrix for every output of the network.
    pub rows: Vec<Vec<f32>>,
    /// The memory that its samples were in, for others.
    pub pixels: C::Staging,
}

impl<C: Card> Cuda<C> {
    /// Compiles a network for inputs of this recipe, in batches of at most `batch` samples: fewer pictures where
    /// the card has no memory for as many; without a number, as many as keep it busy.
    ///
    /// # Errors
    /// Where the recipe has no fixed size, the network does not work at it or holds what the kernels do not do, or
    /// the card has no memory for a single picture or token.
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
        let reads_texts = texts_of(bound.network(), recipe)?;
        let reads = match recipe {
            Recipe::Text(how) if reads_texts => Reads::Texts(how.max_tokens()),
            _ => {
                let (how, size) = pictures_of(bound.network().name(), recipe)?;
                Reads::Pictures(how, size)
            }
        };
        check_channels(bound.network())?;
        let (size, reader) = match reads {
            Reads::Pictures(_, size) => (size, None),
            Reads::Texts(most) => ((1, 1), Some(Box::new(Reader { network: bound.network().clone(), most }))),
        };
        let revision = precision.engine(card.description().capability, unit);
        let widths = bound.network().widths(size.0, size.1)?;
        let mut plan = compile(bound, reads, precision, unit)?;
        let constants = card.allocate(plan.constants.len().max(1))?;
        card.upload(&plan.constants, &constants, 0)?;
        plan.constants = Vec::new();
        let most_bytes = recipe.most_bytes().max(1);
        let mut room = match reads {
            Reads::Pictures(..) => Room::of_pictures(card.free()?, &plan, batch, most_bytes),
            Reads::Texts(most) => Room::of_texts(card.free()?, &plan, batch, (most, most_bytes)),
        };
        let (values, slots) = room.take(&card, &plan)?;
        let Room { batch, units, .. } = room;
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
            reader,
            most_bytes,
            widths,
            revision,
            batch,
            units,
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

    /// Samples of a batch, at most.
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

    /// Memory for a batch.
    ///
    /// # Errors
    /// Where the host has none.
    pub fn staging(&self) -> Result<C::Staging, EngineError> {
        Ok(self.card.staging(self.batch * self.most_bytes)?)
    }

    /// Gives the card a batch. inputs: of [`Cuda::staging`]; with `ends`, it is a [`Batch`].
    ///
    /// # Errors
    /// Where the driver fails, tokens are not the network's, or a text is too long.
    ///
    /// # Panics
    /// Where the card is not ready for one more, the batch is larger than its batches or no batch of such samples, or the driver
    /// failed before: whoever was told that goes on with another engine.
    pub fn submit(&mut self, inputs: C::Staging, ends: &[usize]) -> Result<(), EngineError> {
        let n = ends.len();
        assert!(self.is_ready() && n <= self.batch, "a batch of {n} samples was given unasked");
        let batch = Batch::new(&inputs, ends);
        let (parts, told) = match &self.reader {
            None => (vec![Part::of_pictures(n)], pixels_of(batch, self.size)?.len()),
            Some(reader) => {
                let (tokens, ends) = reader.read(batch)?;
                let texts = Texts::new(&tokens, &ends);
                reader.check_room(&texts, self.units, self.plan.memory)?;
                let (parts, told) = lay_out(&texts, &self.plan.tables, self.units);
                let slot = &mut self.slots[self.next];
                slot.grow(&self.card, told.len(), texts.len() * self.plan.out_bytes())?;
                slot.told.iter_mut().for_each(|to| to[..told.len()].copy_from_slice(&told));
                (parts, told.len())
            }
        };
        let slot = self.next;
        self.next = (slot + 1) % SLOTS;
        let features = self.slots[slot].features.take();
        let mut features = features.expect("a slot whose batch was collected has its memory back");
        let start = self.card.event(Queue::Copies)?;
        if told > 0 {
            let Slot { told: own, input, .. } = &self.slots[slot];
            self.card.copy_in(own.as_ref().unwrap_or(&inputs), told, input)?;
        }
        let copied = self.card.event(Queue::Copies)?;
        self.card.wait(Queue::Kernels, &copied)?;
        let begin = self.card.event(Queue::Kernels)?;
        self.run_slot(slot, &parts)?;
        let end = self.card.event(Queue::Kernels)?;
        let length = parts.iter().map(|part| part.samples).sum::<usize>() * self.plan.out_bytes();
        if length > 0 {
            self.card.copy_out(&self.slots[slot].out, &mut features, length)?;
        }
        let done = self.card.event(Queue::Kernels)?;
        let (copies, kernels) = ([start, copied], [begin, end]);
        let ends = ends.to_vec();
        self.flights.push_back(Flight { slot, parts, inputs, ends, features, copies, kernels, done });
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
        let mut rows = vec![Vec::new(); self.widths.len()];
        for part in &flight.parts {
            let bytes = &flight.features[part.first * self.plan.out_bytes()..];
            let more = self.plan.rows(bytes, part.samples);
            rows.iter_mut().zip(more).for_each(|(rows, more)| rows.extend(more));
        }
        if self.reader.is_some() {
            rows = joined(Batch::new(&flight.inputs, &flight.ends), rows, &self.widths);
        }
        self.slots[flight.slot].features = Some(flight.features);
        Ok(Some(Collected { rows, pixels: flight.inputs }))
    }

    /// input: (n, 3, h, w) f32, already normalised, of the size that this was compiled for. For tests and benchmarks.
    ///
    /// # Errors
    /// As [`Executor::run`].
    ///
    /// # Panics
    /// Where batches are under way, `n` is larger than them, or the network reads texts.
    pub fn run_tensor(&mut self, input: &[f32], n: usize) -> Result<Vec<Vec<f32>>, EngineError> {
        assert!(self.flights.is_empty() && n <= self.batch, "batches are under way, or too small");
        assert!(self.reader.is_none(), "texts have no numbers to begin with");
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
        self.launch(0, &Part::of_pictures(n), |work| !matches!(work, Work::Normalise { .. }))?;
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
    /// Where batches are under way, or the network reads texts.
    pub fn profile(&mut self) -> Result<Vec<(String, String, Duration)>, EngineError> {
        assert!(self.flights.is_empty() && self.reader.is_none(), "batches are under way, or of texts");
        let (bases, all) = (self.bases(0), Part::of_pictures(self.batch));
        let mut events = vec![self.card.event(Queue::Kernels)?];
        let mut steps = Vec::new();
        for step in &self.plan.steps {
            let prepared = self.plan.prepare(step, self.precision, &all, &bases);
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

    /// Has a batch run: a full one of pictures from a recording, from its second time on.
    fn run_slot(&mut self, slot: usize, parts: &[Part]) -> Result<(), EngineError> {
        let all = Part::of_pictures(self.batch);
        if self.reader.is_none() && parts == [all] {
            self.slots[slot].runs += 1;
            if self.slots[slot].runs == 2 {
                // Without a recording each is launched as it comes; where that is not all, it fails as well, and says why.
                let graph = self.card.record(&mut || self.launch(slot, &all, |_| true));
                self.slots[slot].graph = graph.unwrap_or(None);
            }
            if let Some(graph) = &self.slots[slot].graph {
                return Ok(self.card.replay(graph)?);
            }
        }
        Ok(parts.iter().try_for_each(|part| self.launch(slot, part, |_| true))?)
    }

    /// Launches all steps whose work is wanted.
    fn launch(&self, slot: usize, part: &Part, wanted: impl Fn(&Work) -> bool) -> Result<(), CardError> {
        if part.samples == 0 {
            return Ok(());
        }
        let bases = self.bases(slot);
        for step in self.plan.steps.iter().filter(|step| wanted(&step.work)) {
            self.card.launch(&self.plan.prepare(step, self.precision, part, &bases).launch())?;
        }
        Ok(())
    }

    fn bases(&self, slot: usize) -> Bases {
        Bases {
            constants: self.card.address(&self.constants),
            values: self.card.address(&self.values),
            input: self.card.address(&self.slots[slot].input),
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
        match &self.reader {
            None => pixels_of(batch, self.size).map(drop)?,
            Some(reader) => reader.check_bytes(batch, self.most_bytes)?,
        }
        let mut rows = vec![Vec::new(); self.widths.len()];
        let (mut staging, mut start) = (self.staging()?, 0);
        for ends in batch.ends().chunks(self.batch) {
            let ends: Vec<usize> = ends.iter().map(|end| end - start).collect();
            let bytes = ends.last().copied().unwrap_or(0);
            staging[..bytes].copy_from_slice(&batch.bytes()[start..start + bytes]);
            self.submit(staging, &ends)?;
            let Some(features) = self.collect()? else { unreachable!("one was given") };
            rows.iter_mut().zip(features.rows).for_each(|(rows, more)| rows.extend(more));
            (staging, start) = (features.pixels, start + bytes);
        }
        Ok(rows)
    }
}

fn milliseconds(ms: f32) -> Duration {
    Duration::from_secs_f32(ms.max(0.0) / 1e3)
}
