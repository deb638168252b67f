//! What steps of networks of texts do, and from that to the launch of a kernel.

use super::{
    Address,
    arguments::{Gather, Lookup, RootMean, Rotary, TextAttention},
    part::Part,
    plan::{Bases, Constant, Plan, Step},
    products::{count, whole},
    work::{Prepared, gathering, small},
};
use crate::Precision;

/// Numbers of a head, at most.
pub(crate) const MOST_DEPTH: usize = 256;
/// The same of the tensor cores' kernels, and in f32 of those that keep fewer.
const SHORT_DEPTH: usize = 128;

/// What a text's vector is made of, as `arguments.h` has it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pooling {
    First,
    Last,
    Mean,
    Largest,
}

/// What a step does: the kernel's arguments, without addresses and numbers of tokens.
#[derive(Clone, Debug)]
pub(crate) enum TextWork {
    Lookup {
        arguments: Lookup,
        table: Constant,
        /// Which of the plan's tables says what tokens take.
        rows: usize,
    },
    Gather(Gather),
    RootMean {
        arguments: RootMean,
        weight: Option<Constant>,
    },
    Rotary {
        arguments: Rotary,
        angles: Constant,
        /// Which of the plan's tables says where tokens stand.
        places: usize,
    },
    Attention {
        arguments: TextAttention,
        /// Where queries, keys and values stand in a row of their values, of which the last may be all that follow.
        starts: [usize; 3],
        distances: Option<Constant>,
    },
}

impl TextWork {
    /// The same with a result in f32, whatever the network's numbers are, where the kernel can.
    pub(crate) fn in_f32(&self) -> Option<TextWork> {
        let mut work = self.clone();
        match &mut work {
            TextWork::Gather(arguments) => arguments.out_f32 = 1,
            TextWork::RootMean { arguments, .. } => arguments.out_f32 = 1,
            _ => return None,
        }
        Some(work)
    }
}

impl Plan {
    /// The launch of a step for some texts.
    pub(super) fn prepare_text(
        &self,
        (step, work): (&Step, &TextWork),
        precision: Precision,
        part: &Part,
        bases: &Bases,
    ) -> Prepared {
        let read = |i: usize| step.from.get(i).map_or(0, |value| self.address(*value, part, bases));
        let constant = |at: Constant| bases.constants + at as Address;
        let array = |at: usize| bases.input + at as Address;
        let (n, out) = (self.count(step, part), self.out(step, part, bases));
        match work {
            TextWork::Lookup { arguments, table, rows } => {
                let mut arguments = *arguments;
                (arguments.table, arguments.row) = (constant(*table), array(part.rows(*rows)));
                (arguments.out, arguments.tokens) = (out, whole(n));
                let items = n * count(arguments.stride) / 8;
                small(precision, "lookup", items, bytemuck::bytes_of(&arguments))
            }
            TextWork::Gather(arguments) => {
                let mut arguments = *arguments;
                (arguments.input, arguments.out) = (read(0), out);
                (arguments.starts, arguments.texts) = (array(part.starts()), whole(n));
                let groups = count(arguments.stride) / 8;
                gathering(precision, "gather", n, groups, bytemuck::bytes_of(&arguments))
            }
            TextWork::RootMean { arguments, weight } => {
                let mut arguments = *arguments;
                (arguments.input, arguments.out) = (read(0), out);
                arguments.weight = weight.map_or(0, constant);
                arguments.rows = whole(n);
                // Half a warp, or a warp, a part.
                let lanes = if arguments.channels <= 128 { 16 } else { 32 };
                let items = n * count(arguments.parts) * lanes;
                small(precision, "root_mean", items, bytemuck::bytes_of(&arguments))
            }
            TextWork::Rotary { arguments, angles, places } => {
                let mut arguments = *arguments;
                (arguments.input, arguments.out) = (read(0), out);
                (arguments.angles, arguments.place) = (constant(*angles), array(part.rows(*places)));
                arguments.rows = whole(n);
                let items = n * count(arguments.stride) / 8;
                small(precision, "rotary", items, bytemuck::bytes_of(&arguments))
            }
            TextWork::Attention { arguments, starts, distances } => {
                let mut arguments = *arguments;
                let [q, k, v] = [0, 1, 2]
                    .map(|i| read(i.min(step.from.len() - 1)) + (starts[i] * precision.bytes()) as Address);
                (arguments.q, arguments.k, arguments.v, arguments.out) = (q, k, v, out);
                arguments.tiles = array(part.query_tiles());
                arguments.distances = distances.map_or(0, constant);
                let depth = count(arguments.depth);
                let (suffix, is_wide) = (precision.suffix(), precision.bytes() == 4);
                let is_short = depth <= SHORT_DEPTH && (is_wide || depth.is_multiple_of(8));
                let (of, room) = match depth.next_multiple_of(32) {
                    rounded if is_short => (rounded.to_string(), rounded),
                    _ => ("any".to_owned(), MOST_DEPTH),
                };
                // In f32 a block has half a tile's queries.
                let halves = is_wide || !is_short;
                Prepared {
                    kernel: format!("text_attention_{suffix}_{of}"),
                    blocks: part.tiles * if halves { 2 } else { 1 } * count(arguments.heads),
                    threads: 128,
                    shared: if halves { 2 * 32 * room * 4 } else { 5 * 64 * (room * 2 + 16) },
                    arguments: bytemuck::bytes_of(&arguments).to_vec(),
                }
            }
        }
    }
}
