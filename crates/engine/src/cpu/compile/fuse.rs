//! What goes into a product: the batch norm after it, a sum with something already there, an activation.

use super::{Compiler, lanes, narrow};
use crate::cpu::{functions::After, gemm::Lane};
use network::{Node, Op, ParamId, Tensor};

/// A product, and what is done to its sums before anybody else sees them.
pub(super) struct Fused {
    /// The last node of the run.
    pub(super) end: usize,
    /// (outputs, the rest), row-major.
    pub(super) weight: Tensor,
    /// What a batch norm, or a layer scale, multiplies each output's weights by.
    pub(super) scales: Vec<f64>,
    pub(super) bias: Vec<Lane>,
    pub(super) residual: Option<usize>,
    pub(super) after: After,
}

impl Compiler<'_> {
    /// Follows what only this product's results go through: `norm`, a sum with something already there, an activation.
    pub(super) fn fuse(
        &mut self,
        at: usize,
        weight: ParamId,
        bias: Option<ParamId>,
        norm: Option<usize>,
    ) -> Fused {
        let outputs = self.network.param(weight).shape[0];
        let mut scales = vec![1.0; outputs];
        let mut shift = match bias {
            Some(bias) => self.numbers(bias),
            None => vec![0.0; outputs],
        };
        let mut end = at;
        if let Some(norm) = norm {
            let (scale, shifts) = self.affine(&self.network.nodes()[norm]);
            for ((bias, scale), shift) in shift.iter_mut().zip(&scale).zip(shifts) {
                *bias = *bias * scale + shift;
            }
            scales = scale;
            self.done[norm] = true;
            end = norm;
        }
        let mut residual = None;
        let takes_sums = !self.is_depthwise(at);
        if let Some((next, sum)) = self.only_reader(end).filter(|(_, n)| takes_sums && n.op == Op::Add) {
            let others = sum.inputs.iter().filter(|input| input.index() != end);
            if let Some(other) = others.filter_map(|input| self.values[input.index()]).next() {
                residual = Some(other);
                self.done[next] = true;
                end = next;
            }
        }
        let (end, after) = self.function_after(end);
        self.done[end] = true;
        let shared = self.uses[weight.index()] > 1 || self.products(at).len() > 1;
        let tensor = &mut self.tensors[weight.index()];
        let weight = if shared {
            tensor.clone()
        } else {
            std::mem::replace(tensor, Tensor { shape: vec![0], data: Vec::new() })
        };
        Fused { end, weight, scales, bias: lanes(shift.into_iter().map(narrow)), residual, after }
    }

    /// The activation that is all that reads a node, if there is one, and where it ends.
    pub(super) fn function_after(&self, at: usize) -> (usize, After) {
        match self.only_reader(at) {
            Some((next, Node { op: Op::Activation { function }, .. })) => (next, After::of(*function)),
            _ => (at, After::NONE),
        }
    }

    pub(super) fn only_reader(&self, at: usize) -> Option<(usize, &Node)> {
        let [reader] = self.readers[at][..] else { return None };
        (!self.is_output(at)).then(|| (reader, &self.network.nodes()[reader]))
    }

    /// The products that a convolution comes to: one for every batch norm that reads it, with that one folded in, and
    /// one for everybody else. Who else reads it must not decide what is folded: taps would change each other's bits.
    pub(super) fn products(&self, at: usize) -> Vec<Option<usize>> {
        let is_norm = |reader: &usize| {
            matches!(self.network.nodes()[*reader].op, Op::BatchNorm { .. } | Op::Scale { .. })
        };
        let (norms, others): (Vec<usize>, Vec<usize>) =
            self.readers[at].iter().partition(|reader| is_norm(reader));
        let plain = self.is_output(at) || !others.is_empty();
        plain.then_some(None).into_iter().chain(norms.into_iter().map(Some)).collect()
    }

    /// A batch norm's scale and shift, or a layer scale's.
    pub(super) fn affine(&self, node: &Node) -> (Vec<f64>, Vec<f64>) {
        if let Op::Scale { weight } = node.op {
            let scale = self.numbers(weight);
            return (scale.clone(), vec![0.0; scale.len()]);
        }
        let Op::BatchNorm { weight, bias, mean, variance, eps } = node.op else {
            unreachable!("asked of batch norms and layer scales only")
        };
        let [weight, bias, mean, variance] = [weight, bias, mean, variance].map(|id| self.numbers(id));
        let scale: Vec<f64> =
            weight.iter().zip(variance).map(|(weight, v)| weight / (v + f64::from(eps)).sqrt()).collect();
        let shift =
            bias.iter().zip(mean).zip(&scale).map(|((bias, mean), scale)| bias - mean * scale).collect();
        (scale, shift)
    }
}
