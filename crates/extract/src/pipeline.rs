//! Decoding overlapped with the network: pictures are prepared ahead by a thread of their own, this one runs them.
//!
//! On the CPU both give their work to the same pool of threads, a picture or a piece of a layer at a time. Nobody has to
//! say how many cores decoding needs: whenever the network leaves one idle, it decodes, up to the batches that may exist;
//! when decoding is behind, all cores do it (`benches/pipeline.py` measures that nothing waits).
//!
//! At most three batches of prepared pictures exist at any time, whatever the data set's size. Cards, to which pictures
//! are copied, have a pipeline of their own, in `cards.rs`.

use crate::{
    reuse::Reuse,
    times::{Times, timed},
};
use anyhow::Result;
use artifact::{Digest, Preprocessing};
use cli::Interrupt;
use dataset::{BadImage, Sample};
use engine::Cpu;
use rayon::prelude::*;
use std::{fs, ops::Range, sync::mpsc, time::Instant};

/// What there is to do.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) samples: &'a [Sample],
    pub(crate) how: &'a Preprocessing,
    /// Rows that need not be computed.
    pub(crate) reuse: &'a Reuse,
    /// Once it is asked, no batch is begun any more; those that were are run to their end.
    pub(crate) interrupt: &'a Interrupt,
}

/// What is done with a batch: in the data set's order, and an error ends the run.
pub(crate) type Take<'a> = &'a mut dyn FnMut(Batch) -> Result<()>;

/// A run of samples after the network.
#[derive(Default)]
pub(crate) struct Batch {
    /// How many samples it covers, good and bad.
    pub(crate) size: usize,
    /// Samples (indices into the data set, ascending) that the network saw, and the digests of their files.
    pub(crate) good: Vec<(usize, Digest)>,
    /// Samples whose features were there already.
    pub(crate) known: Vec<Known>,
    /// Samples that have none, and why.
    pub(crate) bad: Vec<(usize, Reason)>,
    /// One (good.len(), d) matrix a tap.
    pub(crate) features: Vec<Vec<f32>>,
}

/// A sample whose features were there already.
pub(crate) struct Known {
    pub(crate) sample: usize,
    pub(crate) content: Digest,
    /// (d,) of each tap.
    pub(crate) features: Vec<Vec<f32>>,
}

/// A sample's file.
pub(crate) enum File {
    /// With the features that such a file has.
    Known(Digest, Vec<Vec<f32>>),
    /// Prepared: (h, w, 3) RGB bytes.
    Prepared(Digest, Vec<u8>),
}

/// Why a sample has no features.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error("is not a regular file")]
    Irregular,
    #[error(transparent)]
    Bad(#[from] BadImage),
}

/// A run of samples before the network.
struct Prepared {
    /// Without features.
    batch: Batch,
    /// (batch.good.len(), h, w, 3) RGB bytes.
    pixels: Vec<u8>,
}

/// Prepares every sample, `batch` at a time, runs the network over them, and hands batches over, until it is interrupted.
///
/// # Errors
/// The first error of the network or of `take`; nothing more is run then.
pub(crate) fn run(cpu: &Cpu, job: Job<'_>, batch: usize, take: Take<'_>) -> Result<Times> {
    let (start, mut times) = (Instant::now(), Times::default());
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for start in (0..job.samples.len()).step_by(batch) {
                if job.interrupt.asked() {
                    return;
                }
                let prepared = prepare(job, start..job.samples.len().min(start + batch));
                // The other end is gone when the run has failed: stop quietly.
                if sender.send(prepared).is_err() {
                    return;
                }
            }
        });
        // Moved in here, so that it is gone when the run has failed.
        let receiver = receiver;
        while let Ok(Prepared { batch, pixels }) = timed(&mut times.decoding, || receiver.recv()) {
            let features = timed(&mut times.network, || cpu.run(&pixels, batch.good.len()))?;
            timed(&mut times.writing, || take(Batch { features, ..batch }))?;
        }
        times.all = start.elapsed();
        Ok(times)
    })
}

fn prepare(job: Job<'_>, range: Range<usize>) -> Prepared {
    let mut batch = Batch { size: range.len(), ..Batch::default() };
    let mut all_pixels = Vec::new();
    let results: Vec<_> = range.into_par_iter().map(|sample| (sample, job.read(sample))).collect();
    for (sample, result) in results {
        match result {
            Ok(File::Prepared(content, pixels)) => {
                batch.good.push((sample, content));
                all_pixels.extend(pixels);
            }
            Ok(File::Known(content, features)) => batch.known.push(Known { sample, content, features }),
            Err(reason) => batch.bad.push((sample, reason)),
        }
    }
    Prepared { batch, pixels: all_pixels }
}

impl Job<'_> {
    /// Reads a sample's file, and prepares it unless its features are known.
    pub(crate) fn read(&self, sample: usize) -> Result<File, Reason> {
        let path = &self.samples[sample].path;
        // A named pipe would be waited for, and a device read without end.
        if !fs::metadata(path)?.is_file() {
            return Err(Reason::Irregular);
        }
        let bytes = fs::read(path)?;
        let content = Digest::of(&bytes);
        if let Some(features) = self.reuse.features(&content) {
            return Ok(File::Known(content, features));
        }
        Ok(File::Prepared(content, dataset::load(&bytes, self.how)?))
    }
}
