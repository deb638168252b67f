//! The ONNX operators that are written: a small part of opset 17, each in one form.

/// Kinds of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// f32
    Single,
    /// u8
    Byte,
    /// i64
    Integer,
    /// true or false
    Truth,
    /// f16
    Half,
    /// f64
    Double,
}

impl Element {
    const ALL: [Element; 6] =
        [Element::Single, Element::Byte, Element::Integer, Element::Truth, Element::Half, Element::Double];

    /// `TensorProto.DataType`.
    pub(super) fn data_type(self) -> i32 {
        match self {
            Element::Single => 1,
            Element::Byte => 2,
            Element::Integer => 7,
            Element::Truth => 9,
            Element::Half => 10,
            Element::Double => 11,
        }
    }

    pub(super) fn of(data_type: i64) -> Option<Element> {
        Element::ALL.into_iter().find(|element| i64::from(element.data_type()) == data_type)
    }

    /// Its length in a file.
    pub(super) fn bytes(self) -> usize {
        match self {
            Element::Byte | Element::Truth => 1,
            Element::Half => 2,
            Element::Single => 4,
            Element::Integer | Element::Double => 8,
        }
    }
}

/// What a node does. Axes count from 0, the batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Operator {
    /// Of x (n, c, h, w) with weight (out, c / group, kh, kw) and perhaps a bias (out,).
    Conv {
        /// Groups of channels.
        group: usize,
        /// Zeros above, left, below, right.
        pads: [usize; 4],
        /// Steps down and right.
        strides: [usize; 2],
        /// From one place of a window to the next, down and right.
        dilations: [usize; 2],
    },
    /// Of x (n, c, …) with scale, bias, mean and variance, (c,) each.
    BatchNormalization {
        /// Added to the variance.
        epsilon: f32,
    },
    /// Over the last axis of x, with scale and bias.
    LayerNormalization {
        /// Added to the variance.
        epsilon: f32,
    },
    /// max(x, 0).
    Relu,
    /// 1 / (1 + exp(-x)).
    Sigmoid,
    /// max(0, min(1, alpha · x + beta)).
    HardSigmoid {
        /// The slope.
        alpha: f32,
        /// The value at 0.
        beta: f32,
    },
    /// x · max(0, min(1, x / 6 + 0.5)).
    HardSwish,
    /// The error function.
    Erf,
    /// The hyperbolic tangent.
    Tanh,
    /// ln(1 + exp(x)).
    Softplus,
    /// x, or alpha · x where that is negative.
    LeakyRelu {
        /// Of what is negative.
        alpha: f32,
    },
    /// x, or alpha · (exp(x) - 1) where that is negative.
    Elu {
        /// How far down it goes.
        alpha: f32,
    },
    /// Of x, from one number to another.
    Clip,
    /// The largest number of each window; pads never win.
    MaxPool(Window),
    /// The mean of each window, pads not counted.
    AveragePool(Window),
    /// (n, c, h, w) to (n, c, 1, 1).
    GlobalAveragePool,
    /// (n, …) to (n, numbers).
    Flatten,
    /// x (n, d) times the transpose of a weight (out, d), perhaps plus a bias (out,).
    Gemm,
    /// numpy's `matmul`.
    MatMul,
    /// The sum, broadcast as numpy does.
    Add,
    /// The product, broadcast.
    Mul,
    /// The quotient, broadcast.
    Div,
    /// One after the other.
    Concat {
        /// Along which axis.
        axis: usize,
    },
    /// Over the last axis.
    Softmax,
    /// numpy's `transpose`.
    Transpose {
        /// The axes of x, as they stand in the result.
        perm: Vec<usize>,
    },
    /// numpy's `reshape`.
    Reshape {
        /// Sides of the result; 0 is the side that stands there already.
        shape: Vec<usize>,
    },
    /// Zeros around x.
    Pad {
        /// For each axis how many before, then for each how many after.
        pads: Vec<usize>,
    },
    /// numpy's `x[…, start:end, …]`.
    Slice {
        /// Which axis.
        axis: usize,
        /// The first that stays.
        start: usize,
        /// The first after those.
        end: usize,
    },
    /// numpy's `x[…, index, …]`; the axis disappears.
    Gather {
        /// Which axis.
        axis: usize,
        /// Which.
        index: usize,
    },
    /// The mean over one axis.
    ReduceMean {
        /// Which axis.
        axis: usize,
        /// Whether it stays, as a side of 1; else it disappears.
        keeps: bool,
    },
    /// The root of the sum of squares over axes that stay, as sides of 1.
    ReduceL2 {
        /// Which axes.
        axes: Vec<usize>,
    },
    /// The same numbers in another kind.
    Cast {
        /// Which kind.
        to: Element,
    },
    /// The sides of x, as whole numbers.
    Shape,
    /// The difference, broadcast.
    Sub,
    /// The lesser of two, broadcast.
    Min,
    /// The greater of two, broadcast.
    Max,
    /// |x|.
    Abs,
    /// The whole number below.
    Floor,
    /// The whole number above.
    Ceil,
    /// The nearest whole number, halves to the even one.
    Round,
    /// The natural logarithm.
    Log,
    /// The square root.
    Sqrt,
    /// The cosine.
    Cos,
    /// The sine.
    Sin,
    /// Whether it is not.
    Not,
    /// Whether both are, broadcast.
    And,
    /// x < y, broadcast.
    Less,
    /// x > y, broadcast.
    Greater,
    /// x = y, broadcast.
    Equal,
    /// y where x is, else z, broadcast.
    Where,
    /// x, and from there on by steps of z while below y.
    Range,
    /// Sums of x up to each place, added one after the other.
    CumSum {
        /// Along which axis.
        axis: usize,
    },
    /// numpy's `take`: of x the places that y says, -1 being the last.
    GatherAt {
        /// Along which axis.
        axis: usize,
    },
    /// numpy's `reshape` to sides that y holds, one of which may be -1.
    ReshapeTo,
    /// The least over one axis that stays, as a side of 1.
    ReduceMin {
        /// Which axis.
        axis: usize,
    },
    /// The greatest of all numbers.
    ReduceMax,
    /// The greatest over one axis, which disappears.
    ReduceMaxOf {
        /// Which axis.
        axis: usize,
    },
    /// Where in a row its greatest number is, of several the first.
    ArgMax,
    /// The greatest numbers of a row, the greatest first, of equals the first. A second value says where they are.
    TopK {
        /// How many.
        k: usize,
    },
}

/// Windows of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Height and width.
    pub kernel: [usize; 2],
    /// Places outside that are seen above, left, below, right.
    pub pads: [usize; 4],
    /// Steps down and right.
    pub strides: [usize; 2],
}
