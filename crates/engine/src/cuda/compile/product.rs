//! Convolutions and dense layers, and the pictures that the first of them read.

use super::{Compiler, function};
use crate::{
    EngineError,
    cuda::{
        arguments,
        plan::{Step, To},
        products::{Layer, Packed, pixel, whole},
        work::Work,
    },
    fuse::{Fused, narrow},
};
use network::Window;

impl Compiler {
    /// The value of pictures with so many numbers a pixel.
    pub(super) fn picture(&mut self, pixel: usize) -> usize {
        if let Some((_, value)) = self.picture.made.iter().find(|(made, _)| *made == pixel) {
            return *value;
        }
        let places = self.picture.size.0 * self.picture.size.1;
        let value = self.plan.value(places, pixel, self.precision.bytes(), false);
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
        let from = self.graph.node(at).inputs[0];
        let (input, is_depthwise) = (self.graph.sides(from.index()), self.graph.is_depthwise(at));
        let fused = self.graph.fuse(at, norm);
        let Fused { outputs, depth, window, groups, .. } = fused;
        let Window { kernel, stride, padding, dilation } = window;
        let Fused { end, residual, activation, .. } = fused;
        let read = if fused.sees_picture {
            self.picture(pixel(self.precision, stride.x, input.1))
        } else {
            self.value(from)
        };
        let number = |output, channel, y, x| fused.number(output, channel, y, x);
        let (output, out_stride) = (self.graph.sides(end), self.stride(end));
        let in_stride = self.plan.values[read].stride;
        let work = if is_depthwise {
            let weights: Vec<f32> = (0..kernel.y * kernel.x)
                .flat_map(|tap| {
                    let number = &number;
                    (0..out_stride).map(move |channel| {
                        if channel < outputs {
                            number(channel, 0, tap / kernel.x, tap % kernel.x)
                        } else {
                            0.0
                        }
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
                    kernel_y: whole(kernel.y),
                    kernel_x: whole(kernel.x),
                    step_y: whole(stride.y),
                    step_x: whole(stride.x),
                    pad_y: whole(padding.top),
                    pad_x: whole(padding.left),
                    dilation_y: whole(dilation.y),
                    dilation_x: whole(dilation.x),
                    function: function(activation),
                    ..Default::default()
                },
                weights: self.plan.numbers(&weights),
                bias: self.padded(fused.bias.iter().copied()),
            }
        } else {
            let layer = Layer { outputs, groups, depth, window, input, in_stride, output, out_stride };
            let packed = if fused.sees_picture {
                layer.pack_picture(self.precision, number)
            } else {
                layer.pack(self.precision, number)
            };
            let mut bias: Vec<f32> = fused.bias.iter().copied().map(narrow).collect();
            bias.resize(packed.tiles() * packed.columns, 0.0);
            let (kernel, tiles, shared) =
                (packed.kernel(self.precision, self.unit), packed.tiles(), packed.shared());
            let Packed { arguments, weights, pieces, first, .. } = packed;
            Work::Products {
                arguments: arguments::Products { function: function(activation), ..arguments },
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
