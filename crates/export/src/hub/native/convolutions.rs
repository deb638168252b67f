//! `ResNet`, `RegNet` and `ConvNeXt` as transformers has them.

use super::{
    super::{
        layout::Layout,
        seen::{Seen, same},
    },
    place,
};
use network::{Network, Op};
use serde_json::json;

pub(super) fn residual(network: &Network) -> Option<Layout> {
    let seen = Seen(network);
    let is_bottleneck = seen.has("layer1.0.conv3.weight");
    let last = if is_bottleneck { "conv3" } else { "conv2" };
    let mut depths = [0; 4];
    let mut widths = [0; 4];
    for stage in 0..4 {
        let layer = format!("layer{}", stage + 1);
        depths[stage] = seen.count(0, |block| format!("{layer}.{block}"));
        widths[stage] = seen.shape(&format!("{layer}.0.{last}.weight"))?[0];
        let inside = seen.shape(&format!("{layer}.0.conv1.weight"))?[0];
        let expected = if is_bottleneck { widths[stage] / 4 } else { widths[stage] };
        if inside != expected {
            return None;
        }
    }
    let is_grouped = seen.ops().any(|op| matches!(op, Op::Conv { groups, .. } if *groups != 1));
    let pools = seen.ops().any(|op| matches!(op, Op::MaxPool(_)));
    if is_grouped || !pools || seen.shape("conv1.weight")? != [64, 3, 7, 7] {
        return None;
    }
    let config = json!({
        "model_type": "resnet",
        "architectures": ["ResNetForImageClassification"],
        "embedding_size": 64,
        "hidden_sizes": widths,
        "depths": depths,
        "layer_type": if is_bottleneck { "bottleneck" } else { "basic" },
        "hidden_act": "relu",
        "downsample_in_first_stage": false,
        "downsample_in_bottleneck": false,
    });
    let at = place("resnet50", 0, "resnet.")?;
    Some(Layout::new("ResNetForImageClassification", "transformers", config, at, "classifier.1"))
}

pub(super) fn reg(network: &Network) -> Option<Layout> {
    let seen = Seen(network);
    let excites = network.params().iter().any(|param| param.name.contains(".f.se."));
    let (mut depths, mut widths, mut inside) = ([0; 4], [0; 4], [0; 4]);
    for stage in 0..4 {
        let block = format!("block{}", stage + 1);
        let at = |i: usize| format!("trunk_output.{block}.{block}-{i}");
        depths[stage] = seen.count(0, at);
        let shape = seen.shape(&format!("{}.f.b.0.weight", at(0)))?;
        (widths[stage], inside[stage]) = (shape[0], shape[1]);
    }
    // A stage that is narrower than a group is a group by itself.
    let group = inside.into_iter().max()?;
    if (0..4).any(|stage| (widths[stage] / group).max(1) != widths[stage] / inside[stage]) {
        return None;
    }
    let config = json!({
        "model_type": "regnet",
        "architectures": ["RegNetForImageClassification"],
        "embedding_size": seen.shape("stem.0.weight")?[0],
        "hidden_sizes": widths,
        "depths": depths,
        "groups_width": group,
        "layer_type": if excites { "y" } else { "x" },
        "hidden_act": "relu",
        "downsample_in_first_stage": true,
    });
    let at = place("regnet_y_400mf", usize::from(excites), "regnet.")?;
    Some(Layout::new("RegNetForImageClassification", "transformers", config, at, "classifier.1"))
}

pub(super) fn convnext(network: &Network) -> Option<Layout> {
    let seen = Seen(network);
    let responds = seen.ops().any(|op| matches!(op, Op::ResponseNorm { .. }));
    let (mut depths, mut widths) = ([0; 4], [0; 4]);
    for stage in 0..4 {
        let at = format!("features.{}", 2 * stage + 1);
        depths[stage] = seen.count(0, |block| format!("{at}.{block}"));
        widths[stage] = seen.shape(&format!("{at}.0.block.0.weight"))?[0];
    }
    let norms: Vec<f64> = seen.norms().collect();
    let (last, others) = norms.split_last()?;
    // The last alone follows the configuration.
    if same(others)? != &1e-6 {
        return None;
    }
    let (kind, class, prefix) = if responds {
        ("convnextv2", "ConvNextV2ForImageClassification", "convnextv2.")
    } else {
        ("convnext", "ConvNextForImageClassification", "convnext.")
    };
    let config = json!({
        "model_type": kind,
        "architectures": [class],
        "num_stages": 4,
        "patch_size": 4,
        "hidden_sizes": widths,
        "depths": depths,
        "hidden_act": "gelu",
        "layer_norm_eps": last,
    });
    let at = place("convnext_tiny", 0, prefix)?;
    Some(Layout {
        shape: |name, ours| match ours {
            [channels, 1, 1] if name.ends_with(".layer_scale_parameter") => Some(vec![*channels]),
            [channels] if name.contains(".grn.") => Some(vec![1, 1, 1, *channels]),
            _ => None,
        },
        ..Layout::new(class, "transformers", config, at, "classifier")
    })
}
