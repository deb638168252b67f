//! How another library holds a network: which class of its, what that is told, and where each tensor goes.

use super::tensors::Written;
use network::{Network, Stored};
use serde_json::{Map, Value};

/// A network as another library holds it.
pub(crate) struct Layout {
    /// The class that opens the folder: `ViTForImageClassification`.
    pub(crate) class: &'static str,
    /// The library whose class that is: `transformers`, `timm` or `torchvision`.
    pub(crate) library: &'static str,
    /// What its configuration says of the network, without classes.
    pub(crate) config: Map<String, Value>,
    /// Where a parameter of ours is kept.
    pub(crate) place: Box<dyn Fn(&str) -> Stored>,
    /// The shape of a tensor of that name, where it is not ours.
    pub(crate) shape: fn(&str, &[usize]) -> Option<Vec<usize>>,
    /// The dense layer that gives the logits, without `.weight`.
    pub(crate) classifier: String,
    /// Whether that is a convolution of 1×1.
    pub(crate) convolves: bool,
    /// The taps that it reads, side by side. A head that reads fewer has zeros for the others.
    pub(crate) reads: Vec<String>,
    /// Tensors that the library has and we do not, all zeros: name and shape.
    pub(crate) zeros: Vec<(String, Vec<usize>)>,
    /// Whether the class has a position for a token of ours that has none.
    pub(crate) places_class: bool,
    /// Tensors that the library has and that follow from the network.
    pub(crate) derived: fn(&Network) -> Vec<(String, Written)>,
    /// Whether the class lies in the folder, so that transformers has to be allowed to run it.
    pub(crate) needs_trust: bool,
}

impl Layout {
    /// With our own shapes, and a classifier on `pooled`.
    pub(crate) fn new(
        class: &'static str,
        library: &'static str,
        config: Value,
        place: impl Fn(&str) -> Stored + 'static,
        classifier: &str,
    ) -> Layout {
        let config = match config {
            Value::Object(config) => config,
            _ => Map::new(),
        };
        Layout {
            class,
            library,
            config,
            place: Box::new(place),
            shape: |_, _| None,
            classifier: classifier.to_owned(),
            convolves: false,
            reads: vec!["pooled".to_owned()],
            zeros: Vec::new(),
            places_class: false,
            derived: |_| Vec::new(),
            needs_trust: false,
        }
    }
}
