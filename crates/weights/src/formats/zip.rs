//! The directory of a zip archive, and bytes of its entries: PyTorch's and Keras' files are such archives.
//!
//! Nothing is unpacked to disk. An archive says everything twice, so what it says is compared before it is believed.

use flate2::{Crc, read::DeflateDecoder};
use std::{borrow::Cow, collections::BTreeMap, io::Read, ops::Range};

/// Longer than any honest directory: a checkpoint has some 100 bytes for a tensor.
const MOST_DIRECTORY: usize = 64 << 20;
/// What a byte of deflate can stand for at most.
const MOST_RATIO: usize = 1032;

const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const CENTRAL: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";

/// Where in a file each entry lies.
pub(crate) struct Zip {
    entries: BTreeMap<String, Entry>,
}

/// An entry, which lies within the file and overlaps no other.
pub(crate) struct Entry {
    method: u16,
    checksum: u32,
    /// Where its bytes lie, as they are stored.
    packed: Range<usize>,
    /// Bytes once unpacked.
    size: usize,
}

impl Zip {
    /// Reads the directory of an archive. The reason why not is a part of a sentence.
    pub(crate) fn read(file: &[u8]) -> Result<Zip, String> {
        let (count, directory) = directory(file)?;
        let mut entries = BTreeMap::new();
        let mut taken = Vec::new();
        let mut rest = Fields(&file[directory.clone()]);
        for _ in 0..count {
            let (name, entry, whole) = entry(&mut rest, &file[..directory.start])
                .ok_or_else(|| "its directory is damaged".to_owned())??;
            if entries.insert(name.clone(), entry).is_some() {
                return Err(format!("it holds `{}` twice", short(&name)));
            }
            taken.push((whole, name));
        }
        taken.sort_by_key(|(whole, _)| whole.start);
        match taken.windows(2).find(|pair| pair[0].0.end > pair[1].0.start) {
            Some(pair) => Err(format!("its entry `{}` lies within another", short(&pair[1].1))),
            None => Ok(Zip { entries }),
        }
    }

    /// Names with their entries, sorted.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    /// The entry of this name.
    pub(crate) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }
}

impl Entry {
    /// Where its bytes lie in the file, unless they are compressed. Their checksum is not looked at.
    pub(crate) fn stored(&self) -> Option<Range<usize>> {
        (self.method == 0).then(|| self.packed.clone())
    }

    /// Its bytes, at most `most` of them, unpacked and compared with their checksum. `file`: the whole archive.
    pub(crate) fn bytes<'a>(&self, file: &'a [u8], most: usize) -> Result<Cow<'a, [u8]>, String> {
        if self.size > most {
            return Err(format!("it takes {} bytes, {most} at most are read", self.size));
        }
        let packed = &file[self.packed.clone()];
        let bytes = match self.method {
            0 => Cow::Borrowed(packed),
            8 => Cow::Owned(self.inflate(packed)?),
            other => return Err(format!("it is compressed by method {other}; only deflate is read")),
        };
        let mut checksum = Crc::new();
        checksum.update(&bytes);
        if checksum.sum() == self.checksum { Ok(bytes) } else { Err("its checksum is wrong".to_owned()) }
    }

    fn inflate(&self, packed: &[u8]) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        // A byte more than it should be, to see that it is not.
        let read = DeflateDecoder::new(packed).take(self.size as u64 + 1).read_to_end(&mut bytes);
        match read {
            Ok(length) if length == self.size => Ok(bytes),
            Ok(_) => Err("it unpacks to another length than the archive says".to_owned()),
            Err(_) => Err("its compressed bytes are damaged".to_owned()),
        }
    }
}

/// How many entries there are, and where the directory lies, which is before the end of the archive.
fn directory(file: &[u8]) -> Result<(u64, Range<usize>), String> {
    let cut = || "the directory at its end is missing; it may have been cut short".to_owned();
    // The last record has 22 bytes and a comment of at most 65,535.
    let first = file.len().saturating_sub(22 + 0xFFFF);
    let end = (first..file.len().saturating_sub(21))
        .rev()
        .find(|&at| {
            file[at..].starts_with(END)
                && at + 22 + usize::from(u16::from_le_bytes([file[at + 20], file[at + 21]])) == file.len()
        })
        .ok_or_else(cut)?;
    let (count, size, start, limit) = end_64(file, end).or_else(|| end_32(file, end)).ok_or_else(cut)?;
    let stop = start.checked_add(size).filter(|stop| *stop <= limit as u64);
    let range = stop.and_then(|stop| Some(usize::try_from(start).ok()?..usize::try_from(stop).ok()?));
    let range = range.ok_or_else(|| "its directory would lie outside it".to_owned())?;
    // An entry takes 46 bytes and its name.
    if count > size / 46 {
        return Err(format!("its directory is too short for {count} entries"));
    }
    if range.len() > MOST_DIRECTORY {
        return Err(format!("its directory takes {} bytes, {MOST_DIRECTORY} at most are read", range.len()));
    }
    Ok((count, range))
}

/// Entries, bytes of the directory, where it starts, and where it must end.
type Ends = (u64, u64, u64, usize);

fn end_32(file: &[u8], end: usize) -> Option<Ends> {
    let mut fields = Fields(file.get(end + 10..)?);
    let (count, size, start) = (fields.u16()?, fields.u32()?, fields.u32()?);
    Some((u64::from(count), u64::from(size), u64::from(start), end))
}

fn end_64(file: &[u8], end: usize) -> Option<Ends> {
    let locator = end.checked_sub(20).and_then(|at| file[at..end].strip_prefix(LOCATOR_64))?;
    let at = usize::try_from(Fields(locator.get(4..)?).u64()?).ok()?;
    let mut fields = Fields(file.get(at..end)?.strip_prefix(END_64)?.get(28..)?);
    Some((fields.u64()?, fields.u64()?, fields.u64()?, at))
}

/// An entry's name, the entry, and all that it takes in the file.
type Listed = (String, Entry, Range<usize>);

/// The next entry of the directory, and all that it takes in the file, its own header included; `None` where it is cut.
/// `before`: the file as far as entries can lie.
fn entry(rest: &mut Fields<'_>, before: &[u8]) -> Option<Result<Listed, String>> {
    if rest.take(4)? != CENTRAL {
        return None;
    }
    rest.take(4)?;
    let (flags, method) = (rest.u16()?, rest.u16()?);
    rest.take(4)?;
    let checksum = rest.u32()?;
    let (packed, size) = (rest.u32()?, rest.u32()?);
    let lengths = [rest.u16()?, rest.u16()?, rest.u16()?].map(usize::from);
    rest.take(8)?;
    let offset = rest.u32()?;
    let raw = rest.take(lengths[0])?;
    let mut large = extra_64(rest.take(lengths[1])?);
    rest.take(lengths[2])?;
    // Numbers that do not fit stand in the extra field, in this order.
    let mut wide = |number: u32| match number {
        u32::MAX => usize::try_from(large.u64()?).ok(),
        other => usize::try_from(other).ok(),
    };
    let (size, packed, offset) = (wide(size)?, wide(packed)?, wide(offset)?);
    let name = String::from_utf8_lossy(raw).into_owned();
    let fail = |why: &str| Some(Err(format!("its entry `{}` {why}", short(&name))));
    if leads_out(&name) {
        return fail("leads out of it");
    }
    if flags & 1 != 0 {
        return fail("is encrypted");
    }
    if method == 0 && size != packed {
        return fail("is stored in another length than it has");
    }
    if size > packed.saturating_mul(MOST_RATIO) {
        return fail("would unpack to more than its bytes can hold");
    }
    let Some(start) = data_start(before, offset, raw) else {
        return fail("is not where the directory says");
    };
    let Some(end) = start.checked_add(packed).filter(|end| *end <= before.len()) else {
        return fail("is longer than the file");
    };
    Some(Ok((name, Entry { method, checksum, packed: start..end, size }, offset..end)))
}

/// Where the bytes of an entry begin: after its own header, which must have the name of the directory.
fn data_start(before: &[u8], offset: usize, name: &[u8]) -> Option<usize> {
    let mut header = Fields(before.get(offset..)?);
    if header.take(4)? != LOCAL {
        return None;
    }
    header.take(22)?;
    let (named, extra) = (usize::from(header.u16()?), usize::from(header.u16()?));
    (header.take(named)? == name).then_some(offset + 30 + named + extra)
}

/// The 64-bit numbers among the fields that an entry has besides.
fn extra_64(extra: &[u8]) -> Fields<'_> {
    let mut fields = Fields(extra);
    while let (Some(kind), Some(length)) = (fields.u16(), fields.u16()) {
        match fields.take(usize::from(length)) {
            Some(bytes) if kind == 1 => return Fields(bytes),
            Some(_) => {}
            None => break,
        }
    }
    Fields(&[])
}

/// Whether whoever unpacks this name below a folder writes outside of it.
fn leads_out(name: &str) -> bool {
    name.starts_with(['/', '\\']) || name.split(['/', '\\']).any(|part| part == "..")
}

/// A name as errors quote it.
pub(crate) fn short(name: &str) -> String {
    const MOST: usize = 60;
    let mut all = name.chars().flat_map(char::escape_debug);
    let shown: String = all.by_ref().take(MOST).collect();
    if all.next().is_some() { format!("{shown}…") } else { shown }
}

/// Little-endian numbers, one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(first)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests;
