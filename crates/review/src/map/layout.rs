//! t-SNE: moves points until neighbours on the map are neighbours in the data.
//!
//! Forces between all pairs are summed exactly, sixteen points at a time; for 5,000 points that takes no longer than a
//! tree's approximation (Barnes and Hut) would, and every sum has its fixed order.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::affinities::Affinities;

/// Steps with affinities exaggerated, in which clusters form, and steps without.
const STEPS: [usize; 2] = [150, 350];
/// How much affinities are exaggerated at first.
const EXAGGERATION: f32 = 12.0;
/// Part of the last step that is taken again, in the same two parts.
const MOMENTUM: [f32; 2] = [0.5, 0.8];
/// The standard deviation of the first coordinate at the start.
const START: f64 = 1e-4;
/// Points of which a vector's lanes sum at a time. Part of the bits.
const WIDTH: usize = 16;
/// Where the points lie that fill the last vector: so far off that they push nobody.
const NOWHERE: f32 = 1e15;
/// Points that a thread takes at a time. Does not affect bits.
const BLOCK: usize = 64;

/// Lays points out, starting from `start` (n, 2) scaled down.
pub(super) fn lay_out(affinities: &Affinities, start: Vec<[f32; 2]>) -> Vec<[f32; 2]> {
    let n = start.len();
    let mut points = start;
    scale_down(&mut points);
    // Belkina et al., Nature Communications 2019: the step grows with the points, whose forces shrink with them.
    let rate = (n as f32 / EXAGGERATION).max(50.0);
    let (mut moves, mut gains) = (vec![[0.0f32; 2]; n], vec![[1.0f32; 2]; n]);
    for (phase, &steps) in STEPS.iter().enumerate() {
        let exaggeration = if phase == 0 { EXAGGERATION } else { 1.0 };
        for _ in 0..steps {
            let gradient = gradient(affinities, &points, exaggeration);
            let state = points.par_iter_mut().zip(&mut moves).zip(&mut gains).zip(&gradient);
            state.with_min_len(512).for_each(|(((point, last), gain), gradient)| {
                for axis in 0..2 {
                    // Jacobs' rule: steps grow while they keep their direction.
                    let kept = (gradient[axis] > 0.0) != (last[axis] > 0.0);
                    gain[axis] = if kept { gain[axis] + 0.2 } else { (gain[axis] * 0.8).max(0.01) };
                    last[axis] = MOMENTUM[phase] * last[axis] - rate * gain[axis] * gradient[axis];
                    point[axis] += last[axis];
                }
            });
            centre(&mut points);
        }
    }
    points
}

fn scale_down(points: &mut [[f32; 2]]) {
    centre(points);
    let square: f64 = points.iter().map(|point| f64::from(point[0]).powi(2)).sum();
    let deviation = (square / points.len() as f64).sqrt();
    if deviation > 0.0 {
        let factor = (START / deviation) as f32;
        points.iter_mut().flatten().for_each(|value| *value *= factor);
    }
}

fn centre(points: &mut [[f32; 2]]) {
    for axis in 0..2 {
        let mean = points.iter().map(|point| f64::from(point[axis])).sum::<f64>() / points.len() as f64;
        points.iter_mut().for_each(|point| point[axis] -= mean as f32);
    }
}

/// The gradient of the divergence of affinities on the map from those in the data (van der Maaten 2014, equation 5).
fn gradient(affinities: &Affinities, points: &[[f32; 2]], exaggeration: f32) -> Vec<[f32; 2]> {
    let lanes = Lanes::of(points);
    let mut pushes = vec![Push::default(); points.len()];
    pushes.par_chunks_mut(BLOCK).zip(points.par_chunks(BLOCK)).for_each(|(pushes, points)| {
        Arch::new().dispatch(Pushes { points, lanes: &lanes, pushes });
    });
    let total: f64 = pushes.iter().map(|push| f64::from(push.weight)).sum();
    // A lone point is pushed by nobody.
    let scale = if total > 0.0 { (1.0 / total) as f32 } else { 0.0 };
    let mut out = vec![[0.0; 2]; points.len()];
    out.par_iter_mut().with_min_len(BLOCK).enumerate().for_each(|(row, out)| {
        let [x, y] = points[row];
        let mut pull = [0.0f32; 2];
        for &(other, p) in &affinities.entries[affinities.starts[row]..affinities.starts[row + 1]] {
            let [a, b] = points[other as usize];
            let (dx, dy) = (x - a, y - b);
            let weight = p / (1.0 + dx * dx + dy * dy);
            pull[0] += weight * dx;
            pull[1] += weight * dy;
        }
        for axis in 0..2 {
            out[axis] = 4.0 * (exaggeration * pull[axis] - scale * pushes[row].force[axis]);
        }
    });
    out
}

/// Coordinates apart, filled up to whole vectors.
struct Lanes {
    x: Vec<[f32; WIDTH]>,
    y: Vec<[f32; WIDTH]>,
}

impl Lanes {
    fn of(points: &[[f32; 2]]) -> Lanes {
        let axis = |axis: usize| {
            let fill = |chunk: &[[f32; 2]]| {
                let mut lanes = [NOWHERE; WIDTH];
                lanes.iter_mut().zip(chunk).for_each(|(lane, point)| *lane = point[axis]);
                lanes
            };
            points.chunks(WIDTH).map(fill).collect()
        };
        Lanes { x: axis(0), y: axis(1) }
    }
}

/// What all others do to a point: Σ w² (y − other) and Σ w, where w = 1 / (1 + distance²).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Push {
    force: [f32; 2],
    weight: f32,
}

/// Works out the `pushes` on some points.
struct Pushes<'a> {
    points: &'a [[f32; 2]],
    lanes: &'a Lanes,
    pushes: &'a mut [Push],
}

impl WithSimd for Pushes<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (push, &point) in self.pushes.iter_mut().zip(self.points) {
            *push = push_on(simd, point, self.lanes);
        }
    }
}

#[inline(always)]
fn push_on<S: Simd>(simd: S, point: [f32; 2], lanes: &Lanes) -> Push {
    let (one, x, y) = (simd.splat_f32s(1.0), simd.splat_f32s(point[0]), simd.splat_f32s(point[1]));
    let mut sums = [[0.0f32; WIDTH]; 3];
    // A vector's lanes are some of the sixteen; whatever its width, each of these has a chain of its own.
    for part in 0..WIDTH / S::F32_LANES {
        let (mut force_x, mut force_y, mut total) =
            (simd.splat_f32s(0.0), simd.splat_f32s(0.0), simd.splat_f32s(0.0));
        for (xs, ys) in lanes.x.iter().zip(&lanes.y) {
            let (xs, ys) = (S::as_simd_f32s(xs).0[part], S::as_simd_f32s(ys).0[part]);
            let (dx, dy) = (simd.sub_f32s(x, xs), simd.sub_f32s(y, ys));
            let square = simd.mul_add_f32s(dx, dx, simd.mul_add_f32s(dy, dy, one));
            let weight = simd.div_f32s(one, square);
            let squared = simd.mul_f32s(weight, weight);
            total = simd.add_f32s(total, weight);
            force_x = simd.mul_add_f32s(squared, dx, force_x);
            force_y = simd.mul_add_f32s(squared, dy, force_y);
        }
        for (sums, value) in sums.iter_mut().zip([force_x, force_y, total]) {
            S::as_mut_simd_f32s(sums).0[part] = value;
        }
    }
    let [force_x, force_y, total] = sums.map(|sums| sums.iter().sum());
    // The point itself is among those summed, with weight 1 and no force.
    Push { force: [force_x, force_y], weight: total - 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn bits_do_not_depend_on_the_instruction_set() {
        let mut random = Random::new(8);
        let points: Vec<[f32; 2]> = (0..53).map(|_| [random.centred(), random.centred()]).collect();
        let lanes = Lanes::of(&points);
        let (mut best, mut plain) = (vec![Push::default(); 53], vec![Push::default(); 53]);
        Arch::new().dispatch(Pushes { points: &points, lanes: &lanes, pushes: &mut best });
        Pushes { points: &points, lanes: &lanes, pushes: &mut plain }.with_simd(pulp::Scalar);
        assert_eq!(best, plain);
    }

    #[test]
    fn pushes_equal_the_definition() {
        let mut random = Random::new(7);
        let points: Vec<[f32; 2]> =
            (0..77).map(|_| [9.0 * random.centred(), 9.0 * random.centred()]).collect();
        let mut pushes = vec![Push::default(); 77];
        Arch::new().dispatch(Pushes { points: &points, lanes: &Lanes::of(&points), pushes: &mut pushes });
        for (i, push) in pushes.iter().enumerate() {
            let mut expected = [0.0f64; 3];
            for (j, other) in points.iter().enumerate().filter(|(j, _)| *j != i) {
                let [dx, dy] = [0, 1].map(|axis| f64::from(points[i][axis]) - f64::from(points[j][axis]));
                let weight = 1.0 / (1.0 + dx * dx + dy * dy);
                assert!(other[0].is_finite());
                [weight * weight * dx, weight * weight * dy, weight]
                    .iter()
                    .zip(&mut expected)
                    .for_each(|(v, e)| *e += v);
            }
            for (got, expected) in [push.force[0], push.force[1], push.weight].into_iter().zip(expected) {
                assert!((f64::from(got) - expected).abs() < 1e-4, "{got} instead of {expected}");
            }
        }
    }
}
