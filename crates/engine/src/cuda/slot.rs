//! What batches need for themselves on a card, so that one is copied while the other is run.

use super::{Card, CardError, part::Part, plan::Plan};

/// Batches that a card has at a time.
pub(super) const SLOTS: usize = 2;

/// Samples of a batch, where memory does not say otherwise: more keep no card busier.
const MOST: usize = 256;
/// Bytes of a batch of texts on the host, where that was not said.
const MOST_BYTES: usize = 64 << 20;
/// Tokens that go through the kernels together, at most, unless one text may have more.
const TOKENS: usize = 1 << 14;

/// What a batch needs for itself.
pub(super) struct Slot<C: Card> {
    /// Pixels, or what kernels are told of texts.
    pub(super) input: C::Memory,
    /// The latter, on the host.
    pub(super) told: Option<C::Staging>,
    pub(super) out: C::Memory,
    /// The features, on the host.
    pub(super) features: Option<C::Staging>,
    /// The launches for a full batch.
    pub(super) graph: Option<C::Graph>,
    /// Full batches that were run.
    pub(super) runs: usize,
}

/// A batch that is under way.
pub(super) struct Flight<C: Card> {
    pub(super) slot: usize,
    pub(super) parts: Vec<Part>,
    pub(super) inputs: C::Staging,
    /// With `inputs`, the batch.
    pub(super) ends: Vec<usize>,
    pub(super) features: C::Staging,
    pub(super) copies: [C::Event; 2],
    pub(super) kernels: [C::Event; 2],
    pub(super) done: C::Event,
}

/// For how much there is memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Samples of a batch.
    pub(super) batch: usize,
    /// Pictures, or tokens, that go through the kernels together.
    pub(super) units: usize,
    /// Bytes of a picture; `None` of texts, for which [`Slot::grow`] makes room.
    pixels: Option<usize>,
}

impl Room {
    /// As many as `batch` says, unless `free` bytes are too few.
    pub(super) fn of_pictures(free: usize, plan: &Plan, batch: Option<usize>, pixels: usize) -> Room {
        let own = pixels.next_multiple_of(256) + plan.out_bytes().next_multiple_of(256);
        let each = (plan.memory + SLOTS * own).max(1);
        let most = (usable(free) / each).min(plan.most_units()).max(1);
        let batch = batch.unwrap_or(MOST).clamp(1, most);
        Room { batch, units: batch, pixels: Some(pixels) }
    }

    /// The same of texts, each of at most so many tokens at a time, and so many bytes. Few tokens at a time do for any batch.
    pub(super) fn of_texts(
        free: usize,
        plan: &Plan,
        batch: Option<usize>,
        (tokens, bytes): (usize, usize),
    ) -> Room {
        let batch = batch.unwrap_or_else(|| MOST.min(MOST_BYTES / bytes)).max(1);
        let left = usable(free).saturating_sub(SLOTS * batch * plan.out_bytes());
        let most = (left / plan.memory.max(1)).min(plan.most_units());
        let wanted = TOKENS.max(tokens).min(batch.saturating_mul(tokens));
        Room { batch, units: wanted.min(most).max(1), pixels: None }
    }

    /// Memory for values, and for every slot: for half as much, and half of that, until it is there.
    pub(super) fn take<C: Card>(
        &mut self,
        card: &C,
        plan: &Plan,
    ) -> Result<(C::Memory, Vec<Slot<C>>), CardError> {
        loop {
            match self.try_to_take(card, plan) {
                Err(CardError::OutOfMemory { .. }) if self.units > 1 => {
                    self.units /= 2;
                    if self.pixels.is_some() {
                        self.batch = self.units;
                    }
                }
                taken => return taken,
            }
        }
    }

    fn try_to_take<C: Card>(&self, card: &C, plan: &Plan) -> Result<(C::Memory, Vec<Slot<C>>), CardError> {
        let out = (self.batch * plan.out_bytes()).max(1);
        let values = card.allocate((self.units * plan.memory).max(1))?;
        let slot = |_| {
            Ok(Slot {
                input: card.allocate((self.pixels.unwrap_or(0) * self.batch).max(1))?,
                told: self.pixels.is_none().then(|| card.staging(1)).transpose()?,
                out: card.allocate(out)?,
                features: Some(card.staging(out)?),
                graph: None,
                runs: 0,
            })
        };
        Ok((values, (0..SLOTS).map(slot).collect::<Result<_, CardError>>()?))
    }
}

/// A tenth is left to others, and to the driver.
fn usable(free: usize) -> usize {
    free / 10 * 9
}

impl<C: Card> Slot<C> {
    /// Makes room for what kernels are told of texts, and for their features, of so many bytes. No batch is in it.
    pub(super) fn grow(&mut self, card: &C, told: usize, features: usize) -> Result<(), CardError> {
        let has = |staging: &Option<C::Staging>, bytes: usize| {
            staging.as_ref().is_some_and(|staging| staging.len() >= bytes)
        };
        if !has(&self.told, told) {
            let bytes = told.next_power_of_two();
            (self.input, self.told) = (card.allocate(bytes)?, Some(card.staging(bytes)?));
        }
        if !has(&self.features, features) {
            let bytes = features.next_power_of_two();
            (self.out, self.features) = (card.allocate(bytes)?, Some(card.staging(bytes)?));
        }
        Ok(())
    }
}
