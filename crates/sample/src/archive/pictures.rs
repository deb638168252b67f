//! Which files of a tar are the pictures of a WebDataset's samples.

use super::{
    members::{Archive, is_hidden, key},
    sidecars,
};
use crate::{Passed, folder::EXTENSIONS};
use std::collections::BTreeMap;

pub(super) struct Pictures {
    /// The entry of a picture for each key: `1.jpg` before `1.image.jpg`, then by the order of [`EXTENSIONS`].
    pub(super) first: Vec<usize>,
    /// All that is neither that nor read beside it.
    pub(super) passed: Passed,
    /// Two of one key, of which neither goes before the other: `1.left.jpg` and `1.right.jpg`.
    pub(super) two: Option<(usize, usize)>,
}

/// A picture of a key. In the order in which they are chosen.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate<'a> {
    /// Between the key and the extension: `left`; most have nothing there.
    between: &'a str,
    /// Among [`EXTENSIONS`].
    rank: usize,
    entry: usize,
}

impl Pictures {
    pub(super) fn of(archive: &Archive<'_>) -> Pictures {
        let mut keys: BTreeMap<(usize, &str), Vec<Candidate<'_>>> = BTreeMap::new();
        let (mut passed, mut others) = (Passed::default(), Vec::new());
        for (at, entry) in archive.entries().enumerate() {
            match key(entry.name) {
                _ if is_hidden(entry.name) => passed.add_hidden(),
                None => passed.add("without extension"),
                Some((key, ending)) => match picture(ending) {
                    Some((between, rank)) => {
                        let candidate = Candidate { between, rank, entry: at };
                        keys.entry((entry.shard, key)).or_default().push(candidate);
                    }
                    None => others.push((entry.shard, key, ending)),
                },
            }
        }
        let mut add = |ending: &str| passed.add(&format!(".{}", ending.to_lowercase()));
        for (shard, key, ending) in others {
            if !(sidecars::ENDINGS.contains(&ending) && keys.contains_key(&(shard, key))) {
                add(ending);
            }
        }
        let (mut first, mut two) = (Vec::new(), None);
        for mut pictures in keys.into_values() {
            pictures.sort_unstable();
            let chosen = &pictures[0];
            first.push(chosen.entry);
            for other in &pictures[1..] {
                if !chosen.between.is_empty() && other.between != chosen.between {
                    two = two.or(Some((chosen.entry, other.entry)));
                }
                let dot = if other.between.is_empty() { "" } else { "." };
                add(&format!("{}{dot}{}", other.between, EXTENSIONS[other.rank]));
            }
        }
        Pictures { first, passed, two }
    }
}

/// What stands before the extension of a picture, and which of [`EXTENSIONS`] that is.
fn picture(ending: &str) -> Option<(&str, usize)> {
    let (between, extension) = ending.rsplit_once('.').unwrap_or(("", ending));
    let rank = EXTENSIONS.iter().position(|known| known.eq_ignore_ascii_case(extension))?;
    Some((between, rank))
}
