//! What only networks of texts do.

use super::Compiler;
use crate::{
    EngineError,
    cuda::{
        arguments,
        plan::Constant,
        products::whole,
        texts::{MOST_DEPTH, Pooling, TextWork},
        work::Work,
    },
    fuse::narrow,
};
use network::{By, Distances, Op, Pairs, ParamId};

/// What all layers of a network of texts share.
#[derive(Default)]
pub(super) struct Told {
    /// Tokens of a text, at most.
    pub(super) most_tokens: usize,
    /// Cosines and sines of the places, of every way to turn.
    angles: Vec<(network::Rotary, Constant)>,
}

impl Compiler {
    /// A step that reads tokens, or makes a text's vector of them.
    pub(super) fn text(&mut self, at: usize) -> Result<(), EngineError> {
        let node = self.graph.node(at).clone();
        let work = match node.op {
            Op::Text => {
                self.graph.made(at);
                return Ok(());
            }
            Op::Lookup { table, by } => self.lookup(at, table, by),
            Op::Token { .. } => self.gather(at, Pooling::First),
            Op::LastToken => self.gather(at, Pooling::Last),
            Op::GlobalAveragePool => self.gather(at, Pooling::Mean),
            Op::GlobalMaxPool => self.gather(at, Pooling::Largest),
            Op::RmsNorm { weight, eps } => {
                let weight = self.graph.tensor(weight).to_vec();
                let part = weight.len();
                let weight = self.padded(weight.into_iter().map(f64::from));
                TextWork::RootMean { arguments: self.parts(at, part, eps), weight: Some(weight) }
            }
            Op::Normalize => {
                TextWork::RootMean { arguments: self.parts(at, self.graph.channels(at), 0.0), weight: None }
            }
            Op::Rotary(how) => self.rotary(at, &how),
            Op::TextAttention(how) => self.text_attention(at, &how)?,
            _ => unreachable!("asked of what texts need"),
        };
        let from = match node.op {
            Op::Lookup { .. } => Vec::new(),
            _ => node.inputs.iter().map(|id| self.value(*id)).collect(),
        };
        self.push(at, at, Work::Text(work), from);
        Ok(())
    }

    fn lookup(&mut self, at: usize, table: ParamId, by: By) -> TextWork {
        let (d, stride) = (self.graph.channels(at), self.stride(at));
        let numbers = self.graph.tensor(table);
        let count = numbers.len() / d;
        let mut bytes = Vec::with_capacity(count * stride * self.precision.bytes());
        for row in numbers.chunks_exact(d) {
            let zeros = std::iter::repeat_n(0.0, stride - d);
            self.precision.encode(row.iter().copied().chain(zeros), &mut bytes);
        }
        let arguments = arguments::Lookup { stride: whole(stride), ..Default::default() };
        TextWork::Lookup { arguments, table: self.plan.constant(&bytes), rows: self.plan.table(by, count) }
    }

    fn gather(&self, at: usize, pooling: Pooling) -> TextWork {
        TextWork::Gather(arguments::Gather {
            stride: whole(self.stride(at)),
            pooling: pooling as i32,
            ..Default::default()
        })
    }

    /// Rows in parts of so many numbers.
    fn parts(&self, at: usize, part: usize, eps: f32) -> arguments::RootMean {
        arguments::RootMean {
            parts: whole(self.graph.channels(at) / part),
            channels: whole(part),
            stride: whole(self.stride(at)),
            eps,
            ..Default::default()
        }
    }

    fn rotary(&mut self, at: usize, how: &network::Rotary) -> TextWork {
        let known = self.told.angles.iter().find(|(other, _)| other == how).map(|(_, angles)| *angles);
        let angles = known.unwrap_or_else(|| {
            let angles = self.plan.numbers(&how.angles(0..self.told.most_tokens));
            self.told.angles.push((*how, angles));
            angles
        });
        let arguments = arguments::Rotary {
            channels: whole(self.graph.channels(at)),
            stride: whole(self.stride(at)),
            depth: whole(how.depth),
            turned: whole(how.turned),
            neighbours: i32::from(how.pairs == Pairs::Neighbours),
            ..Default::default()
        };
        let places = self.plan.table(By::Place { first: 0, padding: None }, self.told.most_tokens);
        TextWork::Rotary { arguments, angles, places }
    }

    fn text_attention(&mut self, at: usize, how: &network::TextAttention) -> Result<TextWork, EngineError> {
        let node = self.graph.node(at).clone();
        let is_joint = node.inputs.len() == 1;
        let depth = how.depth(self.graph.channels(node.inputs[0].index()), is_joint);
        if depth > MOST_DEPTH {
            return Err(EngineError::HeadDepth {
                network: self.graph.network().name().to_owned(),
                node: node.name,
                depth,
                most: "those of texts may be up to 256",
            });
        }
        let ends = [node.inputs[0], node.inputs[node.inputs.len() - 1]].map(|id| self.stride(id.index()));
        let (d, keys) = (how.heads * depth, how.key_heads * depth);
        let far = |tokens: Option<usize>| tokens.map_or(i32::MAX, whole);
        let arguments = arguments::TextAttention {
            heads: whole(how.heads),
            sharing: whole(how.heads / how.key_heads),
            depth: whole(depth),
            q_stride: whole(ends[0]),
            k_stride: whole(ends[1]),
            out_stride: whole(self.stride(at)),
            back: far(how.reach.back),
            ahead: far(how.reach.ahead),
            farthest: how.distances.map_or(0, |distances| whole(distances.farthest)),
            scale: how.scale.unwrap_or_else(|| narrow(1.0 / (depth as f64).sqrt())),
            ..Default::default()
        };
        let starts = if is_joint { [0, d, d + keys] } else { [0; 3] };
        let distances = how.distances.map(|distances| self.distances(distances, how.heads));
        Ok(TextWork::Attention { arguments, starts, distances })
    }

    /// (heads, 2 · farthest + 1), from keys before a query to those behind it.
    fn distances(&mut self, how: Distances, heads: usize) -> Constant {
        let table = self.graph.tensor(how.table);
        let rows: Vec<usize> = how.rows(table.len() / heads).collect();
        let of_head = |head: usize| rows.iter().map(move |row| table[row * heads + head]);
        let numbers: Vec<f32> = (0..heads).flat_map(of_head).collect();
        self.plan.numbers(&numbers)
    }
}
