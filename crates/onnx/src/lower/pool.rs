//! Pools, and means over all places or tokens.

use super::{Laid, Lowering, Operator, Shape, adaptive};
use crate::operator::Window;
use network::Pool;

impl Lowering<'_, '_, '_> {
    /// A pool's windows. Where a last one sticks out, the map is padded so far: `ceil_mode` has meant different counts of
    /// windows in different versions of runtimes.
    pub(super) fn window(&self, pool: Pool) -> Window {
        let Pool { kernel, stride, padding, .. } = pool;
        let sides = |shape: Shape| match shape {
            Shape::Map { height, width, .. } => [height, width],
            _ => [1, 1],
        };
        let (before, after) = (sides(self.input_shape(0)), sides(self.shape()));
        let end = |side: usize, windows: usize| {
            padding.max(((windows - 1) * stride + kernel).saturating_sub(side + padding))
        };
        let [bottom, right] = [0, 1].map(|axis| end(before[axis], after[axis]));
        Window { kernel: [kernel; 2], pads: [padding, padding, bottom, right], strides: [stride; 2] }
    }

    /// ONNX has no adaptive average pool: two products with matrices of means.
    pub(super) fn adaptive(&mut self, cells: (usize, usize)) -> Laid {
        let input = self.input_shape(0);
        let (Shape::Map { height, width, .. }, false) = (input, input == self.shape()) else {
            // Every place is its own cell.
            return self.laid(0);
        };
        let x = self.first(0);
        let rows = self.constant("rows", &[cells.0, height], adaptive::rows(cells.0, height));
        let columns = self.constant("columns", &[width, cells.1], adaptive::columns(cells.1, width));
        let half = self.part("half", &Operator::MatMul, vec![rows, x]);
        Laid::first(self.whole(&Operator::MatMul, vec![half, columns]))
    }

    /// Over all places of a map, or over all tokens that are places.
    pub(super) fn mean(&mut self) -> Laid {
        let Shape::Tokens { prefix, places, .. } = self.input_shape(0) else {
            let x = self.first(0);
            let map = self.part("map", &Operator::GlobalAveragePool, vec![x]);
            return Laid::both(self.whole(&Operator::Flatten, vec![map]));
        };
        let mut x = self.last(0);
        if prefix > 0 {
            let slice = Operator::Slice { axis: 1, start: prefix, end: prefix + places };
            x = self.part("places", &slice, vec![x]);
        }
        Laid::both(self.whole(&Operator::ReduceMean { axis: 1 }, vec![x]))
    }
}
