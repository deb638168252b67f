//! A picture of the data in two dimensions.

mod affinities;
mod axes;
mod layout;
mod place;

use features::Rows;

use crate::{ReviewError, products::Packed, rows::scale_to_unit};

/// Rows that are laid out by t-SNE itself, at most; the others are placed among them.
const LANDMARKS: usize = 5000;

/// Where each row lies on a map, (n, 2) f32, both coordinates within [−1, 1]: rows that are alike lie together, how far
/// apart groups lie says little.
///
/// The 50 leading principal directions, rows scaled to length one; t-SNE (van der Maaten and Hinton, JMLR 2008) of at most
/// 5,000 landmarks spread evenly over the rows, started from the first two directions, with the settings of Kobak and
/// Berens (Nature Communications 2019); every other row goes where its nearest landmarks are.
///
/// Nothing is drawn at random but the start of the search for directions, from a fixed seed; bits do not depend on threads.
///
/// # Errors
/// No rows, or more than 2³² − 1.
pub fn map(rows: &dyn Rows) -> Result<Vec<f32>, ReviewError> {
    let (mut values, dim) = axes::coordinates(rows)?;
    scale_to_unit(&mut values, dim);
    let n = rows.len();
    let count = n.min(LANDMARKS);
    let landmarks: Vec<f32> =
        (0..count).flat_map(|i| &values[i * n / count * dim..][..dim]).copied().collect();
    let packed = Packed::of(&landmarks, dim);
    let affinities = affinities::Affinities::of(&landmarks, &packed);
    let start: Vec<[f32; 2]> =
        landmarks.chunks_exact(dim).map(|row| [row[0], *row.get(1).unwrap_or(&0.0)]).collect();
    let laid = layout::lay_out(&affinities, start);
    let mut out = if count == n { laid } else { place::place(&values, &packed, &laid) };
    fit(&mut out);
    Ok(out.into_flattened())
}

/// Centres the map on zero and scales it into [−1, 1].
fn fit(points: &mut [[f32; 2]]) {
    let bounds = |axis: usize| {
        let values = points.iter().map(|point| point[axis]);
        values
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let (x, y) = (bounds(0), bounds(1));
    let half = ((x.1 - x.0).max(y.1 - y.0) / 2.0).max(f32::MIN_POSITIVE);
    for [a, b] in points {
        *a = ((*a - (x.0 + x.1) / 2.0) / half).clamp(-1.0, 1.0);
        *b = ((*b - (y.0 + y.1) / 2.0) / half).clamp(-1.0, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use features::Matrix;

    const DIM: usize = 20;

    /// Rows around five centres, in turn.
    fn clusters(n: usize) -> Vec<f32> {
        let mut random = Random::new(8);
        (0..n * DIM).map(|i| random.centred() + if i % DIM % 5 == i / DIM % 5 { 2.0 } else { 0.0 }).collect()
    }

    fn drawn(n: usize) -> Vec<f32> {
        map(&Matrix::new(&clusters(n), DIM).unwrap()).unwrap()
    }

    /// The part of rows whose nearest other row on the map is of the same cluster.
    fn purity(points: &[f32]) -> f64 {
        let (points, _) = points.as_chunks::<2>();
        let distance = |a: usize, b: usize| (points[a][0] - points[b][0]).hypot(points[a][1] - points[b][1]);
        let nearest = |row: usize| {
            let others = (0..points.len()).filter(|&other| other != row);
            others.min_by(|&a, &b| distance(row, a).total_cmp(&distance(row, b))).unwrap()
        };
        (0..points.len()).filter(|&row| nearest(row) % 5 == row % 5).count() as f64 / points.len() as f64
    }

    #[test]
    fn clusters_stay_together() {
        let points = drawn(600);
        assert!(points.iter().all(|value| (-1.0..=1.0).contains(value)));
        assert!(purity(&points) > 0.97, "{}", purity(&points));
    }

    #[test]
    fn rows_that_are_no_landmarks_are_placed() {
        let n = LANDMARKS + 700;
        let points = drawn(n);
        assert!(purity(&points) > 0.97, "{}", purity(&points));
    }

    #[test]
    fn bits_do_not_depend_on_threads() {
        let run = |threads| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| drawn(300))
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(5));
    }

    #[test]
    fn few_rows_have_a_map() {
        for n in 1..8 {
            assert!(drawn(n).iter().all(|value| value.is_finite()), "{n} rows");
        }
        let same = map(&Matrix::new(&[3.0; 60], 2).unwrap()).unwrap();
        assert!(same.iter().all(|value| value.is_finite()));
        assert_eq!(map(&Matrix::new(&[1.0, 2.0, 5.0, 9.0], 1).unwrap()).unwrap().len(), 8);
    }
}
