//! How one class's positives and negatives lie among each other: integer counts, from which every ranking
//! metric and every curve of the class follows.

use rayon::prelude::*;

/// Where the scores of one class's negatives fall among those of its positives.
///
/// Only the positives are held and sorted. Negatives come one by one, in any order, and are counted, so that
/// n scores need not be sorted for each of C classes; and as counts are integers, their order does not
/// matter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Against {
    /// Scores of positives, each once, ascending.
    scores: Vec<f64>,
    /// Positives of at most each score.
    up_to: Vec<u32>,
    /// Negatives from each score on, and below the next.
    from: Vec<u32>,
    /// Negatives of exactly each score.
    tied: Vec<u32>,
    negatives: u32,
}

/// All rows of one score, or between two scores, of positives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) score: f64,
    /// Positives of this score.
    pub(crate) positives: u64,
    /// Positives of this score or above.
    pub(crate) positives_from: u64,
    /// Negatives of exactly this score.
    pub(crate) tied: u64,
    /// Negatives of this score or above.
    pub(crate) negatives_from: u64,
}

impl Against {
    /// Takes the scores of all positives, in any order, and the number of negatives that will be counted.
    pub(crate) fn new(mut positives: Vec<f64>, negatives: u32) -> Against {
        positives.par_sort_unstable_by(f64::total_cmp);
        let (mut scores, mut up_to) = (Vec::new(), Vec::new());
        let mut before = 0;
        for equals in positives.chunk_by(|a, b| a == b) {
            before += equals.len() as u32;
            scores.push(equals[0]);
            up_to.push(before);
        }
        let zeros = vec![0; scores.len()];
        Against { scores, up_to, from: zeros.clone(), tied: zeros, negatives }
    }

    /// Counts a negative. Gives twice the positives below it, and once those of its score: what its being
    /// ranked there costs, in half pairs.
    #[inline]
    pub(crate) fn count(&mut self, score: f64) -> u64 {
        // Most negatives of most classes lie below all positives.
        if self.scores.first().is_none_or(|&lowest| score < lowest) {
            return 0;
        }
        let at = self.scores.partition_point(|&positive| positive <= score) - 1;
        self.from[at] += 1;
        if self.scores[at] == score {
            self.tied[at] += 1;
            u64::from(self.up_to[at]) + if at == 0 { 0 } else { u64::from(self.up_to[at - 1]) }
        } else {
            2 * u64::from(self.up_to[at])
        }
    }

    /// Number of positives, P.
    pub(crate) fn positives(&self) -> u64 {
        u64::from(self.up_to.last().copied().unwrap_or(0))
    }

    /// Number of negatives, N.
    pub(crate) fn negatives(&self) -> u64 {
        u64::from(self.negatives)
    }

    /// One step for each score of positives, descending.
    pub(crate) fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        let mut negatives_from = 0;
        (0..self.scores.len()).rev().map(move |at| {
            negatives_from += u64::from(self.from[at]);
            let below = if at == 0 { 0 } else { self.up_to[at - 1] };
            Step {
                score: self.scores[at],
                positives: u64::from(self.up_to[at] - below),
                positives_from: self.positives() - u64::from(below),
                tied: u64::from(self.tied[at]),
                negatives_from,
            }
        })
    }

    /// Which of [`Against::steps`] a positive of this score is in.
    pub(crate) fn step_of(&self, positive: f64) -> usize {
        self.scores.len() - self.scores.partition_point(|&score| score <= positive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_hand() {
        let mut against = Against::new(vec![0.5, 0.25, 0.75, 0.5], 6);
        // Below all, tied with the lowest, between, tied with two, above all but one, above all.
        let costs: Vec<u64> =
            [0.125, 0.25, 0.375, 0.5, 0.625, 1.0].map(|score| against.count(score)).to_vec();
        assert_eq!(costs, [0, 1, 2, 4, 6, 8]);
        let step = |score, positives, positives_from, tied, negatives_from| Step {
            score,
            positives,
            positives_from,
            tied,
            negatives_from,
        };
        let steps: Vec<Step> = against.steps().collect();
        assert_eq!(steps, [step(0.75, 1, 1, 0, 1), step(0.5, 2, 3, 1, 3), step(0.25, 1, 4, 1, 5)]);
        assert_eq!((against.positives(), against.negatives()), (4, 6));
        assert_eq!([0.75, 0.5, 0.25].map(|score| against.step_of(score)), [0, 1, 2]);
    }

    #[test]
    fn without_positives_nothing_costs_anything() {
        let mut against = Against::new(Vec::new(), 2);
        assert_eq!((against.count(0.5), against.count(1.0)), (0, 0));
        assert_eq!((against.steps().count(), against.positives()), (0, 0));
    }
}
