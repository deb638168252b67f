//! Attention within windows: the map is moved (torch.roll), cut into windows, and put together again.

use super::{Laid, Lowering, Operator, Shape, windows};
use crate::draft::Numbers;
use network::ParamId;

impl Lowering<'_, '_, '_> {
    /// Of a map (n, h, w, 3d), to (n, h, w, d).
    pub(super) fn window_attention(
        &mut self,
        heads: usize,
        window: usize,
        shift: usize,
        bias: ParamId,
    ) -> Laid {
        let Shape::Map { channels: d, height, width } = self.shape() else { return self.laid(0) };
        let (rows, columns, places) = (height / window, width / window, window * window);
        let shifts = [height, width].map(|side| windows::shift(side, window, shift));
        let added = self.added(bias, heads, window, shifts);

        let mut x = self.last(0);
        x = self.rolled(x, 1, height, shifts[0]);
        x = self.rolled(x, 2, width, shifts[1]);
        x = self.reshaped("cut", x, &[0, rows, window, columns, window, 3 * d]);
        x = self.turned("cut/turned", x, &[0, 1, 3, 2, 4, 5]);
        x = self.reshaped("windows", x, &[0, rows * columns, places, 3 * d]);
        let qkv = self.cut(["q", "k", "v"], &x, 3, d);
        let (mixed, joined) = self.attend(qkv, &added, (heads, 1.0 / ((d / heads) as f32).sqrt()), d, 2);
        x = self.part("joined", &joined, vec![mixed]);
        x = self.reshaped("map", x, &[0, rows, columns, window, window, d]);
        x = self.turned("map/turned", x, &[0, 1, 3, 2, 4, 5]);
        let map = Operator::Reshape { shape: vec![0, height, width, d] };
        if shifts == [0, 0] {
            x = self.whole(&map, vec![x]);
        } else {
            x = self.part("moved", &map, vec![x]);
            x = self.rolled(x, 1, height, height - shifts[0]);
            x = self.rolled(x, 2, width, width - shifts[1]);
        }
        self.channels_last(x)
    }

    /// What is added to the scores (n, windows, heads, window², window²).
    fn added(&mut self, bias: ParamId, heads: usize, window: usize, shifts: [usize; 2]) -> Vec<String> {
        let Shape::Map { height, width, .. } = self.shape() else { return Vec::new() };
        let places = window * window;
        let table = &self.graph.bound.tensor(bias).data;
        let bias = self.constant("bias", &[heads, places, places], windows::bias(table, heads, window));
        if shifts == [0, 0] {
            return vec![bias];
        }
        let name = format!("mask/{height},{width},{window},{},{}", shifts[0], shifts[1]);
        let shape = [height * width / places, 1, places, places];
        let mask = || windows::mask((height, width), window, (shifts[0], shifts[1]));
        let mask = || Numbers::Floats(mask().into());
        vec![bias, self.graph.draft.shared(name, &shape, mask)]
    }

    /// Moved up or left by `by` places of `side`; what leaves comes back at the other end.
    fn rolled(&mut self, x: String, axis: usize, side: usize, by: usize) -> String {
        if by.is_multiple_of(side) {
            return x;
        }
        let head = self.part("head", &Operator::Slice { axis, start: 0, end: by }, vec![x.clone()]);
        let tail = self.part("tail", &Operator::Slice { axis, start: by, end: side }, vec![x]);
        self.part("rolled", &Operator::Concat { axis }, vec![tail, head])
    }
}
