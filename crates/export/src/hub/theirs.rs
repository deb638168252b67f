//! A network as a class of another library's, whose classifier is the head.

use super::{
    code,
    layout::Layout,
    native,
    prepare::Prepared,
    tensors,
    tensors::{Tensors, Written},
    timm, torch,
};
use crate::backbone::taps;
use anyhow::{Context, Result, bail};
use head::Head;
use input::image::Preprocessing;
use network::zoo;
use store::Place;
use weights::{Bound, Dense, Tensor};

/// How another library holds the network, and what it makes of pictures.
pub(super) struct Theirs {
    pub(super) layout: Layout,
    pub(super) prepared: Prepared,
    /// The head's taps, in its order, as the layout calls what its classifier reads.
    pub(super) taps: Vec<String>,
}

impl Theirs {
    /// `torchvision`: as a state dictionary of torchvision's, and not as on the hub.
    ///
    /// # Errors
    /// Where no class computes the same, or pictures cannot be made as the recipe says.
    pub(super) fn of(
        torchvision: bool,
        head: &Head,
        name: &str,
        how: &Preprocessing,
        bound: &Bound,
        size: (usize, usize),
    ) -> Result<Theirs> {
        only_layer(head)?;
        let layout = layout_of(torchvision, name, bound, size)?;
        let taps = taps_read(head, name, bound, &layout)?;
        let prepared = Prepared::of(how, layout.library == "transformers")?;
        Ok(Theirs { layout, prepared, taps })
    }

    /// Writes the tensors of the network and of the head, for pictures of that height and width. `like`: a file with the
    /// permissions that they get.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub(super) fn write(
        &self,
        place: &Place,
        like: &str,
        head: &Head,
        bound: Bound,
        (height, width): (usize, usize),
    ) -> Result<()> {
        if self.layout.needs_trust {
            code::write(place, torch::CLASS_TEXT)?;
        }
        let network = bound.network().clone();
        let widths = network.widths(height, width)?;
        let mut tensors = tensors::placed(bound, &self.layout)?;
        tensors.extend((self.layout.derived)(&network));
        self.add_classifier(&mut tensors, only_layer(head)?, &widths);
        tensors::write(&tensors, place, like)
    }

    /// The head's layer as the classifier, with zeros for what the head does not read. `widths`: of the head's taps.
    fn add_classifier(&self, tensors: &mut Tensors, layer: &Dense, widths: &[usize]) {
        let mut weight = Vec::new();
        for row in layer.weight.chunks(layer.inputs) {
            for read in &self.layout.reads {
                match self.taps.iter().position(|tap| tap == read) {
                    Some(at) => {
                        let start: usize = widths[..at].iter().sum();
                        weight.extend(&row[start..][..widths[at]]);
                    }
                    None => weight.extend(std::iter::repeat_n(0.0, widths[0])),
                }
            }
        }
        let mut shape = vec![layer.outputs, weight.len() / layer.outputs];
        if self.layout.convolves {
            shape.extend([1, 1]);
        }
        let name = |part: &str| format!("{}.{part}", self.layout.classifier);
        tensors.insert(name("weight"), Written::Floats(Tensor { shape, data: weight }));
        let bias = Tensor { shape: vec![layer.outputs], data: layer.bias.clone() };
        tensors.insert(name("bias"), Written::Floats(bias));
    }
}

/// The head's one dense layer.
fn only_layer(head: &Head) -> Result<&Dense> {
    match head.layers.as_slice() {
        [layer] => Ok(layer),
        layers => bail!(
            "the head has {} dense layers, and other libraries' classifiers are one; fit --head linear, or export --to onnx or --to safetensors",
            layers.len()
        ),
    }
}

/// How the library holds the network.
fn layout_of(torchvision: bool, name: &str, bound: &Bound, size: (usize, usize)) -> Result<Layout> {
    let entry = zoo::find(name).ok();
    let is_kerass = entry.is_some_and(|entry| entry.home == "Keras");
    let found = match torchvision {
        true => entry.and_then(|entry| torch::layout(entry, size)),
        false if is_kerass => None,
        false => native::layout(bound.network(), size)
            .or_else(|| entry.and_then(|entry| timm::layout(entry, bound.network(), size)))
            .or_else(|| entry.and_then(|entry| torch::in_own_class(entry, size))),
    };
    let whose = match torchvision {
        true => "torchvision does not build, or not load,",
        false => "none of transformers, timm and torchvision builds",
    };
    found.with_context(|| {
        let (height, width) = size;
        format!(
            "{whose} {name} for pictures of {height}×{width} as it is here; --to onnx and --to safetensors hold it, and --to keras where it is convolutional"
        )
    })
}

/// The head's taps as the classifier calls what it reads.
fn taps_read(head: &Head, name: &str, bound: &Bound, layout: &Layout) -> Result<Vec<String>> {
    let network = bound.network();
    let called = |output| layout.reads.iter().find(|read| network.resolve(read).ok() == Some(output));
    let found: Option<Vec<String>> =
        network.outputs().iter().map(|output| called(*output).cloned()).collect();
    match found {
        Some(found) if (1..found.len()).all(|i| !found[..i].contains(&found[i])) => Ok(found),
        _ => bail!(
            "the head reads `{}` of {name}, and the classifier of {} reads {}; extract that, or export --to onnx or --to safetensors",
            taps(head),
            layout.class,
            layout.reads.iter().map(|tap| format!("`{tap}`")).collect::<Vec<_>>().join(" and ")
        ),
    }
}
