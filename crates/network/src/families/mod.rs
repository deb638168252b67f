//! The families of the zoo: one short builder each with the table of its networks, and where names differ, a name map.

pub mod convnext;
pub mod densenet;
pub mod efficientnet;
mod layers;
pub mod mobilenet_v2;
pub mod mobilenet_v3;
pub mod mobilenet_v4;
pub mod regnet;
pub mod resnet;
pub mod squeezenet;
pub mod swin;
pub mod vgg;
pub mod vit;
