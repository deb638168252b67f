//! How outputs of networks make the row that a head takes.

use crate::{ModelError, Tower};
use head::Head;
use store::Dtype;

/// Where each output's numbers lie in a head's row, and how they were stored when the head was fitted.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Of each tower, of each output: first number, length and number format.
    towers: Vec<Vec<(usize, usize, Dtype)>>,
    dim: usize,
}

impl Layout {
    /// Of the outputs that the towers' graphs have.
    ///
    /// # Errors
    /// Where a graph does not work at its pictures' size, or outputs are not as long together as the head's rows.
    pub fn new(head: &Head, towers: &[Tower]) -> Result<Layout, ModelError> {
        let mut of_source = vec![0; head.sources.len()];
        for tower in towers {
            let (height, width) = tower.size().ok_or(ModelError::Widths)?;
            for (&source, width) in tower.sources.iter().zip(tower.bound.network().widths(height, width)?) {
                of_source[source] = width;
            }
        }
        let start = |source: usize| of_source[..source].iter().sum::<usize>();
        let place = |&source: &usize| (start(source), of_source[source], head.sources[source].dtype());
        let places = towers.iter().map(|tower| tower.sources.iter().map(place).collect()).collect();
        let dim = of_source.iter().sum();
        if dim == head.dim() { Ok(Layout { towers: places, dim }) } else { Err(ModelError::Widths) }
    }

    /// d, the length of a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Where an output's numbers lie in a row.
    pub fn columns(&self, tower: usize) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        self.towers[tower].iter().map(|&(start, width, _)| start..start + width)
    }

    /// Puts row `at` of a tower's outputs, one (n, d) matrix each, into its places in `row` (d,), as they are: as a head keeps
    /// those of its probes.
    ///
    /// # Panics
    /// Where an output has fewer rows, or `row` is shorter.
    pub fn put_exact(&self, tower: usize, outputs: &[Vec<f32>], at: usize, row: &mut [f32]) {
        for (&(start, width, _), output) in self.towers[tower].iter().zip(outputs) {
            row[start..start + width].copy_from_slice(&output[at * width..][..width]);
        }
    }

    /// The same, rounded as features of the head's were when they were stored.
    ///
    /// # Panics
    /// Where an output has fewer rows, or `row` is shorter.
    pub fn put(&self, tower: usize, outputs: &[Vec<f32>], at: usize, row: &mut [f32]) {
        self.put_exact(tower, outputs, at, row);
        for &(start, width, dtype) in self.towers[tower].iter().filter(|(.., dtype)| *dtype != Dtype::F32) {
            let (place, mut bytes) = (&mut row[start..start + width], Vec::new());
            dtype.encode(place, &mut bytes);
            dtype.decode(&bytes, place);
        }
    }
}
