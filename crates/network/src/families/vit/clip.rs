//! The picture towers of CLIP, of all who trained it. A tower was tuned to classes, or projects to the space of its texts.

use super::{Family, Head, Vit, dialects};
use crate::entry::{centred, clip, timm};
use input::{
    Recipe,
    image::{Preprocessing, Resize},
};

pub(super) static FAMILY: Family = Family {
    networks: &[
        timm(
            "vit_base_patch16_clip_224",
            &["laion2b_ft_in12k_in1k", "openai_ft_in12k_in1k"],
            || clip(235, 224),
            |name| Vit::base(16).clip(Head::Classes(1000)).build(name),
        ),
        timm(
            "vit_base_patch16_clip_224.laion2b_ft_in1k",
            &[],
            || clip(224, 224),
            |name| Vit::base(16).clip(Head::Classes(1000)).build(name),
        ),
        timm(
            "vit_base_patch16_clip_224.openai_ft_in1k",
            &["openai_ft_in1k", "openai_ft_in12k", "laion2b_ft_in12k"],
            || clip(248, 224),
            |name| Vit::base(16).clip(Head::Classes(1000)).build(name),
        ),
        timm(
            "vit_base_patch16_clip_224.laion2b",
            &["laion2b", "laion400m_e32", "datacompxl", "dfn2b", "metaclip_2pt5b", "metaclip_400m"],
            || clip(224, 224),
            |name| Vit::base(16).clip(Head::Projection(512)).build(name),
        ),
        timm(
            "vit_base_patch16_clip_224.openai",
            &[],
            || clip(248, 224),
            |name| Vit::base(16).clip(Head::Projection(512)).build(name),
        ),
        timm(
            "vit_base_patch16_clip_384",
            &["laion2b_ft_in1k", "laion2b_ft_in12k_in1k", "openai_ft_in1k"],
            || whole(clip(384, 384)),
            |name| Vit { grid: 24, ..Vit::base(16) }.clip(Head::Classes(1000)).build(name),
        ),
        timm(
            "vit_base_patch16_plus_clip_240",
            &["laion400m_e32"],
            || clip(240, 240),
            |name| Vit { grid: 15, ..Vit::new(16, 896, 12, 14) }.clip(Head::Projection(640)).build(name),
        ),
        timm(
            "vit_base_patch32_clip_224",
            &["laion2b_ft_in12k_in1k", "laion2b_ft_in1k", "openai_ft_in1k"],
            || clip(248, 224),
            |name| Vit::base(32).clip(Head::Classes(1000)).build(name),
        ),
        timm(
            "vit_base_patch32_clip_224.laion2b",
            &["laion2b", "laion400m_e32", "openai"],
            || clip(248, 224),
            |name| Vit::base(32).clip(Head::Projection(512)).build(name),
        ),
        timm(
            "vit_base_patch32_clip_224.datacompxl",
            &["datacompxl", "metaclip_2pt5b", "metaclip_400m"],
            || clip(224, 224),
            |name| Vit::base(32).clip(Head::Projection(512)).build(name),
        ),
        timm(
            "vit_base_patch32_clip_256",
            &["datacompxl"],
            || clip(256, 256),
            |name| Vit { grid: 8, ..Vit::base(32) }.clip(Head::Projection(512)).build(name),
        ),
        timm(
            "vit_base_patch32_clip_384",
            &["laion2b_ft_in12k_in1k"],
            || clip(384, 384),
            |name| Vit { grid: 12, ..Vit::base(32) }.clip(Head::Classes(1000)).build(name),
        ),
        timm(
            "vit_base_patch32_clip_448",
            &["laion2b_ft_in12k_in1k"],
            || clip(448, 448),
            |name| Vit { grid: 14, ..Vit::base(32) }.clip(Head::Classes(1000)).build(name),
        ),
        timm(
            "vit_large_patch14_clip_224",
            &["laion2b_ft_in12k_in1k", "laion2b_ft_in1k", "laion2b_ft_in12k"],
            || centred(224, 224),
            |name| Vit::large(14).clip(Head::Classes(1000)).build(name),
        ),
        timm(
            "vit_large_patch14_clip_224.laion2b",
            &["laion2b"],
            || centred(224, 224),
            |name| Vit::large(14).clip(Head::Projection(768)).build(name),
        ),
        timm(
            "vit_large_patch14_clip_224.openai_ft_in1k",
            &["openai_ft_in1k", "openai_ft_in12k", "openai_ft_in12k_in1k"],
            || clip(224, 224),
            |name| Vit::large(14).clip(Head::Classes(1000)).build(name),
        ),
        timm(
            "vit_large_patch14_clip_224.openai",
            &[
                "openai",
                "laion400m_e32",
                "datacompxl",
                "dfn2b",
                "dfn2b_s39b",
                "apple_mclip2_dfndr2b",
                "metaclip_2pt5b",
                "metaclip_400m",
            ],
            || clip(224, 224),
            |name| Vit::large(14).clip(Head::Projection(768)).build(name),
        ),
        timm(
            "vit_large_patch14_clip_336",
            &["laion2b_ft_in12k_in1k", "laion2b_ft_in1k"],
            || whole(centred(336, 336)),
            |name| Vit { grid: 24, ..Vit::large(14) }.clip(Head::Classes(1000)).build(name),
        ),
        timm(
            "vit_large_patch14_clip_336.openai",
            &[],
            || clip(336, 336),
            |name| Vit { grid: 24, ..Vit::large(14) }.clip(Head::Projection(768)).build(name),
        ),
        timm(
            "vit_large_patch14_clip_336.openai_ft_in12k_in1k",
            &["openai_ft_in12k_in1k"],
            || whole(clip(336, 336)),
            |name| Vit { grid: 24, ..Vit::large(14) }.clip(Head::Classes(1000)).build(name),
        ),
        timm(
            "vit_huge_patch14_clip_224",
            &["laion2b_ft_in12k_in1k", "laion2b_ft_in1k", "laion2b_ft_in12k"],
            || clip(224, 224),
            |name| Vit::huge(14).clip(Head::Classes(1000)).build(name),
        ),
        timm(
            "vit_huge_patch14_clip_224.laion2b",
            &["laion2b", "dfn5b", "metaclip_2pt5b", "metaclip_altogether", "metaclip2_worldwide"],
            || clip(224, 224),
            |name| Vit::huge(14).clip(Head::Projection(1024)).build(name),
        ),
        timm(
            "vit_huge_patch14_clip_336",
            &["laion2b_ft_in12k_in1k"],
            || whole(clip(336, 336)),
            |name| Vit { grid: 24, ..Vit::huge(14) }.clip(Head::Classes(1000)).build(name),
        ),
        timm(
            "vit_huge_patch14_clip_378",
            &["dfn5b"],
            || clip(378, 378),
            |name| Vit { grid: 27, ..Vit::huge(14) }.clip(Head::Projection(1024)).build(name),
        ),
        timm(
            "vit_huge_patch14_clip_378.metaclip2_worldwide",
            &[],
            || whole(clip(378, 378)),
            |name| Vit { grid: 27, ..Vit::huge(14) }.clip(Head::Projection(1024)).build(name),
        ),
        timm(
            "vit_giant_patch14_clip_224",
            &["laion2b"],
            || clip(224, 224),
            |name| giant().clip(Head::Projection(1024)).build(name),
        ),
        timm(
            "vit_gigantic_patch14_clip_224",
            &["laion2b", "metaclip_2pt5b", "metaclip2_worldwide"],
            || clip(224, 224),
            |name| gigantic().clip(Head::Projection(1280)).build(name),
        ),
        timm(
            "vit_gigantic_patch14_clip_378",
            &["metaclip2_worldwide"],
            || whole(clip(378, 378)),
            |name| Vit { grid: 27, ..gigantic() }.clip(Head::Projection(1280)).build(name),
        ),
        timm(
            "vit_base_patch16_clip_quickgelu_224",
            &["metaclip_2pt5b", "metaclip_400m"],
            || clip(224, 224),
            |name| Vit::base(16).clip(Head::Projection(512)).quick().build(name),
        ),
        timm(
            "vit_base_patch16_clip_quickgelu_224.openai",
            &[],
            || clip(248, 224),
            |name| Vit::base(16).clip(Head::Projection(512)).quick().build(name),
        ),
        timm(
            "vit_base_patch32_clip_quickgelu_224",
            &["laion400m_e32", "openai"],
            || clip(248, 224),
            |name| Vit::base(32).clip(Head::Projection(512)).quick().build(name),
        ),
        timm(
            "vit_base_patch32_clip_quickgelu_224.metaclip_2pt5b",
            &["metaclip_2pt5b", "metaclip_400m"],
            || clip(224, 224),
            |name| Vit::base(32).clip(Head::Projection(512)).quick().build(name),
        ),
        timm(
            "vit_large_patch14_clip_quickgelu_224",
            &["dfn2b", "openai", "metaclip_2pt5b", "metaclip_400m"],
            || clip(224, 224),
            |name| Vit::large(14).clip(Head::Projection(768)).quick().build(name),
        ),
        timm(
            "vit_large_patch14_clip_quickgelu_336",
            &["openai"],
            || clip(336, 336),
            |name| Vit { grid: 24, ..Vit::large(14) }.clip(Head::Projection(768)).quick().build(name),
        ),
        timm(
            "vit_huge_patch14_clip_quickgelu_224",
            &["dfn5b", "metaclip_2pt5b", "metaclip2_worldwide"],
            || clip(224, 224),
            |name| Vit::huge(14).clip(Head::Projection(1024)).quick().build(name),
        ),
        timm(
            "vit_huge_patch14_clip_quickgelu_378",
            &["dfn5b"],
            || clip(378, 378),
            |name| Vit { grid: 27, ..Vit::huge(14) }.clip(Head::Projection(1024)).quick().build(name),
        ),
        timm(
            "vit_gigantic_patch14_clip_quickgelu_224",
            &["metaclip_2pt5b"],
            || clip(224, 224),
            |name| gigantic().clip(Head::Projection(1280)).quick().build(name),
        ),
    ],
    dialects: dialects::CLIP,
};

/// The same, but with the whole picture whatever its aspect ratio.
fn whole(recipe: Recipe) -> Recipe {
    let Recipe::Image(how) = recipe else { return recipe };
    match how.crop {
        Some((height, width)) => Preprocessing { resize: Resize::Exact(height, width), ..how }.into(),
        None => how.into(),
    }
}

/// ViT-g of `open_clip`.
const fn giant() -> Vit {
    Vit { hidden: 6144, ..Vit::new(14, 1408, 40, 16) }
}

/// ViT-bigG of `open_clip`.
const fn gigantic() -> Vit {
    Vit { hidden: 8192, ..Vit::new(14, 1664, 48, 16) }
}
