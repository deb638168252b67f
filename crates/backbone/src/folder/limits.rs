//! Sizes that a configuration may say. What is beyond them no network has, and none is built of it.

use super::Config;
use crate::BackboneError;

/// Refuses sizes that no network has: far beyond the largest, and none at all.
pub(super) fn sane(config: &Config, sizes: &[usize]) -> Result<(), BackboneError> {
    within(config, "a size of", sizes, 1 << 15)
}

/// The same of numbers of blocks.
pub(super) fn shallow(config: &Config, depths: &[usize]) -> Result<(), BackboneError> {
    within(config, "a depth of", depths, 256)
}

/// The same of an attention's heads.
pub(super) fn heads_of(config: &Config, heads: &[usize]) -> Result<(), BackboneError> {
    within(config, "a number of heads of", heads, 1 << 10)
}

/// The same of classes.
pub(super) fn classes_of(config: &Config, classes: usize) -> Result<(), BackboneError> {
    within(config, "a number of classes of", &[classes], 1 << 24)
}

/// The same of tokens that are known.
pub(super) fn vocabulary(config: &Config, tokens: &[usize]) -> Result<(), BackboneError> {
    within(config, "a vocabulary of", tokens, 1 << 22)
}

/// The same of a text's tokens, where no table has a row for each.
pub(super) fn tokens(config: &Config, most: usize) -> Result<(), BackboneError> {
    within(config, "a length of texts of", &[most], 1 << 24)
}

/// How many patches lie side by side in a picture: at least one.
pub(super) fn patches(config: &Config, side: usize, patch: usize) -> Result<usize, BackboneError> {
    sane(config, &[side])?;
    within(config, "a patch with a side of", &[patch], 1 << 14)?;
    match side / patch {
        0 => Err(config.unknown("`image_size`", &side.to_string(), "a patch should fit into the picture")),
        grid => Ok(grid),
    }
}

/// A number of f32 above zero, as a norm needs it.
pub(super) fn above_zero(config: &Config, key: &str, value: f64) -> Result<f32, BackboneError> {
    #[expect(clippy::cast_possible_truncation, reason = "what is lost is checked")]
    let rounded = value as f32;
    if rounded > 0.0 && rounded.is_finite() {
        Ok(rounded)
    } else {
        Err(config.unknown(&format!("`{key}`"), &value.to_string(), "expected a small number above zero"))
    }
}

fn within(config: &Config, what: &str, values: &[usize], end: usize) -> Result<(), BackboneError> {
    match values.iter().find(|value| !(1..end).contains(*value)) {
        Some(value) => {
            Err(config.unknown(what, &value.to_string(), &format!("expected a number from 1 to {}", end - 1)))
        }
        None => Ok(()),
    }
}
