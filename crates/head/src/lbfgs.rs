//! Limited-memory BFGS (Liu and Nocedal, 1989; Nocedal and Wright, 2006, algorithms 7.4 and 7.5).

use std::collections::VecDeque;

use crate::line_search::{Point, search};

/// Pairs of steps and gradient changes that are remembered.
const MEMORY: usize = 10;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    /// Largest absolute component of the gradient that counts as zero.
    pub(crate) tolerance: f64,
    /// Iterations at most.
    pub(crate) max_iterations: usize,
}

/// Where the search ended.
#[derive(Clone, Debug)]
pub(crate) struct Minimum {
    pub(crate) at: Vec<f64>,
    /// Largest absolute component of the gradient there.
    pub(crate) gradient: f64,
    pub(crate) iterations: usize,
    pub(crate) converged: bool,
}

/// One remembered step.
struct Pair {
    /// x' − x
    step: Vec<f64>,
    /// ∇f(x') − ∇f(x)
    change: Vec<f64>,
    /// 1 / (step · change)
    rho: f64,
}

/// Minimises a smooth function from `at`. `evaluate(x, gradient)` fills the gradient and gives the value.
///
/// # Errors
/// The first one that `evaluate` meets.
pub(crate) fn minimise<E>(
    at: Vec<f64>,
    stop: Stop,
    mut evaluate: impl FnMut(&[f64], &mut [f64]) -> Result<f64, E>,
) -> Result<Minimum, E> {
    let mut x = at;
    let mut gradient = vec![0.0; x.len()];
    let mut value = evaluate(&x, &mut gradient)?;
    let mut pairs: VecDeque<Pair> = VecDeque::with_capacity(MEMORY);
    let (mut trial, mut trial_gradient) = (x.clone(), gradient.clone());
    let mut iterations = 0;
    while iterations < stop.max_iterations && largest(&gradient) > stop.tolerance {
        let direction = downhill(&gradient, &pairs);
        let start = Point { value, slope: dot(&direction, &gradient) };
        // Without memory the direction has no scale of its own.
        let first = if pairs.is_empty() { 1.0f64.min(1.0 / dot(&gradient, &gradient).sqrt()) } else { 1.0 };
        let mut trial_value = value;
        let mut failure = None;
        let step = search(start, first, |step| {
            for ((trial, x), direction) in trial.iter_mut().zip(&x).zip(&direction) {
                *trial = x + step * direction;
            }
            trial_value = evaluate(&trial, &mut trial_gradient).unwrap_or_else(|error| {
                failure = Some(error);
                f64::NAN
            });
            Point { value: trial_value, slope: dot(&direction, &trial_gradient) }
        });
        if let Some(error) = failure {
            return Err(error);
        }
        if step.is_none() {
            if pairs.is_empty() {
                // Not even straight down is down: as low as rounding lets us go.
                break;
            }
            // The memory misleads; forget it and go straight down.
            pairs.clear();
            continue;
        }
        remember(&mut pairs, difference(&trial, &x), difference(&trial_gradient, &gradient));
        std::mem::swap(&mut x, &mut trial);
        std::mem::swap(&mut gradient, &mut trial_gradient);
        value = trial_value;
        iterations += 1;
    }
    let gradient = largest(&gradient);
    Ok(Minimum { at: x, gradient, iterations, converged: gradient <= stop.tolerance })
}

/// −H ∇f, H the inverse Hessian that the pairs suggest (the two-loop recursion).
fn downhill(gradient: &[f64], pairs: &VecDeque<Pair>) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut alphas = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let alpha = pair.rho * dot(&pair.step, &q);
        add(&mut q, -alpha, &pair.change);
        alphas.push(alpha);
    }
    if let Some(last) = pairs.back() {
        let scale = 1.0 / (last.rho * dot(&last.change, &last.change));
        q.iter_mut().for_each(|value| *value *= scale);
    }
    for (pair, alpha) in pairs.iter().zip(alphas.into_iter().rev()) {
        let beta = pair.rho * dot(&pair.change, &q);
        add(&mut q, alpha - beta, &pair.step);
    }
    q
}

/// Keeps the pair unless its curvature is lost in rounding, which would make H indefinite.
fn remember(pairs: &mut VecDeque<Pair>, step: Vec<f64>, change: Vec<f64>) {
    let curvature = dot(&step, &change);
    if curvature <= f64::EPSILON * dot(&change, &change) {
        return;
    }
    if pairs.len() == MEMORY {
        pairs.pop_front();
    }
    pairs.push_back(Pair { step, change, rho: 1.0 / curvature });
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], factor: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += factor * what);
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOP: Stop = Stop { tolerance: 1e-9, max_iterations: 500 };

    fn run(start: Vec<f64>, stop: Stop, of: impl Fn(&[f64], &mut [f64]) -> f64) -> Minimum {
        minimise::<std::convert::Infallible>(start, stop, |x, g| Ok(of(x, g))).unwrap()
    }

    /// Rosenbrock's valley: curved, badly conditioned, minimum 0 at (1, 1).
    fn rosenbrock(x: &[f64], gradient: &mut [f64]) -> f64 {
        let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
        gradient[0] = -2.0 * a - 400.0 * x[0] * b;
        gradient[1] = 200.0 * b;
        a * a + 100.0 * b * b
    }

    #[test]
    fn follows_a_curved_valley() {
        let minimum = run(vec![-1.2, 1.0], STOP, rosenbrock);
        assert!(minimum.converged && minimum.iterations < 60, "{minimum:?}");
        assert!(minimum.at.iter().all(|x| (x - 1.0).abs() < 1e-8), "{minimum:?}");
    }

    #[test]
    fn copes_with_bad_conditioning() {
        let bowl = |x: &[f64], gradient: &mut [f64]| {
            let mut value = 0.0;
            for (i, (x, g)) in x.iter().zip(gradient).enumerate() {
                let curvature = 10f64.powi(i as i32 % 6);
                *g = curvature * (x - i as f64);
                value += 0.5 * curvature * (x - i as f64).powi(2);
            }
            value
        };
        let minimum = run(vec![0.0; 30], STOP, bowl);
        assert!(minimum.converged, "{minimum:?}");
        assert!(minimum.at.iter().enumerate().all(|(i, x)| (x - i as f64).abs() < 1e-8), "{minimum:?}");
    }

    #[test]
    fn stops_when_told_and_says_so() {
        let minimum = run(vec![-1.2, 1.0], Stop { max_iterations: 3, ..STOP }, rosenbrock);
        assert!(!minimum.converged);
        assert_eq!(minimum.iterations, 3);
        let at_once = run(vec![1.0, 1.0], STOP, rosenbrock);
        assert!(at_once.converged);
        assert_eq!(at_once.iterations, 0);
    }

    #[test]
    fn ends_where_rounding_does() {
        // No gradient of this slope can be as small as asked; it must end, and not claim convergence.
        let stop = Stop { tolerance: 0.0, ..STOP };
        let minimum = run(vec![0.3], stop, |x, g| {
            g[0] = x[0].signum();
            x[0].abs()
        });
        assert!(minimum.at[0].abs() < 1e-3, "{minimum:?}");
    }
}
