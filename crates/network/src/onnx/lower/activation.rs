//! Functions of each number. Opset 17 lacks GELU and SiLU; they are written in the steps that ONNX Runtime recognises and
//! joins again.

use super::{Laid, Lowering, Operator, Shape};
use crate::Activation;
use std::f32::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, SQRT_2};

impl Lowering<'_, '_, '_> {
    pub(super) fn activation(&mut self, function: Activation) -> Laid {
        // Whichever layout there is.
        let laid = self.laid(0);
        let x = laid.last.clone().or_else(|| laid.first.clone()).unwrap_or_default();
        let value = match function {
            Activation::Relu => self.whole(&Operator::Relu, vec![x]),
            Activation::Relu6 => {
                let inputs = vec![x, self.number(0.0), self.number(6.0)];
                self.whole(&Operator::Clip, inputs)
            }
            Activation::Gelu => self.gelu(x),
            Activation::GeluTanh => self.gelu_tanh(x),
            Activation::QuickGelu => {
                let scaled = self.times("scaled", x.clone(), 1.702);
                let gate = self.part("gate", &Operator::Sigmoid, vec![scaled]);
                self.whole(&Operator::Mul, vec![x, gate])
            }
            Activation::Silu => {
                let gate = self.part("gate", &Operator::Sigmoid, vec![x.clone()]);
                self.whole(&Operator::Mul, vec![x, gate])
            }
            Activation::Sigmoid => self.whole(&Operator::Sigmoid, vec![x]),
            Activation::HardSigmoid => {
                self.whole(&Operator::HardSigmoid { alpha: 1.0 / 6.0, beta: 0.5 }, vec![x])
            }
            Activation::HardSwish => self.whole(&Operator::HardSwish, vec![x]),
        };
        match (laid.last, self.shape()) {
            (None, Shape::Map { .. }) => Laid::first(value),
            _ => self.channels_last(value),
        }
    }

    /// x · (1 + erf(x / √2)) · ½.
    fn gelu(&mut self, x: String) -> String {
        let root = self.number(SQRT_2);
        let scaled = self.part("scaled", &Operator::Div, vec![x.clone(), root]);
        let erf = self.part("erf", &Operator::Erf, vec![scaled]);
        self.gated(x, erf)
    }

    /// x · (1 + tanh(√(2/π) · (x + 0.044715 x³))) · ½.
    fn gelu_tanh(&mut self, x: String) -> String {
        let square = self.part("square", &Operator::Mul, vec![x.clone(), x.clone()]);
        let cube = self.part("cube", &Operator::Mul, vec![square, x.clone()]);
        let bend = self.times("bend", cube, 0.044_715);
        let bent = self.part("bent", &Operator::Add, vec![x.clone(), bend]);
        let scaled = self.times("scaled", bent, FRAC_2_SQRT_PI * FRAC_1_SQRT_2);
        let tanh = self.part("tanh", &Operator::Tanh, vec![scaled]);
        self.gated(x, tanh)
    }

    /// x · (1 + gate) · ½.
    fn gated(&mut self, x: String, gate: String) -> String {
        let (one, half) = (self.number(1.0), self.number(0.5));
        let gate = self.part("gate", &Operator::Add, vec![gate, one]);
        let twice = self.part("twice", &Operator::Mul, vec![x, gate]);
        self.whole(&Operator::Mul, vec![twice, half])
    }

    /// x · factor, on the way.
    pub(super) fn times(&mut self, what: &str, x: String, factor: f32) -> String {
        let factor = self.number(factor);
        self.part(what, &Operator::Mul, vec![x, factor])
    }

    fn number(&mut self, value: f32) -> String {
        self.graph.draft.scalar(value)
    }
}
