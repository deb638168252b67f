//! Some training rows, as a step sees them.

use candle_core::{Device, Tensor};
use sample::targets::Truth;

use super::MlpSettings;
use crate::{
    Examples, TargetScaler,
    random::{Purpose, Random},
    scaling::Scaling,
};

/// Some training rows.
pub(super) struct Batch {
    /// (b, d)
    pub(super) x: Tensor,
    /// Each row's class; of mixed rows, that of the first: (b,). None of other targets.
    pub(super) labels: Vec<u32>,
    pub(super) targets: Targets,
}

/// What is to be learnt of each row.
pub(super) enum Targets {
    /// Its label, counting so much: (b,).
    Labels(Tensor),
    /// Of every class so much: (b, C).
    Shares(Tensor),
    /// Labels from 0 to 1, or numbers as they are scaled: (b, outputs).
    Values(Truth),
}

/// Where batches come from.
pub(super) struct Batches<'a> {
    examples: &'a Examples<'a>,
    scaling: &'a Scaling,
    /// (C,)
    class_weights: Vec<f32>,
    scaler: &'a TargetScaler,
    label_smoothing: f64,
    mixup: f64,
    random: Random,
}

impl<'a> Batches<'a> {
    pub(super) fn new(
        examples: &'a Examples<'a>,
        scaling: &'a Scaling,
        class_weights: Vec<f32>,
        scaler: &'a TargetScaler,
        settings: &MlpSettings,
    ) -> Batches<'a> {
        let &MlpSettings { label_smoothing, mixup, seed, .. } = settings;
        let random = Random::new(seed, Purpose::Mixup);
        Batches { examples, scaling, class_weights, scaler, label_smoothing, mixup, random }
    }

    /// Gathers `rows`, scaled; mixed with one another where that was asked for.
    pub(super) fn gather(&mut self, rows: &[usize]) -> candle_core::Result<Batch> {
        let dim = self.examples.dim();
        let mut x = vec![0.0; rows.len() * dim];
        for (&row, values) in rows.iter().zip(x.chunks_exact_mut(dim)) {
            self.scaling.read(self.examples.features(), row, values);
        }
        let mut truth = self.examples.truth().select(rows.iter().copied(), self.examples.outputs());
        match &mut truth {
            Truth::Class(labels) => {
                let targets = self.of_classes(labels, &mut x)?;
                let x = Tensor::from_vec(x, (rows.len(), dim), &Device::Cpu)?;
                return Ok(Batch { x, labels: std::mem::take(labels), targets });
            }
            // Half of what is taken off goes to either side.
            Truth::Labels(values) => values
                .iter_mut()
                .for_each(|y| *y = *y * (1.0 - self.label_smoothing) + 0.5 * self.label_smoothing),
            Truth::Numbers(values) => {
                let outputs = self.examples.outputs();
                values.iter_mut().enumerate().for_each(|(at, y)| *y = self.scaler.scale(at % outputs, *y));
            }
        }
        if self.mixup > 0.0 {
            let (lambda, partners) = self.partners(rows.len());
            mix(&mut x, lambda as f32, &partners);
            if let Truth::Labels(values) | Truth::Numbers(values) = &mut truth {
                mix(values, lambda, &partners);
            }
        }
        let (labels, targets) = (Vec::new(), Targets::Values(truth));
        Ok(Batch { x: Tensor::from_vec(x, (rows.len(), dim), &Device::Cpu)?, labels, targets })
    }

    fn of_classes(&mut self, labels: &[u32], x: &mut [f32]) -> candle_core::Result<Targets> {
        if self.mixup == 0.0 && self.label_smoothing == 0.0 {
            let weights = labels.iter().map(|&label| self.class_weights[label as usize]).collect();
            return Ok(Targets::Labels(Tensor::from_vec(weights, labels.len(), &Device::Cpu)?));
        }
        let mut shares = self.shares(labels);
        if self.mixup > 0.0 {
            let (lambda, partners) = self.partners(labels.len());
            mix(x, lambda as f32, &partners);
            mix(&mut shares, lambda as f32, &partners);
        }
        let shape = (labels.len(), self.examples.outputs());
        Ok(Targets::Shares(Tensor::from_vec(shares, shape, &Device::Cpu)?))
    }

    /// The row's weight times 1 − ε for its class, and ε evenly over all (Szegedy et al., 2016, section 7): (b, C).
    fn shares(&self, labels: &[u32]) -> Vec<f32> {
        let classes = self.examples.outputs();
        let mut shares = Vec::with_capacity(labels.len() * classes);
        for &label in labels {
            let weight = f64::from(self.class_weights[label as usize]);
            let even = weight * self.label_smoothing / classes as f64;
            let own = weight * (1.0 - self.label_smoothing) + even;
            shares.extend((0..classes).map(|class| if class == label as usize { own } else { even } as f32));
        }
        shares
    }

    /// λ of a batch, from Beta(α, α), and which of its rows each is mixed with.
    fn partners(&mut self, rows: usize) -> (f64, Vec<usize>) {
        let lambda = self.random.beta(self.mixup);
        let mut partners: Vec<usize> = (0..rows).collect();
        self.random.shuffle(&mut partners);
        (lambda, partners)
    }
}

/// λ of each row and 1 − λ of its partner, features and targets alike (Zhang et al., 2018, and their code).
fn mix<T>(values: &mut [T], lambda: T, partners: &[usize])
where
    T: Copy + From<f32> + std::ops::Mul<Output = T> + std::ops::Add<Output = T> + std::ops::Sub<Output = T>,
{
    let width = values.len() / partners.len();
    let before = values.to_vec();
    for (row, &partner) in values.chunks_exact_mut(width).zip(partners) {
        for (value, &other) in row.iter_mut().zip(&before[partner * width..][..width]) {
            *value = lambda * *value + (T::from(1.0) - lambda) * other;
        }
    }
}
