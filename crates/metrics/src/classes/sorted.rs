//! ClassRows in the order of their confidence, which is all that bins, rejection and sums need.

use rayon::prelude::*;

use super::{
    ClassRows, Tally,
    calibration::{BINS, Bins, bin_of, mass_edges},
};
use crate::row::nats;

/// The rows of [`ClassRows`] by descending confidence, of equals in their order, with what a tally adds up.
#[derive(Debug)]
pub(crate) struct Sorted {
    classes: usize,
    /// Which rows these are.
    pub(crate) order: Vec<u32>,
    pub(crate) rows: Vec<Row>,
}

/// Rows of one bin that follow one another.
#[derive(Default)]
struct Run {
    bin: usize,
    rows: u64,
    hits: u64,
    confidences: f64,
}

/// One row: what one pass over all rows reads, side by side.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) confidence: f64,
    nats: f64,
    distance: f64,
    pub(crate) label: u32,
    pub(crate) predicted: u32,
    rank: u32,
    pub(crate) bin: u8,
    /// Whether the next row is less confident.
    pub(crate) last_of_equals: bool,
}

impl Sorted {
    pub(crate) fn new(outcomes: &ClassRows) -> Sorted {
        let confidences = outcomes.confidences();
        // Fewer than 2³² rows: what ClassRows::push sees to.
        let mut order: Vec<u32> = (0..confidences.len() as u32).collect();
        order.par_sort_unstable_by(|&a, &b| {
            confidences[b as usize].total_cmp(&confidences[a as usize]).then(a.cmp(&b))
        });
        let row = |(place, &row): (usize, &u32)| {
            let at = row as usize;
            let next = order.get(place + 1).map(|&next| confidences[next as usize]);
            Row {
                confidence: confidences[at],
                nats: nats(outcomes.own()[at]),
                distance: outcomes.distances()[at],
                label: outcomes.labels()[at],
                predicted: outcomes.predicted()[at],
                rank: outcomes.ranks()[at],
                bin: bin_of(confidences[at]) as u8,
                last_of_equals: next != Some(confidences[at]),
            }
        };
        let rows = order.par_iter().enumerate().map(row).collect();
        Sorted { classes: outcomes.classes(), order, rows }
    }

    /// Adds up every row. Sums that every row adds to are kept in registers.
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = Tally::new(self.classes);
        tally.mass = Bins::between(self.mass_edges());
        let (mut nats, mut distance, mut risk) = (0.0, 0.0, 0.0);
        let (mut width, mut mass) = (Run::default(), Run { bin: BINS - 1, ..Run::default() });
        // Rows that are at least as confident as the one at hand, and mistakes among them.
        let (mut covered, mut wrong, mut before) = (0, 0, 0);
        for row in &self.rows {
            let right = row.label == row.predicted;
            tally.marginals.add(row.label as usize, row.predicted as usize, 1);
            tally.ranks[row.rank as usize] += 1;
            nats += row.nats;
            distance += row.distance;
            width.move_to(usize::from(row.bin), &mut tally.width);
            width.add(right, row.confidence);
            let mut bin = mass.bin;
            while bin > 0 && row.confidence <= tally.mass.edges()[bin] {
                bin -= 1;
            }
            mass.move_to(bin, &mut tally.mass);
            mass.add(right, row.confidence);
            covered += 1;
            wrong += u64::from(!right);
            if row.last_of_equals {
                risk += (covered - before) as f64 * (wrong as f64 / covered as f64);
                before = covered;
            }
        }
        width.finish(&mut tally.width);
        mass.finish(&mut tally.mass);
        (tally.nats, tally.distance, tally.risk) = (nats, distance, risk);
        tally
    }

    /// Edges of bins of equal mass.
    fn mass_edges(&self) -> [f64; BINS + 1] {
        let last = self.rows.len().saturating_sub(1);
        mass_edges(self.rows.len() as u64, |place| self.rows[last - place as usize].confidence)
    }

    /// `(confidence, rows at least as confident, mistakes among them)` for each confidence that occurs,
    /// descending.
    pub(crate) fn rejections(&self) -> impl Iterator<Item = (f64, u64, u64)> + '_ {
        let (mut covered, mut wrong) = (0, 0);
        self.rows.iter().filter_map(move |row| {
            covered += 1;
            wrong += u64::from(row.label != row.predicted);
            row.last_of_equals.then_some((row.confidence, covered, wrong))
        })
    }
}

impl Run {
    fn add(&mut self, right: bool, confidence: f64) {
        self.rows += 1;
        self.hits += u64::from(right);
        self.confidences += confidence;
    }

    /// Hands over to `bins` what it holds, unless the next row is of the same bin.
    fn move_to(&mut self, bin: usize, bins: &mut Bins) {
        if bin != self.bin {
            let here = std::mem::replace(self, Run { bin, ..Run::default() });
            here.finish(bins);
        }
    }

    fn finish(self, bins: &mut Bins) {
        bins.add(self.bin, self.rows, self.hits, self.confidences);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five rows of two classes, two of one confidence.
    fn outcomes() -> ClassRows {
        let mut outcomes = ClassRows::new(2);
        let probabilities = [0.75, 0.25, 0.875, 0.125, 0.25, 0.75, 0.5, 0.5, 0.0, 1.0];
        outcomes.push(&[0, 1, 0, 1, 1], &probabilities).unwrap();
        outcomes
    }

    #[test]
    fn equals_are_rejected_together() {
        // Descending: 1 right; 0.875 wrong; 0.75 right and wrong; 0.5 wrong.
        let got: Vec<_> = Sorted::new(&outcomes()).rejections().collect();
        assert_eq!(got, [(1.0, 1, 0), (0.875, 2, 1), (0.75, 4, 2), (0.5, 5, 3)]);
    }
}
