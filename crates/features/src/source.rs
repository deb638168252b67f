//! What features were computed by.

use input::Recipe;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use store::{Digest, Dtype};

/// Backbone, tap, weights and recipe: everything but the samples. Carried from features to head to export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
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

/// The first thing in which two sources differ.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceDifference {
    /// What differs: `backbone`, `tap`, `network`, `weights` or `preprocessing`.
    pub what: &'static str,
    /// The value on the left.
    pub expected: String,
    /// The value on the right.
    pub got: String,
}

impl Source {
    /// What is wrong with a source that was read from a file, if anything.
    pub fn validate(&self) -> Option<String> {
        self.recipe.check().err().map(|error| format!("its preprocessing cannot be used: {error}"))
    }

    /// What people call it: `resnet18 (tap pooled)`.
    pub fn name(&self) -> String {
        format!("{} (tap {})", self.backbone, self.tap)
    }

    /// The first difference that makes a head of `self` wrong for features of `other`.
    ///
    /// Storage dtype and engine are not among them: they change digits, not meaning.
    pub fn difference(&self, other: &Source) -> Option<SourceDifference> {
        let (own, others) = apart(&self.recipe, &other.recipe);
        let pairs = [
            ("backbone", self.backbone.clone(), other.backbone.clone()),
            ("tap", self.tap.clone(), other.tap.clone()),
            ("network", self.network.to_string(), other.network.to_string()),
            ("weights", self.weights.to_string(), other.weights.to_string()),
            ("preprocessing", own, others),
        ];
        pairs
            .into_iter()
            .find(|(_, expected, got)| expected != got)
            .map(|(what, expected, got)| SourceDifference { what, expected, got })
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
