//! The order in which a confusion matrix shows its classes: what is confused lies together, so that
//! mistakes gather in blocks along the diagonal.
//!
//! Average linkage (Sokal and Michener 1958) on how often two classes are taken for each other, by
//! chains of nearest neighbours; where two groups join, each is turned so that the classes that
//! come to touch are alike. Groups that nothing joins stay in the classes' own order.

use std::collections::BTreeMap;

use crate::page::Cell;

/// Classes at either end of a group that say how it is turned.
const END: usize = 4;

/// Similarity to other classes or groups, where there is any.
type Row = BTreeMap<usize, f64>;

/// All classes below `classes`, each once. A function of the cells' counts alone, not of their
/// order.
pub(crate) fn by_similarity(classes: usize, cells: &[Cell]) -> Vec<u32> {
    let between = similarity(classes, cells);
    let mut groups = Groups {
        similar: between.clone(),
        members: (0..classes).map(|class| vec![class]).collect(),
        between,
    };
    for start in 0..classes {
        while let Some((a, b)) = groups.nearest_pair(start) {
            groups.join(a, b);
        }
    }
    // A group lies where its first class was, but for the turning.
    let mut groups: Vec<Vec<usize>> = groups.members.into_iter().filter(|group| !group.is_empty()).collect();
    groups.sort_by_key(|group| group.iter().min().copied());
    groups.into_iter().flatten().map(|class| class as u32).collect()
}

/// Part of the one class's rows that are given to the other, both ways added: so a small class
/// counts like a large one.
fn similarity(classes: usize, cells: &[Cell]) -> Vec<Row> {
    let mut cells = cells.to_vec();
    cells.sort_by_key(|cell| (cell.truth, cell.predicted));
    let mut support = vec![0; classes];
    for cell in &cells {
        support[cell.truth as usize] += cell.count;
    }
    let mut rows = vec![Row::new(); classes];
    for cell in cells.iter().filter(|cell| cell.truth != cell.predicted && cell.count > 0) {
        let (truth, predicted) = (cell.truth as usize, cell.predicted as usize);
        let part = cell.count as f64 / support[truth] as f64;
        *rows[truth].entry(predicted).or_default() += part;
        *rows[predicted].entry(truth).or_default() += part;
    }
    rows
}

struct Groups {
    /// Between groups, by the slot that each lies in; symmetric.
    similar: Vec<Row>,
    /// Classes of each group, in order; empty where a group has been joined to another.
    members: Vec<Vec<usize>>,
    /// Between classes.
    between: Vec<Row>,
}

impl Groups {
    /// Two groups each of which is the other's nearest, by the chain that begins at `start`; none
    /// when `start` is like no other. Along the chain similarity rises strictly, so it ends.
    fn nearest_pair(&self, start: usize) -> Option<(usize, usize)> {
        let (mut here, (mut next, mut similarity)) = (start, self.nearest(start)?);
        loop {
            let (after, more) = self.nearest(next)?;
            if more <= similarity {
                return Some((here.min(next), here.max(next)));
            }
            (here, next, similarity) = (next, after, more);
        }
    }

    /// The most similar group; of equals the first.
    fn nearest(&self, group: usize) -> Option<(usize, f64)> {
        let first = |best: Option<(usize, f64)>, (&other, &similarity): (&usize, &f64)| match best {
            Some((_, most)) if most >= similarity => best,
            _ => Some((other, similarity)),
        };
        self.similar[group].iter().fold(None, first)
    }

    /// Puts group `b` into the slot of `a`.
    fn join(&mut self, a: usize, b: usize) {
        let (left, right) = (std::mem::take(&mut self.members[a]), std::mem::take(&mut self.members[b]));
        let (n, m) = (left.len() as f64, right.len() as f64);
        let mut row = std::mem::take(&mut self.similar[a]);
        for similarity in row.values_mut() {
            *similarity *= n;
        }
        for (other, similarity) in std::mem::take(&mut self.similar[b]) {
            *row.entry(other).or_default() += similarity * m;
        }
        row.remove(&a);
        row.remove(&b);
        for (&other, similarity) in &mut row {
            *similarity /= n + m;
            self.similar[other].remove(&b);
            self.similar[other].insert(a, *similarity);
        }
        self.similar[a] = row;
        self.members[a] = self.side_by_side(left, right);
    }

    /// Both groups, each turned or not, with the ends together that are most alike.
    fn side_by_side(&self, mut left: Vec<usize>, mut right: Vec<usize>) -> Vec<usize> {
        let (mut left_turned, mut right_turned) = (left.clone(), right.clone());
        left_turned.reverse();
        right_turned.reverse();
        // From where they touch outwards: the left group backwards, the right one forwards.
        let ends = [
            self.alike(&left_turned, &right),
            self.alike(&left_turned, &right_turned),
            self.alike(&left, &right),
            self.alike(&left, &right_turned),
        ];
        let best = (0..4).fold(0, |best, i| if ends[i] > ends[best] { i } else { best });
        if best >= 2 {
            left = left_turned;
        }
        if best % 2 == 1 {
            right = right_turned;
        }
        left.append(&mut right);
        left
    }

    /// How alike two groups are where they touch: the nearer two classes come to lie, the more they
    /// count.
    fn alike(&self, these: &[usize], those: &[usize]) -> f64 {
        let mut sum = 0.0;
        for (i, a) in these.iter().take(END).enumerate() {
            for (j, b) in those.iter().take(END).enumerate() {
                sum += self.between[*a].get(b).copied().unwrap_or_default() / (i + j + 1) as f64;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Classes of one colour (class modulo 5) are taken for each other, by how near they are.
    fn coloured(classes: u32) -> Vec<Cell> {
        let mut cells = Vec::new();
        for truth in 0..classes {
            cells.push(Cell { truth, predicted: truth, count: 40 });
            for predicted in (0..classes).filter(|other| *other != truth && other % 5 == truth % 5) {
                let count = 12 / u64::from(truth.abs_diff(predicted)).max(1);
                cells.push(Cell { truth, predicted, count });
            }
        }
        cells
    }

    #[test]
    fn what_is_confused_lies_together() {
        let order = by_similarity(30, &coloured(30));
        let colours: Vec<u32> = order.iter().map(|class| class % 5).collect();
        let changes = colours.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert_eq!(changes, 4, "{colours:?}");
    }

    #[test]
    fn every_class_appears_once() {
        for classes in [0, 1, 2, 7, 30] {
            let mut order = by_similarity(classes, &coloured(classes as u32));
            order.sort_unstable();
            assert_eq!(order, (0..classes as u32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_chain_of_likenesses_becomes_a_line() {
        // 3 - 0 - 2 - 1, each like its neighbours only, and most in the middle.
        let like = [(3, 0, 10), (0, 2, 20), (2, 1, 10)];
        let mut cells: Vec<Cell> = (0..4).map(|c| Cell { truth: c, predicted: c, count: 100 }).collect();
        cells.extend(like.iter().map(|&(truth, predicted, count)| Cell { truth, predicted, count }));
        let order = by_similarity(4, &cells);
        assert!(order == [3, 0, 2, 1] || order == [1, 2, 0, 3], "{order:?}");
    }

    #[test]
    fn without_mistakes_classes_keep_their_order() {
        let cells: Vec<Cell> = (0..9).map(|c| Cell { truth: c, predicted: c, count: 3 }).collect();
        assert_eq!(by_similarity(9, &cells), (0..9).collect::<Vec<_>>());
        assert_eq!(by_similarity(3, &[]), [0, 1, 2]);
    }

    #[test]
    fn the_order_of_cells_does_not_matter() {
        let mut cells = coloured(30);
        let order = by_similarity(30, &cells);
        cells.reverse();
        assert_eq!(by_similarity(30, &cells), order);
    }

    #[test]
    fn a_thousand_classes_take_well_under_a_second() {
        // Every class confused with every other: the densest that a matrix can be.
        let count = |truth: u32, predicted: u32| 1 + u64::from((truth * 7919 + predicted * 104_729) % 97);
        let pairs = (0..1000).flat_map(|truth| (0..1000).map(move |predicted| (truth, predicted)));
        let cells: Vec<Cell> = pairs
            .map(|(truth, predicted)| Cell { truth, predicted, count: count(truth, predicted) })
            .collect();
        let start = std::time::Instant::now();
        assert_eq!(by_similarity(1000, &cells).len(), 1000);
        // About 0.4 s; ten times that would be another algorithm.
        assert!(start.elapsed().as_secs_f64() < 5.0, "{:?}", start.elapsed());
    }
}
