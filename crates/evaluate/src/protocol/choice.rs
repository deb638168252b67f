//! `--protocol`: how many rows of each class, how often, drawn and fitted by whom.

use std::fmt::{Display, Formatter, Result as FmtResult};
use std::str::FromStr;

use head::{Draws, Examples, HeadFitError, LinearProblem, LinearSettings, Scorer, fit_mteb};

/// The penalty of heads on few rows. On banking77's sentences 10 is the best decade with 8 and 32 rows of each of 77 classes.
/// With 1 and 2 rows it is within 1.1 points of the best.
const L2: f64 = 10.0;
/// Rows of each class and draws that MTEB takes unless a task says otherwise.
const MTEB: (usize, usize) = (8, 10);
const MOST_ROWS: usize = 100_000;
const MOST_DRAWS: usize = 1000;

/// What `--protocol` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol {
    by: By,
    rows: usize,
    draws: usize,
}

/// Who draws and fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// We: independent draws, and a linear head as fit-head's.
    Us,
    /// MTEB.
    Mteb,
}

impl Protocol {
    /// Who draws and fits.
    pub(crate) fn by(self) -> By {
        self.by
    }

    /// Rows of each class.
    pub(crate) fn rows(self) -> usize {
        self.rows
    }

    /// How many draws.
    pub(crate) fn draws(self) -> usize {
        self.draws
    }

    /// The draws from rows of these classes.
    pub(crate) fn drawn(self, labels: &[u32], classes: usize, seed: u64) -> impl Iterator<Item = Vec<u32>> {
        let draws = match self.by {
            By::Us => Draws::new(labels, classes, self.rows, seed),
            By::Mteb => Draws::mteb(labels, classes, self.rows),
        };
        draws.take(self.draws)
    }

    /// A head on the rows of one draw.
    ///
    /// # Errors
    /// Weights that f32 cannot hold.
    pub(crate) fn fit(self, examples: &Examples<'_>) -> Result<Scorer, HeadFitError> {
        let layer = match self.by {
            By::Us => LinearProblem::new(examples, &LinearSettings::default())?.fit(L2, None)?.layer,
            By::Mteb => fit_mteb(examples)?,
        };
        Ok(Scorer::of_layers(&[layer]))
    }
}

/// As `--protocol` names it, in full.
impl Display for Protocol {
    fn fmt(&self, f: &mut Formatter<'_>) -> FmtResult {
        let name = match self.by {
            By::Us => "few",
            By::Mteb => "mteb",
        };
        write!(f, "{name}:{}x{}", self.rows, self.draws)
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, numbers) = text.split_once(':').map_or((text, None), |(name, of)| (name, Some(of)));
        let numbers = numbers.map(|numbers| {
            let (rows, draws) = numbers.split_once('x')?;
            Some((rows.parse().ok()?, draws.parse().ok()?))
        });
        let known = match (name, numbers) {
            ("few", Some(numbers)) => numbers.map(|numbers| (By::Us, numbers)),
            ("mteb", None) => Some((By::Mteb, MTEB)),
            ("mteb", Some(numbers)) => numbers.map(|numbers| (By::Mteb, numbers)),
            _ => None,
        };
        match known {
            Some((by, (rows @ 1..=MOST_ROWS, draws @ 1..=MOST_DRAWS))) => Ok(Protocol { by, rows, draws }),
            _ => Err(format!(
                "expected `few:NxK`, N rows of each class drawn K times, `mteb` or `mteb:NxK`, such as `few:8x10`, with N from 1 to {} and K from 1 to {}; got `{text}`",
                cli::count(MOST_ROWS as u64),
                cli::count(MOST_DRAWS as u64)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for (text, expected) in [("few:8x10", "few:8x10"), ("mteb", "mteb:8x10"), ("mteb:16x5", "mteb:16x5")]
        {
            assert_eq!(text.parse::<Protocol>().unwrap().to_string(), expected);
        }
        let wrong = [
            "",
            "few",
            "few:",
            "few:8",
            "few:8x",
            "few:x10",
            "few:0x10",
            "few:8x0",
            "few:8x1001",
            "few:8X10",
            "few:-1x3",
            "few:8x10x2",
            "few: 8x10",
            "few:99999999999999999999x1",
            "mteb:",
            "mteb:0x1",
            "Mteb",
            "some:1x1",
        ];
        for text in wrong {
            let error = text.parse::<Protocol>().unwrap_err();
            assert!(error.ends_with(&format!("got `{text}`")), "{error}");
        }
    }
}
