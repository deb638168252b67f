//! Whether a head was fitted on features of this very kind.

use std::path::Path;

use anyhow::bail;
use artifact::{Features, Head};

/// Compares what the head says of the features that it takes with what these say of themselves.
///
/// # Errors
/// One that names the first difference: the head's value as expected, the features' as got.
pub(crate) fn check(
    features: &Features,
    head: &Head,
    features_path: &Path,
    head_path: &Path,
) -> anyhow::Result<()> {
    let Some((what, expected, got)) = difference(features, head) else { return Ok(()) };
    bail!(
        "head `{}` does not belong to `{}`: {what} differs, expected {expected}, got {got}; rerun extract as for the head's features, or fit-head on these",
        head_path.display(),
        features_path.display()
    )
}

/// (what, the head's, the features')
fn difference(features: &Features, head: &Head) -> Option<(String, String, String)> {
    if let Some(found) = head.source.difference(&features.index().source) {
        return Some((found.what.to_owned(), format!("`{}`", found.expected), format!("`{}`", found.got)));
    }
    if head.dim() != features.dim() {
        return Some(("width".to_owned(), head.dim().to_string(), features.dim().to_string()));
    }
    if head.targets.is_some() {
        // It says nothing of classes.
        return None;
    }
    let (expected, got) = (&head.classes, features.classes());
    if expected.len() != got.len() {
        return Some(("number of classes".to_owned(), expected.len().to_string(), got.len().to_string()));
    }
    let mut pairs = expected.iter().zip(got).enumerate();
    pairs.find(|(_, (expected, got))| expected != got).map(|(class, (expected, got))| {
        (format!("class {class}"), format!("`{expected}`"), format!("`{got}`"))
    })
}
