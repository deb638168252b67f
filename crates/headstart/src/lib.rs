//! Classify pictures by a model that Headstart made, from a program of one's own.
//!
//! ```no_run
//! use headstart::Classifier;
//!
//! let classifier = Classifier::open("model.hst")?;
//! let prediction = classifier.predict("photo.jpg")?;
//! for (class, probability) in prediction.top(3) {
//!     println!("{class} ({:.1} %)", 100.0 * probability);
//! }
//! # Ok::<(), headstart::Error>(())
//! ```
//!
//! `headstart export NAME.head --to bundle -o model.hst` writes the model. What is predicted is what `headstart predict` and
//! `headstart evaluate --predictions` say of the same file, to the bit. `examples/classify.rs` is a whole program.
//!
//! Work is done on the threads of the current rayon pool. Without the feature `program`, which is on by default, nothing is
//! compiled but what this takes.
#![forbid(unsafe_code)]

mod classifier;
mod error;
mod picture;
mod prediction;

pub use classifier::Classifier;
pub use error::Error;
pub use picture::Picture;
pub use prediction::Prediction;
