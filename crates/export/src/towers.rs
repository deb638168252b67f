//! The backbones that a head was fitted behind: one for each of its networks and ways to prepare pictures.

use crate::{backbone, config::Config};
use anyhow::{Context, Result};
use cli::UsageError;
use head::Head;
use model::{ModelError, Tower, towers_of};

/// All of them, in the order of the head's sources. Of several files of weights each source takes the one that it was
/// computed with.
///
/// # Errors
/// As [`towers_of`]; wrong usage, where other flags would mend it.
pub(crate) fn load(config: &Config, head: &Head) -> Result<Vec<Tower>> {
    backbone::networks(head)?;
    towers_of(head, config.weights()).map_err(|error: ModelError| match error.is_usage() {
        true => UsageError(error.to_string()).into(),
        false => error.into(),
    })
}

/// Height and width of a tower's pictures.
///
/// # Errors
/// Where they vary.
pub(crate) fn size(tower: &Tower) -> Result<(usize, usize)> {
    tower.size().context("the head's pictures vary in size; give the backbone a crop or an exact size")
}
