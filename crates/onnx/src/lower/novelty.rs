//! How far features are from those that a head was fitted on, as crate `head` measures it.

use super::{Draft, Operator, flow::Flow};
use crate::{DISTANCE, FEATURES, NOVEL, Whitened, draft::Declared, graph::Form};

/// Adds the nodes that give the distance, and whether it is too far. Its matrix stays f32: differences of large numbers are
/// what it is about.
pub(super) fn lower<'a>(draft: &mut Draft<'a>, of: Whitened<'a>) {
    let Whitened { whitening, means, threshold } = of;
    let dim = whitening.outputs;
    let classes = means.len() / dim.max(1);
    let weight =
        draft.constant("novelty.weight", &[whitening.outputs, whitening.inputs], &whitening.weight[..]);
    let bias = draft.constant("novelty.bias", &[dim], &whitening.bias[..]);
    let half = |mean: &[f32]| -0.5 * mean.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>();
    let nearness: Vec<f32> = means.chunks_exact(dim.max(1)).map(|mean| half(mean) as f32).collect();
    let means = draft.constant("novelty.means", &[classes, dim], means);
    let nearness = draft.constant("novelty.nearness", &[classes], nearness);
    let mut flow = Flow { draft, scope: "novelty" };
    let z = flow.step("whitened", &Operator::Gemm, &[FEATURES, &weight, &bias]);
    // z · m − ½ ‖m‖², the largest of which is the nearest mean's.
    let near = flow.step("nearness", &Operator::Gemm, &[&z, &means, &nearness]);
    let nearest = flow.step("nearest", &Operator::ArgMax, &[&near]);
    let mean = flow.step("mean", &Operator::GatherAt { axis: 0 }, &[&means, &nearest]);
    let apart = flow.step("apart", &Operator::Sub, &[&z, &mean]);
    let squares = flow.step("squares", &Operator::Mul, &[&apart, &apart]);
    let squares = flow.step("square", &Operator::ReduceMean { axis: 1, keeps: false }, &[&squares]);
    flow.draft.step(&Operator::Sqrt, DISTANCE.to_owned(), vec![squares]);
    // The threshold was measured as an f32.
    let threshold = flow.draft.scalar(threshold as f32);
    flow.draft.step(&Operator::Greater, NOVEL.to_owned(), vec![DISTANCE.to_owned(), threshold]);
    flow.draft.outputs.push(Declared { name: DISTANCE, form: Form::Numbers });
    flow.draft.outputs.push(Declared { name: NOVEL, form: Form::Truths });
}
