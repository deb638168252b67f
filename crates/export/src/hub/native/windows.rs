//! Swin Transformers as transformers has them.

use super::{
    super::{
        layout::Layout,
        seen::{Seen, same},
    },
    place,
};
use network::{Network, Op};
use serde_json::json;

pub(super) fn swin(network: &Network, (height, width): (usize, usize)) -> Option<Layout> {
    let seen = Seen(network);
    let stage = |i: usize| format!("features.{}", 2 * i + 1);
    let depths: Vec<usize> = (0..4).map(|i| seen.count(0, |block| format!("{}.{block}", stage(i)))).collect();
    let heads: Vec<usize> = (0..4)
        .map(|i| {
            let table = seen.shape(&format!("{}.0.attn.relative_position_bias_table", stage(i)))?;
            table.get(1).copied()
        })
        .collect::<Option<_>>()?;
    let window = same(seen.ops().filter_map(|op| match op {
        Op::WindowAttention { window, .. } => Some(*window),
        _ => None,
    }))?;
    let eps = same(seen.norms())?;
    // Its windows are shifted wherever they fit into a map; ours need maps that are whole windows.
    if height != width {
        return None;
    }
    let config = json!({
        "model_type": "swin",
        "architectures": ["SwinForImageClassification"],
        "image_size": height,
        "patch_size": 4,
        "embed_dim": seen.shape("features.0.0.weight")?[0],
        "depths": depths,
        "num_heads": heads,
        "window_size": window,
        "mlp_ratio": 4.0,
        "qkv_bias": true,
        "hidden_act": "gelu",
        "use_absolute_embeddings": false,
        "layer_norm_eps": eps,
    });
    let at = place("swin_t", 0, "swin.")?;
    Some(Layout::new("SwinForImageClassification", "transformers", config, at, "classifier"))
}
