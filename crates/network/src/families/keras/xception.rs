//! Xception (Chollet, 2016), as Keras builds it. Padding is that of 299×299.

use super::{DIALECTS, average_and_predict, recipes, step_padding};
use crate::entry::keras;
use crate::families::Family;
use crate::{Builder, Conv, Network, NodeId, Pool};

pub(super) static FAMILY: Family =
    Family { networks: &[keras("keras_xception", || recipes::centred(299), xception)], dialects: DIALECTS };

/// Taps: `pooled` and `gap` (one and the same), `block2` to `block14`, `logits`.
fn xception(name: &str) -> Network {
    let mut net = Builder::image();
    net.set_batch_norm_eps(1e-3);
    let input = net.input();
    let x = net.conv_bn("block1_conv1", "block1_conv1_bn", input, Conv::new(32, 3).stride(2).pad(0));
    let x = net.relu("block1_conv1_act", x);
    let x = net.conv_bn("block1_conv2", "block1_conv2_bn", x, Conv::new(64, 3).pad(0));
    let mut x = net.relu("block1_conv2_act", x);
    // Shortcuts have no names of their own: Keras counts them. The last number is the side of the map.
    for (n, (block, widths, side)) in
        [(2, [128; 2], 147), (3, [256; 2], 74), (4, [728; 2], 37)].into_iter().enumerate()
    {
        x = step(&mut net, n, block, x, widths, side);
    }
    for block in 5..13 {
        let shortcut = x;
        for i in 1..=3 {
            x = net.relu(&format!("block{block}_sepconv{i}_act"), x);
            x = separable(&mut net, &format!("block{block}_sepconv{i}"), x, 728);
        }
        x = net.add(&format!("block{block}"), x, shortcut);
        net.tap(&format!("block{block}"), x);
    }
    x = step(&mut net, 3, 13, x, [728, 1024], 19);
    for (i, out) in [(1, 1536), (2, 2048)] {
        x = separable(&mut net, &format!("block14_sepconv{i}"), x, out);
        x = net.relu(&format!("block14_sepconv{i}_act"), x);
    }
    net.tap("block14", x);
    let logits = average_and_predict(&mut net, x);
    net.finish(name, logits)
}

/// Two separable convolutions and a pool that halves, and a shortcut, the `n`-th.
fn step(net: &mut Builder, n: usize, block: usize, x: NodeId, widths: [usize; 2], side: usize) -> NodeId {
    let out = widths[1];
    let (conv, norm) = (format!("conv2d_{n}"), format!("batch_normalization_{n}"));
    let shortcut = net.conv_bn(&conv, &norm, x, Conv::new(out, 1).stride(2));
    let mut y = x;
    for (i, width) in (1..).zip(widths) {
        // The second block begins after a ReLU.
        if block > 2 || i > 1 {
            y = net.relu(&format!("block{block}_sepconv{i}_act"), y);
        }
        y = separable(net, &format!("block{block}_sepconv{i}"), y, width);
    }
    y = net.max_pool(&format!("block{block}_pool"), y, Pool::new(3, 2).pad(step_padding(3, side)));
    let y = net.add(&format!("block{block}"), y, shortcut);
    net.tap(&format!("block{block}"), y);
    y
}

/// A depthwise 3×3 convolution and then a 1×1, with one batch norm.
fn separable(net: &mut Builder, at: &str, x: NodeId, out: usize) -> NodeId {
    let channels = net.width(x);
    let x = net.conv(&format!("{at}.depthwise"), x, Conv::new(channels, 3).groups(channels));
    let x = net.conv_bn(&format!("{at}.pointwise"), &format!("{at}_bn"), x, Conv::new(out, 1));
    net.module(at, x);
    x
}
