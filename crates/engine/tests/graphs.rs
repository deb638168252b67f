//! Small graphs of every kind, also of kinds that no network of the zoo has, at sizes that are no multiple of anything:
//! the CPU engine against the reference, and every instruction set against the best, to the bit.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;
#[path = "graphs/onnx.rs"]
mod onnx;
#[path = "graphs/pictures.rs"]
mod pictures;

use common::{RunAlike, Tolerance};
use headstart_engine::{Cpu, EngineError, Executor, Isa, Precision, Reference};
use input::{
    Recipe,
    image::{Preprocessing, Resize},
};
use network::{Activation, Builder, Conv, Interpolation, Network, NodeId, Pool, Shape};
use weights::Bound;

/// A graph after a first convolution to so many channels.
type Graph = fn(&mut Builder, NodeId) -> NodeId;

const GRAPHS: &[(&str, usize, Graph)] = &[
    ("a convolution alone", 17, |_, x| x),
    ("1×1", 17, |net, x| net.conv("a", x, Conv::new(40, 1).bias())),
    ("1×1 by 2", 24, |net, x| net.conv("a", x, Conv::new(5, 1).stride(2))),
    ("3×3, Winograd where the map is large", 17, |net, x| net.conv("a", x, Conv::new(24, 3).bias())),
    ("3×3 by 2", 40, |net, x| net.conv("a", x, Conv::new(17, 3).stride(2))),
    ("3×3 without padding", 5, |net, x| net.conv("a", x, Conv::new(3, 3).pad(0))),
    ("1×1 with padding", 5, |net, x| net.conv("a", x, Conv::new(3, 1).pad(1).bias())),
    ("5×5 by 3", 24, |net, x| net.conv("a", x, Conv::new(17, 5).stride(3))),
    ("1×1 by 4, stride above the kernel", 24, |net, x| net.conv("a", x, Conv::new(17, 1).stride(4))),
    ("deep", 600, |net, x| net.conv("a", x, Conv::new(33, 1))),
    ("far weights", 352, |net, x| net.conv("a", x, Conv::new(360, 3))),
    ("groups of 4", 24, |net, x| net.conv("a", x, Conv::new(24, 3).groups(6).bias())),
    ("groups of 5 to 3", 25, |net, x| net.conv("a", x, Conv::new(15, 3).groups(5))),
    ("groups of 40", 80, |net, x| net.conv("a", x, Conv::new(34, 3).groups(2).stride(2))),
    ("depthwise", 17, |net, x| net.conv("a", x, Conv::new(17, 3).groups(17).bias())),
    ("depthwise by 2", 40, |net, x| net.conv("a", x, Conv::new(40, 5).groups(40).stride(2))),
    ("depthwise 7×7", 40, |net, x| net.conv("a", x, Conv::new(40, 7).groups(40))),
    ("depthwise 7×7 by 2", 40, |net, x| net.conv("a", x, Conv::new(40, 7).groups(40).stride(2))),
    ("depthwise by 3 without padding", 33, |net, x| {
        net.conv("a", x, Conv::new(33, 3).groups(33).stride(3).pad(0))
    }),
    ("depthwise 1×1 by 4", 33, |net, x| net.conv("a", x, Conv::new(33, 1).groups(33).stride(4))),
    ("depthwise, twice as many", 5, |net, x| net.conv("a", x, Conv::new(10, 3).groups(5))),
    ("lines and columns, one after the other", 24, |net, x| {
        let x = net.conv("a", x, Conv::new(20, (1, 7)).bias());
        net.conv("b", x, Conv::new(17, (7, 1)))
    }),
    ("a wide kernel by 1 down and 2 across", 20, |net, x| {
        net.conv("a", x, Conv::new(17, (2, 5)).stride((1, 2)).pad([0, 2, 1, 2]))
    }),
    ("3×3 by 2 with padding at the end alone, as Keras does", 17, |net, x| {
        net.conv("a", x, Conv::new(24, 3).stride(2).pad([0, 0, 1, 1]))
    }),
    ("3×3 by 1 with padding at the end alone", 17, |net, x| {
        net.conv("a", x, Conv::new(24, 3).pad([0, 0, 2, 2]))
    }),
    ("places apart", 17, |net, x| {
        let x = net.conv("a", x, Conv::new(20, 3).dilation(2).pad(2));
        net.conv("b", x, Conv::new(17, (2, 3)).dilation((3, 1)).pad([3, 0, 0, 4]).bias())
    }),
    ("groups of places apart", 24, |net, x| {
        net.conv("a", x, Conv::new(36, (3, 2)).groups(3).dilation((1, 2)).pad([1, 2, 1, 0]).stride((2, 1)))
    }),
    ("depthwise lines and columns", 40, |net, x| {
        let x = net.conv("a", x, Conv::new(40, (1, 5)).groups(40));
        net.conv("b", x, Conv::new(40, (3, 1)).groups(40).stride((2, 1)).bias())
    }),
    ("depthwise 3×3 by 2 with padding at the end alone", 17, |net, x| {
        net.conv("a", x, Conv::new(17, 3).groups(17).stride(2).pad([0, 0, 1, 1]))
    }),
    ("depthwise with places apart", 33, |net, x| {
        let x = net.conv("a", x, Conv::new(33, 3).groups(33).dilation((2, 1)).pad((2, 1)));
        net.conv("b", x, Conv::new(33, 5).groups(33).dilation((1, 3)).pad([2, 5, 2, 7]).bias())
    }),
    ("the picture by lines, by places apart, and padded on one side", 3, |net, x| {
        let input = net.input();
        let line = net.conv("line", input, Conv::new(3, (1, 5)));
        let apart = net.conv("apart", input, Conv::new(3, 3).dilation(2).pad(2));
        let side = net.conv("side", input, Conv::new(3, (2, 4)).pad([1, 0, 0, 3]));
        let sum = net.add("sum", x, line);
        let sum = net.add("sum2", sum, apart);
        net.add("sum3", sum, side)
    }),
    ("the picture by 2 with padding at the end alone", 3, |net, _| {
        let input = net.input();
        net.conv("end", input, Conv::new(20, 3).stride(2).pad([0, 0, 1, 1]))
    }),
    ("the picture by 2, padded by one before", 3, |net, _| {
        let input = net.input();
        net.conv("before", input, Conv::new(20, (3, 4)).stride((1, 2)).pad([1, 1, 2, 2]).dilation((2, 1)))
    }),
    ("depthwise with a sum", 17, |net, x| {
        let y = net.conv("a", x, Conv::new(17, 3).groups(17));
        let sum = net.add("sum", y, x);
        net.relu("relu", sum)
    }),
    ("a sum with itself", 17, |net, x| net.add("sum", x, x)),
    ("a batch norm after an activation", 17, |net, x| {
        let x = net.relu("relu", x);
        let x = net.batch_norm("bn", x);
        net.activation("relu6", x, Activation::Relu6)
    }),
    ("a convolution read by two batch norms and a sum", 17, |net, x| {
        let x = net.conv("a", x, Conv::new(17, 3));
        let (one, two) = (net.batch_norm("bn1", x), net.batch_norm("bn2", x));
        let sum = net.add("sum1", one, two);
        net.add("sum2", sum, x)
    }),
    ("a sum of two fused products", 24, |net, x| {
        let one = net.conv_bn("a", "bn1", x, Conv::new(17, 3));
        let two = net.conv_bn("b", "bn2", x, Conv::new(17, 1));
        let sum = net.add("sum", one, two);
        net.relu("relu", sum)
    }),
    ("max pools", 17, |net, x| {
        let x = net.max_pool("a", x, Pool::new(3, 2).pad(1));
        net.max_pool("b", x, Pool::new(2, 1).pad(1).ceil())
    }),
    ("cells that do not divide the map", 17, |net, x| net.adaptive_average_pool("a", x, 3)),
    ("a vector of cells, and dense layers", 17, |net, x| {
        let x = net.adaptive_average_pool("a", x, 2);
        let x = net.flatten("flat", x);
        let x = net.linear("fc1", x, 600);
        let x = net.relu("relu", x);
        net.linear("fc2", x, 7)
    }),
    ("channels one after the other", 17, |net, x| {
        let one = net.conv("a", x, Conv::new(5, 1));
        let two = net.relu("relu", x);
        net.concat("cat", &[one, two, x])
    }),
    ("the picture twice, with two paddings", 3, |net, x| {
        let input = net.input();
        let wide = net.conv("a", input, Conv::new(3, 5));
        let sum = net.add("sum", x, wide);
        let mean = net.relu("plain", input);
        net.add("all", sum, mean)
    }),
    ("a batch norm and a depthwise convolution on the picture", 3, |net, x| {
        let input = net.input();
        let y = net.batch_norm("bn", input);
        let y = net.add("sum", x, y);
        let z = net.conv("a", input, Conv::new(3, 3).groups(3));
        net.add("all", y, z)
    }),
    ("every function, on its own", 17, |net, x| {
        let all = Activation::ALL.map(|function| net.activation(&format!("{function:?}"), x, function));
        net.concat("all", &all)
    }),
    ("every function after a product", 17, |net, x| {
        let all = Activation::ALL.map(|function| {
            let x = net.conv(&format!("{function:?}.product"), x, Conv::new(21, 1).bias());
            net.activation(&format!("{function:?}"), x, function)
        });
        net.concat("all", &all)
    }),
    ("functions after Winograd, a depthwise convolution, a sum and a batch norm", 17, |net, x| {
        let x = net.conv("a", x, Conv::new(17, 3));
        let x = net.activation("silu", x, Activation::Silu);
        let y = net.conv("b", x, Conv::new(17, 5).groups(17));
        let y = net.activation("swish", y, Activation::HardSwish);
        let y = net.add("sum", x, y);
        let y = net.activation("gelu", y, Activation::Gelu);
        let y = net.batch_norm("bn", y);
        net.activation("tanh", y, Activation::GeluTanh)
    }),
    ("average pools", 17, |net, x| {
        let x = net.average_pool("a", x, Pool::new(3, 2).pad(1));
        net.average_pool("b", x, Pool::new(2, 2).ceil())
    }),
    ("pools with windows and padding of every kind", 17, |net, x| {
        let one = net.max_pool("a", x, Pool::new((2, 3), (1, 2)).pad([1, 0, 0, 2]));
        let two = net.average_pool("b", x, Pool::new((2, 3), (1, 2)).pad([0, 1, 1, 1]));
        net.add("sum", one, two)
    }),
    ("average pools that count padding", 17, |net, x| {
        let x = net.average_pool("a", x, Pool::new(3, 1).pad(1).count_include_pad());
        let x = net.average_pool("b", x, Pool::new(3, 2).pad(1).ceil().count_include_pad());
        net.average_pool("c", x, Pool::new((1, 2), 1).pad([0, 1, 0, 0]).count_include_pad())
    }),
    ("a product of two maps", 17, |net, x| {
        let y = net.conv("a", x, Conv::new(17, 3));
        let y = net.multiply("product", x, y);
        let y = net.activation("leaky", y, Activation::LeakyRelu { slope: 0.25 });
        net.multiply("square", y, y)
    }),
    ("products of vectors and of tokens", 24, |net, x| {
        let y = net.global_average_pool("mean", x);
        let y = net.multiply("square", y, y);
        let z = net.tokens("tokens", x, &[], ("positions", (6, 7), false), Interpolation::Offset);
        let z = net.multiply("squares", z, z);
        let z = net.activation("elu", z, Activation::Elu { alpha: 0.5 });
        let z = net.global_average_pool("z", z);
        net.add("sum", y, z)
    }),
    ("the largest of a map, and of tokens with others before them", 24, |net, x| {
        let y = net.global_max_pool("y", x);
        let prefix = [("class", 1), ("registers", 3)];
        let z = net.tokens("tokens", x, &prefix, ("positions", (5, 9), true), Interpolation::Antialiased);
        let z = net.global_max_pool("z", z);
        let t = net.tokens("places", x, &[], ("more", (6, 7), false), Interpolation::Offset);
        let t = net.global_max_pool("t", t);
        let sum = net.add("sum", y, z);
        net.concat("cat", &[sum, t])
    }),
    ("channels cut and shuffled, as ShuffleNet does", 46, |net, x| {
        let (one, two) = (net.channels("one", x, (0, 23)), net.channels("two", x, (23, 46)));
        let two = net.conv("a", two, Conv::new(23, 3).groups(23));
        let x = net.concat("cat", &[one, two]);
        net.shuffle("shuffle", x, 2)
    }),
    ("channels of normalised places", 40, |net, x| {
        let x = net.layer_norm("ln", x, 1e-5);
        let y = net.channels("part", x, (3, 33));
        let y = net.shuffle("shuffle", y, 5);
        net.linear("fc", y, 7)
    }),
    ("channels of vectors and of tokens", 24, |net, x| {
        let y = net.global_average_pool("mean", x);
        let y = net.channels("y.part", y, (1, 19));
        let y = net.shuffle("y.shuffle", y, 3);
        let z = net.tokens("tokens", x, &[], ("positions", (6, 7), false), Interpolation::Offset);
        let z = net.channels("z.part", z, (6, 24));
        let z = net.shuffle("z.shuffle", z, 9);
        let z = net.global_average_pool("z", z);
        net.add("sum", y, z)
    }),
    ("a layer norm", 17, |net, x| net.layer_norm("ln", x, 1e-6)),
    ("layer norms and dense layers at every place, with a layer scale and a sum", 40, |net, x| {
        let y = net.layer_norm("ln", x, 1e-5);
        let y = net.linear("up", y, 100);
        let y = net.activation("gelu", y, Activation::Gelu);
        let y = net.linear("down", y, 40);
        let y = net.scale("scale", "gamma", &[40, 1, 1], y);
        let y = net.add("sum", x, y);
        net.scale("alone", "lambda1", &[40], y)
    }),
    ("squeeze and excite", 40, |net, x| {
        let gates = net.adaptive_average_pool("pool", x, 1);
        let gates = net.conv("down", gates, Conv::new(7, 1).bias());
        let gates = net.activation("silu", gates, Activation::Silu);
        let gates = net.conv("up", gates, Conv::new(40, 1).bias());
        let gates = net.activation("sigmoid", gates, Activation::Sigmoid);
        let x = net.gate("gate", x, gates);
        net.relu("relu", x)
    }),
    ("attention of tokens, with positions of the picture's own size or another", 24, |net, x| {
        let prefix = [("class", 1), ("registers", 3)];
        let x = net.tokens("tokens", x, &prefix, ("positions", (5, 9), true), Interpolation::Antialiased);
        attention(net, x, 3)
    }),
    ("attention without a prefix, and another interpolation", 40, |net, x| {
        let x = net.tokens("tokens", x, &[], ("positions", (6, 7), false), Interpolation::Offset);
        attention(net, x, 1)
    }),
    ("attention among the places of a map, and of a smaller map's to a larger one's", 32, |net, x| {
        let y = net.layer_norm("norm", x, 1e-6);
        let qkv = net.linear("qkv", y, 96);
        let y = net.attention("attention", qkv, 4);
        let x = net.add("sum", x, y);
        let small = net.max_pool("pool", x, Pool::new(2, 2));
        let q = net.linear("q", small, 32);
        let kv = net.conv("kv", x, Conv::new(64, 1).bias());
        let y = net.cross_attention("cross", q, kv, 2);
        let y = net.add("add", small, y);
        net.conv("conv", y, Conv::new(9, 3))
    }),
    ("attention with a number for every pair of places, of a map and of tokens", 32, |net, x| {
        // Of pictures of 13×7.
        let qkv = net.linear("qkv", x, 96);
        let y = net.biased_attention("attention", "attention.bias", qkv, 2, 91);
        let x = net.add("sum", x, y);
        let x =
            net.tokens("tokens", x, &[("class", 1)], ("positions", (3, 3), true), Interpolation::Antialiased);
        let qkv = net.linear("qkv2", x, 96);
        let x = net.biased_attention("attention2", "attention2.bias", qkv, 4, 92);
        net.token("token", x, 0)
    }),
    ("batch norms of tokens and of a vector", 24, |net, x| {
        let tokens =
            net.tokens("tokens", x, &[("class", 1)], ("positions", (3, 3), true), Interpolation::Antialiased);
        let x = net.batch_norm("bn", tokens);
        let x = net.linear("fc", x, 20);
        let x = net.batch_norm("fc.bn", x);
        let x = net.relu("relu", x);
        let x = net.token("token", x, 0);
        let x = net.batch_norm("token.bn", x);
        let x = net.linear_without_bias("last", x, 7);
        net.batch_norm("last.bn", x)
    }),
    ("attention of a token of its own to a picture's", 32, |net, x| {
        let x =
            net.tokens("tokens", x, &[("class", 1)], ("positions", (24, 24), false), Interpolation::Offset);
        let latent = net.constant("latent", "latent", (2, 32));
        let q = net.linear("q", latent, 32);
        let kv = net.linear("kv", x, 64);
        let x = net.cross_attention("attention", q, kv, 2);
        let x = net.token("second", x, 1);
        net.linear("head", x, 5)
    }),
    ("queries whose keys are the values, among tokens", 24, |net, x| {
        let x = net.tokens("tokens", x, &[("class", 1)], ("positions", (4, 4), true), Interpolation::Bicubic);
        let queries = net.constant("queries", "queries", (3, 24));
        let pooled = net.cross_attention("attention", queries, x, 1);
        let flat = net.flatten_places("flat", pooled, 3);
        net.linear("head", flat, 7)
    }),
    ("queries whose keys are the values, among places, and all tokens as one vector", 17, |net, x| {
        let queries = net.constant("queries", "queries", (5, 17));
        let pooled = net.cross_attention("attention", queries, x, 1);
        net.flatten_places("flat", pooled, 5)
    }),
    ("responses", 19, |net, x| {
        let y = net.response_norm("grn", x, 1e-6);
        net.add("sum", x, y)
    }),
    ("responses of few channels, and more after them", 5, |net, x| {
        let x = net.response_norm("grn", x, 0.5);
        net.conv("a", x, Conv::new(33, 3).bias())
    }),
    ("windows", 18, |net, x| windows(net, x, 3, (4, 0))),
    ("shifted windows", 18, |net, x| windows(net, x, 3, (4, 2))),
    ("windows of a third, shifted by one", 32, |net, x| windows(net, x, 2, (8, 1))),
    ("one window", 16, |net, x| windows(net, x, 1, (24, 2))),
    ("four neighbours as one place", 17, |net, x| {
        let x = net.merge_patches("merge", x);
        let x = net.layer_norm("ln", x, 1e-5);
        net.linear_without_bias("reduce", x, 30)
    }),
];

fn attention(net: &mut Builder, x: NodeId, heads: usize) -> NodeId {
    let d = net.width(x);
    let y = net.layer_norm("ln", x, 1e-6);
    let qkv = net.linear("qkv", y, 3 * d);
    let y = net.attention("attention", qkv, heads);
    let y = net.linear("proj", y, d);
    net.add("sum", x, y)
}

fn windows(net: &mut Builder, x: NodeId, heads: usize, windows: (usize, usize)) -> NodeId {
    let d = net.width(x);
    let qkv = net.linear("qkv", x, 3 * d);
    net.window_attention("attention", "relative_position_bias_table", qkv, heads, windows)
}

fn build(name: &str, channels: usize, graph: Graph) -> Network {
    let mut net = Builder::image();
    let x = net.conv("first", net.input(), Conv::new(channels, 3).bias());
    let x = graph(&mut net, x);
    net.finish(name, x)
}

fn exactly((height, width): (u32, u32)) -> Recipe {
    Preprocessing { resize: Resize::Exact(height, width), crop: None, ..Preprocessing::imagenet() }.into()
}

#[test]
fn both_engines_agree_on_every_kind_of_graph() {
    for size in [(5, 9), (13, 7), (1, 1), (2, 31), (24, 24)] {
        for (name, channels, graph) in GRAPHS {
            let network = build(name, *channels, *graph);
            let how = exactly(size);
            if network.shapes(size.0 as usize, size.1 as usize).is_err() {
                continue;
            }
            let (h, w) = (size.0 as usize, size.1 as usize);
            let pixels: Vec<u8> =
                (0..19 * h * w * 3).map(|i| (common::uniform("pixels", i) * 256.0) as u8).collect();
            let filled = || -> Bound { common::filled(network.clone()) };
            let expected = Reference::new(filled(), &how).unwrap().run_alike(&pixels, 19).unwrap();
            let mut best = Cpu::new(filled(), &how).unwrap();
            // More than go together at a time.
            let whole = best.run_alike(&pixels, 19).unwrap();
            Tolerance(1e-5).check(&format!("{name} at {size:?}"), &whole[0], &expected[0]);
            for isa in Isa::available() {
                let mut engine = Cpu::with_isa(filled(), &how, isa).unwrap();
                // Few pictures first, for which not all is made ready. Plain Rust is slow: one more part is enough for it.
                let parts: &[(usize, usize)] = if isa == Isa::best() {
                    &[(3, 1), (7, 4), (0, 19), (3, 1), (4, 15)]
                } else {
                    &[(5, 1), (1, 17)]
                };
                for &(first, n) in parts {
                    let part = engine.run_alike(&pixels[first * h * w * 3..][..n * h * w * 3], n).unwrap();
                    let d = engine.widths()[0];
                    let same =
                        part[0].iter().zip(&whole[0][first * d..]).all(|(a, b)| a.to_bits() == b.to_bits());
                    assert!(same, "{name} at {size:?}: {isa:?}, {n} pictures from {first}");
                }
            }
        }
    }
}

#[test]
fn what_is_given_is_read_as_it_would_have_been_made() {
    // What the upper part of a network makes of what the lower part gives is what the whole makes, to the bit.
    let (how, threads) = (exactly((64, 40)), [1, 2, 3]);
    let pixels: Vec<u8> =
        (0..19 * 64 * 40 * 3).map(|i| (common::uniform("pixels", i) * 256.0) as u8).collect();
    let mut whole =
        vec![("resnet18", "layer2"), ("efficientnet_b0", "features.4"), ("convnext_tiny", "features.3")];
    whole.push(("vgg11", "features.10"));
    for (name, at) in whole {
        let network = network::zoo::find(name).unwrap().network().for_taps(&["gap"]);
        let network = network.or_else(|_| network::zoo::find(name).unwrap().network().for_taps(&["pooled"]));
        let network = network.unwrap();
        let all = common::filled(network.clone());
        let (lower, upper) = network.cut(&[at], 64, 40).unwrap();
        let expected = Cpu::new(all.clone(), &how).unwrap().run_alike(&pixels, 19).unwrap();
        let lower = all.part(lower, "the whole").unwrap();
        let given = Cpu::new(lower, &how).unwrap().run_alike(&pixels, 19).unwrap().swap_remove(0);
        let upper = all.part(upper, "the whole").unwrap();
        for isa in Isa::available() {
            let engine = Cpu::given(upper.clone(), isa).unwrap();
            for threads in threads {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let got = pool.install(|| engine.run_rows(&given)).unwrap();
                let same = got[0].iter().zip(&expected[0]).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same && got[0].len() == expected[0].len(), "{name}: {isa:?}, {threads} threads");
            }
            assert!(engine.run_rows(&given[1..]).is_err());
        }
        // Neither reads what the other does.
        assert!(Cpu::new(upper, &how).is_err());
        assert!(Cpu::given(all, Isa::best()).is_err());
    }
    // A vector, and tokens, which lie place by place.
    let tokens = Shape::Tokens { prefix: 1, places: 6, width: 20 };
    let mut net = Builder::given(tokens);
    let x = net.input();
    let x = attention(&mut net, x, 2);
    let x = net.token("token", x, 0);
    let bound = common::filled(net.finish("tokens", x));
    let rows: Vec<f32> = (0..3 * 140).map(|i| common::uniform("rows", i) as f32).collect();
    let engine = Cpu::given(bound, Isa::best()).unwrap();
    let (all, last) = (engine.run_rows(&rows).unwrap(), engine.run_rows(&rows[280..]).unwrap());
    assert_eq!(all[0][40..], last[0]);
}

#[test]
fn every_kind_of_graph_has_the_same_bits_in_bf16() {
    let (h, w) = (13, 7);
    let pixels: Vec<u8> = (0..3 * h * w * 3).map(|i| (common::uniform("pixels", i) * 256.0) as u8).collect();
    for (name, channels, graph) in GRAPHS {
        let network = build(name, *channels, *graph);
        let how = exactly((13, 7));
        if network.shapes(h, w).is_err() {
            continue;
        }
        let run = |isa, precision| {
            let mut cpu = Cpu::with(common::filled(network.clone()), &how, isa, precision).unwrap();
            let rows = cpu.run_alike(&pixels, 3).unwrap().swap_remove(0);
            let last = cpu.run_alike(&pixels[2 * h * w * 3..], 1).unwrap().swap_remove(0);
            let same = last.iter().zip(&rows[2 * last.len()..]).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same, "{name}: {isa:?} alone");
            rows
        };
        let (best, exact) = (run(Isa::best(), Precision::Bf16), run(Isa::best(), Precision::F32));
        Tolerance(Precision::Bf16.tolerance()).check(name, &best, &exact);
        for isa in Isa::available() {
            let theirs = run(isa, Precision::Bf16);
            let same = theirs.iter().zip(&best).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same, "{name}: {isa:?}");
        }
    }
}

/// A graph whose maps between its steps, all but the last, are those named.
type Strips = (&'static str, usize, &'static [&'static str], Graph);

/// Maps of more than 2 MiB, which are taken in strips where a step follows another: those of 33 channels and more have
/// several blocks, those of fewer one.
const STRIPS: &[Strips] = &[
    ("convolutions and a pool, as VGG begins", 5, &["relu1", "relu2"], |net, x| {
        let x = net.relu("relu1", x);
        let x = net.conv("a", x, Conv::new(7, 3).bias());
        let x = net.relu("relu2", x);
        net.max_pool("pool", x, Pool::new(2, 2))
    }),
    ("Winograd twice, then with a sum", 33, &["relu1", "a"], |net, x| {
        let x = net.relu("relu1", x);
        let y = net.conv("a", x, Conv::new(40, 3).bias());
        let y = net.conv("b", y, Conv::new(33, 3).bias());
        net.add("sum", x, y)
    }),
    ("depthwise of every kind, in several blocks", 40, &["silu1", "a", "b", "c"], |net, x| {
        let x = net.activation("silu1", x, Activation::Silu);
        let x = net.conv("a", x, Conv::new(40, 5).groups(40));
        let x = net.conv("b", x, Conv::new(40, 7).groups(40).bias());
        let x = net.conv("c", x, Conv::new(40, 3).groups(40).bias());
        net.conv("d", x, Conv::new(40, 3).groups(40).stride(2))
    }),
    ("pools that overlap, groups, a batch norm", 36, &["bn1", "pool1", "a", "pool2"], |net, x| {
        let x = net.relu("relu", x);
        let x = net.batch_norm("bn1", x);
        let x = net.max_pool("pool1", x, Pool::new(3, 1).pad(1));
        let x = net.conv("a", x, Conv::new(36, 3).groups(4));
        let x = net.average_pool("pool2", x, Pool::new(3, 1).pad(1));
        net.conv("b", x, Conv::new(20, 3).stride(2))
    }),
    ("windows of every kind", 20, &["relu", "a", "b", "c", "pool"], |net, x| {
        let x = net.relu("relu", x);
        let x = net.conv("a", x, Conv::new(20, (1, 7)).bias());
        let x = net.conv("b", x, Conv::new(20, (3, 1)).dilation((4, 1)).pad([1, 0, 6, 0]));
        let x = net.conv("c", x, Conv::new(20, (3, 5)).groups(20).dilation((3, 1)).pad([5, 2, 2, 2]));
        let x = net.average_pool("pool", x, Pool::new((3, 2), 1).pad([2, 1, 1, 0]).count_include_pad());
        net.conv("d", x, Conv::new(7, (5, 2)).stride((2, 1)).pad([0, 1, 3, 0]))
    }),
    ("windows within the padding", 6, &["pool", "a"], |net, x| {
        let x = net.max_pool("pool", x, Pool::new(3, 1).pad(1));
        let x = net.conv("a", x, Conv::new(6, 1).pad(1));
        net.conv("b", x, Conv::new(5, 1).pad(2).bias())
    }),
    ("places alone, with a sum", 6, &["first", "a", "ln", "gelu"], |net, x| {
        let y = net.conv("a", x, Conv::new(6, 7).groups(6).bias());
        let y = net.layer_norm("ln", y, 1e-6);
        let y = net.conv("b", y, Conv::new(40, 1).bias());
        let y = net.activation("gelu", y, Activation::Gelu);
        let y = net.conv("c", y, Conv::new(6, 1).bias());
        net.add("sum", x, y)
    }),
    ("a gate", 33, &["first", "mean", "sigmoid", "gate"], |net, x| {
        let gate = net.adaptive_average_pool("mean", x, 1);
        let gate = net.activation("sigmoid", gate, Activation::Sigmoid);
        let y = net.gate("gate", x, gate);
        net.conv("a", y, Conv::new(3, 3).stride(2))
    }),
];

#[test]
fn maps_that_are_taken_in_strips_have_the_same_bits() {
    // Lines of an odd number of blocks are no whole blocks of pairs.
    for ((name, channels, between, graph), (precision, w)) in STRIPS.iter().flat_map(|strips| {
        [(Precision::F32, 187), (Precision::Bf16, 187), (Precision::Bf16, 188)].map(|how| (strips, how))
    }) {
        let how = exactly((203, w));
        let (h, w) = (203, w as usize);
        let network = build(name, *channels, *graph);
        let filled = |network: &Network| -> Bound { common::filled(network.clone()) };
        let pixels: Vec<u8> =
            (0..3 * h * w * 3).map(|i| (common::uniform("pixels", i) * 256.0) as u8).collect();
        let expected = Reference::new(filled(&network), &how).unwrap().run_alike(&pixels, 3).unwrap();
        // A map that is asked for exists as a whole, so that nothing here goes in strips.
        let mut asked = serde_json::to_value(&network).unwrap();
        let at = |name: &&str| network.nodes().iter().position(|node| node.name == **name).unwrap();
        asked["outputs"].as_array_mut().unwrap().extend(between.iter().map(|name| at(name).into()));
        let asked = filled(&serde_json::from_value(asked).unwrap());
        let mut whole = Cpu::with(asked, &how, Isa::best(), precision).unwrap();
        let whole = whole.run_alike(&pixels, 3).unwrap().swap_remove(0);
        let tolerance = if precision == Precision::F32 { 1e-5 } else { precision.tolerance() };
        Tolerance(tolerance).check(name, &whole, &expected[0]);
        for isa in Isa::available() {
            let mut engine = Cpu::with(filled(&network), &how, isa, precision).unwrap();
            // Plain Rust is slow: one picture is enough for it.
            let ways: &[(usize, usize)] =
                if isa == Isa::Portable { &[(2, 1)] } else { &[(1, 3), (2, 3), (2, 1), (5, 1)] };
            for (threads, n) in ways {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(*threads).build().unwrap();
                let got =
                    pool.install(|| engine.run_alike(&pixels[..n * h * w * 3], *n)).unwrap().swap_remove(0);
                let same = got.iter().zip(&whole).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "{name}: {isa:?}, {n} pictures on {threads} threads");
            }
        }
    }
}

#[test]
fn no_number_is_lost_that_is_none() {
    // One tap of weights overflows: what every later step makes of it must show.
    let mut net = Builder::image();
    let x = net.conv("first", net.input(), Conv::new(16, 1));
    let x = net.batch_norm("bn", x);
    let x = net.relu("relu", x);
    let x = net.max_pool("pool", x, Pool::new(3, 1).pad(1));
    let network = net.finish("overflowing", x).for_taps(&["pool"]).unwrap();
    let fill = |param: &network::Param| {
        let value = if param.name == "bn.running_mean" { f32::MAX } else { 3e38 };
        let value = if param.name == "bn.running_var" { 1.0 } else { value };
        Some(weights::Tensor { shape: param.shape.clone(), data: vec![value; param.len()] })
    };
    let bound = Bound::from_tensors(network, "formula", fill).unwrap();
    let pixels: Vec<u8> = (0..8 * 8 * 3).map(|i| (i * 7 % 256) as u8).collect();
    for isa in Isa::available() {
        let rows =
            Cpu::with_isa(bound.clone(), &exactly((8, 8)), isa).unwrap().run_alike(&pixels, 1).unwrap();
        println!("{isa:?}: {:?}", &rows[0][..2]);
        assert!(rows[0].iter().any(|x| !x.is_finite()), "{isa:?}: {:?}", rows[0]);
    }
}

#[test]
fn pictures_have_three_channels() {
    let text = serde_json::to_string(&build("multispectral", 3, |_, x| x)).unwrap();
    let text = text.replace("\"channels\":3", "\"channels\":4").replace("[3,3,3,3]", "[3,4,3,3]");
    let network: Network = serde_json::from_str(&text).unwrap();
    let error = Cpu::new(common::filled(network), &exactly((8, 8))).err().unwrap();
    assert!(matches!(error, EngineError::Channels { channels: 4, .. }), "{error}");
}
