//! One-vs-rest ranking metrics of all classes, and their averages.

use crate::{
    ClassRanking, ClassRows, Estimate, Interval,
    against::Against,
    class_ranking::half_wins,
    spread::{Spread, end, shrinkage},
};

/// How well each class's rows, or those that bear each label, rank above all others.
///
/// A class without rows, or with all of them, ranks nothing: it has no metrics, and averages leave it out
/// (where scikit-learn gives nan for its AUC, and 0 or 1 for its average precision).
#[derive(Clone, Debug, PartialEq)]
pub struct Rankings {
    counts: Vec<Against>,
    classes: Vec<Option<ClassRanking>>,
    macro_roc_auc: Estimate,
    macro_average_precision: Estimate,
}

impl Rankings {
    /// Of classes that exclude one another. `costs` (n,): Σ of what each row costs the AUC of every class but its own.
    pub(crate) fn of_classes(outcomes: &ClassRows, counts: Vec<Against>, costs: &[f64]) -> Rankings {
        let classes: Vec<Option<ClassRanking>> = counts.iter().map(ClassRanking::of).collect();
        let spread = macro_spread(outcomes, &counts, &classes, costs);
        let auc = spread.map(|spread| shared_interval(&spread, classes.iter().flatten().count()));
        let precision = macro_average_precision_interval(&classes);
        Rankings::new(counts, classes, auc, precision)
    }

    /// Of labels, which share their rows, so that the ends of averages are the means of the labels'.
    pub(crate) fn of_labels(counts: Vec<Against>) -> Rankings {
        let labels: Vec<Option<ClassRanking>> = counts.iter().map(ClassRanking::of).collect();
        let ranked = labels.iter().flatten().count() as f64;
        let ends = |of: fn(&ClassRanking) -> Interval| {
            let mean = |end: fn(Interval) -> f64| {
                labels.iter().flatten().map(|label| end(of(label))).sum::<f64>() / ranked
            };
            (ranked > 0.0).then(|| Interval { low: mean(|ends| ends.low), high: mean(|ends| ends.high) })
        };
        let auc = ends(ClassRanking::roc_auc_interval);
        let precision = ends(ClassRanking::average_precision_interval);
        Rankings::new(counts, labels, auc, precision)
    }

    fn new(
        counts: Vec<Against>,
        classes: Vec<Option<ClassRanking>>,
        auc: Option<Interval>,
        precision: Option<Interval>,
    ) -> Rankings {
        let mean = |of: fn(&ClassRanking) -> f64| {
            let ranked = classes.iter().flatten().count();
            (ranked > 0).then(|| classes.iter().flatten().map(of).sum::<f64>() / ranked as f64)
        };
        let macro_roc_auc = Estimate { value: mean(|class| class.roc_auc), interval: auc };
        let macro_average_precision =
            Estimate { value: mean(|class| class.average_precision), interval: precision };
        Rankings { counts, classes, macro_roc_auc, macro_average_precision }
    }

    /// The metrics of one class; `None` where it has none, and where there is no such class.
    pub fn class(&self, class: usize) -> Option<&ClassRanking> {
        self.classes.get(class)?.as_ref()
    }

    /// The metrics of each class, (C,).
    pub fn per_class(&self) -> &[Option<ClassRanking>] {
        &self.classes
    }

    /// `roc_auc_score(multi_class="ovr", average="macro")`: the plain mean over the classes that have one.
    /// For two classes that is the mean of two AUCs which are the same where each row's scores add up to one
    /// exactly.
    ///
    /// Of classes the 95 % interval has their covariances, whose scores are of the same rows: from what each row moves the
    /// average by (the influence function of DeLong's two-sample statistic for each class, averaged). A class of few rows
    /// is shrunk towards the average, so that one row is enough.
    pub fn macro_roc_auc(&self) -> Estimate {
        self.macro_roc_auc
    }

    /// `average_precision_score(average="macro")`: the plain mean over the classes that have one. Classes share their
    /// negatives, of which the interval assumes the worst: that they err all together.
    pub fn macro_average_precision(&self) -> Estimate {
        self.macro_average_precision
    }

    /// Counts of one class, for its curves.
    pub(crate) fn counts(&self, class: usize) -> Option<&Against> {
        self.class(class).and_then(|_| self.counts.get(class))
    }
}

/// What each row moves the average of the AUCs by, times n: the influence function of DeLong's statistic.
fn macro_spread(
    outcomes: &ClassRows,
    counts: &[Against],
    classes: &[Option<ClassRanking>],
    costs: &[f64],
) -> Option<Spread> {
    let ranked = classes.iter().flatten().count() as f64;
    if ranked == 0.0 {
        return None;
    }
    let value = classes.iter().flatten().map(|class| class.roc_auc).sum::<f64>() / ranked;
    // As a negative of class c a row moves its AUC by (V₀₁ − AUC)/N = (1 − AUC)/N − cost; the first part is
    // the same for all rows, so what a row moves is this sum without its own class's part, without its costs,
    // and with what it moves its own class's AUC by.
    let slack = |class: &ClassRanking| (1.0 - class.roc_auc) / class.negatives as f64;
    let slacks: f64 = classes.iter().flatten().map(slack).sum();
    let half_wins: Vec<Vec<u64>> = counts
        .iter()
        .map(|counts| counts.steps().map(|step| half_wins(&step, counts.negatives())).collect())
        .collect();
    let n = outcomes.rows() as f64;
    let rows = outcomes.labels().iter().zip(outcomes.own()).zip(costs).map(|((&label, &own), cost)| {
        let label = label as usize;
        let Some(class) = &classes[label] else { return value };
        let (positives, negatives) = (class.positives as f64, class.negatives as f64);
        let part = half_wins[label][counts[label].step_of(own)] as f64 / (2.0 * negatives);
        let mean = (positives * class.roc_auc + value) / (positives + 1.0);
        let own = shrinkage(positives).sqrt() * (part - mean) / positives;
        value + n / ranked * (slacks - slack(class) - cost + own)
    });
    // The row that was not drawn is of the class whose rows weigh most.
    let heavy =
        classes.iter().flatten().map(|class| n / (ranked * class.positives as f64)).fold(1.0, f64::max);
    Some(Spread {
        unseen: [value - heavy * value, value + heavy * (1.0 - value)],
        ..Spread::mean(value, [0.0, 1.0], rows.collect())
    })
}

/// The interval of `spread` where all of so many classes judge the same rows: of two they say the same.
fn shared_interval(spread: &Spread, classes: usize) -> Interval {
    let part = 1.0 - 1.0 / classes as f64;
    let rows = spread.rows.len() as f64 * part;
    let squares = spread.squares() * part * part;
    let [low, high] = [0, 1].map(|at| end(at, rows, squares, spread.value, spread.unseen[at], spread.range));
    Interval { low: low.min(spread.value), high: high.max(spread.value) }
}

fn macro_average_precision_interval(classes: &[Option<ClassRanking>]) -> Option<Interval> {
    let ranked = || classes.iter().flatten();
    let count = ranked().count() as f64;
    let rows = ranked().map(|class| class.positives as f64).sum::<f64>();
    if count == 0.0 {
        return None;
    }
    let value = ranked().map(|class| class.average_precision).sum::<f64>() / count;
    let (mut own, mut others) = (0.0, 0.0);
    for class in ranked() {
        let positives = class.positives as f64;
        let away =
            class.average_precision - (positives * class.average_precision + value) / (positives + 1.0);
        let [of_positives, of_negatives] = class.precision_squares;
        own += shrinkage(positives) * (of_positives + positives * away * away) / (positives * count).powi(2);
        others += of_negatives.sqrt() / (class.negatives as f64 * count);
    }
    // The row that was not drawn is of the class whose rows weigh most.
    let heavy = ranked().map(|class| rows / (count * class.positives as f64)).fold(1.0, f64::max);
    // Of two classes the rows say the same twice.
    let rows = rows * (1.0 - 1.0 / count);
    let squares = (own + others * others) * rows * rows;
    let least = ranked().map(|class| class.least_precision).sum::<f64>() / count;
    let unseen = [value - heavy * value, value + heavy * (1.0 - value)];
    let ends = [0, 1].map(|at| end(at, rows, squares, [least, value][at], unseen[at], [0.0, 1.0]));
    Some(Interval { low: ends[0].min(value), high: ends[1].max(value) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scored;

    /// (labels, probabilities) of `n` rows and `classes` classes, with ties.
    fn scores(n: u32, classes: u32) -> (Vec<u32>, Vec<f64>) {
        let labels = (0..n).map(|row| (row * row + row / 3) % classes).collect();
        let raw =
            |row: u32| (0..classes).map(move |class| f64::from((row * 31 + class * class * 17) % 23 + 1));
        let rows = (0..n).flat_map(|row| raw(row).map(move |value| value / raw(row).sum::<f64>()));
        (labels, rows.collect())
    }

    /// Whether the interval of the macro AUC is as wide as it would be had the average this variance.
    fn is_of_variance(rankings: &Rankings, n: f64, variance: f64, tolerance: f64) {
        let (value, got) =
            (rankings.macro_roc_auc().value.unwrap(), rankings.macro_roc_auc().interval.unwrap());
        let ranked = || rankings.per_class().iter().flatten();
        let (count, least) = (ranked().count() as f64, ranked().map(|class| class.positives).min().unwrap());
        let (part, heavy) = (1.0 - 1.0 / count, n / (count * least as f64));
        let unseen = [value - heavy * value, value + heavy * (1.0 - value)];
        let [low, high] =
            [0, 1].map(|at| end(at, n * part, variance * (n * part).powi(2), value, unseen[at], [0.0, 1.0]));
        let ratio = (got.high - got.low) / (high - low);
        assert!((ratio - 1.0).abs() < tolerance, "{got:?} is not {low} to {high}");
    }

    #[test]
    fn two_classes_are_one_ranking() {
        let labels: Vec<u32> = (0..40).map(|row| u32::from(row % 3 == 0)).collect();
        let p: Vec<f64> = (0..40)
            .flat_map(|row| {
                let p = f64::from(row * row % 16) / 16.0;
                [1.0 - p, p]
            })
            .collect();
        let rankings = Rankings::of(&Scored::new(&labels, &p, 2).unwrap());
        let [first, second] = [0, 1].map(|class| *rankings.class(class).unwrap());
        assert!((first.roc_auc - second.roc_auc).abs() < 1e-15);
        // DeLong's, but for classes' means being shrunk.
        is_of_variance(&rankings, 40.0, second.roc_auc_variance.unwrap(), 0.03);
    }

    #[test]
    fn a_row_s_influence_is_what_leaving_it_out_shows() {
        // The jackknife's variance of the macro average, (n − 1)/n Σ (θ₍ᵢ₎ − θ̄)², is the same to first
        // order.
        let (n, classes) = (300, 4);
        let (labels, p) = scores(n, classes);
        let classes = classes as usize;
        let of = |labels: &[u32], p: &[f64]| Rankings::of(&Scored::new(labels, p, classes).unwrap());
        let without: Vec<f64> = (0..n as usize)
            .map(|row| {
                let (mut labels, mut p) = (labels.clone(), p.clone());
                labels.remove(row);
                p.drain(row * classes..(row + 1) * classes);
                of(&labels, &p).macro_roc_auc().value.unwrap()
            })
            .collect();
        let n = f64::from(n);
        let mean = without.iter().sum::<f64>() / n;
        let jackknife = without.iter().map(|value| (value - mean).powi(2)).sum::<f64>() * (n - 1.0) / n;
        is_of_variance(&of(&labels, &p), n, jackknife, 0.015);
    }

    #[test]
    fn classes_without_rows_are_left_out() {
        let p = [0.5, 0.25, 0.25, 0.25, 0.5, 0.25, 0.25, 0.5, 0.25];
        let rankings = Rankings::of(&Scored::new(&[0, 1, 0], &p, 3).unwrap());
        assert_eq!(rankings.class(2), None);
        assert_eq!(rankings.class(3), None);
        assert_eq!(rankings.macro_roc_auc().value, Some(0.75));
        assert!(rankings.macro_roc_auc().interval.unwrap().low < 0.2);
        let one = Rankings::of(&Scored::new(&[1, 1], &p[..6], 3).unwrap());
        assert_eq!((one.macro_roc_auc().value, one.macro_average_precision().value), (None, None));
        assert_eq!(one.macro_roc_auc().interval, None);
    }
}
