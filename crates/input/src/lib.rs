//! How content becomes a network's input. So far content is [pictures](image).
//!
//! **Invariant:** no network, no normalisation: what leaves this crate are bytes, the same on every instruction set.
//! **Invariant:** pixels are Pillow 13's and torchvision's, to the bit, of every file with nothing wrong in it
//! (`tests/peers/preprocess.py`).
//! **Invariant:** `unsafe` is in `image/simd.rs`, where code that was compiled for AVX2 is called once AVX2 was found, and in
//! `image/decode/jpeg/warnings.rs`, where libjpeg's error manager is filled in.
#![deny(unsafe_code)]

pub mod image;

/// How many synthetic probe inputs every features artefact holds the features of.
pub const PROBES: usize = 4;
