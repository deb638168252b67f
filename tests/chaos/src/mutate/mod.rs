//! Damage to files: of single bytes, of JSON as such, of safetensors as such, of tables as such.

mod bytes;
mod json;
mod safetensors;
mod table;

pub(crate) use bytes::bytes;
pub(crate) use json::json;
pub(crate) use safetensors::safetensors;
pub(crate) use table::csv;

pub(crate) type Random = rand_chacha::ChaCha8Rng;

/// One of some things.
pub(crate) fn one<'a, T: ?Sized>(random: &mut Random, things: &[&'a T]) -> &'a T {
    use rand::RngExt;
    things[random.random_range(0..things.len())]
}
