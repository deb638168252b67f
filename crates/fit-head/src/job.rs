//! What every kind of head is fitted from.

use cli::{Interrupt, Session};
use features::FeatureSet;
use head::{ClassWeights, Examples, Folds, Quality, TargetScaler};
use sample::targets::Task;
use store::table::SampleTable;
use weights::Dense;

use crate::{
    config::{Choice, Config},
    fit::describe,
    held_out::{FOLDS, Held, folds},
    rows::{Read, Rows},
};

/// What every kind of head is fitted from.
pub(crate) struct Job<'a> {
    pub(crate) rows: &'a Rows<'a>,
    pub(crate) features: &'a FeatureSet,
    pub(crate) choice: &'a Choice,
    /// The manifest, where there is one.
    pub(crate) manifest: Option<&'a SampleTable>,
    pub(crate) class_weights: ClassWeights,
    pub(crate) standardize: bool,
    /// τ: so much of each class's log prior is taken off its logit.
    pub(crate) logit_adjustment: Option<f64>,
    /// Whether it is to be compared with others, and so must do without some rows.
    pub(crate) compare: bool,
    pub(crate) session: &'a Session,
    pub(crate) interrupt: &'a Interrupt,
}

impl<'a> Job<'a> {
    /// On `rows` of `features`, alone.
    pub(crate) fn new(
        config: &'a Config,
        read: &'a Read,
        rows: &'a Rows<'a>,
        features: &'a FeatureSet,
        session: &'a Session,
        interrupt: &'a Interrupt,
    ) -> anyhow::Result<Job<'a>> {
        Ok(Job {
            rows,
            features,
            choice: config.choice(),
            manifest: read.manifest.as_ref(),
            class_weights: config.class_weight().resolve(&read.names)?,
            standardize: config.standardize(),
            logit_adjustment: config.logit_adjustment(),
            compare: false,
            session,
            interrupt,
        })
    }

    /// What the head is to say.
    pub(crate) fn task(&self) -> Task {
        self.rows.train.truth.task()
    }

    /// The scale that the truth of the train rows has while heads are fitted.
    pub(crate) fn scaler(&self) -> anyhow::Result<TargetScaler> {
        Ok(TargetScaler::of(&self.rows.train.examples()?))
    }

    /// The val rows where there are any, unless folds are asked for; else folds of the train rows.
    pub(crate) fn held_out(&self) -> anyhow::Result<Held<'a>> {
        match &self.rows.val {
            Some(val) if !self.choice.asks_for_folds() => Ok(Held::Val(val.examples()?)),
            _ => Ok(Held::Folds(self.folds(FOLDS)?)),
        }
    }

    /// Folds of the train rows, as many as was asked for, else `usual`: a sample's augmented views are held out with it.
    pub(crate) fn folds(&self, usual: usize) -> anyhow::Result<Folds> {
        folds(self.choice, usual, &self.rows.train, self.features, self.manifest)
    }

    /// Moves the biases of the last layer by the classes' frequencies (Menon et al., 2021, equation 9).
    pub(crate) fn adjust(&self, tau: f64, layers: &mut [Dense], train: &Examples<'_>) {
        let Some(last) = layers.last_mut() else { return };
        for (bias, count) in last.bias.iter_mut().zip(train.counts()) {
            let prior = count as f64 / train.rows() as f64;
            *bias = (f64::from(*bias) - tau * prior.ln()) as f32;
        }
    }

    /// `train loss 0.1234, accuracy 98.2 %`
    pub(crate) fn describe(&self, split: &str, quality: Quality) -> String {
        describe(split, quality, self.task())
    }
}
