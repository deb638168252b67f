//! Checkpoints since PyTorch 1.6: a zip archive of a pickle and of a file for each storage.

use super::{
    file::{Found, Refused, place},
    limits, machine,
    values::{Storage, Values},
};
use crate::formats::zip::{Zip, short};
use std::{borrow::Cow, ops::Range};

/// The folder within the archive in which the checkpoint lies, with its slash.
fn folder(zip: &Zip) -> Result<&str, Refused> {
    let found = zip.entries().filter_map(|(name, _)| name.strip_suffix("data.pkl"));
    let mut found = found.filter(|folder| folder.is_empty() || folder.find('/') == Some(folder.len() - 1));
    match (found.next(), found.next()) {
        (Some(folder), None) => Ok(folder),
        (Some(_), Some(_)) => Err(Refused::Unusable("it holds two checkpoints".to_owned())),
        (None, _) => {
            let found = "it is a zip archive without the `data.pkl` that torch.save writes";
            Err(Refused::Unknown(found.to_owned()))
        }
    }
}

/// The tensors of a checkpoint.
pub(super) fn read(file: &[u8], zip: &Zip) -> Result<Found, Refused> {
    let folder = folder(zip)?;
    if let Some(order) = zip.entry(&format!("{folder}byteorder"))
        && order.stored().map(|range| &file[range]) != Some(b"little")
    {
        return Err(Refused::Unusable(
            "its numbers are big-endian; only little-endian ones are read".to_owned(),
        ));
    }
    let name = format!("{folder}data.pkl");
    let entry = zip.entry(&name).ok_or_else(|| Refused::Unusable(format!("it lacks `{}`", short(&name))))?;
    // PyTorch may leave checksums out, so only what is unpacked is compared with them.
    let pickle = match entry.stored() {
        Some(range) => Cow::Borrowed(&file[range]),
        None => {
            entry.bytes(file, limits::PICKLE).map_err(|why| format!("its pickle cannot be read: {why}"))?
        }
    };
    let built = machine::follow(&pickle)?;
    let locate = |storage: &Storage| locate(zip, folder, &built.values, storage);
    place(&built, &locate)
}

fn locate(zip: &Zip, folder: &str, values: &Values<'_>, storage: &Storage) -> Result<Range<usize>, String> {
    let key = String::from_utf8_lossy(values.raw(storage.key));
    let entry = zip.entry(&format!("{folder}data/{key}"));
    let entry = entry.ok_or_else(|| format!("needs `data/{}`, which is not there", short(&key)))?;
    entry.stored().ok_or_else(|| {
        format!("lies in `data/{}`, which is compressed; save it anew with torch.save", short(&key))
    })
}
