//! Averages over classes of precision and F1: ratios of counts that are small where a class has few rows, so that
//! they are biased as well as scattered.

use crate::{
    beta::ln_gamma,
    marginals::{ClassScores, Marginals},
    spread::{Spread, shrinkage},
};

/// How scores of classes become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Average {
    /// The plain mean.
    Macro,
    /// The plain mean of those that have rows.
    Present,
    /// From counts added up over the classes; for single labels that is accuracy.
    Micro,
    /// The mean weighted by support.
    Weighted,
}

/// A score of one class, 0 where its denominator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClassMetric {
    /// Of the rows predicted as the class, the part that are.
    Precision,
    /// Of the rows of the class, the part predicted so.
    Recall,
    /// Harmonic mean of the two.
    F1,
}

impl ClassMetric {
    /// This one of `scores`.
    pub(crate) fn of(self, scores: &ClassScores) -> f64 {
        match self {
            ClassMetric::Precision => scores.precision,
            ClassMetric::Recall => scores.recall,
            ClassMetric::F1 => scores.f1,
        }
    }
}

/// With more rows a class's bias is lost in the noise.
const MOST: u64 = 128;

/// Counts of each class with what is known of the bias of its scores.
#[derive(Debug)]
pub(crate) struct Averages {
    classes: Vec<Class>,
    rows: f64,
    /// Classes that have rows.
    present: f64,
}

#[derive(Debug)]
struct Class {
    scores: ClassScores,
    /// Expected counts of right rows, and of rows predicted so, shrunk towards those of all classes.
    correct: f64,
    predicted: f64,
    bias: Bias,
}

/// What the expectation of a score must be multiplied by to be the score of endless rows: least and most.
#[derive(Clone, Copy, Debug)]
struct Bias {
    precision: [f64; 2],
    f1: [f64; 2],
}

impl Averages {
    pub(crate) fn new(marginals: &Marginals) -> Averages {
        let rows = marginals.total() as f64;
        let recall = marginals.correct() as f64 / rows.max(1.0);
        // Classes of about as many rows share what is assumed of them.
        let mut pools = [[0.0; 5]; 33];
        let pool = |support: u64| support.checked_ilog2().map_or(0, |log| log as usize + 1).min(32);
        for class in marginals.per_class() {
            let [classes, support, correct, wrong, squares] = &mut pools[pool(class.support)];
            *classes += 1.0;
            *support += class.support as f64;
            *correct += class.correct as f64;
            let false_ones = (class.predicted - class.correct) as f64;
            *wrong += false_ones;
            *squares += false_ones * false_ones;
        }
        let mut known: Vec<(u64, usize, Bias)> = Vec::new();
        let classes = marginals.per_class().map(|scores| {
            let at = pool(scores.support);
            let [classes, support, correct, wrong, squares] = pools[at];
            // As if one more row of the pool were like all.
            let recall = (correct + recall) / (support + 1.0);
            let false_rate = (wrong + 1.0 - recall) / (support + 1.0);
            // Counts scatter by more than Poisson's variance where some classes attract more mistakes than others.
            let mean = wrong / classes;
            let spread =
                if wrong > 0.0 { (squares / classes - mean * mean - mean) / (mean * mean) } else { 0.0 };
            let bias = match known.iter().find(|(support, pool, _)| (*support, *pool) == (scores.support, at))
            {
                Some((_, _, bias)) => *bias,
                None => {
                    let bias = Bias::of(scores.support, recall, false_rate, (2.0 * spread).max(1.0));
                    known.push((scores.support, at, bias));
                    bias
                }
            };
            let own = scores.support as f64;
            let part = own / (own + 1.0);
            let correct = part * (scores.correct as f64 + recall);
            let wrong = part * ((scores.predicted - scores.correct) as f64 + false_rate);
            Class { scores, correct, predicted: correct + wrong, bias }
        });
        let present = marginals.present() as f64;
        Averages { classes: classes.collect(), rows, present }
    }

    fn weight(&self, class: &Class, average: Average) -> f64 {
        match average {
            Average::Macro => 1.0 / self.classes.len() as f64,
            Average::Present if class.scores.support == 0 => 0.0,
            Average::Present => 1.0 / self.present,
            _ => class.scores.support as f64 / self.rows,
        }
    }

    /// The average without the least and the most bias it may have.
    pub(crate) fn unbiased(&self, average: Average, what: ClassMetric) -> [f64; 2] {
        [0, 1].map(|at| {
            let of = |class: &Class| {
                let bias = match what {
                    ClassMetric::Precision => class.bias.precision[at],
                    ClassMetric::Recall => 1.0,
                    ClassMetric::F1 => class.bias.f1[at],
                };
                self.weight(class, average) * what.of(&class.scores) * bias
            };
            self.classes.iter().map(of).sum::<f64>().min(1.0)
        })
    }

    /// Of `pairs`, the (true class, predicted class) of each row.
    pub(crate) fn spread(
        &self,
        value: f64,
        average: Average,
        what: ClassMetric,
        pairs: impl Iterator<Item = (usize, usize)>,
        rows: usize,
    ) -> Spread {
        let weight = |class: &Class| self.weight(class, average);
        let unbiased = self.unbiased(average, what);
        // Of each class what a row that is right, one that is missed, and one that is wrongly given it move the average by.
        let moves: Vec<[f64; 3]> = self
            .classes
            .iter()
            .map(|class| {
                if class.scores.support == 0 {
                    return [0.0; 3];
                }
                let each = self.rows * weight(class) * shrinkage(class.scores.support as f64).sqrt();
                match what {
                    ClassMetric::F1 => {
                        let whole = class.scores.support as f64 + class.predicted;
                        let f1 = 2.0 * class.correct / whole;
                        [each * (2.0 - 2.0 * f1) / whole, -each * f1 / whole, -each * f1 / whole]
                    }
                    _ => {
                        let precision = class.correct / class.predicted.max(f64::MIN_POSITIVE);
                        let one = each / class.predicted.max(f64::MIN_POSITIVE);
                        [one * (1.0 - precision), 0.0, -one * precision]
                    }
                }
            })
            .collect();
        let mut numbers = Vec::with_capacity(rows);
        numbers.extend(pairs.map(|(truth, predicted)| {
            if truth == predicted {
                value + moves[truth][0]
            } else {
                value + moves[truth][1] + moves[predicted][2]
            }
        }));
        // What a row of a class weighs, on average over what rows weigh.
        let heavy = |class: &Class| match class.scores.support {
            0 => 0.0,
            support => self.rows * weight(class).powi(2) / support as f64,
        };
        let heavy =
            self.classes.iter().map(heavy).sum::<f64>() / self.classes.iter().map(weight).sum::<f64>();
        let heavy = heavy.max(1.0);
        Spread {
            unbiased,
            unseen: [value - heavy * value, value + heavy * (1.0 - value)],
            ..Spread::mean(value, [0.0, 1.0], numbers)
        }
    }
}

impl Bias {
    /// Of a class of `support` rows in a world where so large a part is recalled and so many times its rows are
    /// wrongly given it. How much classes differ cannot be told from few rows each, so it is worked out for classes that
    /// are all alike and for such as differ the most: recalled whole, by half or not at all; falsely given never or so much more often
    /// that the rates' squared coefficient of variation is `spread`.
    fn of(support: u64, recall: f64, false_rate: f64, spread: f64) -> Bias {
        let mut bias = Bias { precision: [1.0; 2], f1: [1.0; 2] };
        if support == 0 || support > MOST || recall <= 0.0 {
            return bias;
        }
        let some = 1.0 / (1.0 + spread);
        let attract = |part: f64, recall: f64| {
            [(part * (1.0 - some), recall, 0.0), (part * some, recall, false_rate / some)]
        };
        // So many recalled by half as much, the others whole.
        let low = (1.0 - recall) / (1.0 - recall / 2.0);
        let worlds = [
            vec![(1.0, recall, false_rate)],
            attract(1.0, recall).to_vec(),
            vec![(recall, 1.0, false_rate)],
            vec![(recall, 1.0, false_rate / recall)],
            [attract(low, recall / 2.0), attract(1.0 - low, 1.0)].concat(),
        ];
        for world in worlds {
            let mut truth = [0.0; 2];
            let mut found = [0.0; 2];
            for &(part, recall, false_rate) in &world {
                let of = expected(support, recall, false_rate);
                truth[0] += part * recall / (recall + false_rate);
                truth[1] += part * 2.0 * recall / (1.0 + recall + false_rate);
                (0..2).for_each(|at| found[at] += part * of[at]);
            }
            for (ends, at) in [(&mut bias.precision, 0), (&mut bias.f1, 1)] {
                let factor = truth[at] / found[at];
                assert!(factor.is_finite(), "{support} rows, recall {recall}, false ones {false_rate}");
                *ends = [ends[0].min(factor), ends[1].max(factor)];
            }
        }
        bias
    }
}

/// From so many expected false ones on, two terms of Taylor's series tell the mean over their number to 3e-5.
const MANY: f64 = 300.0;

/// Expected precision and F1 of a class of `support` rows: right ones are binomial, false ones Poisson.
fn expected(support: u64, recall: f64, false_rate: f64) -> [f64; 2] {
    let k = support as f64;
    let rate = k * false_rate;
    let most = (rate + 8.0 * rate.sqrt() + 10.0) as usize;
    let next = |&(at, p): &(f64, f64)| Some((at + 1.0, p * rate / (at + 1.0)));
    let poisson: Vec<f64> = if rate < MANY {
        std::iter::successors(Some((0.0, (-rate).exp())), next).map(|(_, p)| p).take(most).collect()
    } else {
        Vec::new()
    };
    // The mean of 1 / (of + wrong).
    let inverse = |of: f64| {
        if rate < MANY {
            (0..).zip(&poisson).map(|(wrong, p)| p / (of + f64::from(wrong))).sum()
        } else {
            let all = of + rate;
            (1.0 + rate / (all * all)) / all
        }
    };
    let mut sums = [0.0; 2];
    for right in 1..=support {
        let (p, right) = (binomial(right, support, recall), right as f64);
        if p > 1e-14 * recall {
            sums[0] += p * right * inverse(right);
            sums[1] += p * 2.0 * right * inverse(k + right);
        }
    }
    sums
}

/// The probability of `hits` in `trials` of which each hits with probability `part` > 0. By logarithms: that of none can
/// be too small for a number where that of others is not.
fn binomial(hits: u64, trials: u64, part: f64) -> f64 {
    if part >= 1.0 {
        return f64::from(u8::from(hits == trials));
    }
    let (k, n) = (hits as f64, trials as f64);
    let ways = ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
    (ways + k * part.ln() + (n - k) * (-part).ln_1p()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_by_hand() {
        // One row: right with probability r, and 1/(1 + W) is (1 − exp(−rate))/rate on average.
        for rate in [0.5, 20.0, 299.0, 301.0, 700.0, 800.0, 1e6] {
            let [precision, _] = expected(1, 0.25, rate);
            let exact = 0.25 * (1.0 - (-rate).exp()) / rate;
            assert!((precision / exact - 1.0).abs() < 3e-5, "{rate}: {precision} is not {exact}");
        }
        // Nothing is wrongly given: precision is 1 wherever a row is right.
        let [precision, f1] = expected(2, 0.5, 0.0);
        assert!((precision - 0.75).abs() < 1e-12 && (f1 - (0.5 * 2.0 / 3.0 + 0.25)).abs() < 1e-12);
    }

    #[test]
    fn both_ways_meet_where_one_ends() {
        for support in [1, 2, 20, 128] {
            let k = support as f64;
            let [below, above] = [MANY - 1e-6, MANY + 1e-6].map(|rate| expected(support, 0.7, rate / k));
            for (below, above) in below.iter().zip(above) {
                assert!((below / above - 1.0).abs() < 3e-5, "{support}: {below} {above}");
            }
        }
    }

    #[test]
    fn every_factor_is_finite_and_none_is_wild() {
        // At 0.99999 nearly all of a hundred rows are right; at 1e-12 hardly one of all is.
        for support in [1, 2, 20, 100, 128] {
            for recall in [1e-18, 1e-12, 0.05, 0.5, 0.9, 0.99999, 1.0 - 1e-12, 1.0] {
                for false_rate in [0.0, 1e-9, 1.0, 5.0, 17.0, 36.0, 50.0, 1e3, 1e7] {
                    for spread in [1.0, 7.0, 1e4] {
                        let bias = Bias::of(support, recall, false_rate, spread);
                        let all = [bias.precision, bias.f1].concat();
                        let at = format!("{support} {recall} {false_rate} {spread}: {bias:?}");
                        assert!(all.iter().all(|factor| factor.is_finite() && *factor > 0.0), "{at}");
                        // So many rows' scores are hardly biased by any world.
                        let calm = support < 20
                            || recall < 0.5
                            || all.iter().all(|factor| (0.5..2.0).contains(factor));
                        assert!(calm, "{at}");
                    }
                }
            }
        }
    }

    /// 20 rare rows, of which most are right, and 10,000 others, so many of which are given the rare class.
    fn rare(wrongly: usize) -> Marginals {
        let mut marginals = Marginals::new(2);
        marginals.add(0, 0, 10_000 - wrongly as u64);
        marginals.add(0, 1, wrongly as u64);
        marginals.add(1, 1, 16);
        marginals.add(1, 0, 4);
        marginals
    }

    #[test]
    fn a_rare_class_with_many_false_ones_is_hardly_biased() {
        for wrongly in [100, 200, 300, 350, 372, 380, 1000, 9000] {
            let marginals = rare(wrongly);
            let averages = Averages::new(&marginals);
            for (average, what) in [
                (Average::Macro, ClassMetric::Precision),
                (Average::Macro, ClassMetric::F1),
                (Average::Present, ClassMetric::Precision),
                (Average::Weighted, ClassMetric::Precision),
                (Average::Weighted, ClassMetric::F1),
            ] {
                let value = match average {
                    Average::Macro => marginals.macro_average(|class| what.of(class)),
                    Average::Present => marginals.present_average(|class| what.of(class)),
                    _ => marginals.weighted_average(|class| what.of(class)),
                };
                let [low, high] = averages.unbiased(average, what);
                let near = value - 0.02 < low
                    && low <= value + 1e-12
                    && value - 1e-12 <= high
                    && high < value + 0.05;
                assert!(near, "{wrongly} {average:?} {what:?}: {low} {value} {high}");
            }
        }
    }
}
