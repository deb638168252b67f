//! The operations that networks are made of, and the small descriptions that builders pass around.

use crate::graph::ParamId;
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
    /// Convolution of a map (c, h, w) with a weight (out, c / groups, k, k), zero-padded.
    Conv {
        /// (out, c / groups, k, k).
        weight: ParamId,
        /// (out,).
        bias: Option<ParamId>,
        /// Step in both directions, in pixels.
        stride: usize,
        /// Zeros on every side, in pixels.
        padding: usize,
        /// Channels are split into so many groups that do not see one another.
        groups: usize,
    },
    /// Batch normalisation with frozen statistics: (x - mean) / sqrt(variance + eps) * weight + bias, per channel.
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
    /// max(x, 0).
    Relu,
    /// min(max(x, 0), 6).
    Relu6,
    /// The largest value of each window; padding never wins.
    MaxPool(Pool),
    /// Means over an even division of the map into (height, width) cells, as PyTorch's `AdaptiveAvgPool2d`.
    AdaptiveAveragePool {
        /// Rows of the result.
        height: usize,
        /// Columns of the result.
        width: usize,
    },
    /// The mean over all places of a map: (c, h, w) to (c,).
    GlobalAveragePool,
    /// (c, h, w) to (c·h·w,), row-major.
    Flatten,
    /// weight · x + bias for a vector (d,).
    Linear {
        /// (out, d).
        weight: ParamId,
        /// (out,).
        bias: Option<ParamId>,
    },
    /// The sum of two equal shapes.
    Add,
    /// Maps of one size, one after the other along the channels.
    Concat,
}

impl Op {
    /// The parameters this operation reads, in the order of its fields.
    pub fn params(&self) -> Vec<ParamId> {
        match *self {
            Op::Conv { weight, bias, .. } | Op::Linear { weight, bias } => {
                [Some(weight), bias].into_iter().flatten().collect()
            }
            Op::BatchNorm { weight, bias, mean, variance, .. } => vec![weight, bias, mean, variance],
            _ => Vec::new(),
        }
    }

    /// The same operation reading other parameters.
    pub(crate) fn map_params(&self, to: impl Fn(ParamId) -> ParamId) -> Op {
        let mut op = self.clone();
        match &mut op {
            Op::Conv { weight, bias, .. } | Op::Linear { weight, bias } => {
                *weight = to(*weight);
                *bias = bias.map(&to);
            }
            Op::BatchNorm { weight, bias, mean, variance, .. } => {
                for param in [weight, bias, mean, variance] {
                    *param = to(*param);
                }
            }
            _ => {}
        }
        op
    }
}

/// A pooling window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Side of the window, in pixels.
    pub kernel: usize,
    /// Step, in pixels.
    pub stride: usize,
    /// Cells that never win on every side, in pixels.
    pub padding: usize,
    /// Whether a last window that sticks out counts (PyTorch's `ceil_mode`).
    pub ceil: bool,
}

impl Pool {
    /// A window of `kernel`² pixels, moved by `stride`; no padding, no sticking out.
    pub fn new(kernel: usize, stride: usize) -> Pool {
        Pool { kernel, stride, padding: 0, ceil: false }
    }

    /// With padding on every side.
    pub fn pad(self, padding: usize) -> Pool {
        Pool { padding, ..self }
    }

    /// With windows that stick out at the end.
    pub fn ceil(self) -> Pool {
        Pool { ceil: true, ..self }
    }
}

/// What a builder needs to know of a convolution; its input's channels come from the node it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv {
    pub(crate) out: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
    pub(crate) groups: usize,
    pub(crate) bias: bool,
}

impl Conv {
    /// `out` channels, a square kernel, stride 1, padding that keeps the size, one group, no bias.
    pub fn new(out: usize, kernel: usize) -> Conv {
        Conv { out, kernel, stride: 1, padding: kernel / 2, groups: 1, bias: false }
    }

    /// With another step.
    pub fn stride(self, stride: usize) -> Conv {
        Conv { stride, ..self }
    }

    /// With another padding.
    pub fn pad(self, padding: usize) -> Conv {
        Conv { padding, ..self }
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
