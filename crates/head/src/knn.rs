//! Nearest neighbours by cosine, with votes weighted as in DINO (Caron et al., 2021, appendix F.1).

use crate::Memory;
use rayon::prelude::*;
use sample::targets::Truth;
use weights::Dense;

use crate::{Examples, HeadFitError, examples::BLOCK, logits::Logits};

/// T: DINO's.
const TEMPERATURE: f64 = 0.07;
/// Remembered rows that are compared with all others before the next. Memory only.
const TOGETHER: usize = 1024;

/// Remembers all of `examples`, of which the `neighbours` nearest vote.
///
/// # Errors
/// Examples that no head can be fitted on, no neighbours, or more than there are rows.
pub fn fit_knn(examples: &Examples<'_>, neighbours: usize) -> Result<Memory, HeadFitError> {
    examples.check_trainable()?;
    let (n, dim) = (examples.rows(), examples.dim());
    if !(1..=n).contains(&neighbours) {
        let expected = "of 1 or more, and no more than there are rows";
        return Err(HeadFitError::Setting { name: "neighbours", expected, got: neighbours as f64 });
    }
    let mut rows = vec![0.0; n * dim];
    rows.par_chunks_mut(BLOCK * dim).enumerate().for_each(|(block, rows)| {
        examples.features().read(block * BLOCK, rows);
        rows.chunks_exact_mut(dim).for_each(normalise);
    });
    let truth = match examples.truth() {
        Truth::Numbers(values) => Truth::Numbers(values.iter().map(|&y| f64::from(y as f32)).collect()),
        other => other.clone(),
    };
    Ok(Memory { neighbours, temperature: TEMPERATURE, dim, rows, truth })
}

/// A memory made ready for block after block of rows.
pub(crate) struct Voters {
    /// Cosines are layers without biases: some remembered rows each.
    parts: Vec<Logits>,
    truth: Truth,
    neighbours: usize,
    temperature: f64,
    dim: usize,
    outputs: usize,
}

/// A remembered row and its cosine.
type Neighbour = (f32, u32);

impl Voters {
    pub(crate) fn of(memory: &Memory, outputs: usize) -> Voters {
        let &Memory { neighbours, temperature, dim, .. } = memory;
        let part = |rows: &[f32]| {
            let outputs = rows.len() / dim;
            Logits::of(&[Dense { inputs: dim, outputs, weight: rows.to_vec(), bias: vec![0.0; outputs] }])
        };
        let parts = memory.rows.chunks(TOGETHER * dim).map(part).collect();
        Voters { parts, truth: memory.truth.clone(), neighbours, temperature, dim, outputs }
    }

    /// What the nearest K remembered rows say of rows `x` (n, d), each counting w = exp(cosine / T), of equally near ones the
    /// first remembered: (n, outputs).
    ///
    /// Classes get the logarithm of their part of the votes. One more vote, which counts as much as theirs on average, is
    /// spread evenly over all classes, so that no class is impossible. Labels get the log odds of their part, of which one more
    /// vote of the same weight is half for and half against. Numbers are the weighted means of the neighbours'. A row's scores
    /// depend on the row alone: not on the others, nor on the number of threads.
    ///
    /// # Panics
    /// Where `x` is not a whole number of rows.
    pub(crate) fn of_rows(&self, x: &[f32]) -> Vec<f32> {
        assert_eq!(x.len() % self.dim, 0, "rows of {} values", self.dim);
        let mut unit = x.to_vec();
        unit.par_chunks_mut(self.dim).for_each(normalise);
        let mut nearest: Vec<Vec<Neighbour>> =
            vec![Vec::with_capacity(self.neighbours + 1); x.len() / self.dim];
        for (at, part) in self.parts.iter().enumerate() {
            let cosines = part.of_rows(&unit);
            let width = cosines.len() / nearest.len().max(1);
            nearest.par_iter_mut().zip(cosines.par_chunks(width.max(1))).for_each(|(nearest, cosines)| {
                for (&cosine, row) in cosines.iter().zip((at * TOGETHER) as u32..) {
                    // Beyond 1 it is rounding.
                    insert(nearest, (cosine.clamp(-1.0, 1.0), row), self.neighbours);
                }
            });
        }
        nearest.par_iter().map(|nearest| self.tally(nearest)).collect::<Vec<_>>().concat()
    }

    fn tally(&self, nearest: &[Neighbour]) -> Vec<f32> {
        let top = nearest.first().map_or(0.0, |(cosine, _)| f64::from(*cosine));
        let votes = nearest
            .iter()
            .map(|&(cosine, row)| (((f64::from(cosine) - top) / self.temperature).exp(), row as usize));
        let mut own = vec![0.0; self.outputs];
        match &self.truth {
            Truth::Class(labels) => votes.for_each(|(vote, row)| own[labels[row] as usize] += vote),
            Truth::Labels(values) | Truth::Numbers(values) => {
                let total: f64 = votes.clone().map(|(vote, _)| vote).sum();
                for (vote, row) in votes {
                    let values = &values[row * self.outputs..];
                    own.iter_mut().zip(values).for_each(|(own, value)| *own += vote * value);
                }
                let even = total / self.neighbours as f64;
                let odds = |own: f64| ((own + even / 2.0) / (total - own + even / 2.0)).ln();
                let is_labels = matches!(self.truth, Truth::Labels(_));
                let score = |own: f64| if is_labels { odds(own) } else { own / total };
                return own.into_iter().map(|own| score(own) as f32).collect();
            }
        }
        let total: f64 = own.iter().sum();
        let even = total / self.neighbours as f64;
        let share = |own: f64| (own + even / self.outputs as f64) / (total + even);
        own.into_iter().map(|own| share(own).ln() as f32).collect()
    }
}

/// Keeps the `most` nearest, the nearest first; of equals those that came first.
fn insert(nearest: &mut Vec<Neighbour>, new: Neighbour, most: usize) {
    if nearest.len() == most && nearest.last().is_some_and(|(worst, _)| new.0 <= *worst) {
        return;
    }
    let at = nearest.partition_point(|(cosine, _)| *cosine >= new.0);
    nearest.insert(at, new);
    nearest.truncate(most);
}

/// To length 1; a row of zeros has no direction, and stays.
fn normalise(row: &mut [f32]) {
    let length = row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    if length > 0.0 {
        row.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use features::Matrix;

    fn votes(memory: &Memory, classes: usize, x: &[f32]) -> Vec<f32> {
        Voters::of(memory, classes).of_rows(x)
    }

    fn rows(n: usize, dim: usize, salt: usize) -> Vec<f32> {
        (0..n * dim).map(|i| ((i * 7919 + i / 3 + salt) % 1013) as f32 / 500.0 - 1.0).collect()
    }

    #[test]
    fn votes_are_those_of_the_definition() {
        let (dim, n, classes, k) = (9, 2500, 3, 7);
        let x = rows(n, dim, 0);
        let matrix = Matrix::new(&x, dim).unwrap();
        let labels: Vec<u32> = (0..n).map(|row| (row * row % classes) as u32).collect();
        let labels: Vec<u32> =
            labels.iter().enumerate().map(|(row, l)| if row == 5 { 2 } else { *l }).collect();
        let truth = Truth::Class(labels.clone());
        let memory = fit_knn(&Examples::new(&matrix, &truth, classes).unwrap(), k).unwrap();
        let queries = rows(11, dim, 400);
        let got = votes(&memory, classes, &queries);
        let unit = |row: &[f32]| -> Vec<f64> {
            let length = row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
            row.iter().map(|x| f64::from(*x) / length).collect()
        };
        for (query, got) in queries.chunks_exact(dim).zip(got.chunks_exact(classes)) {
            let query = unit(query);
            let cosine = |row: &[f32]| -> f64 { unit(row).iter().zip(&query).map(|(a, b)| a * b).sum() };
            let mut all: Vec<(f64, u32)> =
                x.chunks_exact(dim).map(cosine).zip(labels.iter().copied()).collect();
            all.sort_by(|a, b| b.0.total_cmp(&a.0));
            let mut shares = [0.0; 3];
            all[..k].iter().for_each(|(cosine, label)| shares[*label as usize] += (cosine / 0.07).exp());
            let total: f64 = shares.iter().sum();
            for (share, got) in shares.iter().zip(got) {
                let expected = (share / total * 7.0 + 1.0 / 3.0) / 8.0;
                assert!((f64::from(*got).exp() - expected).abs() < 1e-5, "{got}, {expected}");
            }
        }
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| votes(&memory, classes, &queries)), got, "{threads} threads");
        }
        for batch in [1, 4] {
            let parts: Vec<f32> =
                queries.chunks(batch * dim).flat_map(|x| votes(&memory, classes, x)).collect();
            assert_eq!(parts, got, "batches of {batch}");
        }
    }

    #[test]
    fn of_equally_near_rows_the_first_vote_and_zeros_do_no_harm() {
        let x = [1.0, 0.0, 2.0, 0.0, 3.0, 0.0, 0.0, 0.0];
        let matrix = Matrix::new(&x, 2).unwrap();
        let truth = Truth::Class(vec![1, 0, 0, 1]);
        let memory = fit_knn(&Examples::new(&matrix, &truth, 2).unwrap(), 1).unwrap();
        let got = votes(&memory, 2, &[5.0, 0.0, 0.0, 0.0]);
        assert_eq!(got, [0.25f64.ln() as f32, 0.75f64.ln() as f32, 0.25f64.ln() as f32, 0.75f64.ln() as f32]);
    }

    #[test]
    fn neighbours_say_which_labels_and_what_numbers() {
        // Unit rows at 0°, 90° and 180° of the query's plane, and the query at 0°.
        let x = [1.0, 0.0, 0.0, 1.0, -1.0, 0.0];
        let matrix = Matrix::new(&x, 2).unwrap();
        let weights = [1.0f64, (-1.0f64 / 0.07).exp()];
        let total: f64 = weights.iter().sum();
        let labels = Truth::Labels(vec![1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
        let memory = fit_knn(&Examples::new(&matrix, &labels, 2).unwrap(), 2).unwrap();
        let got = crate::sigmoid(&votes(&memory, 2, &[3.0, 0.0]));
        for (got, own) in got.iter().zip(weights) {
            let expected = (own + total / 4.0) / (1.5 * total);
            assert!((got - expected).abs() < 1e-6, "{got}, {expected}");
        }
        let numbers = Truth::Numbers(vec![10.0, -1.0, 20.0, 1.0, 1e6, 5.0]);
        let memory = fit_knn(&Examples::new(&matrix, &numbers, 2).unwrap(), 2).unwrap();
        let got = votes(&memory, 2, &[1.0, 1.0]);
        assert!((got[0] - 15.0).abs() < 1e-4 && got[1].abs() < 1e-5, "{got:?}");
    }

    #[test]
    fn impossible_numbers_are_told() {
        let matrix = Matrix::new(&[1.0, 2.0], 1).unwrap();
        let truth = Truth::Class(vec![0, 1]);
        let examples = Examples::new(&matrix, &truth, 2).unwrap();
        for neighbours in [0, 3] {
            let error = fit_knn(&examples, neighbours).unwrap_err();
            assert!(matches!(error, HeadFitError::Setting { name: "neighbours", .. }));
        }
    }
}
