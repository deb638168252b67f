//! Some training rows, as a step sees them.

use candle_core::{Device, Tensor};

use super::MlpSettings;
use crate::Examples;
use crate::random::{Purpose, Random};
use crate::scaling::Scaling;

/// Some training rows.
pub(super) struct Batch {
    /// (b, d)
    pub(super) x: Tensor,
    /// Each row's class; of mixed rows, that of the first: (b,).
    pub(super) labels: Vec<u32>,
    pub(super) targets: Targets,
}

/// What is to be learnt of each row.
pub(super) enum Targets {
    /// Its label, counting so much: (b,).
    Labels(Tensor),
    /// Of every class so much: (b, C).
    Shares(Tensor),
}

/// Where batches come from.
pub(super) struct Batches<'a> {
    examples: &'a Examples<'a>,
    scaling: &'a Scaling,
    /// (C,)
    class_weights: Vec<f32>,
    label_smoothing: f64,
    mixup: f64,
    random: Random,
}

impl<'a> Batches<'a> {
    pub(super) fn new(
        examples: &'a Examples<'a>,
        scaling: &'a Scaling,
        class_weights: Vec<f32>,
        settings: &MlpSettings,
    ) -> Batches<'a> {
        let &MlpSettings { label_smoothing, mixup, seed, .. } = settings;
        let random = Random::new(seed, Purpose::Mixup);
        Batches { examples, scaling, class_weights, label_smoothing, mixup, random }
    }

    /// Gathers `rows`, scaled; mixed with one another where that was asked for.
    pub(super) fn gather(&mut self, rows: &[usize]) -> candle_core::Result<Batch> {
        let dim = self.examples.dim();
        let mut x = vec![0.0; rows.len() * dim];
        for (&row, values) in rows.iter().zip(x.chunks_exact_mut(dim)) {
            self.scaling.read(self.examples.features(), row, values);
        }
        let labels: Vec<u32> = rows.iter().map(|&row| self.examples.labels()[row]).collect();
        let targets = if self.mixup > 0.0 || self.label_smoothing > 0.0 {
            let mut shares = self.shares(&labels);
            if self.mixup > 0.0 {
                self.mix(&mut x, &mut shares, rows.len());
            }
            let shape = (rows.len(), self.examples.classes());
            Targets::Shares(Tensor::from_vec(shares, shape, &Device::Cpu)?)
        } else {
            let weights = labels.iter().map(|&label| self.class_weights[label as usize]).collect();
            Targets::Labels(Tensor::from_vec(weights, rows.len(), &Device::Cpu)?)
        };
        Ok(Batch { x: Tensor::from_vec(x, (rows.len(), dim), &Device::Cpu)?, labels, targets })
    }

    /// The row's weight times 1 − ε for its class, and ε evenly over all (Szegedy et al., 2016, section 7): (b, C).
    fn shares(&self, labels: &[u32]) -> Vec<f32> {
        let classes = self.examples.classes();
        let mut shares = Vec::with_capacity(labels.len() * classes);
        for &label in labels {
            let weight = f64::from(self.class_weights[label as usize]);
            let even = weight * self.label_smoothing / classes as f64;
            let own = weight * (1.0 - self.label_smoothing) + even;
            shares.extend((0..classes).map(|class| if class == label as usize { own } else { even } as f32));
        }
        shares
    }

    /// λ of each row and 1 − λ of another of the batch, features and targets alike, with one λ a batch from
    /// Beta(α, α) (Zhang et al., 2018, and their code).
    fn mix(&mut self, x: &mut [f32], shares: &mut [f32], rows: usize) {
        let lambda = self.random.beta(self.mixup) as f32;
        let mut partners: Vec<usize> = (0..rows).collect();
        self.random.shuffle(&mut partners);
        for values in [x, shares] {
            let width = values.len() / rows;
            let before = values.to_vec();
            for (row, &partner) in values.chunks_exact_mut(width).zip(&partners) {
                for (value, other) in row.iter_mut().zip(&before[partner * width..][..width]) {
                    *value = lambda * *value + (1.0 - lambda) * other;
                }
            }
        }
    }
}
