//! Attention pooling by itself, as heads have it.

use crate::Tensor;
use network::{Builder, NodeId, Shape};

/// What a flattened row is of: (channels · places,).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// Numbers of each place, c.
    pub channels: usize,
    /// Places of a map, or tokens, p.
    pub places: usize,
    /// Whether a channel's numbers stand together, as those of a map do; else a place's, as those of tokens.
    pub channels_first: bool,
}

/// A few learnt queries, each of which says how much every place counts: z = Σₚ softmaxₚ(q · xₚ / √c) · xₚ.
///
/// Lee et al., 2019, "Set Transformer", section 3.2, with keys and values that are what is read, as in Psomas et al., 2025,
/// "Attention, Please!".
#[derive(Clone, Debug, PartialEq)]
pub struct AttentionPool {
    /// What rows are of.
    pub of: Places,
    /// (m, c) row-major.
    pub queries: Vec<f32>,
}

impl Places {
    /// By the sides of what was flattened: channels, rows and columns of a map, or how many tokens and the numbers of each. `None`
    /// of other sides, of none, and of more than can be counted.
    pub fn of_sides(sides: &[usize]) -> Option<Places> {
        let (channels, places, channels_first) = match *sides {
            [channels, height, width] => (channels, height.checked_mul(width)?, true),
            [tokens, width] => (width, tokens, false),
            _ => return None,
        };
        let all = channels.checked_mul(places)?;
        (all > 0).then_some(Places { channels, places, channels_first })
    }

    /// How many numbers a row has.
    pub fn len(self) -> usize {
        self.channels * self.places
    }

    /// Where a place's number of a channel stands in a row.
    pub fn at(self, place: usize, channel: usize) -> usize {
        if self.channels_first { channel * self.places + place } else { place * self.channels + channel }
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    fn shape(self) -> Shape {
        let Places { channels, places, channels_first } = self;
        match channels_first {
            true => Shape::Map { channels, height: 1, width: places },
            false => Shape::Tokens { prefix: 0, places, width: channels },
        }
    }
}

impl AttentionPool {
    /// Queries, m.
    pub fn count(&self) -> usize {
        self.queries.len() / self.of.channels.max(1)
    }

    /// Numbers that it gives: m · c.
    pub fn outputs(&self) -> usize {
        self.queries.len()
    }

    /// A head that begins with it, and the node that gives its vector.
    pub(crate) fn graph(&self) -> (Builder, NodeId) {
        let mut net = Builder::given(self.of.shape());
        let queries = net.constant(&format!("{NAME}.queries"), QUERIES, (self.count(), self.of.channels));
        // Every place is its own key and its own value.
        let places = net.input();
        let pooled = net.cross_attention(NAME, queries, places, 1);
        let flat = net.flatten_places(&format!("{NAME}/flat"), pooled, self.count());
        (net, flat)
    }

    /// A parameter of that graph; `None` of another name.
    pub(crate) fn tensor(&self, name: &str) -> Option<Tensor> {
        let shape = vec![1, self.count(), self.of.channels];
        (name == QUERIES).then(|| Tensor { shape, data: self.queries.clone() })
    }
}

const NAME: &str = "head.attention";
const QUERIES: &str = "head.attention.queries";
