//! Classes of transformers' that compute what a head does. They read a dense layer and tanh of the first token, the tap `pooled`.
//!
//! No other class holds another head exactly. What reads the mean of all tokens, or the last of them, has no bias or a layer
//! between.

use super::feature::Feature;
use head::Head;
use network::{Network, Stored};
use std::collections::BTreeMap;
use weights::{Tensor, Tensors, WeightError};

/// A class, and where it keeps things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Native {
    pub(super) class: &'static str,
    /// The network.
    prefix: &'static str,
    /// Where it keeps the dense layer that is the network's own pooler here, where it has one in its place.
    pooler: Option<&'static str>,
    /// The dense layer that gives the logits.
    pub(super) classifier: &'static str,
}

/// By kinds of networks.
const ALL: [(&str, Native); 6] = [
    ("bert", Native::with_its_own("BertForSequenceClassification", "bert.")),
    ("albert", Native::with_its_own("AlbertForSequenceClassification", "albert.")),
    ("roberta", Native::new("RobertaForSequenceClassification", "roberta.")),
    ("xlm-roberta", Native::new("XLMRobertaForSequenceClassification", "roberta.")),
    ("camembert", Native::new("CamembertForSequenceClassification", "roberta.")),
    ("mpnet", Native::new("MPNetForSequenceClassification", "mpnet.")),
];

/// What a network calls it itself.
const POOLER: &str = "pooler.dense.";

impl Native {
    const fn with_its_own(class: &'static str, prefix: &'static str) -> Native {
        Native { class, prefix, pooler: None, classifier: "classifier" }
    }

    const fn new(class: &'static str, prefix: &'static str) -> Native {
        Native { class, prefix, pooler: Some("classifier.dense."), classifier: "classifier.out_proj" }
    }

    /// That of a linear head on `pooled` alone; `None` where there is none.
    pub(super) fn of(network: &Network, features: &[Feature], head: &Head) -> Option<Native> {
        let is_pooled = features.len() == 1 && features[0].tap == "pooled" && head.layers.len() == 1;
        let found = ALL.into_iter().find(|(kind, _)| is_pooled && *kind == network.name());
        found.map(|(_, native)| native)
    }

    /// Where it keeps what lies there in the network by itself.
    pub(super) fn place(self, own: Stored) -> Stored {
        match (own, self.pooler) {
            (Stored::As(name), Some(pooler)) if name.starts_with(POOLER) => {
                Stored::As(name.replacen(POOLER, pooler, 1))
            }
            (own, _) => own.below(self.prefix),
        }
    }

    /// The file of such a class as one of the network, whose pooler lies where the network has it.
    pub(super) fn with_pooler(self, file: &dyn Tensors) -> WithPooler<'_> {
        let own = format!("{}{POOLER}", self.prefix);
        let called = |name: &str| match self.pooler {
            Some(pooler) if name.starts_with(pooler) => name.replacen(pooler, &own, 1),
            _ => name.to_owned(),
        };
        let held = file.names().into_iter().map(|name| (called(name), name.to_owned())).collect();
        WithPooler { file, held }
    }
}

/// Tensors under other names.
pub(super) struct WithPooler<'a> {
    file: &'a dyn Tensors,
    /// By their names here, those in the file.
    held: BTreeMap<String, String>,
}

impl Tensors for WithPooler<'_> {
    fn label(&self) -> &str {
        self.file.label()
    }

    fn names(&self) -> Vec<&str> {
        self.held.keys().map(String::as_str).collect()
    }

    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.file.shape(self.held.get(name)?)
    }

    fn read(&self, name: &str) -> Result<Option<Tensor>, WeightError> {
        self.held.get(name).map_or(Ok(None), |name| self.file.read(name))
    }
}
