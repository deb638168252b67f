//! ResNet (He et al., 2015, table 1), as torchvision builds it: "v1.5", with a bottleneck's stride in its 3×3. So are
//! ResNeXt (Xie et al., 2016) and Wide ResNet (Zagoruyko & Komodakis, 2016). ResNet-D (He et al., 2018, "Bag of tricks",
//! figure 2) is as timm builds it.

mod gluon;

use super::Family;
use crate::entry::{Entry, bicubic, bilinear, entry, imagenet, timm};
use crate::{Builder, Conv, Dialect, Network, NodeId, Pool, Stored};
use Block::{Basic, Bottleneck};

/// These networks by name.
pub(crate) static FAMILY: Family = Family {
    networks: &[
        Entry {
            weights: Some(include_bytes!("../../../../data/backbone/headstart_tiny.safetensors")),
            ..entry("headstart_tiny", || bilinear(64, 64), |name| ResNet::TINY.build(name))
        },
        entry("resnet18", imagenet, |name| resnet(Basic, [2, 2, 2, 2]).build(name)),
        entry("resnet34", imagenet, |name| resnet(Basic, [3, 4, 6, 3]).build(name)),
        entry("resnet50", imagenet, |name| resnet(Bottleneck, [3, 4, 6, 3]).build(name)),
        entry("resnet101", imagenet, |name| resnet(Bottleneck, [3, 4, 23, 3]).build(name)),
        entry("resnet152", imagenet, |name| resnet(Bottleneck, [3, 8, 36, 3]).build(name)),
        entry("resnext50_32x4d", imagenet, |name| grouped([3, 4, 6, 3], 32, 4).build(name)),
        entry("resnext101_32x8d", imagenet, |name| grouped([3, 4, 23, 3], 32, 8).build(name)),
        entry("resnext101_64x4d", || bilinear(232, 224), |name| grouped([3, 4, 23, 3], 64, 4).build(name)),
        entry("wide_resnet50_2", imagenet, |name| grouped([3, 4, 6, 3], 1, 128).build(name)),
        entry("wide_resnet101_2", imagenet, |name| grouped([3, 4, 23, 3], 1, 128).build(name)),
        timm("resnet18d", &["ra2_in1k"], || bicubic(256, 224), |name| deep(Basic, [2, 2, 2, 2]).build(name)),
        timm(
            "resnet26d",
            &["bt_in1k"],
            || bicubic(256, 224),
            |name| deep(Bottleneck, [2, 2, 2, 2]).build(name),
        ),
        timm("resnet34d", &["ra2_in1k"], || bicubic(256, 224), |name| deep(Basic, [3, 4, 6, 3]).build(name)),
        timm(
            "resnet50d",
            &["ra2_in1k", "gluon_in1k"],
            || bicubic(256, 224),
            |name| deep(Bottleneck, [3, 4, 6, 3]).build(name),
        ),
        timm(
            "resnet101d",
            &["ra2_in1k"],
            || bicubic(269, 256),
            |name| deep(Bottleneck, [3, 4, 23, 3]).build(name),
        ),
    ],
    dialects: &[
        Dialect::same("timm"),
        Dialect::stored("transformers", transformers).known_for(is_plain),
        Dialect::stored("gluon", gluon::plain).known_for(is_plain),
        Dialect::stored("gluon", gluon::deep)
            .known_for(|name| name.starts_with("resnet") && name.ends_with('d')),
        Dialect::stored("gluon", gluon::zoo).known_for(|name| name == "resnet18" || name == "resnet34"),
    ],
};

/// Whether a network is one of the first five.
fn is_plain(name: &str) -> bool {
    name.trim_end_matches(char::is_numeric) == "resnet"
}

/// What tells one residual network from another.
#[derive(Clone, Copy, Debug)]
pub struct ResNet {
    /// The kind of its blocks.
    pub block: Block,
    /// Blocks in each of the four stages.
    pub depths: [usize; 4],
    /// Channels inside the blocks of each stage.
    pub widths: [usize; 4],
    /// Channels that a block of each stage gives.
    pub out: [usize; 4],
    /// Groups of a bottleneck's 3×3.
    pub groups: usize,
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
    /// 1×1, 3×3, and 1×1 to more channels.
    Bottleneck,
}

/// The first layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stem {
    /// 7×7 by 2 to 64 channels and a 3×3 max pool by 2: a quarter of the sides is left.
    ImageNet,
    /// ResNet-D: the 7×7 is three 3×3, and later, where a shortcut halves the sides, it does so by averaging.
    Deep,
    /// 3×3 by 2 to so many channels and no pooling: half of the sides is left.
    Small(usize),
}

const fn resnet(block: Block, depths: [usize; 4]) -> ResNet {
    let widths = [64, 128, 256, 512];
    let out = match block {
        Basic => widths,
        Bottleneck => [256, 512, 1024, 2048],
    };
    ResNet { block, depths, widths, out, groups: 1, stem: Stem::ImageNet, classes: Some(1000) }
}

/// `groups` groups of 3×3, in the first stage of `width` channels each.
fn grouped(depths: [usize; 4], groups: usize, width: usize) -> ResNet {
    let widths = [1, 2, 4, 8].map(|wider| wider * groups * width);
    ResNet { groups, widths, ..resnet(Bottleneck, depths) }
}

fn deep(block: Block, depths: [usize; 4]) -> ResNet {
    ResNet { stem: Stem::Deep, ..resnet(block, depths) }
}

impl ResNet {
    /// Our own embedded backbone for 64×64 pictures; how it was trained is told in `data/backbone/`.
    pub const TINY: ResNet = ResNet {
        depths: [1; 4],
        widths: [16, 48, 112, 224],
        out: [16, 48, 112, 224],
        stem: Stem::Small(16),
        classes: None,
        ..resnet(Basic, [1; 4])
    };

    /// The network. Taps: `pooled` and `gap` (one and the same), `layer1` to `layer4`, `logits`.
    pub fn build(self, name: &str) -> Network {
        let mut net = Builder::image();
        let mut x = self.stem.build(&mut net);
        for (stage, depth) in self.depths.into_iter().enumerate() {
            let layer = format!("layer{}", stage + 1);
            for i in 0..depth {
                let stride = if i == 0 && stage > 0 { 2 } else { 1 };
                x = self.block(&mut net, x, &format!("{layer}.{i}"), stage, stride);
            }
            net.tap(&layer, x);
        }
        let pooled = net.global_average_pool("avgpool", x);
        net.tap("pooled", pooled);
        net.tap("gap", pooled);
        let Some(classes) = self.classes else {
            return net.finish(name, pooled);
        };
        let logits = net.linear("fc", pooled, classes);
        net.tap("logits", logits);
        net.finish(name, logits)
    }

    fn block(self, net: &mut Builder, x: NodeId, at: &str, stage: usize, stride: usize) -> NodeId {
        let (width, out) = (self.widths[stage], self.out[stage]);
        let convs: &[Conv] = match self.block {
            Basic => &[Conv::new(width, 3).stride(stride), Conv::new(out, 3)],
            Bottleneck => {
                let middle = Conv::new(width, 3).stride(stride).groups(self.groups);
                &[Conv::new(width, 1), middle, Conv::new(out, 1)]
            }
        };
        let mut y = x;
        for (i, conv) in convs.iter().enumerate() {
            y = net.conv_bn(&format!("{at}.conv{}", i + 1), &format!("{at}.bn{}", i + 1), y, *conv);
            if i + 1 < convs.len() {
                y = net.relu(&self.stem.relu_in_block(at, i), y);
            }
        }
        let changes = stride != 1 || net.width(x) != out;
        let shortcut = if changes { self.stem.shortcut(net, at, x, out, stride) } else { x };
        let sum = net.add(&format!("{at}.add"), y, shortcut);
        net.relu(at, sum)
    }
}

impl Stem {
    fn build(self, net: &mut Builder) -> NodeId {
        let input = net.input();
        let (x, relu) = match self {
            Stem::ImageNet => (net.conv("conv1", input, Conv::new(64, 7).stride(2)), "relu"),
            Stem::Small(width) => (net.conv("conv1", input, Conv::new(width, 3).stride(2)), "relu"),
            Stem::Deep => {
                let x = net.conv_bn("conv1.0", "conv1.1", input, Conv::new(32, 3).stride(2));
                let x = net.relu("conv1.2", x);
                let x = net.conv_bn("conv1.3", "conv1.4", x, Conv::new(32, 3));
                let x = net.relu("conv1.5", x);
                let x = net.conv("conv1.6", x, Conv::new(64, 3));
                net.module("conv1", x);
                (x, "act1")
            }
        };
        let x = net.batch_norm("bn1", x);
        let x = net.relu(relu, x);
        match self {
            Stem::ImageNet | Stem::Deep => net.max_pool("maxpool", x, Pool::new(3, 2).pad(1)),
            Stem::Small(_) => x,
        }
    }

    /// A shortcut to `out` channels and another size, with what belongs to this stem.
    fn shortcut(self, net: &mut Builder, at: &str, x: NodeId, out: usize, stride: usize) -> NodeId {
        let at = format!("{at}.downsample");
        let part = |i: usize| format!("{at}.{i}");
        let end = match (self, stride) {
            (Stem::Deep, 1) => net.conv_bn(&part(1), &part(2), x, Conv::new(out, 1)),
            (Stem::Deep, _) => {
                let x = net.average_pool(&part(0), x, Pool::new(2, stride).ceil());
                net.conv_bn(&part(1), &part(2), x, Conv::new(out, 1))
            }
            _ => net.conv_bn(&part(0), &part(1), x, Conv::new(out, 1).stride(stride)),
        };
        net.module(&at, end);
        end
    }

    /// What the ReLU after the i-th convolution of a block is called.
    fn relu_in_block(self, at: &str, i: usize) -> String {
        match (self, i) {
            (Stem::Deep, _) => format!("{at}.act{}", i + 1),
            // torchvision calls one `relu` module over and over; this numbering is that of its feature extractor.
            (_, 0) => format!("{at}.relu"),
            _ => format!("{at}.relu_{i}"),
        }
    }
}

/// transformers' `ResNetModel`.
fn transformers(param: &str) -> Stored {
    let conv_or_norm = |name: &str| if name.starts_with("conv") { "convolution" } else { "normalization" };
    let place = |param: &str| -> Option<String> {
        let (module, part) = param.rsplit_once('.')?;
        Some(match module {
            "conv1" | "bn1" => format!("embedder.embedder.{}.{part}", conv_or_norm(module)),
            "fc" => format!("classifier.1.{part}"),
            inside => {
                let mut names = inside.strip_prefix("layer")?.splitn(3, '.');
                let stage = names.next()?.parse::<usize>().ok()?.checked_sub(1)?;
                let (block, inside) = (names.next()?, names.next()?);
                let module = match inside {
                    "downsample.0" => "shortcut.convolution".to_owned(),
                    "downsample.1" => "shortcut.normalization".to_owned(),
                    inside => {
                        let at = inside.strip_prefix("conv").or(inside.strip_prefix("bn"))?;
                        format!(
                            "layer.{}.{}",
                            at.parse::<usize>().ok()?.checked_sub(1)?,
                            conv_or_norm(inside)
                        )
                    }
                };
                format!("encoder.stages.{stage}.layers.{block}.{module}.{part}")
            }
        })
    };
    Stored::As(place(param).unwrap_or_else(|| param.to_owned()))
}
