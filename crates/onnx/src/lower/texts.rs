//! What only networks of texts do. Texts of a batch are as long as the longest, padded at their ends: a mask keeps tokens from
//! seeing padding, and pools from counting it.

use super::{Draft, Laid, Lowering, Operator, ParamId, flow::Flow};
use crate::{Element, Tokens, draft::Numbers};
use network::{By, Distances, Pairs, Reach, Rotary, TextAttention};

/// What hides a key: far below any score, and far from the least f32, so that two of them may be added.
const HIDDEN: f32 = -1e30;

/// Values that several nodes read.
pub(super) struct Shared {
    /// f32 (batch, 1, tokens): 1, and 0 of padding.
    row: String,
    /// f32 (batch, tokens, 1): the same.
    column: String,
    /// f32 (batch, 1, 1): tokens of each text.
    counts: String,
    /// f32 (batch, 1, 1, tokens): what padding adds to scores.
    padding: String,
    /// f64 (tokens,): 0, 1 and so on.
    places: String,
    /// f64 (tokens, tokens): by how much a key is behind a query.
    apart: String,
    /// f32 (tokens, tokens): what tokens out of reach add to scores.
    reaches: Vec<(Reach, String)>,
    /// f32 (tokens, 1, turned / 2) each: cosines and sines.
    angles: Vec<(Rotary, [String; 2])>,
}

impl Shared {
    /// Those that nobody comes to read are left out in the end.
    pub(super) fn of(draft: &mut Draft<'_>) -> Shared {
        let mut flow = Flow { draft, scope: "tokens" };
        let mask = flow.step("mask", &Operator::Cast { to: Element::Single }, &[Tokens::Mask.name()]);
        let column = flow.step("mask/column", &Operator::Reshape { shape: vec![0, 0, 1] }, &[&mask]);
        let row = flow.step("mask/row", &Operator::Transpose { perm: vec![0, 2, 1] }, &[&column]);
        let counts = flow.step("counts", &Operator::MatMul, &[&row, &column]);
        let padding = flow.by_single("padding", &Operator::Sub, &mask, 1.0);
        let padding = flow.by_single("padding/hidden", &Operator::Mul, &padding, f64::from(-HIDDEN));
        let keys = Operator::Reshape { shape: vec![0, 0, 1, 1] };
        let padding = flow.step("padding/keys", &keys, &[&padding]);
        let turned = Operator::Transpose { perm: vec![0, 2, 3, 1] };
        let padding = flow.step("padding/scores", &turned, &[&padding]);
        let sides = flow.step("sides", &Operator::Shape, &[Tokens::Ids.name()]);
        let count = flow.step("count", &Operator::Gather { axis: 0, index: 1 }, &[&sides]);
        let count = flow.step("count/f64", &Operator::Cast { to: Element::Double }, &[&count]);
        let [zero, one] = [0.0, 1.0].map(|value| flow.draft.double(value));
        let places = flow.step("places", &Operator::Range, &[&zero, &count, &one]);
        let queries = flow.step("queries", &Operator::Reshape { shape: vec![0, 1] }, &[&places]);
        let keys = flow.step("keys", &Operator::Transpose { perm: vec![1, 0] }, &[&queries]);
        let apart = flow.step("apart", &Operator::Sub, &[&keys, &queries]);
        let (reaches, angles) = (Vec::new(), Vec::new());
        Shared { row, column, counts, padding, places, apart, reaches, angles }
    }

    /// What tokens out of reach add to scores.
    fn reach(&mut self, draft: &mut Draft<'_>, reach: Reach) -> Option<String> {
        if reach.is_all() {
            return None;
        }
        if let Some((_, known)) = self.reaches.iter().find(|(known, _)| *known == reach) {
            return Some(known.clone());
        }
        let mut flow = Flow { draft, scope: "tokens" };
        let [seen, hidden] = [0.0, HIDDEN].map(|value| flow.draft.scalar(value));
        let mut sum: Option<String> = None;
        let ahead = reach.ahead.map(|ahead| (Operator::Greater, ahead as f64));
        let back = reach.back.map(|back| (Operator::Less, -(back as f64)));
        for (operator, limit) in ahead.into_iter().chain(back) {
            let beyond = flow.by("beyond", &operator, &self.apart, limit);
            let beyond = flow.step("beyond/scores", &Operator::Where, &[&beyond, &hidden, &seen]);
            sum = Some(match sum {
                None => beyond,
                Some(other) => flow.step("reach", &Operator::Add, &[&other, &beyond]),
            });
        }
        let sum = sum?;
        self.reaches.push((reach, sum.clone()));
        Some(sum)
    }

    /// Cosines and sines of the places' angles.
    fn angles(&mut self, draft: &mut Draft<'_>, how: &Rotary) -> [String; 2] {
        if let Some((_, known)) = self.angles.iter().find(|(known, _)| known == how) {
            return known.clone();
        }
        let mut flow = Flow { draft, scope: "tokens" };
        let half = how.turned / 2;
        let speeds = flow.draft.constant("tokens/speeds", &[half], how.speeds());
        let places = flow.step("places/f32", &Operator::Cast { to: Element::Single }, &[&self.places]);
        let places = flow.step("places/column", &Operator::Reshape { shape: vec![0, 1] }, &[&places]);
        let angles = flow.step("angles", &Operator::Mul, &[&places, &speeds]);
        let found = [("cosines", Operator::Cos), ("sines", Operator::Sin)].map(|(what, operator)| {
            let turned = flow.step(what, &operator, &[&angles]);
            // Before the heads of each token.
            let column = Operator::Reshape { shape: vec![0, half, 1] };
            let turned = flow.step(&format!("{what}/heads"), &column, &[&turned]);
            let turn = Operator::Transpose { perm: vec![0, 2, 1] };
            flow.step(&format!("{what}/row"), &turn, &[&turned])
        });
        self.angles.push((*how, found.clone()));
        found
    }
}

impl<'a> Lowering<'a, '_, '_> {
    fn texts(&mut self) -> (&mut Shared, &mut Draft<'a>) {
        // SAFETY of unwrapping: whoever reads texts has them.
        let super::Lowered { texts, draft, .. } = &mut *self.graph;
        (texts.as_mut().expect("only networks of texts have such nodes"), draft)
    }

    /// Rows of a table, (batch, tokens, d); or (tokens, d) or (1, 1, d), which broadcast to it.
    pub(super) fn lookup(&mut self, table: ParamId, by: By) -> Laid {
        let (rows, d) = match *self.graph.bound.network().param(table).shape {
            [rows, d] => (rows, d),
            _ => (0, self.shape().width()),
        };
        let param = self.param(table);
        let ids = Tokens::Ids.name().to_owned();
        let which = match by {
            By::Token => ids,
            By::Segment if rows > 1 => Tokens::Segments.name().to_owned(),
            By::Segment => {
                return Laid::both(self.whole(&Operator::Reshape { shape: vec![1, 1, d] }, vec![param]));
            }
            By::Place { first, padding: None } => {
                let places = self.texts().0.places.clone();
                let first = self.graph.draft.double(first as f64);
                let places = self.part("places", &Operator::Add, vec![places, first]);
                self.part("rows", &Operator::Cast { to: Element::Integer }, vec![places])
            }
            By::Place { first, padding: Some(padding) } => {
                // Padding takes the row before the first, and is not counted.
                let padding =
                    self.graph.draft.integers(&format!("tokens/{padding}"), vec![i64::from(padding)]);
                let is_padding = self.part("padding", &Operator::Equal, vec![ids, padding]);
                let counts = self.part("counts", &Operator::Not, vec![is_padding]);
                let counts = self.part("counts/f64", &Operator::Cast { to: Element::Double }, vec![counts]);
                let places = self.part("counted", &Operator::CumSum { axis: 1 }, vec![counts.clone()]);
                let places = self.part("places", &Operator::Mul, vec![places, counts]);
                let before = self.graph.draft.double(first as f64 - 1.0);
                let places = self.part("places/first", &Operator::Add, vec![places, before]);
                self.part("rows", &Operator::Cast { to: Element::Integer }, vec![places])
            }
        };
        Laid::both(self.whole(&Operator::GatherAt { axis: 0 }, vec![param, which]))
    }

    /// Rows over the root of their mean square, or parts of them.
    pub(super) fn rms_norm(&mut self, weight: ParamId, eps: f32) -> Laid {
        let (length, width) = (self.graph.bound.network().param(weight).len(), self.shape().width());
        let (weight, mut x) = (self.param(weight), self.last(0));
        let has_parts = length < width;
        if has_parts {
            x = self.reshaped("parts", x, &[0, 0, width / length, length]);
        }
        let axis = if has_parts { 3 } else { 2 };
        let squares = self.part("squares", &Operator::Mul, vec![x.clone(), x.clone()]);
        let mean = self.part("mean", &Operator::ReduceMean { axis, keeps: true }, vec![squares]);
        let eps = self.graph.draft.scalar(eps);
        let mean = self.part("mean/eps", &Operator::Add, vec![mean, eps]);
        let root = self.part("root", &Operator::Sqrt, vec![mean]);
        let normed = self.part("normed", &Operator::Div, vec![x, root]);
        if !has_parts {
            return Laid::both(self.whole(&Operator::Mul, vec![normed, weight]));
        }
        let scaled = self.part("scaled", &Operator::Mul, vec![normed, weight]);
        Laid::both(self.whole(&Operator::Reshape { shape: vec![0, 0, width] }, vec![scaled]))
    }

    /// Numbers of each head turned by their tokens' places.
    pub(super) fn rotary(&mut self, how: &Rotary) -> Laid {
        let (x, width) = (self.last(0), self.shape().width());
        let (heads, half) = (width / how.depth, how.turned / 2);
        let (texts, draft) = self.texts();
        let [cosines, sines] = texts.angles(draft, how);
        let x = self.reshaped("heads", x, &[0, 0, heads, how.depth]);
        let slice = |start: usize, end: usize, axis: usize| Operator::Slice { axis, start, end };
        let [a, b] = match how.pairs {
            Pairs::Halves => {
                let first = self.part("a", &slice(0, half, 3), vec![x.clone()]);
                [first, self.part("b", &slice(half, how.turned, 3), vec![x.clone()])]
            }
            Pairs::Neighbours => {
                let turned = self.part("turning", &slice(0, how.turned, 3), vec![x.clone()]);
                let pairs = self.reshaped("pairs", turned, &[0, 0, heads, half, 2]);
                [("a", 0), ("b", 1)].map(|(part, at)| {
                    self.part(part, &Operator::Gather { axis: 4, index: at }, vec![pairs.clone()])
                })
            }
        };
        let mut times = |what: &str, x: &String, by: &String| {
            self.part(what, &Operator::Mul, vec![x.clone(), by.clone()])
        };
        let (ac, bs) = (times("a/cosine", &a, &cosines), times("b/sine", &b, &sines));
        let (bc, r#as) = (times("b/cosine", &b, &cosines), times("a/sine", &a, &sines));
        let first = self.part("first", &Operator::Sub, vec![ac, bs]);
        let second = self.part("second", &Operator::Add, vec![bc, r#as]);
        let turned = match how.pairs {
            Pairs::Halves => self.part("turned", &Operator::Concat { axis: 3 }, vec![first, second]),
            Pairs::Neighbours => {
                let column = [0, 0, heads, half, 1];
                let both = vec![
                    self.reshaped("first/column", first, &column),
                    self.reshaped("second/column", second, &column),
                ];
                let pairs = self.part("turned/pairs", &Operator::Concat { axis: 4 }, both);
                self.reshaped("turned", pairs, &[0, 0, heads, how.turned])
            }
        };
        let whole = if how.turned < how.depth {
            let rest = self.part("rest", &slice(how.turned, how.depth, 3), vec![x]);
            self.part("joined", &Operator::Concat { axis: 3 }, vec![turned, rest])
        } else {
            turned
        };
        Laid::both(self.whole(&Operator::Reshape { shape: vec![0, 0, width] }, vec![whole]))
    }

    /// Attention of tokens to those of their text that they may see.
    pub(super) fn text_attention(&mut self, how: &TextAttention) -> Laid {
        let d = self.shape().width();
        let depth = d / how.heads;
        let keys = how.key_heads * depth;
        let [q, k, v] = if self.node.inputs.len() == 1 {
            let x = self.last(0);
            let mut start = 0;
            [("q", d), ("k", keys), ("v", keys)].map(|(part, width)| {
                let slice = Operator::Slice { axis: 2, start, end: start + width };
                start += width;
                self.part(part, &slice, vec![x.clone()])
            })
        } else {
            [self.last(0), self.last(1), self.last(2)]
        };
        let [k, v] = [("k", k), ("v", v)].map(|(part, x)| self.repeated(part, x, how, depth));
        let (texts, draft) = self.texts();
        let mut added = vec![texts.padding.clone()];
        added.extend(texts.reach(draft, how.reach));
        added.extend(how.distances.map(|distances| self.distances(distances)));
        let scale = how.scale.unwrap_or_else(|| 1.0 / (depth as f32).sqrt());
        let (mixed, joined) = self.attend([q, k, v], &added, (how.heads, scale), d, 1);
        Laid::both(self.whole(&joined, vec![mixed]))
    }

    /// Keys or values once for each head of queries.
    fn repeated(&mut self, part: &str, x: String, how: &TextAttention, depth: usize) -> String {
        let times = how.heads / how.key_heads;
        if times == 1 {
            return x;
        }
        let each = self.reshaped(&format!("{part}/each"), x, &[0, 0, how.key_heads, 1, depth]);
        let all = self.part(&format!("{part}/repeated"), &Operator::Concat { axis: 3 }, vec![each; times]);
        self.reshaped(&format!("{part}/all"), all, &[0, 0, how.heads * depth])
    }

    /// What distances add to scores: (heads, tokens, tokens).
    fn distances(&mut self, distances: Distances) -> String {
        let rows = self.graph.bound.network().param(distances.table).shape[0];
        // A row for each distance up to the farthest, from those before on.
        let most = distances.farthest;
        let which: Vec<i64> = distances.rows(rows).map(|row| row as i64).collect();
        let count = which.len();
        let name = format!("tokens/distances/{rows}/{most}");
        let which = self.graph.draft.shared(name, &[count], || Numbers::Integers(which));
        let table = self.param(distances.table);
        let apart = self.texts().0.apart.clone();
        let mut flow = Flow { draft: &mut self.graph.draft, scope: "tokens" };
        let apart = flow.by("apart/behind", &Operator::Max, &apart, -(most as f64));
        let apart = flow.by("apart/both", &Operator::Min, &apart, most as f64);
        let apart = flow.by("apart/places", &Operator::Add, &apart, most as f64);
        let apart = flow.step("apart/integers", &Operator::Cast { to: Element::Integer }, &[&apart]);
        let rows = flow.step("apart/rows", &Operator::GatherAt { axis: 0 }, &[&which, &apart]);
        let numbers = self.part("distances", &Operator::GatherAt { axis: 0 }, vec![table, rows]);
        self.turned("distances/heads", numbers, &[2, 0, 1])
    }

    /// The mean of a text's tokens.
    pub(super) fn mean_token(&mut self) -> Laid {
        let x = self.last(0);
        let Shared { row, counts, .. } = self.texts().0;
        let (row, counts) = (row.clone(), counts.clone());
        let sums = self.part("sums", &Operator::MatMul, vec![row, x]);
        let sums = self.part("sums/vector", &Operator::Flatten, vec![sums]);
        let counts = self.part("counts/vector", &Operator::Flatten, vec![counts]);
        Laid::both(self.whole(&Operator::Div, vec![sums, counts]))
    }

    /// The largest of each channel.
    pub(super) fn largest_token(&mut self) -> Laid {
        let (x, column) = (self.last(0), self.texts().0.column.clone());
        let [half, hidden] = [0.5, HIDDEN].map(|value| self.graph.draft.scalar(value));
        let is_token = self.part("is_token", &Operator::Greater, vec![column, half]);
        let shown = self.part("shown", &Operator::Where, vec![is_token, x, hidden]);
        Laid::both(self.whole(&Operator::ReduceMaxOf { axis: 1 }, vec![shown]))
    }

    /// The last token before padding.
    pub(super) fn last_token(&mut self) -> Laid {
        let x = self.last(0);
        let Shared { places, counts, .. } = self.texts().0;
        let (places, counts) = (places.clone(), counts.clone());
        let counts = self.part("counts/f64", &Operator::Cast { to: Element::Double }, vec![counts]);
        let one = self.graph.draft.double(1.0);
        let last = self.part("last", &Operator::Sub, vec![counts, one]);
        // (batch, 1, tokens): 1 where the last stands, so that the product is that token to the bit.
        let is_last = self.part("is_last", &Operator::Equal, vec![places, last]);
        let is_last = self.part("is_last/f32", &Operator::Cast { to: Element::Single }, vec![is_last]);
        let token = self.part("token", &Operator::MatMul, vec![is_last, x]);
        Laid::both(self.whole(&Operator::Flatten, vec![token]))
    }

    /// A vector over its length.
    pub(super) fn normalize(&mut self) -> Laid {
        let x = self.last(0);
        let length = self.part("length", &Operator::ReduceL2 { axes: vec![1] }, vec![x.clone()]);
        let least = self.graph.draft.scalar(1e-12);
        let length = self.part("length/least", &Operator::Max, vec![length, least]);
        Laid::both(self.whole(&Operator::Div, vec![x, length]))
    }
}
