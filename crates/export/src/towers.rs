//! The backbones that a head was fitted behind: one for each of its networks and ways to prepare pictures.

use crate::{backbone, config::Config};
use anyhow::{Result, bail};
use features::NetworkSource;
use head::Head;
use input::Recipe;
use std::path::{Path, PathBuf};
use weights::Bound;

/// One network with its taps.
pub(crate) struct Tower {
    /// Up to the taps, with the weights that computed the features.
    pub(crate) bound: Bound,
    /// How its pictures are prepared.
    pub(crate) recipe: Recipe,
    /// Of each of its outputs, the place of those features among the head's.
    pub(crate) sources: Vec<usize>,
}

impl Tower {
    /// Height and width of its pictures.
    ///
    /// # Errors
    /// Where they vary.
    pub(crate) fn size(&self) -> Result<(usize, usize)> {
        let Recipe::Image(how) = &self.recipe;
        match how.output_size() {
            Some((height, width)) => Ok((height as usize, width as usize)),
            None => bail!("the head's pictures vary in size; give the backbone a crop or an exact size"),
        }
    }
}

/// Sources of one network, whose pictures are prepared in one way, and the file that has its weights.
struct Group<'a> {
    first: &'a NetworkSource,
    weights: Option<&'a Path>,
    sources: Vec<usize>,
}

/// All of them, in the order of the head's sources. Of several files of weights each source takes the one that it was
/// computed with.
///
/// # Errors
/// As [`backbone::load_some`]; where no file has the weights of a source.
pub(crate) fn load(config: &Config, head: &Head) -> Result<Vec<Tower>> {
    let sources = backbone::networks(head)?;
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        let weights = match config.weights() {
            [] => None,
            [one] if sources.iter().all(|other| other.backbone == source.backbone) => Some(one.as_path()),
            files => whose(source, files)?,
        };
        let same = |group: &&mut Group<'_>| {
            group.first.backbone == source.backbone
                && group.first.recipe == source.recipe
                && group.weights == weights
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.sources.push(at),
            None => groups.push(Group { first: source, weights, sources: vec![at] }),
        }
    }
    groups
        .into_iter()
        .map(|Group { first, weights, sources: own }| {
            let each: Vec<&NetworkSource> = own.iter().map(|at| sources[*at]).collect();
            let bound = backbone::load_some(weights, &each)?;
            Ok(Tower { bound, recipe: first.recipe.clone(), sources: own })
        })
        .collect()
}

/// The file that a source was computed with; none where its weights come with us.
fn whose<'a>(source: &NetworkSource, files: &'a [PathBuf]) -> Result<Option<&'a Path>> {
    // Of several refusals none says what is missing.
    let fits = |file: &Option<&Path>| backbone::load_some(*file, &[source]).is_ok();
    match files.iter().map(|file| Some(file.as_path())).chain([None]).find(fits) {
        Some(found) => Ok(found),
        None => bail!(
            "none of the --weights are those of {} that computed `{}`: expected digest {}; give each backbone's, as extract was given them",
            source.backbone,
            source.tap,
            source.weights
        ),
    }
}
