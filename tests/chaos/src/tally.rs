//! What a campaign comes to.

use crate::judge::Outcome;
use std::fmt;

/// Counts of cases, and every bad one.
#[derive(Debug, Default)]
pub struct Tally {
    name: String,
    tried: u64,
    tolerated: u64,
    refused: u64,
    kills: u64,
    /// The most memory of a run that came to its end, in MiB.
    peak: u64,
    /// One line each: the case, which reproduces it, and what was wrong.
    pub bad: Vec<String>,
}

impl Tally {
    /// Of nothing yet.
    pub fn new(name: impl Into<String>) -> Tally {
        Tally { name: name.into(), ..Tally::default() }
    }

    /// The heads of the columns.
    pub fn head() -> String {
        format!(
            "{:<22}{:>7}{:>11}{:>9}{:>7}{:>10}{:>6}",
            "job", "tried", "tolerated", "refused", "kills", "MiB", "bad"
        )
    }

    pub(crate) fn add(&mut self, case: &str, told: &str, peak: u64, judged: Result<Outcome, Vec<String>>) {
        self.tried += 1;
        self.peak = self.peak.max(peak);
        match judged {
            Ok(Outcome::Tolerated) => self.tolerated += 1,
            Ok(Outcome::Refused) => self.refused += 1,
            Ok(Outcome::Killed) => self.kills += 1,
            Err(wrong) => {
                let bad = format!("chaos {case}  # {}; said: {told}", wrong.join("; "));
                // At once: a campaign takes minutes.
                eprintln!("{bad}");
                self.bad.push(bad);
            }
        }
    }

    /// Cases so far.
    pub fn tried(&self) -> u64 {
        self.tried
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { name, tried, tolerated, refused, kills, peak, bad } = self;
        write!(f, "{name:<22}{tried:>7}{tolerated:>11}{refused:>9}{kills:>7}{peak:>10}{:>6}", bad.len())
    }
}
