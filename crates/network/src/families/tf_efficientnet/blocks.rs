//! What `EfficientNet`'s networks are made of, under timm's names.

use crate::families::layers::step_padding;
use crate::{Activation, Builder, Conv, NodeId};
use Activation::{Relu6, Sigmoid, Silu};

/// One block's surroundings.
#[derive(Clone, Copy)]
pub(super) struct Block {
    /// Channels inside for each that it reads.
    pub(super) expansion: usize,
    /// Side of the wide convolution's kernel.
    pub(super) kernel: usize,
    /// Of that convolution.
    pub(super) stride: usize,
    /// Channels that it gives.
    pub(super) out: usize,
    /// Of the map that it reads, where padding is TensorFlow's.
    pub(super) side: Option<usize>,
    /// Without squeeze and excite, and with ReLU6.
    pub(super) lite: bool,
}

impl Block {
    /// Expand, a depthwise convolution, squeeze and excite, project; a shortcut where nothing changes size.
    pub(super) fn build(self, net: &mut Builder, at: &str, x: NodeId) -> NodeId {
        let part = |name: &str| format!("{at}.{name}");
        let function = activation(self.lite);
        let inputs = net.width(x);
        let inside = inputs * self.expansion;
        let depthwise = step(Conv::new(inside, self.kernel).groups(inside), self.stride, self.side);
        let mut y = x;
        let norms = if self.expansion == 1 {
            ["bn1", "bn2"]
        } else {
            y = conv_bn_act(net, [&part("conv_pw"), &part("bn1")], y, Conv::new(inside, 1), function);
            ["bn2", "bn3"]
        };
        y = conv_bn_act(net, [&part("conv_dw"), &part(norms[0])], y, depthwise, function);
        if !self.lite {
            y = squeeze_excite(net, &part("se"), y, inputs / 4);
        }
        let last = part(if self.expansion == 1 { "conv_pw" } else { "conv_pwl" });
        y = net.conv_bn(&last, &part(norms[1]), y, Conv::new(self.out, 1));
        self.end(net, at, x, y)
    }

    /// Expansion and depthwise convolution in one (Tan & Le, 2021, figure 2); without expansion there is no projection.
    pub(super) fn fused(self, net: &mut Builder, at: &str, x: NodeId) -> NodeId {
        let part = |name: &str| format!("{at}.{name}");
        let inside = net.width(x) * self.expansion;
        let wide = |out: usize| step(Conv::new(out, self.kernel), self.stride, self.side);
        let y = if self.expansion == 1 {
            conv_bn_act(net, [&part("conv"), &part("bn1")], x, wide(self.out), Silu)
        } else {
            let y = conv_bn_act(net, [&part("conv_exp"), &part("bn1")], x, wide(inside), Silu);
            net.conv_bn(&part("conv_pwl"), &part("bn2"), y, Conv::new(self.out, 1))
        };
        self.end(net, at, x, y)
    }

    fn end(self, net: &mut Builder, at: &str, x: NodeId, y: NodeId) -> NodeId {
        if self.stride == 1 && net.width(x) == self.out {
            return net.add(at, x, y);
        }
        net.module(at, y);
        y
    }
}

/// That of every layer but the last of a block.
pub(super) fn activation(lite: bool) -> Activation {
    if lite { Relu6 } else { Silu }
}

/// A convolution, its batch norm and an activation, which timm has as a module `act` inside of the norm.
pub(super) fn conv_bn_act(
    net: &mut Builder,
    [conv, norm]: [impl AsRef<str>; 2],
    x: NodeId,
    what: Conv,
    function: Activation,
) -> NodeId {
    let x = net.conv_bn(conv.as_ref(), norm.as_ref(), x, what);
    net.activation(&format!("{}.act", norm.as_ref()), x, function)
}

/// As in [`layers`](crate::families::layers), under timm's names.
fn squeeze_excite(net: &mut Builder, at: &str, x: NodeId, squeeze: usize) -> NodeId {
    let part = |name: &str| format!("{at}.{name}");
    let channels = net.width(x);
    let means = net.adaptive_average_pool(&part("mean"), x, 1);
    let y = net.conv(&part("conv_reduce"), means, Conv::new(squeeze, 1).bias());
    let y = net.activation(&part("act1"), y, Silu);
    let y = net.conv(&part("conv_expand"), y, Conv::new(channels, 1).bias());
    let gates = net.activation(&part("gate"), y, Sigmoid);
    net.gate(at, x, gates)
}

/// A convolution with that step over a map of that side.
pub(super) fn step(conv: Conv, stride: usize, side: Option<usize>) -> Conv {
    match side {
        Some(side) if stride == 2 => conv.stride(2).pad(step_padding(conv.kernel.y, side)),
        _ => conv.stride(stride),
    }
}
