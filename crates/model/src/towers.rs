//! The networks behind a head, found again.

use crate::ModelError;
use backbone::{Backbone, BackboneError};
use features::{NetworkSource, Source};
use head::Head;
use input::Recipe;
use std::path::PathBuf;
use weights::Bound;

/// A network that reads one kind of input, and whose outputs are features of a head.
#[derive(Clone, Debug)]
pub struct Tower {
    /// The network; its outputs are the taps.
    pub bound: Bound,
    /// How content becomes its inputs.
    pub recipe: Recipe,
    /// Of each output, which of the head's sources it is.
    pub sources: Vec<usize>,
}

impl Tower {
    /// Height and width of its pictures, `None` where they vary; of texts, one token.
    pub fn size(&self) -> Option<(usize, usize)> {
        match &self.recipe {
            Recipe::Image(how) => how.output_size().map(|(height, width)| (height as usize, width as usize)),
            Recipe::Text(_) => Some((1, 1)),
        }
    }
}

/// Sources that one network may have computed.
struct Group<'a> {
    backbone: &'a str,
    recipe: &'a Recipe,
    /// Which sources, and what they are.
    members: Vec<(usize, &'a NetworkSource)>,
}

/// The networks that computed a head's features: each is rebuilt, filled from `weights`, or from what comes with Headstart, and
/// known by its digests. Of several weights each source takes those that fit.
///
/// # Errors
/// Where some features are of no network; where weights are missing, needless or others, or this program builds a network
/// differently.
pub fn towers_of(head: &Head, weights: &[PathBuf]) -> Result<Vec<Tower>, ModelError> {
    let mut used = vec![false; weights.len()];
    let mut towers = Vec::new();
    let groups = groups(head)?;
    // What comes with Headstart is tried last, but not where somebody gave the only network other weights.
    let tries_own = weights.len() != 1 || groups.len() > 1;
    for group in groups {
        towers.extend(towers_of_group(group, weights, tries_own, &mut used)?);
    }
    match weights.iter().zip(used).find(|(_, used)| !used) {
        Some((needless, _)) => Err(ModelError::Needless(needless.clone())),
        None => Ok(towers),
    }
}

/// Sources of one backbone and one recipe together.
fn groups(head: &Head) -> Result<Vec<Group<'_>>, ModelError> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (at, source) in head.sources.iter().enumerate() {
        let source = match source {
            Source::Network(network) => network,
            Source::Endpoint(endpoint) => return Err(ModelError::Endpoint { name: endpoint.name() }),
            Source::Given(_) => return Err(ModelError::Given { name: source.name() }),
        };
        let of_one =
            |group: &&mut Group<'_>| group.backbone == source.backbone && *group.recipe == source.recipe;
        match groups.iter_mut().find(of_one) {
            Some(group) => group.members.push((at, source)),
            None => groups.push(Group {
                backbone: &source.backbone,
                recipe: &source.recipe,
                members: vec![(at, source)],
            }),
        }
    }
    Ok(groups)
}

fn towers_of_group(
    group: Group<'_>,
    weights: &[PathBuf],
    tries_own: bool,
    used: &mut [bool],
) -> Result<Vec<Tower>, ModelError> {
    let Group { backbone, recipe, members: mut left } = group;
    let taps: Vec<String> = left.iter().map(|(_, source)| source.tap.clone()).collect();
    let mut towers = Vec::new();
    let mut last = None;
    let places = weights.iter().map(Some).chain(tries_own.then_some(None));
    for (at, place) in places.enumerate() {
        if left.is_empty() {
            break;
        }
        let found = match backbone::again(backbone, place.map(PathBuf::as_path), &taps, recipe) {
            Ok(found) => found,
            Err(error) => {
                last = last.or(Some(lacking(error)));
                continue;
            }
        };
        let mut taken = Vec::new();
        left.retain(|&(source, of)| match fits(&found, of, place.is_some()) {
            Ok(own) => {
                taken.push((source, of, own));
                false
            }
            Err(error) => {
                last = Some(error);
                true
            }
        });
        if let Some(tower) = tower(&found, recipe, taken)? {
            towers.push(tower);
            used.get_mut(at).into_iter().for_each(|used| *used = true);
        }
    }
    let Some((_, source)) = left.first() else { return Ok(towers) };
    let why = last.unwrap_or_else(|| ModelError::NoWeights { name: backbone.to_owned() });
    if weights.len() < 2 {
        return Err(why);
    }
    let source_name = format!("{} (tap {})", source.backbone, source.tap);
    Err(ModelError::NoneFits { source_name, why: Box::new(why) })
}

/// One network for all of these sources.
fn tower(
    found: &Backbone,
    recipe: &Recipe,
    mut taken: Vec<(usize, &NetworkSource, Bound)>,
) -> Result<Option<Tower>, ModelError> {
    let sources = taken.iter().map(|(at, ..)| *at).collect();
    let bound = match taken.len() {
        0 => return Ok(None),
        1 => taken.remove(0).2,
        _ => found.bind(&taken.iter().map(|(_, of, _)| of.tap.as_str()).collect::<Vec<_>>())?,
    };
    // Of a tokenizer the head knows the digest alone.
    let recipe = match (recipe, &found.recipe) {
        (Recipe::Text(how), Some(Recipe::Text(own))) => Recipe::Text(
            how.clone()
                .opened_as(own)
                .map_err(|reason| ModelError::Tokenizer { file: found.file().to_owned(), reason })?,
        ),
        (recipe, _) => recipe.clone(),
    };
    Ok(Some(Tower { bound, recipe, sources }))
}

fn lacking(error: BackboneError) -> ModelError {
    match error {
        BackboneError::NoWeights { name } => ModelError::NoWeights { name },
        error => error.into(),
    }
}

/// The network up to the tap of `source`, if it is the one that computed its features.
fn fits(found: &Backbone, source: &NetworkSource, is_given: bool) -> Result<Bound, ModelError> {
    let of_another = || ModelError::OfAnother { file: found.file().to_owned() };
    let pruned = match found.network.for_taps(&[&source.tap]) {
        Ok(pruned) => pruned,
        Err(_) if is_given => return Err(of_another()),
        Err(error) => return Err(error.into()),
    };
    if pruned.fingerprint() != source.network {
        let is_filled = |own: Bound| own.digest() == source.weights;
        if is_given && !found.bind(&[&source.tap]).is_ok_and(is_filled) {
            return Err(of_another());
        }
        return Err(ModelError::OtherGraph { name: found.name.clone(), tap: source.tap.clone() });
    }
    let own = found.bind(&[&source.tap])?;
    match own.digest() {
        got if got == source.weights => Ok(own),
        got => Err(ModelError::OtherWeights { file: found.file().to_owned(), expected: source.weights, got }),
    }
}
