//! Attention, among all places or within windows.

use super::Compiler;
use crate::{
    EngineError,
    cuda::{
        arguments,
        plan::Constant,
        products::whole,
        work::{ShiftedWindows, Work},
    },
    fuse::narrow,
};
use network::Windows;

/// Of a head.
const MOST_DEPTH: usize = 128;

impl Compiler {
    pub(super) fn attention(
        &mut self,
        at: usize,
        heads: usize,
        within: Option<(&Windows, &[f32])>,
        bias: Option<Constant>,
    ) -> Result<Work, EngineError> {
        let node = self.graph.node(at).clone();
        let (depth, inputs) = (self.graph.channels(at) / heads, node.inputs.clone());
        // Rows of a head begin at 16 bytes, and there is a kernel for it.
        let aligned = self.precision.bytes() == 4 || depth.is_multiple_of(8);
        if depth > MOST_DEPTH || !aligned {
            return Err(EngineError::HeadDepth {
                network: self.graph.network().name().to_owned(),
                node: node.name,
                depth,
                most: "up to 128 in multiples of 8 are (with --precision f32 any up to 128)",
            });
        }
        let ends = [inputs[0], inputs[inputs.len() - 1]].map(|id| self.plan.values[self.value(id)]);
        let mut arguments = arguments::Attention {
            groups: 1,
            heads: whole(heads),
            depth: whole(depth),
            queries: whole(ends[0].places),
            keys: whole(ends[1].places),
            q_rows: whole(ends[0].places),
            k_rows: whole(ends[1].places),
            q_stride: whole(ends[0].stride),
            k_stride: whole(ends[1].stride),
            out_stride: whole(self.stride(at)),
            scale: narrow(1.0 / (depth as f64).sqrt()),
            ..Default::default()
        };
        let windows = within.map(|(windows, table)| {
            let count = windows.places(0).len();
            arguments.groups = whole(windows.count());
            (arguments.queries, arguments.keys) = (whole(count), whole(count));
            self.windows(windows, table, heads)
        });
        let (key, value) = self.graph.keys_and_values(at);
        Ok(Work::Attention { arguments, key, value, windows, bias })
    }

    fn windows(&mut self, windows: &Windows, table: &[f32], heads: usize) -> ShiftedWindows {
        let places: Vec<i32> =
            (0..windows.count()).flat_map(|window| windows.places(window)).map(whole).collect();
        let kinds: Vec<i32> = (0..windows.count()).map(|window| whole(windows.kind(window))).collect();
        let seen = kinds.iter().max().map_or(0, |kind| kind + 1);
        let mut bias = Vec::new();
        for kind in 0..usize::try_from(seen).unwrap_or(0) {
            bias.extend(windows.biases(kind, heads, table));
        }
        ShiftedWindows {
            places: self.plan.constant(bytemuck::cast_slice(&places)),
            kinds: self.plan.constant(bytemuck::cast_slice(&kinds)),
            bias: self.plan.numbers(&bias),
        }
    }
}
