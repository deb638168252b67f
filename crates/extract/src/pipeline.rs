//! Decoding overlapped with the network: one thread hands out batches to prepare ahead, this one runs them.
//!
//! Both give their work to the same pool of threads, a picture or a piece of a layer at a time. Nobody has to say how
//! many cores decoding needs: whenever the network leaves one idle, it decodes, up to the batches that may exist; when
//! decoding is behind, all cores do it (`benches/pipeline.py` measures that nothing waits).
//!
//! At most three batches of prepared pictures exist at any time, whatever the data set's size.

use crate::{backbone::Backbone, config::Config};
use anyhow::Result;
use artifact::{Digest, Preprocessing};
use dataset::{BadImage, DataSet, Sample};
use rayon::prelude::*;
use std::{fs, ops::Range, sync::mpsc};

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

/// Prepares every sample, runs the network over them, and hands batches over in the data set's order.
///
/// # Errors
/// The first error of the network or of `take`; nothing more is run then.
pub(crate) fn run(
    data: &DataSet,
    config: &Config,
    backbone: &Backbone,
    mut take: impl FnMut(Batch) -> Result<()>,
) -> Result<()> {
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for start in (0..data.samples.len()).step_by(config.batch()) {
                let range = start..data.samples.len().min(start + config.batch());
                let prepared = prepare(&data.samples, range, config.preprocessing());
                // The other end is gone when the run has failed: stop quietly.
                if sender.send(prepared).is_err() {
                    return;
                }
            }
        });
        for Prepared { size, good, bad, pixels } in receiver {
            let features = backbone.run(&pixels, good.len())?;
            take(Batch { size, good, bad, features })?;
        }
        Ok(())
    })
}

fn prepare(samples: &[Sample], range: Range<usize>, how: &Preprocessing) -> Prepared {
    let size = range.len();
    let each = |sample: usize| {
        let path = &samples[sample].path;
        // A named pipe would be waited for, and a device read without end.
        if !fs::metadata(path)?.is_file() {
            return Err(Reason::Irregular);
        }
        let bytes = fs::read(path)?;
        let pixels = dataset::load(&bytes, how)?;
        Ok::<_, Reason>((Digest::of(&bytes), pixels))
    };
    let results: Vec<_> = range.into_par_iter().map(|sample| (sample, each(sample))).collect();
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
