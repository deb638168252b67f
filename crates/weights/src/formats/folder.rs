//! Which file of a folder holds the weights.

use crate::WeightError;
use published::{EXTENSIONS, NAMES};
use std::path::{Path, PathBuf};

/// The weights of a folder: those of a customary name, else the only file that may be.
///
/// # Errors
/// Where there is none, or several.
pub(super) fn weights_of(folder: &Path) -> Result<PathBuf, WeightError> {
    if let Some(path) = NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file()) {
        return Ok(path);
    }
    let unreadable = |source| WeightError::Open(store::MapError { path: folder.to_owned(), source });
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if EXTENSIONS.contains(&extension) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    let file = folder.display().to_string();
    match found.len() {
        1 => Ok(found.swap_remove(0)),
        0 => {
            Err(WeightError::Unknown { file, found: format!("the folder has no file such as {}", NAMES[0]) })
        }
        _ => {
            let name = |path: &PathBuf| path.file_name().unwrap_or_default().display().to_string();
            let names: Vec<String> = found.iter().map(name).collect();
            let found =
                format!("the folder has several files of weights; give one: {}", store::brief::few(&names));
            Err(WeightError::Unknown { file, found })
        }
    }
}
