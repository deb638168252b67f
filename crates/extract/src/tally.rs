//! What was written, in one line: the splits and the classes, so that nobody learns something else in silence.

use cli::count;
use sample::Split;
use store::brief;

/// Classes that the line names.
const SHOWN: usize = 6;
/// Characters of a name.
const WIDEST: usize = 30;

/// Samples by split and by class.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    splits: [u64; Split::ALL.len()],
    classes: Vec<u64>,
}

impl Tally {
    /// Of so many classes.
    pub(crate) fn new(classes: usize) -> Tally {
        Tally { classes: vec![0; classes], ..Tally::default() }
    }

    /// One more sample, of the class `label` where it has one.
    pub(crate) fn add(&mut self, split: Split, label: Option<u32>) {
        self.splits[split as usize] += 1;
        if let Some(label) = label {
            self.classes[label as usize] += 1;
        }
    }

    /// All samples.
    pub(crate) fn total(&self) -> u64 {
        self.splits.iter().sum()
    }

    /// `600 train, 250 test; 8 classes: daisy 120, roses 118, … (2 more)`, with the names of the classes.
    pub(crate) fn line(&self, names: &[String]) -> String {
        let splits = Split::ALL.iter().zip(self.splits).filter(|(_, n)| *n > 0);
        let splits = splits.map(|(split, n)| format!("{} {split}", count(n))).collect::<Vec<_>>().join(", ");
        if names.is_empty() {
            return format!(
                "{splits}; no column `label`: say what is to be learnt by fit-head --target-columns"
            );
        }
        let there: Vec<(&String, u64)> =
            names.iter().zip(self.classes.iter().copied()).filter(|(_, n)| *n > 0).collect();
        let all = if there.len() == names.len() {
            String::new()
        } else {
            format!(" of {}", count(names.len() as u64))
        };
        let noun = if names.len() == 1 { "class" } else { "classes" };
        let shown =
            there.iter().take(SHOWN).map(|(name, n)| format!("{} {}", brief::cut(name, WIDEST), count(*n)));
        let shown = shown.collect::<Vec<_>>().join(", ");
        let more = match there.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(", … ({} more)", count(more as u64)),
        };
        format!("{splits}; {}{all} {noun}: {shown}{more}", count(there.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_and_the_first_classes_are_counted() {
        let names: Vec<String> = (0..9).map(|n| format!("class {n}")).collect();
        let mut tally = Tally::new(3);
        for (split, label, times) in [(Split::Train, 0, 1200), (Split::Test, 2, 5), (Split::Test, 0, 1)] {
            (0..times).for_each(|_| tally.add(split, Some(label)));
        }
        assert_eq!(tally.line(&names[..3]), "1,200 train, 6 test; 2 of 3 classes: class 0 1,201, class 2 5");
        assert_eq!(tally.total(), 1206);
        let mut tally = Tally::new(9);
        (0..9).for_each(|label| tally.add(Split::Val, Some(label)));
        let line = tally.line(&names);
        assert!(
            line.starts_with("9 val; 9 classes: class 0 1, class 1 1, ")
                && line.ends_with("class 5 1, … (3 more)")
        );
        let mut tally = Tally::new(0);
        tally.add(Split::Train, None);
        assert!(tally.line(&[]).starts_with("1 train; no column `label`: "));
        let mut tally = Tally::new(1);
        tally.add(Split::Train, Some(0));
        let line = tally.line(&["x".repeat(5000)]);
        assert_eq!(line, format!("1 train; 1 class: {}… 1", "x".repeat(30)));
    }
}
