//! ResNet (He et al., 2015, table 1), as torchvision builds it: "v1.5", with a bottleneck's stride in its 3×3.

use crate::{Builder, Conv, Network, NodeId, Pool};

/// What tells one residual network from another.
#[derive(Clone, Copy, Debug)]
pub struct ResNet {
    /// What the zoo calls it.
    pub name: &'static str,
    /// The kind of its blocks.
    pub block: Block,
    /// Blocks in each of the four stages.
    pub depths: [usize; 4],
    /// Channels inside the blocks of each stage.
    pub widths: [usize; 4],
    /// What comes before the first stage.
    pub stem: Stem,
    /// Logits of its classifier, where it has one.
    pub classes: Option<usize>,
}

/// A residual block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// Two 3×3 convolutions.
    Basic,
    /// 1×1, 3×3, and 1×1 to four times as many channels.
    Bottleneck,
}

/// The first layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stem {
    /// 7×7 by 2 to 64 channels and a 3×3 max pool by 2: a quarter of the sides is left.
    ImageNet,
    /// 3×3 by 2 to so many channels and no pooling: half of the sides is left.
    Small(usize),
}

impl ResNet {
    /// The standard widths and stem, 1000 classes.
    pub const fn imagenet(name: &'static str, block: Block, depths: [usize; 4]) -> ResNet {
        ResNet { name, block, depths, widths: [64, 128, 256, 512], stem: Stem::ImageNet, classes: Some(1000) }
    }

    /// Our own embedded backbone for 64×64 pictures; how it was trained is told in `data/backbone/`.
    pub const TINY: ResNet = ResNet {
        name: "headstart_tiny",
        block: Block::Basic,
        depths: [1; 4],
        widths: [16, 48, 112, 224],
        stem: Stem::Small(16),
        classes: None,
    };

    /// The network. Taps: `pooled` and `gap` (one and the same), `layer1` to `layer4`, `logits`.
    pub fn build(self) -> Network {
        let mut net = Builder::image();
        let mut x = self.stem.build(&mut net);
        for (stage, (depth, width)) in self.depths.into_iter().zip(self.widths).enumerate() {
            let layer = format!("layer{}", stage + 1);
            for i in 0..depth {
                let stride = if i == 0 && stage > 0 { 2 } else { 1 };
                x = self.block.build(&mut net, x, &format!("{layer}.{i}"), width, stride);
            }
            net.tap(&layer, x);
        }
        let pooled = net.global_average_pool("avgpool", x);
        net.tap("pooled", pooled);
        net.tap("gap", pooled);
        let Some(classes) = self.classes else {
            return net.finish(self.name, pooled);
        };
        let logits = net.linear("fc", pooled, classes);
        net.tap("logits", logits);
        net.finish(self.name, logits)
    }
}

impl Stem {
    fn build(self, net: &mut Builder) -> NodeId {
        let (width, kernel) = match self {
            Stem::ImageNet => (64, 7),
            Stem::Small(width) => (width, 3),
        };
        let x = net.conv_bn("conv1", "bn1", net.input(), Conv::new(width, kernel).stride(2));
        let x = net.relu("relu", x);
        match self {
            Stem::ImageNet => net.max_pool("maxpool", x, Pool::new(3, 2).pad(1)),
            Stem::Small(_) => x,
        }
    }
}

impl Block {
    fn build(self, net: &mut Builder, x: NodeId, at: &str, width: usize, stride: usize) -> NodeId {
        let convs: &[Conv] = match self {
            Block::Basic => &[Conv::new(width, 3).stride(stride), Conv::new(width, 3)],
            Block::Bottleneck => {
                &[Conv::new(width, 1), Conv::new(width, 3).stride(stride), Conv::new(4 * width, 1)]
            }
        };
        let mut y = x;
        for (i, conv) in convs.iter().enumerate() {
            y = net.conv_bn(&format!("{at}.conv{}", i + 1), &format!("{at}.bn{}", i + 1), y, *conv);
            if i + 1 < convs.len() {
                // torchvision calls one `relu` module over and over; this numbering is that of its feature extractor.
                y = net.relu(&if i == 0 { format!("{at}.relu") } else { format!("{at}.relu_{i}") }, y);
            }
        }
        let out = net.width(y);
        let shortcut = if stride != 1 || net.width(x) != out {
            let (conv, norm) = (format!("{at}.downsample.0"), format!("{at}.downsample.1"));
            let end = net.conv_bn(&conv, &norm, x, Conv::new(out, 1).stride(stride));
            net.module(&format!("{at}.downsample"), end);
            end
        } else {
            x
        };
        let sum = net.add(&format!("{at}.add"), y, shortcut);
        net.relu(at, sum)
    }
}
