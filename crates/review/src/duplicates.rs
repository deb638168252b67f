//! Near-duplicates: pictures that are one picture, resized, compressed anew, cropped or lit a little differently.
//!
//! How near copies lie depends on the network, the data and what was done to them; how near *other* pictures lie depends
//! on the neighbourhood. So the one is measured by the other: the ratio of a pair is the distance between its rows over
//! what lies between either of them and its fourth neighbour that is no copy. Near-duplicates are pairs whose ratio is
//! small, and so small that it would hardly come about by chance among so many rows of so many dimensions.

use rayon::prelude::*;

use crate::Neighbours;

/// When two rows count as near-duplicates. Distances are 1 − cosine in [`Space::whitened`](crate::Space::whitened).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// The ratio of a pair is at most this.
    pub ratio: f32,
    /// n r^(m/2) is at most this, where r is the ratio and m the intrinsic dimension: since of points spread evenly in m
    /// dimensions the part r^(m/2) lies within √r of a radius, it says how many of n rows would have such a neighbour by
    /// chance. Pictures clump, so more do; but it is what makes ratios of few rows, hence narrow spaces, and of very many
    /// rows comparable.
    pub chance: f32,
}

impl Default for Rule {
    /// A ratio of 0.6 and a chance of 0.0003. The latter cut other pairs in sets of 20 to 300 flowers from 8–16 to 1–3 a
    /// set, and lost none of the copies.
    fn default() -> Rule {
        Rule { ratio: 0.6, chance: 0.0003 }
    }
}

/// Two rows that are near-duplicates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The earlier row.
    pub first: u32,
    /// The later row.
    pub second: u32,
    /// Their cosine.
    pub similarity: f32,
    /// Their distance over the scale of their neighbourhood: 0 for the same picture, at most the rule's. Below 0.25 a
    /// pair is hardly ever anything else than a copy.
    pub ratio: f32,
}

/// Neighbours to look for: a picture may have twelve copies and still be compared with four others.
pub const NEIGHBOURS: usize = 16;
/// The neighbour, of those that are no copies, that tells how near others lie. Measured: the 4th finds more than the
/// 10th at the same false alarms, and is less easily a copy itself than the 2nd.
const RANK: usize = 4;
/// A neighbour is taken for a copy here where it is nearer than this part of the distance to the last neighbour.
const COPY: f32 = 0.25;
/// A scale is at least this part of the median of all rows' scales, so that frames of one film, which have only one
/// another for neighbours, are still found.
const FLOOR: f32 = 0.25;
/// What rounding makes of a distance of zero.
const SAME: f32 = 1e-5;

/// All near-duplicates among rows whose [`NEIGHBOURS`] neighbours in [`Space::whitened`](crate::Space::whitened) are
/// known, the surest first (by ratio, then by rows).
///
/// Every pair comes once. Of more than 16 copies of one picture not every pair is listed, but enough to join them by
/// [`groups`](crate::groups). With fewer than 17 rows only the same picture is found, since there is nothing to
/// measure against.
pub fn near_duplicates(neighbours: &Neighbours, rule: &Rule) -> Vec<Pair> {
    let spacing = Spacing::of(neighbours);
    let limit = rule.ratio.min((rule.chance / neighbours.rows() as f32).powf(2.0 / spacing.dimension));
    let mut pairs: Vec<Pair> = (0..neighbours.rows())
        .into_par_iter()
        .flat_map_iter(|row| {
            let scales = &spacing.scales;
            neighbours.of(row).filter_map(move |(other, similarity)| {
                let distance = 1.0 - similarity;
                let scale = scales[row].min(scales[other as usize]);
                let ratio = if distance <= SAME { 0.0 } else { distance / scale };
                let (first, second) = ((row as u32).min(other), (row as u32).max(other));
                (ratio <= limit).then_some(Pair { first, second, similarity, ratio })
            })
        })
        .collect();
    pairs.sort_by(|a, b| a.ratio.total_cmp(&b.ratio).then((a.first, a.second).cmp(&(b.first, b.second))));
    // A product does not depend on which row comes first, so both sightings of a pair are the same and adjacent.
    pairs.dedup_by_key(|pair| (pair.first, pair.second));
    pairs
}

/// How far apart rows lie that are no copies of one another.
struct Spacing {
    /// Of each row, (n,): zero where there are too few others to tell.
    scales: Vec<f32>,
    /// In how many dimensions neighbours are spread: the median of the rows' own maximum-likelihood estimates (Levina and
    /// Bickel, NIPS 2004), from the neighbours that are no copies.
    dimension: f32,
}

impl Spacing {
    fn of(neighbours: &Neighbours) -> Spacing {
        let (mut scales, mut dimensions) = (vec![0.0; neighbours.rows()], Vec::new());
        for (row, scale) in scales.iter_mut().enumerate() {
            let distances: Vec<f32> =
                neighbours.of(row).map(|(_, similarity)| (1.0 - similarity).max(0.0)).collect();
            let [.., last] = distances[..] else { continue };
            let copies = distances.partition_point(|&distance| distance < COPY * last);
            let others = &distances[(copies + RANK - 1).min(distances.len() - 1)..];
            if distances.len() == NEIGHBOURS && last > SAME {
                *scale = others[0];
                // Distances are squares of lengths, hence the 2.
                let logarithms: f32 = others.iter().map(|distance| (last / distance).ln()).sum();
                dimensions.push(2.0 * others.len() as f32 / logarithms.max(f32::MIN_POSITIVE));
            }
        }
        let floor = FLOOR * median(scales.clone());
        scales.iter_mut().for_each(|scale| *scale = scale.max(floor));
        Spacing { scales, dimension: median(dimensions) }
    }
}

/// The upper one of two; zero of none.
fn median(mut values: Vec<f32>) -> f32 {
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Space, groups, random::Random};
    use features::Matrix;

    const DIM: usize = 48;

    /// 600 rows in three clusters, then copies of rows 0, 10, …, 190 with a little noise.
    fn planted() -> (Vec<f32>, Vec<(u32, u32)>) {
        let mut random = Random::new(4);
        let mut row = |centre: usize, spread: f32| -> Vec<f32> {
            (0..DIM).map(|i| spread * random.centred() + if i % 3 == centre { 1.0 } else { 0.0 }).collect()
        };
        let mut values: Vec<f32> = (0..600).flat_map(|i| row(i % 3, 1.0)).collect();
        let mut pairs = Vec::new();
        for copy in 0..20 {
            let original = values[copy * 10 * DIM..][..DIM].to_vec();
            let noise = row(3, 0.15);
            values.extend(original.iter().zip(noise).map(|(a, b)| a + b));
            pairs.push((copy as u32 * 10, 600 + copy as u32));
        }
        (values, pairs)
    }

    fn found(values: &[f32]) -> Vec<Pair> {
        let space = Space::whitened(&Matrix::new(values, DIM).unwrap()).unwrap();
        near_duplicates(&Neighbours::find(&space, NEIGHBOURS), &Rule::default())
    }

    #[test]
    fn planted_copies_are_found_and_nothing_else() {
        let (values, expected) = planted();
        let mut pairs: Vec<(u32, u32)> =
            found(&values).iter().map(|pair| (pair.first, pair.second)).collect();
        pairs.sort_unstable();
        assert_eq!(pairs, expected);
        assert_eq!(found(&values[..600 * DIM]), []);
    }

    #[test]
    fn many_copies_are_one_group() {
        // 40 copies: more than there are neighbours. And 9, all of whose first eight neighbours are copies.
        let mut values = planted().0[..600 * DIM].to_vec();
        for (row, copies) in [(7, 40), (11, 8)] {
            for _ in 0..copies {
                values.extend_from_within(row * DIM..(row + 1) * DIM);
            }
        }
        let pairs = found(&values);
        let groups = groups(648, &pairs);
        let expected = [
            [7].into_iter().chain(600..640).collect(),
            [11].into_iter().chain(640..648).collect::<Vec<u32>>(),
        ];
        assert_eq!(groups, expected);
        assert!(pairs.iter().all(|pair| pair.ratio == 0.0));
    }

    #[test]
    fn few_rows_have_only_the_same_picture() {
        let values = [[1.0, 0.0, 2.0], [1.0, 0.1, 2.0], [0.0, 3.0, 1.0], [1.0, 0.0, 2.0]].concat();
        let space = Space::whitened(&Matrix::new(&values, 3).unwrap()).unwrap();
        let pairs = near_duplicates(&Neighbours::find(&space, NEIGHBOURS), &Rule::default());
        assert!(pairs.iter().any(|pair| (pair.first, pair.second, pair.ratio) == (0, 3, 0.0)), "{pairs:?}");
        let lone = Space::whitened(&Matrix::new(&[1.0], 1).unwrap()).unwrap();
        assert_eq!(near_duplicates(&Neighbours::find(&lone, NEIGHBOURS), &Rule::default()), []);
    }
}
