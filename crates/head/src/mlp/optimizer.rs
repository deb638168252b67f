//! How gradients become steps, and how long these are.

use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use candle_nn::{AdamW, Optimizer as _, ParamsAdamW};

use super::MlpSettings;

/// Of SGD.
pub(super) const MOMENTUM: f64 = 0.9;
/// Part of a one-cycle run in which the step size rises, the part of the largest that it begins at, and the part of
/// that it ends at: those of PyTorch's `OneCycleLR` (Smith and Topin, 2018).
const RISE: f64 = 0.3;
const FIRST: f64 = 1.0 / 25.0;
const LAST: f64 = 1e-4;

/// How gradients become steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optimizer {
    /// Kingma and Ba (2015), with β₁ 0.9, β₂ 0.999, ε 1e-7 (Keras' default).
    Adam,
    /// Adam whose decay of the weights is apart from the gradient (Loshchilov and Hutter, 2019).
    AdamW,
    /// Gradient descent with momentum 0.9, decay in the gradient.
    Sgd,
}

/// How long steps are in the course of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// All the same.
    Constant,
    /// Half a cosine down to nothing.
    Cosine,
    /// Up for three tenths of the run, then down to nothing, both along half a cosine.
    OneCycle,
}

impl Schedule {
    /// Of step `at` of `steps`, from 0, as a part of the largest.
    pub(super) fn at(self, at: usize, steps: usize) -> f64 {
        // From one to the other along half a cosine; `part` from 0 to 1.
        let ease = |from: f64, to: f64, part: f64| {
            to + (from - to) * 0.5 * (1.0 + (std::f64::consts::PI * part).cos())
        };
        match self {
            Schedule::Constant => 1.0,
            Schedule::Cosine => ease(1.0, 0.0, at as f64 / steps as f64),
            Schedule::OneCycle => {
                let last = steps.saturating_sub(1).max(1) as f64;
                let top = (RISE * steps as f64 - 1.0).clamp(0.0, last);
                let at = at as f64;
                if at <= top && top > 0.0 {
                    ease(FIRST, 1.0, at / top)
                } else {
                    ease(1.0, FIRST * LAST, (at - top) / (last - top).max(1.0))
                }
            }
        }
    }
}

/// An optimizer at work on some variables.
pub(super) enum Descent {
    Adam([AdamW; 2]),
    Sgd { weights: Vec<Velocity>, biases: Vec<Velocity>, decay: f64 },
}

/// A variable and where it was going.
pub(super) struct Velocity(Var, Option<Tensor>);

impl Descent {
    /// Decays the weights, not the biases.
    pub(super) fn new(
        weights: Vec<Var>,
        biases: Vec<Var>,
        settings: &MlpSettings,
    ) -> candle_core::Result<Descent> {
        let &MlpSettings { learning_rate: lr, weight_decay, .. } = settings;
        let still = |variables: Vec<Var>| variables.into_iter().map(|var| Velocity(var, None)).collect();
        if settings.optimizer == Optimizer::Sgd {
            return Ok(Descent::Sgd { weights: still(weights), biases: still(biases), decay: weight_decay });
        }
        // Without decay AdamW is Adam.
        let adam = |variables: Vec<Var>, weight_decay: f64| {
            AdamW::new(variables, ParamsAdamW { lr, beta1: 0.9, beta2: 0.999, eps: 1e-7, weight_decay })
        };
        Ok(Descent::Adam([adam(weights, weight_decay)?, adam(biases, 0.0)?]))
    }

    pub(super) fn step(&mut self, gradients: &GradStore, learning_rate: f64) -> candle_core::Result<()> {
        match self {
            Descent::Adam(parts) => parts.iter_mut().try_for_each(|part| {
                part.set_learning_rate(learning_rate);
                part.step(gradients)
            }),
            Descent::Sgd { weights, biases, decay } => {
                let decayed = weights.iter_mut().map(|weight| (weight, *decay));
                let mut all = decayed.chain(biases.iter_mut().map(|bias| (bias, 0.0)));
                all.try_for_each(|(variable, decay)| variable.step(gradients, learning_rate, decay))
            }
        }
    }
}

impl Velocity {
    fn step(&mut self, gradients: &GradStore, learning_rate: f64, decay: f64) -> candle_core::Result<()> {
        let Velocity(variable, velocity) = self;
        let Some(gradient) = gradients.get(variable) else { return Ok(()) };
        let mut next = gradient.clone();
        if decay > 0.0 {
            next = (next + (variable.as_tensor() * decay)?)?;
        }
        if let Some(velocity) = velocity {
            next = (next + (&*velocity * MOMENTUM)?)?;
        }
        // Without its history, which would grow with every step.
        let next = next.detach();
        variable.set(&(variable.as_tensor() - (&next * learning_rate)?)?.detach())?;
        *velocity = Some(next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_those_of_their_papers() {
        let of = |schedule: Schedule| (0..100).map(|at| schedule.at(at, 100)).collect::<Vec<_>>();
        assert!(of(Schedule::Constant).iter().all(|part| *part == 1.0));
        let cosine = of(Schedule::Cosine);
        assert!(cosine[0] == 1.0 && (cosine[50] - 0.5).abs() < 1e-12 && cosine[99] < 1e-3, "{cosine:?}");
        assert!(cosine.windows(2).all(|pair| pair[1] < pair[0]));
        // torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=100)
        let cycle = of(Schedule::OneCycle);
        for (at, expected) in [(0, 0.04), (10, 0.295164), (29, 1.0), (64, 0.500_002), (99, 4e-6)] {
            assert!((cycle[at] - expected).abs() < 1e-5 * expected, "{at}: {}", cycle[at]);
        }
        for steps in 1..5 {
            for schedule in [Schedule::Cosine, Schedule::OneCycle] {
                assert!((0..steps).all(|at| (0.0..=1.0).contains(&schedule.at(at, steps))));
            }
        }
    }
}
