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

/// A step length that satisfies the strong Wolfe conditions, near `first`; `along` was last called
/// with it. `None` where no decrease can be found.
///
/// The minimum along the direction is bracketed (longer steps while the slope is still downhill) and
/// the bracket closed by cubic interpolation, kept away from its ends. Near a minimum, where the
/// decrease drowns in the rounding of the values, Hager and Zhang's approximate condition (2005,
/// equation 4.1), which compares slopes only, takes over, and the bracket is closed by slopes only too.
pub(crate) fn search(start: Point, first: f64, mut along: impl FnMut(f64) -> Point) -> Option<f64> {
    let (mut low, mut low_point) = (0.0, start);
    let mut high: Option<(f64, Option<Point>)> = None;
    let mut step = first;
    for _ in 0..MOST {
        let point = along(step);
        if is_fine(start, step, point) {
            return Some(step);
        }
        let finite = point.value.is_finite() && point.slope.is_finite();
        let too_far =
            !finite || point.slope >= 0.0 || point.value > start.value + DECREASE * step * start.slope;
        if too_far {
            high = Some((step, finite.then_some(point)));
        } else {
            (low, low_point) = (step, point);
        }
        step = match high {
            None => step * 4.0,
            Some((high, None)) => low + (high - low) * 0.1,
            Some((high, Some(point))) => interpolate((low, low_point), (high, point)),
        };
    }
    // No such step, but perhaps some way down: better than none.
    let end = (low > 0.0).then(|| along(low))?;
    (end.value < start.value).then_some(low)
}

fn is_fine(start: Point, step: f64, point: Point) -> bool {
    let flat = point.slope.abs() <= CURVATURE * -start.slope;
    let balanced = point.slope <= (2.0 * DECREASE - 1.0) * start.slope;
    flat && (is_lower(start, step, point) || (balanced && is_level(start, point)))
}

fn is_lower(start: Point, step: f64, point: Point) -> bool {
    point.value <= start.value + DECREASE * step * start.slope
}

/// Not above `start` by more than rounding.
fn is_level(start: Point, point: Point) -> bool {
    point.value <= start.value + 1e-12 * start.value.abs()
}

/// The minimum of the cubic through two points with their slopes (Nocedal and Wright, equation 3.59),
/// at least a tenth of the way from either end; the root of the slope where the values are level.
fn interpolate((a, at_a): (f64, Point), (b, at_b): (f64, Point)) -> f64 {
    let width = b - a;
    let d1 = at_a.slope + at_b.slope - 3.0 * (at_a.value - at_b.value) / (a - b);
    let d2 = (d1 * d1 - at_a.slope * at_b.slope).max(0.0).sqrt();
    let step = if is_level(at_a, at_b) && is_level(at_b, at_a) {
        a - width * at_a.slope / (at_b.slope - at_a.slope)
    } else {
        b - width * (at_b.slope + d2 - d1) / (at_b.slope - at_a.slope + 2.0 * d2)
    };
    if step.is_finite() { step.clamp(a + 0.1 * width, b - 0.1 * width) } else { a + 0.5 * width }
}

#[cfg(test)]
mod tests {
    use super::*;

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
                assert!(is_fine(start, step, curve(step)), "{name} from {first}: {step}");
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
