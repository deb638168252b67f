//! Checkpoints before PyTorch 1.6: five pickles, and then the storages one after the other.

use super::{
    file::{Found, Refused, place},
    machine::{Built, follow},
    values::{Storage, Value},
};
use crate::formats::zip::short;
use std::{collections::HashMap, ops::Range};

/// The integer that the first pickle holds.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/// The integer that the second pickle holds.
const PROTOCOL: i64 = 1001;

/// The tensors of a checkpoint.
pub(super) fn read(file: &[u8]) -> Result<Found, Refused> {
    let at = head(file)?;
    let built = follow(&file[at..])?;
    let at = at + built.length;
    let keys = follow(&file[at..])?;
    let storages = storages(file, at + keys.length, &built, &keys)?;
    let locate = |storage: &Storage| {
        let key = built.values.raw(storage.key);
        let name = || short(&String::from_utf8_lossy(key));
        storages
            .get(key)
            .cloned()
            .ok_or_else(|| format!("needs the storage `{}`, which is not there", name()))
    };
    place(&built, &locate)
}

/// Where the fourth pickle begins, after the three that say what file this is.
fn head(file: &[u8]) -> Result<usize, Refused> {
    let mut at = 0;
    // One at a time, so that what one builds is gone before the next.
    let mut next = |fits: &dyn Fn(&Built<'_>) -> bool| -> Result<bool, String> {
        let built = follow(&file[at..])?;
        at += built.length;
        Ok(fits(&built))
    };
    let is_magic = |Built { values, root, .. }: &Built<'_>| matches!(values.get(*root), Value::Long(span) if values.raw(*span) == MAGIC);
    if !next(&is_magic)? {
        let found = "it is a pickle that torch.save did not write; save a model's state_dict with torch.save";
        return Err(Refused::Unknown(found.to_owned()));
    }
    if !next(&|built| matches!(built.values.get(built.root), Value::Int(PROTOCOL)))? {
        return Err(Refused::Unusable(format!("its second pickle does not hold {PROTOCOL}")));
    }
    let is_little = |built: &Built<'_>| {
        let little = built.values.entry(built.root, "little_endian");
        little.is_some_and(|id| matches!(built.values.get(id), Value::Bool(true)))
    };
    if !next(&is_little)? {
        return Err(Refused::Unusable(
            "its numbers are big-endian; only little-endian ones are read".to_owned(),
        ));
    }
    Ok(at)
}

/// Where each storage lies, by its key. They begin at `at`, each with a count of its numbers.
fn storages<'a>(
    file: &[u8],
    mut at: usize,
    built: &Built<'a>,
    keys: &Built<'a>,
) -> Result<HashMap<&'a [u8], Range<usize>>, String> {
    let mut sizes = HashMap::new();
    for storage in &built.values.storages {
        let size = storage.dtype.size();
        if *sizes.entry(built.values.raw(storage.key)).or_insert(size) != size {
            return Err("two dtypes share a storage".to_owned());
        }
    }
    let mut places = HashMap::new();
    let list = keys.values.items(keys.root).ok_or("it lists no storages")?;
    for key in list {
        let Value::Text(key) = *keys.values.get(*key) else {
            return Err("it lists a storage whose key is no text".to_owned());
        };
        let key = keys.values.raw(key);
        let name = || short(&String::from_utf8_lossy(key));
        let size = sizes.get(key).ok_or_else(|| format!("no tensor needs its storage `{}`", name()))?;
        let cut = || format!("it was cut short: the storage `{}` is not whole", name());
        let count = file.get(at..).and_then(<[u8]>::first_chunk).map(|count| u64::from_le_bytes(*count));
        let length = count.and_then(|count| usize::try_from(count).ok()?.checked_mul(*size));
        let start = at.checked_add(8).ok_or_else(cut)?;
        let end = length.and_then(|length| start.checked_add(length)).filter(|end| *end <= file.len());
        at = end.ok_or_else(cut)?;
        if places.insert(key, start..at).is_some() {
            return Err(format!("it holds the storage `{}` twice", name()));
        }
    }
    Ok(places)
}
