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

use super::{Family, layers::step_padding};
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
