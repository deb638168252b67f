//! What can be read once only, kept on a disk for as long as it is open.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek as _, SeekFrom, Write as _},
    path::Path,
};

/// The first two bytes of what gzip packs.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What gzip packs may become so many times as long, and a GiB: pictures are packed already.
const MOST_TIMES: u64 = 100;
const MOST_BESIDE: u64 = 1 << 30;

/// Whether a file that begins so was packed by gzip.
pub fn is_gzip(begin: &[u8]) -> bool {
    begin.starts_with(&GZIP)
}

/// A copy of all that `reader` gives, unpacked where gzip packed it, in a file in `folder` that has no name: it is gone
/// with its last handle, however this process ends.
///
/// # Errors
/// Where something cannot be read, written or unpacked, or becomes too long.
pub fn spool(mut reader: impl Read, folder: &Path) -> io::Result<File> {
    let mut begin = Vec::new();
    reader.by_ref().take(GZIP.len() as u64).read_to_end(&mut begin)?;
    let is_packed = is_gzip(&begin);
    let whole = io::Cursor::new(begin).chain(reader);
    let mut file = tempfile::tempfile_in(folder)?;
    if is_packed {
        unpack(whole, &mut file)?;
    } else {
        io::copy(&mut BufReader::with_capacity(1 << 20, whole), &mut file)?;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn unpack(packed: impl Read, file: &mut File) -> io::Result<()> {
    let mut reader =
        flate2::bufread::MultiGzDecoder::new(BufReader::new(Counted { packed, count: 0, is_at_end: false }));
    let (mut buffer, mut written) = (vec![0; 1 << 20], 0);
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) if reader.get_ref().get_ref().is_at_end => {
                let reason = "it ends early, within what gzip packed; get it again";
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason));
            }
            // What flate2 says of bytes that gzip never wrote.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it is damaged: {error}")));
            }
            read => read?,
        };
        written += read as u64;
        if written > reader.get_ref().get_ref().count.saturating_mul(MOST_TIMES).saturating_add(MOST_BESIDE) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "it unpacks to more than {MOST_TIMES} times its size; unpack it first if you trust it"
                ),
            ));
        }
        file.write_all(&buffer[..read])?;
    }
}

/// Counts the bytes that were read.
struct Counted<R> {
    packed: R,
    count: u64,
    is_at_end: bool,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.packed.read(buffer)?;
        self.count += read as u64;
        self.is_at_end |= read == 0 && !buffer.is_empty();
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};

    fn spooled(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let root = tempfile::tempdir().unwrap();
        let mut file = spool(bytes, root.path())?;
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
        let mut read = Vec::new();
        file.read_to_end(&mut read)?;
        Ok(read)
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        for bytes in [&b""[..], b"x", b"\x1f", &[7; 3_000_000]] {
            assert!(spooled(bytes).unwrap() == bytes);
            assert!(spooled(&packed(bytes)).unwrap() == bytes);
        }
        // As files that were packed one by one, and joined.
        assert_eq!(spooled(&[packed(b"a"), packed(b"b")].concat()).unwrap(), b"ab");
        assert!(spooled(&packed(&[7; 100])[..20]).is_err());
        assert!(spool(&b"x"[..], Path::new("/none")).is_err());
    }
}
