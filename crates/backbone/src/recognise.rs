//! Which network weights are of, by the names and shapes of their tensors.

use crate::{
    Backbone, BackboneError,
    called::{self, is_called, stem},
    find::Weights,
};
use input::Recipe;
use network::{
    Dialect, Network,
    zoo::{self, Entry},
};
use std::path::Path;
use weights::{Comparison, Tensors};

/// A network that weights may be of.
struct Candidate {
    entry: &'static Entry,
    network: Network,
    compared: Comparison,
}

impl Candidate {
    fn recipe(&self) -> Recipe {
        self.compared.dialect.recipe.unwrap_or(self.entry.recipe)()
    }

    /// Whether its entry was made for weights that are named so.
    fn is_of_the_ecosystem(&self) -> bool {
        let (home, name) = (self.entry.home, self.compared.dialect.name);
        if name == Dialect::OWN.name { home != "timm" } else { zoo::ecosystems(self.entry).contains(&name) }
    }
}

/// The network of the zoo that a file's tensors are of.
///
/// Of several that have the same tensors, it is the one that the file is called after, else the first of the ecosystem that
/// names tensors so. What would prepare pictures otherwise is told, unless they are `prepared` as somebody else says.
///
/// # Errors
/// Where there is none.
pub(crate) fn by_tensors(
    path: &Path,
    tensors: Box<dyn Tensors>,
    taps: &[String],
    prepared: bool,
) -> Result<Backbone, BackboneError> {
    let candidate = |entry: &'static Entry| {
        let network = entry.network();
        let taps: Vec<&str> = match taps {
            [] => vec![entry.default_tap],
            taps => taps.iter().map(String::as_str).collect(),
        };
        let compared = weights::compare(&network, &taps, &*tensors);
        Candidate { entry, network, compared }
    };
    let (mut fitting, others): (Vec<Candidate>, Vec<Candidate>) =
        zoo::all().iter().map(candidate).partition(|candidate| candidate.compared.suffices);
    if fitting.is_empty() {
        return nearest(others, tensors);
    }
    let stem = stem(path);
    fitting.sort_by_key(|candidate| {
        let called = if is_called(&stem, candidate.entry.name) { candidate.entry.name.len() } else { 0 };
        (std::cmp::Reverse(called), !candidate.is_of_the_ecosystem())
    });
    let chosen = fitting.remove(0);
    let recipe = chosen.recipe();
    let otherwise: Vec<&str> =
        fitting.iter().filter(|other| other.recipe() != recipe).map(|other| other.entry.name).collect();
    let mut note = format!("`{}` holds the weights of {}", tensors.label(), chosen.entry.name);
    if !otherwise.is_empty() {
        note += &format!(
            ", or of {}, which prepares inputs otherwise; --backbone says which",
            store::brief::few(&otherwise)
        );
    }
    let hint = called::hint(path, chosen.entry).filter(|_| !prepared);
    let copies = weights::copies(&chosen.network, &*tensors);
    let note = std::iter::once(note).chain(hint).chain(copies).collect::<Vec<_>>().join("; ");
    Ok(found(chosen, tensors, Some(note)))
}

/// Where nothing fits: what has most of the tensors, so that what is amiss is named; else an error.
fn nearest(others: Vec<Candidate>, tensors: Box<dyn Tensors>) -> Result<Backbone, BackboneError> {
    // Of the network's parameters, or of the file's tensors: it may be a part of the network, or hold others besides.
    let held = tensors.names().len();
    let share = |candidate: &Candidate| {
        let found = candidate.compared.found * 100;
        (found / candidate.network.params().len().max(1)).max(found / held.max(1))
    };
    // Of two that have as many, that which lacks fewer.
    let rank = |candidate: &Candidate| {
        let lacks = candidate.network.params().len() - candidate.compared.found;
        (share(candidate), candidate.compared.found, std::cmp::Reverse(lacks))
    };
    let best = others.into_iter().max_by_key(rank);
    match best {
        Some(best) if share(&best) >= 50 && best.compared.found > 2 => Ok(found(best, tensors, None)),
        best => Err(BackboneError::Unrecognised {
            file: tensors.label().to_owned(),
            nearest: best.filter(|best| best.compared.found > 2).map(|best| best.entry.name.to_owned()),
        }),
    }
}

fn found(candidate: Candidate, tensors: Box<dyn Tensors>, note: Option<String>) -> Backbone {
    let recipe = Some(candidate.recipe());
    let Candidate { entry, network, compared } = candidate;
    Backbone {
        name: entry.name.to_owned(),
        default_tap: entry.default_tap.to_owned(),
        network: compared.dialect.built(network),
        recipe,
        note,
        weights: Weights::Tensors(tensors),
    }
}
