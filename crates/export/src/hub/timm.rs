//! Networks that timm builds, which transformers opens by its wrapper.

use super::layout::Layout;
use network::{
    Network, Op, as_written,
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
    // timm's own may have another, as MobileNetV3 has.
    let theirs = zoo::find_timms(architecture).ok().map(zoo::built_by_timm);
    let default = theirs.and_then(|network| network.batch_norm_eps());
    if let Some(eps) = network.batch_norm_eps().filter(|eps| default != Some(*eps)) {
        arguments.insert("bn_eps".to_owned(), as_written(eps).into());
    }
    let mut config = json!({
        "architecture": architecture,
        "model_type": "timm_wrapper",
        "architectures": ["TimmWrapperForImageClassification"],
    });
    if !arguments.is_empty() {
        config["model_args"] = Value::Object(arguments);
    }
    let found = classifier(&entry.network()).and_then(|(name, reads)| {
        let place = dialect.place(&format!("{name}.weight"));
        let name = place.names().first().and_then(|name| name.strip_suffix(".weight"))?.to_owned();
        Some((name, reads))
    });
    let at = move |param: &str| dialect.place(param);
    // What has no classifier of its own is a Vision Transformer.
    let (classifier, reads) = found.unwrap_or_else(|| ("head".to_owned(), "pooled".to_owned()));
    Some(Layout {
        reads: vec![reads],
        shape: |name, ours| match ours {
            // The same numbers as convolutions over the whole map, and over one place.
            [out, inputs] if name == "pre_logits.fc1.weight" => Some(vec![*out, inputs / 49, 7, 7]),
            [out, inputs] if ["pre_logits.fc2.weight", "conv_head.weight"].contains(&name) => {
                Some(vec![*out, *inputs, 1, 1])
            }
            _ => None,
        },
        ..Layout::new("TimmWrapperForImageClassification", "timm", config, at, &classifier)
    })
}

/// The last dense layer of the whole network, and what it reads: `pooled`, or what that is called that comes after it.
fn classifier(network: &Network) -> Option<(String, String)> {
    let logits = network.node(network.resolve("logits").ok()?);
    let Op::Linear { weight, .. } = logits.op else { return None };
    let name = network.param(weight).name.strip_suffix(".weight")?.to_owned();
    let read = *logits.inputs.first()?;
    let reads = match network.resolve("pooled") {
        Ok(pooled) if pooled == read => "pooled",
        _ => &network.node(read).name,
    };
    Some((name, reads.to_owned()))
}
