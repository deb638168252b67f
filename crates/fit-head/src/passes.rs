//! How far a fit by passes over the rows has come, on the progress line.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use cli::{Progress, Session};
use head::{Step, default_penalties};

/// Passes of one penalty before anything is said of the time that is left.
const FIRST: usize = 4;

/// The progress line of a sweep, or of a single fit.
pub(crate) struct Passes {
    progress: Progress,
    /// The first pass of the penalty at hand.
    first: Mutex<Option<(Instant, Step)>>,
}

impl Passes {
    /// Of a fit at each of `l2`, or of the usual path where there are none.
    pub(crate) fn new(session: &Session, l2: &[f64]) -> Passes {
        let penalties = if l2.is_empty() { default_penalties().len() } else { l2.len() };
        Passes { progress: session.progress(penalties as u64, "penalty"), first: Mutex::new(None) }
    }

    /// One more penalty is done.
    pub(crate) fn advance(&self) {
        self.progress.advance(1);
    }

    /// Says how far the penalty at hand has come.
    pub(crate) fn tell(&self, step: Step) {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let (begun, first) = match *first {
            Some(known) if step.pass > 1 => known,
            _ => *first.insert((Instant::now(), step)),
        };
        let left = left(first, step, begun.elapsed());
        let left = left.map_or(String::new(), |left| format!(", about {} s left of it", left.as_secs() + 1));
        self.progress.tell(&format!("l2 {}: pass {}{left}", crate::fit::round(step.l2), step.pass));
    }
}

/// The time to the tolerance, where gradients go on falling by the same factor a pass, as those of L-BFGS about do.
fn left(first: Step, now: Step, elapsed: Duration) -> Option<Duration> {
    if now.pass < FIRST || now.tolerance <= 0.0 || now.gradient >= first.gradient {
        return None;
    }
    let fallen = (first.gradient / now.gradient).ln();
    let to_fall = (now.gradient / now.tolerance).ln().max(0.0);
    Duration::try_from_secs_f64(elapsed.as_secs_f64() * to_fall / fallen).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_follows_from_what_has_fallen() {
        let step = |pass, gradient| Step { l2: 1.0, pass, gradient, tolerance: 1e-4 };
        let elapsed = Duration::from_secs(10);
        // Two of three decades in ten seconds.
        let near = left(step(1, 0.1), step(8, 1e-3), elapsed).unwrap();
        assert!((near.as_secs_f64() - 5.0).abs() < 1e-9, "{near:?}");
        assert_eq!(left(step(1, 0.1), step(8, 1e-5), elapsed), Some(Duration::ZERO));
        assert_eq!(left(step(1, 0.1), step(2, 1e-3), elapsed), None);
        assert_eq!(left(step(1, 0.1), step(9, 0.2), elapsed), None);
        assert_eq!(left(step(1, 0.1), Step { tolerance: 0.0, ..step(9, 0.01) }, elapsed), None);
    }
}
