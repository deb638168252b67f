//! How far a row is from all that was fitted on: Mahalanobis' distance to the nearest class (Lee, Lee, Lee and Shin, 2018,
//! equation 2). A head is sure of what lies far out on the right side of its planes, whatever that is; this is not.

use crate::Novelty;
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::{Mat, MatRef, Par, Side};
use rayon::prelude::*;
use sample::targets::Task;
use weights::Dense;

use crate::{
    Examples, HeadFitError, HeldOut,
    examples::BLOCK,
    logits::Logits,
    scaling::Scaling,
    sums::{Summed, Sums},
};

/// Columns at most: the matrix that a head then carries is a quarter of a GiB.
pub const MOST_NOVELTY_COLUMNS: usize = 8192;

/// Fits classes of one shared covariance around their means, or rows of labels or numbers around one mean of all (the
/// marginal distance of Kamoi and Kobayashi, 2020), and finds the distance that `part` of the held-out rows, from 0 to 1, stay within.
///
/// The covariance is that within classes of standardised features, shrunk towards a sphere by as much as its own sampling
/// error asks for (OAS: Chen, Wiesel, Eldar and Hero, 2010, equation 23, without its terms of 2/d as in scikit-learn's `OAS`). Held-out rows are measured by a fit without them:
/// those that were fitted lie too near.
///
/// # Errors
/// A class without rows, more than 8,192 features, held-out rows that do not fit the training rows, a `part` out of range.
pub fn fit_novelty(
    examples: &Examples<'_>,
    held_out: HeldOut<'_>,
    part: f64,
) -> Result<Novelty, HeadFitError> {
    held_out.check(examples)?;
    if examples.dim() > MOST_NOVELTY_COLUMNS {
        return Err(HeadFitError::TooManyFeatures { got: examples.dim(), most: MOST_NOVELTY_COLUMNS });
    }
    if !(part > 0.0 && part <= 1.0) {
        return Err(HeadFitError::Setting { name: "part", expected: "above 0 and at most 1", got: part });
    }
    let absent = examples.counts().iter().position(|&count| count == 0);
    if let (Some(class), Task::Class) = (absent, examples.task()) {
        return Err(HeadFitError::AbsentClass { class });
    }
    let scaling = Scaling::centred(examples.features(), true);
    let weights = vec![1.0; examples.outputs()];
    let summed = Summed {
        examples,
        scaling: &scaling,
        weights: &weights,
        scaler: None,
        coordinates: None,
        gram: true,
    };
    let all = summed.of(|_| true);
    let novelty = normal(all.clone(), &scaling)?;
    let mut distances = match held_out {
        HeldOut::Rows(rows) => distances(&novelty, &rows, |_| true),
        HeldOut::Folds(folds) => {
            let mut distances = Vec::new();
            for fold in 0..folds.count() {
                let own = |row: usize| folds.of(row) == Some(fold);
                let without = all.without(&summed.of(own));
                let judges = |row: usize| folds.judged_by(row) == Some(fold);
                distances.extend(self::distances(&normal(without, &scaling)?, examples, judges));
            }
            distances
        }
    };
    distances.sort_by(f32::total_cmp);
    // As many of the rows as `part` says, or the next more.
    let last = ((part * distances.len() as f64).ceil() as usize).clamp(1, distances.len().max(1)) - 1;
    let threshold = distances.get(last).copied().ok_or(HeadFitError::NothingHeldOut)?;
    if novelty.means.iter().any(|value| !value.is_finite()) {
        return Err(HeadFitError::OutOfRange);
    }
    Ok(Novelty { threshold: f64::from(threshold), ..novelty })
}

/// Classes that are normal with one covariance, from the sums of their scaled rows.
fn normal(mut sums: Sums, scaling: &Scaling) -> Result<Novelty, HeadFitError> {
    let (dim, rows) = (sums.dim, sums.counts.iter().sum::<usize>() as f64);
    let counts: Vec<f64> = sums.counts.iter().map(|&count| count as f64).collect();
    let mut means = sums.of_class.clone();
    for (mean, count) in means.chunks_exact_mut(dim).zip(&counts) {
        // A class that is in no row of a fold is nowhere: at the mean of all, which is zero.
        mean.iter_mut().for_each(|value| *value /= count.max(1.0));
    }
    sums.centre(&means, &counts);
    let mut covariance = sums.gram;
    covariance.iter_mut().for_each(|value| *value /= rows);
    shrink(&mut covariance, dim, rows);
    let root = MatRef::from_row_major_slice(&covariance, dim, dim)
        .llt(Side::Lower)
        .map_err(|_| HeadFitError::NoEigenvectors { dim })?;
    let mut inverse = Mat::<f64>::zeros(dim, dim);
    invert_lower_triangular(inverse.as_mut(), root.L(), Par::Seq);
    let whitened = |row: &[f64]| -> Vec<f64> {
        let product = |i: usize| (0..=i).map(|j| inverse[(i, j)] * row[j]).sum::<f64>();
        (0..dim).map(product).collect()
    };
    let means = means.par_chunks_exact(dim).flat_map_iter(&whitened).map(|value| value as f32).collect();
    let weight: Vec<f64> = (0..dim * dim).map(|at| inverse[(at / dim, at % dim)]).collect();
    Ok(Novelty { whitening: scaling.fold(&weight, &vec![0.0; dim])?, means, threshold: f64::INFINITY })
}

/// Takes a part of a covariance (d, d), of which the lower triangle is there, from a sphere of the same trace.
fn shrink(covariance: &mut [f64], dim: usize, rows: f64) {
    let d = dim as f64;
    let trace: f64 = (0..dim).map(|at| covariance[at * dim + at]).sum();
    let squares: f64 = covariance
        .chunks_exact(dim)
        .enumerate()
        .map(|(i, row)| 2.0 * row[..i].iter().map(|value| value * value).sum::<f64>() + row[i] * row[i])
        .sum();
    let spread = (rows + 1.0) * (squares - trace * trace / d);
    let needed = squares + trace * trace;
    // A sphere already, or of one column.
    let share = if spread > 0.0 { (needed / spread).clamp(0.0, 1.0) } else { 1.0 };
    // Columns that say nothing spread nowhere: rounding is left of them, and anything new there is far.
    let sphere = (share * trace / d).max(1e-9 * (trace / d).max(f64::MIN_POSITIVE)).max(1e-30);
    for (i, row) in covariance.chunks_exact_mut(dim).enumerate() {
        row[..i].iter_mut().for_each(|value| *value *= 1.0 - share);
        row[i] = (1.0 - share) * row[i] + sphere;
    }
}

/// Of the rows that `keep` picks, in order.
fn distances(novelty: &Novelty, rows: &Examples<'_>, keep: impl Fn(usize) -> bool + Sync) -> Vec<f32> {
    let (n, dim) = (rows.rows(), rows.dim());
    let measured = Distances::of(novelty);
    let starts: Vec<usize> = (0..n).step_by(BLOCK).collect();
    let block = |&first: &usize| -> Vec<f32> {
        let mut x = vec![0.0; BLOCK.min(n - first) * dim];
        rows.features().read(first, &mut x);
        let kept = x.chunks_exact(dim).enumerate().filter(|(at, _)| keep(first + at));
        measured.of_rows(&kept.flat_map(|(_, row)| row).copied().collect::<Vec<_>>())
    };
    starts.par_iter().map(block).collect::<Vec<_>>().concat()
}

/// A [`Novelty`] made ready for block after block of rows.
pub struct Distances {
    whitening: Logits,
    /// z · m − ½ ‖m‖² of each class's mean m, the largest of which is the nearest's.
    nearness: Logits,
    /// (C, d)
    means: Vec<f32>,
    dim: usize,
}

impl Distances {
    /// Lays its numbers out anew.
    pub fn of(novelty: &Novelty) -> Distances {
        let Novelty { whitening, means, .. } = novelty;
        let dim = whitening.outputs;
        let half = |mean: &[f32]| -0.5 * mean.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>();
        let bias: Vec<f32> = means.chunks_exact(dim).map(|mean| half(mean) as f32).collect();
        let nearness = Dense { inputs: dim, outputs: bias.len(), weight: means.clone(), bias };
        Distances {
            whitening: Logits::of(std::slice::from_ref(whitening)),
            nearness: Logits::of(&[nearness]),
            means: means.clone(),
            dim,
        }
    }

    /// The distance of each row of `x` (n, d) from the nearest class, in standard deviations: √(‖z − m‖² / d), about 1 for
    /// what was fitted. A row's distance depends on the row alone.
    ///
    /// # Panics
    /// Where `x` is not a whole number of rows.
    pub fn of_rows(&self, x: &[f32]) -> Vec<f32> {
        let whitened = self.whitening.of_rows(x);
        let classes = self.means.len() / self.dim;
        let nearness = self.nearness.of_rows(&whitened);
        let rows = whitened.par_chunks_exact(self.dim).zip(nearness.par_chunks_exact(classes));
        rows.map(|(z, nearness)| {
            let nearest =
                (0..classes).fold(0, |best, at| if nearness[at] > nearness[best] { at } else { best });
            let mean = &self.means[nearest * self.dim..][..self.dim];
            let apart = |(z, m): (&f32, &f32)| (f64::from(*z) - f64::from(*m)).powi(2);
            (z.iter().zip(mean).map(apart).sum::<f64>() / self.dim as f64).sqrt() as f32
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Folds;
    use features::Matrix;
    use sample::targets::Truth;

    /// Two classes apart along the first column, which correlates with the second; and a column that says nothing.
    fn world(n: usize) -> (Vec<f32>, Truth) {
        let noise = |i: usize| ((i * 7919 + i / 3) % 1013) as f32 / 506.5 - 1.0;
        let labels: Vec<u32> = (0..n).map(|row| (row % 2) as u32).collect();
        let row = |row: usize| {
            let first = noise(3 * row) + 10.0 * (row % 2) as f32;
            [first, first + 0.1 * noise(3 * row + 1), 5.0, 1e3 + noise(3 * row + 2)]
        };
        ((0..n).flat_map(row).collect(), Truth::Class(labels))
    }

    #[test]
    fn what_breaks_with_what_was_seen_is_far_and_the_threshold_keeps_its_promise() {
        let (x, labels) = world(600);
        let matrix = Matrix::new(&x, 4).unwrap();
        let examples = Examples::new(&matrix, &labels, 2).unwrap();
        let folds = Folds::stratified(labels.classes(), 2, 5, 0).unwrap();
        for part in [0.5, 0.95] {
            let novelty = fit_novelty(&examples, HeldOut::Folds(&folds), part).unwrap();
            let distances = Distances::of(&novelty);
            let seen = distances.of_rows(&x);
            let within = seen.iter().filter(|&&d| f64::from(d) <= novelty.threshold).count() as f64 / 600.0;
            assert!((within - part).abs() < 0.03, "{within} within, {part} asked for");
            let far = |row: [f32; 4]| f64::from(distances.of_rows(&row)[0]);
            // Between the classes; against the correlation, with every value as usual; where nothing ever changed.
            for row in [[5.0, 5.0, 5.0, 1e3], [0.0, 1.0, 5.0, 1e3], [0.0, 0.0, 6.0, 1e3]] {
                assert!(far(row) > 2.0 * novelty.threshold, "{row:?} at {}", far(row));
            }
            assert!(far([10.0, 10.0, 5.0, 1e3]) < novelty.threshold.min(1.0));
        }
    }

    #[test]
    fn distances_are_those_of_the_definition_for_any_number_of_threads() {
        let (x, labels) = world(500);
        let matrix = Matrix::new(&x, 4).unwrap();
        let examples = Examples::new(&matrix, &labels, 2).unwrap();
        let fit = || fit_novelty(&examples, HeldOut::Rows(examples), 1.0).unwrap();
        let novelty = fit();
        // What is within classes is whitened: a mean square of 1, but for the column of four that says nothing, and where
        // shrinkage widens a narrow direction.
        let mean = |distances: Vec<f32>| {
            distances.iter().map(|&d| f64::from(d).powi(2)).sum::<f64>() / distances.len() as f64
        };
        let got = Distances::of(&novelty).of_rows(&x);
        assert!((0.4..0.75).contains(&mean(got.clone())), "{}", mean(got.clone()));
        assert_eq!(novelty.threshold, f64::from(got.iter().copied().fold(0.0, f32::max)));
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(fit), novelty);
        }
    }

    #[test]
    fn rows_of_numbers_lie_around_one_mean() {
        let (x, _) = world(400);
        let matrix = Matrix::new(&x, 4).unwrap();
        let truth = Truth::Numbers((0..800).map(f64::from).collect());
        let examples = Examples::new(&matrix, &truth, 2).unwrap();
        let folds = Folds::stratified(&[0; 400], 1, 5, 0).unwrap();
        let novelty = fit_novelty(&examples, HeldOut::Folds(&folds), 0.95).unwrap();
        assert_eq!(novelty.means.len(), 4);
        let far = |row: [f32; 4]| f64::from(Distances::of(&novelty).of_rows(&row)[0]);
        // Between the groups is where the mean is; against the correlation nothing ever was.
        assert!(far([5.0, 5.0, 5.0, 1e3]) < novelty.threshold);
        assert!(far([0.0, 5.0, 5.0, 1e3]) > 2.0 * novelty.threshold);
    }

    #[test]
    fn impossible_settings_are_told() {
        let (x, labels) = world(10);
        let matrix = Matrix::new(&x, 4).unwrap();
        let examples = Examples::new(&matrix, &labels, 2).unwrap();
        for part in [0.0, 1.5, f64::NAN] {
            let error = fit_novelty(&examples, HeldOut::Rows(examples), part).unwrap_err();
            assert!(matches!(error, HeadFitError::Setting { name: "part", .. }), "{error}");
        }
    }
}
