//! The line search of L-BFGS-B: Moré and Thuente (1994), with its constants.

/// Sufficient decrease (μ there, equation 1.1).
const DECREASE: f64 = 1e-3;
/// Curvature (η, equation 1.2).
const CURVATURE: f64 = 0.9;
/// A bracket of this relative width is narrow enough.
const NARROW: f64 = 0.1;
/// The longest step.
const LONGEST: f64 = 1e10;

/// Value and slope of the objective along the direction, at one step length.
#[derive(Clone, Copy, Debug)]
struct Point {
    step: f64,
    value: f64,
    slope: f64,
}

/// What to do after a step length was tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Next {
    /// Try this one.
    Try(f64),
    /// The one just tried does.
    Take,
}

/// A search that is told value and slope at the steps that it asks for.
#[derive(Clone, Debug)]
pub(super) struct Search {
    start: Point,
    /// The best so far, and the other end of the bracket.
    best: Point,
    other: Point,
    is_bracketed: bool,
    /// Whether values less the decrease that is wanted are still looked at.
    is_first_stage: bool,
    step: f64,
    /// Where the next step may lie.
    within: [f64; 2],
    /// Of the bracket, one and two steps ago.
    widths: [f64; 2],
}

impl Search {
    /// Begins at step 0 with this value and slope; `first` is the step that is tried first.
    pub(super) fn new(value: f64, slope: f64, first: f64) -> Search {
        let start = Point { step: 0.0, value, slope };
        Search {
            start,
            best: start,
            other: start,
            is_bracketed: false,
            is_first_stage: true,
            step: first,
            within: [0.0, 5.0 * first],
            widths: [LONGEST, 2.0 * LONGEST],
        }
    }

    /// Takes value and slope at the step that was to be tried.
    pub(super) fn tell(&mut self, value: f64, slope: f64) -> Next {
        let point = Point { step: self.step, value, slope };
        let wanted = DECREASE * self.start.slope;
        let enough = self.start.value + point.step * wanted;
        if self.is_first_stage && value <= enough && slope >= 0.0 {
            self.is_first_stage = false;
        }
        let [low, high] = self.within;
        let is_stuck =
            self.is_bracketed && (point.step <= low || point.step >= high || high - low <= NARROW * high);
        let is_at_an_end = (point.step == LONGEST && value <= enough && slope <= wanted)
            || (point.step == 0.0 && (value > enough || slope >= wanted));
        let is_fine = value <= enough && slope.abs() <= CURVATURE * -self.start.slope;
        if is_stuck || is_at_an_end || is_fine {
            return Next::Take;
        }
        if self.is_first_stage && value <= self.best.value && value > enough {
            // The objective less what it should at least decrease by (ψ, equation 2.1).
            let less =
                |of: Point| Point { value: of.value - of.step * wanted, slope: of.slope - wanted, ..of };
            let more =
                |of: Point| Point { value: of.value + of.step * wanted, slope: of.slope + wanted, ..of };
            (self.best, self.other) = (less(self.best), less(self.other));
            self.narrow(less(point));
            (self.best, self.other) = (more(self.best), more(self.other));
        } else {
            self.narrow(point);
        }
        self.bound();
        Next::Try(self.step)
    }

    /// Where the next step may lie; halves a bracket that shrinks too slowly.
    fn bound(&mut self) {
        let (best, other) = (self.best.step, self.other.step);
        if self.is_bracketed {
            if (other - best).abs() >= 0.66 * self.widths[1] {
                self.step = best + 0.5 * (other - best);
            }
            self.widths = [(other - best).abs(), self.widths[0]];
            self.within = [best.min(other), best.max(other)];
        } else {
            self.within = [1.1, 4.0].map(|times| self.step + times * (self.step - best));
        }
        self.step = self.step.clamp(0.0, LONGEST);
        let [low, high] = self.within;
        if self.is_bracketed && (self.step <= low || self.step >= high || high - low <= NARROW * high) {
            self.step = best;
        }
    }

    /// The next step, and the bracket with `point` in it (section 4 there, cases 1 to 4).
    fn narrow(&mut self, point: Point) {
        let Search { best, other, within: [low, high], .. } = *self;
        let is_turned = point.slope * best.slope.signum() < 0.0;
        let secant = point.step + point.slope / (point.slope - best.slope) * (best.step - point.step);
        let nearer = |a: f64, b: f64, to: f64| if (a - to).abs() < (b - to).abs() { a } else { b };
        let next = if point.value > best.value {
            let cubic = cubic(best, point);
            let fall = (best.value - point.value) / (point.step - best.step);
            let quadratic = best.step + best.slope / (fall + best.slope) / 2.0 * (point.step - best.step);
            self.is_bracketed = true;
            let mean = cubic + (quadratic - cubic) / 2.0;
            if (cubic - best.step).abs() <= (quadratic - best.step).abs() { cubic } else { mean }
        } else if is_turned {
            self.is_bracketed = true;
            let cubic = cubic(point, best);
            if (cubic - point.step).abs() > (secant - point.step).abs() { cubic } else { secant }
        } else if point.slope.abs() < best.slope.abs() {
            // The cubic may have no minimum beyond this step.
            let end = if point.step > best.step { high } else { low };
            let cubic = beyond(best, point).unwrap_or(end);
            if self.is_bracketed {
                let next = nearer(cubic, secant, point.step);
                let limit = point.step + 0.66 * (other.step - point.step);
                if point.step > best.step { next.min(limit) } else { next.max(limit) }
            } else {
                let next =
                    if (cubic - point.step).abs() > (secant - point.step).abs() { cubic } else { secant };
                next.clamp(low, high)
            }
        } else if self.is_bracketed {
            cubic(point, other)
        } else if point.step > best.step {
            high
        } else {
            low
        };
        if point.value > best.value {
            self.other = point;
        } else {
            if is_turned {
                self.other = best;
            }
            self.best = point;
        }
        self.step = next;
    }
}

/// The coefficients of the cubic through two points with their slopes: θ and γ of Moré and Thuente, without γ's sign.
fn coefficients(a: Point, b: Point) -> (f64, f64) {
    let theta = 3.0 * (a.value - b.value) / (b.step - a.step) + a.slope + b.slope;
    let scale = theta.abs().max(a.slope.abs()).max(b.slope.abs());
    let squared = (theta / scale).powi(2) - a.slope / scale * (b.slope / scale);
    (theta, scale * squared.max(0.0).sqrt())
}

/// The minimum of the cubic through `a` and `b`.
fn cubic(a: Point, b: Point) -> f64 {
    let (theta, gamma) = coefficients(a, b);
    let gamma = if b.step < a.step { -gamma } else { gamma };
    let part = (gamma - a.slope + theta) / (gamma - a.slope + gamma + b.slope);
    a.step + part * (b.step - a.step)
}

/// The minimum of the cubic through `best` and `point` where it lies beyond `point`.
fn beyond(best: Point, point: Point) -> Option<f64> {
    let (theta, gamma) = coefficients(best, point);
    let gamma = if point.step > best.step { -gamma } else { gamma };
    let part = (gamma - point.slope + theta) / (gamma + (best.slope - point.slope) + gamma);
    (part < 0.0 && gamma != 0.0).then_some(point.step + part * (best.step - point.step))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps that are tried along `of`, which gives value and slope, until one does.
    fn tried(first: f64, of: impl Fn(f64) -> (f64, f64)) -> Vec<f64> {
        let (value, slope) = of(0.0);
        let mut search = Search::new(value, slope, first);
        let (mut tried, mut step) = (vec![first], first);
        loop {
            let (value, slope) = of(step);
            match search.tell(value, slope) {
                Next::Take => return tried,
                Next::Try(next) => step = next,
            }
            tried.push(step);
        }
    }

    fn check(got: &[f64], expected: &[f64]) {
        assert_eq!(got.len(), expected.len(), "{got:?}");
        for (got, expected) in got.iter().zip(expected) {
            assert!((got / expected - 1.0).abs() < 1e-12, "{got} is not {expected}");
        }
    }

    #[test]
    fn steps_are_those_of_minpack_2() {
        // scipy.optimize._dcsrch.DCSRCH(phi, derphi, 1e-3, 0.9, 0.1, 0, 1e10)(first)
        check(&tried(100.0, |a| ((a - 3.0).powi(2), 2.0 * (a - 3.0))), &[100.0, 3.000_000_000_000_001_8]);
        // Function 5.1 of Moré and Thuente, with β = 2.
        let first = |a: f64| (-a / (a * a + 2.0), (a * a - 2.0) / (a * a + 2.0).powi(2));
        check(&tried(0.001, first), &[0.001, 0.005, 0.021, 0.085, 0.341]);
        let far = [1000.0, 332.835_370_946_986_13, 110.783_827_648_205_93, 36.887_606_963_966_62];
        check(&tried(1000.0, first), &far);
        // 5.2, with β = 0.004: a bracket that becomes narrow.
        let second = |a: f64| {
            let b = a + 0.004;
            (b.powi(5) - 2.0 * b.powi(4), 5.0 * b.powi(4) - 8.0 * b.powi(3))
        };
        let narrow = [
            10.0,
            2.306_989_958_039_605,
            0.687_286_712_787_688_8,
            1.566_141_353_617_732_4,
            1.612_373_805_938_473_8,
            1.612_373_805_938_473_8,
        ];
        check(&tried(10.0, second), &narrow);
    }
}
