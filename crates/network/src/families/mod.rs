//! The families of the zoo: one short builder each, and where names differ, a name map.

pub mod mobilenet_v2;
pub mod resnet;
pub mod squeezenet;
pub mod vgg;
