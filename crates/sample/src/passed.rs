//! What a listing passes over: counted by kind, so that nothing is lost without a word.

use std::{collections::BTreeMap, fmt};
use store::brief;

/// Kinds that a line names.
const MOST: usize = 8;
/// Characters of a kind: an extension may be anything.
const WIDEST: usize = 32;

/// Entries of a folder tree that are no samples, by kind: `.txt`, `hidden`, `without extension`, `@eaDir`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed(BTreeMap<String, u64>);

impl Passed {
    pub(crate) fn add(&mut self, kind: &str) {
        *self.0.entry(brief::cut(kind, WIDEST).into_owned()).or_default() += 1;
    }

    pub(crate) fn add_hidden(&mut self) {
        self.add("hidden");
    }

    pub(crate) fn merge(&mut self, other: &Passed) {
        for (kind, count) in &other.0 {
            *self.0.entry(kind.clone()).or_default() += count;
        }
    }

    /// Entries in all.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Whether nothing was passed over.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Entries of one kind.
    pub fn of(&self, kind: &str) -> u64 {
        self.0.get(kind).copied().unwrap_or(0)
    }
}

/// `12 .heic, 1 hidden`: the most frequent kinds first.
impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds: Vec<(&String, &u64)> = self.0.iter().collect();
        kinds.sort_by_key(|&(kind, count)| (std::cmp::Reverse(count), kind));
        for (at, (kind, count)) in kinds.iter().take(MOST).enumerate() {
            write!(f, "{}{count} {kind}", if at > 0 { ", " } else { "" })?;
        }
        match kinds.iter().skip(MOST).map(|(_, count)| **count).sum::<u64>() {
            0 => Ok(()),
            others => write!(f, ", {others} others"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_counted_and_the_line_stays_short() {
        let mut passed = Passed::default();
        assert_eq!((passed.total(), passed.to_string().as_str()), (0, ""));
        passed.add_hidden();
        (0..3).for_each(|_| passed.add(".heic"));
        passed.add("@eaDir");
        assert_eq!((passed.total(), passed.to_string().as_str()), (5, "3 .heic, 1 @eaDir, 1 hidden"));
        (0..1000).for_each(|n| passed.add(&format!(".{n}{}", "x".repeat(200))));
        assert!(passed.to_string().contains("x…"), "{passed}");
        assert!(
            passed.to_string().chars().count() < 400 && passed.to_string().ends_with(" others"),
            "{passed}"
        );
    }
}
