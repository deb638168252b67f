//! An ONNX model, which is its own network.

use crate::{
    Backbone, BackboneError,
    find::{Wanted, Weights},
};
use input::Recipe;
use onnx::{Imported, Options};
use std::path::Path;

/// What artefacts call such a network, wherever its file lies: its digests say which it is.
const NAME: &str = "onnx";
/// The key under which our own exports say how inputs are made.
const PREPROCESSING: &str = "headstart.preprocessing";

/// Reads a model for pictures of the size that is wanted.
///
/// # Errors
/// Where it holds what is not known, or takes pictures of another size.
pub(crate) fn open(path: &Path, wanted: &Wanted<'_>) -> Result<Backbone, BackboneError> {
    let file = path.display().to_string();
    let size = wanted.size.map(|(height, width)| (height as usize, width as usize));
    let options = Options { size, tap: wanted.taps.first().map(String::as_str) };
    let Imported { bound, default_tap, metadata, .. } = onnx::import(path, options)
        .map_err(|error| BackboneError::Onnx { file: file.clone(), error: Box::new(error) })?;
    let said = metadata.iter().find(|(key, _)| key == PREPROCESSING);
    let recipe = said.and_then(|(_, json)| serde_json::from_str::<Recipe>(json).ok());
    Ok(Backbone {
        name: NAME.to_owned(),
        network: bound.network().clone(),
        default_tap,
        recipe: recipe.filter(|recipe| recipe.check().is_ok()),
        note: None,
        weights: Weights::Bound(bound, file),
    })
}
