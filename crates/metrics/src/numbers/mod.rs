//! One number a row or several, and what was guessed for each.

mod catalogue;
mod errors;
mod outcomes;
mod rows;
mod spreads;

pub use outcomes::NumberOutcomes;
pub use rows::NumberError;
