//! Which views each sample has, and how samples make batches.

use input::Views;
use sample::{Ratios, Sample, Split};
use std::ops::Range;
use store::Digest;

/// Which splits samples are in, and which views they have.
#[derive(Clone, Debug, Default)]
pub struct Assignment {
    /// How samples without a split are shared out.
    pub ratios: Option<Ratios>,
    /// How augmented views are made, where there are any.
    pub views: Option<Views>,
    /// Whether the first batches are small, so that the first rows come soon: 1, 1, 2, 4 … inputs.
    pub grows: bool,
}

impl Assignment {
    /// The split of a sample whose file has this content.
    pub fn split_of(&self, sample: &Sample, content: &Digest) -> Split {
        let drawn = self.ratios.map(|ratios| ratios.split_of(content));
        let Some(split) = sample.split.or(drawn) else {
            unreachable!("ratios are there wherever a sample has no split")
        };
        split
    }

    /// Views of a sample whose file has this content.
    pub fn views_of(&self, sample: &Sample, content: &Digest) -> u32 {
        self.views.as_ref().map_or(1, |views| views.of(self.split_of(sample, content)))
    }

    /// Views that a sample has at most, as long as its file was not read.
    pub fn most_of(&self, sample: &Sample) -> usize {
        // A sample whose split is still to be drawn may be a train sample.
        self.views.as_ref().map_or(1, |views| views.of(sample.split.unwrap_or(Split::Train)) as usize)
    }

    /// Runs of samples of no more than `batch` pictures, or of one sample.
    pub fn batches(&self, samples: &[Sample], batch: usize) -> Vec<Range<usize>> {
        let mut batches = Vec::new();
        let (mut start, mut pictures) = (0, 0);
        let mut most = if self.grows { 1 } else { batch };
        for (at, sample) in samples.iter().enumerate() {
            let own = self.most_of(sample);
            if at > start && pictures + own > most {
                batches.push(start..at);
                // What has been so far.
                most = if self.grows { at.clamp(1, batch.max(1)) } else { batch };
                (start, pictures) = (at, 0);
            }
            pictures += own;
        }
        if start < samples.len() {
            batches.push(start..samples.len());
        }
        batches
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use input::Augment;
    use sample::Content;

    fn samples(splits: &[Option<Split>]) -> Vec<Sample> {
        let sample =
            |&split: &Option<Split>| Sample { id: "x".into(), content: Content::File("x".into()), split };
        splits.iter().map(sample).collect()
    }

    #[test]
    fn batches_are_whole_samples() {
        let (train, val) = (Some(Split::Train), Some(Split::Val));
        let samples = samples(&[train, val, val, None, train, train, val]);
        let of = |views: Option<Views>, batch| {
            let assignment = Assignment { views, ..Assignment::default() };
            assignment
                .batches(&samples, batch)
                .iter()
                .map(|range| (range.start, range.end))
                .collect::<Vec<_>>()
        };
        let three = || Some(Views::new(3, [Augment::Flip], 0));
        assert_eq!(of(None, 3), [(0, 3), (3, 6), (6, 7)]);
        assert_eq!(of(None, 7), [(0, 7)]);
        assert_eq!(of(three(), 5), [(0, 3), (3, 4), (4, 5), (5, 7)]);
        assert_eq!(of(three(), 6), [(0, 3), (3, 5), (5, 7)]);
        // One sample is more than a batch.
        assert_eq!(of(three(), 1), [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7)]);
        assert!(Assignment::default().batches(&[], 4).is_empty());
        let grows = Assignment { grows: true, ..Assignment::default() };
        let sizes: Vec<usize> = grows.batches(&samples, 3).iter().map(ExactSizeIterator::len).collect();
        assert_eq!(sizes, [1, 1, 2, 3]);
    }
}
