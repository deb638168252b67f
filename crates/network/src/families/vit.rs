//! Vision Transformers (Dosovitskiy et al., 2020, section 3.1), as timm and torchvision build them, and what others made
//! of them: `DeiT`, `DINOv2` (Oquab et al., 2023) without and with registers (Darcet et al., 2023), the picture towers of
//! CLIP (Radford et al., 2021) and `SigLIP` (Zhai et al., 2023).

mod dialects;

use super::Family;
use super::layers::mlp;
use crate::entry::{bicubic, bilinear, centred, clip, entry, imagenet, timm};
use crate::{Activation, Builder, Conv, Interpolation, Network, NodeId};
use input::Recipe;

pub use dialects::timm_name;

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        entry("vit_b_16", imagenet, || Vit::base(16).torchvision().build("vit_b_16")),
        entry("vit_b_32", imagenet, || Vit::base(32).torchvision().build("vit_b_32")),
        entry("vit_l_16", || bilinear(242, 224), || Vit::large(16).torchvision().build("vit_l_16")),
        entry("vit_l_32", imagenet, || Vit::large(32).torchvision().build("vit_l_32")),
        timm("vit_tiny_patch16_224", AUGREG, google, || Vit::tiny(16).build("vit_tiny_patch16_224")),
        timm("vit_small_patch16_224", AUGREG_ALONE, google, || Vit::small(16).build("vit_small_patch16_224")),
        timm("vit_small_patch32_224", AUGREG, google, || Vit::small(32).build("vit_small_patch32_224")),
        timm("vit_base_patch16_224", AUGREG_TWICE, google, || Vit::base(16).build("vit_base_patch16_224")),
        timm("vit_base_patch32_224", AUGREG_ALONE, google, || Vit::base(32).build("vit_base_patch32_224")),
        timm("vit_large_patch16_224", AUGREG, google, || Vit::large(16).build("vit_large_patch16_224")),
        timm("deit_tiny_patch16_224", FB, meta, || Vit::tiny(16).build("deit_tiny_patch16_224")),
        timm("deit_small_patch16_224", FB, meta, || Vit::small(16).build("deit_small_patch16_224")),
        timm("deit_base_patch16_224", FB, meta, || Vit::base(16).build("deit_base_patch16_224")),
        timm("vit_small_patch16_224.dino", &[], meta, || {
            Vit::small(16).bare().build("vit_small_patch16_224.dino")
        }),
        timm("vit_base_patch16_224.dino", &[], meta, || {
            Vit::base(16).bare().build("vit_base_patch16_224.dino")
        }),
        timm("vit_small_patch14_dinov2", LVD, dino, || {
            Vit::small(14).dinov2().build("vit_small_patch14_dinov2")
        }),
        timm("vit_base_patch14_dinov2", LVD, dino, || {
            Vit::base(14).dinov2().build("vit_base_patch14_dinov2")
        }),
        timm("vit_large_patch14_dinov2", LVD, dino, || {
            Vit::large(14).dinov2().build("vit_large_patch14_dinov2")
        }),
        timm("vit_small_patch14_reg4_dinov2", LVD, dino, || {
            reg4(Vit::small(14), "vit_small_patch14_reg4_dinov2")
        }),
        timm("vit_base_patch14_reg4_dinov2", LVD, dino, || {
            reg4(Vit::base(14), "vit_base_patch14_reg4_dinov2")
        }),
        timm("vit_large_patch14_reg4_dinov2", LVD, dino, || {
            reg4(Vit::large(14), "vit_large_patch14_reg4_dinov2")
        }),
        timm(
            "vit_base_patch16_clip_224",
            LAION,
            || clip(235, 224),
            || Vit::base(16).clip(Head::Classes(1000)).build("vit_base_patch16_clip_224"),
        ),
        timm(
            "vit_base_patch32_clip_224",
            LAION,
            || clip(248, 224),
            || Vit::base(32).clip(Head::Classes(1000)).build("vit_base_patch32_clip_224"),
        ),
        timm(
            "vit_large_patch14_clip_224",
            LAION,
            || centred(224, 224),
            || Vit::large(14).clip(Head::Classes(1000)).build("vit_large_patch14_clip_224"),
        ),
        timm(
            "vit_base_patch16_clip_quickgelu_224",
            METACLIP,
            || clip(224, 224),
            || quick(Vit::base(16), 512, "vit_base_patch16_clip_quickgelu_224"),
        ),
        timm(
            "vit_base_patch16_clip_quickgelu_224.openai",
            &[],
            || clip(248, 224),
            || quick(Vit::base(16), 512, "vit_base_patch16_clip_quickgelu_224.openai"),
        ),
        timm(
            "vit_base_patch32_clip_quickgelu_224",
            &["laion400m_e32", "openai"],
            || clip(248, 224),
            || quick(Vit::base(32), 512, "vit_base_patch32_clip_quickgelu_224"),
        ),
        timm(
            "vit_large_patch14_clip_quickgelu_224",
            &["dfn2b", "openai"],
            || clip(224, 224),
            || quick(Vit::large(14), 768, "vit_large_patch14_clip_quickgelu_224"),
        ),
        timm("vit_base_patch16_siglip_224", &["webli", "v2_webli"], google, || {
            Vit { head: Head::Attention, ..Vit::base(16) }.build("vit_base_patch16_siglip_224")
        }),
    ],
    dialects: dialects::ALL,
};

// timm's tags, by who trained the weights.
/// timm's tags of weights of "How to train your ViT?" (Steiner et al., 2021): of all sizes, and of some.
const AUGREG: &[&str] = &["augreg_in21k_ft_in1k", "augreg_in21k"];
const AUGREG_ALONE: &[&str] = &["augreg_in21k_ft_in1k", "augreg_in21k", "augreg_in1k"];
const AUGREG_TWICE: &[&str] =
    &["augreg_in21k_ft_in1k", "augreg_in21k", "augreg_in1k", "augreg2_in21k_ft_in1k"];
const FB: &[&str] = &["fb_in1k"];
const LVD: &[&str] = &["lvd142m"];
const LAION: &[&str] = &["laion2b_ft_in12k_in1k"];
const METACLIP: &[&str] = &["metaclip_2pt5b", "metaclip_400m"];

/// What tells one Vision Transformer from another. Other input sizes need no other network, as positions are interpolated;
/// another `grid` is for weights that were trained with it.
#[derive(Clone, Copy, Debug)]
pub struct Vit {
    /// Side of a patch, in pixels.
    pub patch: usize,
    /// Numbers in a token.
    pub width: usize,
    /// Blocks.
    pub depth: usize,
    /// Heads of every attention.
    pub heads: usize,
    /// Numbers between the two dense layers of a block.
    pub hidden: usize,
    /// Rows, and columns, of patches that its positions are for: the trained input's side by `patch`.
    pub grid: usize,
    /// How positions are brought to another grid.
    pub interpolation: Interpolation,
    /// Tokens beside the class token that stand for nothing; if there are any, prefix tokens have no positions.
    pub registers: usize,
    /// Whether a layer norm comes before the first block.
    pub norm_first: bool,
    /// Whether what a block adds is scaled per channel first.
    pub layer_scale: bool,
    /// Between the two dense layers of a block.
    pub activation: Activation,
    /// Of the layer norms.
    pub eps: f32,
    /// What comes after the blocks.
    pub head: Head,
    /// What its modules and parameters are called.
    pub names: &'static Names,
}

/// What comes after the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// Nothing: `pooled` is the class token.
    Bare,
    /// A dense layer over the class token, to `logits`.
    Classes(usize),
    /// The same, but to the space that CLIP's pictures and texts share, `projected`.
    Projection(usize),
    /// `SigLIP`'s: one learnt query attends to all patches, and there is no class token.
    Attention,
}

/// What an ecosystem calls the parts of a Vision Transformer.
#[derive(Debug)]
pub struct Names {
    patches: &'static str,
    class_token: &'static str,
    positions: &'static str,
    tokens: &'static str,
    block: &'static str,
    norm1: &'static str,
    attention: &'static str,
    /// Queries, keys and values: the node; its weight and its bias.
    qkv: [&'static str; 3],
    projection: &'static str,
    norm2: &'static str,
    mlp: [&'static str; 3],
    norm: &'static str,
    head: &'static str,
}

const TIMM: Names = Names {
    patches: "patch_embed.proj",
    class_token: "cls_token",
    positions: "pos_embed",
    tokens: "pos_drop",
    block: "blocks.",
    norm1: "norm1",
    attention: "attn",
    qkv: ["attn.qkv", "attn.qkv.weight", "attn.qkv.bias"],
    projection: "attn.proj",
    norm2: "norm2",
    mlp: ["mlp.fc1", "mlp.act", "mlp.fc2"],
    norm: "norm",
    head: "head",
};

const TORCHVISION: Names = Names {
    patches: "conv_proj",
    class_token: "class_token",
    positions: "encoder.pos_embedding",
    tokens: "encoder.dropout",
    block: "encoder.layers.encoder_layer_",
    norm1: "ln_1",
    attention: "self_attention",
    qkv: ["self_attention.in_proj", "self_attention.in_proj_weight", "self_attention.in_proj_bias"],
    projection: "self_attention.out_proj",
    norm2: "ln_2",
    mlp: ["mlp.0", "mlp.1", "mlp.3"],
    norm: "encoder.ln",
    head: "heads.head",
};

fn google() -> Recipe {
    centred(248, 224)
}

fn meta() -> Recipe {
    bicubic(248, 224)
}

fn dino() -> Recipe {
    bicubic(518, 518)
}

fn reg4(vit: Vit, name: &str) -> Network {
    Vit { registers: 4, interpolation: Interpolation::Antialiased, ..vit.dinov2() }.build(name)
}

fn quick(vit: Vit, projected: usize, name: &str) -> Network {
    Vit { activation: Activation::QuickGelu, ..vit.clip(Head::Projection(projected)) }.build(name)
}

impl Vit {
    /// ViT-Ti.
    pub const fn tiny(patch: usize) -> Vit {
        Vit::new(patch, 192, 12, 3)
    }

    /// ViT-S.
    pub const fn small(patch: usize) -> Vit {
        Vit::new(patch, 384, 12, 6)
    }

    /// ViT-B.
    pub const fn base(patch: usize) -> Vit {
        Vit::new(patch, 768, 12, 12)
    }

    /// ViT-L.
    pub const fn large(patch: usize) -> Vit {
        Vit::new(patch, 1024, 24, 16)
    }

    /// Trained with 224×224 pixels and 1000 classes; timm's names.
    pub const fn new(patch: usize, width: usize, depth: usize, heads: usize) -> Vit {
        Vit {
            patch,
            width,
            depth,
            heads,
            hidden: 4 * width,
            grid: 224 / patch,
            interpolation: Interpolation::Antialiased,
            registers: 0,
            norm_first: false,
            layer_scale: false,
            activation: Activation::Gelu,
            eps: 1e-6,
            head: Head::Classes(1000),
            names: &TIMM,
        }
    }

    /// Under torchvision's names.
    #[must_use]
    pub const fn torchvision(self) -> Vit {
        Vit { names: &TORCHVISION, ..self }
    }

    /// Without a classifier.
    #[must_use]
    pub const fn bare(self) -> Vit {
        Vit { head: Head::Bare, ..self }
    }

    /// As `DINOv2` was trained: with 518×518 pixels, and with layer scales.
    #[must_use]
    pub const fn dinov2(self) -> Vit {
        let (grid, interpolation) = (518 / self.patch, Interpolation::Offset);
        Vit { grid, interpolation, layer_scale: true, ..self.bare() }
    }

    /// As CLIP's tower, which has no bias in its first convolution.
    #[must_use]
    pub const fn clip(self, head: Head) -> Vit {
        Vit { norm_first: true, eps: 1e-5, head, ..self }
    }

    /// The network. Taps: `pooled` (what the classifier reads), `cls` (the normalised class token, where there is one),
    /// `patch_mean` (the mean of the normalised patches), and `logits` or `projected` as [`Head`] says.
    pub fn build(self, name: &str) -> Network {
        let Names { patches, class_token, positions, tokens, norm, head, .. } = *self.names;
        let mut net = Builder::image();
        let patch = Conv::new(self.width, self.patch).stride(self.patch).pad(0);
        let x = net.conv(patches, net.input(), if self.norm_first { patch } else { patch.bias() });
        let class = (self.head != Head::Attention).then_some((class_token, 1));
        let registers = (self.registers > 0).then_some(("reg_token", self.registers));
        let prefix: Vec<(&str, usize)> = class.into_iter().chain(registers).collect();
        let positions = (positions, (self.grid, self.grid), self.registers == 0);
        let mut x = net.tokens(tokens, x, &prefix, positions, self.interpolation);
        if self.norm_first {
            x = net.layer_norm("norm_pre", x, self.eps);
        }
        for i in 0..self.depth {
            x = self.block(&mut net, &format!("{}{i}", self.names.block), x);
        }
        let x = net.layer_norm(norm, x, self.eps);
        let output = match self.head {
            Head::Attention => {
                let pooled = self.attention_pool(&mut net, x);
                net.tap("pooled", pooled);
                pooled
            }
            _ => {
                let class = net.token("cls", x, 0);
                net.tap("pooled", class);
                net.tap("cls", class);
                class
            }
        };
        let mean = net.global_average_pool("patch_mean", x);
        net.tap("patch_mean", mean);
        let (tap, classes) = match self.head {
            Head::Classes(classes) => ("logits", classes),
            Head::Projection(d) => ("projected", d),
            Head::Bare | Head::Attention => return net.finish(name, output),
        };
        let output = net.linear(head, output, classes);
        net.tap(tap, output);
        net.finish(name, output)
    }

    /// Attention and two dense layers, each after a layer norm and beside a shortcut.
    fn block(self, net: &mut Builder, at: &str, x: NodeId) -> NodeId {
        let part = |name: &str| format!("{at}.{name}");
        let names = self.names;
        let y = net.layer_norm(&part(names.norm1), x, self.eps);
        let [qkv, weight, bias] = names.qkv.map(part);
        let qkv = net.linear_with(&qkv, [&weight, &bias], y, 3 * self.width);
        let y = net.attention(&part(&format!("{}.attention", names.attention)), qkv, self.heads);
        let y = net.linear(&part(names.projection), y, self.width);
        net.module(&part(names.attention), y);
        let y = self.scaled(net, &part("ls1"), y);
        let x = net.add(&part("add"), x, y);
        let y = net.layer_norm(&part(names.norm2), x, self.eps);
        let y = mlp(net, names.mlp.map(part), y, self.hidden, self.activation);
        net.module(&part("mlp"), y);
        let y = self.scaled(net, &part("ls2"), y);
        net.add(at, x, y)
    }

    fn scaled(self, net: &mut Builder, name: &str, x: NodeId) -> NodeId {
        if self.layer_scale { net.scale(name, &format!("{name}.gamma"), &[self.width], x) } else { x }
    }

    /// One learnt query attends to all patches; two dense layers beside a shortcut follow.
    fn attention_pool(self, net: &mut Builder, x: NodeId) -> NodeId {
        let d = self.width;
        let latent = net.constant("attn_pool.latent", "attn_pool.latent", (1, d));
        let q = net.linear("attn_pool.q", latent, d);
        let kv = net.linear("attn_pool.kv", x, 2 * d);
        let y = net.cross_attention("attn_pool.attention", q, kv, self.heads);
        let x = net.linear("attn_pool.proj", y, d);
        let y = net.layer_norm("attn_pool.norm", x, self.eps);
        let names = ["attn_pool.mlp.fc1", "attn_pool.mlp.act", "attn_pool.mlp.fc2"];
        let y = mlp(net, names, y, self.hidden, self.activation);
        net.module("attn_pool.mlp", y);
        let sum = net.add("attn_pool.add", x, y);
        net.token("attn_pool", sum, 0)
    }
}
