//! The head: dense layers with ReLU between them, and a softmax or a sigmoid of logits.

use super::{Draft, Ending, FEATURES, LOGITS, OnnxError, Operator, PROBABILITIES, VALUES};
use weights::Dense;

/// Weight and bias of a layer.
fn params(layer: usize) -> [String; 2] {
    ["weight", "bias"].map(|part| format!("head.{layer}.{part}"))
}

/// Keeps the head's names for it.
pub(super) fn reserve(draft: &mut Draft<'_>, layers: usize) {
    for layer in 0..layers {
        params(layer).iter().for_each(|name| draft.reserve(name));
    }
}

/// Adds the head and its outputs.
pub(super) fn lower<'a>(
    draft: &mut Draft<'a>,
    head: &'a [Dense],
    ending: Ending,
    features: usize,
) -> Result<(), OnnxError> {
    let output = if ending == Ending::Values { VALUES } else { LOGITS };
    let (mut x, mut width) = (FEATURES.to_owned(), features);
    for (layer, dense) in head.iter().enumerate() {
        let Dense { inputs, outputs, weight, bias } = dense;
        if *inputs != width {
            return Err(OnnxError::HeadWidth { layer, expected: *inputs, got: width });
        }
        if inputs.checked_mul(*outputs) != Some(weight.len()) || bias.len() != *outputs {
            let expected = inputs.saturating_add(1).saturating_mul(*outputs);
            return Err(OnnxError::HeadLength { layer, expected, got: weight.len() + bias.len() });
        }
        let names = params(layer);
        draft.reserved(&names[0], &[*outputs, *inputs], weight.as_slice());
        draft.reserved(&names[1], &[*outputs], bias.as_slice());
        let last = layer + 1 == head.len();
        let name = if last { output.to_owned() } else { draft.free(&format!("head.{layer}")) };
        x = draft.step(&Operator::Gemm, name, [x].into_iter().chain(names).collect());
        width = *outputs;
        if !last {
            let name = draft.free(&format!("head.{layer}/relu"));
            x = draft.step(&Operator::Relu, name, vec![x]);
        }
    }
    draft.outputs.push((output, width));
    let operator = match ending {
        Ending::Classes => Operator::Softmax,
        Ending::Labels => Operator::Sigmoid,
        Ending::Values => return Ok(()),
    };
    draft.step(&operator, PROBABILITIES.to_owned(), vec![x]);
    draft.outputs.push((PROBABILITIES, width));
    Ok(())
}
