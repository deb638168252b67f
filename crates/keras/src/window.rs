//! Padding, which Keras says by words: `valid` is none, and `same` follows from a map's sides.

use network::{Axis, Padding};

/// What stands around a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Around {
    /// Nothing.
    Valid,
    /// As much as makes ⌈side / stride⌉ windows; less before than behind, where it is uneven.
    Same {
        /// Whether it is as much before as behind.
        is_even: bool,
    },
    /// So many places.
    Places(Padding),
}

/// What stands around a map of `before` (rows, columns) whose windows make one of `after`. Places that no window sees are
/// left out.
pub(crate) fn around(axes: [Axis; 2], before: [usize; 2], after: [usize; 2]) -> Around {
    let seen = |i: usize| {
        let Axis { stride, before: start, .. } = axes[i];
        let end = (after[i] - 1) * stride + reach(axes[i]);
        (start, end.saturating_sub(before[i] + start))
    };
    let [down, across] = [0, 1].map(seen);
    if (down, across) == ((0, 0), (0, 0)) {
        return Around::Valid;
    }
    let fits = |i: usize| {
        let (start, end) = same(axes[i], before[i]);
        after[i] == before[i].div_ceil(axes[i].stride) && [down, across][i] == (start, end)
    };
    if fits(0) && fits(1) {
        return Around::Same { is_even: down.0 == down.1 && across.0 == across.1 };
    }
    Around::Places(Padding { top: down.0, left: across.0, bottom: down.1, right: across.1 })
}

/// What `same` puts before and behind a side.
pub(crate) fn same(axis: Axis, side: usize) -> (usize, usize) {
    let windows = side.div_ceil(axis.stride);
    let total = ((windows.max(1) - 1) * axis.stride + reach(axis)).saturating_sub(side);
    (total / 2, total - total / 2)
}

/// Places from a window's first to its last.
fn reach(axis: Axis) -> usize {
    (axis.kernel - 1) * axis.dilation + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use network::{Pair, Window};

    #[test]
    fn words_are_tensorflows() {
        let places = |all: [usize; 4]| Around::Places(all.into());
        for (kernel, stride, padding, before, after, expected) in [
            (3, 1, [1, 1, 1, 1], 8, 8, Around::Same { is_even: true }),
            (3, 2, [0, 0, 1, 1], 8, 4, Around::Same { is_even: false }),
            // An even side: PyTorch pads in front, TensorFlow behind.
            (3, 2, [1, 1, 1, 1], 8, 4, places([1, 1, 0, 0])),
            (3, 2, [1, 1, 1, 1], 7, 4, Around::Same { is_even: true }),
            (3, 2, [0; 4], 8, 3, Around::Valid),
            // A last window that sticks out.
            (3, 2, [0; 4], 8, 4, Around::Same { is_even: false }),
            (7, 2, [3, 3, 3, 3], 224, 112, places([3, 3, 2, 2])),
            (1, 1, [1, 1, 1, 1], 4, 6, places([1, 1, 1, 1])),
        ] {
            let window = Window {
                kernel: Pair::from(kernel),
                stride: Pair::from(stride),
                padding: padding.into(),
                dilation: Pair::ONE,
            };
            let got = around(window.axes(), [before; 2], [after; 2]);
            assert_eq!(got, expected, "{kernel} by {stride}, {padding:?} of {before}");
        }
    }
}
