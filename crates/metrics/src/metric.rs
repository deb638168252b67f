//! One entry a metric: its name, how it is shown, its value, its interval, and what each row moves it by.
//!
//! Each task has one table of them, its catalogue. The table of `evaluate`, its summary, its page, the comparison with a
//! baseline, slices and the help text all read it: who adds a metric adds an entry.

use rayon::prelude::*;

use crate::{CompareError, Interval, spread::Spread};

/// A value and its 95 % interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Of the rows as they are; `None` where it is undefined.
    pub value: Option<f64>,
    /// `None` where the value is undefined, and where the rows say nothing of what it would be of others.
    pub interval: Option<Interval>,
}

/// What numbers a metric may take, and which of them are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// 0 to 1, the higher the better.
    Share,
    /// To 1, the higher the better; below 0 is worse than chance.
    Correlation,
    /// From 0 upwards, the lower the better.
    Loss,
    /// A number of rows, neither good nor bad.
    Count,
}

/// Where people see a metric, besides the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShownIn {
    /// The summary on stdout.
    Summary,
    /// The page's figures, and its table of outputs.
    Page,
    /// Tables with room for few: slices on the page, outputs on stdout.
    Few,
    /// The verdict about a baseline, and the gate.
    Verdict,
}

/// What is known of a metric without any rows.
#[derive(Debug, PartialEq, Eq)]
pub struct About {
    /// As scikit-learn calls it, where it has it: `macro_f1`.
    pub name: &'static str,
    /// As people read it.
    pub title: &'static str,
    /// What numbers it may take.
    pub scale: Scale,
    shown: &'static [ShownIn],
}

impl About {
    /// Of a metric that is shown in these places.
    pub const fn new(
        name: &'static str,
        title: &'static str,
        scale: Scale,
        shown: &'static [ShownIn],
    ) -> About {
        About { name, title, scale, shown }
    }

    /// Whether people see it there.
    pub fn is_shown(&self, place: ShownIn) -> bool {
        self.shown.contains(&place)
    }
}

/// What follows from an `O` and a metric's value of it.
type Of<O, T> = fn(&O, f64) -> Option<T>;

/// What each row of an `O` moves a metric by.
type Pairs<O> = fn(&O) -> Option<Vec<f64>>;

/// An entry of a catalogue: a metric of an `O`.
#[derive(Debug)]
pub struct Metric<O> {
    about: About,
    value: fn(&O) -> Option<f64>,
    /// Of this value; without it, that of what rows move it by.
    interval: Option<Of<O, Interval>>,
    moves: Of<O, Spread>,
    pairs: Option<Pairs<O>>,
    when: fn(&O) -> bool,
    over: Option<fn(&O) -> u64>,
    /// What its interval never leaves.
    between: [f64; 2],
}

impl<O> Metric<O> {
    /// A metric without interval that is shown nowhere but in the table.
    pub const fn new(
        name: &'static str,
        title: &'static str,
        scale: Scale,
        value: fn(&O) -> Option<f64>,
    ) -> Metric<O> {
        Metric {
            about: About::new(name, title, scale, &[]),
            value,
            interval: None,
            moves: |_, _| None,
            pairs: None,
            when: |_| true,
            over: None,
            between: [f64::NEG_INFINITY, f64::INFINITY],
        }
    }

    /// Where people see it.
    pub const fn shown(self, shown: &'static [ShownIn]) -> Metric<O> {
        let About { name, title, scale, .. } = self.about;
        Metric { about: About::new(name, title, scale, shown), ..self }
    }

    /// Its interval, given its value, by a formula of its own.
    pub const fn within(self, interval: Of<O, Interval>) -> Metric<O> {
        Metric { interval: Some(interval), ..self }
    }

    /// What each row moves it by, given its value: its interval, unless [`within`](Metric::within) says otherwise, and how
    /// it goes together with another head's.
    pub(crate) const fn moved(self, moves: Of<O, Spread>) -> Metric<O> {
        Metric { moves, ..self }
    }

    /// What each row moves it by, where a difference of heads has its interval from the differences of rows.
    pub(crate) const fn paired(self, pairs: Pairs<O>) -> Metric<O> {
        Metric { pairs: Some(pairs), ..self }
    }

    /// It makes no sense of others.
    pub const fn when(self, when: fn(&O) -> bool) -> Metric<O> {
        Metric { when, ..self }
    }

    /// It is a correlation: its interval stays within -1 and 1.
    pub(crate) const fn correlation(self) -> Metric<O> {
        Metric { between: [-1.0, 1.0], ..self }
    }

    /// The rows that it is taken over, where those are not all.
    pub const fn over(self, over: fn(&O) -> u64) -> Metric<O> {
        Metric { over: Some(over), ..self }
    }

    /// Its name, title and scale.
    pub const fn about(&self) -> &About {
        &self.about
    }

    pub(crate) fn makes_sense(&self, of: &O) -> bool {
        (self.when)(of)
    }

    pub(crate) fn estimate(&self, of: &O) -> Estimate {
        let value = (self.value)(of);
        let interval = value.and_then(|value| match self.interval {
            Some(interval) => interval(of, value),
            None => (self.moves)(of, value).map(|spread| spread.interval()),
        });
        let [least, most] = self.between;
        let within = |ends: Interval| Interval { low: ends.low.max(least), high: ends.high.min(most) };
        Estimate { value, interval: interval.map(within) }
    }

    pub(crate) fn spread(&self, of: &O) -> Option<Spread> {
        (self.value)(of).and_then(|value| (self.moves)(of, value))
    }

    pub(crate) fn pairs(&self, of: &O) -> Option<Vec<f64>> {
        self.pairs.and_then(|pairs| pairs(of))
    }
}

/// What has a catalogue of metrics.
pub trait Measured: Sync + Sized + 'static {
    /// Every metric, in the order of the table.
    const METRICS: &'static [Metric<Self>];

    /// Rows that a metric is taken over, unless it says otherwise.
    fn rows(&self) -> u64;
}

/// What became of the rows of a task: true and predicted of each.
pub trait Outcomes: Measured {
    /// One class against the rest, a label or a number by itself.
    type Alone: Measured;

    /// Each output by itself, in their order.
    fn alone(&self) -> impl Iterator<Item = Self::Alone> + '_;

    /// Of `rows` alone, in that order; a row may be named twice. Metrics that need more than single rows are left out.
    ///
    /// # Panics
    /// Where a row is not below the number of rows.
    #[must_use]
    fn select(&self, rows: &[usize]) -> Self;

    /// Whether every row came out the same in `other`, which must be of the same rows.
    ///
    /// # Errors
    /// Other rows, or other outputs.
    fn is_same(&self, other: &Self) -> Result<bool, CompareError>;
}

/// A metric of some rows, and what it comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Which metric.
    pub about: &'static About,
    /// Its value and interval.
    pub estimate: Estimate,
    /// Rows that it is taken over.
    pub rows: u64,
}

/// Every metric that makes sense of `of`, in the order of its catalogue.
///
/// Intervals hold the value of endless rows of which each class has the share that it has here. Every row is as much as one
/// of its class, and no sample is drawn anew: each metric takes a pass or two over the rows.
pub fn figures<O: Measured>(of: &O) -> Vec<Figure> {
    let metrics = O::METRICS.par_iter().filter(|metric| metric.makes_sense(of));
    let figure = |metric: &'static Metric<O>| Figure {
        about: metric.about(),
        estimate: metric.estimate(of),
        rows: metric.over.map_or_else(|| of.rows(), |over| over(of)),
    };
    metrics.map(figure).collect()
}

/// The figure of this name.
pub fn named<'a>(figures: &'a [Figure], name: &str) -> Option<&'a Figure> {
    figures.iter().find(|figure| figure.about.name == name)
}
