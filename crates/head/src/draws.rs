//! A few rows of each class, drawn again and again.

use crate::{
    mteb::Mt19937,
    random::{Purpose, Random},
};

/// The seed of every task of MTEB.
const MTEB_SEED: u32 = 42;

/// Endless draws of so many rows of each class. Each is ascending. The first k do not depend on how many are taken.
pub struct Draws<'a> {
    /// (n,)
    labels: &'a [u32],
    classes: usize,
    /// Of each class, at most.
    rows: usize,
    order: Order,
}

/// In which order rows are looked at.
enum Order {
    /// Each class's, shuffled anew by one stream.
    Own { random: Box<Random>, members: Vec<Vec<u32>> },
    /// All rows', shuffled again by the same numbers.
    Mteb { index: Vec<u32> },
}

impl<'a> Draws<'a> {
    /// Draws by `seed`, independent of one another. `labels` (n,) are below `classes`.
    pub fn new(labels: &'a [u32], classes: usize, rows: usize, seed: u64) -> Draws<'a> {
        let mut members = vec![Vec::new(); classes];
        labels.iter().zip(0..).for_each(|(&label, row)| members[label as usize].push(row));
        let order = Order::Own { random: Box::new(Random::new(seed, Purpose::Draws)), members };
        Draws { labels, classes, rows, order }
    }

    /// MTEB's draws: the first rows of each class in one index of all rows. It is shuffled before each draw, from where the
    /// last one left it, and always by the same numbers.
    pub fn mteb(labels: &'a [u32], classes: usize, rows: usize) -> Draws<'a> {
        let index = (0..).zip(labels).map(|(row, _)| row).collect();
        Draws { labels, classes, rows, order: Order::Mteb { index } }
    }
}

impl Iterator for Draws<'_> {
    type Item = Vec<u32>;

    fn next(&mut self) -> Option<Vec<u32>> {
        let mut drawn: Vec<u32> = match &mut self.order {
            Order::Own { random, members } => {
                let first = |members: &mut Vec<u32>| {
                    random.shuffle(members);
                    members.iter().copied().take(self.rows).collect::<Vec<_>>()
                };
                members.iter_mut().flat_map(first).collect()
            }
            Order::Mteb { index } => {
                Mt19937::new(MTEB_SEED).shuffle(index);
                let mut counts = vec![0; self.classes];
                let is_wanted = |row: &u32| {
                    let count = &mut counts[self.labels[*row as usize] as usize];
                    *count += 1;
                    *count <= self.rows
                };
                index.iter().copied().filter(is_wanted).collect()
            }
        };
        drawn.sort_unstable();
        Some(drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(drawn: &[u32], labels: &[u32], classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        drawn.iter().for_each(|&row| counts[labels[row as usize] as usize] += 1);
        counts
    }

    #[test]
    fn each_draw_has_as_many_rows_of_each_class() {
        let labels: Vec<u32> = (0..60).map(|row| if row < 4 { 0 } else { 1 + row % 2 }).collect();
        let own: Vec<Vec<u32>> = Draws::new(&labels, 3, 4, 7).take(50).collect();
        for drawn in &own {
            assert_eq!(counts(drawn, &labels, 3), [4, 4, 4]);
            assert!(drawn.is_sorted_by(|a, b| a < b), "{drawn:?}");
        }
        assert!(own.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(Draws::new(&labels, 3, 4, 7).take(5).eq(own[..5].iter().cloned()));
        assert!(Draws::new(&labels, 3, 4, 8).next().as_ref() != own.first());
        // Of a class with fewer rows all.
        assert_eq!(counts(&Draws::mteb(&labels, 3, 6).next().unwrap(), &labels, 3), [4, 6, 6]);
    }

    #[test]
    fn rows_are_drawn_alike() {
        let labels = vec![0; 10];
        let mut seen = [0; 10];
        for row in Draws::new(&labels, 1, 3, 0).take(3000).flatten() {
            seen[row as usize] += 1;
        }
        // 900 each, with a standard deviation of 25.
        assert!(seen.iter().all(|seen| (800..1000).contains(seen)), "{seen:?}");
    }

    #[test]
    fn draws_of_mteb_are_mteb_s() {
        // AbsTaskClassification._undersample_data of mteb 2.26.24, samples_per_label 2, on 40 rows.
        let labels: Vec<u32> = (0..40).map(|row| row * row % 7 % 3).collect();
        let drawn: Vec<Vec<u32>> = Draws::mteb(&labels, 3, 2).take(3).collect();
        let expected = [[0, 4, 16, 19, 21, 39], [4, 8, 14, 17, 21, 33], [7, 22, 23, 24, 28, 39]]
            .map(|drawn| drawn.to_vec());
        assert_eq!(drawn, expected);
    }
}
