//! The picture towers of `SigLIP` and `SigLIP 2` (Tschannen et al., 2025), as timm calls them. The second has the first's networks.

use super::{Family, Head, Vit, dialects};
use crate::Activation;
use crate::entry::{centred, timm};

pub(super) static FAMILY: Family = Family {
    networks: &[
        timm(
            "vit_base_patch16_siglip_224",
            BOTH,
            || centred(248, 224),
            |name| siglip(Vit::base(16), 224).build(name),
        ),
        timm(
            "vit_base_patch16_siglip_256",
            &["webli", "v2_webli", "webli_i18n"],
            || centred(284, 256),
            |name| siglip(Vit::base(16), 256).build(name),
        ),
        timm(
            "vit_base_patch16_siglip_384",
            BOTH,
            || centred(426, 384),
            |name| siglip(Vit::base(16), 384).build(name),
        ),
        timm(
            "vit_base_patch16_siglip_512",
            BOTH,
            || centred(568, 512),
            |name| siglip(Vit::base(16), 512).build(name),
        ),
        timm(
            "vit_base_patch32_siglip_256",
            &["v2_webli"],
            || centred(284, 256),
            |name| siglip(Vit::base(32), 256).tanh().build(name),
        ),
        timm(
            "vit_large_patch16_siglip_256",
            BOTH,
            || centred(284, 256),
            |name| siglip(Vit::large(16), 256).build(name),
        ),
        timm(
            "vit_large_patch16_siglip_384",
            BOTH,
            || centred(426, 384),
            |name| siglip(Vit::large(16), 384).build(name),
        ),
        timm(
            "vit_large_patch16_siglip_512",
            &["v2_webli"],
            || centred(568, 512),
            |name| siglip(Vit::large(16), 512).tanh().build(name),
        ),
        timm(
            "vit_so400m_patch14_siglip_224",
            BOTH,
            || centred(248, 224),
            |name| siglip(so400m(14), 224).build(name),
        ),
        timm(
            "vit_so400m_patch14_siglip_384",
            &["webli"],
            || centred(426, 384),
            |name| siglip(so400m(14), 384).build(name),
        ),
        timm(
            "vit_so400m_patch14_siglip_378",
            BOTH,
            || centred(420, 378),
            |name| siglip(so400m(14), 378).build(name),
        ),
        timm(
            "vit_so400m_patch16_siglip_256",
            &["v2_webli", "webli_i18n"],
            || centred(284, 256),
            |name| siglip(so400m(16), 256).tanh().build(name),
        ),
        timm(
            "vit_so400m_patch16_siglip_384",
            &["v2_webli"],
            || centred(426, 384),
            |name| siglip(so400m(16), 384).tanh().build(name),
        ),
        timm(
            "vit_so400m_patch16_siglip_512",
            &["v2_webli"],
            || centred(568, 512),
            |name| siglip(so400m(16), 512).tanh().build(name),
        ),
        timm(
            "vit_giantopt_patch16_siglip_256",
            &["v2_webli"],
            || centred(284, 256),
            |name| siglip(Vit::new(16, 1536, 40, 16), 256).tanh().build(name),
        ),
        timm(
            "vit_giantopt_patch16_siglip_384",
            &["v2_webli"],
            || centred(426, 384),
            |name| siglip(Vit::new(16, 1536, 40, 16), 384).tanh().build(name),
        ),
    ],
    dialects: dialects::SIGLIP,
};

/// timm's tags of both.
const BOTH: &[&str] = &["webli", "v2_webli"];

/// For pictures of `side`².
const fn siglip(vit: Vit, side: usize) -> Vit {
    Vit { grid: side / vit.patch, head: Head::Attention, ..vit }
}

/// The shape of 400 million parameters (Alabdulmohsin et al., 2023).
const fn so400m(patch: usize) -> Vit {
    Vit { hidden: 4304, ..Vit::new(patch, 1152, 27, 16) }
}

impl Vit {
    /// With the approximation that timm takes for some.
    const fn tanh(self) -> Vit {
        Vit { activation: Activation::GeluTanh, ..self }
    }
}
