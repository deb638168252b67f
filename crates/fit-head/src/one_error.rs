//! What `--head auto` keeps: its first kind, unless another's held-out loss is less by more than one standard error.
//!
//! Kinds that are compared by their mean loss alone change places by chance. ACCURACY.md compares rules of choice
//! (`tests/peers/kinds.py`).

/// Where one row alone differs, the mean is one error, give or take what is rounded: that is not more.
const ROUNDING: f64 = 1.0 + 1e-6;

/// How much more is lost by one than by another, on the same rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Difference {
    pub(crate) mean: f64,
    /// Of the mean.
    pub(crate) standard_error: f64,
}

impl Difference {
    /// Of `losses` from those of `first`, (n,) both; `None` of less than two rows.
    pub(crate) fn of(losses: &[f64], first: &[f64]) -> Option<Difference> {
        if losses.len() != first.len() || first.len() < 2 {
            return None;
        }
        let rows = first.len() as f64;
        let each = || losses.iter().zip(first).map(|(own, first)| own - first);
        let mean = each().sum::<f64>() / rows;
        let variance = each().map(|difference| (difference - mean).powi(2)).sum::<f64>() / (rows - 1.0);
        Some(Difference { mean, standard_error: (variance / rows).sqrt() })
    }

    fn is_clearly_less(self) -> bool {
        self.mean < -ROUNDING * self.standard_error
    }
}

/// Which of them is kept: of those that clearly lose less than the first the one of least loss, else the first, which is 0.
pub(crate) fn kept(differences: &[Option<Difference>]) -> usize {
    let each = differences.iter().enumerate();
    let less = each.filter_map(|(at, difference)| Some((at, (*difference)?)));
    let less = less.filter(|(_, difference)| difference.is_clearly_less());
    less.min_by(|(_, a), (_, b)| a.mean.total_cmp(&b.mean)).map_or(0, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_kept_unless_another_is_better_by_more_than_one_error() {
        let first = [0.5, 0.7, 0.2, 0.6];
        let kept_of = |others: &[[f64; 4]]| {
            let others = others.iter().map(|own| Difference::of(own, &first));
            kept(&[None].into_iter().chain(others).collect::<Vec<_>>())
        };
        let (worse, equal) = ([0.6, 0.8, 0.3, 0.7], first);
        // By 0.1 in every row; by 0.1 with an error of 0.108; by 0.1 with one of 0.041.
        let (clear, chance, most) = ([0.4, 0.6, 0.1, 0.5], [0.7, 0.4, 0.0, 0.5], [0.4, 0.5, 0.2, 0.5]);
        assert_eq!(kept_of(&[]), 0);
        assert_eq!(kept_of(&[worse]), 0);
        assert_eq!(kept_of(&[equal]), 0);
        assert_eq!(kept_of(&[clear]), 1);
        assert_eq!(kept_of(&[chance]), 0);
        assert_eq!(kept_of(&[most]), 1);
        assert_eq!(kept_of(&[[0.5, 0.7, 0.2, 0.1]]), 0, "one row alone");
        assert_eq!(kept_of(&[worse, clear]), 2);
        // Of two that are better the one of least loss.
        assert_eq!(kept_of(&[clear, [0.3, 0.5, 0.0, 0.4]]), 2);
        assert_eq!(kept_of(&[[f64::NAN; 4]]), 0);
    }

    #[test]
    fn the_error_is_that_of_paired_rows() {
        let found = Difference::of(&[1.0, 3.0, 5.0], &[2.0, 3.0, 3.0]).unwrap();
        // Differences -1, 0, 2: mean 1/3, variance 7/3.
        assert!((found.mean - 1.0 / 3.0).abs() < 1e-15);
        assert!((found.standard_error - (7.0f64 / 9.0).sqrt()).abs() < 1e-15);
        assert_eq!(Difference::of(&[1.0], &[2.0]), None);
        assert_eq!(Difference::of(&[], &[1.0, 2.0]), None);
    }
}
