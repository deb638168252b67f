//! The operations that networks are made of, and the small descriptions that builders pass around.

use crate::{Padding, Pair, Pool, Rotary, Shape, TextAttention, graph::ParamId};
use serde::{Deserialize, Serialize};

/// One operation. Shapes are those of one sample; the batch axis is the executor's business.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// The picture, normalised: (channels, h, w).
    Input {
        /// How many channels.
        channels: usize,
    },
    /// The tokens of a text: words and parts of words, by their numbers, (n,). Each text has as many as it has.
    Text,
    /// For each token of a text a row of a table: (n,) to (n, d).
    Lookup {
        /// (rows, d).
        table: ParamId,
        /// Which row a token takes.
        by: By,
    },
    /// What another network gives: of a head the features, of the upper part of a network what it was cut at.
    Given {
        /// Of one sample.
        shape: Shape,
    },
    /// Convolution of a map (c, h, w) with a weight (out, c / groups, kh, kw), zero-padded.
    Conv {
        /// (out, c / groups, kh, kw).
        weight: ParamId,
        /// (out,).
        bias: Option<ParamId>,
        /// Steps, in pixels.
        stride: Pair,
        /// Zeros around the map, in pixels.
        padding: Padding,
        /// Channels are split into so many groups that do not see one another.
        groups: usize,
        /// From one place of a window to the next, in pixels.
        #[serde(default = "one", skip_serializing_if = "Pair::is_one")]
        dilation: Pair,
    },
    /// Batch normalisation with frozen statistics: (x - mean) / sqrt(variance + eps) * weight + bias, per channel of a map, of
    /// tokens or of a vector.
    BatchNorm {
        /// (c,).
        weight: ParamId,
        /// (c,).
        bias: ParamId,
        /// (c,).
        mean: ParamId,
        /// (c,).
        variance: ParamId,
        /// Added to the variance.
        eps: f32,
    },
    /// A function of each number.
    Activation {
        /// Which.
        function: Activation,
    },
    /// The largest value of each window; padding never wins.
    MaxPool(Pool),
    /// The mean of each window, of the places that are inside the map, or of its padding as well.
    AveragePool(Pool),
    /// Means over an even division of the map into (height, width) cells, as PyTorch's `AdaptiveAvgPool2d`.
    AdaptiveAveragePool {
        /// Rows of the result.
        height: usize,
        /// Columns of the result.
        width: usize,
    },
    /// The mean over all places of a map, (c, h, w) to (c,), or over all tokens that are places, (n, d) to (d,). All tokens of
    /// a text are.
    GlobalAveragePool,
    /// The largest of each channel over what [`Op::GlobalAveragePool`] takes the mean of.
    GlobalMaxPool,
    /// The last token of a text, as a vector.
    LastToken,
    /// A vector divided by its length, or by 1e-12 where it is shorter.
    Normalize,
    /// (c, h, w) to (c·h·w,), or tokens (n, d) to (n·d,), row-major.
    Flatten,
    /// weight · x + bias, for a vector (d,), every token of (n, d) or every place of a map (d, h, w).
    Linear {
        /// (out, d).
        weight: ParamId,
        /// (out,).
        bias: Option<ParamId>,
    },
    /// The sum of two equal shapes.
    Add,
    /// The product of two equal shapes, number by number.
    Multiply,
    /// Maps of one size, one after the other along the channels; or vectors, one after the other.
    Concat,
    /// Layer normalisation over the channels of each place, token or vector:
    /// (x - mean) / sqrt(variance + eps) * weight + bias.
    LayerNorm {
        /// (c,).
        weight: ParamId,
        /// (c,).
        bias: ParamId,
        /// Added to the variance.
        eps: f32,
    },
    /// Each row over the root of its mean square: x / sqrt(mean(x²) + eps) · weight (Zhang and Sennrich, 2019, "RMSNorm"). Of the
    /// tokens of a text. A weight that is shorter than a row is for each part of that length by itself, as for the heads of
    /// queries.
    RmsNorm {
        /// (c,), or (c / parts,).
        weight: ParamId,
        /// Added to the mean square.
        eps: f32,
    },
    /// Turns numbers of queries or keys, (n, heads·d), by their tokens' places.
    Rotary(Rotary),
    /// Of the tokens of a text to one another.
    TextAttention(TextAttention),
    /// Global response normalisation of a map: x · n · weight + bias, where n is the root of a channel's sum of squares over
    /// all places, over the mean of these roots plus eps (Woo et al., 2023, "ConvNeXt V2", section 3).
    ResponseNorm {
        /// (c,).
        weight: ParamId,
        /// (c,).
        bias: ParamId,
        /// Added to the mean.
        eps: f32,
    },
    /// x · weight, per channel ("layer scale").
    Scale {
        /// c numbers.
        weight: ParamId,
    },
    /// Every place of a map (c, h, w) times a second one (c, 1, 1) ("squeeze and excite").
    Gate,
    /// A map (d, h, w), row by row, as tokens (h·w, d) with others before them and positions added.
    Tokens {
        /// (1, k, d) each: what stands before the places, in their order.
        prefix: Vec<ParamId>,
        /// (1, rows·columns, d), or with those of the prefix's first tokens before them, (1, k + rows·columns, d). For a map of
        /// another size they are interpolated.
        positions: ParamId,
        /// Rows and columns that the positions were trained for.
        grid: (usize, usize),
        /// How positions are brought to another size.
        interpolation: Interpolation,
    },
    /// Tokens that are the same for every picture.
    Constant {
        /// (1, n, d).
        value: ParamId,
    },
    /// One token, as a vector.
    Token {
        /// Which.
        index: usize,
    },
    /// Scaled dot-product attention, softmax(q·kᵀ / sqrt(d / heads)) · v in each head (Vaswani et al., 2017, equation 1).
    /// Reads q, k and v as (n, 3d); or q as (m, d) and k and v as (n, 2d), or as (n, d) where keys are the values. The places of a
    /// map are tokens, row by row.
    Attention {
        /// Heads that d is split into.
        heads: usize,
        /// (heads, m, n), added to the scores: the same for every picture.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bias: Option<ParamId>,
    },
    /// Attention within windows of a map (3d, h, w), whose sides are multiples of the window's; the windows are moved
    /// down and right by `shift` and wrap around, where parts that are no neighbours do not see each other (Liu et al.,
    /// 2021, "Swin", section 3.2).
    WindowAttention {
        /// Heads that d is split into.
        heads: usize,
        /// Side of a window, in places.
        window: usize,
        /// By how much windows are moved; not at all where one window is the whole map.
        shift: usize,
        /// ((2·window - 1)², heads): added to a score, by how far apart two places are.
        bias: ParamId,
    },
    /// Channels from one to another, of a map, a vector or tokens.
    Channels {
        /// The first that stays.
        start: usize,
        /// The first after those.
        end: usize,
    },
    /// Channels in another order: as (groups, c / groups) transposed (Zhang et al., 2018, "ShuffleNet", section 3.1). Of a map,
    /// a vector or tokens.
    Shuffle {
        /// Groups that lay one after the other.
        groups: usize,
    },
    /// Four neighbours (2 down, 2 right) as one place: (c, h, w) to (4c, h/2, w/2), sides rounded up with zeros; upper
    /// left, lower left, upper right, lower right.
    MergePatches,
}

/// Which row of a table a token takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// That of its number.
    Token,
    /// That of its place in the text, counted from `first`. A padding token within a text has no place: it takes the row before
    /// the first, and is not counted.
    Place {
        /// The row of the first token.
        first: usize,
        /// The padding token, where such are passed over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        padding: Option<u32>,
    },
    /// The first row in a text, and in the first of a pair; the second row in the second of a pair, where there is one.
    Segment,
}

/// A function of each number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// min(max(x, 0), 6).
    Relu6,
    /// x · Φ(x), by the error function (Hendrycks and Gimpel, 2016).
    Gelu,
    /// Its approximation by tanh, in the same paper.
    GeluTanh,
    /// x · sigmoid(1.702 x), as in CLIP's own weights.
    QuickGelu,
    /// x · sigmoid(x).
    Silu,
    /// 1 / (1 + exp(-x)).
    Sigmoid,
    /// min(max(x + 3, 0), 6) / 6.
    HardSigmoid,
    /// x · hard sigmoid(x).
    HardSwish,
    /// The hyperbolic tangent.
    Tanh,
    /// ln(1 + exp(x)).
    Softplus,
    /// x · tanh(softplus(x)) (Misra, 2019).
    Mish,
    /// x, or slope · x where that is negative.
    LeakyRelu {
        /// Of what is negative.
        slope: f32,
    },
    /// x, or alpha · (exp(x) - 1) where that is negative (Clevert et al., 2015).
    Elu {
        /// How far down it goes.
        alpha: f32,
    },
    /// min(max(x, low), high).
    Clip {
        /// The least.
        low: f32,
        /// The most.
        high: f32,
    },
}

impl Activation {
    /// Every one, with numbers that are usual for it.
    pub const ALL: [Activation; 15] = [
        Activation::Relu,
        Activation::Relu6,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::QuickGelu,
        Activation::Silu,
        Activation::Sigmoid,
        Activation::HardSigmoid,
        Activation::HardSwish,
        Activation::Tanh,
        Activation::Softplus,
        Activation::Mish,
        Activation::LeakyRelu { slope: 0.01 },
        Activation::Elu { alpha: 1.0 },
        Activation::Clip { low: -1.0, high: 1.0 },
    ];

    /// Whether what it gives is never below zero.
    pub fn is_never_negative(self) -> bool {
        match self {
            Activation::Relu
            | Activation::Relu6
            | Activation::Sigmoid
            | Activation::HardSigmoid
            | Activation::Softplus => true,
            Activation::Clip { low, .. } => low >= 0.0,
            _ => false,
        }
    }

    /// Whether its numbers make sense.
    pub(crate) fn is_well_formed(self) -> bool {
        match self {
            Activation::LeakyRelu { slope: number } | Activation::Elu { alpha: number } => number.is_finite(),
            Activation::Clip { low, high } => low.is_finite() && high.is_finite() && low <= high,
            _ => true,
        }
    }
}

/// As serde asks for it.
fn one() -> Pair {
    Pair::ONE
}

/// How positions that were trained for one grid are brought to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// PyTorch's bicubic with antialiasing (a = -0.5), as timm does, and DINOv2 with registers.
    Antialiased,
    /// PyTorch's bicubic (a = -0.75), as transformers does.
    Bicubic,
    /// The same by the factor (side + 0.1) / trained side, as DINOv2 without registers does.
    Offset,
}

impl Op {
    /// The parameters this operation reads, in the order of its fields.
    pub fn params(&self) -> Vec<ParamId> {
        self.clone().slots().into_iter().map(|param| *param).collect()
    }

    /// The same operation reading other parameters, which `to` names one after the other.
    #[must_use]
    pub fn with_params(&self, mut to: impl FnMut(ParamId) -> ParamId) -> Op {
        let mut op = self.clone();
        op.slots().into_iter().for_each(|param| *param = to(*param));
        op
    }

    fn slots(&mut self) -> Vec<&mut ParamId> {
        match self {
            Op::Conv { weight, bias, .. } | Op::Linear { weight, bias } => {
                [Some(weight), bias.as_mut()].into_iter().flatten().collect()
            }
            Op::Attention { bias, .. } => bias.as_mut().into_iter().collect(),
            Op::TextAttention(how) => {
                how.distances.as_mut().map(|distances| &mut distances.table).into_iter().collect()
            }
            Op::BatchNorm { weight, bias, mean, variance, .. } => vec![weight, bias, mean, variance],
            Op::LayerNorm { weight, bias, .. } | Op::ResponseNorm { weight, bias, .. } => vec![weight, bias],
            Op::Tokens { prefix, positions, .. } => prefix.iter_mut().chain([positions]).collect(),
            Op::Scale { weight: param }
            | Op::RmsNorm { weight: param, .. }
            | Op::Constant { value: param }
            | Op::Lookup { table: param, .. }
            | Op::WindowAttention { bias: param, .. } => vec![param],
            _ => Vec::new(),
        }
    }
}

/// What a builder needs to know of a convolution; its input's channels come from the node it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv {
    pub(crate) out: usize,
    pub(crate) kernel: Pair,
    pub(crate) stride: Pair,
    pub(crate) padding: Padding,
    pub(crate) dilation: Pair,
    pub(crate) groups: usize,
    pub(crate) bias: bool,
}

impl Conv {
    /// `out` channels, stride 1, padding that keeps the size, no dilation, one group, no bias.
    pub fn new(out: usize, kernel: impl Into<Pair>) -> Conv {
        let kernel = kernel.into();
        let padding = (kernel.y / 2, kernel.x / 2).into();
        Conv { out, kernel, stride: Pair::ONE, padding, dilation: Pair::ONE, groups: 1, bias: false }
    }

    /// With another step.
    pub fn stride(self, stride: impl Into<Pair>) -> Conv {
        Conv { stride: stride.into(), ..self }
    }

    /// With another padding.
    pub fn pad(self, padding: impl Into<Padding>) -> Conv {
        Conv { padding: padding.into(), ..self }
    }

    /// With so far from one place of a window to the next. The padding stays as it is.
    pub fn dilation(self, dilation: impl Into<Pair>) -> Conv {
        Conv { dilation: dilation.into(), ..self }
    }

    /// In groups.
    pub fn groups(self, groups: usize) -> Conv {
        Conv { groups, ..self }
    }

    /// With a bias.
    pub fn bias(self) -> Conv {
        Conv { bias: true, ..self }
    }
}
