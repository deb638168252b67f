//! `--report`: what the table says, and what the data look like, as one page.

mod calibration;
mod curves;
mod fit;
mod galleries;
mod lineage;
mod outputs;
mod summary;
mod texts;
mod thumbnails;
mod values;

use anyhow::Context;
use features::{FeatureSet, Rows as _};
use head::Head;
use report::{Confusion, Estimate, Map, Page, Samples};
use review::map;
use sample::targets::Task;

use crate::{
    Config, baseline::Comparison, findings::Findings, measured::TaskOutcomes, scores::SplitScores, table::Row,
};

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

impl Material<'_> {
    /// The page's bytes, and how many of its pictures or texts could not be read.
    pub(crate) fn render(&self) -> anyhow::Result<(String, usize)> {
        let mut page = Page {
            summary: summary::of(self),
            classes: self.head.classes.clone(),
            outputs: match self.head.task() {
                Task::Class => report::Outputs::Class,
                Task::Labels => report::Outputs::Label,
                Task::Numbers => report::Outputs::Number,
            },
            samples: self.samples(),
            values: values::of(self),
            calibration: calibration::of(self),
            curves: curves::of(self),
            class_table: Some(outputs::table(self)),
            learning: fit::learning(self.head),
            sweep: fit::sweep(self.head),
            mistakes: galleries::mistakes(self),
            mislabels: galleries::mislabels(self),
            duplicates: galleries::duplicates(self),
            map: Some(self.map()?),
            slices: outputs::slices(self),
            lineage: lineage::of(self.features, self.head),
            ..Page::default()
        };
        page.confusion = page.samples.as_ref().map(Confusion::of);
        let unread = thumbnails::add(&mut page, self.config.images(), &self.features.recipe())?
            + texts::add(&mut page, self.config.texts())?;
        page.check().context("cannot set the report")?;
        Ok((report::render(&page), unread))
    }

    fn samples(&self) -> Option<Samples> {
        let TaskOutcomes::Classes(outcomes) = &self.scores.measured else { return None };
        let rows = outcomes.each();
        Some(Samples {
            ids: (0..rows.rows()).map(|at| self.features.id(self.scores.rows.row(at)).to_owned()).collect(),
            truth: rows.labels().to_vec(),
            predicted: rows.predicted().to_vec(),
            confidence: rows.confidences().iter().map(|&p| p as f32).collect(),
        })
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
    of_estimate(metrics::Estimate { value: row.value, interval: row.interval })
}

/// The same of a value by itself.
fn of_estimate(found: metrics::Estimate) -> Estimate {
    Estimate {
        value: found.value.unwrap_or(f64::NAN),
        interval: found.interval.map(|interval| [interval.low, interval.high]),
    }
}

/// The axis that a metric is drawn on.
fn scale(scale: metrics::Scale) -> report::Scale {
    match scale {
        metrics::Scale::Share => report::Scale::Share,
        metrics::Scale::Correlation => report::Scale::Correlation,
        metrics::Scale::Loss | metrics::Scale::Count => report::Scale::Loss,
    }
}
