//! How far rows are from all that the head was fitted on, where it knows.

use std::convert::Infallible;

use artifact::{Head, Rows as _, Selection};
use head::Distances;
use metrics::{Interval, proportion};

use crate::blocks::for_each_block;

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
        let mut distances = Vec::with_capacity(rows.len());
        let Ok(()) = for_each_block(rows, rows.dim(), |_, x| {
            distances.extend(measured.of_rows(x));
            Ok::<_, Infallible>(())
        });
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
        ((rows > 0).then(|| novel as f64 / rows as f64), proportion(novel, rows))
    }
}
