//! Sharing work out over threads.

use super::gemm::Lane;
use rayon::prelude::*;

/// Runs `work` for every task, on all threads of the current rayon pool. Tasks are claimed one by one: they should be
/// large enough for that, and cores are not equally free.
pub(crate) fn each(tasks: usize, work: impl Fn(usize) + Send + Sync) {
    if tasks == 1 || rayon::current_num_threads() == 1 {
        (0..tasks).for_each(work);
    } else {
        (0..tasks).into_par_iter().with_max_len(1).for_each(work);
    }
}

/// [`each`] for lines of a map, `numbers` long: as many of them make a task as are worth it.
pub(crate) fn each_line(lines: usize, numbers: usize, work: impl Fn(usize) + Send + Sync) {
    let together = (LINES / numbers.max(1)).clamp(1, lines.max(1));
    each(lines.div_ceil(together), |task| {
        (task * together..lines.min((task + 1) * together)).for_each(&work);
    });
}

/// Numbers that are worth a task, about.
const LINES: usize = 1 << 15;

/// A pointer that tasks read, or write at places of their own.
#[derive(Clone, Copy)]
pub(crate) struct Shared(*mut f32);

// SAFETY: whoever follows the pointer promises (in its own SAFETY line) that tasks use different places.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// Nothing.
    pub(crate) const NULL: Shared = Shared(std::ptr::null_mut());

    /// Blocks that will be written.
    pub(crate) fn writing(lanes: &mut [Lane]) -> Shared {
        Shared(lanes.as_mut_ptr().cast())
    }

    /// Blocks that will only be read.
    pub(crate) fn reading(lanes: &[Lane]) -> Shared {
        Shared(lanes.as_ptr().cast::<f32>().cast_mut())
    }

    /// A method, so that closures capture the whole and not the bare pointer.
    pub(crate) fn get(self) -> *mut f32 {
        self.0
    }
}
