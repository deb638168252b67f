//! What a run costs: before it, as an estimate; while it goes on, as the server counts.

use super::{Result, Texts, bail, count};
use endpoint::Wanted;
use input::text::PROBES;

/// Bytes of a token, as most models have it in English.
const BYTES: u64 = 4;

/// What is about to be asked for.
pub(super) struct Estimate {
    texts: u64,
    tokens: u64,
    price: Option<f64>,
}

/// What was asked for.
pub(super) struct Cost {
    tokens: u64,
    price: Option<f64>,
}

impl Estimate {
    /// `price`: of a million tokens. The four made-up sentences are asked for as well.
    pub(super) fn of(texts: &Texts, wanted: &[Wanted], price: Option<f64>) -> Estimate {
        let own = wanted.iter().map(|wanted| texts.bytes(wanted.text)).sum::<u64>();
        let probes = PROBES.iter().map(|text| text.len() as u64).sum::<u64>();
        Estimate { texts: wanted.len() as u64, tokens: (own + probes).div_ceil(BYTES), price }
    }

    /// The same in words. `known`: texts that were answered before.
    pub(super) fn line(&self, known: usize) -> String {
        let (texts, tokens) = (count(self.texts), count(self.tokens));
        let known = match known {
            0 => String::new(),
            known => format!(", {} are answered already", count(known as u64)),
        };
        let usd = dollars(self.tokens, self.price).map(|usd| format!(", about {} USD", shown(usd)));
        let usd = usd.unwrap_or_default();
        format!(
            "{texts} texts to ask for{known}; about {tokens} tokens{usd} (an estimate: {BYTES} bytes a token)"
        )
    }

    /// # Errors
    /// Where that is more than may be spent.
    pub(super) fn check(&self, most: Option<f64>) -> Result<()> {
        if let (Some(usd), Some(most)) = (dollars(self.tokens, self.price), most)
            && usd > most
        {
            let (usd, most) = (shown(usd), shown(most));
            bail!("nothing was asked for: about {usd} USD is more than --max-cost {most}");
        }
        Ok(())
    }
}

impl Cost {
    pub(super) fn new(tokens: u64, price: Option<f64>) -> Cost {
        Cost { tokens, price }
    }

    pub(super) fn add(&mut self, tokens: u64) {
        self.tokens += tokens;
    }

    /// # Errors
    /// Where more was spent than may be.
    pub(super) fn check(&self, most: Option<f64>) -> Result<()> {
        if let (Some(usd), Some(most)) = (dollars(self.tokens, self.price), most)
            && usd > most
        {
            let (tokens, usd, most) = (count(self.tokens), shown(usd), shown(most));
            bail!(
                "the server has counted {tokens} tokens, {usd} USD, which is more than --max-cost {most}; answers that came are kept"
            );
        }
        Ok(())
    }

    /// The same in words.
    pub(super) fn line(&self, host: &str, texts: usize) -> String {
        let texts = count(texts as u64);
        let usd =
            dollars(self.tokens, self.price).map(|usd| format!(", {} USD", shown(usd))).unwrap_or_default();
        match self.tokens {
            0 => format!("{host} was asked for {texts} texts, and counts no tokens"),
            tokens => {
                format!("{host} was asked for {texts} texts, and counted {} tokens{usd}", count(tokens))
            }
        }
    }
}

fn dollars(tokens: u64, price: Option<f64>) -> Option<f64> {
    price.map(|price| tokens as f64 * price / 1e6)
}

/// Cents where there are some, and two digits of less.
fn shown(usd: f64) -> String {
    match usd {
        0.0 => "0".to_owned(),
        usd if usd >= 0.01 => format!("{usd:.2}"),
        usd => {
            let places = (2.0 - usd.log10()).floor().clamp(2.0, 12.0) as usize;
            format!("{usd:.places$}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_legible() {
        for (usd, expected) in
            [(0.0, "0"), (12.345, "12.35"), (0.01, "0.01"), (0.0012345, "0.0012"), (2e-7, "0.00000020")]
        {
            assert_eq!(shown(usd), expected);
        }
    }

    #[test]
    fn estimates_are_said_and_held_against_the_limit() {
        let estimate = |price| Estimate { texts: 1000, tokens: 2_000_000, price };
        let line = "1,000 texts to ask for, 5 are answered already; about 2,000,000 tokens, about 0.04 USD (an estimate: 4 bytes a token)";
        assert_eq!(estimate(Some(0.02)).line(5), line);
        assert!(estimate(None).line(0).starts_with("1,000 texts to ask for; about 2,000,000 tokens (an"));
        assert!(estimate(Some(0.02)).check(Some(0.04)).is_ok() && estimate(None).check(Some(0.0)).is_ok());
        let message = estimate(Some(0.02)).check(Some(0.03)).unwrap_err().to_string();
        assert_eq!(message, "nothing was asked for: about 0.04 USD is more than --max-cost 0.03");
        let mut cost = Cost::new(10, Some(1.0));
        assert!(cost.check(Some(0.00001)).is_ok());
        cost.add(1);
        assert!(cost.check(Some(0.00001)).is_err());
        assert_eq!(cost.line("h", 3), "h was asked for 3 texts, and counted 11 tokens, 0.000011 USD");
    }
}
