//! Functions of one number, as exporters spell them: GELU is six nodes in one file and four in another.
//!
//! Whatever the spelling, a function is known by its values. What is none of ours is taken apart, at its last step.

use network::Activation;
use std::rc::Rc;

/// A function of x.
#[derive(Clone, Debug)]
pub(super) enum Function {
    X,
    Number(f64),
    One(Unary, Rc<Function>),
    Two(Binary, Rc<Function>, Rc<Function>),
}

/// Of one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Unary {
    Known(Activation),
    Abs,
    Erf,
    Exp,
    Log,
    Sqrt,
    Reciprocal,
    /// min(max(alpha · x + beta, 0), 1).
    HardSigmoid(f64, f64),
    Sin,
    Cos,
    Floor,
    Ceil,
    Round,
    Sign,
}

/// Of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Min,
    Max,
}

impl Unary {
    pub(super) fn of(self, x: f64) -> f64 {
        match self {
            Unary::Known(function) => value(function, x),
            Unary::Abs => x.abs(),
            Unary::Erf => erf(x),
            Unary::Exp => x.exp(),
            Unary::Log => x.ln(),
            Unary::Sqrt => x.sqrt(),
            Unary::Reciprocal => x.recip(),
            Unary::HardSigmoid(alpha, beta) => (alpha * x + beta).clamp(0.0, 1.0),
            Unary::Sin => x.sin(),
            Unary::Cos => x.cos(),
            Unary::Floor => x.floor(),
            Unary::Ceil => x.ceil(),
            Unary::Round => x.round_ties_even(),
            Unary::Sign => {
                if x == 0.0 {
                    0.0
                } else {
                    x.signum()
                }
            }
        }
    }
}

impl Binary {
    pub(super) fn of(self, a: f64, b: f64) -> f64 {
        match self {
            Binary::Add => a + b,
            Binary::Subtract => a - b,
            Binary::Multiply => a * b,
            Binary::Divide => a / b,
            Binary::Power => a.powf(b),
            Binary::Min => a.min(b),
            Binary::Max => a.max(b),
        }
    }
}

/// More steps than any activation is spelt in.
const MOST: usize = 40;

impl Function {
    /// How many steps it has, each as often as it is spelt.
    fn steps(&self) -> usize {
        match self {
            Function::X | Function::Number(_) => 1,
            Function::One(_, of) => of.steps() + 1,
            Function::Two(_, a, b) => a.steps() + b.steps() + 1,
        }
    }

    /// Whether it is so long that it should be worked out before more is added.
    pub(super) fn is_long(&self) -> bool {
        self.steps() > MOST
    }

    pub(super) fn of(&self, x: f64) -> f64 {
        match self {
            Function::X => x,
            Function::Number(value) => *value,
            Function::One(unary, of) => unary.of(of.of(x)),
            Function::Two(binary, a, b) => binary.of(a.of(x), b.of(x)),
        }
    }

    /// Which of ours it is; `None` where it is none of them.
    pub(super) fn known(&self) -> Option<Activation> {
        if let Function::One(Unary::Known(function), of) = self
            && matches!(**of, Function::X)
        {
            return Some(*function);
        }
        known(|x| self.of(x))
    }

    /// Which of ours it is, of factor · x + summand where some such numbers stand inside it, and times a factor: summand
    /// and factors are (inner factor, inner summand, outer factor).
    pub(super) fn known_between(&self) -> Option<(f64, f64, f64, Activation)> {
        let mut inner = vec![(1.0, 0.0)];
        self.affine_parts(&mut inner);
        inner.iter().take(5).filter(|(scale, _)| *scale != 0.0).find_map(|(scale, shift)| {
            let of = |u: f64| self.of((u - shift) / scale);
            // Far from zero most functions are their slope times x.
            let slope = of(100.0) / 100.0;
            [1.0, slope]
                .into_iter()
                .filter(|outer| outer.is_normal())
                .find_map(|outer| known(|u| of(u) / outer).map(|function| (*scale, *shift, outer, function)))
        })
    }

    /// The largest parts that are no more than a factor and a summand.
    fn affine_parts(&self, to: &mut Vec<(f64, f64)>) {
        match (self, self.affine()) {
            (Function::Number(_), _) => {}
            (_, Some(found)) => {
                if !to.contains(&found) {
                    to.push(found);
                }
            }
            (Function::One(_, of), None) => of.affine_parts(to),
            (Function::Two(_, a, b), None) => {
                a.affine_parts(to);
                b.affine_parts(to);
            }
            (Function::X, None) => {}
        }
    }

    /// It, and what is left of it when factors and summands at its end are taken off, one after the other: each with the
    /// factor and the summand that are to be put back.
    pub(super) fn peeled(&self) -> Vec<(&Function, f64, f64)> {
        let (mut core, mut scale, mut shift) = (self, 1.0, 0.0);
        let mut peeled = vec![(core, scale, shift)];
        while let Function::Two(op, a, b) = core {
            let (next, by, plus) = match (op, &**a, &**b) {
                (Binary::Add, of, Function::Number(n)) | (Binary::Add, Function::Number(n), of) => {
                    (of, 1.0, *n)
                }
                (Binary::Subtract, of, Function::Number(n)) => (of, 1.0, -n),
                (Binary::Subtract, Function::Number(n), of) => (of, -1.0, *n),
                (Binary::Multiply, of, Function::Number(n)) | (Binary::Multiply, Function::Number(n), of) => {
                    (of, *n, 0.0)
                }
                (Binary::Divide, of, Function::Number(n)) if *n != 0.0 => (of, 1.0 / n, 0.0),
                _ => break,
            };
            shift += scale * plus;
            scale *= by;
            core = next;
            peeled.push((core, scale, shift));
        }
        peeled
    }

    /// Factor and summand, where it is no more than these.
    pub(super) fn affine(&self) -> Option<(f64, f64)> {
        let shift = self.of(0.0);
        let scale = self.of(1.0) - shift;
        let is_affine = self.is_spelt_affine() && agree(|x| self.of(x), |x| scale * x + shift);
        is_affine.then_some((scale, shift))
    }

    fn is_spelt_affine(&self) -> bool {
        match self {
            Function::X | Function::Number(_) => true,
            Function::One(..) => false,
            Function::Two(_, a, b) => a.is_spelt_affine() && b.is_spelt_affine(),
        }
    }
}

/// Which of ours a function is.
fn known(of: impl Fn(f64) -> f64) -> Option<Activation> {
    let at_ends = [of(-100.0), of(100.0)];
    let [low, high] = at_ends.map(narrow);
    // Of those with numbers, the one whose numbers follow from a place or two.
    let guesses = [
        Activation::LeakyRelu { slope: narrow(-of(-1.0)) },
        Activation::Elu { alpha: narrow(-at_ends[0]) },
        Activation::Clip { low, high },
    ];
    let fixed = Activation::ALL.into_iter().filter(|function| {
        !matches!(function, Activation::LeakyRelu { .. } | Activation::Elu { .. } | Activation::Clip { .. })
    });
    fixed.chain(guesses).find(|guess| is_sane(*guess) && agree(&of, |x| value(*guess, x)))
}

/// Whether two functions give the same, at many places.
fn agree(of: impl Fn(f64) -> f64, other: impl Fn(f64) -> f64) -> bool {
    // Not evenly spaced, and both of a side's ends among them.
    (-160..=160).map(|at| f64::from(at) * 0.061_8).chain([-60.0, -25.0, 25.0, 60.0]).all(|x| {
        let (a, b) = (of(x), other(x));
        (a - b).abs() <= 2e-6 * b.abs().max(1.0)
    })
}

fn is_sane(function: Activation) -> bool {
    match function {
        Activation::LeakyRelu { slope: number } | Activation::Elu { alpha: number } => number.is_finite(),
        Activation::Clip { low, high } => low.is_finite() && high.is_finite() && low < high,
        _ => true,
    }
}

/// What an activation gives.
fn value(function: Activation, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let softplus = |x: f64| if x > 30.0 { x } else { x.exp().ln_1p() };
    let hard_sigmoid = |x: f64| (x + 3.0).clamp(0.0, 6.0) / 6.0;
    match function {
        Activation::Relu => x.max(0.0),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::Gelu => 0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2)),
        Activation::GeluTanh => {
            let root = (2.0 / std::f64::consts::PI).sqrt();
            0.5 * x * (1.0 + (root * (x + 0.044_715 * x * x * x)).tanh())
        }
        Activation::QuickGelu => x * sigmoid(1.702 * x),
        Activation::Silu => x * sigmoid(x),
        Activation::Sigmoid => sigmoid(x),
        Activation::HardSigmoid => hard_sigmoid(x),
        Activation::HardSwish => x * hard_sigmoid(x),
        Activation::Tanh => x.tanh(),
        Activation::Softplus => softplus(x),
        Activation::Mish => x * softplus(x).tanh(),
        Activation::LeakyRelu { slope } => {
            if x < 0.0 {
                f64::from(slope) * x
            } else {
                x
            }
        }
        Activation::Elu { alpha } => {
            if x < 0.0 {
                f64::from(alpha) * x.exp_m1()
            } else {
                x
            }
        }
        Activation::Clip { low, high } => x.max(f64::from(low)).min(f64::from(high)),
    }
}

/// The error function: its series near zero, and beyond that so near ±1 that three terms of its tail are enough.
fn erf(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    let square = x * x;
    if x.abs() < 3.5 {
        let (mut term, mut sum) = (x, x);
        for n in 1..120 {
            term *= -square / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return sum * std::f64::consts::FRAC_2_SQRT_PI;
    }
    let tail = (1.0 - 0.5 / square + 0.75 / (square * square)) * (-square).exp();
    (1.0 - tail / (x.abs() * std::f64::consts::PI.sqrt())) * x.signum()
}

#[expect(clippy::cast_possible_truncation, reason = "parameters of activations are f32")]
pub(super) fn narrow(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two(binary: Binary, a: Function, b: Function) -> Function {
        Function::Two(binary, Rc::new(a), Rc::new(b))
    }

    fn one(unary: Unary, of: Function) -> Function {
        Function::One(unary, Rc::new(of))
    }

    #[test]
    fn the_error_function_is_right() {
        // scipy.special.erf.
        for (x, expected) in [
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_8),
            (3.0, 0.999_977_909_503_001_4),
            (3.6, 0.999_999_644_137_007),
        ] {
            assert!((erf(x) - expected).abs() < 1e-9, "{x}: {}", erf(x));
            assert!((erf(-x) + expected).abs() < 1e-9);
        }
    }

    #[test]
    fn functions_are_known_by_their_values() {
        use {Binary::*, Function::*};
        let erf = two(Add, one(Unary::Erf, two(Divide, X, Number(2_f64.sqrt()))), Number(1.0));
        let gelu = two(Multiply, two(Multiply, X, erf), Number(0.5));
        let cube = two(Power, X, Number(3.0));
        let inner = two(Multiply, two(Add, X, two(Multiply, cube, Number(0.044_715))), Number(0.797_884_56));
        let tanh = two(Add, one(Unary::Known(Activation::Tanh), inner), Number(1.0));
        let gelu_tanh = two(Multiply, two(Multiply, Number(0.5), X), tanh);
        let clipped = two(Min, two(Max, two(Add, X, Number(3.0)), Number(0.0)), Number(6.0));
        let hard_swish = two(Divide, two(Multiply, X, clipped), Number(6.0));
        let quick = two(Multiply, X, one(Unary::Known(Activation::Sigmoid), two(Multiply, X, Number(1.702))));
        let leaky = two(Max, X, two(Multiply, X, Number(0.1)));
        let slope = 0.1;
        let mish =
            two(Multiply, X, one(Unary::Known(Activation::Tanh), one(Unary::Known(Activation::Softplus), X)));
        for (function, expected) in [
            (gelu, Some(Activation::Gelu)),
            (gelu_tanh, Some(Activation::GeluTanh)),
            (hard_swish, Some(Activation::HardSwish)),
            (quick, Some(Activation::QuickGelu)),
            (leaky, Some(Activation::LeakyRelu { slope })),
            (mish, Some(Activation::Mish)),
            (two(Max, X, Number(0.0)), Some(Activation::Relu)),
            (two(Multiply, X, X), None),
            (two(Multiply, two(Max, X, Number(0.0)), Number(0.5)), None),
        ] {
            let found = function.known();
            match (found, expected) {
                (Some(Activation::LeakyRelu { slope: a }), Some(Activation::LeakyRelu { slope: b })) => {
                    assert!((a - b).abs() < 1e-6);
                }
                _ => assert_eq!(found, expected, "{function:?}"),
            }
        }
        assert_eq!(two(Add, two(Multiply, X, Number(2.0)), Number(3.0)).affine(), Some((2.0, 3.0)));
        assert_eq!(two(Multiply, X, X).affine(), None);
    }
}
