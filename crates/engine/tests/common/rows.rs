//! The networks whose outputs torchvision and timm gave in float64, family by family, and these outputs.

use super::Tolerance;
use network::{
    Interpolation, Network,
    families::{
        convnext, efficientnet, swin,
        vit::{self, Vit},
    },
    zoo,
};
use std::{collections::BTreeMap, sync::LazyLock};
use weights::Bound;

/// From our names of parameters to those of the peer, by which they were filled.
pub(crate) type Naming = fn(&str) -> String;

/// One network at one size.
pub(crate) struct Row {
    /// `torchvision/resnet18@224`: ends with the side of the pictures, in pixels.
    pub(crate) peer: String,
    pub(crate) network: Network,
    naming: Naming,
    /// Of f32.
    pub(crate) tolerance: Tolerance,
}

/// The peers' outputs: `torchvision/resnet18@224` → tap → (2, d), row by row.
pub(crate) static OUTPUTS: LazyLock<BTreeMap<String, BTreeMap<String, Vec<f32>>>> = LazyLock::new(|| {
    // Within the program, so that it can be taken to a machine with a card.
    let bytes = include_bytes!("../data/reference.safetensors");
    let mut outputs: BTreeMap<String, BTreeMap<String, Vec<f32>>> = BTreeMap::new();
    for (name, tensor) in safetensors::SafeTensors::deserialize(bytes).unwrap().tensors() {
        let (peer, tap) = name.rsplit_once('/').unwrap();
        let values = tensor.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        outputs.entry(peer.to_owned()).or_default().insert(tap.to_owned(), values);
    }
    outputs
});

impl Row {
    /// The zoo's network of the peer's name, filled by the peer's names of parameters.
    fn zoo(peer: &str, naming: Naming) -> Row {
        Row::of(peer, build(peer.split(['/', '@']).nth(1).unwrap()), naming)
    }

    fn of(peer: &str, network: Network, naming: Naming) -> Row {
        Row { peer: peer.to_owned(), network, naming, tolerance: Tolerance(1e-5) }
    }

    /// In pixels.
    pub(crate) fn side(&self) -> usize {
        self.peer.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
    }

    /// All taps that the peer's outputs are kept of, with these: (2, d) each.
    pub(crate) fn expected(&self) -> &'static BTreeMap<String, Vec<f32>> {
        &OUTPUTS[&self.peer]
    }

    /// The network up to these taps, filled.
    pub(crate) fn filled(&self) -> Bound {
        let taps: Vec<&str> = self.expected().keys().map(String::as_str).collect();
        super::filled_as(self.network.for_taps(&taps).unwrap(), self.naming)
    }
}

fn build(name: &str) -> Network {
    zoo::find(name).unwrap().network()
}

// Ours are torchvision's where it has the network, else timm's.
const TORCHVISION: Naming = str::to_owned;
const TIMM: Naming = str::to_owned;

fn torchvision(names: &[&str]) -> Vec<Row> {
    names.iter().map(|name| Row::zoo(&format!("torchvision/{name}@224"), TORCHVISION)).collect()
}

fn timm(names: &[&str]) -> Vec<Row> {
    names.iter().map(|name| Row::zoo(&format!("timm/{name}@224"), TIMM)).collect()
}

/// Every family but the large ones.
pub(crate) const FAMILIES: [fn() -> Vec<Row>; 15] = [
    residual_networks,
    vgg,
    alexnet,
    squeezenet,
    inception,
    densenet,
    mobilenets,
    mnasnet_and_shufflenet,
    efficientnet,
    regnet,
    convnext,
    vision_transformers,
    clip_and_siglip,
    dinov2,
    swin,
];

pub(crate) fn residual_networks() -> Vec<Row> {
    let mut rows = torchvision(&["resnet18", "resnet34", "resnet50", "resnext50_32x4d", "wide_resnet50_2"]);
    rows.extend(timm(&["resnet26d", "resnet34d", "resnet50d"]));
    rows
}

pub(crate) fn vgg() -> Vec<Row> {
    torchvision(&["vgg11", "vgg16", "vgg16_bn", "vgg19"])
}

pub(crate) fn alexnet() -> Vec<Row> {
    torchvision(&["alexnet"])
}

pub(crate) fn squeezenet() -> Vec<Row> {
    torchvision(&["squeezenet1_1"])
}

pub(crate) fn inception() -> Vec<Row> {
    let mut rows = torchvision(&["googlenet"]);
    rows.push(Row::zoo("torchvision/inception_v3@299", TORCHVISION));
    rows
}

pub(crate) fn densenet() -> Vec<Row> {
    torchvision(&["densenet121", "densenet169"])
}

pub(crate) fn mobilenets() -> Vec<Row> {
    let mut rows = torchvision(&["mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"]);
    for name in ["mobilenetv4_conv_small@224", "mobilenetv4_conv_medium@256", "mobilenetv4_conv_large@224"] {
        rows.push(Row::zoo(&format!("timm/{name}"), TIMM));
    }
    rows
}

pub(crate) fn mnasnet_and_shufflenet() -> Vec<Row> {
    torchvision(&["mnasnet0_5", "mnasnet1_0", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0"])
}

pub(crate) fn efficientnet() -> Vec<Row> {
    let mut rows: Vec<Row> = ["efficientnet_b0@224", "efficientnet_b1@240", "efficientnet_b2@224"]
        .map(|name| Row::zoo(&format!("torchvision/{name}"), TORCHVISION))
        .into();
    // Filled by the formula, this one makes more of small differences: PyTorch's own f32 is off by 1.5e-5.
    let v2 = Row::zoo("torchvision/efficientnet_v2_s@224", TORCHVISION);
    rows.push(Row { tolerance: Tolerance(1e-4), ..v2 });
    // Not to the end: roundings are made too much of.
    rows.extend(torchvision(&["efficientnet_b5"]));
    for name in ["efficientnet_b0", "efficientnet_b1"] {
        rows.push(Row::zoo(&format!("timm/{name}@224"), efficientnet::timm_name));
    }
    rows.extend(timm(&["tf_efficientnet_b0", "tf_efficientnet_lite0", "efficientnet_lite0"]));
    // This one has a side of 75 places, where padding is even. As of V2-S, roundings are made more of.
    let lite3 = Row::zoo("timm/tf_efficientnet_lite3@300", TIMM);
    rows.push(Row { tolerance: Tolerance(1e-4), ..lite3 });
    // Not to the end, as above: both kinds of blocks.
    rows.push(Row::zoo("timm/tf_efficientnetv2_b0@192", TIMM));
    rows
}

pub(crate) fn regnet() -> Vec<Row> {
    torchvision(&["regnet_x_800mf", "regnet_y_400mf", "regnet_y_800mf"])
}

pub(crate) fn convnext() -> Vec<Row> {
    let mut rows = torchvision(&["convnext_tiny", "convnext_small"]);
    for name in ["convnext_tiny", "convnextv2_atto", "convnextv2_nano"] {
        rows.push(Row::zoo(&format!("timm/{name}@224"), convnext::timm_name));
    }
    rows
}

pub(crate) fn vision_transformers() -> Vec<Row> {
    let mut rows = torchvision(&["vit_b_16", "vit_b_32"]);
    rows.extend(timm(&[
        "vit_tiny_patch16_224",
        "vit_small_patch16_224",
        "vit_small_patch32_224",
        "deit_tiny_patch16_224",
    ]));
    // torchvision's graph under timm's names.
    let ours = Vit::tiny(16).torchvision().build("vit_tiny");
    rows.push(Row::of("timm/vit_tiny_patch16_224@224", ours, vit::timm_name));
    rows
}

pub(crate) fn clip_and_siglip() -> Vec<Row> {
    timm(&["vit_base_patch16_clip_224", "vit_base_patch32_clip_quickgelu_224", "vit_base_patch16_siglip_224"])
}

pub(crate) fn dinov2() -> Vec<Row> {
    let mut rows = vec![Row::zoo("timm/vit_small_patch14_dinov2@518", TIMM)];
    // At 224 pixels timm makes positions for 16×16 patches from the start.
    let registers = |vit: Vit| Vit { registers: 4, interpolation: Interpolation::Antialiased, ..vit };
    for (name, vit) in [
        ("vit_small_patch14_dinov2", Vit::small(14).dinov2()),
        ("vit_small_patch14_reg4_dinov2", registers(Vit::small(14).dinov2())),
        ("vit_base_patch14_reg4_dinov2", registers(Vit::base(14).dinov2())),
    ] {
        let network = Vit { grid: 16, ..vit }.build(name);
        rows.push(Row::of(&format!("timm/{name}@224"), network, TIMM));
    }
    // Positions for 37×37 patches, brought to 16×16.
    rows.push(Row::zoo("timm/vit_small_patch14_dinov2@518at224", TIMM));
    rows.push(Row::zoo("timm/vit_small_patch14_reg4_dinov2@518at224", TIMM));
    rows
}

pub(crate) fn swin() -> Vec<Row> {
    let mut rows = torchvision(&["swin_t", "swin_s"]);
    rows.push(Row::zoo("timm/swin_tiny_patch4_window7_224@224", swin::timm_name));
    rows
}

pub(crate) fn large_networks() -> Vec<Row> {
    let mut rows =
        torchvision(&["resnext101_32x8d", "wide_resnet101_2", "densenet201", "regnet_x_8gf", "swin_b"]);
    rows.push(Row::zoo("timm/convnext_base@224", convnext::timm_name));
    rows.extend(timm(&["vit_large_patch14_clip_224"]));
    rows
}
