//! Inputs are prepared ahead of whoever embeds them.
//!
//! Each lane is a thread that prepares every so-manieth batch, in memory of the embedder's, and has the whole
//! pool of threads do the work: while the last files of one batch are decoded, idle threads begin with the next. This
//! thread gives batches to the embedder, as many as it takes at a time, and collects them in the same order, so that rows
//! come in the data set's. Nobody has to say how many cores decoding needs: whenever the network leaves one idle, it
//! decodes; when decoding is behind, all cores do it (`benches/pipeline.py` measures that nothing waits).
//!
//! [`Ahead`](crate::Ahead) says how many batches of inputs exist at any time, whatever the data set's size. They are made once, and go
//! round. A batch is so many inputs at most; all views of a sample are in one batch, so that its file is read, and
//! decoded, once.

use crate::{
    embedder::{Buffer, Embedded, Embedder},
    job::{File, Job, Known, Reason, Seen},
    times::{Times, timed},
};
use anyhow::{Context, Result};
use input::Noticed;
use rayon::prelude::*;
use std::{
    collections::VecDeque,
    ops::Range,
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Instant,
};

/// What is done with a batch: in the data set's order, and an error ends the run.
pub type Take<'a> = &'a mut dyn FnMut(SampleRun) -> Result<()>;

/// A run of samples after the network.
#[derive(Default)]
pub struct SampleRun {
    /// How many samples it covers, good and bad.
    pub size: usize,
    /// Inputs that the network saw, in the order of samples and views.
    pub good: Vec<Seen>,
    /// Views whose features were there already.
    pub known: Vec<Known>,
    /// Samples that have none, and why.
    pub bad: Vec<(usize, Reason)>,
    /// Samples of which something was noticed.
    pub noticed: Vec<(usize, Noticed)>,
    /// One (good.len(), d) matrix a tap.
    pub features: Vec<Vec<f32>>,
    /// Of the probes, with the first batch after they were asked: one (4, d) matrix a tap.
    pub probes: Option<Vec<Vec<f32>>>,
}

/// Prepares every sample, has the embedder make rows of them, and hands batches over, until it is interrupted.
///
/// # Errors
/// The first error of the embedder or of `take`; nothing more is run then.
pub fn run(embedder: &mut dyn Embedder, job: Job<'_>, take: Take<'_>) -> Result<Times> {
    let (start, before, ahead) = (Instant::now(), embedder.busy(), embedder.ahead());
    let batches = &job.assignment.batches(job.samples, embedder.batch());
    let inputs = |batch: &Range<usize>| -> usize {
        job.samples[batch.clone()].iter().map(|sample| job.assignment.most_of(sample)).sum()
    };
    let most = batches.iter().map(inputs).max().unwrap_or(0);
    let stride = ahead.lanes.min(batches.len());
    let times = thread::scope(|scope| {
        let mut lanes = Vec::new();
        for lane in 0..stride {
            let numbers = (lane..batches.len()).step_by(stride);
            let (sender, prepared) = mpsc::channel();
            let (free, buffers) = mpsc::channel();
            for _ in 0..numbers.len().min(ahead.buffers) {
                // Nobody has closed it yet.
                let _ = free.send(embedder.buffer(lane, most)?);
            }
            let prepare = move || {
                for number in numbers {
                    if job.is_over() {
                        return;
                    }
                    // The other ends are gone when the run has failed: stop quietly.
                    let Ok(buffer) = buffers.recv() else { return };
                    if sender.send(prepare(job, batches[number].clone(), buffer)).is_err() {
                        return;
                    }
                }
            };
            thread::Builder::new().spawn_scoped(scope, prepare).context("cannot start a thread")?;
            lanes.push(Lane { prepared, free });
        }
        Conductor { embedder, lanes, flights: VecDeque::new(), times: Times::default() }
            .run(batches.len(), take)
    })?;
    let cards = embedder.busy().zip(before).map(|(after, before)| after.since(before));
    Ok(Times { all: start.elapsed(), cards, ..times })
}

/// A thread that prepares inputs, from here.
struct Lane {
    prepared: Receiver<Prepared>,
    /// What inputs are prepared into, given back.
    free: Sender<Box<dyn Buffer>>,
}

/// A run of samples before the network.
struct Prepared {
    /// Without features.
    batch: SampleRun,
    /// Its good inputs, one after the other.
    buffer: Box<dyn Buffer>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

/// Gives batches to the embedder, and collects them.
struct Conductor<'a> {
    embedder: &'a mut dyn Embedder,
    lanes: Vec<Lane>,
    /// Batches that the embedder has, with their lanes, in order; their features are still to come.
    flights: VecDeque<(usize, SampleRun)>,
    times: Times,
}

impl Conductor<'_> {
    fn run(mut self, batches: usize, take: Take<'_>) -> Result<Times> {
        for number in 0..batches {
            let lane = number % self.lanes.len();
            // First of all, so that its memory goes back to who prepares inputs.
            let mut done = if self.embedder.is_ready(lane) { None } else { self.collect()? };
            let ready = self.lanes[lane].prepared.try_recv();
            if ready.is_err() {
                // Whoever has to wait for inputs writes meanwhile.
                self.write(done.take(), take)?;
            }
            // A thread that is gone was interrupted, or has panicked, which the scope passes on.
            let receive = |_| timed(&mut self.times.decoding, || self.lanes[lane].prepared.recv());
            let prepared = ready.or_else(receive).ok();
            let goes_on = prepared.is_some();
            if let Some(Prepared { batch, buffer, ends }) = prepared {
                timed(&mut self.times.network, || self.embedder.submit(lane, buffer, ends))?;
                self.flights.push_back((lane, batch));
            }
            // Else while the embedder has enough to do.
            self.write(done, take)?;
            if !goes_on {
                break;
            }
        }
        while let Some(batch) = self.collect()? {
            self.write(Some(batch), take)?;
        }
        Ok(self.times)
    }

    fn write(&mut self, batch: Option<SampleRun>, take: Take<'_>) -> Result<()> {
        batch.map_or(Ok(()), |batch| timed(&mut self.times.writing, || take(batch)))
    }

    /// Waits for the first of the batches that the embedder has.
    fn collect(&mut self) -> Result<Option<SampleRun>> {
        let Some((lane, batch)) = self.flights.pop_front() else { return Ok(None) };
        let embedded = timed(&mut self.times.network, || self.embedder.collect())?;
        let Some(Embedded { rows, probes, buffer }) = embedded else { unreachable!("the embedder has it") };
        // Nobody takes it where that was the last.
        let _ = self.lanes[lane].free.send(buffer);
        Ok(Some(SampleRun { features: rows, probes, ..batch }))
    }
}

/// Prepares some samples, the inputs that can be used one after the other.
fn prepare(job: Job<'_>, range: Range<usize>, mut buffer: Box<dyn Buffer>) -> Prepared {
    let most_bytes = job.recipe.most_bytes();
    let most = |sample: usize| job.assignment.most_of(&job.samples[sample]) * most_bytes;
    let (mut places, mut rest) = (Vec::with_capacity(range.len()), &mut buffer[..]);
    for sample in range.clone() {
        let (place, others) = rest.split_at_mut(most(sample));
        places.push((sample, place));
        rest = others;
    }
    let prepare = |(sample, place): (usize, &mut [u8])| {
        let File { known, prepared, noticed } = job.read(sample)?;
        let put = |((seen, input), place): ((Seen, Vec<u8>), &mut [u8])| {
            place[..input.len()].copy_from_slice(&input);
            (seen, input.len())
        };
        let put: Vec<_> = prepared.into_iter().zip(place.chunks_exact_mut(most_bytes)).map(put).collect();
        Ok((known, put, noticed))
    };
    // One by one: they take long, and some much longer than others.
    let results: Vec<_> = places.into_par_iter().with_max_len(1).map(prepare).collect();
    let mut batch = SampleRun { size: range.len(), ..SampleRun::default() };
    let (mut ends, mut first, mut end) = (Vec::new(), 0, 0);
    for (sample, result) in range.zip(results) {
        match result {
            Ok((known, put, noticed)) => {
                if noticed != Noticed::default() {
                    batch.noticed.push((sample, noticed));
                }
                batch.known.extend(known);
                for (from, (seen, length)) in (first..).step_by(most_bytes).zip(put) {
                    if from != end {
                        buffer.copy_within(from..from + length, end);
                    }
                    end += length;
                    ends.push(end);
                    batch.good.push(seen);
                }
            }
            Err(reason) => batch.bad.push((sample, reason)),
        }
        first += most(sample);
    }
    Prepared { batch, buffer, ends }
}
