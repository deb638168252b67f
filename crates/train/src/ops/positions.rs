//! Tokens that stand before a map's places, and positions.

use super::{Slopes, Step};
use crate::{
    matrix::{Matrix, multiply_all},
    sums,
};
use network::{Op, Shape, positions};

/// What stands before the places, and is added to them: (k + places, d). `None` of other operations.
pub(super) fn table(step: &Step<'_>) -> Option<Vec<f32>> {
    let (Op::Tokens { prefix, positions, grid, interpolation }, Shape::Map { channels, height, width }) =
        (&step.node.op, step.seen[0])
    else {
        return None;
    };
    let prefix: Vec<&[f32]> = prefix.iter().map(|id| step.param(*id)).collect();
    let positions = step.param(*positions);
    Some(positions::table(&prefix, positions, channels, *grid, (height, width), *interpolation))
}

/// Slopes of what stands before, and of positions.
///
/// Positions of another size are the trained ones times a matrix, which is what becomes of unit vectors.
pub(super) fn back(step: &Step<'_>, slopes: &mut Slopes<'_>, dy: &[f32]) {
    let (
        Op::Tokens { prefix, positions: id, grid, interpolation },
        Shape::Map { channels: d, height, width },
    ) = (&step.node.op, step.seen[0])
    else {
        return;
    };
    if !prefix.iter().chain([id]).any(|id| slopes.learns(*id)) {
        return;
    }
    let of_table = sums::of_columns(dy, step.made.len());
    let mut first = 0;
    for id in prefix {
        let own = step.param(*id).len();
        slopes.param(*id, || of_table[first..first + own].to_vec());
        first += own;
    }
    slopes.param(*id, || {
        let trained = grid.0 * grid.1;
        let before = step.param(*id).len() - trained * d;
        let mut slope = of_table[..before].to_vec();
        let places = &of_table[first..];
        if *grid == (height, width) {
            slope.extend(places);
        } else {
            let mut units = vec![0.0; trained * trained];
            units.iter_mut().step_by(trained + 1).for_each(|unit| *unit = 1.0);
            let size = (height, width);
            let by = positions::table(&[], &units, trained, *grid, size, *interpolation);
            let by = Matrix::new(&by, height * width, trained);
            slope.extend(multiply_all(by.t(), Matrix::new(places, height * width, d)));
        }
        slope
    });
}
