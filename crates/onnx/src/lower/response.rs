//! Global response normalisation, with channels last.

use super::{Laid, Lowering, Operator, ParamId};

impl Lowering<'_, '_, '_> {
    /// x · n · weight + bias, as PyTorch's exporters write it.
    pub(super) fn response_norm(&mut self, weight: ParamId, bias: ParamId, eps: f32) -> Laid {
        let (x, weight, bias) = (self.last(0), self.param(weight), self.param(bias));
        let roots = self.part("roots", &Operator::ReduceL2 { axes: vec![1, 2] }, vec![x.clone()]);
        let mean = self.part("mean", &Operator::ReduceMean { axis: 3, keeps: true }, vec![roots.clone()]);
        let eps = self.constant("eps", &[], vec![eps]);
        let mean = self.part("widened", &Operator::Add, vec![mean, eps]);
        let shares = self.part("shares", &Operator::Div, vec![roots, mean]);
        let scaled = self.part("scaled", &Operator::Mul, vec![x, shares]);
        let weighted = self.part("weighted", &Operator::Mul, vec![scaled, weight]);
        let value = self.whole(&Operator::Add, vec![weighted, bias]);
        self.channels_last(value)
    }
}
