//! The network on one card, or on several that share the work.
//!
//! Two threads a card prepare pictures, each every second of the card's batches, straight into memory that the card copies
//! from by itself. Both have the whole pool of threads do the work: while the last pictures of one batch are decoded, idle
//! threads begin with the next. This thread gives batches to the cards in turn, two to each at a time, and collects them
//! in the same order, so that rows come in the data set's.
//!
//! At most four batches of pictures a card exist at any time. They are made once, and go round.
//!
//! **Invariant:** no features come from a card that does not give what the CPU gives for the probes, to the precision's
//! [`tolerance`](Precision::tolerance).

mod check;
#[cfg(feature = "cuda")]
mod open;
#[cfg(test)]
mod tests;

#[cfg(feature = "cuda")]
pub(crate) use open::open;

use crate::{
    pipeline::{Batch, File, Job, Take},
    runner::{Runner, probe_pixels},
    times::{self, Times, timed},
};
use anyhow::{Context, Result, bail};
use artifact::{PROBES, Preprocessing};
use check::{check_alike, check_probes};
use engine::cuda::{Card, Cuda, Features, Precision, Spent};
use rayon::prelude::*;
use std::{
    collections::VecDeque,
    ops::{DerefMut, Range},
    sync::mpsc::{self, Receiver, Sender},
    time::Instant,
};
use weights::Bound;

/// Threads that prepare pictures for a card.
const LANES: usize = 2;
/// Batches of pictures of each.
const BUFFERS: usize = 2;

/// Cards of one kind.
pub(crate) struct Cards<C: Card> {
    cards: Vec<Cuda<C>>,
    batch: usize,
    /// The probes' features, which were checked.
    probes: Vec<Vec<f32>>,
}

/// What cards are to run.
#[derive(Clone, Copy)]
pub(crate) struct Setup<'a> {
    pub(crate) bound: &'a Bound,
    pub(crate) taps: &'a [&'a str],
    pub(crate) how: &'a Preprocessing,
    pub(crate) precision: Precision,
    pub(crate) batch: Option<usize>,
}

impl<C: Card> Cards<C> {
    /// Compiles the network for every one of the cards, which are named as users name them, and has each run the probes,
    /// whose features `reference` gives: one (4, d) matrix a tap.
    ///
    /// # Errors
    /// Where the cards are not alike, one of them cannot run the network, or its features are not those of `reference`.
    pub(crate) fn new(
        cards: Vec<(String, C)>,
        setup: Setup<'_>,
        reference: impl FnOnce() -> Result<Vec<Vec<f32>>> + Send,
    ) -> Result<Cards<C>> {
        let Setup { bound, taps, how, precision, batch } = setup;
        let descriptions = cards.iter().map(|(name, card)| (name.as_str(), card.description()));
        check_alike(&descriptions.collect::<Vec<_>>())?;
        let mut expected = None;
        // The CPU gets ready, and runs the probes, beside the cards.
        let compiled = rayon::in_place_scope(|scope| {
            scope.spawn(|_| expected = Some(reference()));
            let compile = |(name, card)| Ok((name, Cuda::new(card, bound.clone(), how, precision, batch)?));
            cards.into_iter().map(compile).collect::<Result<Vec<(String, Cuda<C>)>>>()
        })?;
        let expected = expected.expect("the scope waits for what it spawned")?;
        let pixels = probe_pixels(how);
        let (mut cards, mut probes) = (Vec::new(), Vec::new());
        for (name, mut card) in compiled {
            probes = card.run(&pixels, PROBES)?;
            let kind = &card.card().description().name;
            check_probes(&format!("{name} ({kind})"), taps, &expected, &probes, precision)?;
            cards.push(card);
        }
        let revision = cards[0].revision();
        if let Some(other) = cards.iter().map(Cuda::revision).find(|other| *other != revision) {
            bail!("the cards run {revision} and {other}, whose bits differ; name one of them");
        }
        let batch = cards.iter().map(Cuda::batch).min().unwrap_or(1);
        Ok(Cards { cards, batch, probes })
    }

    /// What all cards together were busy with so far.
    fn spent(&self) -> Spent {
        self.cards.iter().map(Cuda::spent).fold(Spent::default(), |sum, spent| Spent {
            copies: sum.copies + spent.copies,
            kernels: sum.kernels + spent.kernels,
        })
    }
}

impl<C: Card + 'static> Runner for Cards<C> {
    fn revision(&self) -> String {
        self.cards[0].revision()
    }

    fn batch(&self) -> usize {
        self.batch
    }

    fn widths(&self) -> &[usize] {
        self.cards[0].widths()
    }

    fn probes(&self) -> Result<Vec<Vec<f32>>> {
        Ok(self.probes.clone())
    }

    fn run(&mut self, job: Job<'_>, take: Take<'_>) -> Result<Times> {
        let (start, before, count) = (Instant::now(), self.spent(), self.cards.len());
        if job.shares.most() > self.batch {
            bail!(
                "the card takes {} pictures at a time, fewer than a sample has views; use fewer --views, or --device cpu",
                self.batch
            );
        }
        let all = &job.shares.batches(job.samples, self.batch);
        let batches = all.len();
        let stride = (LANES * count).min(batches);
        let times = std::thread::scope(|scope| {
            let mut lanes = Vec::new();
            for first in 0..stride {
                // Those of a lane all go to one card: lanes are as many as all batches, or a multiple of the cards.
                let numbers = (first..batches).step_by(stride);
                let (sender, prepared) = mpsc::channel();
                let (free, buffers) = mpsc::channel();
                for _ in 0..numbers.len().min(BUFFERS) {
                    // Nobody has closed it yet.
                    let _ = free.send(self.cards[first % count].staging()?);
                }
                let ahead = move || {
                    for number in numbers {
                        if job.interrupt.asked() {
                            return;
                        }
                        // The other ends are gone when the run has failed: stop quietly.
                        let Ok(pixels) = buffers.recv() else { return };
                        if sender.send(prepare(job, all[number].clone(), pixels)).is_err() {
                            return;
                        }
                    }
                };
                std::thread::Builder::new().spawn_scoped(scope, ahead).context("cannot start a thread")?;
                lanes.push(Lane { prepared, free });
            }
            let cards = &mut self.cards;
            Conductor { cards, lanes, flights: VecDeque::new(), times: Times::default() }.run(batches, take)
        })?;
        let after = self.spent();
        let spent = Spent { copies: after.copies - before.copies, kernels: after.kernels - before.kernels };
        Ok(Times { all: start.elapsed(), cards: Some(times::Cards { count, spent }), ..times })
    }
}

/// A thread that prepares pictures, from here.
struct Lane<S> {
    prepared: Receiver<Prepared<S>>,
    /// What pictures are prepared into, given back.
    free: Sender<S>,
}

/// A run of samples before the network.
struct Prepared<S> {
    /// Without features.
    batch: Batch,
    /// (batch.good.len(), h, w, 3) RGB bytes at its beginning.
    pixels: S,
}

/// Gives batches to the cards, and collects them.
struct Conductor<'a, C: Card> {
    cards: &'a mut [Cuda<C>],
    lanes: Vec<Lane<C::Staging>>,
    /// Batches that the cards have, by number, in order; their features are still to come.
    flights: VecDeque<(usize, Batch)>,
    times: Times,
}

impl<C: Card> Conductor<'_, C> {
    fn run(mut self, batches: usize, take: Take<'_>) -> Result<Times> {
        for number in 0..batches {
            let card = number % self.cards.len();
            // First of all, so that its memory goes back to who prepares pictures.
            let done = if self.cards[card].is_ready() { None } else { self.collect()? };
            let lane = &self.lanes[number % self.lanes.len()];
            // A thread that is gone was interrupted, or has panicked, which the scope passes on.
            let prepared = timed(&mut self.times.decoding, || lane.prepared.recv()).ok();
            let goes_on = prepared.is_some();
            if let Some(Prepared { batch, pixels }) = prepared {
                let good = batch.good.len();
                timed(&mut self.times.network, || self.cards[card].submit(pixels, good))?;
                self.flights.push_back((number, batch));
            }
            // Written while the cards have enough to do.
            if let Some(batch) = done {
                timed(&mut self.times.writing, || take(batch))?;
            }
            if !goes_on {
                break;
            }
        }
        while let Some(batch) = self.collect()? {
            timed(&mut self.times.writing, || take(batch))?;
        }
        Ok(self.times)
    }

    /// Waits for the first of the batches that the cards have.
    fn collect(&mut self) -> Result<Option<Batch>> {
        let Some((number, batch)) = self.flights.pop_front() else { return Ok(None) };
        let card = number % self.cards.len();
        let features = timed(&mut self.times.network, || self.cards[card].collect())?;
        let Some(Features { rows, pixels }) = features else { unreachable!("the card has it") };
        // Nobody takes it where that was the last.
        let _ = self.lanes[number % self.lanes.len()].free.send(pixels);
        Ok(Some(Batch { features: rows, ..batch }))
    }
}

/// Prepares some samples, those pictures that can be used one after the other.
fn prepare<S>(job: Job<'_>, range: Range<usize>, mut pixels: S) -> Prepared<S>
where
    S: DerefMut<Target = [u8]>,
{
    let (height, width) = job.how.output_size().unwrap_or_default();
    let picture = height as usize * width as usize * 3;
    let most = |sample: usize| job.shares.most_of(&job.samples[sample]);
    let (mut places, mut rest) = (Vec::with_capacity(range.len()), &mut pixels[..]);
    for sample in range.clone() {
        let (place, others) = rest.split_at_mut(most(sample) * picture);
        places.push((sample, place));
        rest = others;
    }
    let prepare = |(sample, place): (usize, &mut [u8])| {
        let mut file = job.read(sample)?;
        for ((_, pixels), place) in file.prepared.iter_mut().zip(place.chunks_exact_mut(picture)) {
            place.copy_from_slice(&std::mem::take(pixels));
        }
        Ok(file)
    };
    // One by one: they take long, and some much longer than others.
    let results: Vec<_> = places.into_par_iter().with_max_len(1).map(prepare).collect();
    let mut batch = Batch { size: range.len(), ..Batch::default() };
    let mut first = 0;
    for (sample, result) in range.zip(results) {
        match result {
            Ok(File { known, prepared, noticed }) => {
                batch.notice(sample, noticed);
                batch.known.extend(known);
                for (from, (seen, _)) in (first..).zip(prepared) {
                    let to = batch.good.len();
                    if from != to {
                        pixels.copy_within(from * picture..(from + 1) * picture, to * picture);
                    }
                    batch.good.push(seen);
                }
            }
            Err(reason) => batch.bad.push((sample, reason)),
        }
        first += most(sample);
    }
    Prepared { batch, pixels }
}
