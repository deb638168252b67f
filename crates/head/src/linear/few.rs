//! A fit of many rows begins where one of a few of them ends.

use std::sync::OnceLock;

use features::Rows;

use super::{LinearProblem, Step, curvature::Curvature};
use crate::{Examples, lbfgs::Stop, pass::sample};

/// One row of so many is taken,
const ONE_OF: usize = 4;
/// where there are so many.
const LEAST_ROWS: usize = 1 << 15;
/// What few rows have to say, they say in the first steps (50,000 rows of 2,048 features, 100 classes).
const STEPS: usize = 6;

/// Some of the rows.
struct Few<'a> {
    rows: &'a dyn Rows,
    which: Vec<usize>,
}

impl Rows for Few<'_> {
    fn len(&self) -> usize {
        self.which.len()
    }

    fn dim(&self) -> usize {
        self.rows.dim()
    }

    fn read(&self, first: usize, out: &mut [f32]) {
        self.rows.read_some(&self.which[first..first + out.len() / self.dim()], out);
    }

    fn read_some(&self, rows: &[usize], out: &mut [f32]) {
        self.rows.read_some(&rows.iter().map(|&row| self.which[row]).collect::<Vec<_>>(), out);
    }
}

impl LinearProblem<'_> {
    /// Where a fit at `l2` begins that has nothing else to begin with, and the curvature where it was needed for that.
    pub(super) fn beginning(&self, l2: f64) -> (Vec<f64>, OnceLock<Option<Curvature>>) {
        let (n, outputs, nothing) = (self.examples.rows(), self.examples.outputs(), self.zero());
        if n < LEAST_ROWS {
            return (nothing, OnceLock::new());
        }
        let which = sample(n, n.div_ceil(ONE_OF));
        let truth = self.examples.truth().select(which.iter().copied(), outputs);
        let part = which.len() as f64 / n as f64;
        let rows = Few { rows: self.examples.features(), which };
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
