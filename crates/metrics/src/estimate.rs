//! Intervals of everything that follows from outcomes.

use rayon::prelude::*;

use crate::spreads::Spreads;
use crate::{Estimate, Metric, Outcomes};

/// Values of `metrics` with their intervals. Each takes a pass or two over the rows.
pub fn estimates(outcomes: &Outcomes, metrics: &[Metric]) -> Vec<Estimate> {
    let spreads = Spreads::new(outcomes);
    let estimate = |metric: &Metric| {
        let value = spreads.tally().value(*metric);
        Estimate { value, interval: value.and_then(|_| spreads.interval(*metric)) }
    };
    metrics.par_iter().map(estimate).collect()
}
