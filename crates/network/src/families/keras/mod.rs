//! Keras' applications, where their graphs are not torchvision's. Nodes bear the names of Keras' layers.

mod densenet;
mod efficientnet;
mod inception_v3;
mod mobilenet;
mod place;
mod recipes;
mod resnet;
mod xception;

pub(crate) use place::{kept, place};
pub(crate) use recipes::caffe;

use super::Family;
use crate::{Builder, Dialect, NodeId};

/// Those that are known by name.
pub(crate) static FAMILIES: [&Family; 6] = [
    &resnet::FAMILY,
    &densenet::FAMILY,
    &mobilenet::FAMILY,
    &efficientnet::FAMILY,
    &xception::FAMILY,
    &inception_v3::FAMILY,
];

/// Where all of them keep their numbers.
const DIALECTS: &[Dialect] = &[Dialect::stored("Keras", place)];

/// The end of most: the last map's mean, tapped as `pooled` and `gap`, and a dense layer to 1000 `logits`.
fn average_and_predict(net: &mut Builder, x: NodeId) -> NodeId {
    let pooled = net.global_average_pool("avg_pool", x);
    net.tap("pooled", pooled);
    net.tap("gap", pooled);
    let logits = net.linear("predictions", pooled, 1000);
    net.tap("logits", logits);
    logits
}

/// What Keras pads before a step of 2 over a map of that side, above, before, below and behind: TensorFlow's `SAME`.
fn step_padding(kernel: usize, side: usize) -> [usize; 4] {
    let (before, after) = ((kernel - 1 - usize::from(side.is_multiple_of(2))) / 2, kernel / 2);
    [before, before, after, after]
}
