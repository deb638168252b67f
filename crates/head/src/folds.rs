//! Cross-validation: which rows are held out together.

use std::collections::HashSet;

use crate::{
    HeadFitError,
    random::{Purpose, Random},
};

/// A row that is never held out.
const ALWAYS_IN: u16 = u16::MAX;

/// A partition of rows into folds, each of which is held out once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folds {
    of: Vec<u16>,
    count: usize,
    /// Whether each row is an augmented view of another: (n,), or nothing where none is.
    augmented: Vec<bool>,
}

impl Folds {
    /// `count` folds of rows with `labels` (n,) below `classes`: each class is spread over them as evenly as it can be,
    /// in an order drawn from `seed`. The only row of a class is never held out: nothing would be left to learn it from.
    ///
    /// # Errors
    /// Fewer than 2 or more than 1,000 folds, or more folds than rows.
    pub fn stratified(
        labels: &[u32],
        classes: usize,
        count: usize,
        seed: u64,
    ) -> Result<Folds, HeadFitError> {
        check(count, labels.len())?;
        let mut of = vec![ALWAYS_IN; labels.len()];
        let mut random = Random::new(seed, Purpose::Folds);
        let mut rows_of = vec![Vec::new(); classes];
        for (row, &label) in labels.iter().enumerate() {
            rows_of[label as usize].push(row);
        }
        // Dealt out like cards, one class after the other, so that the folds' sizes differ by one at most.
        let mut next = 0;
        for mut rows in rows_of.into_iter().filter(|rows| rows.len() > 1) {
            random.shuffle(&mut rows);
            for row in rows {
                of[row] = (next % count) as u16;
                next += 1;
            }
        }
        Ok(Folds { of, count, augmented: Vec::new() })
    }

    /// As [`Folds::stratified`], but rows of the same group (n,) are held out together.
    ///
    /// A class that only one group has is never held out, as in [`Folds::stratified`]: nothing would be left to learn it
    /// from. The others go, the largest first, each to the fold that it leaves the classes most evenly spread in, as
    /// scikit-learn's `StratifiedGroupKFold` has it; of equals to the one with the fewest rows.
    ///
    /// # Errors
    /// As for [`Folds::stratified`]; more folds than groups.
    pub fn grouped(
        labels: &[u32],
        classes: usize,
        groups: &[u32],
        count: usize,
        seed: u64,
    ) -> Result<Folds, HeadFitError> {
        let number = groups.iter().max().map_or(0, |&group| group as usize + 1);
        check(count, number)?;
        let mut members = vec![Vec::new(); number];
        for (row, &group) in groups.iter().enumerate() {
            members[group as usize].push(row);
        }
        let mut order: Vec<usize> = (0..number).collect();
        Random::new(seed, Purpose::Folds).shuffle(&mut order);
        // Stable: groups of one size stay in the order that was drawn.
        order.sort_by_key(|&group| std::cmp::Reverse(members[group].len()));
        let mut totals = vec![0.0f64; classes];
        labels.iter().for_each(|&label| totals[label as usize] += 1.0);
        let mut counts = vec![vec![0.0f64; classes]; count];
        let mut of = vec![ALWAYS_IN; labels.len()];
        let only = only_groups(labels, classes, groups);
        for group in order.into_iter().filter(|group| !only.contains(&(*group as u32))) {
            let mut own = vec![0.0; classes];
            members[group].iter().for_each(|&row| own[labels[row] as usize] += 1.0);
            // How much less even the spread becomes: only the terms of this group's classes change.
            let cost = |fold: &usize| -> f64 {
                let terms = own.iter().zip(&counts[*fold]).zip(&totals).filter(|((own, _), _)| **own > 0.0);
                terms.map(|((own, had), total)| ((had + own).powi(2) - had.powi(2)) / (total * total)).sum()
            };
            let size = |fold: &usize| counts[*fold].iter().sum::<f64>();
            let best = (0..count)
                .min_by(|a, b| cost(a).total_cmp(&cost(b)).then(size(a).total_cmp(&size(b))))
                .unwrap_or(0);
            counts[best].iter_mut().zip(&own).for_each(|(count, own)| *count += own);
            members[group].iter().for_each(|&row| of[row] = best as u16);
        }
        Ok(Folds { of, count, augmented: Vec::new() })
    }

    /// Folds of samples as folds of their rows, of which `views` (n,) are the views: each sample's row of view 0, and then
    /// its augmented ones. All of them are left out of a fit together, so that it learns nothing of a sample by which it is
    /// judged; and of them only view 0 judges.
    ///
    /// # Panics
    /// Where there are not as many samples as rows of these folds.
    pub fn of_views(self, views: &[u32]) -> Folds {
        let samples = views.iter().scan(0, |samples, &view| {
            *samples += usize::from(view == 0);
            Some(*samples - 1)
        });
        let of: Vec<u16> = samples.map(|sample| self.of[sample]).collect();
        assert_eq!(views.iter().filter(|view| **view == 0).count(), self.rows(), "a fold for every sample");
        let augmented = views.iter().map(|&view| view > 0).collect();
        Folds { of, count: self.count, augmented }
    }

    /// Number of folds.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The fold that row `at` judges, if any: the one that it is held out with, unless it is an augmented view.
    pub fn judged_by(&self, at: usize) -> Option<usize> {
        if self.augmented.get(at).is_some_and(|augmented| *augmented) { None } else { self.of(at) }
    }

    /// The fold that row `at` is held out with, if ever.
    pub fn of(&self, at: usize) -> Option<usize> {
        (self.of[at] != ALWAYS_IN).then_some(usize::from(self.of[at]))
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.of.len()
    }
}

/// The groups that are the only ones of some class.
fn only_groups(labels: &[u32], classes: usize, groups: &[u32]) -> HashSet<u32> {
    let mut first: Vec<Option<u32>> = vec![None; classes];
    let mut several = vec![false; classes];
    for (&label, &group) in labels.iter().zip(groups) {
        let first = first[label as usize].get_or_insert(group);
        several[label as usize] |= *first != group;
    }
    first.into_iter().zip(several).filter(|(_, several)| !several).filter_map(|(group, _)| group).collect()
}

fn check(count: usize, most: usize) -> Result<(), HeadFitError> {
    if (2..=1000.min(most)).contains(&count) {
        return Ok(());
    }
    let expected = "of 2 or more, and no more than there are rows or groups";
    Err(HeadFitError::Setting { name: "folds", expected, got: count as f64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_spread_evenly_and_single_rows_stay() {
        let labels: Vec<u32> =
            (0..103).map(|row| if row == 50 { 2 } else { u32::from(row % 3 == 0) }).collect();
        let folds = Folds::stratified(&labels, 3, 5, 1).unwrap();
        assert_eq!(folds.of(50), None);
        for class in 0..2u32 {
            let mut counts = [0; 5];
            for row in (0..103).filter(|&row| labels[row] == class) {
                counts[folds.of(row).unwrap()] += 1;
            }
            assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
        }
        assert_ne!(folds, Folds::stratified(&labels, 3, 5, 2).unwrap());
        assert_eq!(folds, Folds::stratified(&labels, 3, 5, 1).unwrap());
    }

    #[test]
    fn groups_are_kept_together_and_classes_spread() {
        let groups: Vec<u32> = (0..200).map(|row| row / 4).collect();
        let labels: Vec<u32> = groups.iter().map(|group| group % 2).collect();
        let folds = Folds::grouped(&labels, 2, &groups, 5, 0).unwrap();
        let mut counts = [[0; 2]; 5];
        for row in 0..200 {
            assert_eq!(folds.of(row), folds.of(row / 4 * 4));
            counts[folds.of(row).unwrap()][labels[row] as usize] += 1;
        }
        assert!(counts.iter().flatten().all(|&count| count == 20), "{counts:?}");
    }

    #[test]
    fn a_class_that_one_group_has_is_always_learnt() {
        let groups: Vec<u32> = (0..60).map(|row| row / 6).collect();
        let labels: Vec<u32> =
            groups.iter().zip(0..).map(|(&group, row)| if group == 9 { 2 } else { row % 2 }).collect();
        let folds = Folds::grouped(&labels, 3, &groups, 3, 0).unwrap();
        assert!((0..60).all(|row| folds.of(row).is_none() == (groups[row] == 9)));
    }

    #[test]
    fn views_go_with_their_sample_and_judge_nothing() {
        let labels: Vec<u32> = (0..40).map(|sample| sample % 2).collect();
        let samples = Folds::stratified(&labels, 2, 4, 0).unwrap();
        let views: Vec<u32> = (0..120).map(|row| row % 3).collect();
        let rows = samples.clone().of_views(&views);
        assert_eq!((rows.rows(), rows.count()), (120, 4));
        for row in 0..120 {
            assert_eq!(rows.of(row), samples.of(row / 3));
            assert_eq!(rows.judged_by(row), samples.of(row / 3).filter(|_| row % 3 == 0));
        }
        let alone = samples.clone().of_views(&[0; 40]);
        assert!((0..40).all(|row| alone.judged_by(row) == samples.judged_by(row)));
    }

    #[test]
    fn impossible_numbers_are_told() {
        for count in [0, 1, 4] {
            assert!(matches!(
                Folds::stratified(&[0, 1, 0], 2, count, 0),
                Err(HeadFitError::Setting { name: "folds", .. })
            ));
        }
        assert!(Folds::grouped(&[0, 1, 0], 2, &[0, 0, 1], 3, 0).is_err());
    }
}
