//! Sharing work out over threads.

use rayon::prelude::*;

/// Runs `work` for every task, on all threads of the current rayon pool. Tasks are claimed one by one, since none is
/// small and cores are not equally free.
pub(crate) fn each(tasks: usize, work: impl Fn(usize) + Send + Sync) {
    if tasks == 1 || rayon::current_num_threads() == 1 {
        (0..tasks).for_each(work);
    } else {
        (0..tasks).into_par_iter().with_max_len(1).for_each(work);
    }
}

/// A pointer that tasks write through, each at places of its own.
#[derive(Clone, Copy)]
pub(crate) struct Shared(pub(crate) *mut f32);

// SAFETY: whoever follows the pointer promises (in its own SAFETY line) that tasks use different places.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// A method, so that closures capture the whole and not the bare pointer.
    pub(crate) fn get(self) -> *mut f32 {
        self.0
    }
}
