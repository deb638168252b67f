//! Shape inference, with checked arithmetic: every error about an input's size is found here, before anything runs.

use crate::{Network, NetworkError, Node, NodeId, Op, Pool};
use std::fmt;

/// The shape of one sample at a node; the batch axis is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// (channels, height, width).
    Map {
        /// Channels.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// (d,).
    Vector(usize),
}

impl Shape {
    /// How many numbers.
    pub fn len(self) -> usize {
        match self {
            Shape::Map { channels, height, width } => channels * height * width,
            Shape::Vector(d) => d,
        }
    }

    /// Whether there is no number at all.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Map { channels, height, width } => write!(f, "a map ({channels}, {height}, {width})"),
            Shape::Vector(d) => write!(f, "a vector ({d},)"),
        }
    }
}

impl Network {
    /// The shape of every node's output for an input of that many pixels; one per node, in their order.
    ///
    /// # Errors
    /// One clear error where the input is too small or too large for the network.
    pub fn shapes(&self, height: usize, width: usize) -> Result<Vec<Shape>, NetworkError> {
        self.infer(height, width).map_err(|error| match error {
            NetworkError::InputTooSmall { network, height, width, node, .. } => {
                let minimum = (1..=1024).find(|&side| self.infer(side, side).is_ok());
                NetworkError::InputTooSmall { network, height, width, node, minimum }
            }
            other => other,
        })
    }

    /// d of every output for an input of that many pixels.
    ///
    /// # Errors
    /// As [`Network::shapes`].
    pub fn widths(&self, height: usize, width: usize) -> Result<Vec<usize>, NetworkError> {
        let shapes = self.shapes(height, width)?;
        Ok(self.outputs.iter().map(|output| shapes[output.0].len()).collect())
    }

    /// Whether a node gives a map, which holds whatever the input's size.
    pub(crate) fn is_map(&self, id: NodeId) -> bool {
        let node = self.node(id);
        match node.op {
            Op::GlobalAveragePool | Op::Flatten | Op::Linear { .. } => false,
            Op::Relu | Op::Relu6 | Op::Add => self.is_map(node.inputs[0]),
            _ => true,
        }
    }

    fn infer(&self, height: usize, width: usize) -> Result<Vec<Shape>, NetworkError> {
        let mut shapes: Vec<Shape> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let inputs: Vec<Shape> = node.inputs.iter().map(|input| shapes[input.0]).collect();
            let at = At { network: self, node, height, width };
            let shape = at.infer(&inputs)?;
            at.check_size(shape)?;
            shapes.push(shape);
        }
        Ok(shapes)
    }
}

/// A node being looked at, with all that its errors have to say.
struct At<'a> {
    network: &'a Network,
    node: &'a Node,
    height: usize,
    width: usize,
}

impl At<'_> {
    fn infer(&self, inputs: &[Shape]) -> Result<Shape, NetworkError> {
        match (&self.node.op, inputs) {
            (Op::Input { channels }, []) => {
                Ok(Shape::Map { channels: *channels, height: self.height, width: self.width })
            }
            (
                Op::Conv { weight, bias, stride, padding, groups },
                &[input @ Shape::Map { channels, height, width }],
            ) => {
                let &[out, per_group, rows, columns] = self.network.param(*weight).shape.as_slice() else {
                    return Err(self.mismatch("a weight of rank 4", &input));
                };
                if per_group.checked_mul(*groups) != Some(channels) || out % groups != 0 {
                    return Err(
                        self.mismatch(&format!("{per_group} channels in each of {groups} groups"), &input)
                    );
                }
                self.check_lengths([*bias], out)?;
                let window = |side, kernel| {
                    self.windows(side, Pool { kernel, stride: *stride, padding: *padding, ceil: false })
                };
                Ok(Shape::Map {
                    channels: out,
                    height: window(height, rows)?,
                    width: window(width, columns)?,
                })
            }
            (Op::BatchNorm { weight, bias, mean, variance, .. }, &[input @ Shape::Map { channels, .. }]) => {
                self.check_lengths([weight, bias, mean, variance].map(|param| Some(*param)), channels)?;
                Ok(input)
            }
            (Op::Relu | Op::Relu6, &[input]) => Ok(input),
            (Op::MaxPool(pool), &[Shape::Map { channels, height, width }]) => Ok(Shape::Map {
                channels,
                height: self.windows(height, *pool)?,
                width: self.windows(width, *pool)?,
            }),
            (&Op::AdaptiveAveragePool { height, width }, &[Shape::Map { channels, .. }]) => {
                Ok(Shape::Map { channels, height, width })
            }
            (Op::GlobalAveragePool, &[Shape::Map { channels, .. }]) => Ok(Shape::Vector(channels)),
            (Op::Flatten, &[map @ Shape::Map { .. }]) => Ok(Shape::Vector(map.len())),
            (Op::Linear { weight, bias }, &[input @ Shape::Vector(d)]) => {
                match *self.network.param(*weight).shape {
                    [out, inputs] if inputs == d => {
                        self.check_lengths([*bias], out).map(|()| Shape::Vector(out))
                    }
                    ref shape => Err(self.mismatch(&format!("what a weight {shape:?} can multiply"), &input)),
                }
            }
            (Op::Add, &[a, b]) if a == b => Ok(a),
            (Op::Add, &[a, b]) => Err(self.mismatch(&a.to_string(), &b)),
            (Op::Concat, inputs) => self.concat(inputs),
            (_, inputs) => {
                let got = inputs.first().map_or_else(|| "nothing".to_owned(), ToString::to_string);
                let needs = if matches!(self.node.op, Op::Linear { .. }) { "a vector" } else { "a map" };
                Err(self.mismatch(needs, &got))
            }
        }
    }

    fn concat(&self, inputs: &[Shape]) -> Result<Shape, NetworkError> {
        let mut sum: Option<(usize, usize, usize)> = None;
        for &input in inputs {
            sum = match (sum, input) {
                (None, Shape::Map { channels, height, width }) => Some((channels, height, width)),
                (Some((before, h, w)), Shape::Map { channels, height, width })
                    if (h, w) == (height, width) =>
                {
                    Some((before.saturating_add(channels), h, w))
                }
                _ => return Err(self.mismatch("maps of one size", &input)),
            };
        }
        let (channels, height, width) = sum.ok_or_else(|| self.mismatch("maps", &"nothing"))?;
        Ok(Shape::Map { channels, height, width })
    }

    /// How many windows fit along a side, as PyTorch counts them.
    fn windows(&self, side: usize, pool: Pool) -> Result<usize, NetworkError> {
        let Pool { kernel, stride, padding, ceil } = pool;
        let padded =
            padding.checked_mul(2).and_then(|both| side.checked_add(both)).ok_or_else(|| self.too_large())?;
        let room = padded.checked_sub(kernel).ok_or_else(|| self.too_small())?;
        if !ceil {
            return Ok(room / stride + 1);
        }
        let count = room.div_ceil(stride) + 1;
        // The last window must start inside the picture or its leading padding.
        Ok(if (count - 1) * stride >= side + padding { count - 1 } else { count })
    }

    fn check_lengths<const N: usize>(
        &self,
        params: [Option<crate::ParamId>; N],
        out: usize,
    ) -> Result<(), NetworkError> {
        for param in params.into_iter().flatten() {
            let param = self.network.param(param);
            if param.shape != [out] {
                return Err(self
                    .mismatch(&format!("`{}` of shape [{out}]", param.name), &format!("{:?}", param.shape)));
            }
        }
        Ok(())
    }

    /// Refuses maps of nothing, and those whose bytes cannot be counted.
    fn check_size(&self, shape: Shape) -> Result<(), NetworkError> {
        let sides = match shape {
            Shape::Map { channels, height, width } => [channels, height, width],
            Shape::Vector(d) => [d, 1, 1],
        };
        if sides.contains(&0) {
            return Err(self.too_small());
        }
        let bytes = sides.into_iter().try_fold(4_usize, usize::checked_mul);
        match bytes {
            Some(bytes) if isize::try_from(bytes).is_ok() => Ok(()),
            _ => Err(self.too_large()),
        }
    }

    fn too_small(&self) -> NetworkError {
        let (network, node) = self.names();
        NetworkError::InputTooSmall { network, height: self.height, width: self.width, node, minimum: None }
    }

    fn too_large(&self) -> NetworkError {
        let (network, node) = self.names();
        NetworkError::InputTooLarge { network, height: self.height, width: self.width, node }
    }

    fn mismatch(&self, expected: &str, got: &dyn std::fmt::Display) -> NetworkError {
        let (network, node) = self.names();
        NetworkError::Mismatch { network, node, expected: expected.to_owned(), got: got.to_string() }
    }

    fn names(&self) -> (String, String) {
        (self.network.name.clone(), self.node.name.clone())
    }
}
