//! One digest over a whole file that carries it: BLAKE3 of all its bytes, the digest's own 64 digits taken for zeros.
//!
//! **Invariant:** whatever is edited, be it one space or the order of two keys, the digest no longer fits.

use crate::{Digest, DigestBuilder};

/// How many digits a digest is written with.
pub const DIGITS: usize = 64;

/// What stands before the digits of a digest, in JSON within JSON: as the metadata of safetensors has it.
const KEY: &[u8] = br#"\"digest\":\""#;

/// What stands in a file for its digest until [`seal`] puts it there.
pub fn blank() -> Digest {
    Digest::from_bytes([0; 32])
}

/// Puts the digest of `bytes` at `at`, where a [`blank`] one stands, and gives it.
///
/// # Panics
/// Where fewer than 64 bytes follow `at`.
pub fn seal(bytes: &mut [u8], at: usize) -> Digest {
    let digest = of(bytes, at);
    bytes[at..at + DIGITS].copy_from_slice(digest.to_string().as_bytes());
    digest
}

/// Whether `claimed` stands at `at`, and is the digest of `bytes`.
pub fn holds(bytes: &[u8], at: usize, claimed: Digest) -> bool {
    let digits = at.checked_add(DIGITS).and_then(|end| bytes.get(at..end));
    digits.is_some_and(|digits| digits == claimed.to_string().as_bytes()) && of(bytes, at) == claimed
}

/// Where the digits of a safetensors file's digest begin: in the field `digest`, the last one of the JSON in its metadata.
pub fn place_in(header: &[u8]) -> Option<usize> {
    header.windows(KEY.len()).rposition(|window| window == KEY).map(|start| start + KEY.len())
}

fn of(bytes: &[u8], at: usize) -> Digest {
    let mut builder = DigestBuilder::new();
    builder.update(&bytes[..at]).update(&[b'0'; DIGITS]).update(&bytes[at + DIGITS..]);
    builder.finish()
}
