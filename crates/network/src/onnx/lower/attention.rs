//! Attention, of all tokens to all and within windows.

use super::{Laid, Lowering, Operator, Shape, windows};
use crate::ParamId;

impl Lowering<'_, '_, '_> {
    /// Of (n, tokens, 3d) to itself, or of (n, others, d) to (n, tokens, 2d).
    pub(super) fn attention(&mut self, heads: usize) -> Laid {
        let d = self.shape().width();
        let x = self.last(0);
        let [q, k, v] = match self.node.inputs.len() {
            1 => ["q", "k", "v"].map(|what| (what, x.clone())),
            _ => {
                let kv = self.last(1);
                [("", x), ("k", kv.clone()), ("v", kv)]
            }
        };
        let mut from = 0;
        let [q, k, v] = [q, k, v].map(|(what, value)| {
            if what.is_empty() {
                return value;
            }
            let slice = Operator::Slice { axis: 2, start: from, end: from + d };
            from += d;
            self.part(what, &slice, vec![value])
        });
        let (mixed, joined) = self.attend([q, k, v], &[], heads, d, 1);
        Laid::both(self.whole(&joined, vec![mixed]))
    }

    /// Of a map (n, h, w, 3d), a window at a time.
    pub(super) fn window_attention(
        &mut self,
        heads: usize,
        window: usize,
        shift: usize,
        bias: ParamId,
    ) -> Laid {
        let Shape::Map { channels: d, height, width } = self.shape() else { return self.laid(0) };
        let places = window * window;
        let (rows, columns) = (height / window, width / window);
        let shifts = [height, width].map(|side| windows::shift(side, window, shift));

        let table = &self.graph.bound.tensor(bias).data;
        let mut added =
            vec![self.constant("bias", &[heads, places, places], windows::bias(table, heads, window))];
        if shifts != [0, 0] {
            let mask = || windows::mask((height, width), window, (shifts[0], shifts[1]));
            let name = format!("mask/{height},{width},{window},{},{}", shifts[0], shifts[1]);
            added.push(self.graph.draft.shared(name, &[rows * columns, 1, places, places], mask));
        }

        let mut x = self.last(0);
        for (axis, side) in [(1, height), (2, width)] {
            x = self.rolled(x, axis, side, shifts[axis - 1]);
        }
        let x = self.part(
            "fours",
            &Operator::Reshape { shape: vec![0, rows, window, columns, window, 3 * d] },
            vec![x],
        );
        let x = self.part("windows_first", &Operator::Transpose { perm: vec![0, 1, 3, 2, 4, 5] }, vec![x]);
        let x = self.part(
            "windows",
            &Operator::Reshape { shape: vec![0, rows * columns, places, 3 * d] },
            vec![x],
        );
        let qkv = [("q", 0), ("k", d), ("v", 2 * d)].map(|(what, start)| {
            self.part(what, &Operator::Slice { axis: 3, start, end: start + d }, vec![x.clone()])
        });
        let (mixed, joined) = self.attend(qkv, &added, heads, d, 2);
        let x = self.part("joined", &joined, vec![mixed]);
        let x = self.part(
            "apart",
            &Operator::Reshape { shape: vec![0, rows, columns, window, window, d] },
            vec![x],
        );
        let x = self.part("rows_first", &Operator::Transpose { perm: vec![0, 1, 3, 2, 4, 5] }, vec![x]);
        let map = Operator::Reshape { shape: vec![0, height, width, d] };
        let value = if shifts == [0, 0] {
            self.whole(&map, vec![x])
        } else {
            let mut x = self.part("map", &map, vec![x]);
            for (axis, side) in [(1, height), (2, width)] {
                x = self.rolled(x, axis, side, (side - shifts[axis - 1]) % side);
            }
            x
        };
        self.channels_last(value)
    }

    /// softmax(q · kᵀ / √(d / heads) + added) · v in each head, for (n, …, tokens, d) with `lead` axes before the tokens;
    /// gives (n, …, tokens, heads, d / heads) and the step that joins its heads.
    fn attend(
        &mut self,
        [q, k, v]: [String; 3],
        added: &[String],
        heads: usize,
        d: usize,
        lead: usize,
    ) -> (String, Operator) {
        let depth = d / heads;
        let in_heads = Operator::Reshape { shape: [vec![0; lead + 1], vec![heads, depth]].concat() };
        let axes = |rest: [usize; 3]| {
            let perm = (0..lead).chain(rest.map(|axis| lead + axis)).collect();
            Operator::Transpose { perm }
        };
        let heads_first = axes([1, 0, 2]);
        let q = self.times("q/scaled", q, 1.0 / (depth as f32).sqrt());
        let [q, k, v] = [("q", q), ("k", k), ("v", v)]
            .map(|(what, value)| self.part(&format!("{what}/heads"), &in_heads, vec![value]));
        let q = self.part("q/turned", &heads_first, vec![q]);
        let k = self.part("k/turned", &axes([1, 2, 0]), vec![k]);
        let v = self.part("v/turned", &heads_first, vec![v]);
        let mut scores = self.part("scores", &Operator::MatMul, vec![q, k]);
        for other in added {
            scores = self.part("scores", &Operator::Add, vec![scores, other.clone()]);
        }
        let shares = self.part("shares", &Operator::Softmax, vec![scores]);
        let mixed = self.part("mixed", &Operator::MatMul, vec![shares, v]);
        let mixed = self.part("mixed/turned", &heads_first, vec![mixed]);
        (mixed, Operator::Reshape { shape: [vec![0; lead + 1], vec![d]].concat() })
    }

    /// Moved up or left by `by`, what leaves coming back at the other end.
    fn rolled(&mut self, x: String, axis: usize, side: usize, by: usize) -> String {
        if by == 0 {
            return x;
        }
        let head = self.part("head", &Operator::Slice { axis, start: 0, end: by }, vec![x.clone()]);
        let tail = self.part("tail", &Operator::Slice { axis, start: by, end: side }, vec![x]);
        self.part("rolled", &Operator::Concat { axis }, vec![tail, head])
    }
}
