//! Networks that timm builds, which transformers opens by its wrapper.

use super::layout::Layout;
use network::{
    Network, Op,
    zoo::{self, Entry},
};
use serde_json::{Map, Value, json};

/// How timm holds a network of the zoo for pictures of that height and width; `None` where it does not exactly.
pub(crate) fn layout(entry: &Entry, network: &Network, size: (usize, usize)) -> Option<Layout> {
    let (architecture, dialect) = zoo::in_timm(entry)?;
    let (own, size_now) = (entry.input_size()?, (u32::try_from(size.0).ok()?, u32::try_from(size.1).ok()?));
    let is_own_size = own == size_now;
    // It pads as its pictures' size asks, and our graph is that of one size.
    let pads = architecture.starts_with("tf_");
    // Its first dense layer is a convolution over the whole map.
    let is_wide = architecture.starts_with("vgg") && (size.0 / 32, size.1 / 32) != (7, 7);
    if (pads && !is_own_size) || is_wide {
        return None;
    }
    let mut arguments = Map::new();
    if network.nodes().iter().any(|node| matches!(node.op, Op::Tokens { .. })) && !is_own_size {
        arguments.insert("img_size".to_owned(), json!([size.0, size.1]));
    }
    let mut config = json!({
        "architecture": architecture,
        "model_type": "timm_wrapper",
        "architectures": ["TimmWrapperForImageClassification"],
    });
    if !arguments.is_empty() {
        config["model_args"] = Value::Object(arguments);
    }
    let classifier = classifier(&entry.network()).map(|name| dialect.place(&format!("{name}.weight")));
    let classifier = classifier.and_then(|place| {
        let name = place.names().first().and_then(|name| name.strip_suffix(".weight"))?;
        Some(name.to_owned())
    });
    let at = move |param: &str| dialect.place(param);
    // What has no classifier of its own is a Vision Transformer.
    let classifier = classifier.unwrap_or_else(|| "head".to_owned());
    Some(Layout {
        shape: |name, ours| match ours {
            // The same numbers as convolutions over the whole map, and over one place.
            [out, inputs] if name == "pre_logits.fc1.weight" => Some(vec![*out, inputs / 49, 7, 7]),
            [out, inputs] if name == "pre_logits.fc2.weight" => Some(vec![*out, *inputs, 1, 1]),
            _ => None,
        },
        ..Layout::new("TimmWrapperForImageClassification", "timm", config, at, &classifier)
    })
}

/// The dense layer that reads `pooled`, of the whole network.
fn classifier(network: &Network) -> Option<String> {
    let pooled = network.resolve("pooled").ok()?;
    let reads = network
        .nodes()
        .iter()
        .find(|node| matches!(node.op, Op::Linear { .. }) && node.inputs == [pooled])?;
    let Op::Linear { weight, .. } = reads.op else { return None };
    network.param(weight).name.strip_suffix(".weight").map(str::to_owned)
}
