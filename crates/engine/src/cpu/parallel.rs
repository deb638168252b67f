//! Sharing work out over threads.

use super::{crew, gemm::Lane, simd::LANES};
use rayon::prelude::*;
use std::cell::Cell;

thread_local! {
    /// Whether this thread works on a picture of its own.
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// Threads that share out the work at hand.
pub(crate) fn threads() -> usize {
    if ALONE.get() { 1 } else { rayon::current_num_threads() }
}

/// Runs `work` on this thread only, whatever it shares out. It must not wait for other threads.
pub(crate) fn alone<R>(work: impl FnOnce() -> R) -> R {
    /// Also where `work` panics: the thread goes on in its pool.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            ALONE.set(self.0);
        }
    }
    let _restore = Restore(ALONE.replace(true));
    work()
}

/// Runs `work` for every task, on all threads of the current rayon pool. Tasks are claimed one by one: they should be
/// large enough for that, and cores are not equally free.
pub(crate) fn each(tasks: usize, work: impl Fn(usize) + Send + Sync) {
    if tasks <= 1 || threads() == 1 {
        (0..tasks).for_each(work);
    } else if !crew::by_all(tasks, &work) {
        (0..tasks).into_par_iter().with_max_len(1).for_each(work);
    }
}

/// [`each`] where it is worth waking other threads. numbers: what a task reads and writes, about, or an eighth of what it multiplies.
pub(crate) fn each_of(tasks: usize, numbers: usize, work: impl Fn(usize) + Send + Sync) {
    let little = if crew::is_awake() { LITTLE / 16 } else { LITTLE };
    if tasks.saturating_mul(numbers) < little {
        (0..tasks).for_each(work);
    } else {
        each(tasks, work);
    }
}

/// [`each`] for pieces of a slice, `length` blocks long: as many of them make a task as are worth it.
pub(crate) fn each_piece(to: &mut [Lane], length: usize, work: impl Fn(usize, &mut [Lane]) + Send + Sync) {
    let pieces = to.len() / length;
    let to = Shared::writing(to);
    each_line(pieces, length * LANES, |piece| {
        // SAFETY: every task has a piece of its own, and all lie within `to`.
        let to =
            unsafe { std::slice::from_raw_parts_mut(to.get().cast::<Lane>().add(piece * length), length) };
        work(piece, to);
    });
}

/// [`each`] for lines of a map, `numbers` long: as many of them make a task as are worth it.
pub(crate) fn each_line(lines: usize, numbers: usize, work: impl Fn(usize) + Send + Sync) {
    let together = (LINES / numbers.max(1)).clamp(1, lines.max(1));
    each_of(lines.div_ceil(together), together.saturating_mul(numbers), |task| {
        (task * together..lines.min((task + 1) * together)).for_each(&work);
    });
}

/// Numbers that are worth a task, about.
const LINES: usize = 1 << 15;
/// Numbers that one thread is done with before another has woken: some 10 µs. Where it is awake, a part of them.
const LITTLE: usize = 1 << 16;

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

    /// An address.
    pub(crate) fn at(at: *mut f32) -> Shared {
        Shared(at)
    }

    /// A method, so that closures capture the whole and not the bare pointer.
    pub(crate) fn get(self) -> *mut f32 {
        self.0
    }
}
