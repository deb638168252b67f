//! How far rows are from all that the head was fitted on, where it knows.

use features::{Rows as _, Selection};
use head::{Distances, Head};
use metrics::{
    Measured, Metric, Scale,
    ShownIn::{Page, Summary},
    proportion,
};

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
        for (_, x) in rows.blocks(rows.dim()) {
            distances.extend(measured.of_rows(&x));
        }
        Some(Novelties { distances, threshold: novelty.threshold })
    }

    /// Whether row `at` is unlike anything seen.
    pub(crate) fn is_novel(&self, at: usize) -> bool {
        f64::from(self.distances[at]) > self.threshold
    }

    fn count(&self) -> u64 {
        (0..self.distances.len()).filter(|&at| self.is_novel(at)).count() as u64
    }
}

impl Measured for Novelties {
    const METRICS: &'static [Metric<Novelties>] =
        &[Metric::<Novelties>::new("novelty_rate", "Unlike anything seen", Scale::Share, |of| {
            (of.rows() > 0).then(|| of.count() as f64 / of.rows() as f64)
        })
        .within(|of, _| proportion(of.count(), of.rows()))
        .shown(&[Summary, Page])];

    fn rows(&self) -> u64 {
        self.distances.len() as u64
    }
}
