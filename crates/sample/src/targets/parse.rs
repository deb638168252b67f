//! What one text says: of a label, of several, of a number.

use std::collections::BTreeSet;

/// What a sample without labels says.
pub(super) const NONE: &str = "none";

/// The labels that `text` lists: parts between `|`, without spaces around them. Nothing, and `none` alone, is no label.
pub fn label_set(text: &str) -> BTreeSet<&str> {
    let labels: BTreeSet<&str> = text.split('|').map(str::trim).filter(|label| !label.is_empty()).collect();
    if labels.iter().eq([&NONE]) { BTreeSet::new() } else { labels }
}

/// The names of those that are borne, as [`label_set`] reads them: `cat|dog`, or `none`.
pub fn list(names: &[String], borne: impl Iterator<Item = bool>) -> String {
    let borne: Vec<&str> =
        names.iter().zip(borne).filter(|(_, is)| *is).map(|(name, _)| name.as_str()).collect();
    if borne.is_empty() { NONE.to_owned() } else { borne.join("|") }
}

/// The first of some labels that looks like a list between other signs than `|`: `cat;dog`, `cat, dog`.
pub fn list_in_disguise(labels: &[String]) -> Option<&str> {
    let several = |label: &&String| {
        [';', ','].iter().any(|&sign| label.split(sign).filter(|part| !part.trim().is_empty()).count() > 1)
    };
    labels.iter().find(several).map(String::as_str)
}

/// Whether a sample bears a label: 0 or 1, false or true.
pub(super) fn positive(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "1.0" | "true" => Some(true),
        "0" | "0.0" | "false" => Some(false),
        _ => None,
    }
}

/// A finite number that fits into f32, which a head's numbers are.
pub(super) fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|value: &f64| (*value as f32).is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sets() {
        assert!(["", " ", "|", "none", " none |"].iter().all(|text| label_set(text).is_empty()));
        assert_eq!(label_set("b|a| b"), BTreeSet::from(["a", "b"]));
        assert_eq!(label_set("none|a"), BTreeSet::from(["a", "none"]));
    }

    #[test]
    fn other_separators_are_noticed() {
        let found = |labels: &[&str]| {
            let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
            list_in_disguise(&labels).map(str::to_owned)
        };
        assert_eq!(found(&["cat", "cat;dog"]).as_deref(), Some("cat;dog"));
        assert_eq!(found(&["cat, dog"]).as_deref(), Some("cat, dog"));
        assert_eq!(found(&["cat", "dog;", "a/b", ","]), None);
    }
}
