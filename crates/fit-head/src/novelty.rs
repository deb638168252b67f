//! `--novelty-at`: how far rows are from all that was fitted on, and how far is too far.

use artifact::{FeatureSet, Novelty};
use head::fit_novelty;

use crate::Config;
use crate::held_out::Held;
use crate::report::Report;
use crate::rows::Rows;

/// Fits it where that is asked for and records it; gives what to say in the last line, too.
pub(crate) fn fit(
    config: &Config,
    rows: &Rows<'_>,
    features: &FeatureSet,
    report: &mut Report,
) -> anyhow::Result<Option<(Novelty, String)>> {
    let Some(part) = config.novelty_at() else { return Ok(None) };
    let held = Held::of(config.choice(), rows, features)?;
    let novelty = fit_novelty(&rows.train.examples()?, held.rows(), part)?;
    report.set("novelty_at", part);
    report.set("novelty_threshold", novelty.threshold);
    report.set("novelty_held_out", held.name());
    let line =
        format!(", {:.1} % of held-out rows within a distance of {:.3}", 100.0 * part, novelty.threshold);
    Ok(Some((novelty, line)))
}
