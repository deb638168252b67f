//! Networks that learn: what they give for a batch, and what a loss asks of every parameter.
//!
//! A [`Learner`] is a network with its weights, some of which may change. [`Learner::run`] keeps what every step gave, and
//! [`Learner::gradients`] goes back through them. The engines are faster, and remember nothing.
//!
//! Values lie place by place here: of a map, of tokens and of a text, a row for every place. So a 1×1 convolution, a dense layer
//! and a layer norm are one loop for all of them.
//!
//! **Invariant:** the bits of values and gradients do not depend on the number of threads. Parts have fixed sizes, and what they
//! come to is added in order.

#![forbid(unsafe_code)]

mod error;
mod layout;
mod learner;
mod matrix;
mod memory;
mod ops;
mod sums;

pub use error::TrainError;
pub use learner::{Gradients, Inputs, Learner, Run};
