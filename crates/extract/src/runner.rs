//! What runs a network: the CPU, or cards.

use crate::{
    pipeline::{Job, Take},
    times::Times,
};
use anyhow::Result;
use artifact::{PROBES, Preprocessing};

/// What runs a network, whose outputs are the taps.
pub(crate) trait Runner {
    /// What names it in artefacts.
    fn revision(&self) -> String;

    /// Pictures of a batch.
    fn batch(&self) -> usize;

    /// d of each tap.
    fn widths(&self) -> &[usize];

    /// The probes' features, one (4, d) matrix a tap.
    fn probes(&self) -> Result<Vec<Vec<f32>>>;

    /// Prepares all samples, runs the network over them, and hands batches over in their order.
    fn run(&mut self, job: Job<'_>, take: Take<'_>) -> Result<Times>;
}

/// The four probes, prepared.
pub(crate) fn probe_pixels(how: &Preprocessing) -> Vec<u8> {
    (0..PROBES).flat_map(|k| dataset::prepare(&dataset::probe(k), how)).collect()
}
