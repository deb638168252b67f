//! What `build.rs` made of the kernels.

// TOOLKIT and IMAGES.
include!(concat!(env!("OUT_DIR"), "/kernels.rs"));

/// A file of nvcc's, where the driver may read its words in place.
#[repr(C, align(64))]
pub(super) struct Image<Bytes: ?Sized>(Bytes);

impl Image<[u8]> {
    /// The file.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
