//! How content becomes a network's input: a [`Recipe`]. Content is [pictures](image) or [texts](text).
//!
//! A kind of content is a folder here, and a variant of [`Recipe`]. Nobody else knows what is in a file.
//!
//! **Invariant:** no network, no normalisation: what leaves this crate are bytes, the same on every instruction set.
//! **Invariant:** pixels are Pillow 13's and torchvision's, to the bit, of every file with nothing wrong in it
//! (`tests/peers/preprocess.py`).
//! **Invariant:** `unsafe` is in `image/simd.rs`, where code that was compiled for AVX2 is called once AVX2 was found, and in
//! `image/decode/jpeg/warnings.rs`, where libjpeg's error manager is filled in.
#![deny(unsafe_code)]

mod batch;
pub mod image;
mod noticed;
mod recipe;
pub mod text;
mod views;

pub use batch::{Batch, Inputs};
pub use noticed::Noticed;
pub use recipe::{BadInput, Recipe};
pub use views::{Augment, Views};

/// Bytes: no file of a sample that is opened is longer.
pub const MOST_FILE: u64 = 1 << 30;

/// How many synthetic probe inputs every features artefact holds the features of.
pub const PROBES: usize = 4;
