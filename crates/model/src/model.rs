//! A head and its networks, from a head's file or from a bundle.

use crate::{ModelError, Tower, bundle, towers_of};
use head::Head;
use std::path::{Path, PathBuf};

/// A head, and the networks that make its features of content.
#[derive(Clone, Debug)]
pub struct Model {
    /// What was fitted.
    pub head: Head,
    /// The networks; every source of the head is an output of one of them.
    pub towers: Vec<Tower>,
}

impl Model {
    /// Opens a bundle, or a head, whose networks are filled from `weights`, or from what comes with Headstart.
    ///
    /// # Errors
    /// Where the file is neither, or damaged; as [`towers_of`]; where weights are given beside a bundle.
    pub fn open(path: &Path, weights: &[PathBuf]) -> Result<Model, ModelError> {
        match bundle::read(path)? {
            Some(_) if !weights.is_empty() => Err(ModelError::OwnWeights(path.to_owned())),
            Some(model) => Ok(model),
            None => {
                let head = Head::read(path)?;
                let towers = towers_of(&head, weights)?;
                Ok(Model { head, towers })
            }
        }
    }

    /// The head alone, of a bundle or of its own file: what rows that are there already are judged by.
    ///
    /// # Errors
    /// Where the file is neither, or damaged.
    pub fn open_head(path: &Path) -> Result<Head, ModelError> {
        Ok(match bundle::read_head(path)? {
            Some(head) => head,
            None => Head::read(path)?,
        })
    }
}
