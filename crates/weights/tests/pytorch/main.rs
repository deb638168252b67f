//! PyTorch's checkpoints, from a writer of our own: what is found in them, and what is refused.

#![expect(clippy::unwrap_used, reason = "tests")]

mod containers;
mod found;
mod hostile;
mod writer;

use headstart_weights::{Tensors, WeightError};

/// Zero to five, as floats.
fn six() -> Vec<u8> {
    (0..6).flat_map(|n| (n as f32).to_le_bytes()).collect()
}

/// Opens bytes as a file; errors call it `w`.
fn open(bytes: &[u8]) -> Result<Box<dyn Tensors>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w");
    std::fs::write(&path, bytes).unwrap();
    let shown = path.display().to_string();
    headstart_weights::open(&path).map_err(|error: WeightError| error.to_string().replace(&shown, "w"))
}

/// Why bytes are refused; nothing where they are not.
fn refused(bytes: &[u8]) -> String {
    open(bytes).err().unwrap_or_default()
}

/// The same pickle in both containers, with six floats.
fn both(pickle: &[u8]) -> [Vec<u8>; 2] {
    let six = six();
    [writer::zipped(pickle, &[("0", &six)]), writer::legacy(pickle, &[("0", 6, &six)])]
}
