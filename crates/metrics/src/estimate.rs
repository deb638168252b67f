//! Values with their intervals, of everything that follows from outcomes.

use rayon::prelude::*;

use crate::spreads::Spreads;
use crate::{Interval, Metric, Outcomes};

/// A value and its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Of the rows as they are; `None` where it is undefined.
    pub value: Option<f64>,
    /// `None` where the value is undefined, and where the rows say nothing of what it would be of others.
    pub interval: Option<Interval>,
}

/// Values of `metrics` with their 95 % intervals.
///
/// What they hold is the value of endless rows of which each class has the share that it has here. Every row is as much
/// as one of its class, and no sample is drawn anew: each metric takes a pass or two over the rows.
pub fn estimates(outcomes: &Outcomes, metrics: &[Metric]) -> Vec<Estimate> {
    let spreads = Spreads::new(outcomes);
    metrics.par_iter().map(|&metric| estimate(&spreads, metric)).collect()
}

pub(crate) fn estimate(spreads: &Spreads<'_>, metric: Metric) -> Estimate {
    let value = spreads.tally().value(metric);
    Estimate { value, interval: value.and_then(|_| spreads.interval(metric)) }
}
