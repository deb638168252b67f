//! Some rows of others.

use features::Rows;
use sample::targets::Truth;

use crate::Examples;

/// Some rows of others, in their order.
pub(crate) struct Subset<'a> {
    rows: &'a dyn Rows,
    kept: Vec<u32>,
}

impl<'a> Subset<'a> {
    /// Those of `examples` that are `kept`, ascending, and what is so of them.
    pub(crate) fn of(examples: &Examples<'a>, kept: Vec<u32>) -> (Subset<'a>, Truth) {
        let truth = examples.truth().select(kept.iter().map(|&row| row as usize), examples.outputs());
        (Subset { rows: examples.features(), kept }, truth)
    }
}

impl Rows for Subset<'_> {
    fn len(&self) -> usize {
        self.kept.len()
    }

    fn dim(&self) -> usize {
        self.rows.dim()
    }

    fn read(&self, first: usize, out: &mut [f32]) {
        let rows: Vec<usize> = (first..first + out.len() / self.dim()).collect();
        self.read_some(&rows, out);
    }

    fn read_some(&self, rows: &[usize], out: &mut [f32]) {
        let rows: Vec<usize> = rows.iter().map(|&row| self.kept[row] as usize).collect();
        self.rows.read_some(&rows, out);
    }
}
