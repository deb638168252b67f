//! On the emulated card.

use super::{check_bits, check_golden, check_network, check_rows, check_zoo, common};
use emulator::Emulator;
use headstart_engine::{
    EngineError, Precision,
    cuda::{CardError, Cuda, Unit},
};
use network::{
    Activation, Builder, Conv, NodeId, Pool,
    families::{swin::Swin, vit::Vit},
    zoo,
};

const ALL: &[Precision] = &Precision::ALL;
/// f32 shows mistakes, and f16 those of the tensor cores.
const BOTH: &[Precision] = &[Precision::F32, Precision::F16];

fn open() -> Emulator {
    Emulator::new(2 << 30)
}

#[test]
fn the_embedded_network_in_every_precision() {
    check_zoo(open, "headstart_tiny", &["pooled", "layer2", "layer1.0.conv1"], 64, ALL);
}

#[test]
fn residual_networks() {
    check_zoo(open, "resnet18", &["pooled", "layer3"], 48, ALL);
    check_zoo(open, "resnet18", &["layer2:max", "layer3:mean+max", "layer3:flat"], 48, ALL);
    check_zoo(open, "resnet50", &["layer2"], 48, BOTH);
    check_zoo(open, "resnext50_32x4d", &["layer2"], 32, BOTH);
    check_zoo(open, "resnet26d", &["layer2"], 33, BOTH);
}

#[test]
fn networks_without_batch_norm_or_with_many_branches() {
    check_zoo(open, "vgg11", &["gap", "features.3"], 32, BOTH);
    check_zoo(open, "squeezenet1_1", &["gap", "features.6"], 63, BOTH);
    check_zoo(open, "densenet121", &["features.transition1"], 40, BOTH);
}

#[test]
fn dense_layers_after_a_map() {
    check_zoo(open, "vgg11", &["fc7", "logits"], 32, &[Precision::Bf16]);
}

#[test]
fn depthwise_networks() {
    check_zoo(open, "mobilenet_v2", &["pooled", "features.3"], 32, BOTH);
    check_zoo(open, "mobilenet_v3_small", &["pooled"], 48, BOTH);
    check_zoo(open, "mobilenetv4_conv_small", &["pooled"], 32, BOTH);
    check_zoo(open, "efficientnet_b0", &["pooled"], 32, BOTH);
    check_zoo(open, "regnet_y_400mf", &["pooled"], 32, BOTH);
    check_zoo(open, "convnext_tiny", &["features.3"], 32, BOTH);
    check_zoo(open, "convnextv2_atto", &["pooled"], 64, BOTH);
}

#[test]
fn transformers() {
    let small = Vit { width: 128, depth: 2, heads: 2, ..Vit::small(16) };
    check_network(open, &small.build("small"), &["cls", "patch_mean"], 112, BOTH);
    check_network(open, &small.build("small"), &["patch_mean"], 112, &[Precision::Tf32, Precision::Bf16]);
    let dino = Vit { width: 192, depth: 2, heads: 3, ..Vit::small(14).dinov2() };
    check_network(open, &dino.build("dino"), &["cls"], 70, BOTH);
    check_network(open, &dino.build("dino"), &["blocks.0:max", "blocks.1:mean+max"], 70, BOTH);
    // 145 places and one before them: three tiles of keys.
    check_network(open, &Vit { depth: 1, ..small }.build("more"), &["cls"], 192, BOTH);
}

#[test]
fn transformers_with_windows() {
    let tiny = Swin { width: 32, depths: [2, 2, 2, 2], head: 32, window: 7 };
    check_network(open, &tiny.build("tiny_swin"), &["features.1", "features.3"], 224, BOTH);
}

#[test]
fn attention_with_a_number_for_every_pair() {
    let mut net = Builder::image();
    let x = net.conv("stem", net.input(), Conv::new(64, 16).stride(16).pad(0).bias());
    let qkv = net.linear("qkv", x, 192);
    let y = net.biased_attention("attention", "attention.bias", qkv, 2, 144);
    let x = net.add("sum", x, y);
    // 144 places and one before them: three tiles of keys.
    let tokens = net.tokens(
        "tokens",
        x,
        &[("class", 1)],
        ("positions", (3, 3), true),
        network::Interpolation::Antialiased,
    );
    let qkv = net.linear("qkv2", tokens, 192);
    let x = net.biased_attention("attention2", "attention2.bias", qkv, 2, 145);
    let x = net.token("token", x, 0);
    check_network(open, &net.finish("pairs", x), &["sum", "token"], 192, BOTH);
}

#[test]
fn windows_of_every_kind_and_channels_cut_and_shuffled() {
    let mut net = Builder::image();
    let input = net.input();
    // Pixels are read in pairs where steps and widths are even.
    let stem = Conv::new(24, 3).stride(2).pad([0, 0, 1, 1]).bias();
    let x = net.conv("stem", input, stem);
    let apart = net.conv("apart", input, Conv::new(24, (2, 3)).stride(2).pad([0, 1, 0, 2]).dilation((1, 2)));
    let x = net.add("both", x, apart);
    let x = net.activation("elu", x, Activation::Elu { alpha: 0.5 });
    let one = net.conv("line", x, Conv::new(24, (1, 7)));
    let one = net.conv("column", one, Conv::new(24, (3, 1)).dilation((2, 1)).pad([1, 0, 3, 0]).bias());
    let one = net.activation("leaky", one, Activation::LeakyRelu { slope: 0.25 });
    let two = net.conv("dw", x, Conv::new(24, (3, 5)).groups(24).dilation((2, 1)).pad((2, 2)));
    let two = net.activation("mish", two, Activation::Mish);
    let two = net.conv("groups", two, Conv::new(36, (2, 3)).groups(3).pad([1, 1, 0, 1]).bias());
    let two = net.channels("cut", two, (5, 29));
    let product = net.multiply("product", one, two);
    let x = net.concat("cat", &[x, product]);
    let x = net.shuffle("shuffle", x, 2);
    let x = net.max_pool("max", x, Pool::new((2, 3), (1, 2)).pad([1, 0, 0, 2]));
    let x = net.average_pool("average", x, Pool::new(3, 2).pad(1).ceil().count_include_pad());
    let x = net.activation("clip", x, Activation::Clip { low: -0.5, high: 1.5 });
    let network = net.finish("windows", x);
    for side in [32, 33] {
        check_network(open, &network, &["clip", "shuffle", "apart"], side, ALL);
    }
}

#[test]
fn every_function_after_a_product_and_alone() {
    let mut net = Builder::image();
    let x = net.conv("stem", net.input(), Conv::new(16, 3).bias());
    let all = Activation::ALL.map(|function| {
        let y = net.conv(&format!("{function:?}.product"), x, Conv::new(16, 1).bias());
        net.activation(&format!("{function:?}"), y, function)
    });
    let alone = Activation::ALL.map(|function| net.activation(&format!("{function:?}.alone"), x, function));
    let all: Vec<NodeId> = all.into_iter().chain(alone).collect();
    let x = net.concat("all", &all);
    check_network(open, &net.finish("functions", x), &["all"], 9, ALL);
}

#[test]
fn trained_networks() {
    check_golden(open, &[Precision::Tf32, Precision::F16, Precision::Bf16]);
}

#[test]
fn features_do_not_depend_on_the_batch() {
    for precision in Precision::ALL {
        let bound = || {
            let network = zoo::find("headstart_tiny").unwrap().network();
            common::filled(network.for_taps(&["pooled", "layer2"]).unwrap())
        };
        check_bits(open, bound, 64, precision, 7, &[1, 3, 4, 8]);
    }
}

#[test]
fn threads_may_run_in_any_order() {
    // Where a barrier is missing, or memory is filled anew too early, some order shows it.
    let vit = Vit { width: 64, depth: 1, heads: 2, ..Vit::small(16) }.build("small");
    let tiny = zoo::find("headstart_tiny").unwrap().network();
    for (network, tap, side) in [(tiny, "pooled", 32), (vit, "patch_mean", 256)] {
        for (precision, unit) in [
            (Precision::F32, Unit::Warp),
            (Precision::Tf32, Unit::Warp),
            (Precision::F16, Unit::Warp),
            (Precision::F16, Unit::Warpgroup),
        ] {
            let run = |seed| {
                let bound = common::filled(network.for_taps(&[tap]).unwrap());
                let card = open();
                card.set_order(seed);
                let how = common::sized(side);
                let mut cuda = Cuda::with_unit(card, bound, &how, precision, Some(1), unit).unwrap();
                cuda.run_tensor(&common::image(side, 1), 1).unwrap()
            };
            let first = run(0);
            for seed in 1..4 {
                assert!(run(seed) == first, "{} in {precision} by {unit:?}s, order {seed}", network.name());
            }
        }
    }
}

#[test]
fn a_taps_bits_do_not_depend_on_the_other_taps() {
    let small = Vit { width: 64, depth: 1, heads: 2, ..Vit::small(16) };
    let zoo = |name| zoo::find(name).unwrap().network();
    for (network, side, nodes) in [
        (zoo("headstart_tiny"), 32, 0..40),
        (small.build("small"), 32, 0..40),
        (zoo("mobilenet_v3_small"), 32, 3..40),
    ] {
        let names: Vec<&str> = network.nodes().iter().map(|node| node.name.as_str()).collect();
        let names = &names[nodes.start..nodes.end.min(names.len())];
        for precision in [Precision::F16, Precision::F32] {
            let run = |taps: &[&str]| {
                let bound = common::filled(network.for_taps(taps).unwrap());
                let mut cuda = Cuda::new(open(), bound, &common::sized(side), precision, Some(1)).unwrap();
                cuda.run_tensor(&common::image(side, 1), 1).unwrap()
            };
            let bits = |row: &[f32]| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            for (name, among) in names.iter().zip(run(names)) {
                let alone = bits(&run(&[name])[0]);
                assert!(alone == bits(&among), "{}: {name} in {precision}", network.name());
            }
        }
    }
}

#[test]
fn both_units_give_the_same_features_and_the_better_is_taken() {
    let network = zoo::find("headstart_tiny").unwrap().network();
    let run = |unit| {
        let bound = common::filled(network.for_taps(&["pooled"]).unwrap());
        let how = common::sized(64);
        let mut cuda = Cuda::with_unit(open(), bound, &how, Precision::Bf16, Some(2), unit).unwrap();
        cuda.run_tensor(&common::image(64, 2), 2).unwrap()
    };
    let (warp, group) = (run(Unit::Warp), run(Unit::Warpgroup));
    common::Tolerance(1e-3).check("warpgroups", &group[0], &warp[0]);
    assert_eq!(Unit::best(&open(), Precision::F16).unwrap(), Unit::Warpgroup);
    assert_eq!(Unit::best(&open(), Precision::Tf32).unwrap(), Unit::Warp);
}

#[test]
fn batches_are_halved_until_they_fit() {
    let bound =
        || common::filled(zoo::find("headstart_tiny").unwrap().network().for_taps(&["pooled"]).unwrap());
    let cuda = |memory: usize, batch| {
        Cuda::new(Emulator::new(memory), bound(), &common::sized(64), Precision::F32, batch)
    };
    let all = cuda(2 << 30, Some(64)).unwrap().batch();
    let some = cuda(16 << 20, Some(64)).unwrap().batch();
    assert!(all == 64 && some < 64 && some > 0, "{all}, {some}");
    let none = cuda(1 << 20, Some(64)).map(|cuda| cuda.batch());
    assert!(matches!(none, Err(EngineError::Card(CardError::OutOfMemory { .. }))), "{none:?}");
}

#[test]
#[ignore = "half an hour"]
fn every_row_of_the_reference_in_f32() {
    check_rows(|| Emulator::new(8 << 30), Precision::F32);
}

#[test]
#[ignore = "half an hour"]
fn every_row_of_the_reference_in_tf32() {
    check_rows(|| Emulator::new(8 << 30), Precision::Tf32);
}

#[test]
#[ignore = "half an hour"]
fn every_row_of_the_reference_in_bf16() {
    check_rows(|| Emulator::new(8 << 30), Precision::Bf16);
}

#[test]
#[ignore = "half an hour"]
fn every_row_of_the_reference_in_f16() {
    check_rows(|| Emulator::new(8 << 30), Precision::F16);
}
