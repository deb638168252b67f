//! Rows that were not laid out go where the landmarks are that they are most like.

use rayon::prelude::*;

use crate::{neighbours::nearest, products::Packed};

/// Landmarks that have a say.
const NEAREST: usize = 5;
/// Steps towards the median.
const STEPS: usize = 8;
/// Added to distances that are divided by, in the data (squared, of unit rows) and on the map.
const SOFT: f32 = 1e-3;

/// Positions of all of `values` (n, p): for each row the geometric median of its five nearest landmarks' `positions`,
/// weighted by similarity. (A mean would put rows that are between two clusters into the void between them.)
pub(super) fn place(values: &[f32], landmarks: &Packed, positions: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let count = NEAREST.min(positions.len());
    let (indices, similarities) = nearest(values, landmarks, count, false);
    indices
        .par_chunks_exact(count)
        .zip(similarities.par_chunks_exact(count))
        .map(|(indices, similarities)| {
            let near: Vec<([f32; 2], f32)> = indices
                .iter()
                .zip(similarities)
                .map(|(&at, s)| (positions[at as usize], 1.0 / ((2.0 - 2.0 * s).max(0.0) + SOFT)))
                .collect();
            median(&near)
        })
        .collect()
}

/// Weiszfeld's iteration from the weighted mean.
fn median(points: &[([f32; 2], f32)]) -> [f32; 2] {
    let mut at = mean(points.iter().copied());
    for _ in 0..STEPS {
        let distance = |point: [f32; 2]| (point[0] - at[0]).hypot(point[1] - at[1]) + SOFT;
        at = mean(points.iter().map(|&(point, weight)| (point, weight / distance(point))));
    }
    at
}

fn mean(points: impl Iterator<Item = ([f32; 2], f32)>) -> [f32; 2] {
    let (mut sum, mut total) = ([0.0; 2], 0.0);
    for (point, weight) in points {
        sum[0] += weight * point[0];
        sum[1] += weight * point[1];
        total += weight;
    }
    sum.map(|sum| sum / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minority_elsewhere_does_not_draw_rows_away() {
        let points = [
            ([0.0, 0.0], 1.0),
            ([1.0, 0.0], 1.0),
            ([0.0, 1.0], 1.0),
            ([90.0, 90.0], 1.0),
            ([91.0, 90.0], 1.0),
        ];
        let [x, y] = median(&points);
        assert!(x < 3.0 && y < 3.0, "{x}, {y}");
    }
}
