//! Our own engine on NVIDIA's cards: the same networks, compiled once for one size of picture, or for texts of any length, to
//! launches of our own kernels (`kernels/`, in CUDA C++). Nothing of NVIDIA's but the driver is needed to run them.
//!
//! The engine is written against [`Card`]; with the Cargo feature `cuda` there is a real one.

pub mod arguments;
mod card;
mod compile;
#[cfg(feature = "cuda")]
#[expect(unsafe_code, reason = "the driver is C")]
mod driver;
mod engine;
mod part;
mod plan;
mod products;
mod slot;
mod texts;
mod unit;
mod work;

pub use card::{Address, Card, CardError, Description, Launch, Queue};
#[cfg(feature = "cuda")]
pub use driver::Driver;
pub use engine::{Collected, Cuda, Spent};
pub use products::Unit;

/// Goes into every artefact, with the precision and the kind of card; changes whenever bits do, those of prepared pictures too.
pub const REVISION: &str = "cuda-1";
