//! Limited-memory BFGS (Liu and Nocedal, 1989; Nocedal and Wright, 2006, algorithms 7.4 and 7.5).

use std::collections::VecDeque;

use crate::{
    line_search::{Next, Point, Search},
    vector::{add, dot, largest},
};

/// Pairs of steps and gradient changes that are remembered: a sweep, which carries them from penalty to penalty, takes 0.6 of
/// the passes that it takes with 10 (flowers and pneumonia_mnist, 1,280 features). More save hardly any.
const MEMORY: usize = 40;
/// Of many parameters fewer, so that they take 32 MiB at most (more took no passes away from 204,900 parameters),
const MOST_NUMBERS: usize = 1 << 21;
/// but not less than so many.
const LEAST_MEMORY: usize = 10;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    /// Largest absolute component of the gradient that counts as zero.
    pub(crate) tolerance: f64,
    /// Iterations at most.
    pub(crate) max_iterations: usize,
}

/// Multiplies by what is known of the inverse Hessian, in place.
pub(crate) type Precondition<'a> = dyn Fn(&mut [f64]) + 'a;

/// A minimisation of a smooth function that is told values and gradients by whoever can compute them: for many
/// minimisations at once, say.
///
/// [`Lbfgs::at`] says where value and gradient are wanted, [`Lbfgs::tell`] takes them, until [`Lbfgs::is_done`].
#[derive(Clone, Debug)]
pub(crate) struct Lbfgs {
    stop: Stop,
    rounding: f64,
    /// The best point so far, and what is known of it.
    x: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    /// Where value and gradient are wanted.
    trial: Vec<f64>,
    direction: Vec<f64>,
    search: Option<Search>,
    pairs: VecDeque<Pair>,
    iterations: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is known of `x` yet.
    Fresh,
    Searching,
    Converged,
    /// Out of iterations, or as low as rounding allows.
    Stopped,
}

/// One remembered step.
#[derive(Clone, Debug)]
struct Pair {
    /// x' − x
    step: Vec<f64>,
    /// ∇f(x') − ∇f(x)
    change: Vec<f64>,
    /// 1 / (step · change)
    rho: f64,
}

impl Lbfgs {
    /// Begins at `x`. `rounding` is the part of a value that may be rounding.
    pub(crate) fn new(x: Vec<f64>, stop: Stop, rounding: f64) -> Lbfgs {
        let nothing = vec![0.0; x.len()];
        Lbfgs {
            stop,
            rounding,
            value: f64::NAN,
            gradient: nothing.clone(),
            trial: x.clone(),
            direction: nothing,
            search: None,
            pairs: VecDeque::new(),
            iterations: 0,
            state: State::Fresh,
            x,
        }
    }

    /// Begins anew where this one ended, at a function whose gradient is this one's plus `more(i) · x[i]`: remembered
    /// steps are kept, and what they say of the curvature is corrected exactly.
    pub(crate) fn go_on(&mut self, stop: Stop, more: impl Fn(usize) -> f64) {
        for pair in &mut self.pairs {
            for (at, (change, step)) in pair.change.iter_mut().zip(&pair.step).enumerate() {
                *change += more(at) * step;
            }
        }
        let pairs = std::mem::take(&mut self.pairs);
        for Pair { step, change, .. } in pairs {
            self.remember(step, change);
        }
        self.stop = stop;
        self.trial.copy_from_slice(&self.x);
        self.search = None;
        self.iterations = 0;
        self.state = State::Fresh;
    }

    /// The line whose first point is wanted: where it begins, its direction, and the slope there. `None` where a step along
    /// it was tried already.
    pub(crate) fn line(&self) -> Option<(&[f64], &[f64], f64)> {
        let search =
            self.search.as_ref().filter(|search| self.state == State::Searching && search.is_new())?;
        Some((&self.x, &self.direction, search.slope()))
    }

    /// Says which step along [`Lbfgs::line`] to try first.
    pub(crate) fn begin_with(&mut self, step: f64) {
        if let Some(search) = &mut self.search {
            search.begin_with(step);
            self.try_step(step);
        }
    }

    /// Where value and gradient are wanted.
    pub(crate) fn at(&self) -> &[f64] {
        &self.trial
    }

    /// Whether nothing is wanted any more.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.state, State::Converged | State::Stopped)
    }

    /// The best point so far.
    pub(crate) fn best(&self) -> &[f64] {
        &self.x
    }

    /// The value there.
    pub(crate) fn value(&self) -> f64 {
        self.value
    }

    /// Largest absolute component of the gradient there.
    pub(crate) fn slope(&self) -> f64 {
        largest(&self.gradient)
    }

    /// Steps taken.
    pub(crate) fn iterations(&self) -> usize {
        self.iterations
    }

    /// Where the largest component of the gradient ends it.
    pub(crate) fn tolerance(&self) -> f64 {
        self.stop.tolerance
    }

    /// Whether the gradient fell below the tolerance.
    pub(crate) fn converged(&self) -> bool {
        self.state == State::Converged
    }

    /// Takes value and gradient at [`Lbfgs::at`]; says whether that is the best point now.
    pub(crate) fn tell(
        &mut self,
        value: f64,
        gradient: &[f64],
        precondition: Option<&Precondition<'_>>,
    ) -> bool {
        let Some(search) = &mut self.search else {
            self.value = value;
            self.gradient.copy_from_slice(gradient);
            self.set_out(precondition);
            return true;
        };
        let slope = dot(&self.direction, gradient);
        match search.tell(Point { value, slope }) {
            Next::Try(step) => {
                self.try_step(step);
                false
            }
            Next::Take => {
                let apart = |(a, b): (&f64, &f64)| a - b;
                let step = self.trial.iter().zip(&self.x).map(apart).collect();
                let change = gradient.iter().zip(&self.gradient).map(apart).collect();
                self.remember(step, change);
                self.x.copy_from_slice(&self.trial);
                self.value = value;
                self.gradient.copy_from_slice(gradient);
                self.iterations += 1;
                self.set_out(precondition);
                true
            }
            Next::GiveUp if self.pairs.is_empty() => {
                // Not even straight down is down: as low as rounding lets us go.
                self.state = State::Stopped;
                false
            }
            Next::GiveUp => {
                // The memory misleads; forget it and go straight down.
                self.pairs.clear();
                self.set_out(precondition);
                false
            }
        }
    }

    /// Looks from the best point where to go, unless it is good enough.
    fn set_out(&mut self, precondition: Option<&Precondition<'_>>) {
        self.state = if self.slope() <= self.stop.tolerance {
            State::Converged
        } else if self.iterations >= self.stop.max_iterations || !self.value.is_finite() {
            State::Stopped
        } else {
            State::Searching
        };
        if self.state != State::Searching {
            return;
        }
        self.direction = self.downhill(precondition);
        let mut slope = dot(&self.direction, &self.gradient);
        if slope >= 0.0 {
            // Rounding has spoilt the memory.
            self.pairs.clear();
            self.direction = self.downhill(precondition);
            slope = dot(&self.direction, &self.gradient);
        }
        // Without memory and preconditioner the direction has no scale of its own.
        let first = if self.pairs.is_empty() && precondition.is_none() {
            1.0f64.min(1.0 / (-slope).sqrt())
        } else {
            1.0
        };
        self.search = Some(Search::new(Point { value: self.value, slope }, first, self.rounding));
        self.try_step(first);
    }

    fn try_step(&mut self, step: f64) {
        self.trial.copy_from_slice(&self.x);
        add(&mut self.trial, step, &self.direction);
    }

    /// −H ∇f, H the inverse Hessian that the pairs suggest (the two-loop recursion).
    fn downhill(&self, precondition: Option<&Precondition<'_>>) -> Vec<f64> {
        let mut q: Vec<f64> = self.gradient.iter().map(|g| -g).collect();
        let mut alphas = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let alpha = pair.rho * dot(&pair.step, &q);
            add(&mut q, -alpha, &pair.change);
            alphas.push(alpha);
        }
        if let Some(precondition) = precondition {
            precondition(&mut q);
            if let Some(last) = self.pairs.back() {
                let mut hy = last.change.clone();
                precondition(&mut hy);
                let scale = 1.0 / (last.rho * dot(&last.change, &hy));
                q.iter_mut().for_each(|value| *value *= scale);
            }
        } else if let Some(last) = self.pairs.back() {
            let scale = 1.0 / (last.rho * dot(&last.change, &last.change));
            q.iter_mut().for_each(|value| *value *= scale);
        }
        for (pair, alpha) in self.pairs.iter().zip(alphas.into_iter().rev()) {
            let beta = pair.rho * dot(&pair.change, &q);
            add(&mut q, alpha - beta, &pair.step);
        }
        q
    }

    /// Keeps the pair unless its curvature is lost in rounding, which would make H indefinite.
    fn remember(&mut self, step: Vec<f64>, change: Vec<f64>) {
        let curvature = dot(&step, &change);
        let least = f64::EPSILON * dot(&change, &change);
        // False for what is not a number, too.
        if curvature > least {
            let most = (MOST_NUMBERS / step.len().max(1)).clamp(LEAST_MEMORY, MEMORY);
            if self.pairs.len() >= most {
                self.pairs.pop_front();
            }
            self.pairs.push_back(Pair { step, change, rho: 1.0 / curvature });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOP: Stop = Stop { tolerance: 1e-9, max_iterations: 500 };

    fn run(start: Vec<f64>, stop: Stop, of: impl Fn(&[f64], &mut [f64]) -> f64) -> Lbfgs {
        let mut lbfgs = Lbfgs::new(start, stop, 1e-12);
        let mut gradient = vec![0.0; lbfgs.at().len()];
        while !lbfgs.is_done() {
            let value = of(lbfgs.at(), &mut gradient);
            lbfgs.tell(value, &gradient, None);
        }
        lbfgs
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
        assert!(minimum.converged() && minimum.iterations() < 60, "{minimum:?}");
        assert!(minimum.best().iter().all(|x| (x - 1.0).abs() < 1e-8), "{minimum:?}");
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
        // Curvatures up to 10⁵: of gradients below 10⁻³, which remembered steps in single precision allow.
        let minimum = run(vec![0.0; 30], Stop { tolerance: 1e-3, ..STOP }, bowl);
        assert!(minimum.converged() && minimum.iterations() < 150, "{}", minimum.iterations());
        assert!(minimum.best().iter().enumerate().all(|(i, x)| (x - i as f64).abs() < 1e-3));
    }

    #[test]
    fn stops_when_told_and_says_so() {
        let minimum = run(vec![-1.2, 1.0], Stop { max_iterations: 3, ..STOP }, rosenbrock);
        assert!(!minimum.converged());
        assert_eq!(minimum.iterations(), 3);
        let at_once = run(vec![1.0, 1.0], STOP, rosenbrock);
        assert!(at_once.converged());
        assert_eq!(at_once.iterations(), 0);
    }

    #[test]
    fn goes_on_with_what_it_remembers() {
        // A bowl, and then the same with a penalty: the curvature is known already.
        let bowl = |penalty: f64| {
            move |x: &[f64], gradient: &mut [f64]| {
                let mut value = 0.0;
                for (i, (x, g)) in x.iter().zip(gradient).enumerate() {
                    let curvature = (i + 1) as f64;
                    *g = curvature * (x - 1.0) + penalty * x;
                    value += 0.5 * curvature * (x - 1.0).powi(2) + 0.5 * penalty * x * x;
                }
                value
            }
        };
        let mut minimum = run(vec![0.0; 8], STOP, bowl(0.0));
        minimum.go_on(STOP, |_| 0.5);
        assert!(!minimum.pairs.is_empty());
        for pair in &minimum.pairs {
            for (i, (step, change)) in pair.step.iter().zip(&pair.change).enumerate() {
                let expected = ((i + 1) as f64 + 0.5) * step;
                assert!((change - expected).abs() <= 1e-9, "{change}, {expected}");
            }
        }
        let mut gradient = vec![0.0; 8];
        while !minimum.is_done() {
            let value = bowl(0.5)(minimum.at(), &mut gradient);
            minimum.tell(value, &gradient, None);
        }
        assert!(minimum.converged());
        for (i, x) in minimum.best().iter().enumerate() {
            let curvature = (i + 1) as f64;
            assert!((x - curvature / (curvature + 0.5)).abs() < 1e-8, "{x}");
        }
    }

    #[test]
    fn ends_where_rounding_does() {
        // No gradient of this slope can be as small as asked; it must end, and not claim convergence.
        let stop = Stop { tolerance: 0.0, ..STOP };
        let minimum = run(vec![0.3], stop, |x, g| {
            g[0] = x[0].signum();
            x[0].abs()
        });
        assert!(minimum.best()[0].abs() < 1e-3, "{minimum:?}");
    }
}
