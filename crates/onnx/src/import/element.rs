//! Operators that work number by number.

use super::{
    function::{Binary, Unary},
    model::Node,
};
use network::Activation;

/// The function of one number that a node is.
pub(super) fn unary(node: &Node) -> Option<Unary> {
    let known = |function| Some(Unary::Known(function));
    let alpha = |default| node.float("alpha").unwrap_or(default);
    match (node.domain.as_str(), node.op.as_str()) {
        ("com.microsoft", "QuickGelu") if (alpha(1.702) - 1.702).abs() < 1e-6 => known(Activation::QuickGelu),
        ("com.microsoft", "QuickGelu") if (alpha(1.702) - 1.0).abs() < 1e-6 => known(Activation::Silu),
        ("com.microsoft", "Gelu") => known(Activation::Gelu),
        ("com.microsoft", "FastGelu") if node.inputs.len() == 1 => known(Activation::GeluTanh),
        ("", "Gelu") if node.text("approximate") == Some("tanh") => known(Activation::GeluTanh),
        ("", "Gelu") => known(Activation::Gelu),
        ("", "Relu") => known(Activation::Relu),
        ("", "Sigmoid") => known(Activation::Sigmoid),
        ("", "Tanh") => known(Activation::Tanh),
        ("", "Softplus") => known(Activation::Softplus),
        ("", "Mish") => known(Activation::Mish),
        ("", "HardSwish") => known(Activation::HardSwish),
        ("", "LeakyRelu") => known(Activation::LeakyRelu { slope: alpha(0.01) }),
        ("", "Elu") => known(Activation::Elu { alpha: alpha(1.0) }),
        ("", "HardSigmoid") => {
            let beta = node.float("beta").unwrap_or(0.5);
            Some(Unary::HardSigmoid(f64::from(alpha(0.2)), f64::from(beta)))
        }
        ("", "Erf") => Some(Unary::Erf),
        ("", "Exp") => Some(Unary::Exp),
        ("", "Log") => Some(Unary::Log),
        ("", "Sqrt") => Some(Unary::Sqrt),
        ("", "Reciprocal") => Some(Unary::Reciprocal),
        ("", "Abs") => Some(Unary::Abs),
        ("", "Sin") => Some(Unary::Sin),
        ("", "Cos") => Some(Unary::Cos),
        ("", "Floor") => Some(Unary::Floor),
        ("", "Ceil") => Some(Unary::Ceil),
        ("", "Round") => Some(Unary::Round),
        ("", "Sign") => Some(Unary::Sign),
        _ => None,
    }
}

/// The function of two numbers that an operator is.
pub(super) fn binary(op: &str) -> Option<Binary> {
    Some(match op {
        "Add" | "Sum" => Binary::Add,
        "Sub" => Binary::Subtract,
        "Mul" => Binary::Multiply,
        "Div" => Binary::Divide,
        "Pow" => Binary::Power,
        "Min" => Binary::Min,
        "Max" => Binary::Max,
        _ => return None,
    })
}
