//! A fit of many rows begins where one of a few of them ends.

use std::sync::OnceLock;

use super::{LinearProblem, Step, curvature::Curvature};
use crate::{Examples, lbfgs::Stop, pass::sample, subset::Subset};

/// One row of so many is taken,
const ONE_OF: usize = 4;
/// where there are so many.
const LEAST_ROWS: usize = 1 << 15;
/// What few rows have to say, they say in the first steps (50,000 rows of 2,048 features, 100 classes).
const STEPS: usize = 6;

impl LinearProblem<'_> {
    /// Where a fit at `l2` begins that has nothing else to begin with, and the curvature where it was needed for that.
    pub(super) fn beginning(&self, l2: f64) -> (Vec<f64>, OnceLock<Option<Curvature>>) {
        let (n, outputs, nothing) = (self.examples.rows(), self.examples.outputs(), self.zero());
        if n < LEAST_ROWS {
            return (nothing, OnceLock::new());
        }
        let kept: Vec<u32> = sample(n, n.div_ceil(ONE_OF)).into_iter().map(|row| row as u32).collect();
        let part = kept.len() as f64 / n as f64;
        let (rows, truth) = Subset::of(&self.examples, kept);
        let Ok(examples) = Examples::new(&rows, &truth, outputs) else { return (nothing, OnceLock::new()) };
        let tell = |step: Step| self.watch.iter().for_each(|watch| watch(Step { l2, ..step }));
        let problem = LinearProblem {
            examples,
            weights: self.weights.clone(),
            scaler: self.scaler.clone(),
            scaling: self.scaling.clone(),
            stop: Stop { max_iterations: STEPS.min(self.stop.max_iterations), ..self.stop },
            watch: Some(&tell),
        };
        // The curvature is worth what it is to all rows, which the fit goes on with.
        let mut solvers = problem.solvers(vec![nothing], problem.stop, ONE_OF);
        problem.solve(&mut solvers, &[None], None, l2 * part);
        (solvers.solvers[0].best().to_vec(), solvers.curvature)
    }
}
