//! How outputs of networks make the row that a head takes.

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
    /// sources: of each tower, which of the head's sources its outputs are; widths: of each tower, those of its outputs. `None`
    /// where they are not as long together as the head's rows.
    pub fn new(head: &Head, sources: &[Vec<usize>], widths: &[&[usize]]) -> Option<Layout> {
        let mut of_source = vec![0; head.sources.len()];
        for (tower, widths) in sources.iter().zip(widths) {
            for (&source, &width) in tower.iter().zip(*widths) {
                of_source[source] = width;
            }
        }
        let start = |source: usize| of_source[..source].iter().sum::<usize>();
        let place = |&source: &usize| (start(source), of_source[source], head.sources[source].dtype());
        let places = sources.iter().map(|tower| tower.iter().map(place).collect()).collect();
        let dim = of_source.iter().sum();
        (dim == head.dim()).then_some(Layout { towers: places, dim })
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
        let mut bytes = Vec::new();
        for (&(start, width, dtype), output) in self.towers[tower].iter().zip(outputs) {
            let (values, place) = (&output[at * width..][..width], &mut row[start..start + width]);
            if dtype == Dtype::F32 {
                place.copy_from_slice(values);
                continue;
            }
            bytes.clear();
            dtype.encode(values, &mut bytes);
            dtype.decode(&bytes, place);
        }
    }
}
