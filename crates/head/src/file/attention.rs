//! What a head's file has of an attention pool.

use super::tensors::{Named, floats};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use weights::{AttentionPool, Places};

const QUERIES: &str = "queries";

/// What the header says of it: what rows are of.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Flattened {
    channels: usize,
    places: usize,
    channels_first: bool,
}

impl Flattened {
    pub(super) fn of(pool: &AttentionPool) -> Flattened {
        let Places { channels, places, channels_first } = pool.of;
        Flattened { channels, places, channels_first }
    }

    pub(super) fn read(&self, tensors: &SafeTensors<'_>) -> Result<AttentionPool, String> {
        let &Flattened { channels, places, channels_first } = self;
        if channels.checked_mul(places).is_none_or(|all| all == 0) {
            return Err(format!("rows of {places} places with {channels} channels"));
        }
        let (queries, shape) = floats(tensors, QUERIES)?;
        match shape[..] {
            [count, width] if count > 0 && width == channels => {
                Ok(AttentionPool { of: Places { channels, places, channels_first }, queries })
            }
            _ => Err(format!("queries of shape {shape:?} for {channels} channels")),
        }
    }
}

pub(super) fn tensor(pool: &AttentionPool) -> Named {
    Named::floats(QUERIES, vec![pool.count(), pool.of.channels], &pool.queries)
}
