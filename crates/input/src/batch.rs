//! What a network is run on at a time.

/// n prepared samples, one after the other, as bytes. What the bytes mean follows from the recipe: of pictures they are
/// (h, w, 3) RGB.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    bytes: &'a [u8],
    ends: &'a [usize],
}

impl<'a> Batch<'a> {
    /// `ends[i]`: where sample i ends in `bytes`, and the next begins. Bytes after the last end are of no sample.
    ///
    /// # Panics
    /// Where the ends do not ascend, or lie outside `bytes`.
    pub fn new(bytes: &'a [u8], ends: &'a [usize]) -> Batch<'a> {
        assert!(ends.is_sorted(), "ends ascend");
        Batch { bytes: &bytes[..ends.last().map_or(0, |end| *end)], ends }
    }

    /// n
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Where each sample ends, and the next begins.
    pub fn ends(&self) -> &'a [usize] {
        self.ends
    }

    /// All samples' bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether every sample has so many bytes.
    pub fn is_of(&self, length: usize) -> bool {
        self.ends.iter().zip(1..).all(|(&end, n)| length.checked_mul(n) == Some(end))
    }
}

/// A batch that owns its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// As [`Batch::new`] takes them.
    pub bytes: Vec<u8>,
    /// As [`Batch::new`] takes them.
    pub ends: Vec<usize>,
}

impl Inputs {
    /// These samples, and then those.
    pub fn followed_by(&self, others: Batch<'_>) -> Inputs {
        let start = self.bytes.len();
        let ends = others.ends().iter().map(|end| start + end);
        Inputs {
            bytes: [&self.bytes, others.bytes()].concat(),
            ends: self.ends.iter().copied().chain(ends).collect(),
        }
    }

    /// These samples, one after the other.
    pub fn of(samples: impl IntoIterator<Item = Vec<u8>>) -> Inputs {
        let mut inputs = Inputs::default();
        for sample in samples {
            inputs.bytes.extend(sample);
            inputs.ends.push(inputs.bytes.len());
        }
        inputs
    }

    /// As executors take it.
    pub fn batch(&self) -> Batch<'_> {
        Batch::new(&self.bytes, &self.ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_lie_one_after_the_other() {
        let inputs = Inputs::of([vec![1, 2], vec![], vec![3]]);
        assert_eq!(inputs, Inputs { bytes: vec![1, 2, 3], ends: vec![2, 2, 3] });
        assert!(!inputs.batch().is_of(1));
        let (bytes, ends) = ([1, 2, 3, 4, 9], [2, 4]);
        let batch = Batch::new(&bytes, &ends);
        assert!(batch.is_of(2) && !batch.is_of(1) && batch.len() == 2 && batch.bytes() == [1, 2, 3, 4]);
        let none = Inputs::default();
        assert!(none.batch().is_empty() && none.batch().is_of(7) && none.batch().bytes().is_empty());
    }

    #[test]
    #[should_panic(expected = "ends ascend")]
    fn ends_ascend() {
        Batch::new(&[1, 2], &[2, 1]);
    }
}
