//! What moves numbers more than it computes: functions of each number, pools, and rows into rows.

use super::{Compiler, function};
use crate::{
    EngineError,
    cuda::{
        arguments,
        plan::{Constant, Step, To},
        products::whole,
        work::{Second, Work},
    },
};
use network::{Activation, Pool, Shape};

impl Compiler {
    pub(super) fn map(
        &self,
        at: usize,
        activation: Option<Activation>,
        affine: Option<(Constant, Constant)>,
        second: Second,
    ) -> Work {
        let arguments = arguments::Map {
            places: whole(self.places(at)),
            stride: whole(self.stride(at)),
            function: function(activation),
            ..Default::default()
        };
        Work::Map { arguments, affine, second }
    }

    pub(super) fn pool(&self, at: usize, pool: Pool, average: bool) -> Work {
        self.pool_of(at, self.graph.sides(self.graph.node(at).inputs[0].index()), pool, average)
    }

    /// The largest of each channel over all places: those of a map, or the tokens that are places.
    pub(super) fn largest(&mut self, at: usize) {
        let input = self.graph.node(at).inputs[0];
        let (mut from, mut sides) = (self.value(input), self.graph.sides(input.index()));
        if let Shape::Tokens { prefix, places, .. } = self.graph.shape(input.index()) {
            sides = (1, places);
            if prefix > 0 {
                let stride = self.plan.values[from].stride;
                let kept = self.plan.value(places, stride, self.precision.bytes(), false);
                let arguments = arguments::Copy {
                    rows: whole(places),
                    in_rows: whole(prefix + places),
                    from: whole(prefix),
                    in_stride: whole(stride),
                    out_rows: whole(places),
                    fill: 1,
                    ..self.rows_into(at)
                };
                let (name, work) = (self.graph.node(at).name.clone(), Work::Copy { arguments, table: None });
                self.plan.steps.push(Step { name, work, from: vec![from], to: To::Value(kept) });
                from = kept;
            }
        }
        let work = self.pool_of(at, sides, Pool::new(sides, 1), false);
        self.push(at, at, work, vec![from]);
    }

    /// Of a map of `from` rows and columns.
    fn pool_of(&self, at: usize, from: (usize, usize), pool: Pool, average: bool) -> Work {
        let out = self.graph.sides(at);
        Work::Pool(arguments::Pool {
            in_height: whole(from.0),
            in_width: whole(from.1),
            out_height: whole(out.0),
            out_width: whole(out.1),
            stride: whole(self.stride(at)),
            kernel_y: whole(pool.kernel.y),
            kernel_x: whole(pool.kernel.x),
            step_y: whole(pool.stride.y),
            step_x: whole(pool.stride.x),
            pad_y: whole(pool.padding.top),
            pad_x: whole(pool.padding.left),
            end_y: whole(pool.padding.bottom),
            end_x: whole(pool.padding.right),
            average: i32::from(average),
            counts_padding: i32::from(pool.count_include_pad),
            ..Default::default()
        })
    }

    /// Channels from `first` on, as (groups, channels / groups) transposed.
    pub(super) fn select(&self, at: usize, first: usize, groups: usize, channels: usize) -> Work {
        let from = self.graph.node(at).inputs[0].index();
        let arguments = arguments::Select {
            channels: whole(channels),
            first: whole(first),
            groups: whole(groups),
            in_stride: whole(self.stride(from)),
            out_stride: whole(self.stride(at)),
            ..Default::default()
        };
        Work::Select { arguments, places: self.places(at) }
    }

    /// What stands before the places, then the places; each with its position.
    pub(super) fn tokens(&mut self, at: usize) -> Result<(), EngineError> {
        let from = self.graph.node(at).inputs[0];
        let (d, table) = (self.graph.channels(at), self.graph.positions(at));
        let from = self.value(from);
        let (places, stride) = (self.plan.values[from].places, self.plan.values[from].stride);
        let prefix = self.places(at) - places;
        let (before, after) = table.split_at(prefix * d);
        let to = self.value_of(at, self.precision.bytes());
        let name = self.graph.node(at).name.clone();
        let parts = [(Vec::new(), before, 0, prefix), (vec![from], after, prefix, places)];
        for (from, table, first, rows) in parts.into_iter().filter(|(.., rows)| *rows > 0) {
            let arguments = arguments::Copy {
                rows: whole(rows),
                in_rows: whole(places),
                in_stride: whole(stride),
                to: whole(first),
                fill: 1,
                ..self.rows_into(at)
            };
            let work = Work::Copy { arguments, table: Some(self.plan.numbers(table)) };
            self.plan.steps.push(Step { name: name.clone(), work, from, to: To::Value(to) });
        }
        self.values[at] = Some(to);
        self.graph.made(at);
        Ok(())
    }

    /// As [`Compiler::push`]: features are joined as they were before they were rounded.
    pub(super) fn concat(&mut self, at: usize) -> Result<(), EngineError> {
        if self.is_exact(at) {
            self.features[at] = Some(self.concat_as(at, size_of::<f32>()));
        }
        if self.features[at].is_none() || !self.graph.readers(at).is_empty() {
            self.values[at] = Some(self.concat_as(at, self.precision.bytes()));
        }
        self.graph.made(at);
        Ok(())
    }

    fn concat_as(&mut self, at: usize, bytes: usize) -> usize {
        let node = self.graph.node(at).clone();
        let to = self.value_of(at, bytes);
        let is_f32 =
            |this: &Self, value: usize| i32::from(this.plan.values[value].is_f32(this.precision.bytes()));
        let mut first = 0;
        for (i, input) in node.inputs.iter().enumerate() {
            let exact = self.features[input.index()].filter(|_| is_f32(self, to) != 0);
            let from = exact.unwrap_or_else(|| self.value(*input));
            let channels = self.graph.channels(input.index());
            let arguments = arguments::Copy {
                channels: whole(channels),
                in_rows: whole(self.places(at)),
                in_stride: whole(self.plan.values[from].stride),
                out_first: whole(first),
                fill: i32::from(i + 1 == node.inputs.len()),
                in_f32: is_f32(self, from),
                out_f32: is_f32(self, to),
                ..self.rows_into(at)
            };
            let work = Work::Copy { arguments, table: None };
            self.plan.steps.push(Step { name: node.name.clone(), work, from: vec![from], to: To::Value(to) });
            first += channels;
        }
        to
    }

    /// A copy to all rows and channels of a node's value.
    pub(super) fn rows_into(&self, at: usize) -> arguments::Copy {
        arguments::Copy {
            rows: whole(self.places(at)),
            channels: whole(self.graph.channels(at)),
            out_rows: whole(self.places(at)),
            out_stride: whole(self.stride(at)),
            ..Default::default()
        }
    }
}
