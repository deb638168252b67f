//! Nearest neighbours of every row, exactly, without ever holding all similarities.

use rayon::prelude::*;

use crate::{
    Space,
    products::{Packed, WIDTH, panel_products},
};

/// Rows that a thread compares with all others at a time. Does not affect bits.
const BLOCK: usize = 96;

/// The rows most similar to each row of a [`Space`], itself left out, most similar first.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbours {
    rows: usize,
    count: usize,
    /// (n, k)
    indices: Vec<u32>,
    /// (n, k), cosines
    similarities: Vec<f32>,
}

impl Neighbours {
    /// The `count` nearest neighbours of each row, or all others where there are fewer. Of equally similar rows the
    /// earlier one comes first.
    ///
    /// Takes n² p multiplications: a minute for 100,000 rows of 256 columns on 2 cores with AVX2, which had other work too.
    pub fn find(space: &Space, count: usize) -> Neighbours {
        let count = count.min(space.rows() - 1);
        let packed = Packed::of(space.values(), space.dim());
        let (indices, mut similarities) = nearest(space.values(), &packed, count, true);
        // Rows of length 1 to rounding have products that pass 1 by as much.
        similarities.iter_mut().for_each(|cosine| *cosine = cosine.clamp(-1.0, 1.0));
        Neighbours { rows: space.rows(), count, indices, similarities }
    }

    /// Number of rows, n.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Neighbours of a row, k.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The neighbours of `row` and how similar they are, most similar first.
    pub fn of(&self, row: usize) -> impl ExactSizeIterator<Item = (u32, f32)> {
        let here = row * self.count..(row + 1) * self.count;
        self.indices[here.clone()].iter().copied().zip(self.similarities[here].iter().copied())
    }
}

/// For each row of `queries` (m, p) the `count` rows of `packed` whose products with it are largest: indices and
/// products, (m, `count`) each. With `own`, query i is row i of `packed`, which is left out.
pub(crate) fn nearest(queries: &[f32], packed: &Packed, count: usize, own: bool) -> (Vec<u32>, Vec<f32>) {
    let (dim, queried) = (packed.dim(), queries.len() / packed.dim());
    let (mut indices, mut products) = (vec![0; queried * count], vec![f32::NEG_INFINITY; queried * count]);
    if count == 0 {
        return (indices, products);
    }
    let blocks = indices.par_chunks_mut(BLOCK * count).zip(products.par_chunks_mut(BLOCK * count));
    blocks.zip(queries.par_chunks(BLOCK * dim)).enumerate().for_each(
        |(block, ((indices, products), queries))| {
            let mut scores = [[0.0; WIDTH]; BLOCK];
            for (index, panel) in packed.panels().enumerate() {
                let first = index * WIDTH;
                let lanes = WIDTH.min(packed.rows() - first);
                panel_products(queries, panel, &mut scores);
                let lists = indices.chunks_exact_mut(count).zip(products.chunks_exact_mut(count));
                for (query, ((indices, products), scores)) in lists.zip(&scores).enumerate() {
                    // Nearly always nothing here is near enough, which one look at the largest tells.
                    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    if largest > products[count - 1] {
                        let skipped = if own { block * BLOCK + query } else { usize::MAX };
                        for (row, &score) in (first..).zip(&scores[..lanes]) {
                            if row != skipped {
                                insert(indices, products, row as u32, score);
                            }
                        }
                    }
                }
            }
        },
    );
    (indices, products)
}

/// Keeps the list sorted; rows come in order, so that of equals the earlier one stays in front.
fn insert(indices: &mut [u32], products: &mut [f32], row: u32, product: f32) {
    let at = products.partition_point(|&other| other >= product);
    if at < products.len() {
        products[at..].rotate_right(1);
        indices[at..].rotate_right(1);
        (products[at], indices[at]) = (product, row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use features::Matrix;

    fn space(n: usize, dim: usize) -> Space {
        let mut random = Random::new(2);
        let mut values: Vec<f32> = (0..n * dim).map(|_| random.centred()).collect();
        // Rows 5 and 200 are the same, so that there are ties.
        values.copy_within(5 * dim..6 * dim, 200 * dim);
        Space::centred(&Matrix::new(&values, dim).unwrap()).unwrap()
    }

    #[test]
    fn equal_the_definition() {
        let (n, dim, count) = (331, 9, 7);
        let space = space(n, dim);
        let found = Neighbours::find(&space, count);
        for row in 0..n {
            let values = &space.values()[row * dim..][..dim];
            let mut all: Vec<(u32, f32)> = space
                .values()
                .chunks_exact(dim)
                .enumerate()
                .filter(|(other, _)| *other != row)
                .map(|(other, b)| {
                    (other as u32, values.iter().zip(b).fold(0.0, |sum, (&a, &b)| a.mul_add(b, sum)))
                })
                .collect();
            all.sort_by(|a, b| b.1.total_cmp(&a.1));
            assert_eq!(found.of(row).collect::<Vec<_>>(), all[..count], "row {row}");
        }
        assert_eq!(found.of(5).next().unwrap().0, 200);
    }

    #[test]
    fn a_cosine_is_at_most_one() {
        // Pairs of one row, and of a row and its opposite: of some, rounding takes the product beyond 1.
        for dim in [3, 37, 128] {
            let mut random = Random::new(dim as u64);
            let half: Vec<f32> = (0..200 * dim).map(|_| random.centred()).collect();
            let values: Vec<f32> = half.iter().chain(&half).copied().chain(half.iter().map(|x| -x)).collect();
            let space = Space::centred(&Matrix::new(&values, dim).unwrap()).unwrap();
            let own = space.values().chunks_exact(space.dim());
            let product = |row: &[f32]| row.iter().fold(0.0f32, |sum, &x| x.mul_add(x, sum));
            assert!(own.map(product).any(|product| product > 1.0), "nothing to cut off");
            let found = Neighbours::find(&space, 599);
            let all = || (0..600).flat_map(|row| found.of(row).map(|(_, cosine)| cosine));
            assert!(all().all(|cosine| (-1.0..=1.0).contains(&cosine)));
            assert!(all().any(|cosine| cosine == 1.0));
        }
    }

    #[test]
    fn bits_do_not_depend_on_threads() {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Neighbours::find(&space(500, 33), 10))
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(5));
    }

    #[test]
    fn there_may_be_fewer() {
        let space = Space::centred(&Matrix::new(&[1.0, 2.0, 4.0], 1).unwrap()).unwrap();
        let found = Neighbours::find(&space, 9);
        assert_eq!((found.rows(), found.count()), (3, 2));
        assert_eq!(found.of(0).map(|(row, _)| row).collect::<Vec<_>>(), [1, 2]);
        let lone = Space::centred(&Matrix::new(&[1.0], 1).unwrap()).unwrap();
        assert_eq!(Neighbours::find(&lone, 9).count(), 0);
    }
}
