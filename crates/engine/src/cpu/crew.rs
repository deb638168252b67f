//! Threads that stay awake from one step of a network to the next.
//!
//! A step of a single picture takes some 50 µs, and a thread that sleeps about as long to wake. So the pool's other threads look for
//! tasks all the time while a few pictures or texts go through a network, and do nothing else.

use super::parallel::{alone, threads};
use std::{
    any::Any,
    cell::{Cell, UnsafeCell},
    hint::spin_loop,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::yield_now,
};

thread_local! {
    /// That of whoever takes a network's steps on this thread; null for none.
    static OURS: Cell<*const Crew> = const { Cell::new(std::ptr::null()) };
}

/// A task of a step, by its number.
type Work<'a> = &'a (dyn Fn(usize) + Sync);

/// Tasks at hand, and who has done how many.
struct Crew {
    /// [`Tasks`] of the step at hand. While one of them is left or under way, nobody else writes `work`.
    tasks: AtomicU64,
    work: UnsafeCell<Option<Work<'static>>>,
    done: AtomicUsize,
    /// What the first task that panicked said.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    ended: AtomicBool,
}

// SAFETY: `work` is written by the one thread that `OURS` names this crew on, when no task is left; it is read by those who have
// claimed a task, and count it as done after that.
unsafe impl Sync for Crew {}

/// Which step it is, how many tasks it has, and which is next: so a task is claimed of the step that it was seen in, or not at all.
#[derive(Clone, Copy)]
struct Tasks(u64);

/// Bits of each count.
const BITS: u32 = 20;
/// Tasks of a step, at most.
const MOST: usize = (1 << BITS) - 1;

impl Tasks {
    fn count(self) -> usize {
        (self.0 >> BITS) as usize & MOST
    }

    fn next(self) -> usize {
        self.0 as usize & MOST
    }

    /// Of the step after this one.
    fn of_next_step(self, count: usize) -> Tasks {
        let step = (self.0 >> (2 * BITS)).wrapping_add(1);
        Tasks(step << (2 * BITS) | (count as u64) << BITS)
    }
}

/// How often a thread looks for tasks before it lets others have the core: some 100 µs.
const LOOKS: usize = 2000;

/// Waits for something, at first without giving the core away.
#[derive(Default)]
struct Patience(usize);

impl Patience {
    fn wait(&mut self) {
        self.0 += 1;
        if self.0 < LOOKS { spin_loop() } else { yield_now() }
    }
}

impl Crew {
    fn new() -> Crew {
        Crew {
            tasks: AtomicU64::new(0),
            work: UnsafeCell::new(None),
            done: AtomicUsize::new(0),
            panic: Mutex::new(None),
            ended: AtomicBool::new(false),
        }
    }

    /// Does a task, if one is left. Whether one was.
    fn take(&self) -> bool {
        let tasks = Tasks(self.tasks.load(Ordering::Acquire));
        let task = tasks.next();
        if task >= tasks.count() {
            return false;
        }
        if self.tasks.compare_exchange(tasks.0, tasks.0 + 1, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return true;
        }
        // SAFETY: it was written before the tasks were, and stays until this one is done.
        let work = unsafe { (*self.work.get()).expect("tasks have work") };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| alone(|| work(task)))) {
            self.panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(panic);
        }
        self.done.fetch_add(1, Ordering::Release);
        true
    }

    /// Does tasks until all steps are over.
    fn serve(&self) {
        let mut patience = Patience::default();
        while !self.ended.load(Ordering::Acquire) {
            if self.take() {
                patience = Patience::default();
            } else {
                patience.wait();
            }
        }
    }

    /// Has all tasks done.
    ///
    /// # Safety
    /// `OURS` is this crew on this thread, and no task is left.
    unsafe fn run(&self, count: usize, work: Work<'_>) {
        // SAFETY: nobody reads it now, as the caller promises, and nobody will once this has returned.
        unsafe { *self.work.get() = Some(std::mem::transmute::<Work<'_>, Work<'static>>(work)) };
        self.done.store(0, Ordering::Relaxed);
        let tasks = Tasks(self.tasks.load(Ordering::Relaxed)).of_next_step(count);
        self.tasks.store(tasks.0, Ordering::Release);
        while self.take() {}
        let mut patience = Patience::default();
        while self.done.load(Ordering::Acquire) < count {
            patience.wait();
        }
        let panic = self.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

/// Takes a network's steps, each on all threads of the current pool, which stay awake meanwhile.
pub(crate) fn awake<R: Send>(steps: impl FnOnce() -> R + Send) -> R {
    /// Also where a step panics: the others must not wait for ever.
    struct Over<'a>(&'a Crew, *const Crew);
    impl Drop for Over<'_> {
        fn drop(&mut self) {
            OURS.set(self.1);
            self.0.ended.store(true, Ordering::Release);
        }
    }
    let crew = Crew::new();
    rayon::scope(|scope| {
        for _ in 1..rayon::current_num_threads() {
            scope.spawn(|_| crew.serve());
        }
        let _over = Over(&crew, OURS.replace(&raw const crew));
        steps()
    })
}

/// Whether this thread takes a network's steps, and others are awake for them.
pub(crate) fn is_awake() -> bool {
    !OURS.get().is_null()
}

/// Has tasks done by the threads that are awake. Whether there are such.
pub(crate) fn by_all(count: usize, work: Work<'_>) -> bool {
    let ours = OURS.get();
    if ours.is_null() || threads() == 1 {
        return false;
    }
    for first in (0..count).step_by(MOST) {
        // SAFETY: it is there until `awake` is over. No task is left: what runs within one is alone.
        unsafe { (*ours).run(MOST.min(count - first), &|task| work(first + task)) };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::parallel::each;

    fn pool(threads: usize) -> rayon::ThreadPool {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
    }

    #[test]
    fn every_task_of_every_step_is_done_once() {
        for threads in [1, 2, 5] {
            let counts: Vec<AtomicUsize> = (0..300).map(|_| AtomicUsize::new(0)).collect();
            let steps = || {
                for step in 0..2000 {
                    each(step % 300, |task| {
                        counts[task].fetch_add(1, Ordering::Relaxed);
                    });
                    // All of this step are done, and none of the next.
                    let all = counts.iter().map(|count| count.load(Ordering::Relaxed)).sum::<usize>();
                    assert_eq!(all, (0..=step).map(|step| step % 300).sum::<usize>());
                }
            };
            pool(threads).install(|| awake(steps));
        }
    }

    #[test]
    fn a_panic_comes_through_and_leaves_the_pool_whole() {
        let pool = pool(3);
        let run = |bad: usize| {
            let steps = || awake(|| each(50, |task| assert!(task != bad, "as asked")));
            catch_unwind(AssertUnwindSafe(|| pool.install(steps)))
        };
        let message = run(17).unwrap_err();
        assert_eq!(message.downcast_ref(), Some(&"as asked"));
        assert!(run(50).is_ok());
        assert!(pool.broadcast(|_| OURS.get().is_null()).into_iter().all(|is_over| is_over));
    }

    #[test]
    fn several_networks_may_run_in_one_pool() {
        let pool = pool(2);
        let sum = AtomicUsize::new(0);
        let step = || {
            each(7, |task| {
                sum.fetch_add(task, Ordering::Relaxed);
            });
        };
        let network = || awake(|| (0..100).for_each(|_| step()));
        std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(|| pool.install(network)))));
        assert_eq!(sum.into_inner(), 4 * 100 * 21);
    }
}
