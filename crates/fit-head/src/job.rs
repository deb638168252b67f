//! What every kind of head is fitted from, and what all have in common at the end.

use artifact::{Dense, FeatureSet};
use cli::{Interrupt, Session};
use head::{ClassWeights, Examples, Quality, quality};

use crate::config::{Choice, Config};
use crate::method::Method;
use crate::report::Report;
use crate::rows::Rows;

/// What every kind of head is fitted from.
pub(crate) struct Job<'a> {
    pub(crate) rows: &'a Rows<'a>,
    pub(crate) features: &'a FeatureSet,
    pub(crate) choice: &'a Choice,
    pub(crate) class_weights: ClassWeights,
    pub(crate) standardize: bool,
    /// τ: so much of each class's log prior is taken off its logit.
    logit_adjustment: Option<f64>,
    /// Whether it is to be compared with others, and so must do without some rows.
    pub(crate) compare: bool,
    pub(crate) session: &'a Session,
    pub(crate) interrupt: &'a Interrupt,
}

impl<'a> Job<'a> {
    pub(crate) fn new(
        config: &'a Config,
        rows: &'a Rows<'a>,
        features: &'a FeatureSet,
        method: &Method,
        compare: bool,
        session: &'a Session,
        interrupt: &'a Interrupt,
    ) -> anyhow::Result<Job<'a>> {
        Ok(Job {
            rows,
            features,
            choice: config.choice(),
            class_weights: config.class_weight().resolve(features.classes())?,
            // Cosines are those of the features as they are.
            standardize: config.standardize() && !matches!(method, Method::Knn { .. }),
            logit_adjustment: config.logit_adjustment(),
            compare,
            session,
            interrupt,
        })
    }

    /// Begins the record of a fit.
    pub(crate) fn report(&self, head: &str) -> Report {
        Report::new(head, &self.class_weights, self.standardize, self.rows)
    }

    /// The last touch to a head of layers: moves its biases by the classes' frequencies where that was asked for
    /// (Menon et al., 2021, equation 9), and records how it does on the rows that were fitted.
    pub(crate) fn finish(&self, layers: &mut [Dense], train: &Examples<'_>, report: &mut Report) -> Quality {
        if let (Some(tau), Some(last)) = (self.logit_adjustment, layers.last_mut()) {
            for (bias, count) in last.bias.iter_mut().zip(train.counts()) {
                let prior = count as f64 / train.rows() as f64;
                *bias = (f64::from(*bias) - tau * prior.ln()) as f32;
            }
            report.set("logit_adjustment", tau);
        }
        let quality = quality(layers, train);
        report.set_quality("train", quality);
        quality
    }
}
