//! One hidden layer of rectified units, trained by Adam.

use artifact::Dense;
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{AdamW, Linear, Module, Optimizer, ParamsAdamW};

use crate::quality::of_logits;
use crate::random::{Purpose, Random};
use crate::scaling::Scaling;
use crate::{ClassWeights, Examples, HeadFitError, Quality, quality};

/// How to train. The defaults are those of the Keras transfer-learning tutorials.
#[derive(Clone, Debug, PartialEq)]
pub struct MlpSettings {
    /// Units of the hidden layer.
    pub hidden: usize,
    /// Passes over the training rows.
    pub epochs: usize,
    /// Rows a step; the last step of an epoch takes what is left.
    pub batch_size: usize,
    /// Adam's step size, constant.
    pub learning_rate: f64,
    /// Part of the hidden units that is zeroed while training, within [0, 1).
    pub dropout: f64,
    /// Of initial weights, order of rows, and dropout.
    pub seed: u64,
    /// How much a row counts, by its class.
    pub class_weights: ClassWeights,
    /// Whether features are standardised inside (and the scaling folded into the first layer).
    pub standardize: bool,
}

impl Default for MlpSettings {
    fn default() -> Self {
        MlpSettings {
            hidden: 512,
            epochs: 10,
            batch_size: 32,
            learning_rate: 1e-3,
            dropout: 0.0,
            seed: 0,
            class_weights: ClassWeights::None,
            standardize: true,
        }
    }
}

/// What one epoch achieved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Mean over the epoch's rows, each as its batch met it: weights still moving, dropout on, class
    /// weights applied to the loss (as Keras shows it).
    pub train: Quality,
    /// Of the weights at the epoch's end, on the validation rows.
    pub val: Option<Quality>,
}

/// A trained head.
#[derive(Clone, Debug, PartialEq)]
pub struct MlpFit {
    /// (d → hidden), ReLU, (hidden → C); logits of raw features.
    pub layers: Vec<Dense>,
    /// Every epoch, in order.
    pub epochs: Vec<Epoch>,
}

/// Trains on `train`; after every epoch measures `val` and calls `on_epoch`.
///
/// Softmax cross-entropy, weighted by class and averaged over the batch's rows; Adam (Kingma and Ba,
/// 2015) with β₁ 0.9, β₂ 0.999, ε 1e-7 (Keras' default); Glorot-uniform weights and zero biases, as
/// Keras' `Dense`; rows shuffled anew every epoch; inverted dropout on the hidden units. The weights
/// of the last epoch are kept. All f32.
///
/// # Errors
/// A setting outside its range, a class without rows, a loss that is no longer finite.
pub fn fit_mlp(
    train: &Examples<'_>,
    val: Option<&Examples<'_>>,
    settings: &MlpSettings,
    mut on_epoch: impl FnMut(&Epoch),
) -> Result<MlpFit, HeadFitError> {
    train.check_trainable()?;
    check(settings)?;
    let scaling =
        if settings.standardize { Scaling::of(train.features()) } else { Scaling::identity(train.dim()) };
    let class_weights: Vec<f32> = settings.class_weights.of(train)?.iter().map(|&w| w as f32).collect();
    let mut net = Net::new(train.dim(), train.classes(), settings)?;
    let mut shuffle = Random::new(settings.seed, Purpose::Shuffle);
    let mut order: Vec<usize> = (0..train.rows()).collect();
    let mut epochs = Vec::with_capacity(settings.epochs);
    for epoch in 1..=settings.epochs {
        shuffle.shuffle(&mut order);
        let mut sum = Quality { loss: 0.0, accuracy: 0.0 };
        for rows in order.chunks(settings.batch_size) {
            let batch = Batch::gather(rows, train, &scaling, &class_weights)?;
            let Quality { loss, accuracy } = net.step(&batch)?;
            sum.loss += loss * rows.len() as f64;
            sum.accuracy += accuracy * rows.len() as f64;
        }
        let rows = train.rows() as f64;
        let train = Quality { loss: sum.loss / rows, accuracy: sum.accuracy / rows };
        if !train.loss.is_finite() {
            return Err(HeadFitError::Diverged { epoch, loss: train.loss });
        }
        let val = val.map(|val| net.fold(&scaling).map(|layers| quality(&layers, val))).transpose()?;
        epochs.push(Epoch { epoch, train, val });
        on_epoch(&epochs[epoch - 1]);
    }
    Ok(MlpFit { layers: net.fold(&scaling)?, epochs })
}

fn check(settings: &MlpSettings) -> Result<(), HeadFitError> {
    let &MlpSettings { hidden, epochs, batch_size, learning_rate, dropout, .. } = settings;
    let checks = [
        ("hidden units", "of 1 or more", hidden as f64, hidden >= 1),
        ("epochs", "of 1 or more", epochs as f64, epochs >= 1),
        ("batch size", "of 1 or more", batch_size as f64, batch_size >= 1),
        ("learning rate", "above 0", learning_rate, learning_rate > 0.0 && learning_rate.is_finite()),
        ("dropout", "of 0 or more and below 1", dropout, (0.0..1.0).contains(&dropout)),
    ];
    match checks.into_iter().find(|(.., fine)| !fine) {
        Some((name, expected, got, _)) => Err(HeadFitError::Setting { name, expected, got }),
        None => Ok(()),
    }
}

/// Some training rows.
struct Batch {
    /// (b, d)
    x: Tensor,
    labels: Vec<u32>,
    /// (b,)
    weights: Tensor,
}

impl Batch {
    /// Gathers `rows`, scaled.
    fn gather(
        rows: &[usize],
        examples: &Examples<'_>,
        scaling: &Scaling,
        class_weights: &[f32],
    ) -> candle_core::Result<Batch> {
        let (dim, labels) = (examples.dim(), examples.labels());
        let mut values = vec![0.0; rows.len() * dim];
        for (&row, values) in rows.iter().zip(values.chunks_exact_mut(dim)) {
            scaling.read(examples.features(), row, values);
        }
        let labels: Vec<u32> = rows.iter().map(|&row| labels[row]).collect();
        let weights: Vec<f32> = labels.iter().map(|&label| class_weights[label as usize]).collect();
        Ok(Batch {
            x: Tensor::from_vec(values, (rows.len(), dim), &Device::Cpu)?,
            weights: Tensor::from_vec(weights, rows.len(), &Device::Cpu)?,
            labels,
        })
    }
}

/// The network in training.
struct Net {
    /// Weight (outputs, inputs) and bias (outputs,) of the hidden and of the last layer.
    layers: [(Var, Var); 2],
    adam: AdamW,
    dropout: f64,
    drops: Random,
}

impl Net {
    fn new(dim: usize, classes: usize, settings: &MlpSettings) -> candle_core::Result<Net> {
        let mut random = Random::new(settings.seed, Purpose::Weights);
        let mut dense = |inputs: usize, outputs: usize| {
            let limit = (6.0 / (inputs + outputs) as f32).sqrt();
            let weight = (0..inputs * outputs).map(|_| (2.0 * random.unit() - 1.0) * limit).collect();
            let bias = Var::zeros(outputs, DType::F32, &Device::Cpu)?;
            Ok::<_, candle_core::Error>((Var::from_vec(weight, (outputs, inputs), &Device::Cpu)?, bias))
        };
        let layers = [dense(dim, settings.hidden)?, dense(settings.hidden, classes)?];
        let parameters = ParamsAdamW {
            lr: settings.learning_rate,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-7,
            // Without decay AdamW is Adam.
            weight_decay: 0.0,
        };
        let variables = layers.iter().flat_map(|(weight, bias)| [weight.clone(), bias.clone()]).collect();
        Ok(Net {
            adam: AdamW::new(variables, parameters)?,
            layers,
            dropout: settings.dropout,
            drops: Random::new(settings.seed, Purpose::Dropout),
        })
    }

    /// One step of Adam; gives the batch's loss and accuracy before it.
    fn step(&mut self, batch: &Batch) -> candle_core::Result<Quality> {
        let rows = batch.labels.len();
        let [hidden, last] = &self.layers;
        let mut units = linear(hidden).forward(&batch.x)?.relu()?;
        if self.dropout > 0.0 {
            let keep = 1.0 / (1.0 - self.dropout) as f32;
            let draw = |_| if f64::from(self.drops.unit()) < self.dropout { 0.0 } else { keep };
            let mask: Vec<f32> = (0..units.elem_count()).map(draw).collect();
            units = (&units * Tensor::from_vec(mask, units.shape(), &Device::Cpu)?)?;
        }
        let logits = linear(last).forward(&units)?;
        let labels = Tensor::from_slice(&batch.labels, (rows, 1), &Device::Cpu)?;
        let own = candle_nn::ops::log_softmax(&logits, 1)?.gather(&labels, 1)?.squeeze(1)?;
        let loss = ((own * &batch.weights)?.sum_all()? * (-1.0 / rows as f64))?;
        self.adam.backward_step(&loss)?;

        let classes = logits.dim(1)?;
        let plain = of_logits(&logits.flatten_all()?.to_vec1()?, &batch.labels, classes);
        Ok(Quality { loss: f64::from(loss.to_scalar::<f32>()?), ..plain })
    }

    /// The layers for raw features.
    fn fold(&self, scaling: &Scaling) -> candle_core::Result<Vec<Dense>> {
        let first = export(&self.layers[0])?;
        let widen = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<_>>();
        Ok(vec![scaling.fold(&widen(&first.weight), &widen(&first.bias)), export(&self.layers[1])?])
    }
}

fn linear((weight, bias): &(Var, Var)) -> Linear {
    Linear::new(weight.as_tensor().clone(), Some(bias.as_tensor().clone()))
}

fn export((weight, bias): &(Var, Var)) -> candle_core::Result<Dense> {
    let (outputs, inputs) = weight.dims2()?;
    Ok(Dense { inputs, outputs, weight: weight.flatten_all()?.to_vec1()?, bias: bias.to_vec1()? })
}
