//! `DINOv2`, without registers and with them.

use super::{Family, Vit, dialects};
use crate::Activation;
use crate::entry::{bicubic, timm};
use input::Recipe;

pub(super) static FAMILY: Family = Family {
    networks: &[
        timm("vit_small_patch14_dinov2", LVD, dino, |name| Vit::small(14).dinov2().build(name)),
        timm("vit_base_patch14_dinov2", LVD, dino, |name| Vit::base(14).dinov2().build(name)),
        timm("vit_large_patch14_dinov2", LVD, dino, |name| Vit::large(14).dinov2().build(name)),
        timm("vit_giant_patch14_dinov2", LVD, dino, |name| giant().dinov2().build(name)),
        timm("vit_small_patch14_reg4_dinov2", LVD, dino, |name| Vit::small(14).reg4().build(name)),
        timm("vit_base_patch14_reg4_dinov2", LVD, dino, |name| Vit::base(14).reg4().build(name)),
        timm("vit_large_patch14_reg4_dinov2", LVD, dino, |name| Vit::large(14).reg4().build(name)),
        timm("vit_giant_patch14_reg4_dinov2", LVD, dino, |name| giant().reg4().build(name)),
    ],
    dialects: dialects::DINOV2,
};

/// timm's tag of the pictures that it was trained on.
const LVD: &[&str] = &["lvd142m"];

fn dino() -> Recipe {
    bicubic(518, 518)
}

/// ViT-g, whose dense layers are gated.
const fn giant() -> Vit {
    Vit { hidden: 4096, gated: true, activation: Activation::Silu, ..Vit::new(14, 1536, 40, 24) }
}
