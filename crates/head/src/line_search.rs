//! How far to go along a direction of descent.

/// Sufficient decrease (Nocedal and Wright, 2006, equation 3.6a).
const DECREASE: f64 = 1e-4;
/// Curvature (equation 3.7b).
const CURVATURE: f64 = 0.9;
/// Evaluations before giving up.
const MOST: usize = 50;

/// Value and slope of the objective along the direction, at one step length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) value: f64,
    pub(crate) slope: f64,
}

/// What to do after a step length was tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Next {
    /// Try this one.
    Try(f64),
    /// The one just tried does.
    Take,
    /// There is no way down that rounding lets us see.
    GiveUp,
}

/// A search for a step length that satisfies the strong Wolfe conditions: it says which one to try, is told value and
/// slope there, and says how to go on.
///
/// The minimum along the direction is bracketed (longer steps while the slope is still downhill) and the bracket closed
/// by cubic interpolation, kept away from its ends. Near a minimum, where the decrease drowns in the rounding of the
/// values, Hager and Zhang's approximate condition (2005, equation 4.1), which compares slopes only, takes over, and the
/// bracket is closed by slopes only too.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    start: Point,
    low: (f64, Point),
    high: Option<(f64, Option<Point>)>,
    step: f64,
    tries: usize,
    /// Part of a value that may be rounding.
    rounding: f64,
}

impl Search {
    /// Begins at `start` (step 0); the first step to try is `first`.
    pub(crate) fn new(start: Point, first: f64, rounding: f64) -> Search {
        Search { start, low: (0.0, start), high: None, step: first, tries: 0, rounding }
    }

    /// Whether no step was tried yet.
    pub(crate) fn is_new(&self) -> bool {
        self.tries == 0
    }

    /// The slope at step 0.
    pub(crate) fn slope(&self) -> f64 {
        self.start.slope
    }

    /// Tries `step` first.
    pub(crate) fn begin_with(&mut self, step: f64) {
        self.step = step;
    }

    /// Takes value and slope at the step that was to be tried.
    pub(crate) fn tell(&mut self, point: Point) -> Next {
        self.tries += 1;
        if self.is_fine(point) {
            return Next::Take;
        }
        if self.tries > MOST {
            // Not what was looked for, but perhaps some way down: better than none.
            return if point.value < self.start.value { Next::Take } else { Next::GiveUp };
        }
        let finite = point.value.is_finite() && point.slope.is_finite();
        if !finite || point.slope >= 0.0 || !self.is_lower(point) {
            self.high = Some((self.step, finite.then_some(point)));
        } else {
            self.low = (self.step, point);
        }
        self.step = match self.high {
            _ if self.tries == MOST => self.low.0,
            None => self.step * 4.0,
            Some((high, None)) => self.low.0 + (high - self.low.0) * 0.1,
            Some((high, Some(point))) => self.interpolate((high, point)),
        };
        if self.step > 0.0 { Next::Try(self.step) } else { Next::GiveUp }
    }

    fn is_fine(&self, point: Point) -> bool {
        let start = self.start;
        let flat = point.slope.abs() <= CURVATURE * -start.slope;
        let balanced = point.slope <= (2.0 * DECREASE - 1.0) * start.slope;
        flat && (self.is_lower(point) || (balanced && self.is_level(start, point)))
    }

    fn is_lower(&self, point: Point) -> bool {
        point.value <= self.start.value + DECREASE * self.step * self.start.slope
    }

    /// Whether `point` is not above `start` by more than rounding.
    fn is_level(&self, start: Point, point: Point) -> bool {
        point.value <= start.value + self.rounding * start.value.abs()
    }

    /// The minimum of the cubic through two points with their slopes (Nocedal and Wright, equation 3.59),
    /// at least a tenth of the way from either end; the root of the slope where the values are level.
    fn interpolate(&self, (b, at_b): (f64, Point)) -> f64 {
        let (a, at_a) = self.low;
        let width = b - a;
        let d1 = at_a.slope + at_b.slope - 3.0 * (at_a.value - at_b.value) / (a - b);
        let d2 = (d1 * d1 - at_a.slope * at_b.slope).max(0.0).sqrt();
        let step = if self.is_level(at_a, at_b) && self.is_level(at_b, at_a) {
            a - width * at_a.slope / (at_b.slope - at_a.slope)
        } else {
            b - width * (at_b.slope + d2 - d1) / (at_b.slope - at_a.slope + 2.0 * d2)
        };
        if step.is_finite() { step.clamp(a + 0.1 * width, b - 0.1 * width) } else { a + 0.5 * width }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(start: Point, first: f64, along: impl Fn(f64) -> Point) -> Option<f64> {
        let mut search = Search::new(start, first, 1e-12);
        let mut step = first;
        loop {
            match search.tell(along(step)) {
                Next::Try(next) => step = next,
                Next::Take => return Some(step),
                Next::GiveUp => return None,
            }
        }
    }

    #[test]
    fn finds_wolfe_steps_of_awkward_curves() {
        type Curve = fn(f64) -> Point;
        let cases: [(&str, Curve); 4] = [
            ("parabola", |x| Point { value: (x - 3.0).powi(2), slope: 2.0 * (x - 3.0) }),
            ("far minimum", |x| Point { value: (x - 1e6).powi(2), slope: 2.0 * (x - 1e6) }),
            ("wall", |x| {
                let value = if x < 1e-3 { -x + 400.0 * x * x } else { f64::INFINITY };
                Point { value, slope: -1.0 + 800.0 * x }
            }),
            ("soft plus", |x| Point {
                value: (1.0 + (x - 5.0).exp()).ln() - 0.5 * x,
                slope: 1.0 / (1.0 + (5.0 - x).exp()) - 0.5,
            }),
        ];
        for (name, curve) in cases {
            for first in [1e-6, 1.0, 1e3] {
                let start = curve(0.0);
                let step = search(start, first, curve).unwrap_or_else(|| panic!("{name} from {first}"));
                assert!(Search::new(start, step, 1e-12).is_fine(curve(step)), "{name} from {first}: {step}");
            }
        }
    }

    #[test]
    fn uphill_only_is_no_step() {
        // A slope that lies: the value rises everywhere.
        let climb = |x: f64| Point { value: x, slope: 1.0 };
        assert_eq!(search(Point { value: 0.0, slope: -1.0 }, 1.0, climb), None);
    }
}
