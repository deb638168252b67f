//! The network in training: products, loss and gradients by candle.

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{Linear, Module};
use sample::targets::Truth;
use weights::Dense;

use super::{
    MlpSettings,
    batch::{Batch, Targets},
    optimizer::Descent,
};
use crate::{
    HeadFitError, Quality, TargetScaler,
    pass::{Loss, Tally},
    quality::of_logits,
    random::{Purpose, Random},
    scaling::Scaling,
};

/// The network in training.
pub(super) struct Net {
    /// Weight (outputs, inputs) and bias (outputs,) of the hidden and of the last layer.
    layers: [(Var, Var); 2],
    descent: Descent,
    dropout: f64,
    drops: Random,
}

impl Net {
    pub(super) fn new(dim: usize, classes: usize, settings: &MlpSettings) -> candle_core::Result<Net> {
        let mut random = Random::new(settings.seed, Purpose::Weights);
        let mut dense = |inputs: usize, outputs: usize| {
            let limit = (6.0 / (inputs + outputs) as f32).sqrt();
            let weight = (0..inputs * outputs).map(|_| (2.0 * random.unit() - 1.0) * limit).collect();
            let bias = Var::zeros(outputs, DType::F32, &Device::Cpu)?;
            Ok::<_, candle_core::Error>((Var::from_vec(weight, (outputs, inputs), &Device::Cpu)?, bias))
        };
        let layers = [dense(dim, settings.hidden)?, dense(settings.hidden, classes)?];
        let [weights, biases] = [0, 1].map(|which| {
            let of = |(weight, bias): &(Var, Var)| if which == 0 { weight.clone() } else { bias.clone() };
            layers.iter().map(of).collect::<Vec<_>>()
        });
        Ok(Net {
            descent: Descent::new(weights, biases, settings)?,
            layers,
            dropout: settings.dropout,
            drops: Random::new(settings.seed, Purpose::Dropout),
        })
    }

    /// One step of this size; gives the batch's loss and accuracy before it.
    pub(super) fn step(&mut self, batch: &Batch, learning_rate: f64) -> candle_core::Result<Quality> {
        let rows = batch.x.dim(0)?;
        let [hidden, last] = &self.layers;
        let mut units = linear(hidden).forward(&batch.x)?.relu()?;
        if self.dropout > 0.0 {
            let keep = 1.0 / (1.0 - self.dropout) as f32;
            let draw = |_| if f64::from(self.drops.unit()) < self.dropout { 0.0 } else { keep };
            let mask: Vec<f32> = (0..units.elem_count()).map(draw).collect();
            units = (&units * Tensor::from_vec(mask, units.shape(), &Device::Cpu)?)?;
        }
        let logits = linear(last).forward(&units)?;
        if let Targets::Values(truth) = &batch.targets {
            return self.step_values(truth, &logits, learning_rate);
        }
        let logs = candle_nn::ops::log_softmax(&logits, 1)?;
        let weighted = match &batch.targets {
            Targets::Labels(weights) => {
                let labels = Tensor::from_slice(&batch.labels, (rows, 1), &Device::Cpu)?;
                (logs.gather(&labels, 1)?.squeeze(1)? * weights)?
            }
            Targets::Shares(shares) => (logs * shares)?,
            // Done above.
            Targets::Values(..) => logs,
        };
        let loss = (weighted.sum_all()? * (-1.0 / rows as f64))?;
        self.descent.step(&loss.backward()?, learning_rate)?;

        let classes = logits.dim(1)?;
        let plain = of_logits(&logits.flatten_all()?.to_vec1()?, &batch.labels, classes);
        Ok(Quality { loss: f64::from(loss.to_scalar::<f32>()?), ..plain })
    }

    /// The same of labels or numbers, (b, outputs). What the loss changes by is known in closed form:
    /// a sum of logits, each times its slope, has those very gradients.
    fn step_values(
        &mut self,
        truth: &Truth,
        logits: &Tensor,
        learning_rate: f64,
    ) -> candle_core::Result<Quality> {
        let (rows, outputs) = logits.dims2()?;
        let plain = TargetScaler::identity(outputs);
        let loss = Loss::likelihood(truth, &[], &plain);
        let mut slopes: Vec<f32> = logits.flatten_all()?.to_vec1()?;
        let mut tally = Tally::default();
        for (row, slopes) in slopes.chunks_exact_mut(outputs).enumerate() {
            tally.push(outputs, loss.errors(row, slopes));
        }
        let part = 1.0 / (rows * outputs) as f32;
        slopes.iter_mut().for_each(|slope| *slope *= part);
        let slopes = Tensor::from_vec(slopes, (rows, outputs), &Device::Cpu)?;
        self.descent.step(&(logits * slopes)?.sum_all()?.backward()?, learning_rate)?;
        Ok(tally.quality())
    }

    /// The layers for raw features.
    pub(super) fn fold(&self, scaling: &Scaling) -> Result<Vec<Dense>, HeadFitError> {
        let first = export(&self.layers[0])?;
        let widen = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<_>>();
        let first = scaling.fold(&widen(&first.weight), &widen(&first.bias));
        Ok(vec![first.map_err(|_| HeadFitError::Unbounded)?, export(&self.layers[1])?])
    }
}

fn linear((weight, bias): &(Var, Var)) -> Linear {
    Linear::new(weight.as_tensor().clone(), Some(bias.as_tensor().clone()))
}

fn export((weight, bias): &(Var, Var)) -> candle_core::Result<Dense> {
    let (outputs, inputs) = weight.dims2()?;
    Ok(Dense { inputs, outputs, weight: weight.flatten_all()?.to_vec1()?, bias: bias.to_vec1()? })
}
