//! When servers may be asked again, for all who ask.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How often is looked whether all is over.
const POLL: Duration = Duration::from_millis(20);

/// Closed while a server has asked to wait.
#[derive(Default)]
pub(crate) struct Gate(Mutex<Option<Instant>>);

impl Gate {
    /// Nobody asks for so long.
    pub(crate) fn close(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut gate = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *gate = Some(gate.map_or(until, |other| other.max(until)));
    }

    /// Waits until asking is allowed; whether it is, since nothing is any more once `over` is set.
    pub(crate) fn pass(&self, over: &[&AtomicBool]) -> bool {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_none_or(|until| sleep_until(until, over)) && !is_over(over)
    }
}

/// Whether that time has come before all was over.
pub(crate) fn sleep(time: Duration, over: &[&AtomicBool]) -> bool {
    sleep_until(Instant::now() + time, over)
}

fn sleep_until(until: Instant, over: &[&AtomicBool]) -> bool {
    loop {
        if is_over(over) {
            return false;
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        thread::sleep(left.min(POLL));
    }
}

fn is_over(over: &[&AtomicBool]) -> bool {
    over.iter().any(|over| over.load(Ordering::Relaxed))
}
