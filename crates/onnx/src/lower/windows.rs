//! What is added to the scores of attention within windows (Liu et al., 2021, "Swin", section 3.2), for one window's side
//! and one size of map.

/// Added where two places must not see each other. A softmax then gives exactly 0, as no row is masked as a whole:
/// every place sees itself.
const UNSEEN: f32 = -1e30;

/// By how much windows are moved along a side: not at all where one window is the whole side.
pub(crate) fn shift(side: usize, window: usize, shift: usize) -> usize {
    if side <= window { 0 } else { shift }
}

/// (heads, window², window²), row the place that looks and column the one that is seen, from a table ((2·window - 1)²,
/// heads) that goes by how far the first is below and right of the second.
pub(crate) fn bias(table: &[f32], heads: usize, window: usize) -> Vec<f32> {
    let places = window * window;
    let row = |at: usize| relative(at / places, at % places, window);
    let of_head = |head: usize| (0..places * places).map(move |at| table[row(at) * heads + head]);
    (0..heads).flat_map(of_head).collect()
}

/// The row of that table for a place that looks and one that is seen.
pub(crate) fn relative(one: usize, other: usize, window: usize) -> usize {
    let far = |one: usize, other: usize| one + window - 1 - other;
    far(one / window, other / window) * (2 * window - 1) + far(one % window, other % window)
}

/// (windows, window², window²) for a map of `sides` (rows, columns) that was moved up and left by `shifts`: 0 where two
/// places were neighbours before, [`UNSEEN`] where the map's end lies between them.
pub(crate) fn mask(sides: (usize, usize), window: usize, shifts: (usize, usize)) -> Vec<f32> {
    let places = window * window;
    // What came over the edge stands last.
    let wrapped = |at: usize, side: usize, shift: usize| at >= side - shift;
    let part = |of: usize, place: usize| {
        let across = sides.1 / window;
        let (y, x) = (of / across * window + place / window, of % across * window + place % window);
        (wrapped(y, sides.0, shifts.0), wrapped(x, sides.1, shifts.1))
    };
    let windows = sides.0 * sides.1 / places;
    let number = |at: usize| {
        let (of, i, j) = (at / (places * places), at / places % places, at % places);
        if part(of, i) == part(of, j) { 0.0 } else { UNSEEN }
    };
    (0..windows * places * places).map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bias_goes_by_how_far_places_are_apart() {
        // torchvision's relative_position_index of a window of 2:
        // [[4, 3, 1, 0], [5, 4, 2, 1], [7, 6, 4, 3], [8, 7, 5, 4]].
        let table: Vec<f32> = (0..9).flat_map(|row| [row as f32, -(row as f32)]).collect();
        let expected = [4., 3., 1., 0., 5., 4., 2., 1., 7., 6., 4., 3., 8., 7., 5., 4.];
        let got = bias(&table, 2, 2);
        assert_eq!(got[..16], expected);
        assert_eq!(got[16..], expected.map(|x| -x));
    }

    #[test]
    fn places_over_the_edge_are_not_seen() {
        // A map of 2×4, windows of 2 moved right by one: the second window holds columns 3 and 0.
        let shifts = (shift(2, 2, 1), shift(4, 2, 1));
        assert_eq!(shifts, (0, 1));
        let got = mask((2, 4), 2, shifts);
        let (o, u) = (0.0, UNSEEN);
        assert_eq!(got[..16], [o; 16]);
        assert_eq!(got[16..], [o, u, o, u, u, o, u, o, o, u, o, u, u, o, u, o]);
    }
}
