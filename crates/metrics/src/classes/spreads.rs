//! What each row of a classifier moves metrics by, and values and intervals that need more than a line.

use super::{
    calibration::{BINS, Binning},
    outcomes::ClassOutcomes,
};
use crate::{
    Interval, Marginals,
    averages::{Average, ClassMetric},
    interval::{Z, proportion},
    row::nats,
    spread::{Spread, shrinkage},
};

impl ClassOutcomes {
    /// `None` without rows.
    pub(super) fn some(&self, of: impl FnOnce(&Marginals) -> f64) -> Option<f64> {
        (self.tally.rows() > 0).then(|| of(self.tally.marginals()))
    }

    /// (true class, predicted class) of each row.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + Clone + '_ {
        let labels = self.rows.labels().iter().zip(self.rows.predicted());
        labels.map(|(&label, &predicted)| (label as usize, predicted as usize))
    }

    pub(super) fn accuracy_interval(&self) -> Option<Interval> {
        proportion(self.tally.marginals().correct(), self.tally.rows())
    }

    pub(super) fn accuracy_moves(&self, value: f64) -> Spread {
        let right = self.pairs().map(|(label, predicted)| f64::from(u8::from(label == predicted)));
        Spread::mean(value, [0.0, 1.0], right.collect())
    }

    /// Part of rows whose true class is among the k most probable; undefined where k ≥ C.
    pub(super) fn top_k_accuracy(&self, k: usize) -> Option<f64> {
        let hits = self.tally.hits_at(k)?;
        self.some(|all| hits as f64 / all.total() as f64)
    }

    pub(super) fn top_k_moves(&self, k: usize, value: f64) -> Spread {
        let hit = |&rank: &u32| f64::from(u8::from((rank as usize) < k));
        Spread::mean(value, [0.0, 1.0], self.rows.ranks().iter().map(hit).collect())
    }

    pub(super) fn average(&self, average: Average, what: ClassMetric) -> Option<f64> {
        self.some(|all| match average {
            Average::Macro => all.macro_average(|class| what.of(class)),
            Average::Present => all.present_average(|class| what.of(class)),
            Average::Micro => all.accuracy(),
            Average::Weighted => all.weighted_average(|class| what.of(class)),
        })
    }

    pub(super) fn average_interval(
        &self,
        average: Average,
        what: ClassMetric,
        value: f64,
    ) -> Option<Interval> {
        match (average, what) {
            (Average::Micro, _) | (Average::Weighted, ClassMetric::Recall) => self.accuracy_interval(),
            _ => Some(self.average_moves(average, what, value).interval()),
        }
    }

    pub(super) fn average_moves(&self, average: Average, what: ClassMetric, value: f64) -> Spread {
        match (average, what) {
            (Average::Micro, _) | (Average::Weighted, ClassMetric::Recall) => self.accuracy_moves(value),
            (Average::Present, ClassMetric::Recall) => self.balanced_accuracy_moves(value),
            _ => self.averages.spread(value, average, what, self.pairs(), self.rows.rows()),
        }
    }

    pub(super) fn cohen_kappa(&self) -> Option<f64> {
        (self.tally.rows() > 0).then(|| self.tally.marginals().cohen_kappa()).flatten()
    }

    pub(super) fn calibration_error(&self, binning: Binning) -> Option<f64> {
        self.tally.bins(binning).expected_calibration_error()
    }

    pub(super) fn balanced_accuracy_moves(&self, value: f64) -> Spread {
        let marginals = self.tally.marginals();
        let n = self.tally.rows() as f64;
        let present = marginals.present() as f64;
        let pooled = marginals.accuracy();
        // Of each class what one of its rows weighs, and its recall shrunk towards that of all rows.
        let classes: Vec<(f64, f64, f64)> = marginals
            .per_class()
            .map(|class| {
                let rows = class.support as f64;
                let weight = n / (present * rows.max(1.0));
                (weight, (class.correct as f64 + pooled) / (rows + 1.0), shrinkage(rows).sqrt())
            })
            .collect();
        let row = |(label, predicted): (usize, usize)| {
            let (weight, recall, scale) = classes[label];
            value + weight * scale * (f64::from(u8::from(label == predicted)) - recall)
        };
        // The row that was not drawn is of the class whose rows weigh most.
        let there = classes.iter().zip(marginals.per_class()).filter(|(_, class)| class.support > 0);
        let heavy = there.map(|((weight, ..), _)| *weight).fold(1.0, f64::max);
        Spread {
            unseen: [value - heavy * value, value + heavy * (1.0 - value)],
            ..Spread::mean(value, [0.0, 1.0], self.pairs().map(row).collect())
        }
    }

    /// 1 − wrong / expected: the ratio of two means.
    pub(super) fn cohen_kappa_moves(&self, value: f64) -> Option<Spread> {
        let n = self.tally.rows() as f64;
        let shares: Vec<f64> =
            self.tally.marginals().per_class().map(|class| class.support as f64 / n).collect();
        let expected = self.pairs().map(|(_, predicted)| 1.0 - shares[predicted]).sum::<f64>() / n;
        if expected <= 0.0 {
            return None;
        }
        let row = |(label, predicted): (usize, usize)| {
            let wrong = f64::from(u8::from(label != predicted));
            value - (wrong - (1.0 - value) * (1.0 - shares[predicted])) / expected
        };
        let range = [1.0 - 1.0 / expected, 1.0];
        Some(Spread::mean(value, range, self.pairs().map(row).collect()))
    }

    /// (accuracy − chance) / √((1 − Σ q²)(1 − Σ s²)), q and s being the shares of classes said and true.
    pub(super) fn matthews_moves(&self, value: f64) -> Option<Spread> {
        let marginals = self.tally.marginals();
        let n = self.tally.rows() as f64;
        let shares: Vec<(f64, f64)> = marginals
            .per_class()
            .map(|class| (class.support as f64 / n, class.predicted as f64 / n))
            .collect();
        let truth = 1.0 - shares.iter().map(|(true_, _)| true_ * true_).sum::<f64>();
        let said = 1.0 - shares.iter().map(|(_, said)| said * said).sum::<f64>();
        let chance = shares.iter().map(|(true_, said)| true_ * said).sum::<f64>();
        let scale = (truth * said).sqrt();
        if n < 2.0 || truth <= 1e-12 || said <= 1e-12 {
            return None;
        }
        let part = marginals.accuracy() - chance;
        let row = |(label, predicted): (usize, usize)| {
            let right = f64::from(u8::from(label == predicted));
            let (true_, said_) = shares[predicted];
            value + (right - true_ - part) / scale + value / said * (said_ - (1.0 - said))
        };
        // Σ q² is too large by (1 − Σ q²)/n on average.
        let fewer = value * ((n - 1.0) / n).sqrt();
        let range = [(-chance / scale).max(-1.0), 1.0];
        Some(Spread {
            unbiased: [value.min(fewer), value.max(fewer)],
            ..Spread::mean(value, range, self.pairs().map(row).collect())
        })
    }

    /// A loss has no bound, so one is assumed: twice the largest of the rows' losses, of what the head itself expects of
    /// its mistakes, and of chance's.
    pub(super) fn log_loss_moves(&self, value: f64) -> Spread {
        let rows: Vec<f64> = self.rows.own().iter().map(|&own| nats(own)).collect();
        let (mut doubt, mut wrong) = (0.0, 0.0);
        for confidence in self.rows.confidences() {
            doubt += 1.0 - confidence;
            wrong += (1.0 - confidence) * nats(1.0 - confidence);
        }
        let wrong = if doubt > 0.0 { wrong / doubt } else { 0.0 };
        let chance = (self.rows.classes() as f64).ln();
        let largest = 2.0 * rows.iter().copied().fold(wrong.max(chance), f64::max);
        Spread::mean(value, [0.0, largest], rows)
    }

    pub(super) fn brier_score_moves(&self, value: f64) -> Spread {
        let scale = if self.rows.classes() < 3 { 0.5 } else { 1.0 };
        let rows: Vec<f64> = self.rows.distances().iter().map(|distance| scale * distance).collect();
        let wrong = self.rows.confidences().iter().map(|confidence| scale * (1.0 + confidence * confidence));
        let wrong = wrong.sum::<f64>() / rows.len() as f64;
        let largest = rows.iter().copied().fold(wrong, f64::max);
        Spread { unseen: [0.0, largest], ..Spread::mean(value, [0.0, 2.0 * scale], rows) }
    }

    /// A mistake is counted once for every row of at most its confidence, by the number of rows kept there; and each row
    /// dilutes the risk of all that are less confident. The order of the rows is drawn as well, and few rows show little of
    /// it: they count for one less.
    pub(super) fn risk_coverage_moves(&self, value: f64) -> Spread {
        let n = self.rows.rows();
        let places = &self.sorted.rows;
        // Of each place the rows kept where it is kept.
        let mut kept = vec![0.0; n];
        let mut end = n;
        for at in (0..n).rev() {
            if places[at].last_of_equals {
                end = at + 1;
            }
            kept[at] = end as f64;
        }
        let wrong = |at: usize| f64::from(u8::from(places[at].label != places[at].predicted));
        let mut rows = vec![0.0; n];
        // Σ 1/kept and Σ wrong/kept over the places from here on.
        let (mut counted, mut diluted) = (0.0, 0.0);
        let error = (0..n).map(wrong).sum::<f64>() / n as f64;
        let mut at = n;
        while at > 0 {
            let mut start = at - 1;
            while start > 0 && !places[start - 1].last_of_equals {
                start -= 1;
            }
            let equals = start..at;
            counted += equals.len() as f64 / kept[start];
            let risk = equals.clone().map(wrong).sum::<f64>();
            // Half of the equals lie above.
            diluted += 0.5 * risk / kept[start];
            for place in equals {
                rows[self.sorted.order[place] as usize] = wrong(place) * counted - diluted + error;
            }
            diluted += 0.5 * risk / kept[start];
            at = start;
        }
        let ends = rows.iter().fold([0.0_f64, 1.0_f64], |[low, high], &row| [low.min(row), high.max(row)]);
        let scale = (n as f64 / (n as f64 - 1.0).max(0.5)).sqrt();
        rows.iter_mut().for_each(|row| *row = value + scale * (*row - value));
        Spread { unseen: ends, ..Spread::mean(value, [0.0, 1.0], rows) }
    }

    /// The error is a mean of signed gaps, was the sign of each bin's known: that gives the upper end. It exceeds the
    /// truth by at most the sum of the bins' own errors, half-normal ones: that gives the lower end.
    pub(super) fn calibration_interval(&self, binning: Binning, value: f64) -> Option<Interval> {
        let bins = self.tally.bins(binning);
        let mut rows = [0.0; BINS];
        let mut hits = [0.0; BINS];
        let mut sure = [0.0; BINS];
        let place = |row: &super::sorted::Row| match binning {
            Binning::EqualWidth => usize::from(row.bin),
            Binning::EqualMass => {
                let edges = bins.edges();
                (1..BINS).rev().find(|&bin| row.confidence > edges[bin]).unwrap_or(0)
            }
        };
        for row in &self.sorted.rows {
            let bin = place(row);
            rows[bin] += 1.0;
            hits[bin] += f64::from(u8::from(row.label == row.predicted));
            sure[bin] += row.confidence;
        }
        let n = self.tally.rows() as f64;
        let (mut mean, mut variance) = (0.0, 0.0);
        for bin in 0..BINS {
            if rows[bin] > 0.0 {
                // Few rows of a bin show little of how they scatter: Laplace's share, or the confidence's own, whichever
                // scatters more.
                let share = (hits[bin] + 1.0) / (rows[bin] + 2.0);
                let confidence = sure[bin] / rows[bin];
                let scatter = (share * (1.0 - share)).max(confidence * (1.0 - confidence));
                let square = rows[bin] * scatter / (n * n);
                mean += (square * std::f64::consts::FRAC_2_PI).sqrt();
                variance += square * (1.0 - std::f64::consts::FRAC_2_PI);
            }
        }
        let low = (value - mean - Z * variance.sqrt()).max(0.0);
        let signed = |row: &super::sorted::Row| {
            let bin = place(row);
            let gap = f64::from(u8::from(row.label == row.predicted)) - row.confidence;
            if hits[bin] < sure[bin] { -gap } else { gap }
        };
        let signed = self.sorted.rows.iter().map(signed).collect();
        let high = Spread::mean(value, [-1.0, 1.0], signed).interval().high;
        Some(Interval { low, high })
    }
}
