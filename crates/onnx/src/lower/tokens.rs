//! Places as tokens, and four places as one.

use super::{Laid, Lowering, Operator, Shape};
use network::{Interpolation, ParamId, positions};

impl Lowering<'_, '_, '_> {
    /// The map as (n, places, d), room before it, and the sum with a table (1, k + places, d): prefix and positions are
    /// added, and positions brought to this size of map, here and now.
    pub(super) fn tokens(
        &mut self,
        prefix: &[ParamId],
        positions: ParamId,
        grid: (usize, usize),
        how: Interpolation,
    ) -> Laid {
        let (Shape::Map { channels: d, height, width }, Shape::Tokens { prefix: before, places, .. }) =
            (self.input_shape(0), self.shape())
        else {
            return self.laid(0);
        };
        let bound = self.graph.bound;
        let data = |id: ParamId| bound.tensor(id).data.as_slice();
        let prefix: Vec<&[f32]> = prefix.iter().map(|param| data(*param)).collect();
        let table = positions::table(&prefix, data(positions), d, grid, (height, width), how);
        let table = self.constant("table", &[1, before + places, d], table);

        let mut x = match self.laid(0).last {
            Some(last) => self.reshaped("places", last, &[0, places, d]),
            None => {
                let x = self.first(0);
                let x = self.reshaped("columns", x, &[0, d, places]);
                self.turned("places", x, &[0, 2, 1])
            }
        };
        if before > 0 {
            x = self.part("room", &Operator::Pad { pads: vec![0, before, 0, 0, 0, 0] }, vec![x]);
        }
        Laid::both(self.whole(&Operator::Add, vec![x, table]))
    }

    /// (n, h, w, c) to (n, h/2, w/2, 4c).
    pub(super) fn merge_patches(&mut self) -> Laid {
        let (Shape::Map { channels, height, width }, Shape::Map { height: rows, width: columns, .. }) =
            (self.input_shape(0), self.shape())
        else {
            return self.laid(0);
        };
        let mut x = self.last(0);
        if (height, width) != (2 * rows, 2 * columns) {
            let pads = vec![0, 0, 0, 0, 0, 2 * rows - height, 2 * columns - width, 0];
            x = self.part("even", &Operator::Pad { pads }, vec![x]);
        }
        let x = self.reshaped("fours", x, &[0, rows, 2, columns, 2, channels]);
        // Upper left, lower left, upper right, lower right: columns go before rows.
        let x = self.turned("columns_first", x, &[0, 1, 3, 4, 2, 5]);
        let value = self.whole(&Operator::Reshape { shape: vec![0, rows, columns, 4 * channels] }, vec![x]);
        self.channels_last(value)
    }
}
