//! MNASNet-B1 (Tan et al., 2018, figure 7), as torchvision builds it.

use super::Family;
use super::layers::{average_and_classify, multiple_of_8, replaced, residual};
use crate::entry::{bicubic, bilinear, entry, imagenet, timm};
use crate::{Builder, Conv, Dialect, Network, NodeId};

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        entry("mnasnet0_5", imagenet, |name| mnasnet(name, 10)),
        entry("mnasnet0_75", || bilinear(232, 224), |name| mnasnet(name, 15)),
        entry("mnasnet1_0", imagenet, |name| mnasnet(name, 20)),
        entry("mnasnet1_3", || bilinear(232, 224), |name| mnasnet(name, 26)),
        timm("mnasnet_100", &["rmsp_in1k"], || bicubic(256, 224), |name| mnasnet(name, 20)),
    ],
    // timm has none of 1.3.
    dialects: &[Dialect::timm(timm_name)
        .only_of(|name| name != "mnasnet1_3")
        .known_for(|name| name == "mnasnet_100")],
};

/// Output channels, side of the depthwise kernel, stride of the first, expansion, blocks.
const STACKS: [(usize, usize, usize, usize, usize); 6] = [
    (24, 3, 2, 3, 3),
    (40, 5, 2, 3, 3),
    (80, 5, 2, 6, 3),
    (96, 3, 1, 6, 2),
    (192, 5, 2, 6, 4),
    (320, 3, 1, 6, 1),
];

/// The network of `twentieths` of the paper's channels. Taps: `pooled` and `gap` (one and the same, 1280), `layers.8` to
/// `layers.13`, `logits`.
pub fn mnasnet(name: &str, twentieths: usize) -> Network {
    let scaled = |channels: usize| multiple_of_8(channels * twentieths, 20);
    let mut net = Builder::image();
    let input = net.input();
    let stem = scaled(32);
    let x = conv_bn(&mut net, "layers", 0, input, Conv::new(stem, 3).stride(2));
    let x = net.relu("layers.2", x);
    let x = conv_bn(&mut net, "layers", 3, x, Conv::new(stem, 3).groups(stem));
    let x = net.relu("layers.5", x);
    let mut x = conv_bn(&mut net, "layers", 6, x, Conv::new(scaled(16), 1));
    for ((out, kernel, stride, expansion, blocks), stack) in STACKS.into_iter().zip(8..) {
        let stack = format!("layers.{stack}");
        for block in 0..blocks {
            let at = format!("{stack}.{block}");
            let depthwise = Conv::new(net.width(x) * expansion, kernel);
            let depthwise = depthwise.stride(if block == 0 { stride } else { 1 });
            x = inverted_residual(&mut net, &at, x, depthwise, scaled(out));
        }
        net.module(&stack, x);
        net.tap(&stack, x);
    }
    let x = conv_bn(&mut net, "layers", 14, x, Conv::new(1280, 1));
    let x = net.relu("layers.16", x);
    net.module("layers", x);
    let logits = average_and_classify(&mut net, x, "classifier.1");
    net.module("classifier", logits);
    net.finish(name, logits)
}

/// Expand by 1×1, `depthwise`, project by 1×1, and a shortcut where nothing changes size.
fn inverted_residual(net: &mut Builder, at: &str, x: NodeId, depthwise: Conv, out: usize) -> NodeId {
    let (inside, wide) = (format!("{at}.layers"), depthwise.out);
    let y = conv_bn(net, &inside, 0, x, Conv::new(wide, 1));
    let y = net.relu(&format!("{inside}.2"), y);
    let y = conv_bn(net, &inside, 3, y, depthwise.groups(wide));
    let y = net.relu(&format!("{inside}.5"), y);
    let y = conv_bn(net, &inside, 6, y, Conv::new(out, 1));
    residual(net, at, "layers", x, y, depthwise.stride)
}

/// A convolution and its batch norm, numbered from `first` on.
fn conv_bn(net: &mut Builder, inside: &str, first: usize, x: NodeId, conv: Conv) -> NodeId {
    net.conv_bn(&format!("{inside}.{first}"), &format!("{inside}.{}", first + 1), x, conv)
}

/// timm's name of a parameter.
pub fn timm_name(param: &str) -> String {
    let place = |param: &str| -> Option<String> {
        let (stack, rest) = param.strip_prefix("layers.")?.split_once('.')?;
        let stage = stack.parse::<usize>().ok()?.checked_sub(7)?;
        let (block, part) = rest.split_once(".layers.")?;
        let (at, weight) = part.split_once('.')?;
        let layers =
            [("0", "conv_pw"), ("1", "bn1"), ("3", "conv_dw"), ("4", "bn2"), ("6", "conv_pwl"), ("7", "bn3")];
        let (_, layer) = layers.iter().find(|(ours, _)| *ours == at)?;
        Some(format!("blocks.{stage}.{block}.{layer}.{weight}"))
    };
    let ends = [
        ("layers.0.", "conv_stem."),
        ("layers.1.", "bn1."),
        ("layers.3.", "blocks.0.0.conv_dw."),
        ("layers.4.", "blocks.0.0.bn1."),
        ("layers.6.", "blocks.0.0.conv_pw."),
        ("layers.7.", "blocks.0.0.bn2."),
        ("layers.14.", "conv_head."),
        ("layers.15.", "bn2."),
        ("classifier.1.", "classifier."),
    ];
    place(param).unwrap_or_else(|| replaced(param, &ends))
}
