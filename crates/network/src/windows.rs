//! How Swin divides a map into windows (Liu et al., 2021, section 3.2): places, relative positions, and who sees whom.

/// The windows of a map, shifted or not.
#[derive(Clone, Debug)]
pub struct Windows {
    /// Rows and columns of the map, both multiples of `side`.
    map: (usize, usize),
    side: usize,
    /// By how much windows are moved down and right; not where one window is as high, or as wide, as the map.
    shift: (usize, usize),
}

impl Windows {
    /// Of a map of so many rows and columns, both multiples of `side`, moved by `shift` where more than one fits.
    pub fn new(map: (usize, usize), side: usize, shift: usize) -> Windows {
        let moved = |length| if length <= side { 0 } else { shift };
        Windows { map, side, shift: (moved(map.0), moved(map.1)) }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.map.0 * self.map.1 / (self.side * self.side)
    }

    /// The places of a window, row by row: counted through the map, row by row.
    pub fn places(&self, window: usize) -> Vec<usize> {
        self.inside(window)
            .map(|(y, x)| {
                self.wrapped(y, self.shift.0, self.map.0) * self.map.1
                    + self.wrapped(x, self.shift.1, self.map.1)
            })
            .collect()
    }

    /// Which windows a shift has left in parts: bit 0 for those cut across, bit 1 for those cut down. Windows of one
    /// kind are masked alike.
    pub fn kind(&self, window: usize) -> usize {
        let across = self.map.1 / self.side;
        let cut = |at: usize, count: usize, shift: usize| usize::from(shift > 0 && at + 1 == count);
        cut(window / across, self.map.0 / self.side, self.shift.0)
            + 2 * cut(window % across, across, self.shift.1)
    }

    /// Whether two places of a window of that kind, both counted row by row, were neighbours before the shift.
    fn sees(&self, kind: usize, a: usize, b: usize) -> bool {
        let beyond = |at: usize, shift: usize| at >= self.side - shift;
        let apart = |a: usize, b: usize, shift: usize| beyond(a, shift) != beyond(b, shift);
        !(kind & 1 > 0 && apart(a / self.side, b / self.side, self.shift.0)
            || kind & 2 > 0 && apart(a % self.side, b % self.side, self.shift.1))
    }

    /// The row of the bias table for a query and a key of a window.
    pub fn relative(&self, query: usize, key: usize) -> usize {
        let apart = |q: usize, k: usize| q + self.side - 1 - k;
        apart(query / self.side, key / self.side) * (2 * self.side - 1)
            + apart(query % self.side, key % self.side)
    }

    /// (heads, places, places): what is added to the scores of a window of that kind. Minus infinity hides a key. table:
    /// ((2·side − 1)², heads), by relative position.
    pub fn biases(&self, kind: usize, heads: usize, table: &[f32]) -> Vec<f32> {
        let count = self.side * self.side;
        let bias = |at: usize| {
            let (head, query, key) = (at / (count * count), at / count % count, at % count);
            if self.sees(kind, query, key) {
                table[self.relative(query, key) * heads + head]
            } else {
                f32::NEG_INFINITY
            }
        };
        (0..heads * count * count).map(bias).collect()
    }

    fn inside(&self, window: usize) -> impl Iterator<Item = (usize, usize)> {
        let (across, side) = (self.map.1 / self.side, self.side);
        (0..side * side)
            .map(move |at| (window / across * side + at / side, window % across * side + at % side))
    }

    fn wrapped(&self, at: usize, shift: usize, length: usize) -> usize {
        (at + shift) % length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_wrap_around_and_hide_what_is_no_neighbour() {
        // A 4×6 map in windows of 2, moved by 1: worked out by hand.
        let windows = Windows::new((4, 6), 2, 1);
        assert_eq!(windows.count(), 6);
        assert_eq!(windows.places(0), [7, 8, 13, 14]);
        assert_eq!(windows.places(5), [23, 18, 5, 0]);
        assert_eq!((0..6).map(|i| windows.kind(i)).collect::<Vec<_>>(), [0, 0, 2, 1, 1, 3]);
        let seen = |kind| (0..4).map(|b| windows.sees(kind, 0, b)).collect::<Vec<_>>();
        assert_eq!(seen(0), [true, true, true, true]);
        assert_eq!(seen(1), [true, true, false, false]);
        assert_eq!(seen(2), [true, false, true, false]);
        assert_eq!(seen(3), [true, false, false, false]);
        assert_eq!([windows.relative(0, 0), windows.relative(0, 3), windows.relative(3, 0)], [4, 0, 8]);
        // One window is the whole map: nothing to move.
        let whole = Windows::new((2, 4), 2, 1);
        assert_eq!(whole.places(0), [1, 2, 5, 6]);
        assert_eq!(whole.kind(1), 2);
    }
}
