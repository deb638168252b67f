//! Convolutions and dense layers, and the pictures that the first of them read.

use super::{Compiler, code};
use crate::{
    EngineError,
    cuda::{
        arguments,
        plan::{Step, To, Work},
        products::{Layer, Packed, pixel, whole},
    },
    fuse::{Fused, narrow},
};
use network::Op;

impl Compiler {
    /// The value of pictures with so many numbers a pixel.
    pub(super) fn picture(&mut self, pixel: usize) -> usize {
        if let Some((_, value)) = self.picture.made.iter().find(|(made, _)| *made == pixel) {
            return *value;
        }
        let places = self.picture.size.0 * self.picture.size.1;
        let value = self.plan.value(places, pixel, self.precision.bytes());
        let arguments = arguments::Normalise {
            stride: whole(pixel),
            reversed: i32::from(self.picture.reversed),
            ..Default::default()
        };
        let work = Work::Normalise { arguments, table: self.picture.table, places };
        self.plan.steps.push(Step { name: "input".to_owned(), work, from: Vec::new(), to: To::Value(value) });
        self.picture.made.push((pixel, value));
        value
    }

    /// A convolution, or a dense layer, which is one of 1×1 at every place.
    pub(super) fn product(&mut self, at: usize, norm: Option<usize>) -> Result<(), EngineError> {
        let node = self.graph.node(at).clone();
        let (weight, bias, stride, padding, groups) = match node.op {
            Op::Conv { weight, bias, stride, padding, groups } => (weight, bias, stride, padding, groups),
            Op::Linear { weight, bias } => (weight, bias, 1, 0, 1),
            _ => return Ok(()),
        };
        let shape = self.graph.network().param(weight).shape.clone();
        let (outputs, depth, kernel) = (shape[0], shape[1], shape.get(2).copied().unwrap_or(1));
        let from = node.inputs[0].index();
        let (input, is_depthwise) = (self.graph.sides(from), self.graph.is_depthwise(at));
        let sees_picture = groups == 1
            && matches!(self.graph.node(from).op, Op::Input { .. })
            && matches!(node.op, Op::Conv { .. });
        let read = if sees_picture {
            self.picture(pixel(self.precision, stride, input.1))
        } else {
            self.value(node.inputs[0])
        };
        let Fused { end, weight, scales, bias, residual, activation } =
            self.graph.fuse(at, weight, bias, norm);
        let number = |output: usize, channel: usize, y: usize, x: usize| {
            let number = weight.data[((output * depth + channel) * kernel + y) * kernel + x];
            narrow(f64::from(number) * scales[output])
        };
        let (output, out_stride) = (self.graph.sides(end), self.stride(end));
        let in_stride = self.plan.values[read].stride;
        let work = if is_depthwise {
            let weights: Vec<f32> = (0..kernel * kernel)
                .flat_map(|tap| {
                    let number = &number;
                    (0..out_stride).map(move |channel| {
                        if channel < outputs { number(channel, 0, tap / kernel, tap % kernel) } else { 0.0 }
                    })
                })
                .collect();
            Work::Depthwise {
                arguments: arguments::Depthwise {
                    in_height: whole(input.0),
                    in_width: whole(input.1),
                    out_height: whole(output.0),
                    out_width: whole(output.1),
                    stride: whole(out_stride),
                    kernel: whole(kernel),
                    step: whole(stride),
                    pad: whole(padding),
                    activation: code(activation),
                    ..Default::default()
                },
                weights: self.plan.numbers(&weights),
                bias: self.padded(bias.into_iter()),
            }
        } else {
            let layer = Layer {
                outputs,
                groups,
                depth,
                kernel,
                stride,
                padding,
                input,
                in_stride,
                output,
                out_stride,
            };
            let packed = if sees_picture {
                layer.pack_picture(self.precision, number)
            } else {
                layer.pack(self.precision, number)
            };
            let mut bias: Vec<f32> = bias.into_iter().map(narrow).collect();
            bias.resize(packed.tiles() * packed.columns, 0.0);
            let (kernel, tiles, shared) =
                (packed.kernel(self.precision, self.unit), packed.tiles(), packed.shared());
            let Packed { arguments, weights, pieces, first, .. } = packed;
            Work::Products {
                arguments: arguments::Products { activation: code(activation), ..arguments },
                kernel,
                tiles,
                shared,
                weights: self.plan.constant(&weights),
                bias: self.plan.numbers(&bias),
                pieces: self.plan.constant(bytemuck::cast_slice(&pieces)),
                first: (!first.is_empty()).then(|| self.plan.constant(bytemuck::cast_slice(&first))),
            }
        };
        let from = [read].into_iter().chain(residual.map(|node| self.value(node))).collect();
        self.push(at, end, work, from);
        Ok(())
    }
}
