//! Labels that are likely wrong, by what the model and the neighbours say together.
//!
//! A model's probabilities and the labels of the nearest neighbours err differently. They are combined as a product of
//! powers, q ∝ Πₖ pₖ^aₖ, whose powers aₖ ≥ 0 are those that make the given labels most likely: an overconfident model is
//! toned down, and neighbours count as much as they are worth. Few labels are wrong, so they hardly move the powers.

use rayon::prelude::*;

use crate::{
    Neighbours, Predictions, ReviewError,
    powers::{combine, powers},
    predictions::largest_other,
};

/// Below this a probability is taken for this: a model that is sure of the impossible must not outvote all others.
const LEAST: f64 = 1e-9;
/// The weight of a neighbour is exp(5 · cosine). Flat: equal weights do nearly as well.
const SHARPNESS: f64 = 5.0;

/// The quality of a label of which nothing is known.
pub const UNDECIDED: f64 = 0.5;

/// A row and how its label looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suspect {
    /// The row.
    pub row: u32,
    /// Its label.
    pub label: u32,
    /// The most probable other class.
    pub suggested: u32,
    /// q(label) / (q(label) + q(suggested)): from 0 (surely the suggested class) to 1; below 0.5 the suggested class is
    /// the more probable one.
    pub quality: f64,
}

/// All rows, the least credible label first (by quality, then by row).
///
/// Each of `neighbours` votes: those found in [`Space::whitened`](crate::Space::whitened) and in
/// [`Space::centred`](crate::Space::centred) together do best, 16 of each; without any, the model alone decides.
///
/// Measured with 5 % of labels flipped, on eight sets of real features: of the flipped, the worst tenth of all rows holds
/// 90 % by this and 79 % by the best of cleanlab's scores where the model is overfitted, 91 % and 89 % where it is well
/// regularised (`tests/peers/suspects.py`).
///
/// # Errors
/// Neighbours of another number of rows.
pub fn suspects(
    predictions: &Predictions<'_>,
    neighbours: &[&Neighbours],
) -> Result<Vec<Suspect>, ReviewError> {
    let probabilities = |row: u32| predictions.probabilities(row);
    let rows: Vec<u32> = (0..predictions.rows() as u32).collect();
    let judges = Judges::of(predictions.labels(), predictions.classes(), neighbours, &rows, probabilities)?;
    let suspect = |&row: &u32| judges.suspect(row, predictions.probabilities(row));
    Ok(in_order(rows.par_iter().map(suspect).collect()))
}

/// Sorts by quality, then by row.
pub fn in_order(mut suspects: Vec<Suspect>) -> Vec<Suspect> {
    suspects.sort_by(|a, b| a.quality.total_cmp(&b.quality).then(a.row.cmp(&b.row)));
    suspects
}

/// A model and neighbours, and how much each counts: judges rows one by one, so that nobody holds the (n, C) matrix.
pub struct Judges<'a> {
    labels: &'a [u32],
    neighbours: &'a [&'a Neighbours],
    /// Shares of all labels: (C,).
    prior: Vec<f64>,
    powers: Vec<f64>,
}

impl<'a> Judges<'a> {
    /// Weighs them on some rows, `sample`, of which `probabilities` gives the model's (C,). Holds (sample, C) numbers for each.
    ///
    /// # Errors
    /// Neighbours of another number of rows.
    pub fn of<'p>(
        labels: &'a [u32],
        classes: usize,
        neighbours: &'a [&'a Neighbours],
        sample: &[u32],
        probabilities: impl Fn(u32) -> &'p [f64],
    ) -> Result<Judges<'a>, ReviewError> {
        for found in neighbours {
            if found.rows() != labels.len() {
                return Err(ReviewError::Count {
                    what: "lists of neighbours",
                    expected: labels.len(),
                    got: found.rows(),
                });
            }
        }
        let mut prior = vec![LEAST; classes];
        labels.iter().for_each(|&label| prior[label as usize] += 1.0 / labels.len() as f64);
        let mut judges = Judges { labels, neighbours, prior, powers: Vec::new() };
        let mut opinions = vec![Vec::with_capacity(sample.len() * classes); neighbours.len() + 1];
        for &row in sample {
            let own = judges.opinions(row, probabilities(row));
            opinions.iter_mut().zip(own).for_each(|(all, own)| all.extend(own));
        }
        let labels: Vec<u32> = sample.iter().map(|&row| labels[row as usize]).collect();
        judges.powers = powers(&opinions, &labels, classes);
        Ok(judges)
    }

    /// How the label of `row` looks, of which the model gives `probabilities` (C,).
    pub fn suspect(&self, row: u32, probabilities: &[f64]) -> Suspect {
        let label = self.labels[row as usize];
        let mut combined = vec![0.0; probabilities.len()];
        combine(&self.opinions(row, probabilities), &self.powers, 0, &mut combined);
        let suggested = largest_other(&combined, label as usize);
        let (own, other) = (combined[label as usize], combined[suggested]);
        // An opinion that is no number is none.
        let quality = Some(1.0 / (1.0 + (other - own).exp())).filter(|quality| quality.is_finite());
        let quality = quality.unwrap_or(UNDECIDED);
        Suspect { row, label, suggested: suggested as u32, quality }
    }

    /// ln p (C,) by the model, then by each of the neighbours.
    fn opinions(&self, row: u32, probabilities: &[f64]) -> Vec<Vec<f32>> {
        let model = probabilities.iter().map(|p| p.max(LEAST).ln() as f32).collect();
        let votes = self.neighbours.iter().map(|found| votes(found, self.labels, &self.prior, row as usize));
        std::iter::once(model).chain(votes).collect()
    }
}

/// What a row's neighbours think of it, ln p (C,): their labels' weighted shares, mixed with the shares of all labels as if
/// these were one neighbour more, so that nothing is impossible.
fn votes(neighbours: &Neighbours, labels: &[u32], prior: &[f64], row: usize) -> Vec<f32> {
    let count = neighbours.count() as f64;
    let mut shares = vec![0.0; prior.len()];
    for (other, similarity) in neighbours.of(row) {
        shares[labels[other as usize] as usize] += (SHARPNESS * f64::from(similarity)).exp();
    }
    let scale = count / shares.iter().sum::<f64>().max(LEAST);
    let mixed = shares.iter().zip(prior).map(|(share, prior)| (share * scale + prior) / (count + 1.0));
    mixed.map(|p| p.ln() as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Space, random::Random};
    use features::Matrix;

    /// 400 rows around four centres, a model that knows the true class but vaguely, and every twentieth label wrong.
    fn flipped() -> (Vec<f32>, Vec<u32>, Vec<f64>) {
        let mut random = Random::new(9);
        let (mut features, mut labels, mut probabilities) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..400 {
            let class = row % 4;
            features.extend((0..12).map(|i| random.centred() + if i % 4 == class { 1.0 } else { 0.0 }));
            labels.push(if row % 20 == 3 { (class as u32 + 1) % 4 } else { class as u32 });
            let doubt: Vec<f64> = (0..4)
                .map(|i| f64::from(1.5 * random.centred() + if i == class { 1.5 } else { 0.0 }).exp())
                .collect();
            let sum: f64 = doubt.iter().sum();
            probabilities.extend(doubt.iter().map(|value| value / sum));
        }
        (features, labels, probabilities)
    }

    #[test]
    fn flipped_labels_come_first_and_neighbours_help() {
        let (features, labels, probabilities) = flipped();
        let predictions = Predictions::new(&labels, &probabilities, 4).unwrap();
        let space = Space::whitened(&Matrix::new(&features, 12).unwrap()).unwrap();
        let neighbours = Neighbours::find(&space, 16);
        let hits = |neighbours: &[&Neighbours]| {
            let suspects = suspects(&predictions, neighbours).unwrap();
            suspects[..20].iter().filter(|suspect| suspect.row % 20 == 3).count()
        };
        let (alone, together) = (hits(&[]), hits(&[&neighbours]));
        assert!(together >= 15 && together > alone, "{alone}, {together} of 20");
        let first = suspects(&predictions, &[&neighbours]).unwrap()[0];
        assert_eq!(first.suggested, first.row % 4);
        assert!(first.quality < 0.1);
    }

    #[test]
    fn bits_do_not_depend_on_threads() {
        let (features, labels, probabilities) = flipped();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let space = Space::centred(&Matrix::new(&features, 12).unwrap()).unwrap();
                let neighbours = Neighbours::find(&space, 16);
                suspects(&Predictions::new(&labels, &probabilities, 4).unwrap(), &[&neighbours]).unwrap()
            })
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(5));
    }

    #[test]
    fn neighbours_must_be_of_the_same_rows() {
        let space = Space::centred(&Matrix::new(&[1.0, 2.0, 4.0], 1).unwrap()).unwrap();
        let predictions = Predictions::new(&[0, 1], &[1.0, 0.0, 0.5, 0.5], 2).unwrap();
        let error = suspects(&predictions, &[&Neighbours::find(&space, 2)]).unwrap_err();
        assert_eq!(error.to_string(), "expected 2 lists of neighbours, one a row, got 3");
    }
}
