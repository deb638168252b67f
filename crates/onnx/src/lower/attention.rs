//! Attention of tokens to tokens.

use super::{Laid, Lowering, Operator, Shape};
use network::ParamId;

impl Lowering<'_, '_, '_> {
    /// Of (n, tokens, 3d) to itself, or of (n, others, d) to (n, tokens, 2d), or to keys that are the values, (n, tokens, d).
    pub(super) fn attention(&mut self, heads: usize, bias: Option<ParamId>) -> Laid {
        let d = self.shape().width();
        let x = self.rows(0, "q");
        let [q, k, v] = if self.node.inputs.len() == 1 {
            self.cut(["q", "k", "v"], &x, 2, d)
        } else {
            let kv = self.rows(1, "kv");
            let is_one = self.graph.shapes[self.node.inputs[1].index()].width() == d;
            let [k, v] = if is_one { [kv.clone(), kv] } else { self.cut(["k", "v"], &kv, 2, d) };
            [x, k, v]
        };
        let added: Vec<String> = bias.into_iter().map(|bias| self.param(bias)).collect();
        let scale = 1.0 / ((d / heads) as f32).sqrt();
        let (mixed, joined) = self.attend([q, k, v], &added, (heads, scale), d, 1);
        match self.shape() {
            Shape::Map { height, width, .. } => {
                let mixed = self.part("joined", &joined, vec![mixed]);
                let shape = vec![0, height, width, d];
                let value = self.whole(&Operator::Reshape { shape }, vec![mixed]);
                self.channels_last(value)
            }
            _ => Laid::both(self.whole(&joined, vec![mixed])),
        }
    }

    /// What the node reads at that place, as tokens (n, tokens, d): of a map its places, row by row.
    fn rows(&mut self, input: usize, what: &str) -> String {
        let x = self.last(input);
        match self.graph.shapes[self.node.inputs[input].index()] {
            Shape::Map { channels, height, width } => {
                self.reshaped(&format!("{what}/rows"), x, &[0, height * width, channels])
            }
            _ => x,
        }
    }

    /// softmax(scale · q · kᵀ + added) · v in each head, for (n, …, tokens, d) with `lead` axes before the tokens;
    /// gives (n, …, tokens, heads, d / heads) and the step that joins its heads.
    pub(super) fn attend(
        &mut self,
        [q, k, v]: [String; 3],
        added: &[String],
        (heads, scale): (usize, f32),
        d: usize,
        lead: usize,
    ) -> (String, Operator) {
        let depth = d / heads;
        let in_heads = [vec![0; lead + 1], vec![heads, depth]].concat();
        let axes = |rest: [usize; 3]| (0..lead).chain(rest.map(|axis| lead + axis)).collect::<Vec<_>>();
        let heads_first = axes([1, 0, 2]);
        let q = self.times("q/scaled", q, scale);
        let q = self.reshaped("q/heads", q, &in_heads);
        let q = self.turned("q/turned", q, &heads_first);
        let k = self.reshaped("k/heads", k, &in_heads);
        let k = self.turned("k/turned", k, &axes([1, 2, 0]));
        let v = self.reshaped("v/heads", v, &in_heads);
        let v = self.turned("v/turned", v, &heads_first);
        let mut scores = self.part("scores", &Operator::MatMul, vec![q, k]);
        for (at, other) in added.iter().enumerate() {
            scores = self.part(&format!("scores/{}", at + 1), &Operator::Add, vec![scores, other.clone()]);
        }
        let shares = self.part("shares", &Operator::Softmax, vec![scores]);
        let mixed = self.part("mixed", &Operator::MatMul, vec![shares, v]);
        let mixed = self.turned("mixed/turned", mixed, &heads_first);
        (mixed, Operator::Reshape { shape: [vec![0; lead + 1], vec![d]].concat() })
    }

    /// Parts of `d` numbers each along an axis.
    pub(super) fn cut<const N: usize>(
        &mut self,
        parts: [&str; N],
        x: &str,
        axis: usize,
        d: usize,
    ) -> [String; N] {
        let mut start = 0;
        parts.map(|part| {
            let slice = Operator::Slice { axis, start, end: start + d };
            start += d;
            self.part(part, &slice, vec![x.to_owned()])
        })
    }
}
