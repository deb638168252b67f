//! Positions of tokens at any size of map: what [`Op::Tokens`](crate::Op::Tokens) adds, worked out once for each size.
//!
//! Engines and the ONNX writer call the one function here, so a model that was exported for a size adds the same bits as
//! the engines do at it.
//!
//! **Invariant:** sums are made in f64 and rounded to f32 once; positions whose grid is the map's are not touched.

use crate::Interpolation;

/// What stands before the places and is added to them: (k + rows·columns, d) for a map of `size` (rows, columns).
///
/// `prefix`: (k_i, d) each, k of them in all. `positions`: (trained rows·columns, d), or with those of the prefix's
/// first tokens before them; `grid` is (trained rows, trained columns). The first k rows of the result are prefix and its positions, the
/// others are the places' positions, row by row.
///
/// # Panics
/// Where lengths are not those that shape inference has checked.
pub fn table(
    prefix: &[&[f32]],
    positions: &[f32],
    d: usize,
    grid: (usize, usize),
    size: (usize, usize),
    interpolation: Interpolation,
) -> Vec<f32> {
    let mut table = prefix.concat();
    let (own, places) = positions.split_at(positions.len() - grid.0 * grid.1 * d);
    assert!(own.len() <= table.len(), "positions of more tokens than there are");
    table.iter_mut().zip(own).for_each(|(token, position)| *token += position);
    if grid == size {
        table.extend(places);
    } else {
        table.extend(interpolate(places, d, grid, size, interpolation));
    }
    table
}

/// (rows·columns, d) of a grid to those of another: along the columns, then along the rows.
fn interpolate(
    places: &[f32],
    d: usize,
    grid: (usize, usize),
    size: (usize, usize),
    how: Interpolation,
) -> Vec<f32> {
    let [rows, columns] = [(grid.0, size.0), (grid.1, size.1)].map(|(from, to)| taps(from, to, how));
    let mut wide = vec![0.0; grid.0 * size.1 * d];
    for (line, source) in wide.chunks_exact_mut(size.1 * d).zip(places.chunks_exact(grid.1 * d)) {
        for (place, taps) in line.chunks_exact_mut(d).zip(&columns) {
            for (from, weight) in taps {
                let source = &source[from * d..][..d];
                place.iter_mut().zip(source).for_each(|(sum, x)| *sum += weight * f64::from(*x));
            }
        }
    }
    let mut result = Vec::with_capacity(size.0 * size.1 * d);
    for taps in &rows {
        let mut line = vec![0.0; size.1 * d];
        for (from, weight) in taps {
            let source = &wide[from * size.1 * d..][..size.1 * d];
            line.iter_mut().zip(source).for_each(|(sum, x)| *sum += weight * x);
        }
        result.extend(line.into_iter().map(|sum| sum as f32));
    }
    result
}

/// For each of `to` places: which of `from` it is made of, and by how much.
fn taps(from: usize, to: usize, how: Interpolation) -> Vec<Vec<(usize, f64)>> {
    let each = |i: usize| match how {
        Interpolation::Antialiased => antialiased(from, from as f64 / to as f64, i),
        Interpolation::Offset => plain(from, from as f64 / (to as f64 + 0.1), i),
        Interpolation::Bicubic => plain(from, from as f64 / to as f64, i),
    };
    (0..to).map(each).collect()
}

/// PyTorch's `upsample_bicubic2d_aa`: a kernel that is stretched where there are fewer places than before, cut at the
/// borders, with weights that add up to one.
fn antialiased(from: usize, scale: f64, i: usize) -> Vec<(usize, f64)> {
    let stretch = scale.max(1.0);
    let centre = scale * (i as f64 + 0.5);
    let start = (centre - 2.0 * stretch + 0.5).max(0.0) as usize;
    let end = ((centre + 2.0 * stretch + 0.5) as usize).min(from);
    let weight = |at: usize| cubic((at as f64 - centre + 0.5) / stretch, -0.5);
    let total: f64 = (start..end).map(weight).sum();
    (start..end).map(|at| (at, weight(at) / total)).collect()
}

/// PyTorch's `upsample_bicubic2d` with `align_corners=False`: four neighbours, of which those outside are the border.
fn plain(from: usize, scale: f64, i: usize) -> Vec<(usize, f64)> {
    let source = scale * (i as f64 + 0.5) - 0.5;
    let first = source.floor() - 1.0;
    let tap = |k: f64| {
        let inside = (first + k).clamp(0.0, (from - 1) as f64);
        (inside as usize, cubic(source - first - k, -0.75))
    };
    [0.0, 1.0, 2.0, 3.0].map(tap).to_vec()
}

/// Keys' cubic convolution kernel (1981, equation 4, with a free `a`).
fn cubic(x: f64, a: f64) -> f64 {
    let x = x.abs();
    if x <= 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * a
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Interpolation::{Antialiased, Offset};

    /// How, from which grid, to which, and what comes of it.
    type Case = (Interpolation, (usize, usize), (usize, usize), &'static [f64]);

    /// (rows·columns, 2) by a formula.
    fn places((rows, columns): (usize, usize)) -> Vec<f32> {
        (0..rows * columns * 2).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0).collect()
    }

    #[test]
    fn interpolations_are_pytorchs() {
        // torch 2.15, in float64. Antialiased: F.interpolate(x, size=size, mode="bicubic", antialias=True).
        // Offset: F.interpolate(x, scale_factor=[(side + 0.1) / trained], mode="bicubic"), as DINOv2 calls it.
        #[rustfmt::skip]
        let cases: [Case; 6] = [
            (Antialiased, (3, 3), (2, 4), &[
                -0.957631355, -0.107874505, 0.145889625, -0.528774921, 0.562690378, -0.425389660, 0.031473134, 0.137467725,
                -0.332631956, 0.444292437, -0.273594540, 0.121209248, 0.143206217, -0.393610363, 0.656472541, -0.777419338,
            ]),
            (Offset, (3, 3), (2, 4), &[
                -1.050485670, -0.153999521, 0.064415517, -0.641842190, 0.585836264, -0.454592730, -0.018709776, 0.405183489,
                -0.322884277, 0.469032556, -0.306666029, 0.170872378, 0.098834782, -0.377877246, 0.660226753, -0.802708546,
            ]),
            (Antialiased, (4, 4), (2, 2), &[
                0.198807457, -0.415493478, -0.365289264, 0.227774065, 0.365289264, 0.102187688, -0.198807457, 0.174126768,
            ]),
            (Offset, (4, 4), (2, 2), &[
                0.154656523, -0.766314844, -0.354517607, 0.627883013, 0.481086015, 0.221611524, -0.412444555, 0.068268826,
            ]),
            (Antialiased, (2, 3), (5, 4), &[
                -1.116936071, -0.271413675, -0.074140890, -0.755943578, 0.342659858, -0.250419990, -0.127831595, 0.928237829,
                -1.051093338, -0.205570939, -0.008298154, -0.666772556, 0.408502596, -0.308683729, -0.061988857, 0.644205035,
                -0.877313445, -0.031791039, 0.165481749, -0.431421894, 0.582282503, -0.462460248, 0.111791048, -0.105447756,
                -0.703533552, 0.141988861, 0.339261651, -0.196071233, 0.756062411, -0.616236767, 0.285570953, -0.855100547,
                -0.637690819, 0.207831597, 0.405104387, -0.106900210, 0.821905149, -0.674500506, 0.351413690, -1.139133340,
            ]),
            (Offset, (2, 3), (5, 4), &[
                -1.155809832, -0.263446492, -0.084225901, -0.816749259, 0.432624522, -0.375503928, -0.125952633, 0.927594869,
                -1.082963703, -0.190600360, -0.011379768, -0.704254906, 0.505470658, -0.416851151, -0.053106499, 0.617733658,
                -0.920454573, -0.028091224, 0.151129371, -0.453296347, 0.667979801, -0.509090799, 0.109402642, -0.073521683,
                -0.754326925, 0.138036430, 0.317257027, -0.196749807, 0.834107463, -0.603384306, 0.275530301, -0.780168895,
                -0.668698006, 0.223665353, 0.402885950, -0.064515328, 0.919736390, -0.651986999, 0.361159227, -1.144403493,
            ]),
        ];
        for (how, grid, size, expected) in cases {
            let got = table(&[], &places(grid), 2, grid, size, how);
            assert_eq!(got.len(), expected.len());
            // One rounding to f32 and nine digits here.
            let far = got.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
            assert!(far < 2e-7, "{how:?} {grid:?} to {size:?}: {far}");
        }
    }

    #[test]
    fn positions_of_the_trained_size_are_left_alone() {
        let known = places((3, 3));
        for how in [Antialiased, Offset] {
            assert_eq!(table(&[], &known, 2, (3, 3), (3, 3), how), known);
        }
    }

    #[test]
    fn the_prefix_has_positions_or_none_or_its_first_tokens_do() {
        let (class, registers, known) = ([1.0, 2.0], [3.0, 4.0, 5.0, 6.0], places((2, 2)));
        let prefix: [&[f32]; 2] = [&class, &registers];
        let expected = [&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &known[..]].concat();
        assert_eq!(table(&prefix, &known, 2, (2, 2), (2, 2), Offset), expected);
        let own = [&[0.5; 6], &known[..]].concat();
        let expected = [&[1.5, 2.5, 3.5, 4.5, 5.5, 6.5], &known[..]].concat();
        assert_eq!(table(&prefix, &own, 2, (2, 2), (2, 2), Offset), expected);
        assert_eq!(table(&prefix, &own, 2, (2, 2), (1, 3), Antialiased)[..6], expected[..6]);
        let own = [&[0.5; 2], &known[..]].concat();
        let expected = [&[1.5, 2.5, 3.0, 4.0, 5.0, 6.0], &known[..]].concat();
        assert_eq!(table(&prefix, &own, 2, (2, 2), (2, 2), Offset), expected);
    }
}
