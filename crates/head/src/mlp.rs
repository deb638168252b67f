//! One hidden layer of rectified units, or attention over the places of a row, trained step by step.

mod batch;
mod net;
mod optimizer;

use std::ops::ControlFlow;

use weights::{AttentionPool, Dense, Places};

use crate::{
    ClassWeights, Examples, HeadFitError, Quality, Scorer, TargetScaler, quality,
    random::{Purpose, Random},
    scaling::Scaling,
};
use batch::Batches;
use net::Net;
pub use optimizer::{Optimizer, Schedule};

/// What stands before the last layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// A hidden layer of so many rectified units.
    Hidden(usize),
    /// So many queries over the places of flattened rows.
    Attention(usize, Places),
}

/// How to train. The defaults are those of the Keras transfer-learning tutorials.
#[derive(Clone, Debug, PartialEq)]
pub struct MlpSettings {
    /// What stands before the last layer.
    pub front: Front,
    /// Passes over the training rows, at most.
    pub epochs: usize,
    /// Rows a step; the last step of an epoch takes what is left.
    pub batch_size: usize,
    /// How gradients become steps.
    pub optimizer: Optimizer,
    /// The largest step size.
    pub learning_rate: f64,
    /// How it changes.
    pub schedule: Schedule,
    /// Decay of the weights; that of biases is none.
    pub weight_decay: f64,
    /// Part of the hidden units, or of what queries give, that is zeroed while training, within [0, 1).
    pub dropout: f64,
    /// Part of each row's target that is spread evenly over all classes, within [0, 1).
    pub label_smoothing: f64,
    /// α of the Beta distribution that rows are mixed by; 0 mixes none.
    pub mixup: f64,
    /// Ends once so many epochs in a row were no better on the held-out rows, and keeps the best epoch.
    pub patience: Option<usize>,
    /// Of initial weights, order of rows, dropout and mixing.
    pub seed: u64,
    /// How much a row counts, by its class.
    pub class_weights: ClassWeights,
    /// Whether features are standardised inside, and the scaling folded into the first layer, or into queries and layer.
    pub standardize: bool,
}

impl Default for MlpSettings {
    fn default() -> Self {
        MlpSettings {
            front: Front::Hidden(512),
            epochs: 10,
            batch_size: 32,
            optimizer: Optimizer::Adam,
            learning_rate: 1e-3,
            schedule: Schedule::Constant,
            weight_decay: 0.0,
            dropout: 0.0,
            label_smoothing: 0.0,
            mixup: 0.0,
            patience: None,
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
    /// Mean over the epoch's rows, each as its batch met it: weights still moving, dropout on, mixed and smoothed, class
    /// weights applied to the loss (as Keras shows it).
    pub train: Quality,
    /// Of the weights at the epoch's end, on the held-out rows.
    pub val: Option<Quality>,
}

/// A trained head.
#[derive(Clone, Debug, PartialEq)]
pub struct MlpFit {
    /// The queries, of raw features, where they were learnt.
    pub pool: Option<AttentionPool>,
    /// (d → hidden), ReLU, (hidden → C); or the last alone, which reads what the queries give. Logits of raw features.
    pub layers: Vec<Dense>,
    /// Every epoch, in order.
    pub epochs: Vec<Epoch>,
    /// The epoch whose weights these are, from 1.
    pub kept: usize,
}

/// Trains on `train`; after every epoch measures `val` and calls `on_epoch`, which may end the run there.
///
/// Softmax cross-entropy, weighted by class and averaged over the batch's rows; binary cross-entropy of labels, of which a
/// part that is spread evenly (`label_smoothing`) goes to either side; the squared error of numbers as [`TargetScaler::of`]
/// has them. The latter two are averaged over a row's outputs too, and class weights do not matter.
///
/// Glorot-uniform weights and zero biases, as Keras' `Dense`; queries near zero, so that attention begins as the mean over all
/// places; rows shuffled anew every epoch; inverted dropout on the hidden units. The weights of the last epoch are kept; with patience, those of the epoch of least loss on `val`. All f32. The last
/// layer gives logits of classes and labels, or numbers as they were.
///
/// # Errors
/// A setting outside its range, patience without held-out rows, a class without rows, a label that all rows have or none
/// has, a loss that is no longer finite, weights that are not.
pub fn fit_mlp(
    train: &Examples<'_>,
    val: Option<&Examples<'_>>,
    settings: &MlpSettings,
    mut on_epoch: impl FnMut(&Epoch) -> ControlFlow<()>,
) -> Result<MlpFit, HeadFitError> {
    train.check_trainable()?;
    let class_weights = settings.class_weights.of(train)?.iter().map(|&w| w as f32).collect();
    let scaler = &TargetScaler::of(train);
    check(settings, train.dim())?;
    if settings.patience.is_some() && val.is_none() {
        return Err(HeadFitError::NothingHeldOut);
    }
    let scaling = match settings.front {
        _ if !settings.standardize => Scaling::identity(train.dim()),
        Front::Hidden(_) => Scaling::of(train.features()),
        Front::Attention(_, of) => Scaling::of_channels(train.features(), of),
    };
    let mut net = Net::new(train.dim(), train.outputs(), settings)?;
    let fold = |net: &Net| {
        let (pool, mut layers) = net.fold(&scaling)?;
        if let Some(last) = layers.pop() {
            layers.push(scaler.unscale(last).map_err(|_| HeadFitError::Unbounded)?);
        }
        Ok::<_, HeadFitError>((pool, layers))
    };
    let mut batches = Batches::new(train, &scaling, class_weights, scaler, settings);
    let mut shuffle = Random::new(settings.seed, Purpose::Shuffle);
    let mut order: Vec<usize> = (0..train.rows()).collect();
    let steps_an_epoch = train.rows().div_ceil(settings.batch_size);
    let steps = settings.epochs * steps_an_epoch;
    let mut epochs: Vec<Epoch> = Vec::with_capacity(settings.epochs);
    let mut best: Option<(usize, f64, Parts)> = None;
    for epoch in 1..=settings.epochs {
        shuffle.shuffle(&mut order);
        let mut sum = Quality { loss: 0.0, accuracy: 0.0 };
        for (at, rows) in order.chunks(settings.batch_size).enumerate() {
            let part = settings.schedule.at((epoch - 1) * steps_an_epoch + at, steps);
            let batch = batches.gather(rows)?;
            let Quality { loss, accuracy } = net.step(&batch, part * settings.learning_rate)?;
            sum.loss += loss * rows.len() as f64;
            sum.accuracy += accuracy * rows.len() as f64;
        }
        let rows = train.rows() as f64;
        let fitted = Quality { loss: sum.loss / rows, accuracy: sum.accuracy / rows };
        if !fitted.loss.is_finite() {
            return Err(HeadFitError::Diverged { epoch, loss: fitted.loss });
        }
        let mut held_out = None;
        if let Some(val) = val {
            let parts = fold(&net)?;
            let found = quality(&Scorer::of_pooled(parts.0.as_ref(), &parts.1), val, scaler);
            held_out = Some(found);
            let better =
                found.loss.is_finite() && best.as_ref().is_none_or(|(_, least, _)| found.loss < *least);
            if settings.patience.is_some() && better {
                best = Some((epoch, found.loss, parts));
            }
        }
        epochs.push(Epoch { epoch, train: fitted, val: held_out });
        let asked = on_epoch(&epochs[epoch - 1]).is_break();
        let waited = best.as_ref().map_or(0, |(best, ..)| epoch - best);
        if asked || settings.patience.is_some_and(|patience| waited >= patience) {
            break;
        }
    }
    let ((pool, layers), kept) = match best {
        Some((kept, _, parts)) => (parts, kept),
        None => (fold(&net)?, epochs.len()),
    };
    Ok(MlpFit { pool, layers, epochs, kept })
}

/// What a fit is made of: a pool, perhaps, and layers.
type Parts = (Option<AttentionPool>, Vec<Dense>);

fn check(settings: &MlpSettings, dim: usize) -> Result<(), HeadFitError> {
    let (name, units) = match settings.front {
        Front::Hidden(units) => ("hidden units", units),
        Front::Attention(_, of) if of.len() != dim => {
            return Err(HeadFitError::Places { expected: of.len(), got: dim });
        }
        Front::Attention(queries, _) => ("queries", queries),
    };
    let &MlpSettings { epochs, batch_size, learning_rate, dropout, .. } = settings;
    let &MlpSettings { weight_decay, label_smoothing, mixup, patience, .. } = settings;
    let not_negative = |value: f64| value >= 0.0 && value.is_finite();
    let part = |value: f64| (0.0..1.0).contains(&value);
    let patience = patience.unwrap_or(1);
    let checks = [
        (name, "of 1 or more", units as f64, units >= 1),
        ("epochs", "of 1 or more", epochs as f64, epochs >= 1),
        ("batch size", "of 1 or more", batch_size as f64, batch_size >= 1),
        ("learning rate", "above 0", learning_rate, learning_rate > 0.0 && learning_rate.is_finite()),
        ("weight decay", "of 0 or more", weight_decay, not_negative(weight_decay)),
        ("dropout", "of 0 or more and below 1", dropout, part(dropout)),
        ("label smoothing", "of 0 or more and below 1", label_smoothing, part(label_smoothing)),
        ("mixup", "of 0 or more", mixup, not_negative(mixup)),
        ("patience", "of 1 or more", patience as f64, patience >= 1),
    ];
    match checks.into_iter().find(|(.., fine)| !fine) {
        Some((name, expected, got, _)) => Err(HeadFitError::Setting { name, expected, got }),
        None => Ok(()),
    }
}
