//! A folder as on the Hugging Face hub: its configuration says which network it holds, and how inputs are made.

mod limits;
mod open_clip;
mod preprocessor;
mod text;
mod timm;
mod torchvision;
mod transformers;

use crate::{Backbone, BackboneError, find::Weights};
use input::{
    Recipe,
    image::{Filter, Preprocessing},
};
use network::Network;
use serde_json::Value;
use std::path::{Path, PathBuf};
use store::read_file;
use weights::Tensors;

/// What a configuration says.
pub(crate) struct Described {
    /// What artefacts call the network.
    name: String,
    network: Network,
    default_tap: String,
    recipe: Option<Recipe>,
    /// Weights of dense layers behind the network, each in a folder of its own.
    dense: Vec<Box<dyn Tensors>>,
    /// The file that said it.
    config: PathBuf,
}

impl Described {
    /// Whether artefacts call the network so.
    pub(crate) fn is_of(&self, name: &str) -> bool {
        self.name == name
    }

    /// With the weights of the folder.
    pub(crate) fn open(self, folder: &Path) -> Result<Backbone, BackboneError> {
        let Described { name, network, default_tap, recipe, dense, config } = self;
        let note = format!("`{}` is of {name}", config.display());
        Ok(Backbone {
            name,
            network,
            default_tap,
            recipe,
            note: Some(note),
            weights: Weights::Tensors(text::dense::together(weights::open(folder)?, dense)),
        })
    }
}

pub use text::exported::{KIND as EXPORTED_TEXTS, config_of_texts};
pub(crate) use text::static_embeddings::open as table_of;
pub use torchvision::KIND as EXPORTED_PICTURES;

/// A file of JSON, and what it says.
struct Config {
    path: PathBuf,
    value: Value,
}

/// What to do where a network is not built.
const EXPORT_IT: &str = "export the model as ONNX, and give that";
/// What to do where pictures are made in a way that is not known.
const GIVE_FLAGS: &str = "give --preprocess, and flags such as --resize and --mean on top of it";

/// Bytes of a configuration: the names of ten thousand classes take a tenth of it.
const MOST: u64 = 16 << 20;

impl Config {
    /// `None` where there is no such file.
    fn read(folder: &Path, name: &str) -> Result<Option<Config>, BackboneError> {
        let path = folder.join(name);
        if !path.is_file() {
            return Ok(None);
        }
        let value = serde_json::from_slice(&read_file(&path, MOST)?);
        match value {
            Ok(value) => Ok(Some(Config { path, value })),
            Err(error) => {
                let reason = format!("it is no JSON, or cut short: {}", store::brief::told(&error));
                Err(BackboneError::Config { reason, file: path })
            }
        }
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.value.get(key)?.as_str()
    }

    /// What it says, as `T`.
    fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, BackboneError> {
        self.parse_part(&self.value)
    }

    fn parse_part<T: serde::de::DeserializeOwned>(&self, value: &Value) -> Result<T, BackboneError> {
        serde_path_to_error::deserialize(value).map_err(|error| {
            let (key, reason) = (error.path().to_string(), store::brief::told(error.inner()));
            // The whole, where a key lacks: the reason names it.
            let reason =
                if key == "." { reason } else { format!("`{}`: {reason}", store::brief::shortened(&key)) };
            self.wrong(reason)
        })
    }

    fn wrong(&self, reason: String) -> BackboneError {
        BackboneError::Config { file: self.path.clone(), reason }
    }

    /// The filter of that name.
    fn filter(&self, name: &str) -> Result<Filter, BackboneError> {
        match name {
            "bilinear" => Ok(Filter::Bilinear),
            "bicubic" => Ok(Filter::Bicubic),
            other => Err(self.unknown("`interpolation`", other, GIVE_FLAGS)),
        }
    }

    /// A recipe that inputs can be made by.
    fn recipe(&self, how: Preprocessing) -> Result<Recipe, BackboneError> {
        how.check().map_err(|error| self.wrong(error.to_string()))?;
        Ok(how.into())
    }

    /// How pictures are made, as the folder says beside a network of transformers or in a class for it; `None` where they are
    /// `prepared` as somebody else says, or nothing says it.
    fn recipe_of_pictures(&self, folder: &Path, prepared: bool) -> Result<Option<Recipe>, BackboneError> {
        match self.value.get("pretrained_cfg") {
            _ if prepared => Ok(None),
            // timm's processor, which may stand beside any network.
            Some(_) => timm::recipe(self).map(Some),
            None => preprocessor::recipe(folder),
        }
    }

    /// The classes that are named, two by default.
    fn classes(&self) -> usize {
        self.value.get("id2label").and_then(Value::as_object).map_or(2, serde_json::Map::len).max(1)
    }

    /// Refuses a setting that is not built.
    fn unknown(&self, what: &str, value: &str, hint: &str) -> BackboneError {
        self.wrong(format!("{what} `{}` is not known; {hint}", store::brief::shortened(value)))
    }
}

/// The network and the recipe that a folder's configuration describes; `None` where `path` is no folder with one. The recipe is
/// left out where inputs are `prepared` as somebody else says.
///
/// # Errors
/// Where the configuration is broken, or says something that is not known.
pub(crate) fn describe(path: &Path, prepared: bool) -> Result<Option<Described>, BackboneError> {
    if path.is_file() {
        return text::gguf::describe(path);
    }
    if let Some(config) = Config::read(path, "open_clip_config.json")? {
        return open_clip::describe(config, prepared).map(Some);
    }
    let Some(config) = Config::read(path, "config.json")? else { return Ok(None) };
    if config.value.get("architecture").is_some() {
        return timm::describe(config, prepared).map(Some);
    }
    match config.text("model_type") {
        Some(text::exported::KIND) => text::exported::describe(config, path).map(Some),
        Some(torchvision::KIND) => torchvision::describe(config, path, prepared).map(Some),
        Some(kind) => match text::Kind::named(kind) {
            Some(kind) => text::describe(config, path, kind).map(Some),
            None => transformers::describe(config, path, prepared).map(Some),
        },
        None => Ok(None),
    }
}

/// The recipe alone, for a network that was named.
///
/// # Errors
/// Where it says something that is not known.
pub(crate) fn recipe_of(path: &Path) -> Result<Option<Recipe>, BackboneError> {
    if let Some(config) = Config::read(path, "open_clip_config.json")? {
        return open_clip::recipe(&config).map(Some);
    }
    match Config::read(path, "config.json")? {
        Some(config) if config.value.get("pretrained_cfg").is_some() => timm::recipe(&config).map(Some),
        _ => preprocessor::recipe(path),
    }
}
