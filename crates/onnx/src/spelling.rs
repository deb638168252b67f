//! How operators stand in a file: their names, attributes and whole numbers.
//!
//! Writer and reader share the one table here: the writer spells an operator with [`Operator::spelling`], and what the
//! reader made of a node must be spelt as the node is.
//!
//! **Invariant:** an attribute, a default or an order that is never written is never understood.

use super::{
    operator::{Element, Operator, Window},
    proto::{AttributeProto, NodeProto, signed},
};
use std::{collections::BTreeMap, ops::RangeInclusive};

/// How an operator stands in a file.
pub(super) struct Spelling {
    pub(super) op_type: &'static str,
    pub(super) attributes: Vec<AttributeProto>,
    /// Its last inputs, which are whole numbers: what they are, whether one number alone, and the numbers.
    pub(super) integers: Vec<Integers>,
}

/// Whole numbers that an operator reads as an initializer. The name follows from the numbers, so nodes share them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Integers {
    role: &'static str,
    scalar: bool,
    pub(super) values: Vec<i64>,
}

impl Integers {
    fn list(role: &'static str, values: &[usize]) -> Integers {
        Integers { role, scalar: false, values: values.iter().copied().map(signed).collect() }
    }

    /// The shape of the list, or none of a number alone.
    pub(super) fn sides(&self) -> Vec<usize> {
        if self.scalar { Vec::new() } else { vec![self.values.len()] }
    }

    /// `shape/0,197,768`.
    pub(super) fn name(&self) -> String {
        let values: Vec<String> = self.values.iter().map(i64::to_string).collect();
        format!("{}/{}", self.role, values.join(","))
    }
}

impl Operator {
    /// How it is written.
    pub(super) fn spelling(&self) -> Spelling {
        use AttributeProto as A;
        let (op_type, attributes) = match self {
            Operator::Conv { group, pads, strides, dilations } => {
                let mut attributes =
                    vec![A::int("group", signed(*group)), A::ints("pads", pads), A::ints("strides", strides)];
                if *dilations != [1; 2] {
                    attributes.push(A::ints("dilations", dilations));
                }
                ("Conv", attributes)
            }
            Operator::BatchNormalization { epsilon } => {
                ("BatchNormalization", vec![A::float("epsilon", *epsilon)])
            }
            Operator::LayerNormalization { epsilon } => {
                ("LayerNormalization", vec![A::int("axis", -1), A::float("epsilon", *epsilon)])
            }
            Operator::Relu => ("Relu", vec![]),
            Operator::Sigmoid => ("Sigmoid", vec![]),
            Operator::HardSigmoid { alpha, beta } => {
                ("HardSigmoid", vec![A::float("alpha", *alpha), A::float("beta", *beta)])
            }
            Operator::HardSwish => ("HardSwish", vec![]),
            Operator::Erf => ("Erf", vec![]),
            Operator::Tanh => ("Tanh", vec![]),
            Operator::Softplus => ("Softplus", vec![]),
            Operator::LeakyRelu { alpha } => ("LeakyRelu", vec![A::float("alpha", *alpha)]),
            Operator::Elu { alpha } => ("Elu", vec![A::float("alpha", *alpha)]),
            Operator::Clip => ("Clip", vec![]),
            Operator::MaxPool(window) => ("MaxPool", window.attributes()),
            Operator::AveragePool(window) => {
                ("AveragePool", [vec![A::int("count_include_pad", 0)], window.attributes()].concat())
            }
            Operator::GlobalAveragePool => ("GlobalAveragePool", vec![]),
            Operator::Flatten => ("Flatten", vec![A::int("axis", 1)]),
            Operator::Gemm => ("Gemm", vec![A::int("transB", 1)]),
            Operator::MatMul => ("MatMul", vec![]),
            Operator::Add => ("Add", vec![]),
            Operator::Mul => ("Mul", vec![]),
            Operator::Div => ("Div", vec![]),
            Operator::Concat { axis } => ("Concat", vec![A::int("axis", signed(*axis))]),
            Operator::Softmax => ("Softmax", vec![A::int("axis", -1)]),
            Operator::Transpose { perm } => ("Transpose", vec![A::ints("perm", perm)]),
            Operator::Reshape { .. } => ("Reshape", vec![]),
            Operator::Pad { .. } => ("Pad", vec![]),
            Operator::Slice { .. } => ("Slice", vec![]),
            Operator::Gather { axis, .. } => ("Gather", vec![A::int("axis", signed(*axis))]),
            Operator::ReduceMean { axis, keeps } => {
                ("ReduceMean", vec![A::ints("axes", &[*axis]), A::int("keepdims", i64::from(*keeps))])
            }
            Operator::ReduceL2 { axes } => ("ReduceL2", vec![A::ints("axes", axes), A::int("keepdims", 1)]),
            Operator::Cast { to } => ("Cast", vec![A::int("to", i64::from(to.data_type()))]),
            Operator::Shape => ("Shape", vec![]),
            Operator::Sub => ("Sub", vec![]),
            Operator::Min => ("Min", vec![]),
            Operator::Max => ("Max", vec![]),
            Operator::Abs => ("Abs", vec![]),
            Operator::Floor => ("Floor", vec![]),
            Operator::Ceil => ("Ceil", vec![]),
            Operator::Round => ("Round", vec![]),
            Operator::Log => ("Log", vec![]),
            Operator::Sqrt => ("Sqrt", vec![]),
            Operator::Cos => ("Cos", vec![]),
            Operator::Sin => ("Sin", vec![]),
            Operator::Not => ("Not", vec![]),
            Operator::And => ("And", vec![]),
            Operator::Less => ("Less", vec![]),
            Operator::Greater => ("Greater", vec![]),
            Operator::Equal => ("Equal", vec![]),
            Operator::Where => ("Where", vec![]),
            Operator::Range => ("Range", vec![]),
            Operator::CumSum { .. } => ("CumSum", vec![]),
            Operator::GatherAt { axis } => ("Gather", vec![A::int("axis", signed(*axis))]),
            Operator::ReshapeTo => ("Reshape", vec![]),
            Operator::ReduceMin { axis } => {
                ("ReduceMin", vec![A::ints("axes", &[*axis]), A::int("keepdims", 1)])
            }
            Operator::ReduceMax => ("ReduceMax", vec![A::int("keepdims", 0)]),
            Operator::ReduceMaxOf { axis } => {
                ("ReduceMax", vec![A::ints("axes", &[*axis]), A::int("keepdims", 0)])
            }
            Operator::ArgMax => ("ArgMax", vec![A::int("axis", 1), A::int("keepdims", 0)]),
            Operator::TopK { .. } => {
                ("TopK", vec![A::int("axis", -1), A::int("largest", 1), A::int("sorted", 1)])
            }
        };
        let integers = match self {
            Operator::Reshape { shape } => vec![Integers::list("shape", shape)],
            Operator::Pad { pads } => vec![Integers::list("pads", pads)],
            Operator::Slice { axis, start, end } => {
                let parts = [("starts", start), ("ends", end), ("axes", axis)];
                parts.map(|(role, value)| Integers::list(role, &[*value])).to_vec()
            }
            Operator::Gather { index, .. } => {
                vec![Integers { scalar: true, ..Integers::list("index", &[*index]) }]
            }
            Operator::CumSum { axis } => {
                vec![Integers { scalar: true, ..Integers::list("axis", &[*axis]) }]
            }
            Operator::TopK { k } => vec![Integers::list("k", &[*k])],
            _ => vec![],
        };
        Spelling { op_type, attributes, integers }
    }

    /// How many values it reads, its whole numbers not counted.
    pub(super) fn arity(&self) -> RangeInclusive<usize> {
        match self {
            Operator::Conv { .. } | Operator::Gemm => 2..=3,
            Operator::BatchNormalization { .. } => 5..=5,
            Operator::LayerNormalization { .. } | Operator::Clip => 3..=3,
            Operator::Where | Operator::Range => 3..=3,
            Operator::MatMul | Operator::Add | Operator::Sub | Operator::Mul | Operator::Div => 2..=2,
            Operator::Min | Operator::Max | Operator::And => 2..=2,
            Operator::Less | Operator::Greater | Operator::Equal => 2..=2,
            Operator::GatherAt { .. } | Operator::ReshapeTo => 2..=2,
            Operator::Concat { .. } => 1..=usize::MAX,
            _ => 1..=1,
        }
    }

    /// What the values are called that a node of this name gives.
    pub(super) fn outputs(&self, name: &str) -> Vec<String> {
        match self {
            Operator::TopK { .. } => vec![name.to_owned(), format!("{name}/places")],
            _ => vec![name.to_owned()],
        }
    }

    /// What a node does, and which values it reads; `None` where it is not spelt as it would be written.
    pub(super) fn parse<'a>(node: &'a NodeProto, stored: &Stored) -> Option<(Operator, &'a [String])> {
        let operator = Fields { node, stored }.operator()?;
        let Spelling { op_type, attributes, integers } = operator.spelling();
        let (values, rest) = node.input.split_at_checked(node.input.len().checked_sub(integers.len())?)?;
        let held = |name: &String, integers: &Integers| {
            *name == integers.name() && stored.get(name) == Some(&(integers.sides(), integers.values.clone()))
        };
        let same = op_type == node.op_type
            && attributes == node.attribute
            && rest.iter().zip(&integers).all(|(name, integers)| held(name, integers))
            && operator.arity().contains(&values.len());
        same.then_some((operator, values))
    }
}

impl Window {
    fn attributes(&self) -> Vec<AttributeProto> {
        vec![
            AttributeProto::ints("kernel_shape", &self.kernel),
            AttributeProto::ints("pads", &self.pads),
            AttributeProto::ints("strides", &self.strides),
        ]
    }
}

/// The initializers of whole numbers in a file, with their shapes.
pub(super) type Stored = BTreeMap<String, (Vec<usize>, Vec<i64>)>;

/// A node's attributes and whole numbers by name and place.
struct Fields<'a> {
    node: &'a NodeProto,
    stored: &'a Stored,
}

impl Fields<'_> {
    fn operator(&self) -> Option<Operator> {
        Some(match self.node.op_type.as_str() {
            "Conv" => Operator::Conv {
                group: self.int("group")?,
                pads: self.ints("pads")?.try_into().ok()?,
                strides: self.ints("strides")?.try_into().ok()?,
                dilations: self
                    .ints("dilations")
                    .map_or(Some([1; 2]), |dilations| dilations.try_into().ok())?,
            },
            "BatchNormalization" => Operator::BatchNormalization { epsilon: self.float("epsilon")? },
            "LayerNormalization" => Operator::LayerNormalization { epsilon: self.float("epsilon")? },
            "Relu" => Operator::Relu,
            "Sigmoid" => Operator::Sigmoid,
            "HardSigmoid" => Operator::HardSigmoid { alpha: self.float("alpha")?, beta: self.float("beta")? },
            "HardSwish" => Operator::HardSwish,
            "Erf" => Operator::Erf,
            "Tanh" => Operator::Tanh,
            "Softplus" => Operator::Softplus,
            "LeakyRelu" => Operator::LeakyRelu { alpha: self.float("alpha")? },
            "Elu" => Operator::Elu { alpha: self.float("alpha")? },
            "Clip" => Operator::Clip,
            "MaxPool" => Operator::MaxPool(self.window()?),
            "AveragePool" => Operator::AveragePool(self.window()?),
            "GlobalAveragePool" => Operator::GlobalAveragePool,
            "Flatten" => Operator::Flatten,
            "Gemm" => Operator::Gemm,
            "MatMul" => Operator::MatMul,
            "Add" => Operator::Add,
            "Mul" => Operator::Mul,
            "Div" => Operator::Div,
            "Concat" => Operator::Concat { axis: self.int("axis")? },
            "Softmax" => Operator::Softmax,
            "Transpose" => Operator::Transpose { perm: self.ints("perm")? },
            "Reshape" => match self.input(1) {
                Some(shape) => Operator::Reshape { shape },
                None => Operator::ReshapeTo,
            },
            "Pad" => Operator::Pad { pads: self.input(1)? },
            "Slice" => Operator::Slice { start: self.one(1)?, end: self.one(2)?, axis: self.one(3)? },
            // A number alone takes the axis away; places that are counted from the end are never such.
            "Gather" => match (self.int("axis")?, self.alone(1)) {
                (axis, Some(index)) => Operator::Gather { axis, index },
                (axis, None) => Operator::GatherAt { axis },
            },
            "ReduceMean" => Operator::ReduceMean {
                axis: <[usize; 1]>::try_from(self.ints("axes")?).ok()?[0],
                keeps: self.int("keepdims")? != 0,
            },
            "ReduceL2" => Operator::ReduceL2 { axes: self.ints("axes")? },
            "Cast" => Operator::Cast { to: Element::of(self.attribute("to")?.i?)? },
            "Shape" => Operator::Shape,
            "Sub" => Operator::Sub,
            "Min" => Operator::Min,
            "Max" => Operator::Max,
            "Abs" => Operator::Abs,
            "Floor" => Operator::Floor,
            "Ceil" => Operator::Ceil,
            "Round" => Operator::Round,
            "Log" => Operator::Log,
            "Sqrt" => Operator::Sqrt,
            "Cos" => Operator::Cos,
            "Sin" => Operator::Sin,
            "Not" => Operator::Not,
            "And" => Operator::And,
            "Less" => Operator::Less,
            "Greater" => Operator::Greater,
            "Equal" => Operator::Equal,
            "Where" => Operator::Where,
            "Range" => Operator::Range,
            "CumSum" => Operator::CumSum { axis: self.alone(1)? },
            "ReduceMin" => Operator::ReduceMin { axis: <[usize; 1]>::try_from(self.ints("axes")?).ok()?[0] },
            "ReduceMax" => match self.ints("axes") {
                Some(axes) => Operator::ReduceMaxOf { axis: <[usize; 1]>::try_from(axes).ok()?[0] },
                None => Operator::ReduceMax,
            },
            "ArgMax" => Operator::ArgMax,
            "TopK" => Operator::TopK { k: self.one(1)? },
            _ => return None,
        })
    }

    fn window(&self) -> Option<Window> {
        Some(Window {
            kernel: self.ints("kernel_shape")?.try_into().ok()?,
            pads: self.ints("pads")?.try_into().ok()?,
            strides: self.ints("strides")?.try_into().ok()?,
        })
    }

    fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.node.attribute.iter().find(|attribute| attribute.name == name)
    }

    fn float(&self, name: &str) -> Option<f32> {
        self.attribute(name)?.f
    }

    fn int(&self, name: &str) -> Option<usize> {
        usize::try_from(self.attribute(name)?.i?).ok()
    }

    fn ints(&self, name: &str) -> Option<Vec<usize>> {
        unsigned(&self.attribute(name)?.ints)
    }

    /// The whole numbers that the input of that place holds.
    fn input(&self, at: usize) -> Option<Vec<usize>> {
        unsigned(&self.stored.get(self.node.input.get(at)?)?.1)
    }

    /// The whole number that it holds, where that is no list.
    fn alone(&self, at: usize) -> Option<usize> {
        let (sides, _) = self.stored.get(self.node.input.get(at)?)?;
        if sides.is_empty() { self.one(at) } else { None }
    }

    fn one(&self, at: usize) -> Option<usize> {
        <[usize; 1]>::try_from(self.input(at)?).ok().map(|[value]| value)
    }
}

fn unsigned(values: &[i64]) -> Option<Vec<usize>> {
    values.iter().map(|value| usize::try_from(*value).ok()).collect()
}
