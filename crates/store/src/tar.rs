//! The members of a tar: where the bytes of each lie. Nothing is unpacked.
//!
//! POSIX, GNU and old headers are read, long names of either kind, and tars that follow one another in one file. The crate
//! `tar` reads a header's fields. Going from one to the next is done here, so that no header can ask for memory or time.

use ::tar::{EntryType, Header, PaxExtensions};
use std::{
    borrow::Cow,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
};

/// Of headers, and of the room that a member takes.
const BLOCK: u64 = 512;
/// Bytes of a header that describes the next one: names are far shorter.
const MOST_EXTENSION: u64 = 1 << 20;
/// Zeros between two tars, or after the last: twice the largest record that GNU tar writes.
const MOST_ZEROS: u64 = 2 << 20;

/// One member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// As it stands there: nothing says that it is UTF-8, or leads nowhere else.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: MemberKind,
}

/// What a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// A file, whose bytes lie here in the tar.
    File(Range<u64>),
    /// A folder.
    Folder,
    /// Another name of the member of this name.
    HardLink(Vec<u8>),
    /// A link, a file with holes, a device: of whatever else there is.
    Other(&'static str),
}

/// Why bytes are no tar.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// The system said no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What stands where a header should.
    #[error("what begins at byte {at} is no header of a tar")]
    NoHeader {
        /// Where it begins.
        at: u64,
    },
    /// It was cut, or a header lies.
    #[error("it ends within `{}`; it was not written or copied in full", String::from_utf8_lossy(name))]
    Cut {
        /// The member.
        name: Vec<u8>,
    },
    /// It was cut between two members: the block of zeros is missing that it should end with.
    #[error("it has no end; it was not written or copied in full")]
    NoEnd,
    /// A name of a megabyte.
    #[error(
        "the header at byte {at} describes the next one with {length} bytes, {MOST_EXTENSION} at most are read"
    )]
    Extension {
        /// Where it begins.
        at: u64,
        /// Bytes.
        length: u64,
    },
}

/// Whether a file that begins with this block is a tar. An empty one, all zeros, is not told from others.
pub fn is_tar(block: &[u8]) -> bool {
    block.first_chunk().is_some_and(|block| header(block).is_some())
}

/// Gives the members of a tar to `each`, in their order.
///
/// # Errors
/// Where it is no tar, or not a whole one, or cannot be read.
pub fn members(mut tar: impl Read + Seek, mut each: impl FnMut(Member)) -> Result<(), TarError> {
    let length = tar.seek(SeekFrom::End(0))?;
    let (mut at, mut zeros, mut next) = (0, 0, Extensions::default());
    let mut block = [0; BLOCK as usize];
    while at < length && zeros <= MOST_ZEROS {
        if length - at < BLOCK {
            return Err(TarError::NoEnd);
        }
        read(&mut tar, at, &mut block)?;
        if block.iter().all(|&byte| byte == 0) {
            (at, zeros) = (at + BLOCK, zeros + BLOCK);
            continue;
        }
        zeros = 0;
        let header = header(&block).ok_or(TarError::NoHeader { at })?;
        let own = header.entry_size().map_err(|_| TarError::NoHeader { at })?;
        let kind = header.entry_type();
        let extends = kind.is_gnu_longname() || kind.is_gnu_longlink() || kind.is_pax_local_extensions();
        let size = if extends { own } else { next.size.unwrap_or(own) };
        // A folder has no bytes, whatever it says; nor have links.
        let size = if has_bytes(kind) { size } else { 0 };
        let begin = at + BLOCK;
        let end = begin.checked_add(size).filter(|&end| end <= length);
        let name = || next.name.clone().unwrap_or_else(|| header.path_bytes().into_owned());
        let Some(end) = end else { return Err(TarError::Cut { name: name() }) };
        if extends {
            if size > MOST_EXTENSION {
                return Err(TarError::Extension { at, length: size });
            }
            let mut bytes = vec![0; size as usize];
            read(&mut tar, begin, &mut bytes)?;
            next.add(kind, bytes);
        } else if !kind.is_pax_global_extensions() {
            let link = || next.link.clone().or_else(|| header.link_name_bytes().map(Cow::into_owned));
            let name = name();
            let kind = match kind {
                _ if next.is_sparse || kind.is_gnu_sparse() => MemberKind::Other("it is stored with holes"),
                // Old tars have no folders but by name.
                EntryType::Regular | EntryType::Continuous if name.ends_with(b"/") => MemberKind::Folder,
                EntryType::Regular | EntryType::Continuous => MemberKind::File(begin..end),
                EntryType::Directory => MemberKind::Folder,
                EntryType::Link => MemberKind::HardLink(link().unwrap_or_default()),
                EntryType::Symlink => MemberKind::Other("it is a symbolic link"),
                _ => MemberKind::Other("it is no file"),
            };
            each(Member { name, kind });
            next = Extensions::default();
        }
        at = end.div_ceil(BLOCK).saturating_mul(BLOCK);
    }
    if zeros > 0 { Ok(()) } else { Err(TarError::NoEnd) }
}

/// What is said of the next member before its header.
#[derive(Default)]
struct Extensions {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
}

impl Extensions {
    fn add(&mut self, kind: EntryType, mut bytes: Vec<u8>) {
        if kind.is_pax_local_extensions() {
            for record in PaxExtensions::new(&bytes).flatten() {
                let value = record.value_bytes();
                match record.key_bytes() {
                    b"path" => self.name = Some(value.to_vec()),
                    b"linkpath" => self.link = Some(value.to_vec()),
                    b"size" => self.size = std::str::from_utf8(value).ok().and_then(|size| size.parse().ok()),
                    key => self.is_sparse |= key.starts_with(b"GNU.sparse."),
                }
            }
            return;
        }
        // GNU's end with a zero.
        bytes.truncate(bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len()));
        if kind.is_gnu_longname() {
            self.name = Some(bytes);
        } else {
            self.link = Some(bytes);
        }
    }
}

fn has_bytes(kind: EntryType) -> bool {
    !matches!(
        kind,
        EntryType::Link
            | EntryType::Symlink
            | EntryType::Char
            | EntryType::Block
            | EntryType::Directory
            | EntryType::Fifo
    )
}

/// The header that a block holds, if its checksum is right.
fn header(block: &[u8; BLOCK as usize]) -> Option<&Header> {
    let header = Header::from_byte_slice(block);
    // The sum of all bytes, its own eight taken for spaces.
    let rest = block[..148].iter().chain(&block[156..]);
    let sum = rest.map(|&byte| u32::from(byte)).sum::<u32>() + 8 * u32::from(b' ');
    header.cksum().is_ok_and(|told| told == sum).then_some(header)
}

fn read(tar: &mut (impl Read + Seek), at: u64, bytes: &mut [u8]) -> io::Result<()> {
    tar.seek(SeekFrom::Start(at))?;
    tar.read_exact(bytes)
}

#[cfg(test)]
mod tests;
