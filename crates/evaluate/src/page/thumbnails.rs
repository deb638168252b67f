//! Small pictures of what the page shows, from `--images`.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use input::Recipe;
use rayon::prelude::*;
use report::{Page, Samples};
use sample::Pictures;

use crate::picture_file;

/// Pixels of the shorter side.
const SIDE: u32 = 96;
/// Pictures that stand behind one cell of the confusion matrix.
const PER_CELL: usize = 6;
/// Pictures behind all cells.
const MOST: usize = 1200;

/// Adds the pictures that the page shows; gives the number of those that are not there, or are no pictures.
pub(super) fn add(page: &mut Page, images: Option<&Pictures>, recipe: &Recipe) -> anyhow::Result<usize> {
    let Some(images) = images else { return Ok(0) };
    let wanted = wanted(page);
    let read = |id: &&str| {
        let Some(bytes) = picture_file::read(images, id)? else { return Ok(None) };
        let Ok(small) = recipe.thumbnail(&bytes, SIDE) else { return Ok(None) };
        Ok(Some(((*id).to_owned(), format!("data:image/jpeg;base64,{}", STANDARD.encode(small)))))
    };
    let wanted: Vec<&str> = wanted.into_iter().collect();
    let found: Vec<Option<(String, String)>> = wanted.par_iter().map(read).collect::<anyhow::Result<_>>()?;
    let unread = found.iter().filter(|found| found.is_none()).count();
    page.thumbnails = found.into_iter().flatten().collect();
    Ok(unread)
}

/// The galleries', and some of each cell, mistakes first.
pub(super) fn wanted(page: &Page) -> BTreeSet<&str> {
    let mistakes = page.mistakes.iter().map(|mistake| &mistake.sample);
    let mislabels = page.mislabels.iter().map(|mislabel| &mislabel.sample);
    let duplicates = page.duplicates.iter().flat_map(|pair| [&pair.left, &pair.right]);
    let mut wanted: BTreeSet<&str> =
        mistakes.chain(mislabels).chain(duplicates).map(|exhibit| exhibit.id.as_str()).collect();
    if let Some(samples) = &page.samples {
        wanted.extend(behind_cells(samples, page.classes.len()));
    }
    wanted
}

fn behind_cells(samples: &Samples, classes: usize) -> Vec<&str> {
    let mut counts = std::collections::HashMap::new();
    let mut order: Vec<usize> = (0..samples.ids.len()).collect();
    // The page lists a cell's samples with the surest first.
    order.sort_by(|&a, &b| {
        let right = |at: usize| samples.truth[at] == samples.predicted[at];
        right(a).cmp(&right(b)).then(samples.confidence[b].total_cmp(&samples.confidence[a]))
    });
    let few = |at: &usize| {
        let cell = samples.truth[*at] as usize * classes + samples.predicted[*at] as usize;
        let count = counts.entry(cell).or_insert(0);
        *count += 1;
        *count <= PER_CELL
    };
    order.into_iter().filter(few).take(MOST).map(|at| samples.ids[at].as_str()).collect()
}
