//! Functions of each number. Opset 17 lacks GELU and SiLU; they are written in the steps that ONNX Runtime recognises and
//! joins again.

use super::{Laid, Lowering, Operator, Shape};
use network::Activation;
use std::f32::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, SQRT_2};

impl Lowering<'_, '_, '_> {
    pub(super) fn activation(&mut self, function: Activation) -> Laid {
        // Whichever layout there is.
        let laid = self.laid(0);
        let x = laid.last.clone().or_else(|| laid.first.clone()).unwrap_or_default();
        let value = match function {
            Activation::Relu => self.whole(&Operator::Relu, vec![x]),
            Activation::Relu6 => self.clip(x, 0.0, 6.0),
            Activation::Clip { low, high } => self.clip(x, low, high),
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
            Activation::Tanh => self.whole(&Operator::Tanh, vec![x]),
            Activation::Softplus => self.whole(&Operator::Softplus, vec![x]),
            Activation::Mish => {
                let softplus = self.part("softplus", &Operator::Softplus, vec![x.clone()]);
                let gate = self.part("gate", &Operator::Tanh, vec![softplus]);
                self.whole(&Operator::Mul, vec![x, gate])
            }
            Activation::LeakyRelu { slope } => self.whole(&Operator::LeakyRelu { alpha: slope }, vec![x]),
            Activation::Elu { alpha } => self.whole(&Operator::Elu { alpha }, vec![x]),
        };
        match (laid.last, self.shape()) {
            (None, Shape::Map { .. }) => Laid::first(value),
            _ => self.channels_last(value),
        }
    }

    /// From one number to another.
    fn clip(&mut self, x: String, low: f32, high: f32) -> String {
        let inputs = vec![x, self.number(low), self.number(high)];
        self.whole(&Operator::Clip, inputs)
    }

    /// x · (1 + erf(x / √2)) · ½.
    fn gelu(&mut self, x: String) -> String {
        let (root, half) = (self.number(SQRT_2), self.number(0.5));
        let scaled = self.part("scaled", &Operator::Div, vec![x.clone(), root]);
        let erf = self.part("erf", &Operator::Erf, vec![scaled]);
        let gate = self.plus_one("gate", erf);
        let twice = self.part("twice", &Operator::Mul, vec![x, gate]);
        self.whole(&Operator::Mul, vec![twice, half])
    }

    /// x · ½ · (1 + tanh(x · √(2/π) · (1 + 0.044715 x · x))).
    fn gelu_tanh(&mut self, x: String) -> String {
        let small = self.times("small", x.clone(), 0.044_715);
        let square = self.part("square", &Operator::Mul, vec![small, x.clone()]);
        let bend = self.plus_one("bend", square);
        let scaled = self.times("scaled", x.clone(), FRAC_2_SQRT_PI * FRAC_1_SQRT_2);
        let bent = self.part("bent", &Operator::Mul, vec![scaled, bend]);
        let tanh = self.part("tanh", &Operator::Tanh, vec![bent]);
        let gate = self.plus_one("gate", tanh);
        let half = self.times("half", x, 0.5);
        self.whole(&Operator::Mul, vec![half, gate])
    }

    /// x + 1, on the way.
    fn plus_one(&mut self, what: &str, x: String) -> String {
        let one = self.number(1.0);
        self.part(what, &Operator::Add, vec![x, one])
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
