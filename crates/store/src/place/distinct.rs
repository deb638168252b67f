//! That no output is one of a run's inputs, or another of its outputs.

use super::{Place, PlaceError};
use std::path::Path;

/// Refuses outputs that are one file or folder with one another, or with an input, by whatever names or links.
///
/// # Errors
/// [`PlaceError::Same`].
pub fn distinct<'a>(
    outputs: &[&Place],
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<(), PlaceError> {
    let inputs: Vec<&Path> = inputs.into_iter().collect();
    for (at, place) in outputs.iter().enumerate() {
        let others = outputs[at + 1..].iter().map(|other| (other.target(), "writes"));
        let mut others = inputs.iter().map(|input| (*input, "reads")).chain(others);
        if let Some((other, how)) = others.find(|(other, _)| are_one(place.target(), other)) {
            return Err(PlaceError::Same { path: place.target().to_owned(), other: other.to_owned(), how });
        }
    }
    Ok(())
}

#[cfg(unix)]
fn are_one(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path: &Path| std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    identity(a).is_some_and(|own| identity(b) == Some(own))
}

#[cfg(not(unix))]
fn are_one(a: &Path, b: &Path) -> bool {
    let place = |path: &Path| std::fs::canonicalize(path).ok();
    place(a).is_some_and(|own| place(b) == Some(own))
}
