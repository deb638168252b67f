//! Vision Transformers (Dosovitskiy et al., 2020, section 3.1), as timm and torchvision build them, and what others made
//! of them: `DeiT`, `DINOv2` (Oquab et al., 2023) without and with registers (Darcet et al., 2023), the picture towers of
//! CLIP (Radford et al., 2021) and `SigLIP` (Zhai et al., 2023).

mod clip;
mod dialects;
mod dinov2;
mod plain;
mod siglip;

use super::Family;
use super::layers::mlp;
use crate::{Activation, Builder, Conv, Interpolation, Network, NodeId};

pub use dialects::timm_name;

/// These networks by name, in the order in which lists show them.
pub(crate) static FAMILIES: [&Family; 4] = [&plain::FAMILY, &dinov2::FAMILY, &clip::FAMILY, &siglip::FAMILY];

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
    /// Whether a token that learnt from a teacher's classes follows the class token (Touvron et al., 2020, "`DeiT`").
    pub distilled: bool,
    /// Tokens after those that stand for nothing.
    pub registers: usize,
    /// Which of the tokens before the patches have positions.
    pub placed: Placed,
    /// Whether a layer norm comes before the first block.
    pub norm_first: bool,
    /// Whether what a block adds is scaled per channel first.
    pub layer_scale: bool,
    /// Between the two dense layers of a block.
    pub activation: Activation,
    /// Whether a half of what the first of them gives, after the activation, is multiplied with the other half ("`SwiGLU`",
    /// Shazeer, 2020).
    pub gated: bool,
    /// Of the layer norms.
    pub eps: f32,
    /// What comes after the blocks.
    pub head: Head,
    /// What its modules and parameters are called.
    pub names: &'static Names,
}

/// Which of the tokens before the patches have positions of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// All; or none, where there are registers.
    Usual,
    /// The class token alone.
    Class,
    /// None.
    Nothing,
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

    /// ViT-H.
    pub const fn huge(patch: usize) -> Vit {
        Vit::new(patch, 1280, 32, 16)
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
            distilled: false,
            registers: 0,
            placed: Placed::Usual,
            norm_first: false,
            layer_scale: false,
            activation: Activation::Gelu,
            gated: false,
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

    /// As `DINOv2` with registers was trained.
    #[must_use]
    pub const fn reg4(self) -> Vit {
        Vit { registers: 4, interpolation: Interpolation::Antialiased, ..self.dinov2() }
    }

    /// As CLIP's tower, which has no bias in its first convolution.
    #[must_use]
    pub const fn clip(self, head: Head) -> Vit {
        Vit { norm_first: true, eps: 1e-5, head, ..self }
    }

    /// As `OpenAI` trained CLIP.
    #[must_use]
    pub const fn quick(self) -> Vit {
        Vit { activation: Activation::QuickGelu, ..self }
    }

    /// The network. Taps: `pooled` (what the classifier reads), `cls` (the normalised class token, where there is one),
    /// `patch_mean` (the mean of the normalised patches), and `logits` or `projected` as [`Head`] says.
    pub fn build(self, name: &str) -> Network {
        let Names { patches, class_token, positions, tokens, norm, head, .. } = *self.names;
        let mut net = Builder::image();
        let patch = Conv::new(self.width, self.patch).stride(self.patch).pad(0);
        let x = net.conv(patches, net.input(), if self.norm_first { patch } else { patch.bias() });
        let class = (self.head != Head::Attention).then_some((class_token, 1));
        let distilled = self.distilled.then_some(("dist_token", 1));
        let registers = (self.registers > 0).then_some(("reg_token", self.registers));
        let prefix: Vec<(&str, usize)> = class.into_iter().chain(distilled).chain(registers).collect();
        let placed = match self.placed {
            Placed::Usual if self.registers == 0 => prefix.len(),
            Placed::Class => 1,
            Placed::Usual | Placed::Nothing => 0,
        };
        let positions = (positions, (self.grid, self.grid), placed);
        let mut x = net.tokens_placed(tokens, x, &prefix, positions, self.interpolation);
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
        let y = match names.mlp.map(part) {
            names if self.gated => self.gated(net, &part("mlp"), names, y),
            names => mlp(net, names, y, self.hidden, self.activation),
        };
        net.module(&part("mlp"), y);
        let y = self.scaled(net, &part("ls2"), y);
        net.add(at, x, y)
    }

    /// Two dense layers and a product between them; `hidden` numbers go into the second.
    fn gated(self, net: &mut Builder, at: &str, [first, middle, last]: [String; 3], x: NodeId) -> NodeId {
        let both = net.linear(&first, x, 2 * self.hidden);
        let gate = net.channels(&format!("{at}.gate"), both, (0, self.hidden));
        let value = net.channels(&format!("{at}.value"), both, (self.hidden, 2 * self.hidden));
        let gate = net.activation(&middle, gate, self.activation);
        let y = net.multiply(&format!("{at}.product"), gate, value);
        net.linear(&last, y, self.width)
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
