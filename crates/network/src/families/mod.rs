//! The families of the zoo. Each file holds one family: its builder, the table of its networks, and its dialects.

pub mod alexnet;
pub mod bert;
pub mod convnext;
pub mod densenet;
pub mod efficientnet;
pub mod googlenet;
pub mod gpt2;
pub mod gpt_neox;
pub mod inception_v3;
mod keras;
mod layers;
pub mod llama;
pub mod mnasnet;
pub mod mobilenet_v2;
pub mod mobilenet_v3;
pub mod mobilenet_v4;
pub mod modernbert;
pub mod nomic;
pub mod regnet;
pub mod resnet;
pub mod shufflenet_v2;
pub mod squeezenet;
pub mod static_embeddings;
pub mod swin;
pub mod t5;
pub mod text;
mod tf_efficientnet;
pub mod vgg;
pub mod vit;

use crate::{Dialect, entry::Entry};

/// Networks of one builder.
pub(crate) struct Family {
    /// Those that are known by name, in the order in which lists show them.
    pub(crate) networks: &'static [Entry],
    /// The ecosystems whose names of parameters differ from ours.
    pub(crate) dialects: &'static [Dialect],
}

/// In the order in which lists show them.
pub(crate) static ALL: &[&Family] = &[
    &resnet::FAMILY,
    &vgg::FAMILY,
    &alexnet::FAMILY,
    &squeezenet::FAMILY,
    &googlenet::FAMILY,
    &inception_v3::FAMILY,
    &densenet::FAMILY,
    &mobilenet_v2::FAMILY,
    &mobilenet_v3::FAMILY,
    &mobilenet_v4::FAMILY,
    &mnasnet::FAMILY,
    &shufflenet_v2::FAMILY,
    &efficientnet::FAMILY,
    tf_efficientnet::FAMILIES[0],
    tf_efficientnet::FAMILIES[1],
    &regnet::FAMILY,
    &convnext::FAMILY,
    vit::FAMILIES[0],
    vit::FAMILIES[1],
    vit::FAMILIES[2],
    vit::FAMILIES[3],
    &swin::FAMILY,
    &bert::FAMILY,
    &modernbert::FAMILY,
    &nomic::FAMILY,
    &t5::FAMILY,
    &gpt2::FAMILY,
    &gpt_neox::FAMILY,
    &llama::FAMILY,
    &static_embeddings::FAMILY,
    keras::FAMILIES[0],
    keras::FAMILIES[1],
    keras::FAMILIES[2],
    keras::FAMILIES[3],
    keras::FAMILIES[4],
    keras::FAMILIES[5],
];
