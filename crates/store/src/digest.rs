//! Content digests: BLAKE3, shown as 64 hexadecimal digits.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// The BLAKE3 digest of some bytes (<https://github.com/BLAKE3-team/BLAKE3-specs>).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A text that is not 64 hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a digest of 64 hexadecimal digits")]
pub struct ParseDigestError(String);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(*blake3::hash(bytes).as_bytes())
    }

    /// The digest of a value's compact JSON. Field order is the type's own, so it is stable between runs and machines.
    pub fn of_json<T: Serialize>(value: &T) -> Digest {
        let mut builder = DigestBuilder::new();
        // A `DigestBuilder` never fails to take bytes, and our data types hold nothing that JSON cannot say.
        serde_json::to_writer(&mut builder, value).expect("plain data serialises");
        builder.finish()
    }

    /// The digest that these 32 bytes spell, as read from a file.
    pub fn from_bytes(bytes: [u8; 32]) -> Digest {
        Digest(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Digest, ParseDigestError> {
        let wrong = || ParseDigestError(text.to_owned());
        let hash = blake3::Hash::from_hex(text).map_err(|_| wrong())?;
        Ok(Digest(*hash.as_bytes()))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A digest in the making, for what does not lie in one piece.
#[derive(Clone, Default)]
pub struct DigestBuilder(blake3::Hasher);

impl DigestBuilder {
    /// Nothing digested yet.
    pub fn new() -> DigestBuilder {
        DigestBuilder::default()
    }

    /// Takes `bytes` in.
    pub fn update(&mut self, bytes: &[u8]) -> &mut DigestBuilder {
        self.0.update(bytes);
        self
    }

    /// Takes a length and then the bytes in, so that neighbouring fields cannot be mistaken for one another.
    pub fn field(&mut self, bytes: &[u8]) -> &mut DigestBuilder {
        self.update(&(bytes.len() as u64).to_le_bytes()).update(bytes)
    }

    /// The digest of all that was taken in.
    pub fn finish(&self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}

impl std::io::Write for DigestBuilder {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_published_vector_and_survives_text() {
        // The empty input's digest, from BLAKE3's own test vectors.
        let empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(Digest::of(b"").to_string(), empty);
        assert_eq!(empty.parse::<Digest>().unwrap(), Digest::of(b""));
        assert!("af13".parse::<Digest>().is_err());
    }

    #[test]
    fn fields_are_kept_apart() {
        let of = |parts: &[&[u8]]| {
            let mut builder = DigestBuilder::new();
            parts.iter().for_each(|part| {
                builder.field(part);
            });
            builder.finish()
        };
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
    }
}
