//! Inception v3 (Szegedy et al., 2015, "Rethinking the Inception Architecture", table 1), as torchvision builds it; timm's
//! names are the same. What hangs off it for training is left out.

use super::Family;
use super::layers::{average_and_classify, conv_bn_relu};
use crate::entry::{entry, inception};
use crate::{Builder, Conv, Dialect, Network, NodeId, Pool};

/// This network by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[entry("inception_v3", || inception(342, 299), inception_v3)],
    dialects: &[Dialect::same("timm")],
};

/// The network. Taps: `pooled` and `gap` (one and the same, 2048), `Mixed_5d`, `Mixed_6e`, `Mixed_7c`, `logits`.
pub fn inception_v3(name: &str) -> Network {
    let mut net = Builder::image();
    net.set_batch_norm_eps(1e-3);
    let mut x = net.input();
    for (part, conv) in [
        ("Conv2d_1a_3x3", Conv::new(32, 3).stride(2).pad(0)),
        ("Conv2d_2a_3x3", Conv::new(32, 3).pad(0)),
        ("Conv2d_2b_3x3", Conv::new(64, 3)),
    ] {
        x = conv_bn_relu(&mut net, part, x, conv);
    }
    x = net.max_pool("maxpool1", x, Pool::new(3, 2));
    x = conv_bn_relu(&mut net, "Conv2d_3b_1x1", x, Conv::new(80, 1));
    x = conv_bn_relu(&mut net, "Conv2d_4a_3x3", x, Conv::new(192, 3).pad(0));
    x = net.max_pool("maxpool2", x, Pool::new(3, 2));
    for (part, pooled) in [("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)] {
        x = Block { net: &mut net, at: part, x }.squares(pooled);
    }
    net.tap("Mixed_5d", x);
    x = Block { net: &mut net, at: "Mixed_6a", x }.smaller_squares();
    for (part, narrow) in [("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)] {
        x = Block { net: &mut net, at: part, x }.lines_and_columns(narrow);
    }
    net.tap("Mixed_6e", x);
    x = Block { net: &mut net, at: "Mixed_7a", x }.smaller_lines_and_columns();
    for part in ["Mixed_7b", "Mixed_7c"] {
        x = Block { net: &mut net, at: part, x }.lines_beside_columns();
    }
    net.tap("Mixed_7c", x);
    let logits = average_and_classify(&mut net, x, "fc");
    net.finish(name, logits)
}

/// Branches that all read `x`, and become the map `at`.
struct Block<'a> {
    net: &'a mut Builder,
    at: &'a str,
    x: NodeId,
}

impl Block<'_> {
    /// torchvision's `InceptionA`, figure 5 of the paper.
    fn squares(mut self, pooled: usize) -> NodeId {
        let one = self.branch(&[("branch1x1", Conv::new(64, 1))]);
        let five = self.branch(&[("branch5x5_1", Conv::new(48, 1)), ("branch5x5_2", Conv::new(64, 5))]);
        let three = self.branch(&[
            ("branch3x3dbl_1", Conv::new(64, 1)),
            ("branch3x3dbl_2", Conv::new(96, 3)),
            ("branch3x3dbl_3", Conv::new(96, 3)),
        ]);
        let pooled = self.pooled(pooled);
        self.net.concat(self.at, &[one, five, three, pooled])
    }

    /// `InceptionB`, which halves the sides: figure 10.
    fn smaller_squares(mut self) -> NodeId {
        let one = self.branch(&[("branch3x3", halving(384))]);
        let two = self.branch(&[
            ("branch3x3dbl_1", Conv::new(64, 1)),
            ("branch3x3dbl_2", Conv::new(96, 3)),
            ("branch3x3dbl_3", halving(96)),
        ]);
        self.with_largest(&[one, two])
    }

    /// `InceptionC`: 7×7 as 1×7 and 7×1, figure 6.
    fn lines_and_columns(mut self, narrow: usize) -> NodeId {
        let one = self.branch(&[("branch1x1", Conv::new(192, 1))]);
        let seven = self.branch(&[
            ("branch7x7_1", Conv::new(narrow, 1)),
            ("branch7x7_2", Conv::new(narrow, (1, 7))),
            ("branch7x7_3", Conv::new(192, (7, 1))),
        ]);
        let twice = self.branch(&[
            ("branch7x7dbl_1", Conv::new(narrow, 1)),
            ("branch7x7dbl_2", Conv::new(narrow, (7, 1))),
            ("branch7x7dbl_3", Conv::new(narrow, (1, 7))),
            ("branch7x7dbl_4", Conv::new(narrow, (7, 1))),
            ("branch7x7dbl_5", Conv::new(192, (1, 7))),
        ]);
        let pooled = self.pooled(192);
        self.net.concat(self.at, &[one, seven, twice, pooled])
    }

    /// `InceptionD`, which halves the sides.
    fn smaller_lines_and_columns(mut self) -> NodeId {
        let three = self.branch(&[("branch3x3_1", Conv::new(192, 1)), ("branch3x3_2", halving(320))]);
        let seven = self.branch(&[
            ("branch7x7x3_1", Conv::new(192, 1)),
            ("branch7x7x3_2", Conv::new(192, (1, 7))),
            ("branch7x7x3_3", Conv::new(192, (7, 1))),
            ("branch7x7x3_4", halving(192)),
        ]);
        self.with_largest(&[three, seven])
    }

    /// `InceptionE`: 1×3 and 3×1 side by side, figure 7.
    fn lines_beside_columns(mut self) -> NodeId {
        let one = self.branch(&[("branch1x1", Conv::new(320, 1))]);
        let three = self.branch(&[("branch3x3_1", Conv::new(384, 1))]);
        let three = self.split(three, ["branch3x3_2a", "branch3x3_2b"]);
        let twice =
            self.branch(&[("branch3x3dbl_1", Conv::new(448, 1)), ("branch3x3dbl_2", Conv::new(384, 3))]);
        let twice = self.split(twice, ["branch3x3dbl_3a", "branch3x3dbl_3b"]);
        let pooled = self.pooled(192);
        self.net.concat(self.at, &[&[one][..], &three, &twice, &[pooled]].concat())
    }

    /// Convolutions one after the other.
    fn branch(&mut self, layers: &[(&str, Conv)]) -> NodeId {
        let convolve =
            |x, (part, conv): &(&str, Conv)| conv_bn_relu(self.net, &format!("{}.{part}", self.at), x, *conv);
        layers.iter().fold(self.x, convolve)
    }

    /// Lines, and columns, of what there is.
    fn split(&mut self, x: NodeId, parts: [&str; 2]) -> [NodeId; 2] {
        let [lines, columns] = parts.map(|part| format!("{}.{part}", self.at));
        [
            conv_bn_relu(self.net, &lines, x, Conv::new(384, (1, 3))),
            conv_bn_relu(self.net, &columns, x, Conv::new(384, (3, 1))),
        ]
    }

    fn pooled(&mut self, out: usize) -> NodeId {
        let means = format!("{}.pool", self.at);
        let means = self.net.average_pool(&means, self.x, Pool::new(3, 1).pad(1).count_include_pad());
        conv_bn_relu(self.net, &format!("{}.branch_pool", self.at), means, Conv::new(out, 1))
    }

    fn with_largest(self, branches: &[NodeId]) -> NodeId {
        let largest = self.net.max_pool(&format!("{}.pool", self.at), self.x, Pool::new(3, 2));
        self.net.concat(self.at, &[branches, &[largest]].concat())
    }
}

/// 3×3, by 2, without padding.
fn halving(out: usize) -> Conv {
    Conv::new(out, 3).stride(2).pad(0)
}
