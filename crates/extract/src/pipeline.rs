//! Decoding overlapped with the network: pictures are prepared ahead by a thread of their own, this one runs them.
//!
//! On the CPU both give their work to the same pool of threads, a picture or a piece of a layer at a time. Nobody has to
//! say how many cores decoding needs: whenever the network leaves one idle, it decodes, up to the batches that may exist;
//! when decoding is behind, all cores do it (`benches/pipeline.py` measures that nothing waits).
//!
//! At most three batches of prepared pictures exist at any time, whatever the data set's size. Cards, to which pictures
//! are copied, have a pipeline of their own, in `cards.rs`. A batch is so many pictures at most; all views of a sample are
//! in one batch, so that its file is read, and decoded, once.

use crate::{
    reuse::{Content, Reuse},
    times::{Times, timed},
    views::Shares,
};
use anyhow::{Context, Result};
use artifact::{MOST_PICTURE, Preprocessing, read_file};
use cli::Interrupt;
use dataset::{BadImage, Loaded, Noticed, Sample};
use engine::Cpu;
use rayon::prelude::*;
use std::{ops::Range, sync::mpsc, thread, time::Instant};

/// What there is to do.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) samples: &'a [Sample],
    pub(crate) how: &'a Preprocessing,
    /// Which views each of them has.
    pub(crate) shares: &'a Shares,
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
    /// Pictures that the network saw, in the order of samples and views.
    pub(crate) good: Vec<Seen>,
    /// Pictures whose features were there already.
    pub(crate) known: Vec<Known>,
    /// Samples that have none, and why.
    pub(crate) bad: Vec<(usize, Reason)>,
    /// Samples of which something was noticed.
    pub(crate) noticed: Vec<(usize, Noticed)>,
    /// One (good.len(), d) matrix a tap.
    pub(crate) features: Vec<Vec<f32>>,
}

impl Batch {
    pub(crate) fn notice(&mut self, sample: usize, noticed: Noticed) {
        if noticed != Noticed::default() {
            self.noticed.push((sample, noticed));
        }
    }
}

/// A view of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// An index into the data set.
    pub(crate) sample: usize,
    pub(crate) view: u32,
    /// Its file's.
    pub(crate) content: Content,
}

/// A view whose features were there already.
pub(crate) struct Known {
    pub(crate) seen: Seen,
    /// (d,) of each tap.
    pub(crate) features: Vec<Vec<f32>>,
}

/// A sample's file: all of its views, some of which need not be run.
pub(crate) struct File {
    pub(crate) known: Vec<Known>,
    /// The others, prepared: (h, w, 3) RGB bytes each.
    pub(crate) prepared: Vec<(Seen, Vec<u8>)>,
    /// What was noticed of it, if it was decoded.
    pub(crate) noticed: Noticed,
}

/// Why a sample has no features.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
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

/// Prepares every sample, `batch` pictures at a time, runs the network over them, and hands batches over, until it is interrupted.
///
/// # Errors
/// The first error of the network or of `take`; nothing more is run then.
pub(crate) fn run(cpu: &Cpu, job: Job<'_>, batch: usize, take: Take<'_>) -> Result<Times> {
    let (start, mut times) = (Instant::now(), Times::default());
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::scope(|scope| {
        let ahead = move || {
            for samples in job.shares.batches(job.samples, batch) {
                if job.interrupt.asked() {
                    return;
                }
                let prepared = prepare(job, samples);
                // The other end is gone when the run has failed: stop quietly.
                if sender.send(prepared).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().spawn_scoped(scope, ahead).context("cannot start a thread")?;
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
            Ok(File { known, prepared, noticed }) => {
                batch.notice(sample, noticed);
                batch.known.extend(known);
                for (seen, pixels) in prepared {
                    batch.good.push(seen);
                    all_pixels.extend(pixels);
                }
            }
            Err(reason) => batch.bad.push((sample, reason)),
        }
    }
    Prepared { batch, pixels: all_pixels }
}

impl Job<'_> {
    /// Reads a sample's file, and prepares those of its views whose features are not known.
    pub(crate) fn read(&self, at: usize) -> Result<File, Reason> {
        let sample = &self.samples[at];
        let bytes = read_file(&sample.path, MOST_PICTURE).map_err(|error| error.source)?;
        let content = Content::of(&bytes);
        let (mut known, mut missing) = (Vec::new(), Vec::new());
        for view in 0..self.shares.views_of(sample, &content.digest) {
            let seen = Seen { sample: at, view, content };
            match self.reuse.features(&content, view) {
                Some(features) => known.push(Known { seen, features }),
                None => missing.push(seen),
            }
        }
        let (pixels, noticed) = match (&self.shares.views, &missing[..]) {
            (_, []) => Default::default(),
            (None, _) => {
                let Loaded { pixels, noticed } = dataset::load(&bytes, self.how)?;
                (vec![pixels], noticed)
            }
            (Some(views), _) => {
                let wanted: Vec<u32> = missing.iter().map(|seen| seen.view).collect();
                dataset::load_views(&bytes, &content.digest, self.how, views, &wanted)?
            }
        };
        Ok(File { known, prepared: missing.into_iter().zip(pixels).collect(), noticed })
    }
}
