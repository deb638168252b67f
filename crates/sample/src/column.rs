//! What is said of samples beside their split: texts in named columns.

use std::collections::{BTreeMap, BTreeSet};

/// One column of n samples: the words in it, and which of them each sample has.
///
/// **Invariant:** words are sorted by their bytes, each is there once, and each is some sample's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    name: String,
    words: Vec<String>,
    /// (n,)
    codes: Vec<u32>,
}

impl Column {
    /// The column of these texts, one a sample.
    pub fn new<'a>(name: &str, texts: impl Iterator<Item = &'a str> + Clone) -> Column {
        let words: BTreeSet<&str> = texts.clone().collect();
        let code: BTreeMap<&str, u32> = words.iter().copied().zip(0..).collect();
        Column {
            name: name.to_owned(),
            codes: texts.map(|text| code[text]).collect(),
            words: words.into_iter().map(str::to_owned).collect(),
        }
    }

    /// That of `samples` alone, in their order.
    #[must_use]
    pub fn select(&self, samples: impl Iterator<Item = usize> + Clone) -> Column {
        Column::new(&self.name, samples.map(|sample| self.text(sample)))
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// n, the number of samples.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The different texts, sorted by their bytes.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Which of the words each sample has: (n,).
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// What it says of a sample.
    ///
    /// # Panics
    /// Where there is no such sample.
    pub fn text(&self, sample: usize) -> &str {
        &self.words[self.codes[sample] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_and_told_once() {
        let column = Column::new("label", ["b", "a", "", "b"].into_iter());
        assert_eq!(column.words(), ["", "a", "b"]);
        assert_eq!(column.codes(), [2, 1, 0, 2]);
        let texts: Vec<&str> = (0..column.len()).map(|sample| column.text(sample)).collect();
        assert_eq!(texts, ["b", "a", "", "b"]);
        assert!(Column::new("label", [].into_iter()).is_empty());
    }
}
