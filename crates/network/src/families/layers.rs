//! Layers that several families share, under torchvision's names.

use crate::{Activation, Builder, Conv, NodeId, Pair};

/// A convolution `name.0`, its batch norm `name.1`, and `name.2` where there is an activation (`Conv2dNormActivation`).
pub(super) fn conv_bn_act(
    net: &mut Builder,
    name: &str,
    x: NodeId,
    conv: Conv,
    activation: Option<Activation>,
) -> NodeId {
    let mut x = net.conv_bn(&format!("{name}.0"), &format!("{name}.1"), x, conv);
    if let Some(function) = activation {
        x = net.activation(&format!("{name}.2"), x, function);
    }
    net.module(name, x);
    x
}

/// A convolution `name.conv`, its batch norm `name.bn`, and a ReLU, which is called as the whole (`BasicConv2d`).
pub(super) fn conv_bn_relu(net: &mut Builder, name: &str, x: NodeId, conv: Conv) -> NodeId {
    let x = net.conv_bn(&format!("{name}.conv"), &format!("{name}.bn"), x, conv);
    net.relu(name, x)
}

/// The end of AlexNet and VGG: means of `side`² places, and three dense layers with ReLUs between them. These five are called
/// `classifier.N`, by the places that are given. Gives what the first dense layer reads, then `fc6`, `fc7` and the logits. Taps:
/// `gap`, `fc7` and `pooled` (one and the same), `logits`.
pub(super) fn dense_classifier(net: &mut Builder, x: NodeId, side: usize, places: [usize; 5]) -> [NodeId; 4] {
    let [fc6_at, relu6, fc7_at, relu7, last] = places.map(|place| format!("classifier.{place}"));
    let gap = net.global_average_pool("gap", x);
    let cells = net.adaptive_average_pool("avgpool", x, side);
    let flat = net.flatten("flatten", cells);
    let fc6 = net.linear(&fc6_at, flat, 4096);
    let fc6 = net.relu(&relu6, fc6);
    let fc7 = net.linear(&fc7_at, fc6, 4096);
    let fc7 = net.relu(&relu7, fc7);
    let logits = net.linear(&last, fc7, 1000);
    for (name, node) in [("gap", gap), ("fc7", fc7), ("pooled", fc7), ("logits", logits)] {
        net.tap(name, node);
    }
    [flat, fc6, fc7, logits]
}

/// Squeeze and excite (Hu et al., 2018, section 3): each channel times what two 1×1 convolutions make of all channels'
/// means, with `squeeze` channels between them. `functions` come after the first and the second.
pub(super) fn squeeze_excite(
    net: &mut Builder,
    name: &str,
    x: NodeId,
    squeeze: usize,
    functions: [Activation; 2],
) -> NodeId {
    let channels = net.width(x);
    let means = net.adaptive_average_pool(&format!("{name}.avgpool"), x, 1);
    let y = net.conv(&format!("{name}.fc1"), means, Conv::new(squeeze, 1).bias());
    let y = net.activation(&format!("{name}.activation"), y, functions[0]);
    let y = net.conv(&format!("{name}.fc2"), y, Conv::new(channels, 1).bias());
    let gates = net.activation(&format!("{name}.scale_activation"), y, functions[1]);
    net.gate(name, x, gates)
}

/// Expand by 1×1, a depthwise convolution, squeeze and excite, project by 1×1, and a shortcut where nothing changes size
/// (Howard et al., 2019, figure 4).
#[derive(Clone, Copy, Debug)]
pub(super) struct InvertedResidual {
    /// Side of the depthwise kernel.
    pub(super) kernel: usize,
    /// Channels inside; where the input has as many, there is no expansion.
    pub(super) expanded: usize,
    /// Channels after.
    pub(super) out: usize,
    /// Step of the depthwise convolution.
    pub(super) stride: usize,
    /// Channels that squeeze and excite squeezes to, where there is one.
    pub(super) squeeze: Option<usize>,
    /// After every convolution but the last.
    pub(super) activation: Activation,
    /// Those of squeeze and excite.
    pub(super) gate: [Activation; 2],
}

impl InvertedResidual {
    /// Its parts are numbered through as `at.block.0`, `at.block.1` …
    pub(super) fn build(self, net: &mut Builder, at: &str, x: NodeId) -> NodeId {
        let InvertedResidual { kernel, expanded, out, stride, squeeze, activation, gate } = self;
        let inputs = net.width(x);
        let mut part = 0..;
        let mut next = || format!("{at}.block.{}", part.next().unwrap_or_default());
        let mut y = x;
        if expanded != inputs {
            y = conv_bn_act(net, &next(), y, Conv::new(expanded, 1), Some(activation));
        }
        let depthwise = Conv::new(expanded, kernel).stride(stride).groups(expanded);
        y = conv_bn_act(net, &next(), y, depthwise, Some(activation));
        if let Some(squeeze) = squeeze {
            y = squeeze_excite(net, &next(), y, squeeze, gate);
        }
        y = conv_bn_act(net, &next(), y, Conv::new(out, 1), None);
        residual(net, at, "block", x, y, stride)
    }
}

/// Ends the block `at`, whose module `inside` made `y` of `x`: their sum where nothing changed size, else `y`.
pub(super) fn residual(
    net: &mut Builder,
    at: &str,
    inside: &str,
    x: NodeId,
    y: NodeId,
    stride: impl Into<Pair>,
) -> NodeId {
    net.module(&format!("{at}.{inside}"), y);
    if stride.into() == Pair::ONE && net.width(x) == net.width(y) {
        return net.add(at, x, y);
    }
    net.module(at, y);
    y
}

/// Two dense layers with an activation between them; `names` are theirs, the activation's in the middle.
pub(super) fn mlp(
    net: &mut Builder,
    [first, middle, last]: [impl AsRef<str>; 3],
    x: NodeId,
    hidden: usize,
    function: Activation,
) -> NodeId {
    let out = net.width(x);
    let y = net.linear(first.as_ref(), x, hidden);
    let y = net.activation(middle.as_ref(), y, function);
    net.linear(last.as_ref(), y, out)
}

/// The usual end: the last map's mean, tapped as `pooled` and `gap`, and a dense layer `classifier` to 1000 `logits`.
pub(super) fn average_and_classify(net: &mut Builder, x: NodeId, classifier: &str) -> NodeId {
    let pooled = net.global_average_pool("avgpool", x);
    net.tap("pooled", pooled);
    net.tap("gap", pooled);
    let logits = net.linear(classifier, pooled, 1000);
    net.tap("logits", logits);
    logits
}

/// The nearest multiple of 8 that is not more than a tenth below `channels` / `parts`, as every MobileNet rounds.
pub(super) fn multiple_of_8(channels: usize, parts: usize) -> usize {
    let nearest = ((channels + 4 * parts) / (8 * parts) * 8).max(8);
    if 10 * nearest * parts < 9 * channels { nearest + 8 } else { nearest }
}

/// A name with every `from` in it replaced by its `to`.
pub(super) fn replaced(name: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(name.to_owned(), |name, (from, to)| name.replace(from, to))
}

/// What TensorFlow pads (`SAME`) before a step of 2 over a map of that side, above, before, below and behind.
pub(super) fn step_padding(kernel: usize, side: usize) -> [usize; 4] {
    let (before, after) = ((kernel - 1 - usize::from(side.is_multiple_of(2))) / 2, kernel / 2);
    [before, before, after, after]
}
