//! Pictures that are nearly the same: what features suggest, and, where the pictures are at hand, what their pixels say.

use std::collections::BTreeMap;

use anyhow::bail;
use cli::count;
use features::{FeatureSet, Matrix, Selection};
use rayon::prelude::*;
use review::{Neighbours, ReviewError, Rule, Space, near_duplicates};
use sample::Pictures;

use crate::picture_file;

/// From this product of fingerprints on, two pictures are one. Of copies planted among flowers (to half the size, to quality 30,
/// both) all were above 0.99, of others all but a true copy below 0.9.
const SAME: f32 = 0.97;
/// Below it they are not, whatever their features say: crops and other lights of one scene are above.
const OTHER: f32 = 0.8;
/// Fingerprints that each is compared with.
const ALIKE: usize = 8;

/// Two rows that are nearly the same picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Duplicate {
    /// The earlier row.
    pub(crate) first: u32,
    /// The later row.
    pub(crate) second: u32,
    /// The cosine of their features, whitened, where these say that they are nearly the same.
    pub(crate) similarity: Option<f32>,
    /// The product of their fingerprints, where both pictures could be read.
    pub(crate) pixels: Option<f32>,
}

/// Near-duplicates among `rows`, whose neighbours in whitened space are known, the surest first.
///
/// Without pictures the features' rule decides. With them, pairs are also looked for among the fingerprints, since a network
/// may see another picture in a copy of half the size; and pairs that merely have like features are dropped. Of pictures
/// that are not there or cannot be decoded the features' rule decides, and they are counted.
///
/// # Errors
/// A picture that is there and cannot be read; no picture of any use.
pub(crate) fn duplicates(
    neighbours: &Neighbours,
    rows: &Selection<'_>,
    features: &FeatureSet,
    images: Option<&Pictures>,
) -> anyhow::Result<(Vec<Duplicate>, Unused)> {
    let mut pairs: BTreeMap<(u32, u32), Option<f32>> = BTreeMap::new();
    let prints = images.map(|images| Prints::read(features, images)).transpose()?;
    if let Some(prints) = prints.as_ref().filter(|prints| prints.rows.len() > 1) {
        pairs.extend(prints.alike()?.into_iter().map(|pair| (pair, None)));
    }
    let by_features = near_duplicates(neighbours, &Rule::default());
    let row = |at: u32| rows.row(at as usize) as u32;
    pairs.extend(by_features.iter().map(|pair| ((row(pair.first), row(pair.second)), Some(pair.similarity))));
    let judged = pairs.into_iter().map(|((first, second), similarity)| Duplicate {
        first,
        second,
        similarity,
        pixels: prints.as_ref().and_then(|prints| prints.product(first, second)),
    });
    let mut found: Vec<Duplicate> = judged.filter(Duplicate::is_one).collect();
    // Stable: of equals, the order of rows stays.
    found.sort_by(|a, b| b.score().total_cmp(&a.score()));
    Ok((found, prints.map_or_else(Unused::default, |prints| prints.unused)))
}

impl Duplicate {
    fn is_one(&self) -> bool {
        match self.pixels {
            Some(pixels) => pixels >= SAME || (self.similarity.is_some() && pixels >= OTHER),
            None => self.similarity.is_some(),
        }
    }

    /// How sure it is, to 1.
    pub(crate) fn score(&self) -> f32 {
        self.pixels.or(self.similarity).unwrap_or(0.0)
    }
}

/// Pictures that were looked for and were of no use, or are others than they were.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Unused {
    /// No file of that name.
    missing: u64,
    /// A file that is no picture, or a damaged one.
    undecodable: u64,
    /// Of use, but not what was extracted.
    changed: u64,
}

impl Unused {
    /// How many are not what was extracted.
    pub(crate) fn changed(self) -> u64 {
        self.changed
    }

    /// How many of which are of no use, where there are any: `3 are missing, 2 cannot be decoded`.
    pub(crate) fn words(self) -> Option<String> {
        let is_or_are = |number: u64| if number == 1 { "is" } else { "are" };
        let missing = (self.missing > 0)
            .then(|| format!("{} {} missing", count(self.missing), is_or_are(self.missing)));
        let undecodable =
            (self.undecodable > 0).then(|| format!("{} cannot be decoded", count(self.undecodable)));
        let both: Vec<String> = [missing, undecodable].into_iter().flatten().collect();
        (!both.is_empty()).then(|| both.join(", "))
    }
}

/// Fingerprints of all pictures that are there.
struct Prints {
    unused: Unused,
    /// Ascending.
    rows: Vec<u32>,
    /// (rows, dim)
    values: Vec<f32>,
    dim: usize,
}

impl Prints {
    fn read(features: &FeatureSet, images: &Pictures) -> anyhow::Result<Prints> {
        let all: Vec<u32> = features.samples().map(|row| row as u32).collect();
        let recipe = features.recipe();
        let print = |&row: &u32| {
            let Some(bytes) = picture_file::read(images, features.id(row as usize))? else {
                return Ok((None, Unused { missing: 1, ..Unused::default() }));
            };
            let changed = u64::from(!features.is_of(row as usize, &bytes));
            Ok(match recipe.sketch(&bytes) {
                Ok(sketch) => (Some((row, sketch)), Unused { changed, ..Unused::default() }),
                Err(_) => (None, Unused { undecodable: 1, ..Unused::default() }),
            })
        };
        let found: Vec<_> = all.par_iter().map(print).collect::<anyhow::Result<_>>()?;
        let (mut unused, mut read) = (Unused::default(), Vec::with_capacity(found.len()));
        for (sketch, own) in found {
            unused.missing += own.missing;
            unused.undecodable += own.undecodable;
            unused.changed += own.changed;
            read.extend(sketch);
        }
        if let (true, Some(why)) = (read.is_empty(), unused.words()) {
            bail!(
                "--images: no picture of {} in `{}` is of use: {why}; expected what extract read, or the folder that the samples' ids are paths in",
                count(all.len() as u64),
                images.path().display()
            );
        }
        let dim = read.first().map_or(1, |(_, print)| print.len());
        let rows = read.iter().map(|(row, _)| *row).collect();
        Ok(Prints { unused, rows, values: read.into_iter().flat_map(|(_, print)| print).collect(), dim })
    }

    /// Pairs that may be one picture.
    fn alike(&self) -> Result<Vec<(u32, u32)>, ReviewError> {
        // A matrix of whole rows of finite numbers.
        let Ok(matrix) = Matrix::new(&self.values, self.dim) else { return Ok(Vec::new()) };
        let neighbours = Neighbours::find(&Space::centred(&matrix)?, ALIKE);
        let pairs = (0..self.rows.len()).flat_map(|at| neighbours.of(at).map(move |(other, _)| (at, other)));
        Ok(pairs
            .map(|(at, other)| (self.rows[at], self.rows[other as usize]))
            .map(|(a, b)| (a.min(b), a.max(b)))
            .collect())
    }

    fn product(&self, first: u32, second: u32) -> Option<f32> {
        let print = |row: u32| {
            let at = self.rows.binary_search(&row).ok()?;
            Some(&self.values[at * self.dim..][..self.dim])
        };
        let product: f32 = print(first)?.iter().zip(print(second)?).map(|(a, b)| a * b).sum();
        // A cosine: beyond 1 it is rounding.
        Some(product.clamp(-1.0, 1.0))
    }
}
