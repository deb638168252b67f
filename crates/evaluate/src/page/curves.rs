//! Each class against the rest, over all thresholds, and the mean over classes.

use metrics::Interval;
use report::{ClassCurves, Curve, Curves, Estimate};

use super::{Material, of_estimate};
use crate::measured::TaskOutcomes;

/// Points of a curve; of fewer where there are many classes, so that the page stays small.
const POINTS: usize = 200;
const FEW_POINTS: usize = 48;
const MANY_CLASSES: usize = 50;
/// Classes whose curves are shown; of more, those of least average precision.
const MOST_CLASSES: usize = 1000;
/// Steps of the mean curves.
const STEPS: usize = 100;

/// Of classes and labels.
pub(super) fn of(material: &Material<'_>) -> Option<Curves> {
    let (rankings, thresholds) = match &material.scores.measured {
        TaskOutcomes::Classes(outcomes) => (outcomes.rankings()?, None),
        TaskOutcomes::Labels(outcomes) => {
            (outcomes.rankings()?, Some(outcomes.at_reject().unwrap_or(outcomes).thresholds()))
        }
        TaskOutcomes::Numbers(_) => return None,
    };
    let (classes, n) = (material.head.classes.len(), material.scores.len() as f64);
    let most = if classes > MANY_CLASSES { FEW_POINTS } else { POINTS };
    let ranked = (0..classes).filter_map(|class| Some((class, rankings.class(class)?)));
    let curves: Vec<ClassCurves> = ranked
        .map(|(class, found)| {
            let points = rankings.roc_curve(class, POINTS);
            let roc = Curve {
                x: points.iter().map(|point| point.false_positive_rate as f32).collect(),
                y: points.iter().map(|point| point.true_positive_rate as f32).collect(),
                threshold: Vec::new(),
                area: within(found.roc_auc, found.roc_auc_interval()),
            };
            let points = rankings.precision_recall_curve(class, POINTS);
            let precision_recall = Curve {
                x: points.iter().map(|point| point.recall as f32).collect(),
                y: points.iter().map(|point| point.precision as f32).collect(),
                threshold: points.iter().map(|point| point.threshold as f32).collect(),
                area: within(found.average_precision, found.average_precision_interval()),
            };
            ClassCurves {
                class: class as u32,
                prevalence: found.positives as f64 / n,
                roc: Some(roc.thinned(most)),
                precision_recall: Some(precision_recall.thinned(most)),
                // None where a label is never predicted.
                threshold: thresholds.map(|each| each[class]).filter(|own| own.is_finite()),
            }
        })
        .collect();
    let mean = |of: fn(&ClassCurves) -> Option<&Curve>, at: fn(&Curve, f32) -> f32, area| {
        let curves: Vec<&Curve> = curves.iter().filter_map(of).filter(|curve| !curve.x.is_empty()).collect();
        let x: Vec<f32> = (0..=STEPS).map(|step| step as f32 / STEPS as f32).collect();
        let y = |&x: &f32| curves.iter().map(|curve| at(curve, x)).sum::<f32>() / curves.len() as f32;
        let y = x.iter().map(y).collect();
        (!curves.is_empty()).then(|| Curve { y, x, threshold: Vec::new(), area: of_estimate(area) })
    };
    let (macro_roc, macro_precision_recall) = (
        mean(|curve| curve.roc.as_ref(), along, rankings.macro_roc_auc()),
        mean(|curve| curve.precision_recall.as_ref(), ahead, rankings.macro_average_precision()),
    );
    let (classes, left_out) = worst(curves, MOST_CLASSES);
    Some(Curves { macro_roc, macro_precision_recall, classes, left_out })
}

/// The `most` classes of least average precision, in the order of classes, and how many others there are.
fn worst(mut curves: Vec<ClassCurves>, most: usize) -> (Vec<ClassCurves>, usize) {
    let left_out = curves.len().saturating_sub(most);
    if left_out > 0 {
        let precision =
            |class: &ClassCurves| class.precision_recall.as_ref().map_or(f64::NAN, |curve| curve.area.value);
        curves.sort_by(|a, b| precision(a).total_cmp(&precision(b)));
        curves.truncate(most);
        curves.sort_by_key(|class| class.class);
    }
    (curves, left_out)
}

fn within(value: f64, interval: Interval) -> Estimate {
    Estimate::within(value, interval.low, interval.high)
}

/// The highest y at `x` of points joined by lines.
fn along(curve: &Curve, x: f32) -> f32 {
    let after = curve.x.partition_point(|&at| at <= x);
    let before = after.saturating_sub(1);
    let (Some(&x0), Some(&y0)) = (curve.x.get(before), curve.y.get(before)) else { return 0.0 };
    match (curve.x.get(after), curve.y.get(after)) {
        (Some(&x1), Some(&y1)) if x1 > x0 => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
        _ => y0,
    }
}

/// The y of the first point at or beyond `x`: precision holds up to its recall.
fn ahead(curve: &Curve, x: f32) -> f32 {
    let at = curve.x.partition_point(|&at| at < x).min(curve.y.len().saturating_sub(1));
    curve.y.get(at).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_classes_the_worst_are_shown() {
        let class = |(class, precision): (usize, f64)| {
            let curve = Curve { x: vec![1.0], y: vec![1.0], threshold: Vec::new(), area: precision.into() };
            ClassCurves {
                class: class as u32,
                prevalence: 0.1,
                roc: None,
                precision_recall: Some(curve),
                threshold: None,
            }
        };
        let all = || [0.9, 0.2, 0.7, 0.1].into_iter().enumerate().map(class).collect::<Vec<_>>();
        let (shown, left_out) = worst(all(), 2);
        assert_eq!((shown.iter().map(|class| class.class).collect::<Vec<_>>(), left_out), (vec![1, 3], 2));
        assert_eq!(worst(all(), 4), (all(), 0));
    }

    #[test]
    fn curves_are_read_between_their_points() {
        let curve = Curve {
            x: vec![0.0, 0.0, 0.5, 1.0],
            y: vec![0.0, 0.5, 0.75, 1.0],
            threshold: Vec::new(),
            area: Estimate::bare(0.75),
        };
        assert_eq!([0.0, 0.25, 0.5, 1.0].map(|x| along(&curve, x)), [0.5, 0.625, 0.75, 1.0]);
        assert_eq!([0.0, 0.25, 0.5, 0.75].map(|x| ahead(&curve, x)), [0.0, 0.75, 0.75, 1.0]);
    }
}
