//! What features were computed by.

use input::Recipe;
use serde::{Deserialize, Serialize};
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
        let pairs = [
            ("backbone", self.backbone.clone(), other.backbone.clone()),
            ("tap", self.tap.clone(), other.tap.clone()),
            ("network", self.network.to_string(), other.network.to_string()),
            ("weights", self.weights.to_string(), other.weights.to_string()),
            ("preprocessing", describe(&self.recipe), describe(&other.recipe)),
        ];
        pairs
            .into_iter()
            .find(|(_, expected, got)| expected != got)
            .map(|(what, expected, got)| SourceDifference { what, expected, got })
    }
}

fn describe(recipe: &Recipe) -> String {
    serde_json::to_string(recipe).expect("plain data serialises")
}
