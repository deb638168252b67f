//! What closed forms need to know of the rows: each class's number and sum, or Σ y xᵀ of labels and numbers, and Σ w x xᵀ. One
//! pass, all in f64.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;
use sample::targets::Task;

use crate::{Examples, TargetScaler, examples::BLOCK, scaling::Scaling};

/// Blocks that are in memory together. Memory only.
const TOGETHER: usize = 8;
/// Rows of the Gram matrix that one thread adds to. Affects bits.
const TILE: usize = 96;

/// Sums over some scaled rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sums {
    /// d, or the number of coordinates.
    pub(crate) dim: usize,
    /// Rows of each class: (C,). Of labels and numbers, all rows: (1,).
    pub(crate) counts: Vec<usize>,
    /// Σ x of each class: (C, d). Of labels and numbers Σ x, (1, d), then Σ y x of each output: (1 + outputs, d).
    pub(crate) of_class: Vec<f64>,
    /// Σ y of each output of labels and numbers: (outputs,).
    pub(crate) totals: Vec<f64>,
    /// Σ w x xᵀ, (d, d) row-major, of which only the lower triangle is there; empty where it was not wanted.
    pub(crate) gram: Vec<f64>,
}

/// Rows to sum, and how.
pub(crate) struct Summed<'a> {
    pub(crate) examples: &'a Examples<'a>,
    pub(crate) scaling: &'a Scaling,
    /// How much a row counts in the Gram matrix, by its class: (C,).
    pub(crate) weights: &'a [f64],
    /// How labels and numbers are scaled; none leaves them out.
    pub(crate) scaler: Option<&'a TargetScaler>,
    /// What to sum instead of the features, where that is: some numbers that follow from each row.
    pub(crate) coordinates: Option<Coordinates<'a>>,
    /// Whether the Gram matrix is wanted.
    pub(crate) gram: bool,
}

/// Other numbers of each row than its features.
#[derive(Clone, Copy)]
pub(crate) struct Coordinates<'a> {
    /// How many.
    pub(crate) dim: usize,
    /// Those of some scaled rows (k, d): (k, dim).
    pub(crate) of: &'a (dyn Fn(&[f64]) -> Vec<f64> + Sync),
}

/// Some rows of a block.
struct Rows {
    /// (k, d)
    x: Vec<f64>,
    /// Which they are: (k,).
    at: Vec<usize>,
}

impl Summed<'_> {
    /// The sums of those rows that `keep` picks.
    ///
    /// Every number is one chain of sums in the rows' order, taken by one thread: the same bits, however many there are.
    pub(crate) fn of(&self, keep: impl Fn(usize) -> bool + Sync) -> Sums {
        let dim = self.dim();
        let starts: Vec<usize> = (0..self.examples.rows()).step_by(BLOCK).collect();
        let (classes, outputs) = match self.examples.task() {
            Task::Class => (self.examples.outputs(), 0),
            Task::Labels | Task::Numbers => (1, self.scaler.map_or(0, |_| self.examples.outputs())),
        };
        let mut sums = Sums {
            dim,
            counts: vec![0; classes],
            of_class: vec![0.0; (classes + outputs) * dim],
            totals: vec![0.0; outputs],
            gram: vec![0.0; if self.gram { dim * dim } else { 0 }],
        };
        for starts in starts.chunks(TOGETHER) {
            let blocks: Vec<Rows> = starts.par_iter().map(|&start| self.read(start, &keep)).collect();
            for block in &blocks {
                sums.count(block, self.examples, self.scaler);
            }
            sums.gram.par_chunks_mut(TILE * dim).enumerate().for_each(|(tile, gram)| {
                blocks.iter().for_each(|block| self.multiply(block, tile * TILE, gram));
            });
        }
        sums
    }

    fn read(&self, first: usize, keep: &(impl Fn(usize) -> bool + Sync)) -> Rows {
        let dim = self.examples.dim();
        let count = BLOCK.min(self.examples.rows() - first);
        let mut block = vec![0.0; count * dim];
        self.scaling.read(self.examples.features(), first, &mut block);
        let kept = || (first..first + count).zip(block.chunks_exact(dim)).filter(|(row, _)| keep(*row));
        let x: Vec<f64> = kept().flat_map(|(_, x)| x.iter().copied().map(f64::from)).collect();
        Rows {
            x: match self.coordinates {
                Some(coordinates) => (coordinates.of)(&x),
                None => x,
            },
            at: kept().map(|(row, _)| row).collect(),
        }
    }

    /// Numbers of a row that are summed.
    fn dim(&self) -> usize {
        self.coordinates.map_or(self.examples.dim(), |coordinates| coordinates.dim)
    }

    /// Adds Σ w x xᵀ of a block to some rows of the matrix, from row `first` on, as far as the diagonal.
    fn multiply(&self, block: &Rows, first: usize, gram: &mut [f64]) {
        let dim = self.dim();
        let (rows, count) = (gram.len() / dim, block.at.len());
        let x = MatRef::from_row_major_slice(&block.x, count, dim);
        let own = x.subcols(first, rows);
        let to = MatMut::from_row_major_slice_mut(gram, rows, dim).subcols_mut(0, first + rows);
        if self.weights.iter().all(|&weight| weight == 1.0) {
            matmul(to, Accum::Add, own.transpose(), x.subcols(0, first + rows), 1.0, Par::Seq);
            return;
        }
        let labels = self.examples.labels();
        let weight =
            |row: usize| labels.get(block.at[row]).map_or(1.0, |&label| self.weights[label as usize]);
        let own = faer::Mat::from_fn(count, rows, |row, column| own[(row, column)] * weight(row));
        matmul(to, Accum::Add, own.transpose(), x.subcols(0, first + rows), 1.0, Par::Seq);
    }
}

impl Sums {
    fn count(&mut self, block: &Rows, examples: &Examples<'_>, scaler: Option<&TargetScaler>) {
        for (x, &row) in block.x.chunks_exact(self.dim).zip(&block.at) {
            let class = examples.labels().get(row).map_or(0, |&label| label as usize);
            self.counts[class] += 1;
            let sum = &mut self.of_class[class * self.dim..][..self.dim];
            sum.iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
            let (Task::Labels | Task::Numbers, Some(scaler)) = (examples.task(), scaler) else { continue };
            let values = &examples.values()[row * examples.outputs()..];
            let products = self.of_class[self.dim..].chunks_exact_mut(self.dim);
            for (output, ((sum, total), &value)) in products.zip(&mut self.totals).zip(values).enumerate() {
                let y = scaler.scale(output, value);
                *total += y;
                sum.iter_mut().zip(x).for_each(|(sum, x)| *sum += y * x);
            }
        }
    }

    /// Takes the rows of `part`, which are among these, out again.
    pub(crate) fn without(&self, part: &Sums) -> Sums {
        let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        Sums {
            dim: self.dim,
            counts: self.counts.iter().zip(&part.counts).map(|(all, part)| all - part).collect(),
            of_class: apart(&self.of_class, &part.of_class),
            totals: apart(&self.totals, &part.totals),
            gram: apart(&self.gram, &part.gram),
        }
    }

    /// The largest number on the Gram matrix's diagonal.
    pub(crate) fn largest_square(&self) -> f64 {
        (0..self.dim).fold(0.0, |largest, at| self.gram[at * self.dim + at].max(largest))
    }

    /// Subtracts Σ w m mᵀ from the Gram matrix, over rows `m` of `means` (k, d) and their `weights` (k,).
    pub(crate) fn centre(&mut self, means: &[f64], weights: &[f64]) {
        for (i, row) in self.gram.chunks_exact_mut(self.dim).enumerate() {
            for (mean, weight) in means.chunks_exact(self.dim).zip(weights) {
                let factor = weight * mean[i];
                row[..=i].iter_mut().zip(mean).for_each(|(value, m)| *value -= factor * m);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use features::Matrix;
    use sample::targets::Truth;

    #[test]
    fn sums_are_those_of_the_definition_and_folds_can_be_taken_out() {
        let (n, dim) = (700, 130);
        let x: Vec<f32> = (0..n * dim).map(|i| ((i * 7919 + i / 7) % 1013) as f32 / 500.0 - 1.0).collect();
        let matrix = Matrix::new(&x, dim).unwrap();
        let truth = Truth::Class((0..n).map(|row| (row % 3) as u32).collect());
        let examples = Examples::new(&matrix, &truth, 3).unwrap();
        let scaling = Scaling::identity(dim);
        let weights = [1.0, 0.5, 3.0];
        let summed = Summed {
            examples: &examples,
            scaling: &scaling,
            weights: &weights,
            scaler: None,
            coordinates: None,
            gram: true,
        };
        let (all, part) = (summed.of(|_| true), summed.of(|row| row % 5 == 0));
        let rest = all.without(&part);
        let expected = |keep: &dyn Fn(usize) -> bool, i: usize, j: usize| -> f64 {
            let rows = (0..n).filter(|&row| keep(row));
            let x = |row: usize, column: usize| f64::from(x[row * dim + column]);
            rows.map(|row| weights[row % 3] * x(row, i) * x(row, j)).sum()
        };
        for i in (0..dim).step_by(7) {
            for j in (0..=i).step_by(5) {
                assert!((all.gram[i * dim + j] - expected(&|_| true, i, j)).abs() < 1e-9);
                assert!((rest.gram[i * dim + j] - expected(&|row| row % 5 != 0, i, j)).abs() < 1e-9);
            }
        }
        assert_eq!((all.counts, rest.counts), (vec![234, 233, 233], vec![187, 187, 186]));
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| summed.of(|row| row % 5 == 0)), part);
        }
    }
}
