//! What each operation gives for a batch, and how slopes go back through it.

mod arrange;
mod attention;
mod conv;
mod functions;
mod norm;
mod pool;
mod positions;

use crate::{
    layout::Extent,
    matrix::{Matrix, multiply_all},
    memory, sums,
};
use attention::Windowed;
use conv::Conv;
use network::{Network, Node, Op, ParamId, Shape};
use norm::By;
use pool::Regions;
use weights::Tensor;

/// A node, and what it reads.
pub(crate) struct Step<'a> {
    pub(crate) network: &'a Network,
    pub(crate) node: &'a Node,
    pub(crate) params: &'a [Tensor],
    pub(crate) extent: Extent<'a>,
    /// Of every input: its values, (rows, width), and their shape.
    pub(crate) inputs: Vec<&'a [f32]>,
    pub(crate) seen: Vec<Shape>,
    pub(crate) made: Shape,
}

/// What a node's slopes come to, as far as they are asked for.
pub(crate) struct Slopes<'a> {
    /// Which parameters learn.
    pub(crate) learn: &'a [bool],
    /// Which inputs are asked for.
    pub(crate) wanted: &'a [bool],
    pub(crate) inputs: Vec<Option<Vec<f32>>>,
    pub(crate) params: Vec<(ParamId, Vec<f32>)>,
}

impl<'a> Step<'a> {
    fn param(&self, id: ParamId) -> &'a [f32] {
        &self.params[id.index()].data
    }
}

impl Slopes<'_> {
    fn learns(&self, id: ParamId) -> bool {
        self.learn[id.index()]
    }

    fn param(&mut self, id: ParamId, slope: impl FnOnce() -> Vec<f32>) {
        if self.learns(id) {
            self.params.push((id, slope()));
        }
    }

    fn input(&mut self, at: usize, slope: impl FnOnce() -> Vec<f32>) {
        if self.wanted[at] {
            self.inputs[at] = Some(slope());
        }
    }
}

/// What the node gives: (rows, width). `None` where only whoever runs the network knows: of inputs, and of what looks tokens up.
pub(crate) fn values(step: &Step<'_>) -> Option<Vec<f32>> {
    let x = step.inputs.first().copied().unwrap_or_default();
    Some(match &step.node.op {
        Op::Input { .. } | Op::Text | Op::Given { .. } | Op::Lookup { .. } => return None,
        Op::Conv { .. } => Conv::of(step)?.values(step),
        &Op::BatchNorm { weight, bias, mean, variance, eps } => {
            norm::batch_norm(step, By { weight, bias, eps }, [mean, variance])
        }
        Op::Activation { function } => functions::values(*function, x),
        Op::MaxPool(pool) => pool::largest(step, &Regions::of_pool(step, *pool)),
        Op::AveragePool(pool) => pool::mean(step, &Regions::of_pool(step, *pool)),
        &Op::AdaptiveAveragePool { height, width } => {
            pool::mean(step, &Regions::of_cells(step, height, width))
        }
        Op::GlobalAveragePool => pool::mean(step, &Regions::of_all(step)),
        Op::GlobalMaxPool => pool::largest(step, &Regions::of_all(step)),
        Op::LastToken => arrange::token(step, None),
        Op::Token { index } => arrange::token(step, Some(*index)),
        Op::Normalize => norm::normalize(step),
        Op::Flatten => arrange::flatten(step),
        Op::Linear { weight, bias } => linear(step, *weight, *bias),
        Op::Add => sums::map_both(x, step.inputs[1], |a, b| a + b),
        Op::Multiply => sums::map_both(x, step.inputs[1], |a, b| a * b),
        Op::Concat => arrange::concat(step),
        &Op::LayerNorm { weight, bias, eps } => norm::layer_norm(step, By { weight, bias, eps }),
        Op::RmsNorm { weight, eps } => norm::rms_norm(step, *weight, *eps),
        Op::Rotary(how) => attention::rotary(step, how, x, false),
        Op::TextAttention(how) => attention::text_attention(step, how),
        &Op::ResponseNorm { weight, bias, eps } => norm::response_norm(step, By { weight, bias, eps }),
        Op::Scale { weight } => norm::scale(step, *weight),
        Op::Gate => arrange::gate(step),
        Op::Tokens { .. } => arrange::tokens(step, &positions::table(step)?),
        Op::Constant { value } => step.param(*value).repeat(step.extent.samples),
        Op::Attention { heads, bias } => attention::attention(step, *heads, *bias),
        Op::WindowAttention { .. } => Windowed::of(step)?.values(),
        Op::Channels { start, end } => arrange::narrow(step, *start, *end),
        Op::Shuffle { groups } => arrange::shuffle(step, *groups),
        Op::MergePatches => arrange::merge(step),
    })
}

/// Goes back: dy is the slope of what the node gave, (rows, width).
pub(crate) fn back(step: &Step<'_>, slopes: &mut Slopes<'_>, dy: &[f32]) {
    let x = step.inputs.first().copied().unwrap_or_default();
    match &step.node.op {
        Op::Input { .. } | Op::Text | Op::Given { .. } | Op::Lookup { .. } => {}
        Op::Conv { .. } => {
            if let Some(conv) = Conv::of(step) {
                conv.slopes(step, slopes, dy);
            }
        }
        &Op::BatchNorm { weight, bias, mean, variance, eps } => {
            norm::batch_norm_back(step, slopes, By { weight, bias, eps }, [mean, variance], dy);
        }
        Op::Activation { function } => slopes.input(0, || functions::slopes(*function, x, dy)),
        Op::MaxPool(pool) => slopes.input(0, || pool::largest_back(step, &Regions::of_pool(step, *pool), dy)),
        Op::AveragePool(pool) => {
            slopes.input(0, || pool::mean_back(step, &Regions::of_pool(step, *pool), dy));
        }
        &Op::AdaptiveAveragePool { height, width } => {
            slopes.input(0, || pool::mean_back(step, &Regions::of_cells(step, height, width), dy));
        }
        Op::GlobalAveragePool => slopes.input(0, || pool::mean_back(step, &Regions::of_all(step), dy)),
        Op::GlobalMaxPool => slopes.input(0, || pool::largest_back(step, &Regions::of_all(step), dy)),
        Op::LastToken => slopes.input(0, || arrange::token_back(step, None, dy)),
        Op::Token { index } => slopes.input(0, || arrange::token_back(step, Some(*index), dy)),
        Op::Normalize => slopes.input(0, || norm::normalize_back(step, dy)),
        Op::Flatten => slopes.input(0, || arrange::flatten_back(step, dy)),
        Op::Linear { weight, bias } => linear_back(step, slopes, (*weight, *bias), dy),
        Op::Add => {
            slopes.input(0, || memory::copy(dy));
            slopes.input(1, || memory::copy(dy));
        }
        Op::Multiply => {
            slopes.input(0, || sums::map_both(dy, step.inputs[1], |dy, b| dy * b));
            slopes.input(1, || sums::map_both(dy, x, |dy, a| dy * a));
        }
        Op::Concat => arrange::concat_back(step, slopes, dy),
        &Op::LayerNorm { weight, bias, eps } => {
            norm::layer_norm_back(step, slopes, By { weight, bias, eps }, dy);
        }
        Op::RmsNorm { weight, eps } => norm::rms_norm_back(step, slopes, *weight, *eps, dy),
        Op::Rotary(how) => slopes.input(0, || attention::rotary(step, how, dy, true)),
        Op::TextAttention(how) => attention::text_attention_back(step, slopes, how, dy),
        &Op::ResponseNorm { weight, bias, eps } => {
            norm::response_norm_back(step, slopes, By { weight, bias, eps }, dy);
        }
        Op::Scale { weight } => norm::scale_back(step, slopes, *weight, dy),
        Op::Gate => arrange::gate_back(step, slopes, dy),
        Op::Tokens { .. } => {
            positions::back(step, slopes, dy);
            slopes.input(0, || arrange::tokens_back(step, dy));
        }
        Op::Constant { value } => slopes.param(*value, || sums::of_columns(dy, step.made.len())),
        Op::Attention { heads, bias } => attention::attention_back(step, slopes, *heads, *bias, dy),
        Op::WindowAttention { .. } => {
            if let Some(windowed) = Windowed::of(step) {
                windowed.back(slopes, dy);
            }
        }
        Op::Channels { start, end } => slopes.input(0, || arrange::narrow_back(step, *start, *end, dy)),
        Op::Shuffle { groups } => slopes.input(0, || arrange::shuffle_back(step, *groups, dy)),
        Op::MergePatches => slopes.input(0, || arrange::merge_back(step, dy)),
    }
}

fn linear(step: &Step<'_>, weight: ParamId, bias: Option<ParamId>) -> Vec<f32> {
    let (x, d, out) = (step.inputs[0], step.seen[0].width(), step.made.width());
    let weight = Matrix::new(step.param(weight), out, d);
    let mut y = multiply_all(Matrix::new(x, x.len() / d, d), weight.t());
    if let Some(bias) = bias {
        sums::add_to_rows(&mut y, step.param(bias));
    }
    y
}

fn linear_back(
    step: &Step<'_>,
    slopes: &mut Slopes<'_>,
    (weight, bias): (ParamId, Option<ParamId>),
    dy: &[f32],
) {
    let (x, d, out) = (step.inputs[0], step.seen[0].width(), step.made.width());
    let (rows, dy_) = (x.len() / d, Matrix::new(dy, dy.len() / out, out));
    if let Some(bias) = bias {
        slopes.param(bias, || sums::of_columns(dy, out));
    }
    slopes.param(weight, || multiply_all(dy_.t(), Matrix::new(x, rows, d)));
    slopes.input(0, || multiply_all(dy_, Matrix::new(step.param(weight), out, d)));
}
