//! L-BFGS-B (Byrd, Lu, Nocedal and Zhu, 1995) without bounds, as scipy's `minimize` runs it for scikit-learn.
//!
//! Without bounds its compact matrices say the same as the two-loop recursion. [`crate::lbfgs`] takes other steps to the
//! same minimum, and fewer.

use std::collections::VecDeque;

use super::wolfe::{Next, Search};
use crate::vector::{add, largest};

/// Iterations at most: scikit-learn's `max_iter`.
const MOST_ITERATIONS: usize = 100;
/// Largest component of the gradient that ends it: scikit-learn's `tol`.
const TOLERANCE: f64 = 1e-4;
/// Relative decrease of the value that ends it.
const LEAST_DECREASE: f64 = 64.0 * f64::EPSILON;
/// Pairs that are remembered.
const MEMORY: usize = 10;
/// Steps that are tried along a direction: `maxls`.
const MOST_TRIES: usize = 50;

/// One remembered step.
struct Pair {
    /// x' − x
    step: Vec<f64>,
    /// ∇f(x') − ∇f(x)
    change: Vec<f64>,
    /// step · change
    curvature: f64,
}

/// Where a minimisation is.
struct At {
    x: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// Goes down from `x` until it is low enough by scikit-learn's measure. `of` gives value and gradient.
pub(super) fn minimise(x: Vec<f64>, mut of: impl FnMut(&[f64]) -> (f64, Vec<f64>)) -> Vec<f64> {
    let (value, gradient) = of(&x);
    let mut at = At { x, value, gradient };
    let mut pairs: VecDeque<Pair> = VecDeque::new();
    let mut iterations = 0;
    while iterations < MOST_ITERATIONS && largest(&at.gradient) > TOLERANCE {
        let direction = downhill(&pairs, &at.gradient);
        let first = if iterations == 0 { 1.0 / dot(&direction, &direction).sqrt() } else { 1.0 };
        let Some((step, next)) = search(&at, &direction, first, &mut of) else {
            if pairs.is_empty() {
                break;
            }
            // The memory misleads.
            pairs.clear();
            continue;
        };
        iterations += 1;
        let fall = at.value - next.value;
        let is_level = fall <= LEAST_DECREASE * at.value.abs().max(next.value.abs()).max(1.0);
        remember(&mut pairs, direction.iter().map(|d| step * d).collect(), &at.gradient, &next.gradient);
        at = next;
        if is_level {
            break;
        }
    }
    at.x
}

/// The step along `direction` that does, and what is there; `None` where none was found.
fn search(
    at: &At,
    direction: &[f64],
    first: f64,
    of: &mut impl FnMut(&[f64]) -> (f64, Vec<f64>),
) -> Option<(f64, At)> {
    let slope = dot(direction, &at.gradient);
    if slope.is_nan() || slope >= 0.0 {
        return None;
    }
    let (mut search, mut step) = (Search::new(at.value, slope, first), first);
    for _ in 0..MOST_TRIES {
        let x: Vec<f64> = at.x.iter().zip(direction).map(|(x, d)| x + step * d).collect();
        let (value, gradient) = of(&x);
        match search.tell(value, dot(direction, &gradient)) {
            Next::Take => return Some((step, At { x, value, gradient })),
            Next::Try(next) => step = next,
        }
    }
    None
}

/// −H ∇f (Nocedal and Wright, 2006, algorithm 7.4).
fn downhill(pairs: &VecDeque<Pair>, gradient: &[f64]) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut alphas = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let alpha = dot(&pair.step, &q) / pair.curvature;
        add(&mut q, -alpha, &pair.change);
        alphas.push(alpha);
    }
    if let Some(Pair { change, curvature, .. }) = pairs.back() {
        let scale = curvature / dot(change, change);
        q.iter_mut().for_each(|value| *value *= scale);
    }
    for (pair, alpha) in pairs.iter().zip(alphas.into_iter().rev()) {
        let beta = dot(&pair.change, &q) / pair.curvature;
        add(&mut q, alpha - beta, &pair.step);
    }
    q
}

/// Keeps a step unless the objective hardly bends along it.
fn remember(pairs: &mut VecDeque<Pair>, step: Vec<f64>, before: &[f64], after: &[f64]) {
    let change: Vec<f64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    let curvature = dot(&step, &change);
    if curvature <= f64::EPSILON * -dot(&step, before) {
        return;
    }
    if pairs.len() == MEMORY {
        pairs.pop_front();
    }
    pairs.push_back(Pair { step, change, curvature });
}

/// One number after the other, as scipy's steps are held to.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's valley (1960), of so many numbers.
    fn valley(x: &[f64]) -> (f64, Vec<f64>) {
        let (mut value, mut gradient) = (0.0, vec![0.0; x.len()]);
        for at in 0..x.len() - 1 {
            let (a, b) = (1.0 - x[at], x[at + 1] - x[at] * x[at]);
            value += a * a + 100.0 * b * b;
            gradient[at] += -2.0 * a - 400.0 * x[at] * b;
            gradient[at + 1] += 200.0 * b;
        }
        (value, gradient)
    }

    #[test]
    fn the_way_is_scipy_s() {
        // The values at all points that scipy 1.17 asks for, by
        // minimize(valley, [-1.2, 1, 0.5], jac=True, method="L-BFGS-B", options=dict(gtol=1e-4, ftol=64 * eps, maxls=50,
        // maxiter=100)).
        let mut values = Vec::new();
        let found = minimise(vec![-1.2, 1.0, 0.5], |x| {
            let (value, gradient) = valley(x);
            values.push(value);
            (value, gradient)
        });
        let first = [
            49.2,
            50.967_643_634_149_525,
            4.155_930_736_539_75,
            3.833_522_294_974_976_8,
            3.634_748_594_337_116,
            3.631_216_260_796_669,
            3.628_928_560_944_515,
            3.623_866_445_830_944_6,
            3.610_008_426_492_568_5,
            3.580_510_614_308_890_7,
            3.537_636_858_891_969,
            3.471_489_597_196_218_7,
        ];
        for (got, expected) in values.iter().zip(first) {
            assert!((got / expected - 1.0).abs() < 1e-9, "{got} is not {expected}");
        }
        assert_eq!(values.len(), 57);
        let end = [0.999_999_414_938_385_5, 0.999_998_874_370_539, 0.999_997_654_294_404_7];
        assert!(found.iter().zip(end).all(|(got, end)| (got - end).abs() < 1e-9), "{found:?}");
    }

    #[test]
    fn what_is_no_number_ends() {
        assert_eq!(minimise(vec![1.0], |_| (f64::NAN, vec![f64::NAN])), [1.0]);
        assert_eq!(minimise(vec![1.0], |x| (if x[0] < 1.0 { f64::NAN } else { 1.0 }, vec![1.0])), [1.0]);
    }
}
