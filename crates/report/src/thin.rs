//! Fewer points for a curve that looks the same.

use crate::page::Curve;

impl Curve {
    /// At most `most` of the points (2 or more): first and last, and one after the other that which
    /// lies farthest, vertically, from the line between those kept so far (Douglas and Peucker 1973,
    /// by number instead of by tolerance). The area stays that of all points.
    #[must_use]
    pub fn thinned(&self, most: usize) -> Curve {
        let n = self.x.len();
        if n <= most.max(2) {
            return self.clone();
        }
        let mut spans = vec![self.farthest(0, n - 1)];
        let mut kept = vec![0, n - 1];
        while kept.len() < most {
            // Few dozen spans: looking through them all is cheaper than keeping them sorted.
            let distances = spans.iter().enumerate().map(|(i, span)| (i, span.distance));
            let Some((widest, distance)) = distances.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
            else {
                break;
            };
            if distance <= 0.0 {
                break;
            }
            let Span { from, at, to, .. } = spans.swap_remove(widest);
            kept.push(at);
            spans.extend([self.farthest(from, at), self.farthest(at, to)]);
        }
        kept.sort_unstable();
        let pick = |column: &[f32]| kept.iter().filter_map(|&i| column.get(i).copied()).collect();
        Curve { x: pick(&self.x), y: pick(&self.y), threshold: pick(&self.threshold), area: self.area }
    }

    /// The point between two others that is farthest from the line through them.
    fn farthest(&self, from: usize, to: usize) -> Span {
        let (x0, y0, x1, y1) = (self.x[from], self.y[from], self.x[to], self.y[to]);
        let mut span = Span { from, at: from, to, distance: 0.0 };
        for at in from + 1..to {
            let along = if x1 > x0 { (self.x[at] - x0) / (x1 - x0) } else { 0.5 };
            let distance = (self.y[at] - (y0 + along * (y1 - y0))).abs();
            if distance > span.distance {
                span = Span { at, distance, ..span };
            }
        }
        span
    }
}

/// Points left out between two kept ones.
struct Span {
    from: usize,
    at: usize,
    to: usize,
    distance: f32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Estimate;

    fn curve(points: usize, y: impl Fn(f32) -> f32) -> Curve {
        let x: Vec<f32> = (0..points).map(|i| i as f32 / (points - 1) as f32).collect();
        let y = x.iter().map(|&x| y(x)).collect();
        Curve { threshold: x.iter().map(|x| 1.0 - x).collect(), x, y, area: Estimate::bare(0.5) }
    }

    #[test]
    fn a_bent_curve_keeps_its_shape() {
        let full = curve(10_001, |x| x.powf(0.2));
        let thin = full.thinned(40);
        assert_eq!((thin.x.len(), thin.y.len(), thin.threshold.len()), (40, 40, 40));
        for (&x, &y) in full.x.iter().zip(&full.y) {
            let next = thin.x.iter().position(|&at| at >= x).unwrap().max(1);
            let (x0, x1, y0, y1) = (thin.x[next - 1], thin.x[next], thin.y[next - 1], thin.y[next]);
            let drawn = y0 + (x - x0) / (x1 - x0) * (y1 - y0);
            assert!((drawn - y).abs() < 0.01, "at {x}: {drawn} for {y}");
        }
    }

    #[test]
    fn a_straight_line_keeps_its_ends_only() {
        let thin = curve(9, |x| x).thinned(5);
        assert_eq!(thin.x, [0.0, 1.0]);
    }

    #[test]
    fn few_points_are_kept() {
        let short = curve(5, |x| x * x);
        assert_eq!(short.thinned(5), short);
    }

    #[test]
    fn a_wall_keeps_its_corner() {
        let full = Curve {
            x: vec![0.0, 0.0, 0.0, 1.0],
            y: vec![0.0, 0.5, 1.0, 1.0],
            threshold: Vec::new(),
            area: Estimate::bare(1.0),
        };
        let thin = full.thinned(3);
        assert_eq!((thin.x, thin.y), (vec![0.0, 0.0, 1.0], vec![0.0, 1.0, 1.0]));
    }
}
