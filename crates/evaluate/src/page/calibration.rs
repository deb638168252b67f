//! Whether confidences mean what they say, and what declining to answer would bring.

use metrics::Binning;
use report::{Bin, Calibration, Estimate, Histogram, Reject};

use super::Material;
use crate::measured::TaskOutcomes;

/// Points of the curve of coverage.
const POINTS: usize = 100;
/// Bins of the histogram of confidences.
const BINS: usize = 20;

/// Of classes alone.
pub(super) fn of(material: &Material<'_>) -> Option<Calibration> {
    let TaskOutcomes::Classes(outcomes) = &material.scores.measured else { return None };
    let (rows, tally) = (outcomes.each(), outcomes.tally());
    let bins = |binning| {
        let filled = tally.bins(binning).reliability().into_iter().filter(|bin| bin.rows > 0);
        filled
            .map(|bin| {
                let right = (bin.accuracy * bin.rows as f64).round() as u64;
                let interval = metrics::proportion(right, bin.rows).map(|i| [i.low, i.high]);
                Bin {
                    low: bin.low,
                    high: bin.high,
                    confidence: bin.confidence,
                    accuracy: Estimate { value: bin.accuracy, interval },
                    count: bin.rows,
                }
            })
            .collect()
    };
    let mut histogram = Histogram { right: vec![0; BINS], wrong: vec![0; BINS] };
    let pairs = rows.confidences().iter().zip(rows.labels().iter().zip(rows.predicted()));
    for (confidence, (label, predicted)) in pairs {
        let bin = ((confidence * BINS as f64) as usize).min(BINS - 1);
        let side = if label == predicted { &mut histogram.right } else { &mut histogram.wrong };
        side[bin] += 1;
    }
    let points = outcomes.rejection_curve(POINTS);
    Some(Calibration {
        equal_width: bins(Binning::EqualWidth),
        equal_mass: bins(Binning::EqualMass),
        histogram: Some(histogram),
        reject: Some(Reject {
            coverage: points.iter().map(|point| point.coverage as f32).collect(),
            accuracy: points.iter().map(|point| (1.0 - point.risk) as f32).collect(),
            threshold: points.iter().map(|point| point.threshold as f32).collect(),
        }),
    })
}
