//! Where features are from: a network computed them, or somebody had them already.

use input::Recipe;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use store::{Digest, Dtype};

/// Where rows are from: everything but the samples. Carried from features to head to export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, try_from = "Fields")]
pub enum Source {
    /// A network computed them.
    Network(NetworkSource),
    /// Somebody had them already.
    Given(GivenSource),
}

/// Backbone, tap, weights and recipe.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NetworkSource {
    /// The backbone's name in the zoo.
    pub backbone: String,
    /// The place in the network where features were read.
    pub tap: String,
    /// Identifies the graph up to the tap.
    pub network: Digest,
    /// Identifies the weights that the graph up to the tap uses.
    pub weights: Digest,
    /// How content became inputs.
    #[serde(rename = "preprocessing")]
    pub recipe: Recipe,
    /// How features are stored.
    pub dtype: Dtype,
    /// The engine and its revision, such as `cpu-1`; of a card's also precision and architecture, `cuda-1-f16-sm90a`.
    pub engine: String,
}

/// Rows of which nothing is known but what they are called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GivenSource {
    /// What they are called: rows of one name mean the same, whatever the file.
    pub rows: String,
    /// How they are stored.
    pub dtype: Dtype,
}

/// The fields of either.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    rows: Option<String>,
    backbone: Option<String>,
    tap: Option<String>,
    network: Option<Digest>,
    weights: Option<Digest>,
    preprocessing: Option<Recipe>,
    dtype: Dtype,
    engine: Option<String>,
}

impl TryFrom<Fields> for Source {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Source, String> {
        fn needed<T>(name: &str, field: Option<T>) -> Result<T, String> {
            field.ok_or_else(|| format!("missing field `{name}`"))
        }
        let Fields { rows, backbone, tap, network, weights, preprocessing, dtype, engine } = fields;
        let Some(rows) = rows else {
            return Ok(Source::Network(NetworkSource {
                backbone: needed("backbone", backbone)?,
                tap: needed("tap", tap)?,
                network: needed("network", network)?,
                weights: needed("weights", weights)?,
                recipe: needed("preprocessing", preprocessing)?,
                dtype,
                engine: needed("engine", engine)?,
            }));
        };
        let is_network = backbone.or(tap).or(engine).is_some() || network.or(weights).is_some();
        if is_network || preprocessing.is_some() {
            return Err("a source of given rows and of a network at once".to_owned());
        }
        Ok(Source::Given(GivenSource { rows, dtype }))
    }
}

/// The first thing in which two sources differ.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceDifference {
    /// What differs: `backbone`, `tap`, `network`, `weights`, `preprocessing`, the `name of its rows`, or `source` where only
    /// one of them is a network.
    pub what: &'static str,
    /// The value on the left.
    pub expected: String,
    /// The value on the right.
    pub got: String,
}

impl Source {
    /// What is wrong with a source that was read from a file, if anything.
    pub fn validate(&self) -> Option<String> {
        let recipe = &self.network()?.recipe;
        recipe.check().err().map(|error| format!("its preprocessing cannot be used: {error}"))
    }

    /// The network, where one computed the rows.
    pub fn network(&self) -> Option<&NetworkSource> {
        match self {
            Source::Network(network) => Some(network),
            Source::Given(_) => None,
        }
    }

    /// How features are stored.
    pub fn dtype(&self) -> Dtype {
        match self {
            Source::Network(network) => network.dtype,
            Source::Given(given) => given.dtype,
        }
    }

    /// The engine and its revision, where a network computed the rows.
    pub fn engine(&self) -> Option<&str> {
        self.network().map(|network| network.engine.as_str())
    }

    /// What people call it: `resnet18 (tap pooled)`, or `rows clip`.
    pub fn name(&self) -> String {
        match self {
            Source::Network(network) => format!("{} (tap {})", network.backbone, network.tap),
            Source::Given(given) => format!("rows {}", given.rows),
        }
    }

    /// The first difference that makes a head of `self` wrong for features of `other`.
    ///
    /// Storage dtype and engine are not among them: they change digits, not meaning.
    pub fn difference(&self, other: &Source) -> Option<SourceDifference> {
        let pairs = match (self, other) {
            (Source::Network(own), Source::Network(other)) => own.pairs(other),
            (Source::Given(own), Source::Given(other)) => {
                vec![("name of its rows", own.rows.clone(), other.rows.clone())]
            }
            _ => vec![("source", self.name(), other.name())],
        };
        pairs
            .into_iter()
            .find(|(_, expected, got)| expected != got)
            .map(|(what, expected, got)| SourceDifference { what, expected, got })
    }
}

impl NetworkSource {
    /// What must be the same in both.
    fn pairs(&self, other: &NetworkSource) -> Vec<(&'static str, String, String)> {
        let (own, others) = apart(&self.recipe, &other.recipe);
        vec![
            ("backbone", self.backbone.clone(), other.backbone.clone()),
            ("tap", self.tap.clone(), other.tap.clone()),
            ("network", self.network.to_string(), other.network.to_string()),
            ("weights", self.weights.to_string(), other.weights.to_string()),
            ("preprocessing", own, others),
        ]
    }
}

impl From<GivenSource> for Source {
    fn from(given: GivenSource) -> Source {
        Source::Given(given)
    }
}

impl From<NetworkSource> for Source {
    fn from(network: NetworkSource) -> Source {
        Source::Network(network)
    }
}

/// What two recipes say otherwise: `crop [96,96], decode default`.
fn apart(first: &Recipe, second: &Recipe) -> (String, String) {
    let [first, second] = [first, second].map(|recipe| match serde_json::to_value(recipe) {
        Ok(Value::Object(fields)) => fields,
        _ => unreachable!("a recipe is an object"),
    });
    let names: BTreeSet<&String> =
        first.keys().chain(second.keys()).filter(|name| first.get(*name) != second.get(*name)).collect();
    let told = |fields: &Map<String, Value>| {
        let value = |name: &&String| {
            let text =
                fields.get(*name).map_or("default".to_owned(), |value| value.to_string().replace('"', ""));
            format!("{name} {text}")
        };
        names.iter().map(value).collect::<Vec<_>>().join(", ")
    };
    (told(&first), told(&second))
}
