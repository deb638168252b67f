//! Heads on frozen features: the solvers that fit them, and the head's file. No clap.
//!
//! Every fit starts from [`Examples`], which are checked once: rows and what is so of them, their class, their labels or
//! their numbers. It ends in [`weights::Dense`] layers that take *raw* features: whatever scaling a solver wanted is folded
//! back out; or in a [`Memory`] of the rows themselves. [`Scorer`] applies either.
//!
//! **Invariant:** the same examples and settings give the same bits on one machine, whatever the
//! number of threads: products of fixed blocks are taken by one thread each, or by candle's GEMM, whose
//! bits do not depend on it, and every other sum runs over fixed chunks in a fixed order. No random number
//! comes from a global generator.
//!
//! **Invariant:** rows are read in blocks ([`features::Rows`]): memory does not grow with n but for some
//! bytes a row.
#![forbid(unsafe_code)]

mod attention;
mod belonging;
mod class_weights;
mod closed;
mod curve;
mod draws;
mod error;
mod examples;
mod file;
mod folds;
mod held_out;
mod knn;
mod lbfgs;
mod line_search;
mod linear;
mod logits;
mod mlp;
mod mteb;
mod novelty;
mod pass;
mod quality;
mod random;
mod scaling;
mod scores;
mod spectrum;
mod subset;
mod sums;
mod sweep;
mod target_scaler;
mod temperature;
mod tune;
mod vector;

pub use belonging::{Difference, Stranger, choose};
pub use class_weights::ClassWeights;
pub use closed::{ClosedForm, ClosedProblem};
pub use curve::{CurvePoint, learning_curve};
pub use draws::Draws;
pub use error::HeadFitError;
pub use examples::Examples;
pub use file::{HEAD_FILE, Head, HeadError, HeadKind, Memory, Novelty, SeenSamples};
pub use folds::Folds;
pub use held_out::HeldOut;
pub use knn::fit_knn;
pub use linear::{LinearFit, LinearProblem, LinearSettings, Step, Watch, default_penalties};
pub use logits::{logits, sigmoid, softmax};
pub use mlp::{Epoch, Front, MlpFit, MlpSettings, Optimizer, Schedule, fit_mlp};
pub use mteb::fit_mteb;
pub use novelty::{Distances, MOST_NOVELTY_COLUMNS, fit_novelty};
pub use quality::{Quality, quality};
pub use scores::Scorer;
pub use sweep::{Candidate, Sweep};
pub use target_scaler::TargetScaler;
pub use temperature::Temperature;
pub use tune::{TuneFit, TuneSettings, tune};
