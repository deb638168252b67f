//! Inception v3 (Szegedy et al., 2015), as Keras builds it: means of pools are over what is inside, batch norms do not scale.

use super::{DIALECTS, average_and_predict, recipes};
use crate::entry::keras;
use crate::families::Family;
use crate::{Builder, Conv, Network, NodeId, Pool};

pub(super) static FAMILY: Family = Family {
    networks: &[keras("keras_inception_v3", || recipes::centred(299), inception_v3)],
    dialects: DIALECTS,
};

/// A network whose convolutions have no names of their own: Keras counts them.
struct Counted {
    net: Builder,
    convs: usize,
    pools: usize,
}

/// Channels, rows and columns of a kernel.
type Kernel = (usize, usize, usize);

/// Taps: `pooled` and `gap` (one and the same), `mixed0` to `mixed10`, `logits`.
fn inception_v3(name: &str) -> Network {
    let mut net = Builder::image();
    net.set_batch_norm_eps(1e-3);
    let x = net.input();
    let mut net = Counted { net, convs: 0, pools: 0 };
    let x = net.conv(x, Conv::new(32, 3).stride(2).pad(0));
    let x = net.conv(x, Conv::new(32, 3).pad(0));
    let x = net.conv(x, Conv::new(64, 3));
    let x = net.halve(x);
    let x = net.conv(x, Conv::new(80, 1));
    let x = net.conv(x, Conv::new(192, 3).pad(0));
    let mut x = net.halve(x);
    for (n, pool) in [32, 64, 64].into_iter().enumerate() {
        let fives = [(48, 1, 1), (64, 5, 5)];
        let threes = [(64, 1, 1), (96, 3, 3), (96, 3, 3)];
        x = net.block(n, x, &[&[(64, 1, 1)], &fives, &threes], pool);
    }
    x = net.reduction(3, x, &[(384, 3, 3)], &[(64, 1, 1), (96, 3, 3), (96, 3, 3)]);
    for (n, width) in [(4, 128), (5, 160), (6, 160), (7, 192)] {
        let once = [(width, 1, 1), (width, 1, 7), (192, 7, 1)];
        let twice = [(width, 1, 1), (width, 7, 1), (width, 1, 7), (width, 7, 1), (192, 1, 7)];
        x = net.block(n, x, &[&[(192, 1, 1)], &once, &twice], 192);
    }
    let sevens = [(192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3)];
    x = net.reduction(8, x, &[(192, 1, 1), (320, 3, 3)], &sevens);
    for n in [9, 10] {
        x = net.wide(n, x);
    }
    let logits = average_and_predict(&mut net.net, x);
    net.net.finish(name, logits)
}

impl Counted {
    fn conv(&mut self, x: NodeId, conv: Conv) -> NodeId {
        let n = self.convs;
        self.convs += 1;
        let norm = format!("batch_normalization_{n}.unscaled");
        let x = self.net.conv_bn(&format!("conv2d_{n}"), &norm, x, conv);
        self.net.relu(&format!("activation_{n}"), x)
    }

    fn branch(&mut self, mut x: NodeId, kernels: &[Kernel]) -> NodeId {
        for &(out, rows, columns) in kernels {
            x = self.conv(x, Conv::new(out, (rows, columns)));
        }
        x
    }

    /// The same, with a last convolution that halves.
    fn halving_branch(&mut self, x: NodeId, kernels: &[Kernel]) -> NodeId {
        let Some((&(out, rows, columns), first)) = kernels.split_last() else { return x };
        let x = self.branch(x, first);
        self.conv(x, Conv::new(out, (rows, columns)).stride(2).pad(0))
    }

    fn halve(&mut self, x: NodeId) -> NodeId {
        let n = self.pools;
        self.pools += 1;
        self.net.max_pool(&format!("max_pooling2d_{n}"), x, Pool::new(3, 2))
    }

    /// A branch that averages, and then mixes to `out` channels.
    fn averages(&mut self, n: usize, x: NodeId, out: usize) -> NodeId {
        let x = self.net.average_pool(&format!("average_pooling2d_{n}"), x, Pool::new(3, 1).pad(1));
        self.conv(x, Conv::new(out, 1))
    }

    fn mixed(&mut self, n: usize, branches: &[NodeId]) -> NodeId {
        let name = format!("mixed{n}");
        let x = self.net.concat(&name, branches);
        self.net.tap(&name, x);
        x
    }

    fn block(&mut self, n: usize, x: NodeId, branches: &[&[Kernel]], pool: usize) -> NodeId {
        let mut ends: Vec<NodeId> = branches.iter().map(|kernels| self.branch(x, kernels)).collect();
        ends.push(self.averages(n, x, pool));
        self.mixed(n, &ends)
    }

    fn reduction(&mut self, n: usize, x: NodeId, first: &[Kernel], second: &[Kernel]) -> NodeId {
        let ends = [self.halving_branch(x, first), self.halving_branch(x, second), self.halve(x)];
        self.mixed(n, &ends)
    }

    /// The last two blocks, whose branches fork.
    fn wide(&mut self, n: usize, x: NodeId) -> NodeId {
        let first = self.branch(x, &[(320, 1, 1)]);
        let ends: Vec<NodeId> = [&[(384, 1, 1)][..], &[(448, 1, 1), (384, 3, 3)]]
            .into_iter()
            .enumerate()
            .map(|(i, kernels)| {
                let stem = self.branch(x, kernels);
                let forks = [self.branch(stem, &[(384, 1, 3)]), self.branch(stem, &[(384, 3, 1)])];
                self.net.concat(&format!("mixed{n}_{i}"), &forks)
            })
            .collect();
        let pool = self.averages(n, x, 192);
        self.mixed(n, &[first, ends[0], ends[1], pool])
    }
}
