//! The network in training: products, loss and gradients by candle.

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{Linear, Module};
use sample::targets::Truth;
use weights::{AttentionPool, Dense, Places};

use super::{
    Front, MlpSettings, Parts,
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

/// How far from zero queries begin, at most.
const NEAR_ZERO: f32 = 0.02;

/// Weight (outputs, inputs) and bias (outputs,).
type Layer = (Var, Var);

/// What stands before the last layer.
enum First {
    Hidden(Layer),
    /// Queries (m, c).
    Attention(Var, Places),
}

/// The network in training.
pub(super) struct Net {
    first: First,
    last: Layer,
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
        let (first, last) = match settings.front {
            Front::Hidden(units) => (First::Hidden(dense(dim, units)?), dense(units, classes)?),
            Front::Attention(count, of) => {
                let last = dense(count * of.channels, classes)?;
                let queries =
                    (0..count * of.channels).map(|_| (2.0 * random.unit() - 1.0) * NEAR_ZERO).collect();
                let queries = Var::from_vec(queries, (count, of.channels), &Device::Cpu)?;
                (First::Attention(queries, of), last)
            }
        };
        let (weights, biases) = match &first {
            First::Hidden((weight, bias)) => {
                (vec![weight.clone(), last.0.clone()], vec![bias.clone(), last.1.clone()])
            }
            First::Attention(queries, _) => (vec![queries.clone(), last.0.clone()], vec![last.1.clone()]),
        };
        Ok(Net {
            descent: Descent::new(weights, biases, settings)?,
            first,
            last,
            dropout: settings.dropout,
            drops: Random::new(settings.seed, Purpose::Dropout),
        })
    }

    /// One step of this size; gives the batch's loss and accuracy before it.
    pub(super) fn step(&mut self, batch: &Batch, learning_rate: f64) -> candle_core::Result<Quality> {
        let rows = batch.x.dim(0)?;
        let mut units = match &self.first {
            First::Hidden(hidden) => linear(hidden).forward(&batch.x)?.relu()?,
            First::Attention(queries, of) => attend(queries, *of, &batch.x)?,
        };
        if self.dropout > 0.0 {
            let keep = 1.0 / (1.0 - self.dropout) as f32;
            let draw = |_| if f64::from(self.drops.unit()) < self.dropout { 0.0 } else { keep };
            let mask: Vec<f32> = (0..units.elem_count()).map(draw).collect();
            units = (&units * Tensor::from_vec(mask, units.shape(), &Device::Cpu)?)?;
        }
        let logits = linear(&self.last).forward(&units)?;
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

    /// What raw features go through.
    pub(super) fn fold(&self, scaling: &Scaling) -> Result<Parts, HeadFitError> {
        let last = export(&self.last)?;
        let folded = |layer: &Dense, scaling: &Scaling| {
            let widen = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<_>>();
            let layer = scaling.fold(&widen(&layer.weight), &widen(&layer.bias));
            layer.map_err(|_| HeadFitError::Unbounded)
        };
        match &self.first {
            First::Hidden(hidden) => Ok((None, vec![folded(&export(hidden)?, scaling)?, last])),
            First::Attention(queries, of) => {
                let (count, _) = queries.dims2()?;
                let mut queries: Vec<f32> = queries.flatten_all()?.to_vec1()?;
                // What is taken off every place takes the same off every score, which no share feels.
                scaling.pooled(*of, 1).scale_weights(&mut queries);
                if !queries.iter().all(|query| query.is_finite()) {
                    return Err(HeadFitError::Unbounded);
                }
                let last = folded(&last, &scaling.pooled(*of, count))?;
                Ok((Some(AttentionPool { of: *of, queries }), vec![last]))
            }
        }
    }
}

/// What `queries` (m, c) make of rows (b, p·c): (b, m·c).
fn attend(queries: &Var, of: Places, x: &Tensor) -> candle_core::Result<Tensor> {
    let (rows, Places { channels, places, channels_first }) = (x.dim(0)?, of);
    // (b, c, p) and (b, p, c).
    let (by_channel, by_place) = match channels_first {
        true => {
            let x = x.reshape((rows, channels, places))?;
            (x.clone(), x.transpose(1, 2)?)
        }
        false => {
            let x = x.reshape((rows, places, channels))?;
            (x.transpose(1, 2)?, x)
        }
    };
    let scores = (queries.broadcast_matmul(&by_channel)? * (channels as f64).sqrt().recip())?;
    let shares = candle_nn::ops::softmax(&scores, 2)?;
    shares.matmul(&by_place)?.flatten_from(1)
}

fn linear((weight, bias): &Layer) -> Linear {
    Linear::new(weight.as_tensor().clone(), Some(bias.as_tensor().clone()))
}

fn export((weight, bias): &Layer) -> candle_core::Result<Dense> {
    let (outputs, inputs) = weight.dims2()?;
    Ok(Dense { inputs, outputs, weight: weight.flatten_all()?.to_vec1()?, bias: bias.to_vec1()? })
}
