//! `--report`: what the table says, and what the data look like, as one page.

mod classes;
mod curves;
mod fit;
mod galleries;
mod lineage;
mod summary;
mod targets;
mod thumbnails;

use anyhow::Context;
use artifact::{FeatureSet, Head, Rows as _, Split};
use metrics::Binning;
use report::{Bin, Calibration, Confusion, Estimate, Histogram, Map, Page, Reject, Samples};
use review::map;

use crate::Config;
use crate::baseline::Comparison;
use crate::findings::Findings;
use crate::scores::SplitScores;
use crate::table::Row;

pub(crate) use targets::TargetsMaterial;

/// Points of the curve of coverage.
const POINTS: usize = 100;
/// Bins of the histogram of confidences.
const BINS: usize = 20;

/// What a page is made of.
pub(crate) struct Material<'a> {
    pub(crate) config: &'a Config,
    pub(crate) features: &'a FeatureSet,
    pub(crate) head: &'a Head,
    pub(crate) scores: &'a SplitScores<'a>,
    pub(crate) rows: &'a [Row],
    pub(crate) comparison: Option<&'a Comparison>,
    pub(crate) findings: &'a Findings,
}

/// The split that a page is about, of those scored: test, else val, else train.
pub(crate) fn split_of<'a, 'b>(scores: &'a [SplitScores<'b>]) -> Option<(usize, &'a SplitScores<'b>)> {
    [Split::Test, Split::Val, Split::Train]
        .iter()
        .find_map(|split| scores.iter().enumerate().find(|(_, scores)| scores.split == *split))
}

impl Material<'_> {
    /// The page's bytes, and how many of its pictures could not be read.
    pub(crate) fn render(&self) -> anyhow::Result<(String, usize)> {
        let mut page = Page {
            summary: summary::of(self),
            classes: self.features.classes().to_vec(),
            samples: Some(self.samples()),
            calibration: Some(self.calibration()),
            curves: Some(curves::of(self)),
            class_table: Some(classes::table(self)),
            learning: fit::learning(self.head),
            sweep: fit::sweep(self.head),
            mistakes: galleries::mistakes(self),
            mislabels: galleries::mislabels(self),
            duplicates: galleries::duplicates(self),
            map: Some(self.map()?),
            slices: classes::slices(self),
            lineage: lineage::of(self.features, self.head),
            ..Page::default()
        };
        page.confusion = page.samples.as_ref().map(Confusion::of);
        let unread = thumbnails::add(&mut page, self.config.images(), self.features.grey16())?;
        page.check().context("cannot set the report")?;
        Ok((report::render(&page), unread))
    }

    fn samples(&self) -> Samples {
        let outcomes = &self.scores.outcomes;
        Samples {
            ids: (0..outcomes.rows())
                .map(|at| self.features.id(self.scores.rows.row(at)).to_owned())
                .collect(),
            truth: outcomes.labels().to_vec(),
            predicted: outcomes.predicted().to_vec(),
            confidence: outcomes.confidences().iter().map(|&p| p as f32).collect(),
        }
    }

    fn calibration(&self) -> Calibration {
        let outcomes = &self.scores.outcomes;
        let tally = outcomes.tally();
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
        let rows = outcomes.confidences().iter().zip(outcomes.labels().iter().zip(outcomes.predicted()));
        for (confidence, (label, predicted)) in rows {
            let bin = ((confidence * BINS as f64) as usize).min(BINS - 1);
            let side = if label == predicted { &mut histogram.right } else { &mut histogram.wrong };
            side[bin] += 1;
        }
        let points = outcomes.rejection_curve(POINTS);
        Calibration {
            equal_width: bins(Binning::EqualWidth),
            equal_mass: bins(Binning::EqualMass),
            histogram: Some(histogram),
            reject: Some(Reject {
                coverage: points.iter().map(|point| point.coverage as f32).collect(),
                accuracy: points.iter().map(|point| (1.0 - point.risk) as f32).collect(),
                threshold: points.iter().map(|point| point.threshold as f32).collect(),
            }),
        }
    }

    fn map(&self) -> anyhow::Result<Map> {
        let points = map(&self.scores.rows)?;
        let axis = |at: usize| points.iter().skip(at).step_by(2).copied().collect();
        debug_assert_eq!(points.len(), 2 * self.scores.rows.len());
        Ok(Map {
            method: "t-SNE of the leading 50 principal components: near points are alike, distances between \
                     groups and axes mean nothing"
                .to_owned(),
            rows: Vec::new(),
            x: axis(0),
            y: axis(1),
        })
    }
}

/// A value of the table; not a number where it is undefined, which the page shows as a dash.
fn estimate(row: &Row) -> Estimate {
    Estimate {
        value: row.value.unwrap_or(f64::NAN),
        interval: row.interval.map(|interval| [interval.low, interval.high]),
    }
}
