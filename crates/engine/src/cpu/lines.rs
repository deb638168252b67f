//! Some lines of a map at a time.

use super::{form::Out, gemm::Lane, parallel::Shared};
use std::ops::Range;

/// Where kernels read and write maps: pointers to where each map begins.
///
/// Not all of a map has to be there. Whoever runs a kernel on some lines promises that those lines of the result and of
/// the residual, and those of the input that they see, lie where they would if the whole map began at the pointer. It may
/// point outside of all memory: kernels count from it with `wrapping_add` alone.
#[derive(Clone, Copy)]
pub(crate) struct Maps {
    pub(crate) input: Shared,
    /// Null for none.
    pub(crate) residual: Shared,
    pub(crate) out: Out,
}

impl Maps {
    /// Whole maps.
    pub(crate) fn new(input: &[Lane], residual: Option<&[Lane]>, out: Out) -> Maps {
        Maps { input: Shared::reading(input), residual: residual.map_or(Shared::NULL, Shared::reading), out }
    }
}

/// The lines of a map of `height` lines that windows of (extent, stride, padding) see for some lines of the result.
pub(crate) fn window(
    lines: Range<usize>,
    (extent, stride, padding): (usize, usize, usize),
    height: usize,
) -> Range<usize> {
    let first = (lines.start * stride).saturating_sub(padding).min(height);
    let end = ((lines.end - 1) * stride + extent).saturating_sub(padding).clamp(first, height);
    first..end
}
