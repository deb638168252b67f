//! Rows that belong together, by union-find.

use crate::Pair;

/// The connected sets of two or more of `rows` rows that `pairs` join: rows ascending within a group, groups by
/// their first row.
///
/// # Panics
/// Where a pair names a row that there is not.
pub fn groups(rows: usize, pairs: &[Pair]) -> Vec<Vec<u32>> {
    // The parent of a row is never later than the row, so the root of a group is its first row.
    let mut parents: Vec<u32> = (0..rows as u32).collect();
    for pair in pairs {
        let (a, b) = (root(&mut parents, pair.first), root(&mut parents, pair.second));
        parents[a.max(b) as usize] = a.min(b);
    }
    let mut members = vec![Vec::new(); rows];
    for row in 0..rows as u32 {
        members[root(&mut parents, row) as usize].push(row);
    }
    members.retain(|group| group.len() > 1);
    members
}

fn root(parents: &mut [u32], mut row: u32) -> u32 {
    while parents[row as usize] != row {
        // Halving the path as it is walked keeps all paths short.
        parents[row as usize] = parents[parents[row as usize] as usize];
        row = parents[row as usize];
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_one_group() {
        let pairs = [(8, 9), (3, 1), (5, 3), (1, 7)].map(|(first, second)| Pair {
            first,
            second,
            similarity: 1.0,
            ratio: 0.0,
        });
        assert_eq!(groups(10, &pairs), [vec![1, 3, 5, 7], vec![8, 9]]);
        assert!(groups(10, &[]).is_empty());
    }
}
