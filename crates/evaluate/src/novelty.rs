//! How far rows are from all that the head was fitted on, where it knows.

use artifact::{Head, Rows as _, Selection};
use head::Distances;
use metrics::{Interval, wilson};

/// Rows that are read together.
const BLOCK: usize = 1024;

/// The distance of each row from the nearest class, and the one beyond which a row is novel.
pub(crate) struct Novelties {
    pub(crate) distances: Vec<f32>,
    threshold: f64,
}

impl Novelties {
    /// `None` where the head does not know.
    pub(crate) fn of(head: &Head, rows: &Selection<'_>) -> Option<Novelties> {
        let novelty = head.novelty.as_ref()?;
        let measured = Distances::of(novelty);
        let (n, dim) = (rows.len(), rows.dim());
        let mut x = vec![0.0; BLOCK.min(n) * dim];
        let mut distances = Vec::with_capacity(n);
        for first in (0..n).step_by(BLOCK) {
            let x = &mut x[..BLOCK.min(n - first) * dim];
            rows.read(first, x);
            distances.extend(measured.of_rows(x));
        }
        Some(Novelties { distances, threshold: novelty.threshold })
    }

    /// Whether row `at` is unlike anything seen.
    pub(crate) fn is_novel(&self, at: usize) -> bool {
        f64::from(self.distances[at]) > self.threshold
    }

    /// The part of the rows that are, with its interval.
    pub(crate) fn rate(&self) -> (Option<f64>, Option<Interval>) {
        let rows = self.distances.len() as u64;
        let novel = (0..self.distances.len()).filter(|&at| self.is_novel(at)).count() as u64;
        ((rows > 0).then(|| novel as f64 / rows as f64), wilson(novel, rows))
    }
}
