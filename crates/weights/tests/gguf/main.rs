//! GGUF files, from a writer of our own: what is found in them, and what is refused.

#![expect(clippy::unwrap_used, reason = "tests")]

mod found;
mod hostile;
mod writer;

use headstart_weights::{Tensors, WeightError};

/// Opens bytes as a file; errors call it `w`.
fn open(bytes: &[u8]) -> Result<Box<dyn Tensors>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w");
    std::fs::write(&path, bytes).unwrap();
    let shown = path.display().to_string();
    headstart_weights::open(&path).map_err(|error: WeightError| error.to_string().replace(&shown, "w"))
}
