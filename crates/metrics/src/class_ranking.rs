//! How well a score tells the rows of one class from all others.

use crate::{
    Interval,
    against::{Against, Step},
    spread::two_kinds,
};

/// Ranking metrics of one class against the rest, or of one label of many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassRanking {
    /// Rows of the class, P ≥ 1.
    pub positives: u64,
    /// All other rows, N ≥ 1.
    pub negatives: u64,
    /// `roc_auc_score`: the probability that a row of the class scores higher than another, ties counting
    /// half.
    pub roc_auc: f64,
    /// `average_precision_score`: Σ (Rₖ − Rₖ₋₁) Pₖ over the distinct thresholds, without interpolation.
    pub average_precision: f64,
    /// Variance of [`roc_auc`](ClassRanking::roc_auc) (DeLong, DeLong and Clarke-Pearson, 1988); `None` with
    /// a single positive or negative.
    pub roc_auc_variance: Option<f64>,
    /// Σ (what a row moves AUC by)², times the square of their number, of the positives and of the negatives.
    pub(crate) auc_squares: [f64; 2],
    /// The same of average precision.
    pub(crate) precision_squares: [f64; 2],
    /// Average precision if of P positives the one that is i-th from the top stood for i/(P + 1) of all: the best of a
    /// few finds none above itself, and so looks better than it is; and if 1/(P + 1) of a negative more were found.
    pub(crate) least_precision: f64,
}

impl ClassRanking {
    /// `None` without positives or without negatives.
    pub(crate) fn of(against: &Against) -> Option<ClassRanking> {
        let (positives, negatives) = (against.positives(), against.negatives());
        if positives == 0 || negatives == 0 {
            return None;
        }
        let (p, n) = (positives as f64, negatives as f64);
        let (mut half_pairs, mut precision, mut least) = (0_u128, 0.0, 0.0);
        for step in against.steps() {
            half_pairs += u128::from(step.positives) * u128::from(half_wins(&step, negatives));
            let found = step.positives_from as f64;
            precision += step.positives as f64 * (found / (found + step.negatives_from as f64));
            let fewer = found * p / (p + 1.0);
            let more = step.negatives_from as f64 + 1.0 / (p + 1.0);
            least += step.positives as f64 * (fewer / (fewer + more));
        }
        let roc_auc = half_pairs as f64 / (2 * u128::from(positives) * u128::from(negatives)) as f64;
        let auc_squares = [of_positives(against, roc_auc), of_negatives(against, roc_auc)];
        let roc_auc_variance = (positives > 1 && negatives > 1)
            .then(|| auc_squares[0] / (p * (p - 1.0)) + auc_squares[1] / (n * (n - 1.0)));
        Some(ClassRanking {
            positives,
            negatives,
            roc_auc,
            average_precision: precision / p,
            roc_auc_variance,
            auc_squares,
            precision_squares: precision_squares(against),
            least_precision: least / p,
        })
    }

    /// The 95 % interval of [`roc_auc`](ClassRanking::roc_auc): the mean over positives of the part of negatives below them,
    /// and over negatives of that of positives above, each with one row more that is as bad, or as good, as can be.
    pub fn roc_auc_interval(&self) -> Interval {
        self.interval(self.roc_auc, self.auc_squares)
    }

    /// The 95 % interval of [`average_precision`](ClassRanking::average_precision), likewise, from what each row moves
    /// it by.
    pub fn average_precision_interval(&self) -> Interval {
        self.interval(self.average_precision, self.precision_squares)
    }

    fn interval(&self, value: f64, squares: [f64; 2]) -> Interval {
        let [positives, negatives] = squares;
        let kinds = [(self.positives as f64, positives), (self.negatives as f64, negatives)];
        two_kinds(value, kinds, [0.0, 1.0])
    }
}

/// Σ of squares of what positives, and negatives, move average precision by, times their number: a positive adds its
/// own precision, and raises that of those from it down by w/(f + w)² each, where f positives and w negatives are found; a
/// negative lowers that of those below it by f/(f + w)².
fn precision_squares(against: &Against) -> [f64; 2] {
    let (p, n) = (against.positives() as f64, against.negatives() as f64);
    let steps: Vec<(f64, f64, f64, f64)> = against
        .steps()
        .map(|step| {
            let (found, wrong) = (step.positives_from as f64, step.negatives_from as f64);
            let all = (found + wrong) * (found + wrong);
            let positives = step.positives as f64;
            (positives, found / (found + wrong), positives * wrong / all, positives * found / all)
        })
        .collect();
    let (mut raised, mut lowered) = (0.0, 0.0);
    // (rows, number) from the lowest step up; the negatives below all positives move nothing.
    let mut positives = Vec::with_capacity(steps.len());
    let mut negatives = Vec::with_capacity(steps.len() + 1);
    let mut counts: Vec<f64> = against.steps().map(|step| step.negatives_from as f64).collect();
    negatives.push((n - counts.last().copied().unwrap_or(0.0), 0.0));
    for at in (1..counts.len()).rev() {
        counts[at] -= counts[at - 1];
    }
    for ((rows, precision, raises, lowers), below) in steps.iter().zip(counts).rev() {
        raised += raises;
        lowered += lowers;
        positives.push((*rows, precision + raised));
        negatives.push((below, -lowered * n / p));
    }
    let squares = |moves: &[(f64, f64)], rows: f64| {
        let mean = moves.iter().map(|(rows, of)| rows * of).sum::<f64>() / rows;
        moves.iter().map(|(rows, of)| rows * (of - mean).powi(2)).sum::<f64>()
    };
    [squares(&positives, p), squares(&negatives, n)]
}

/// Twice the negatives that a positive of `step` scores above, and once those of its score.
pub(crate) fn half_wins(step: &Step, negatives: u64) -> u64 {
    2 * (negatives - step.negatives_from) + step.tied
}

/// Σ (V₁₀ − AUC)² over the positives, V₁₀ being the part of negatives below one.
fn of_positives(against: &Against, roc_auc: f64) -> f64 {
    let pairs = 2.0 * against.negatives() as f64;
    let squares = against.steps().map(|step| {
        let part = half_wins(&step, against.negatives()) as f64 / pairs;
        step.positives as f64 * (part - roc_auc).powi(2)
    });
    squares.sum()
}

/// Σ (V₀₁ − AUC)² over the negatives, V₀₁ being the part of positives above one.
fn of_negatives(against: &Against, roc_auc: f64) -> f64 {
    let pairs = 2.0 * against.positives() as f64;
    let square = |half_wins: u64| (half_wins as f64 / pairs - roc_auc).powi(2);
    let (mut sum, mut negatives_from) = (0.0, 0);
    for step in against.steps() {
        let above = step.positives_from - step.positives;
        sum += step.tied as f64 * square(2 * above + step.positives);
        sum += (step.negatives_from - negatives_from - step.tied) as f64 * square(2 * above);
        negatives_from = step.negatives_from;
    }
    sum + (against.negatives() - negatives_from) as f64 * square(2 * against.positives())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranking(positives: &[f64], negatives: &[f64]) -> Option<ClassRanking> {
        let mut against = Against::new(positives.to_vec(), negatives.len() as u32);
        for &score in negatives {
            against.count(score);
        }
        ClassRanking::of(&against)
    }

    #[test]
    fn by_hand() {
        // scikit-learn's documented example: roc_auc_score 0.75, average_precision_score 0.8333…
        let got = ranking(&[0.35, 0.8], &[0.1, 0.4]).unwrap();
        assert_eq!(got.roc_auc, 0.75);
        assert!((got.average_precision - 5.0 / 6.0).abs() < 1e-15);
        // V₁₀ is 0.5 and 1, V₀₁ is 1 and 0.5: both sample variances are 1/8.
        assert!((got.roc_auc_variance.unwrap() - (0.125 / 2.0 + 0.125 / 2.0)).abs() < 1e-15);
        assert!(got.roc_auc_interval().low < 0.1 && got.roc_auc_interval().high > 0.98);
    }

    #[test]
    fn edges() {
        let cases = [
            (ranking(&[0.5], &[0.5]), 0.5, 0.5, None),
            (ranking(&[0.9, 0.8], &[0.1, 0.2]), 1.0, 1.0, Some(0.0)),
            (ranking(&[0.0, 0.0], &[1.0, 1.0]), 0.0, 0.5, Some(0.0)),
            (ranking(&[0.25; 3], &[0.25; 2]), 0.5, 0.6, Some(0.0)),
        ];
        for (got, roc_auc, average_precision, variance) in cases {
            let got = got.unwrap();
            assert_eq!(
                (got.roc_auc, got.average_precision, got.roc_auc_variance),
                (roc_auc, average_precision, variance)
            );
        }
        assert_eq!(ranking(&[], &[0.5]), None);
        assert_eq!(ranking(&[0.5], &[]), None);
    }

    #[test]
    fn variance_is_delong_s() {
        // The definition, over all pairs.
        let positives: Vec<f64> = (0..17).map(|at| f64::from(at * at % 23) / 23.0 + 0.25).collect();
        let negatives: Vec<f64> = (0..31).map(|at| f64::from(at * at % 29) / 23.0).collect();
        let win = |positive: f64, negative: f64| match positive.total_cmp(&negative) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        };
        let spread = |parts: Vec<f64>| {
            let mean = parts.iter().sum::<f64>() / parts.len() as f64;
            let squares: f64 = parts.iter().map(|part| (part - mean).powi(2)).sum();
            squares / (parts.len() as f64 - 1.0) / parts.len() as f64
        };
        let v10 =
            positives.iter().map(|&p| negatives.iter().map(|&n| win(p, n)).sum::<f64>() / 31.0).collect();
        let v01 =
            negatives.iter().map(|&n| positives.iter().map(|&p| win(p, n)).sum::<f64>() / 17.0).collect();
        let got = ranking(&positives, &negatives).unwrap().roc_auc_variance.unwrap();
        assert!((got - spread(v10) - spread(v01)).abs() < 1e-15);
    }
}
