//! Samples: which files belong to a data set, and what pixels they hold.
//!
//! A data set is a folder tree or a manifest ([`DataSet::open`]); a file becomes a [`Picture`] ([`decode`]), a picture
//! becomes a network's input bytes ([`prepare`]), or both at once ([`load`]), which decodes no more than is needed; [`load_views`] makes augmented copies as well. Nothing here runs a network or knows what a feature is; channel order
//! and normalisation are the engine's.
//!
//! **Invariant:** pixels are Pillow 13's and torchvision's, to the bit, of every file with nothing wrong in it (`tests/peers/preprocess.py`).
//! **Invariant:** an id is a relative, `/`-separated path; samples are sorted by its bytes, classes by theirs.
//! **Invariant:** `unsafe` is in `simd.rs`, where code that was compiled for AVX2 is called once AVX2 was found, and in
//! `decode/jpeg/warnings.rs`, where libjpeg's error manager is filled in.
#![deny(unsafe_code)]

mod augment;
mod bad_image;
mod data_set;
mod decode;
mod error;
mod folder;
mod manifest;
mod noticed;
mod passed;
mod picture;
mod prepare;
mod probe;
mod ratios;
mod resample;
#[expect(unsafe_code, reason = "calls code compiled for AVX2 where the processor has it")]
mod simd;
mod thumbnail;

pub use augment::{AUGMENTATIONS, Change, ChangeKind, Drawn, load_views};
pub use bad_image::{BadImage, Format, MAX_PIXELS};
pub use data_set::{DataSet, Doubt, Sample};
#[doc(hidden)]
pub use decode::decode_jpeg_both;
pub use decode::{decode, decoder};
pub use error::DatasetError;
pub use folder::EXTENSIONS;
pub use noticed::Noticed;
pub use passed::Passed;
pub use picture::Picture;
pub use prepare::{Loaded, load, prepare, resized_size};
pub use probe::{probe, probes};
pub use ratios::{Ratios, RatiosError};
pub use resample::resize;
pub use thumbnail::{fingerprint, thumbnail};
