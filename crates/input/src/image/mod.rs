//! Pictures: a file becomes a [`Picture`] ([`decode`]), a picture becomes a network's input bytes ([`prepare`]), or both
//! at once ([`load`]), which decodes no more than is needed. [`load_views`] makes augmented copies as well.

mod augment;
mod bad_image;
mod decode;
mod picture;
mod prepare;
mod preprocessing;
mod probe;
mod resample;
#[cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "calls code compiled for AVX2 where the processor has it")
)]
mod simd;
mod thumbnail;

pub use augment::{AUGMENTATIONS, Change, ChangeKind, Drawn, load_views};
pub use bad_image::{BadImage, Format, MAX_PIXELS};
#[doc(hidden)]
pub use decode::decode_jpeg_both;
pub use decode::{decode, decoder};
pub use picture::Picture;
pub use prepare::{Loaded, load, prepare, resized_size};
pub use preprocessing::{
    Channels, CropRounding, Decode, Filter, Grey16, Preprocessing, PreprocessingError, Resize,
};
pub use probe::{probe, probes};
pub use resample::resize;
pub use thumbnail::{sketch, thumbnail};
