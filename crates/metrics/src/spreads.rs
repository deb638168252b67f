//! Every metric of single labels row by row.

use crate::averages::Averages;
use crate::calibration::BINS;
use crate::interval::{Z, f1, proportion};
use crate::row::nats;
use crate::sorted::Sorted;
use crate::spread::{Spread, shrinkage};
use crate::{Average, Binning, ClassMetric, Interval, Marginals, Metric, Outcomes, Tally};

/// What spreads of all metrics of the same rows share.
pub(crate) struct Spreads<'a> {
    outcomes: &'a Outcomes,
    sorted: Sorted,
    tally: Tally,
    averages: Averages,
}

impl<'a> Spreads<'a> {
    pub(crate) fn new(outcomes: &'a Outcomes) -> Spreads<'a> {
        let sorted = Sorted::new(outcomes);
        let tally = sorted.tally();
        let averages = Averages::new(tally.marginals());
        Spreads { outcomes, sorted, tally, averages }
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The 95 % interval of `metric`; `None` where it is undefined, or says nothing of the next rows.
    pub(crate) fn interval(&self, metric: Metric) -> Option<Interval> {
        let (rows, marginals) = (self.tally.rows(), self.tally.marginals());
        match metric {
            Metric::Accuracy
            | Metric::Average(Average::Micro, _)
            | Metric::Average(Average::Weighted, ClassMetric::Recall) => {
                proportion(marginals.correct(), rows)
            }
            Metric::TopK(k) => proportion(self.tally.hits_at(k)?, rows),
            Metric::Class(class, what) => of_class(marginals, class, what),
            Metric::CalibrationError(binning) => self.calibration_error(binning),
            _ => self.spread(metric).map(|spread| spread.interval()),
        }
    }

    /// `None` where the metric is undefined, and of calibration errors, which are no means.
    pub(crate) fn spread(&self, metric: Metric) -> Option<Spread> {
        let value = self.tally.value(metric)?;
        let marginals = self.tally.marginals();
        let right = || self.pairs().map(|(label, predicted)| f64::from(u8::from(label == predicted)));
        match metric {
            Metric::Accuracy
            | Metric::Average(Average::Micro, _)
            | Metric::Average(Average::Weighted, ClassMetric::Recall) => {
                Some(Spread::mean(value, [0.0, 1.0], right().collect()))
            }
            Metric::TopK(k) => {
                let hit = |&rank: &u32| f64::from(u8::from((rank as usize) < k));
                Some(Spread::mean(value, [0.0, 1.0], self.outcomes.ranks().iter().map(hit).collect()))
            }
            Metric::BalancedAccuracy => Some(self.balanced_accuracy(value)),
            Metric::Average(Average::Macro, ClassMetric::Recall) => {
                let present = marginals.per_class().filter(|class| class.support > 0).count() as f64;
                let balanced = self.balanced_accuracy(marginals.balanced_accuracy());
                Some(balanced.scaled(present / marginals.classes() as f64))
            }
            Metric::Average(average, what) => {
                Some(self.averages.spread(value, average, what, self.pairs(), self.outcomes.rows()))
            }
            Metric::CohenKappa => self.cohen_kappa(value),
            Metric::MatthewsCorrcoef => self.matthews_corrcoef(value),
            Metric::LogLoss => Some(self.log_loss(value)),
            Metric::BrierScoreLoss => Some(self.brier_score_loss(value)),
            Metric::RiskCoverageArea => Some(self.risk_coverage_area(value)),
            Metric::CalibrationError(_) | Metric::Class(..) => None,
        }
    }

    /// (true class, predicted class) of each row.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + Clone + '_ {
        let labels = self.outcomes.labels().iter().zip(self.outcomes.predicted());
        labels.map(|(&label, &predicted)| (label as usize, predicted as usize))
    }

    fn balanced_accuracy(&self, value: f64) -> Spread {
        let marginals = self.tally.marginals();
        let n = self.tally.rows() as f64;
        let present = marginals.per_class().filter(|class| class.support > 0).count() as f64;
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
    fn cohen_kappa(&self, value: f64) -> Option<Spread> {
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
    fn matthews_corrcoef(&self, value: f64) -> Option<Spread> {
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
    fn log_loss(&self, value: f64) -> Spread {
        let rows: Vec<f64> = self.outcomes.own().iter().map(|&own| nats(own)).collect();
        let (mut doubt, mut wrong) = (0.0, 0.0);
        for confidence in self.outcomes.confidences() {
            doubt += 1.0 - confidence;
            wrong += (1.0 - confidence) * nats(1.0 - confidence);
        }
        let wrong = if doubt > 0.0 { wrong / doubt } else { 0.0 };
        let chance = (self.outcomes.classes() as f64).ln();
        let largest = 2.0 * rows.iter().copied().fold(wrong.max(chance), f64::max);
        Spread::mean(value, [0.0, largest], rows)
    }

    fn brier_score_loss(&self, value: f64) -> Spread {
        let scale = if self.outcomes.classes() < 3 { 0.5 } else { 1.0 };
        let rows: Vec<f64> = self.outcomes.distances().iter().map(|distance| scale * distance).collect();
        let wrong =
            self.outcomes.confidences().iter().map(|confidence| scale * (1.0 + confidence * confidence));
        let wrong = wrong.sum::<f64>() / rows.len() as f64;
        let largest = rows.iter().copied().fold(wrong, f64::max);
        Spread { unseen: [0.0, largest], ..Spread::mean(value, [0.0, 2.0 * scale], rows) }
    }

    /// A mistake is counted once for every row of at most its confidence, by the number of rows kept there; and each row
    /// dilutes the risk of all that are less confident. The order of the rows is drawn as well, and few rows show little of
    /// it: they count for one less.
    fn risk_coverage_area(&self, value: f64) -> Spread {
        let n = self.outcomes.rows();
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
    fn calibration_error(&self, binning: Binning) -> Option<Interval> {
        let value = self.tally.value(Metric::CalibrationError(binning))?;
        let bins = self.tally.bins(binning);
        let mut rows = [0.0; BINS];
        let mut hits = [0.0; BINS];
        let mut sure = [0.0; BINS];
        let place = |row: &crate::sorted::Row| match binning {
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
        let signed = |row: &crate::sorted::Row| {
            let bin = place(row);
            let gap = f64::from(u8::from(row.label == row.predicted)) - row.confidence;
            if hits[bin] < sure[bin] { -gap } else { gap }
        };
        let signed = self.sorted.rows.iter().map(signed).collect();
        let high = Spread::mean(value, [-1.0, 1.0], signed).interval().high;
        Some(Interval { low, high })
    }
}

fn of_class(marginals: &Marginals, class: usize, what: ClassMetric) -> Option<Interval> {
    if class >= marginals.classes() {
        return None;
    }
    let scores = marginals.class(class);
    match what {
        ClassMetric::Precision => proportion(scores.correct, scores.predicted),
        ClassMetric::Recall => proportion(scores.correct, scores.support),
        ClassMetric::F1 => f1(scores.correct, scores.support + scores.predicted - 2 * scores.correct),
    }
}
