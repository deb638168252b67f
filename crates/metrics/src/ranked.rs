//! One class's rows in the order of their scores, held, so that its ranking metrics can be taken of
//! resamples.

use std::ops::Range;

/// Slots of all n rows, in descending order of one class's scores.
pub(crate) struct Ranked {
    slots: Vec<u32>,
    /// Rows that score above every positive.
    above: Range<usize>,
    /// Descending.
    steps: Vec<Equals>,
}

/// Where the rows of one score of positives lie in the order, and those from there down to the next.
struct Equals {
    positives: Range<usize>,
    tied: Range<usize>,
    between: Range<usize>,
}

impl Ranked {
    /// Of `rows`, each with its score, whether it is a positive, and its slot.
    pub(crate) fn of(rows: impl Iterator<Item = (f64, bool, u32)>) -> Ranked {
        let mut rows: Vec<(f64, bool, u32)> = rows.collect();
        // Of equals the positives come first. Slots are different, so the order is one.
        rows.sort_unstable_by(|a, b| {
            // Not total_cmp, for which -0 lies below 0. Scores are within [0, 1], so there is always an
            // order.
            b.0.partial_cmp(&a.0).unwrap_or(std::cmp::Ordering::Equal).then(b.1.cmp(&a.1)).then(a.2.cmp(&b.2))
        });
        let run = |from: usize, of: &dyn Fn(&(f64, bool, u32)) -> bool| {
            from..from + rows[from..].iter().take_while(|row| of(row)).count()
        };
        let above = run(0, &|row| !row.1);
        let mut steps: Vec<Equals> = Vec::new();
        let mut at = above.end;
        while at < rows.len() {
            let score = rows[at].0;
            let positives = run(at, &|row| row.1 && row.0 == score);
            let tied = run(positives.end, &|row| !row.1 && row.0 == score);
            let between = run(tied.end, &|row| !row.1);
            at = between.end;
            steps.push(Equals { positives, tied, between });
        }
        Ranked { slots: rows.into_iter().map(|row| row.2).collect(), above, steps }
    }

    /// AUC and average precision of a resample; `None` where it has no positives or no negatives.
    pub(crate) fn values(&self, copies: &[u32]) -> Option<(f64, f64)> {
        let sum = |range: &Range<usize>| {
            self.slots[range.clone()].iter().map(|&slot| u64::from(copies[slot as usize])).sum::<u64>()
        };
        let (mut found, mut wrong) = (0, sum(&self.above));
        // Twice the negatives above each positive, and once those of its score.
        let (mut half_losses, mut precision) = (0_u128, 0.0);
        for step in &self.steps {
            let (positives, tied) = (sum(&step.positives), sum(&step.tied));
            half_losses += u128::from(positives) * u128::from(2 * wrong + tied);
            found += positives;
            wrong += tied;
            if positives > 0 {
                precision += positives as f64 * (found as f64 / (found + wrong) as f64);
            }
            wrong += sum(&step.between);
        }
        if found == 0 || wrong == 0 {
            return None;
        }
        let half_pairs = 2 * u128::from(found) * u128::from(wrong);
        Some(((half_pairs - half_losses) as f64 / half_pairs as f64, precision / found as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClassRanking;
    use crate::against::Against;

    #[test]
    fn copies_are_rows() {
        let scores: Vec<f64> = (0..60).map(|row| f64::from(row * row % 17) / 17.0).collect();
        let positive = |row: usize| row.is_multiple_of(3);
        let ranked = Ranked::of(scores.iter().enumerate().map(|(row, &p)| (p, positive(row), row as u32)));
        for seed in 0..20 {
            let copies: Vec<u32> = (0..60).map(|row| (row * 7 + seed * 5) % 11 % 4).collect();
            let rows = || copies.iter().enumerate().flat_map(|(row, &copies)| vec![row; copies as usize]);
            let positives: Vec<f64> = rows().filter(|&row| positive(row)).map(|row| scores[row]).collect();
            let negatives: Vec<f64> = rows().filter(|&row| !positive(row)).map(|row| scores[row]).collect();
            let mut against = Against::new(positives, negatives.len() as u32);
            for score in negatives {
                against.count(score);
            }
            let expected = ClassRanking::of(&against).unwrap();
            let (roc_auc, average_precision) = ranked.values(&copies).unwrap();
            assert_eq!(roc_auc, expected.roc_auc);
            assert!((average_precision - expected.average_precision).abs() < 1e-15);
        }
        let no_positives: Vec<u32> = (0..60).map(|row| u32::from(!positive(row))).collect();
        assert_eq!(ranked.values(&no_positives), None);
        assert_eq!(Ranked::of(std::iter::empty()).values(&[]), None);
    }
}
