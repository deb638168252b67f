//! Pools, and means over all places or tokens.

use super::{Laid, Lowering, Operator, Shape, adaptive};
use crate::operator::Window;
use network::{Padding, Pool};

impl Lowering<'_, '_, '_> {
    /// A pool's windows. Where a last one sticks out, the map is padded so far: `ceil_mode` has meant different counts of
    /// windows in different versions of runtimes.
    pub(super) fn window(&self, pool: Pool) -> Window {
        let Padding { top, left, .. } = pool.padding;
        let [before, after] = [self.input_shape(0), self.shape()].map(sides);
        let end = |axis: usize| {
            let along = pool.window().axes()[axis];
            let seen = (after[axis] - 1) * along.stride + along.kernel;
            along.after.max(seen.saturating_sub(before[axis] + along.before))
        };
        Window {
            kernel: [pool.kernel.y, pool.kernel.x],
            pads: [top, left, end(0), end(1)],
            strides: [pool.stride.y, pool.stride.x],
        }
    }

    /// What an average pool reads, and its windows. Padding that counts is put there as zeros: what sticks out of it does
    /// not count, which no attribute says.
    pub(super) fn average_window(&mut self, pool: Pool) -> (String, Window) {
        let (x, window) = (self.first(0), self.window(pool));
        if !pool.count_include_pad || pool.padding == Padding::NONE {
            return (x, window);
        }
        let Padding { top, left, bottom, right } = pool.padding;
        let padded = Operator::Pad { pads: vec![0, 0, top, left, 0, 0, bottom, right] };
        let [.., down, across] = window.pads;
        (
            self.part("padded", &padded, vec![x]),
            Window { pads: [0, 0, down - bottom, across - right], ..window },
        )
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
        if let Shape::Sequence { .. } = self.input_shape(0) {
            return self.mean_token();
        }
        let Shape::Tokens { prefix, places, .. } = self.input_shape(0) else {
            let x = self.first(0);
            let map = self.part("map", &Operator::GlobalAveragePool, vec![x]);
            return Laid::both(self.whole(&Operator::Flatten, vec![map]));
        };
        let x = self.places(prefix, places);
        Laid::both(self.whole(&Operator::ReduceMean { axis: 1, keeps: false }, vec![x]))
    }

    /// The largest of each channel over the same.
    pub(super) fn largest(&mut self) -> Laid {
        match self.input_shape(0) {
            Shape::Sequence { .. } => self.largest_token(),
            Shape::Tokens { prefix, places, .. } => {
                let x = self.places(prefix, places);
                Laid::both(self.whole(&Operator::ReduceMaxOf { axis: 1 }, vec![x]))
            }
            map => {
                let x = self.first(0);
                let window = Window { kernel: sides(map), pads: [0; 4], strides: [1, 1] };
                let map = self.part("map", &Operator::MaxPool(window), vec![x]);
                Laid::both(self.whole(&Operator::Flatten, vec![map]))
            }
        }
    }

    /// The tokens that are places of a picture.
    fn places(&mut self, prefix: usize, places: usize) -> String {
        let x = self.last(0);
        if prefix == 0 {
            return x;
        }
        let slice = Operator::Slice { axis: 1, start: prefix, end: prefix + places };
        self.part("places", &slice, vec![x])
    }
}

/// Rows and columns.
fn sides(shape: Shape) -> [usize; 2] {
    match shape {
        Shape::Map { height, width, .. } => [height, width],
        _ => [1, 1],
    }
}
