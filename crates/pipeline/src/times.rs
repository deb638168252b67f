//! Where the time of a run went, and what that says: which of its parts the others waited for.

use engine::cuda::Spent;
use std::{
    fmt,
    time::{Duration, Instant},
};

/// Where the time of a run went, as the thread saw it that takes batches from one part to the next: it waits for whatever
/// is behind, so that the part that it spent the most of its time with was the limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// From the first picture to the last row.
    pub all: Duration,
    /// For pictures that were not prepared yet.
    pub decoding: Duration,
    /// For the network, on a card with the copies to it.
    pub network: Duration,
    /// For rows to be written.
    pub writing: Duration,
    /// What cards say themselves.
    pub cards: Option<Cards>,
}

/// How long cards were busy, all of them together.
#[derive(Clone, Copy, Debug)]
pub struct Cards {
    /// How many there are.
    pub count: usize,
    /// Their time.
    pub spent: Spent,
}

impl Cards {
    /// How long they were busy since they had been so for as long as `before`.
    pub fn since(self, before: Cards) -> Cards {
        let (now, then) = (self.spent, before.spent);
        let spent = Spent { copies: now.copies - then.copies, kernels: now.kernels - then.kernels };
        Cards { spent, ..self }
    }
}

/// What the other parts of a run waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Inputs.
    Decoding,
    /// Copies to cards.
    Copying,
    /// The network.
    Network,
    /// Whoever takes the rows.
    Disk,
}

impl Times {
    /// What the other parts waited for.
    pub fn limit(&self) -> Limit {
        let copying = self.cards.is_some_and(|Cards { spent, .. }| spent.copies > spent.kernels);
        let network = if copying { Limit::Copying } else { Limit::Network };
        // Of equals the last: a run in which nothing took time was limited by its network.
        let parts = [(Limit::Disk, self.writing), (Limit::Decoding, self.decoding), (network, self.network)];
        parts.into_iter().max_by_key(|(_, time)| *time).map_or(network, |(limit, _)| limit)
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |time: Duration, of: usize| {
            let whole = self.all.as_secs_f64() * of as f64;
            if whole > 0.0 { 100.0 * time.as_secs_f64() / whole } else { 0.0 }
        };
        let (limit, all) = (self.limit(), self.all.as_secs_f64());
        match self.cards {
            Some(Cards { count, spent }) => {
                let cards = if count == 1 { "the card was" } else { "the cards were" };
                write!(
                    f,
                    "limited by {limit}: {cards} busy {:.0} % of {all:.1} s (copies {:.0} %), writing took {:.0} %",
                    share(spent.kernels, count),
                    share(spent.copies, count),
                    share(self.writing, 1)
                )
            }
            None => write!(
                f,
                "limited by {limit}: the network took {:.0} % of {all:.1} s, waiting for pictures {:.0} %, writing {:.0} %",
                share(self.network, 1),
                share(self.decoding, 1),
                share(self.writing, 1)
            ),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Decoding => "decoding",
            Limit::Copying => "copying to the card",
            Limit::Network => "the network",
            Limit::Disk => "the disk",
        })
    }
}

/// Does some work, and adds how long it took.
pub(crate) fn timed<T>(sum: &mut Duration, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    *sum += start.elapsed();
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_what_was_waited_for() {
        let seconds = Duration::from_secs;
        let cards = |count, kernels, copies| {
            Some(Cards { count, spent: Spent { kernels: seconds(kernels), copies: seconds(copies) } })
        };
        // Seconds of all, waiting for decoding, for the network, for the disk; what cards say.
        for ([all, decoding, network, writing], cards, expected) in [
            (
                [100, 55, 40, 2],
                cards(1, 43, 6),
                "decoding: the card was busy 43 % of 100.0 s (copies 6 %), writing took 2 %",
            ),
            (
                [100, 1, 97, 2],
                cards(1, 96, 30),
                "the network: the card was busy 96 % of 100.0 s (copies 30 %), writing took 2 %",
            ),
            (
                [100, 1, 97, 2],
                cards(1, 40, 95),
                "copying to the card: the card was busy 40 % of 100.0 s (copies 95 %)",
            ),
            (
                [100, 30, 20, 50],
                cards(1, 60, 10),
                "the disk: the card was busy 60 % of 100.0 s (copies 10 %), writing took 50 %",
            ),
            // A card that copied for longer than it computed, while all waited for pictures.
            ([100, 90, 8, 2], cards(1, 5, 20), "decoding: the card was busy 5 %"),
            ([10, 1, 8, 1], cards(2, 18, 2), "the network: the cards were busy 90 % of 10.0 s (copies 10 %)"),
            ([0, 0, 0, 0], cards(1, 0, 0), "the network: the card was busy 0 % of 0.0 s"),
            (
                [20, 1, 18, 1],
                None,
                "the network: the network took 90 % of 20.0 s, waiting for pictures 5 %, writing 5 %",
            ),
            (
                [20, 12, 8, 0],
                None,
                "decoding: the network took 40 % of 20.0 s, waiting for pictures 60 %, writing 0 %",
            ),
            ([20, 4, 5, 11], None, "the disk: the network took 25 %"),
        ] {
            let times = Times {
                all: seconds(all),
                decoding: seconds(decoding),
                network: seconds(network),
                writing: seconds(writing),
                cards,
            };
            let told = times.to_string();
            assert!(told.starts_with(&format!("limited by {expected}")), "{told}");
        }
    }

    #[test]
    fn times_add_up() {
        let mut sum = Duration::ZERO;
        let nap = || std::thread::sleep(Duration::from_millis(2));
        assert_eq!(timed(&mut sum, || 7), 7);
        timed(&mut sum, nap);
        timed(&mut sum, nap);
        assert!(sum >= Duration::from_millis(4), "{sum:?}");
    }
}
