//! Checkpoints since PyTorch 1.6: a zip archive of a pickle and of a file for each storage.

use super::{
    file::{Found, Refused, place},
    limits, machine,
    values::{Storage, Values},
};
use crate::formats::zip::{Zip, short};
use std::{borrow::Cow, ops::Range};

/// The folder within the archive in which a checkpoint lies, with its slash; `None` where it is no checkpoint.
pub(super) fn folder(zip: &Zip) -> Option<&str> {
    let of = |name: &'_ str| {
        name.strip_suffix("data.pkl").is_some_and(|folder| folder.find('/') == folder.len().checked_sub(1))
    };
    let (name, _) = zip.entries().find(|(name, _)| of(name))?;
    name.strip_suffix("data.pkl")
}

/// The tensors of a checkpoint.
pub(super) fn read(file: &[u8], zip: &Zip) -> Result<Found, Refused> {
    let folder = folder(zip).ok_or_else(|| {
        Refused::Unknown("it is a zip archive without the `data.pkl` that torch.save writes".to_owned())
    })?;
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
