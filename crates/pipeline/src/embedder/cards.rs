//! The network on one card, or on several that share the work: batches go to them in turn, two to each at a time.
//!
//! Two lanes a card prepare inputs, in memory that the card copies from by itself. So at most four batches of
//! inputs a card exist at any time.
//!
//! **Invariant:** no features come from a card that does not give what the CPU gives for the probes, to the precision's
//! [`tolerance`](Precision::tolerance).

mod alike;
#[cfg(feature = "cuda")]
mod open;
#[cfg(test)]
mod tests;

#[cfg(feature = "cuda")]
pub(crate) use open::open;

use super::{Ahead, Buffer, Embedded, Embedder, check::check_probes};
use crate::times;
use alike::check_alike;
use anyhow::{Result, bail};
use engine::{
    Executor, Precision,
    cuda::{Card, Collected, Cuda, Spent},
};
use input::Recipe;
use std::{any::Any, collections::VecDeque};
use weights::Bound;

/// Lanes of a card.
const LANES: usize = 2;
/// Batches of pictures of each.
const BUFFERS: usize = 2;

/// Cards of one kind.
pub(crate) struct Cards<C: Card> {
    cards: Vec<Cuda<C>>,
    batch: usize,
    /// The probes' features, which were checked.
    probes: Vec<Vec<f32>>,
    /// Whether they go with the next batch.
    asks_probes: bool,
    /// Which cards have the batches that are under way, in order.
    flights: VecDeque<usize>,
}

/// What cards are to run.
#[derive(Clone, Copy)]
pub(crate) struct Setup<'a> {
    pub(crate) bound: &'a Bound,
    pub(crate) taps: &'a [&'a str],
    pub(crate) recipe: &'a Recipe,
    pub(crate) precision: Precision,
    pub(crate) batch: Option<usize>,
}

impl<C: Card> Cards<C> {
    /// Compiles the network for every one of the cards, which are named as users name them, and has each run the probes,
    /// whose features `reference` gives: one (4, d) matrix a tap.
    ///
    /// # Errors
    /// Where the cards are not alike, one of them cannot run the network, or its features are not those of `reference`.
    pub(crate) fn new(
        cards: Vec<(String, C)>,
        setup: Setup<'_>,
        reference: impl FnOnce() -> Result<Vec<Vec<f32>>> + Send,
    ) -> Result<Cards<C>> {
        let Setup { bound, taps, recipe, precision, batch } = setup;
        let descriptions = cards.iter().map(|(name, card)| (name.as_str(), card.description()));
        check_alike(&descriptions.collect::<Vec<_>>())?;
        let mut expected = None;
        // The CPU gets ready, and runs the probes, beside the cards.
        let compiled = rayon::in_place_scope(|scope| {
            scope.spawn(|_| expected = Some(reference()));
            let compile =
                |(name, card)| Ok((name, Cuda::new(card, bound.clone(), recipe, precision, batch)?));
            cards.into_iter().map(compile).collect::<Result<Vec<(String, Cuda<C>)>>>()
        })?;
        let expected = expected.expect("the scope waits for what it spawned")?;
        let inputs = recipe.probes();
        let instead = match precision {
            Precision::F32 => "--device cpu",
            _ => "--precision f32, or --device cpu",
        };
        let (mut cards, mut probes) = (Vec::new(), Vec::new());
        for (name, mut card) in compiled {
            probes = card.run(inputs.batch())?;
            let kind = &card.card().description().name;
            check_probes((&format!("{name} ({kind})"), instead), taps, &expected, &probes, precision)?;
            cards.push(card);
        }
        let revision = cards[0].revision();
        if let Some(other) = cards.iter().map(Executor::revision).find(|other| *other != revision) {
            bail!("the cards run {revision} and {other}, whose bits differ; name one of them");
        }
        let batch = cards.iter().map(Cuda::batch).min().unwrap_or(1);
        Ok(Cards { cards, batch, probes, asks_probes: false, flights: VecDeque::new() })
    }

    /// The card of a lane: where there are fewer lanes than [`Embedder::ahead`] says, each has one batch.
    fn card_of(&self, lane: usize) -> usize {
        lane % self.cards.len()
    }
}

impl<C: Card + 'static> Embedder for Cards<C> {
    fn revision(&self) -> &str {
        self.cards[0].revision()
    }

    fn batch(&self) -> usize {
        self.batch
    }

    fn widths(&self) -> &[usize] {
        self.cards[0].widths()
    }

    fn probes(&mut self) -> Result<Vec<Vec<f32>>> {
        Ok(self.probes.clone())
    }

    fn ask_probes(&mut self) {
        self.asks_probes = true;
    }

    fn ahead(&self) -> Ahead {
        Ahead { lanes: LANES * self.cards.len(), buffers: BUFFERS }
    }

    fn buffer(&self, lane: usize, inputs: usize) -> Result<Box<dyn Buffer>> {
        if inputs > self.batch {
            bail!(
                "the card takes {} pictures at a time, fewer than a sample has views; use fewer --views, or --device cpu",
                self.batch
            );
        }
        Ok(Box::new(self.cards[self.card_of(lane)].staging()?))
    }

    fn is_ready(&self, lane: usize) -> bool {
        self.cards[self.card_of(lane)].is_ready()
    }

    fn submit(&mut self, lane: usize, buffer: Box<dyn Buffer>, ends: Vec<usize>) -> Result<()> {
        let (card, buffer) = (self.card_of(lane), buffer as Box<dyn Any>);
        let Ok(pixels) = buffer.downcast::<C::Staging>() else { unreachable!("`buffer` made it") };
        self.cards[card].submit(*pixels, &ends)?;
        self.flights.push_back(card);
        Ok(())
    }

    fn collect(&mut self) -> Result<Option<Embedded>> {
        let Some(card) = self.flights.pop_front() else { return Ok(None) };
        let Some(Collected { rows, pixels }) = self.cards[card].collect()? else { return Ok(None) };
        let probes = std::mem::take(&mut self.asks_probes).then(|| self.probes.clone());
        Ok(Some(Embedded { rows, probes, buffer: Box::new(pixels) }))
    }

    fn busy(&self) -> Option<times::Cards> {
        let spent = self.cards.iter().map(Cuda::spent).fold(Spent::default(), |sum, spent| Spent {
            copies: sum.copies + spent.copies,
            kernels: sum.kernels + spent.kernels,
        });
        Some(times::Cards { count: self.cards.len(), spent })
    }
}
