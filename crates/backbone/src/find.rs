//! From what the user says to a backbone.

use crate::{BackboneError, called, folder, model, recognise};
use input::Recipe;
use network::{
    Network,
    zoo::{self, Entry},
};
use std::path::Path;
use weights::{Bound, Tensors};

/// What the user says.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// A network of the zoo, or an ONNX model; without it, what the weights are of, or what comes with Headstart.
    pub name: Option<&'a str>,
    /// A weight file, or a folder as on the Hugging Face hub.
    pub weights: Option<&'a Path>,
    /// Where features are to be read, where that was said.
    pub taps: &'a [String],
    /// Height and width of prepared pictures, where they are known: what an ONNX model is read for.
    pub size: Option<(u32, u32)>,
    /// Whether it is known how inputs are made, so that what a folder says about that is not read.
    pub prepared: bool,
}

/// A network, its weights, and what else is known of both.
pub struct Backbone {
    /// What artefacts call it.
    pub name: String,
    /// All of it.
    pub network: Network,
    /// Where features are read unless somebody says otherwise.
    pub default_tap: String,
    /// How inputs were made when it was trained, where that is known.
    pub recipe: Option<Recipe>,
    /// How it was found, where that was not said.
    pub note: Option<String>,
    pub(crate) weights: Weights,
}

/// Where the numbers are.
pub(crate) enum Weights {
    /// In a file, under the names of some ecosystem.
    Tensors(Box<dyn Tensors>),
    /// In memory, of a model that is its own network; with the model's file.
    Bound(Bound, String),
}

impl Backbone {
    /// The part of the network that `taps` need, with its weights.
    ///
    /// # Errors
    /// Where a tap is not there, or the weights do not fit.
    pub fn bind(&self, taps: &[&str]) -> Result<Bound, BackboneError> {
        let part = self.network.for_taps(taps)?;
        Ok(match &self.weights {
            Weights::Tensors(file) => Bound::bind(part, &self.network, &**file)?,
            Weights::Bound(whole, file) => whole.part(part, file)?,
        })
    }

    /// What the weights are called in errors.
    pub fn file(&self) -> &str {
        match &self.weights {
            Weights::Tensors(tensors) => tensors.label(),
            Weights::Bound(_, file) => file,
        }
    }
}

impl std::fmt::Debug for Backbone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backbone")
            .field("name", &self.name)
            .field("file", &self.file())
            .finish_non_exhaustive()
    }
}

/// The name of the network of pictures that comes with Headstart.
const EMBEDDED: &str = "headstart_tiny";
/// The name of the table for texts that comes with Headstart.
pub const OF_TEXTS: &str = "headstart_words";

/// The backbone that is meant.
///
/// # Errors
/// Where there is none of that name, the weights cannot be read, or they are of no network that is known.
pub fn find(wanted: Wanted<'_>) -> Result<Backbone, BackboneError> {
    match (wanted.name, wanted.weights) {
        (Some(name), weights) => match (zoo::find(name), Path::new(name)) {
            (Ok(entry), _) => named(entry, weights, wanted.prepared),
            (Err(_), path) if is_onnx(path) => match weights {
                None => model::open(path, &wanted),
                Some(_) => Err(BackboneError::TwoWeights(name.to_owned())),
            },
            (Err(_), path) if path.exists() || name.contains("://") => {
                // A file that is no weights is named for what it is.
                if path.is_file() {
                    weights::open(path)?;
                }
                Err(BackboneError::NamesWeights(name.to_owned()))
            }
            (Err(error), _) => Err(error.into()),
        },
        (None, None) => named(zoo::find(EMBEDDED)?, None, wanted.prepared),
        (None, Some(path)) => {
            if let Some(table) = folder::table_of(path)? {
                return Ok(table);
            }
            if let Some(described) = folder::describe(path, wanted.prepared)? {
                return described.open(path);
            }
            // A folder that says nothing may hold a file that does.
            let file = weights::file_of(path)?;
            match folder::describe(&file, wanted.prepared)? {
                Some(described) => described.open(&file),
                None if is_onnx(&file) => model::open(&file, &wanted),
                None => recognise::by_tensors(path, weights::open(&file)?, wanted.taps, wanted.prepared),
            }
        }
    }
}

/// The backbone that features were computed with, at `taps`: as a folder of that network says, else by its name, where the zoo
/// has it, else as the weights say.
///
/// # Errors
/// As [`find`].
pub fn again(
    name: &str,
    weights: Option<&Path>,
    taps: &[String],
    recipe: &Recipe,
) -> Result<Backbone, BackboneError> {
    match (zoo::find(name), weights) {
        (Ok(entry), Some(path)) => match folder::describe(path, true) {
            // Its classes may be others than the zoo's.
            Ok(Some(described)) if described.is_of(entry.name) => described.open(path),
            _ => named(entry, weights, true),
        },
        (Ok(entry), None) => named(entry, None, true),
        (Err(_), Some(_)) => {
            find(Wanted { name: None, weights, taps, size: recipe.picture_size(), prepared: true })
        }
        (Err(_), None) => Err(BackboneError::NotInZoo(name.to_owned())),
    }
}

/// Whether a file is an ONNX model: by its first bytes, and by its name where they tell nothing.
fn is_onnx(path: &Path) -> bool {
    let is_called = || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"));
    weights::is_onnx(path).unwrap_or_else(is_called)
}

/// A network of the zoo. Where its weights lie in a folder that says how inputs are made, that holds, unless they are
/// `prepared` as somebody else says.
fn named(entry: &'static Entry, path: Option<&Path>, prepared: bool) -> Result<Backbone, BackboneError> {
    let Some(tensors) = weights::open_for(entry, path)? else {
        return Err(BackboneError::NoWeights { name: entry.name.to_owned() });
    };
    let dialect = weights::dialect(&entry.network(), &*tensors);
    let network = dialect.built(entry.network());
    let said = path.filter(|_| !prepared).map(folder::recipe_of).transpose()?.flatten();
    let hint = path.filter(|_| !prepared && said.is_none()).and_then(|path| called::hint(path, entry));
    let hints: Vec<String> = hint.into_iter().chain(weights::copies(&network, &*tensors)).collect();
    let own = || dialect.recipe.unwrap_or(entry.recipe)();
    Ok(Backbone {
        name: entry.name.to_owned(),
        recipe: Some(said.unwrap_or_else(own)),
        default_tap: entry.default_tap.to_owned(),
        note: (!hints.is_empty()).then(|| format!("`{}`: {}", tensors.label(), hints.join("; "))),
        network,
        weights: Weights::Tensors(tensors),
    })
}
