//! Augmented copies of train samples, as features say that they have them.

use sample::Split;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::Digest;

/// How many views of each train sample there are, and how they were made.
///
/// View 0 is the sample itself; the others are augmented copies, which are there to be learnt from. Samples of the val
/// and test splits have view 0 only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Views {
    /// Views of each train sample, view 0 among them: 2 or more.
    pub count: u32,
    /// What augmented copies are made by, each once, in the order of [`Augment::ALL`].
    pub augment: Vec<Augment>,
    /// What is drawn follows from this, the view's number and the file's bytes alone.
    pub seed: u64,
}

/// One way of changing a picture at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Augment {
    /// Half of all copies are mirrored, left to right.
    Flip,
    /// A part of the picture, of random size and shape, becomes the whole.
    Crop,
    /// Other brightness, contrast and saturation.
    Colour,
}

impl Augment {
    /// All of them.
    pub const ALL: [Augment; 3] = [Augment::Flip, Augment::Crop, Augment::Colour];

    /// `flip`, `crop` or `colour`.
    pub fn name(self) -> &'static str {
        match self {
            Augment::Flip => "flip",
            Augment::Crop => "crop",
            Augment::Colour => "colour",
        }
    }

    /// What [`Augment::name`] gives.
    pub fn parse(name: &str) -> Option<Augment> {
        Augment::ALL.into_iter().find(|augment| augment.name() == name)
    }
}

impl Views {
    /// Most views of a sample.
    pub const MOST: u32 = 1000;

    /// Views of `count`, made by `augment` in any order.
    pub fn new(count: u32, augment: impl IntoIterator<Item = Augment>, seed: u64) -> Views {
        let sorted: BTreeSet<Augment> = augment.into_iter().collect();
        Views { count, augment: sorted.into_iter().collect(), seed }
    }

    /// How many views a sample of `split` has.
    pub fn of(&self, split: Split) -> u32 {
        if split == Split::Train { self.count } else { 1 }
    }

    /// Identifies how copies are made; not how many there are, on which none of them depends.
    pub fn fingerprint(&self) -> Digest {
        Digest::of_json(&(&self.augment, self.seed))
    }

    /// What is wrong with views that were read from a file, if anything.
    pub fn validate(&self) -> Option<String> {
        if !(2..=Views::MOST).contains(&self.count) {
            return Some(format!("it has {} views of a picture, expected 2 to {}", self.count, Views::MOST));
        }
        let ascending = self.augment.windows(2).all(|pair| pair[0] < pair[1]);
        (self.augment.is_empty() || !ascending)
            .then(|| "its augmentations are none, or out of order".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_and_the_order_does_not_matter() {
        for augment in Augment::ALL {
            assert_eq!(Augment::parse(augment.name()), Some(augment));
        }
        assert_eq!(Augment::parse("hue"), None);
        let (one, other) = ([Augment::Crop, Augment::Flip], [Augment::Flip, Augment::Crop, Augment::Crop]);
        assert_eq!(Views::new(4, one, 1), Views::new(4, other, 1));
        assert_eq!(Views::new(4, one, 1).of(Split::Train), 4);
        assert_eq!(Views::new(4, one, 1).of(Split::Val), 1);
    }

    #[test]
    fn fingerprints_tell_how_and_not_how_many() {
        let views = |count, augment, seed| Views::new(count, [augment], seed).fingerprint();
        let first = views(2, Augment::Flip, 0);
        assert_eq!(first, views(9, Augment::Flip, 0));
        assert_ne!(first, views(2, Augment::Flip, 1));
        assert_ne!(first, views(2, Augment::Crop, 0));
    }

    #[test]
    fn disorder_is_told() {
        assert_eq!(Views::new(2, [Augment::Flip], 0).validate(), None);
        for (count, augment) in [
            (1, vec![Augment::Flip]),
            (1001, vec![Augment::Flip]),
            (2, vec![]),
            (2, vec![Augment::Crop, Augment::Flip]),
        ] {
            assert!(Views { count, augment, seed: 0 }.validate().is_some());
        }
    }
}
