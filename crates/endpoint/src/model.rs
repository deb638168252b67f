//! Which model is asked.

use store::{Digest, DigestBuilder};

/// Characters of a model's name in the name of a file.
const NAMED: usize = 48;

/// A model, by the name that its server knows, and the width that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// What the request's field `dimensions` says, where it is there.
    pub dimensions: Option<usize>,
}

impl Model {
    /// Identifies it. Who serves it is no part of that: the probes tell whether two servers have one model.
    pub fn identity(&self) -> Digest {
        let dimensions = self.dimensions.map_or(0, |n| n as u64).to_le_bytes();
        let mut digest = DigestBuilder::new();
        digest.field(b"embeddings").field(self.name.as_bytes()).field(&dimensions).finish()
    }

    /// What the file of its answers is called.
    pub fn file_name(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let name: String = self.name.chars().take(NAMED).map(plain).collect();
        let identity = self.identity().to_string();
        format!("{}-{}.answers", name.trim_start_matches('.'), &identity[..16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_and_stay_in_their_folder() {
        let name = |name: &str, dimensions| Model { name: name.to_owned(), dimensions }.file_name();
        let first = name("text-embedding-3-small", None);
        assert!(first.starts_with("text-embedding-3-small-") && first.ends_with(".answers"), "{first}");
        assert_ne!(first, name("text-embedding-3-small", Some(256)));
        assert!(name("../../etc/x", None).starts_with("-..-etc-x-"));
        assert_ne!(name("a/b", None), name("a-b", None));
    }
}
