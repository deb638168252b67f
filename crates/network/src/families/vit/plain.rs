//! Networks of the first form: those of Google, `DeiT` and its third version (Touvron et al., 2022), DINO, and the encoders of
//! masked autoencoders (He et al., 2021).

use super::{Family, Placed, Vit, dialects};
use crate::entry::{bicubic, bilinear, centred, entry, imagenet, timm};
use input::Recipe;

pub(super) static FAMILY: Family = Family {
    networks: &[
        entry("vit_b_16", imagenet, |name| Vit::base(16).torchvision().build(name)),
        entry("vit_b_32", imagenet, |name| Vit::base(32).torchvision().build(name)),
        entry("vit_l_16", || bilinear(242, 224), |name| Vit::large(16).torchvision().build(name)),
        entry("vit_l_32", imagenet, |name| Vit::large(32).torchvision().build(name)),
        timm("vit_tiny_patch16_224", &["augreg_in21k_ft_in1k", "augreg_in21k"], google, |name| {
            Vit::tiny(16).build(name)
        }),
        timm(
            "vit_tiny_patch16_384",
            &["augreg_in21k_ft_in1k"],
            || centred(384, 384),
            |name| Vit { grid: 24, ..Vit::tiny(16) }.build(name),
        ),
        timm(
            "vit_small_patch16_224",
            &["augreg_in21k_ft_in1k", "augreg_in21k", "augreg_in1k"],
            google,
            |name| Vit::small(16).build(name),
        ),
        timm(
            "vit_small_patch16_384",
            &["augreg_in21k_ft_in1k", "augreg_in1k"],
            || centred(384, 384),
            |name| Vit { grid: 24, ..Vit::small(16) }.build(name),
        ),
        timm("vit_small_patch32_224", &["augreg_in21k_ft_in1k", "augreg_in21k"], google, |name| {
            Vit::small(32).build(name)
        }),
        timm(
            "vit_small_patch32_384",
            &["augreg_in21k_ft_in1k"],
            || centred(384, 384),
            |name| Vit { grid: 12, ..Vit::small(32) }.build(name),
        ),
        timm(
            "vit_base_patch8_224",
            &["augreg_in21k_ft_in1k", "augreg_in21k", "augreg2_in21k_ft_in1k"],
            google,
            |name| Vit::base(8).build(name),
        ),
        timm(
            "vit_base_patch16_224",
            &[
                "augreg_in21k_ft_in1k",
                "augreg_in21k",
                "augreg_in1k",
                "augreg2_in21k_ft_in1k",
                "orig_in21k",
                "orig_in21k_ft_in1k",
                "sam_in1k",
            ],
            google,
            |name| Vit::base(16).build(name),
        ),
        timm(
            "vit_base_patch16_384",
            &["augreg_in21k_ft_in1k", "augreg_in1k", "orig_in21k_ft_in1k"],
            || centred(384, 384),
            |name| Vit { grid: 24, ..Vit::base(16) }.build(name),
        ),
        timm(
            "vit_base_patch32_224",
            &["augreg_in21k_ft_in1k", "augreg_in21k", "augreg_in1k", "orig_in21k", "sam_in1k"],
            google,
            |name| Vit::base(32).build(name),
        ),
        timm(
            "vit_base_patch32_384",
            &["augreg_in21k_ft_in1k", "augreg_in1k"],
            || centred(384, 384),
            |name| Vit { grid: 12, ..Vit::base(32) }.build(name),
        ),
        timm(
            "vit_large_patch16_224",
            &["augreg_in21k_ft_in1k", "augreg_in21k", "orig_in21k"],
            google,
            |name| Vit::large(16).build(name),
        ),
        timm(
            "vit_large_patch16_384",
            &["augreg_in21k_ft_in1k"],
            || centred(384, 384),
            |name| Vit { grid: 24, ..Vit::large(16) }.build(name),
        ),
        timm("vit_large_patch32_224", &["orig_in21k"], google, |name| Vit::large(32).bare().build(name)),
        timm(
            "vit_large_patch32_384",
            &["orig_in21k_ft_in1k"],
            || centred(384, 384),
            |name| Vit { grid: 12, ..Vit::large(32) }.build(name),
        ),
        timm("vit_huge_patch14_224", &["orig_in21k"], google, |name| Vit::huge(14).bare().build(name)),
        timm("deit_tiny_patch16_224", FB, meta, |name| Vit::tiny(16).build(name)),
        timm("deit_small_patch16_224", FB, meta, |name| Vit::small(16).build(name)),
        timm("deit_base_patch16_224", FB, meta, |name| Vit::base(16).build(name)),
        timm("deit_base_patch16_384", FB, meta_384, |name| Vit { grid: 24, ..Vit::base(16) }.build(name)),
        timm("deit3_small_patch16_224", FB, meta, |name| deit3(Vit::small(16)).build(name)),
        timm(
            "deit3_small_patch16_224.fb_in22k_ft_in1k",
            &[],
            || bicubic(224, 224),
            |name| deit3(Vit::small(16)).build(name),
        ),
        timm("deit3_medium_patch16_224", FB, meta, |name| {
            deit3(Vit { width: 512, heads: 8, hidden: 2048, ..Vit::small(16) }).build(name)
        }),
        timm(
            "deit3_medium_patch16_224.fb_in22k_ft_in1k",
            &[],
            || bicubic(224, 224),
            |name| deit3(Vit { width: 512, heads: 8, hidden: 2048, ..Vit::small(16) }).build(name),
        ),
        timm("deit3_base_patch16_224", FB, meta, |name| deit3(Vit::base(16)).build(name)),
        timm(
            "deit3_base_patch16_224.fb_in22k_ft_in1k",
            &[],
            || bicubic(224, 224),
            |name| deit3(Vit::base(16)).build(name),
        ),
        timm("deit3_large_patch16_224", FB, meta, |name| deit3(Vit::large(16)).build(name)),
        timm(
            "deit3_large_patch16_224.fb_in22k_ft_in1k",
            &[],
            || bicubic(224, 224),
            |name| deit3(Vit::large(16)).build(name),
        ),
        timm("deit3_huge_patch14_224", FB, meta, |name| deit3(Vit::huge(14)).build(name)),
        timm(
            "deit3_huge_patch14_224.fb_in22k_ft_in1k",
            &[],
            || bicubic(224, 224),
            |name| deit3(Vit::huge(14)).build(name),
        ),
        timm("deit3_small_patch16_384", &["fb_in1k", "fb_in22k_ft_in1k"], meta_384, |name| {
            deit3(Vit { grid: 24, ..Vit::small(16) }).build(name)
        }),
        timm("deit3_base_patch16_384", &["fb_in1k", "fb_in22k_ft_in1k"], meta_384, |name| {
            deit3(Vit { grid: 24, ..Vit::base(16) }).build(name)
        }),
        timm("deit3_large_patch16_384", &["fb_in1k", "fb_in22k_ft_in1k"], meta_384, |name| {
            deit3(Vit { grid: 24, ..Vit::large(16) }).build(name)
        }),
        timm("vit_small_patch8_224", &["dino"], meta, |name| Vit::small(8).bare().build(name)),
        timm("vit_small_patch16_224.dino", &[], meta, |name| Vit::small(16).bare().build(name)),
        timm("vit_base_patch8_224.dino", &[], meta, |name| Vit::base(8).bare().build(name)),
        timm("vit_base_patch16_224.dino", &[], meta, |name| Vit::base(16).bare().build(name)),
        timm("vit_base_patch16_224.mae", &[], meta, |name| Vit::base(16).bare().build(name)),
        timm("vit_large_patch16_224.mae", &[], meta, |name| Vit::large(16).bare().build(name)),
        timm("vit_huge_patch14_224.mae", &[], meta, |name| Vit::huge(14).bare().build(name)),
    ],
    dialects: dialects::PLAIN,
};

/// timm's tag of what Facebook trained.
const FB: &[&str] = &["fb_in1k"];

fn google() -> Recipe {
    centred(248, 224)
}

fn meta() -> Recipe {
    bicubic(248, 224)
}

fn meta_384() -> Recipe {
    bicubic(384, 384)
}

/// Positions are those of patches alone, and blocks are scaled.
const fn deit3(vit: Vit) -> Vit {
    Vit { placed: Placed::Nothing, layer_scale: true, ..vit }
}
