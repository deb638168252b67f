//! The upper part of a network, trained on from the weights that it has.
//!
//! It ends in a head that was fitted before: where the new layers are random, the first steps spoil what is below (Kumar et al.,
//! 2022, "LP-FT"). Batch norms keep their statistics.

mod adam;

use std::ops::ControlFlow;

use network::Param;
use sample::targets::Truth;
use train::{Inputs, Learner, TrainError};
use weights::{Bound, Tensor};

use crate::{
    ClassWeights, Epoch, Examples, HeadFitError, Quality, Scorer, TargetScaler,
    pass::{Loss, Tally},
    quality,
    random::{Purpose, Random},
};
use adam::AdamW;

/// How to train.
#[derive(Clone, Debug, PartialEq)]
pub struct TuneSettings {
    /// Passes over the training rows, at most.
    pub epochs: usize,
    /// Rows a step; the last step of an epoch takes what is left.
    pub batch_size: usize,
    /// The largest step size of AdamW, of the last block.
    pub learning_rate: f64,
    /// By how much that of a block is less than that of the block above, within (0, 1].
    pub layer_decay: f64,
    /// Decay of the weights; vectors, such as biases and norms, have none.
    pub weight_decay: f64,
    /// Part of all steps in which the step size rises; along half a cosine it then falls to nothing.
    pub warm_up: f64,
    /// Ends once so many epochs in a row were no better on the held-out rows.
    pub patience: Option<usize>,
    /// Of the order of rows.
    pub seed: u64,
    /// How much a row counts, by its class.
    pub class_weights: ClassWeights,
}

/// What was trained.
#[derive(Clone, Debug, PartialEq)]
pub struct TuneFit {
    /// The network with its weights.
    pub graph: Bound,
    /// Every epoch, in order.
    pub epochs: Vec<Epoch>,
    /// Of the network as it came, on the held-out rows.
    pub before: Option<Quality>,
    /// The epoch whose weights these are, from 1; 0 where none was better than what came.
    pub kept: usize,
    /// Which part of the way from the weights that came to those of that epoch was gone (Wortsman et al., 2022, "WiSE-FT").
    pub share: f64,
    /// How it does on the held-out rows.
    pub after: Option<Quality>,
}

impl Default for TuneSettings {
    fn default() -> Self {
        TuneSettings {
            epochs: 15,
            batch_size: 32,
            learning_rate: 3e-4,
            layer_decay: 0.75,
            weight_decay: 0.05,
            warm_up: 0.1,
            patience: Some(5),
            seed: 0,
            class_weights: ClassWeights::None,
        }
    }
}

/// Shares of the way that are tried at the end.
const SHARES: [f64; 9] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/// Trains the parameters of `start` that `learns` picks on `train`; after every epoch measures `val` and calls `on_epoch`, which
/// may end the run there.
///
/// `start` reads one row of features and gives the outputs. Softmax cross-entropy, binary cross-entropy or the squared error of
/// scaled numbers, as [`fit_mlp`](crate::fit_mlp) has them. With held-out rows the best epoch is kept, and then the best share of
/// the way to it; without them the last epoch.
///
/// # Errors
/// A setting outside its range, rows or outputs of another length than `start` has, a loss that is no longer finite, weights that are not.
pub fn tune(
    train: &Examples<'_>,
    val: Option<&Examples<'_>>,
    start: &Bound,
    learns: &dyn Fn(&Param) -> bool,
    settings: &TuneSettings,
    mut on_epoch: impl FnMut(&Epoch) -> ControlFlow<()>,
) -> Result<TuneFit, HeadFitError> {
    train.check_trainable()?;
    check(settings)?;
    let (network, expected) = (start.network(), train.outputs());
    let got = network.widths(1, 1).map_err(TrainError::from)?;
    if got != [expected] {
        return Err(HeadFitError::Outputs { network: network.name().to_owned(), expected, got });
    }
    let scaler = &TargetScaler::of(train);
    let weights = settings.class_weights.of(train)?;
    let loss = Loss::likelihood(train.truth(), &weights, scaler);
    let mut learner = Learner::new(start.clone(), 1, 1)?.learning(learns);
    let mut adam = AdamW::new(&learner, settings);
    let judge = |graph: &Bound, rows: &Examples<'_>| {
        let scorer = Scorer::of_graph(graph.clone(), train.outputs())?;
        Ok::<_, HeadFitError>(quality(&scorer, rows, scaler))
    };
    let before = val.map(|val| judge(start, val)).transpose()?;
    let mut shuffle = Random::new(settings.seed, Purpose::Shuffle);
    let mut order: Vec<usize> = (0..train.rows()).collect();
    let steps = settings.epochs * train.rows().div_ceil(settings.batch_size);
    let (mut epochs, mut step): (Vec<Epoch>, usize) = (Vec::new(), 0);
    let mut best =
        Best { kept: 0, loss: before.map_or(f64::INFINITY, |before| before.loss), graph: start.clone() };
    for epoch in 1..=settings.epochs {
        shuffle.shuffle(&mut order);
        let mut tally = Tally::default();
        for rows in order.chunks(settings.batch_size) {
            let gradients = gradients(&learner, train, rows, &loss, &mut tally)?;
            adam.step(&mut learner, gradients, rate(settings, step, steps));
            step += 1;
        }
        let fitted = tally.quality();
        if !fitted.loss.is_finite() {
            return Err(HeadFitError::Diverged { epoch, loss: fitted.loss });
        }
        let graph = learner.bound().map_err(|_| HeadFitError::Unbounded)?;
        let held_out = val.map(|val| judge(&graph, val)).transpose()?;
        if held_out.is_none_or(|found| found.loss < best.loss) {
            best = Best { kept: epoch, loss: held_out.map_or(f64::INFINITY, |found| found.loss), graph };
        }
        epochs.push(Epoch { epoch, train: fitted, val: held_out });
        let asked = on_epoch(&epochs[epoch - 1]).is_break();
        let waited = settings.patience.is_some_and(|patience| val.is_some() && epoch >= best.kept + patience);
        if asked || waited {
            break;
        }
    }
    let mut share = 1.0;
    if let Some(val) = val.filter(|_| best.kept > 0) {
        for part in SHARES {
            let graph = between(start, &best.graph, part);
            let found = judge(&graph, val)?;
            if found.loss < best.loss {
                (share, best.loss) = (part, found.loss);
            }
        }
    }
    let graph = if share < 1.0 { between(start, &best.graph, share) } else { best.graph };
    let after = val.map(|val| judge(&graph, val)).transpose()?;
    Ok(TuneFit { graph, epochs, before, kept: best.kept, share, after })
}

/// The epoch of least loss so far.
struct Best {
    kept: usize,
    loss: f64,
    graph: Bound,
}

/// What the loss of these rows changes by, of each parameter that learns.
fn gradients(
    learner: &Learner,
    train: &Examples<'_>,
    rows: &[usize],
    loss: &Loss<'_>,
    tally: &mut Tally,
) -> Result<Vec<Option<Vec<f32>>>, HeadFitError> {
    let (dim, outputs) = (train.dim(), train.outputs());
    let mut x = vec![0.0; rows.len() * dim];
    for (&row, x) in rows.iter().zip(x.chunks_exact_mut(dim)) {
        train.features().read(row, x);
    }
    let run = learner.run(&Inputs { samples: rows.len(), ends: &[], given: &[&x] })?;
    let mut slopes = run.outputs()[0].clone();
    let scaler = loss.scaler();
    // Classes count once, labels and numbers by themselves.
    let part = match train.truth() {
        Truth::Class(_) => 1.0 / rows.len() as f32,
        Truth::Labels(_) | Truth::Numbers(_) => 1.0 / (rows.len() * outputs) as f32,
    };
    for (&row, slopes) in rows.iter().zip(slopes.chunks_exact_mut(outputs)) {
        if let Some(scaler) = scaler {
            let scores = slopes.iter_mut().enumerate();
            scores.for_each(|(output, y)| *y = scaler.scale(output, f64::from(*y)) as f32);
        }
        tally.push(outputs, loss.errors(row, slopes));
        for (output, slope) in slopes.iter_mut().enumerate() {
            let factor =
                scaler.map_or(1.0, |scaler| (scaler.scale(output, 1.0) - scaler.scale(output, 0.0)) as f32);
            *slope *= part * factor;
        }
    }
    Ok(learner.gradients(run, &[&slopes])?.params)
}

/// The part of the largest step at this one, of so many.
fn rate(settings: &TuneSettings, step: usize, steps: usize) -> f64 {
    let rise = (settings.warm_up * steps as f64).ceil();
    let at = step as f64;
    if at < rise {
        return (at + 1.0) / rise;
    }
    let part = (at - rise) / (steps as f64 - rise).max(1.0);
    0.5 * (1.0 + (std::f64::consts::PI * part).cos())
}

/// Part of the way from one's weights to the other's.
fn between(from: &Bound, to: &Bound, share: f64) -> Bound {
    let mixed = |(from, to): (&Tensor, &Tensor)| {
        let numbers = from.data.iter().zip(&to.data);
        let mix = |(a, b): (&f32, &f32)| ((1.0 - share) * f64::from(*a) + share * f64::from(*b)) as f32;
        Tensor { shape: from.shape.clone(), data: numbers.map(mix).collect() }
    };
    let pairs = from.tensors().zip(to.tensors()).map(|((_, from), (_, to))| (from, to));
    let mut tensors = pairs.map(mixed);
    let filled = Bound::from_tensors(from.network().clone(), "a mean", |_| tensors.next());
    // Of finite numbers all means are finite.
    filled.unwrap_or_else(|_| to.clone())
}

fn check(settings: &TuneSettings) -> Result<(), HeadFitError> {
    let &TuneSettings {
        epochs, batch_size, learning_rate, layer_decay, weight_decay, warm_up, patience, ..
    } = settings;
    let checks = [
        ("epochs", "of 1 or more", epochs as f64, epochs >= 1),
        ("batch size", "of 1 or more", batch_size as f64, batch_size >= 1),
        ("learning rate", "above 0", learning_rate, learning_rate > 0.0 && learning_rate.is_finite()),
        ("layer decay", "above 0 and at most 1", layer_decay, layer_decay > 0.0 && layer_decay <= 1.0),
        ("weight decay", "of 0 or more", weight_decay, weight_decay >= 0.0 && weight_decay.is_finite()),
        ("warm-up", "of 0 or more and below 1", warm_up, (0.0..1.0).contains(&warm_up)),
        ("patience", "of 1 or more", patience.unwrap_or(1) as f64, patience != Some(0)),
    ];
    match checks.into_iter().find(|(.., fine)| !fine) {
        Some((name, expected, got, _)) => Err(HeadFitError::Setting { name, expected, got }),
        None => Ok(()),
    }
}
