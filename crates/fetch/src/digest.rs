//! Digests that say what a file must be.

use ring::digest::{Context, Digest as Bytes, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use std::{
    fs::File,
    io::{self, Read, Seek},
};

/// What somebody says about the bytes of a file, in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Digest {
    /// SHA-256, or its first digits.
    Sha256(String),
    /// What git calls a blob of these bytes: SHA-1 of a header and the bytes.
    GitBlob(String),
}

impl Digest {
    /// The digest that the hub gives as a file's version: git's of a small file, SHA-256 of a large one.
    pub(crate) fn of_etag(etag: &str) -> Option<Digest> {
        let digits = etag.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match etag.len() {
            64 if digits => Some(Digest::Sha256(etag.to_owned())),
            40 if digits => Some(Digest::GitBlob(etag.to_owned())),
            _ => None,
        }
    }

    /// Digits, for messages.
    pub(crate) fn expected(&self) -> &str {
        let (Digest::Sha256(digits) | Digest::GitBlob(digits)) = self;
        digits
    }

    /// What the file has instead; `None` where it has what it should.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(crate) fn mismatch(&self, file: &mut File) -> io::Result<Option<String>> {
        let got = match self {
            Digest::Sha256(_) => sha256(file)?,
            Digest::GitBlob(_) => git_blob(file)?,
        };
        Ok((!got.starts_with(self.expected())).then_some(got))
    }
}

/// SHA-256 of a whole file.
///
/// # Errors
/// Where it cannot be read.
pub(crate) fn sha256(file: &mut File) -> io::Result<String> {
    all(file, Context::new(&SHA256))
}

/// SHA-256 of a text.
pub(crate) fn sha256_of(text: &str) -> String {
    hexadecimal(ring::digest::digest(&SHA256, text.as_bytes()))
}

fn git_blob(file: &mut File) -> io::Result<String> {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    context.update(format!("blob {}\0", file.metadata()?.len()).as_bytes());
    all(file, context)
}

fn all(file: &mut File, mut context: Context) -> io::Result<String> {
    file.rewind()?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hexadecimal(context.finish())),
            Ok(n) => context.update(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn hexadecimal(digest: Bytes) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn digests_are_those_of_git_and_sha256sum() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"hello\n").unwrap();
        // `git hash-object` and `sha256sum`.
        let git = "ce013625030ba8dba906f756967f9e9ca394464a";
        let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        for (digest, right) in [
            (Digest::of_etag(git), true),
            (Digest::of_etag(sha256), true),
            (Some(Digest::Sha256("5891b5b5".into())), true),
            (Some(Digest::Sha256("5891b5b6".into())), false),
            (Digest::of_etag(&"0".repeat(40)), false),
        ] {
            assert_eq!(digest.unwrap().mismatch(&mut file).unwrap().is_none(), right);
        }
        for etag in ["", "abc", &sha256.to_uppercase(), &sha256[1..], "../../../../etc/passwd"] {
            assert_eq!(Digest::of_etag(etag), None, "{etag}");
        }
    }
}
