//! Decoding overlapped with the network: pictures are prepared ahead by a thread of their own, this one runs them.
//!
//! On the CPU both give their work to the same pool of threads, a picture or a piece of a layer at a time. Nobody has to
//! say how many cores decoding needs: whenever the network leaves one idle, it decodes, up to the batches that may exist;
//! when decoding is behind, all cores do it (`benches/pipeline.py` measures that nothing waits).
//!
//! At most three batches of prepared pictures exist at any time, whatever the data set's size. Cards, to which pictures
//! are copied, have a pipeline of their own, in `cards.rs`.

use crate::times::{Times, timed};
use anyhow::Result;
use artifact::{Digest, Preprocessing};
use dataset::{BadImage, Sample};
use engine::Cpu;
use rayon::prelude::*;
use std::{fs, ops::Range, sync::mpsc, time::Instant};

/// What there is to do.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) samples: &'a [Sample],
    pub(crate) how: &'a Preprocessing,
}

/// What is done with a batch: in the data set's order, and an error ends the run.
pub(crate) type Take<'a> = &'a mut dyn FnMut(Batch) -> Result<()>;

/// A run of samples after the network.
pub(crate) struct Batch {
    /// How many samples it covers, good and bad.
    pub(crate) size: usize,
    /// Samples (indices into the data set, ascending) that have features, and the digests of their files.
    pub(crate) good: Vec<(usize, Digest)>,
    /// Samples that have none, and why.
    pub(crate) bad: Vec<(usize, Reason)>,
    /// One (good.len(), d) matrix a tap.
    pub(crate) features: Vec<Vec<f32>>,
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
    size: usize,
    good: Vec<(usize, Digest)>,
    bad: Vec<(usize, Reason)>,
    /// (good.len(), h, w, 3) RGB bytes.
    pixels: Vec<u8>,
}

/// Prepares every sample, `batch` at a time, runs the network over them, and hands batches over.
///
/// # Errors
/// The first error of the network or of `take`; nothing more is run then.
pub(crate) fn run(cpu: &Cpu, job: Job<'_>, batch: usize, take: Take<'_>) -> Result<Times> {
    let (start, mut times) = (Instant::now(), Times::default());
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for start in (0..job.samples.len()).step_by(batch) {
                let prepared = prepare(job, start..job.samples.len().min(start + batch));
                // The other end is gone when the run has failed: stop quietly.
                if sender.send(prepared).is_err() {
                    return;
                }
            }
        });
        // Moved in here, so that it is gone when the run has failed.
        let receiver = receiver;
        while let Ok(Prepared { size, good, bad, pixels }) = timed(&mut times.decoding, || receiver.recv()) {
            let features = timed(&mut times.network, || cpu.run(&pixels, good.len()))?;
            timed(&mut times.writing, || take(Batch { size, good, bad, features }))?;
        }
        times.all = start.elapsed();
        Ok(times)
    })
}

fn prepare(job: Job<'_>, range: Range<usize>) -> Prepared {
    let size = range.len();
    let results: Vec<_> =
        range.into_par_iter().map(|sample| (sample, read(&job.samples[sample], job.how))).collect();
    let mut prepared = Prepared { size, good: Vec::new(), bad: Vec::new(), pixels: Vec::new() };
    for (sample, result) in results {
        match result {
            Ok((digest, pixels)) => {
                prepared.good.push((sample, digest));
                prepared.pixels.extend(pixels);
            }
            Err(reason) => prepared.bad.push((sample, reason)),
        }
    }
    prepared
}

/// A sample's file, prepared: (h, w, 3) RGB bytes, and the digest of the file.
pub(crate) fn read(sample: &Sample, how: &Preprocessing) -> Result<(Digest, Vec<u8>), Reason> {
    let path = &sample.path;
    // A named pipe would be waited for, and a device read without end.
    if !fs::metadata(path)?.is_file() {
        return Err(Reason::Irregular);
    }
    let bytes = fs::read(path)?;
    let pixels = dataset::load(&bytes, how)?;
    Ok((Digest::of(&bytes), pixels))
}
