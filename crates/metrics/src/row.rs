//! What one row's probabilities say: its best class, the rank of the true one, distances.

/// Accumulators of a sum over a row: enough for the widest vectors, and the same order of additions
/// everywhere.
const LANES: usize = 8;

/// Position of the largest value; of equals the first. Zero for an empty slice.
pub fn argmax(row: &[f64]) -> usize {
    let mut best = [f64::NEG_INFINITY; LANES];
    let (whole, rest) = row.as_chunks::<LANES>();
    for values in whole {
        for (best, &value) in best.iter_mut().zip(values) {
            *best = if value > *best { value } else { *best };
        }
    }
    let best = best.iter().chain(rest).fold(f64::NEG_INFINITY, |best, &value| best.max(value));
    row.iter().position(|&value| value == best).unwrap_or(0)
}

/// Number of classes that rank above `label`; of equals the later ranks higher.
pub(crate) fn rank(label: usize, row: &[f64]) -> usize {
    let own = row[label];
    let above = row[..label].iter().map(|&p| u32::from(p > own)).sum::<u32>();
    let level = row[label + 1..].iter().map(|&p| u32::from(p >= own)).sum::<u32>();
    (above + level) as usize
}

/// Squared distance between `row` and the one-hot vector of `label`, within [0, 2] where the row adds up to
/// one.
pub(crate) fn squared_distance(label: usize, row: &[f64]) -> f64 {
    squares(&row[..label]) + squares(&row[label + 1..]) + (1.0 - row[label]).powi(2)
}

/// −ln p in nats, p clipped to [ε, 1 − ε] with f64's ε, as `log_loss` clips.
pub(crate) fn nats(p: f64) -> f64 {
    -p.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
}

fn squares(values: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (whole, rest) = values.as_chunks::<LANES>();
    for values in whole {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value * value;
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|value| value * value).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_largest() {
        let long: Vec<f64> = (0..37).map(|at| f64::from(at % 19) / 19.0).collect();
        let cases: [(&[f64], usize); 5] =
            [(&[], 0), (&[0.3], 0), (&[0.4, 0.4, 0.2], 0), (&[0.2, 0.4, 0.4], 1), (&long, 18)];
        for (row, best) in cases {
            assert_eq!(argmax(row), best, "{row:?}");
        }
    }

    #[test]
    fn distance_is_the_plain_sum() {
        let row: Vec<f64> = (0..29).map(|at| f64::from(at) / 406.0).collect();
        for label in 0..row.len() {
            let one_hot = |class| f64::from(u8::from(class == label));
            let plain: f64 = row.iter().enumerate().map(|(class, p)| (one_hot(class) - p).powi(2)).sum();
            assert!((squared_distance(label, &row) - plain).abs() < 1e-15);
        }
    }

    #[test]
    fn logarithms_are_clipped() {
        assert_eq!(nats(0.0), 52.0 * std::f64::consts::LN_2);
        assert!(nats(1.0) < 1e-15);
        assert_eq!(nats(0.5), std::f64::consts::LN_2);
    }
}
