//! `--novelty-at`: how far rows are from all that was fitted on, and how far is too far.

use head::{Novelty, fit_novelty};

use crate::{job::Job, record::Record};

/// Fits it so that the `part` of held-out rows is not novel, and records it; gives what to say in the last line, too.
pub(crate) fn fit(part: f64, job: &Job<'_>, record: &mut Record) -> anyhow::Result<(Novelty, String)> {
    let held = job.held_out()?;
    let novelty = fit_novelty(&job.rows.train.examples()?, held.rows(), part)?;
    record.set("novelty_at", part);
    record.set("novelty_threshold", novelty.threshold);
    record.set("novelty_held_out", held.name());
    let line =
        format!(", {:.1} % of held-out rows within a distance of {:.3}", 100.0 * part, novelty.threshold);
    Ok((novelty, line))
}
