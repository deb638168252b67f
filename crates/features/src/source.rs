//! Where features are from: a network computed them, an endpoint did, or somebody had them already.

use crate::{ContentDigest, content_key, endpoint_key};
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
    /// A model behind an endpoint computed them.
    Endpoint(EndpointSource),
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
    /// What a row is of, where that was flattened: the channels, rows and columns of a map, or how many tokens and the numbers of
    /// each. Else nothing.
    #[serde(skip_serializing_if = "<[usize]>::is_empty")]
    pub shape: Box<[usize]>,
    /// Identifies the graph up to the tap.
    pub network: Digest,
    /// Identifies the weights that the graph up to the tap uses.
    pub weights: Digest,
    /// How content became inputs.
    #[serde(rename = "preprocessing")]
    pub recipe: Recipe,
    /// How features are stored.
    pub dtype: Dtype,
    /// The engine and its revision, such as `cpu-2`; with the precision where that is not f32, `cpu-3-bf16`; of a card's also the
    /// architecture, `cuda-1-f16-sm90a`.
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

/// A model of which nothing is known but its name, and what it answers to made-up sentences. Where it is asked is no part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EndpointSource {
    /// The model's name there.
    #[serde(rename = "endpoint")]
    pub model: String,
    /// The width that was asked for, where one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<usize>,
    /// Of the features of the probes, as f32.
    pub probes: Digest,
    /// How features are stored.
    pub dtype: Dtype,
}

/// The fields of any of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    rows: Option<String>,
    endpoint: Option<String>,
    dimensions: Option<usize>,
    probes: Option<Digest>,
    backbone: Option<String>,
    tap: Option<String>,
    shape: Option<Box<[usize]>>,
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
        let Fields {
            rows,
            endpoint,
            dimensions,
            probes,
            backbone,
            tap,
            shape,
            network,
            weights,
            preprocessing,
            dtype,
            engine,
        } = fields;
        let is_endpoint = endpoint.is_some() || dimensions.is_some() || probes.is_some();
        if rows.is_none() && !is_endpoint {
            return Ok(Source::Network(NetworkSource {
                backbone: needed("backbone", backbone)?,
                tap: needed("tap", tap)?,
                shape: shape.unwrap_or_default(),
                network: needed("network", network)?,
                weights: needed("weights", weights)?,
                recipe: needed("preprocessing", preprocessing)?,
                dtype,
                engine: needed("engine", engine)?,
            }));
        }
        let is_network =
            backbone.or(tap).or(engine).is_some() || network.or(weights).is_some() || shape.is_some();
        if is_network || preprocessing.is_some() {
            let what = if is_endpoint { "an endpoint" } else { "given rows" };
            return Err(format!("a source of {what} and of a network at once"));
        }
        match rows {
            Some(_) if is_endpoint => Err("a source of given rows and of an endpoint at once".to_owned()),
            Some(rows) => Ok(Source::Given(GivenSource { rows, dtype })),
            None => {
                let model = needed("endpoint", endpoint)?;
                let probes = needed("probes", probes)?;
                Ok(Source::Endpoint(EndpointSource { model, dimensions, probes, dtype }))
            }
        }
    }
}

/// The first thing in which two sources differ.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceDifference {
    /// What differs: `backbone`, `tap`, `network`, `weights`, `preprocessing`, the `endpoint`, its `dimensions`, the `name of its
    /// rows`, or `source` where they are of two kinds.
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
            Source::Endpoint(_) | Source::Given(_) => None,
        }
    }

    /// The endpoint, where one computed the rows.
    pub fn endpoint(&self) -> Option<&EndpointSource> {
        match self {
            Source::Endpoint(endpoint) => Some(endpoint),
            Source::Network(_) | Source::Given(_) => None,
        }
    }

    /// Whether the rows were computed from samples, and so probes' were.
    pub fn has_probes(&self) -> bool {
        !matches!(self, Source::Given(_))
    }

    /// The content key of view 0 of a file; `None` of rows that were there already.
    pub fn key(&self, file: &[u8]) -> Option<Digest> {
        match self {
            Source::Network(network) => {
                Some(content_key(&ContentDigest::of(file, &network.recipe), network, 0, None))
            }
            Source::Endpoint(endpoint) => Some(endpoint_key(&Digest::of(file), endpoint)),
            Source::Given(_) => None,
        }
    }

    /// How features are stored.
    pub fn dtype(&self) -> Dtype {
        match self {
            Source::Network(network) => network.dtype,
            Source::Endpoint(endpoint) => endpoint.dtype,
            Source::Given(given) => given.dtype,
        }
    }

    /// The engine and its revision, where a network computed the rows.
    pub fn engine(&self) -> Option<&str> {
        self.network().map(|network| network.engine.as_str())
    }

    /// What people call it: `resnet18 (tap pooled)`, `endpoint:text-embedding-3-small`, or `rows clip`.
    pub fn name(&self) -> String {
        match self {
            Source::Network(network) => format!("{} (tap {})", network.backbone, network.tap),
            Source::Endpoint(endpoint) => endpoint.name(),
            Source::Given(given) => format!("rows {}", given.rows),
        }
    }

    /// The first difference that makes a head of `self` wrong for features of `other`.
    ///
    /// Storage dtype and engine are not among them: they change digits, not meaning. Nor are the probes of an endpoint, whose last
    /// digits change from one answer to the next: [`probes_apart`](crate::probes_apart) compares those.
    pub fn difference(&self, other: &Source) -> Option<SourceDifference> {
        let pairs = match (self, other) {
            (Source::Network(own), Source::Network(other)) => own.pairs(other),
            (Source::Endpoint(own), Source::Endpoint(other)) => own.pairs(other),
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

impl EndpointSource {
    /// What people call it: `endpoint:text-embedding-3-large, 256 dimensions`.
    pub fn name(&self) -> String {
        let dimensions = self.dimensions.map(|n| format!(", {n} dimensions")).unwrap_or_default();
        format!("endpoint:{}{dimensions}", self.model)
    }

    /// What must be the same in both.
    fn pairs(&self, other: &EndpointSource) -> Vec<(&'static str, String, String)> {
        let asked =
            |source: &EndpointSource| source.dimensions.map_or("default".to_owned(), |n| n.to_string());
        vec![("endpoint", self.model.clone(), other.model.clone()), ("dimensions", asked(self), asked(other))]
    }
}

impl From<EndpointSource> for Source {
    fn from(endpoint: EndpointSource) -> Source {
        Source::Endpoint(endpoint)
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
