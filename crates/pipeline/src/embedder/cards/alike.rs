//! Whether cards may be used together: they are of one kind.

use anyhow::{Result, bail};
use engine::cuda::Description;

/// Refuses cards of several kinds: a row's bits would depend on which of them made it.
pub(super) fn check_alike(cards: &[(&str, &Description)]) -> Result<()> {
    let kind = |card: &Description| (card.name.clone(), card.capability);
    let (first, others) = cards.split_first().expect("DeviceName has at least one card");
    match others.iter().find(|(_, card)| kind(card) != kind(first.1)) {
        Some(other) => {
            let tell = |(name, card): &(&str, &Description)| {
                format!("{name} is {} ({}.{})", card.name, card.capability.0, card.capability.1)
            };
            bail!(
                "{}, {}: cards that share the work must be of one kind, on which bits depend; name one, or give each a --part of its own",
                tell(first),
                tell(other)
            )
        }
        None => Ok(()),
    }
}
