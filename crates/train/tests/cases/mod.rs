//! Networks whose gradients are checked: one of each operation, and the last stage of each family.

#![allow(dead_code, clippy::allow_attributes, reason = "tests and an example use a part of it each")]

use network::{
    Activation, Builder, Conv, Interpolation, Network, NodeId, Op, Pairs, Pool, Reach, Rotary, Shape,
    TextAttention, zoo,
};
use weights::{Bound, Tensor};

#[path = "../../../engine/tests/common/text_networks.rs"]
mod text_networks;

/// A network, and the shape of what it is given.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) network: Network,
    /// Samples of the batch, or texts of so many tokens.
    pub(crate) samples: usize,
    pub(crate) ends: Vec<usize>,
}

/// Numbers that look random, within ±1.
pub(crate) fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let number = |at: usize| {
        let mut z =
            (seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ at as u64).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(number).collect()
}

/// Weights with which values neither vanish nor grow.
pub(crate) fn filled(network: Network) -> Bound {
    let mut seed = 7;
    let fill = |param: &network::Param| {
        seed += 1;
        let fan: usize = param.shape.iter().skip(1).product::<usize>().max(1);
        let is_flat = param.shape.iter().filter(|side| **side > 1).count() < 2;
        let (middle, reach) = match param.name.as_str() {
            name if name.ends_with("running_var") => (1.0, 0.5),
            name if is_flat && (name.ends_with("bias") || name.ends_with("running_mean")) => (0.0, 0.2),
            _ if is_flat => (1.0, 0.3),
            _ => (0.0, (3.0 / fan as f32).sqrt()),
        };
        let data = numbers(seed, param.len()).into_iter().map(|x| middle + reach * x).collect();
        Some(Tensor { shape: param.shape.clone(), data })
    };
    Bound::from_tensors(network, "a formula", fill).expect("the formula fills everything")
}

/// The shapes of what a network is given.
pub(crate) fn given(network: &Network) -> Vec<Shape> {
    let shape = |node: &network::Node| match node.op {
        Op::Given { shape } => Some(shape),
        _ => None,
    };
    network.nodes().iter().filter_map(shape).collect()
}

const MAP: Shape = Shape::Map { channels: 6, height: 7, width: 5 };
const TOKENS: Shape = Shape::Tokens { prefix: 2, places: 9, width: 12 };
const TEXT: Shape = Shape::Sequence { width: 12 };

/// One network for each operation, and some for its settings.
pub(crate) fn operations() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |name: &str, shape: Shape, build: &dyn Fn(&mut Builder, NodeId) -> NodeId| {
        let mut net = Builder::given(shape);
        let x = net.input();
        let y = build(&mut net, x);
        let ends = if matches!(shape, Shape::Sequence { .. }) { vec![4, 5, 11] } else { Vec::new() };
        cases.push(Case { name: name.to_owned(), network: net.finish(name, y), samples: 3, ends });
    };
    for (name, conv) in [
        ("conv", Conv::new(4, 3).bias()),
        ("conv_plain", Conv::new(5, 1).bias()),
        ("conv_step", Conv::new(4, 3).stride(2)),
        ("conv_uneven", Conv::new(4, (1, 3)).stride((2, 1)).pad([0, 2, 1, 0]).dilation((1, 2))),
        ("conv_groups", Conv::new(4, 3).groups(2).bias()),
        ("conv_plain_groups", Conv::new(9, 1).groups(3)),
        ("conv_depthwise", Conv::new(6, 3).groups(6).stride(2).bias()),
        ("conv_multiplied", Conv::new(12, 3).groups(6)),
    ] {
        case(name, MAP, &|net, x| net.conv("conv", x, conv));
    }
    // The places that are made are the first of those that are read, and not all.
    for (name, height, width) in [("conv_first_place", 2, 2), ("conv_first_of_a_line", 1, 2)] {
        let shape = Shape::Map { channels: 6, height, width };
        case(name, shape, &|net, x| net.conv("conv", x, Conv::new(4, 1).stride(2)));
    }
    for (name, shape) in [("map", MAP), ("tokens", TOKENS), ("vector", Shape::Vector(9))] {
        case(&format!("batch_norm_{name}"), shape, &|net, x| net.batch_norm("norm", x));
        case(&format!("layer_norm_{name}"), shape, &|net, x| net.layer_norm("norm", x, 1e-5));
        case(&format!("linear_{name}"), shape, &|net, x| net.linear("linear", x, 5));
        case(&format!("scale_{name}"), shape, &|net, x| {
            let width = net.width(x);
            net.scale("scale", "scale.gamma", &[width], x)
        });
        case(&format!("channels_{name}"), shape, &|net, x| net.channels("part", x, (1, 4)));
        case(&format!("shuffle_{name}"), shape, &|net, x| net.shuffle("shuffle", x, 3));
    }
    for function in Activation::ALL {
        let name = format!(
            "activation_{}",
            format!("{function:?}").split(' ').next().unwrap_or_default().to_lowercase()
        );
        case(&name, MAP, &|net, x| net.activation("function", x, function));
    }
    let pool = Pool::new(3, 2).pad(1);
    case("max_pool", MAP, &|net, x| net.max_pool("pool", x, pool));
    case("max_pool_ceil", MAP, &|net, x| net.max_pool("pool", x, Pool::new((2, 3), 2).ceil()));
    case("average_pool", MAP, &|net, x| net.average_pool("pool", x, pool.ceil()));
    case("average_pool_padding", MAP, &|net, x| net.average_pool("pool", x, pool.ceil().count_include_pad()));
    case("cells", MAP, &|net, x| net.adaptive_average_pool("pool", x, 3));
    for (name, shape) in [("map", MAP), ("tokens", TOKENS), ("text", TEXT)] {
        case(&format!("mean_{name}"), shape, &|net, x| net.global_average_pool("mean", x));
        case(&format!("largest_{name}"), shape, &|net, x| net.global_max_pool("largest", x));
    }
    case("first_token", TEXT, &|net, x| net.token("token", x, 0));
    case("last_token", TEXT, &|net, x| net.last_token("token", x));
    case("token", TOKENS, &|net, x| net.token("token", x, 3));
    case("normalize", Shape::Vector(7), &|net, x| net.normalize("norm", x));
    case("flatten_map", MAP, &|net, x| {
        let x = net.flatten_places("flat", x, 35);
        net.linear("linear", x, 4)
    });
    case("flatten_tokens", TOKENS, &|net, x| {
        let x = net.flatten_places("flat", x, 11);
        net.linear("linear", x, 4)
    });
    case("add_twice", MAP, &|net, x| {
        let y = net.conv("conv", x, Conv::new(6, 1));
        let y = net.add("once", x, y);
        net.add("twice", y, y)
    });
    case("multiply", TOKENS, &|net, x| {
        let y = net.linear("linear", x, 12);
        net.multiply("product", x, y)
    });
    case("concat", MAP, &|net, x| {
        let y = net.conv("conv", x, Conv::new(3, 1));
        net.concat("both", &[y, x, y])
    });
    case("gate", MAP, &|net, x| {
        let y = net.adaptive_average_pool("squeeze", x, 1);
        let y = net.conv("conv", y, Conv::new(6, 1));
        net.gate("gate", x, y)
    });
    case("response_norm", MAP, &|net, x| net.response_norm("norm", x, 1e-6));
    case("merge", MAP, &|net, x| net.merge_patches("merge", x));
    case("rms_norm", TEXT, &|net, x| net.rms_norm("norm", x, 12, 1e-6));
    case("rms_norm_parts", TEXT, &|net, x| net.rms_norm("norm", x, 4, 1e-6));
    for (name, pairs) in [("halves", Pairs::Halves), ("neighbours", Pairs::Neighbours)] {
        let how = Rotary { depth: 6, turned: 4, theta: 100.0, pairs, scaling: None };
        case(&format!("rotary_{name}"), TEXT, &|net, x| net.rotary("turned", x, how));
    }
    let small = Shape::Map { channels: 6, height: 4, width: 4 };
    for (name, shape) in [("trained", small), ("another_size", MAP)] {
        case(&format!("tokens_{name}"), shape, &|net, x| {
            let before = [("class_token", 1), ("registers", 2)];
            net.tokens_placed("tokens", x, &before, ("positions", (4, 4), 1), Interpolation::Bicubic)
        });
    }
    case("attention", TOKENS, &|net, x| {
        let x = net.linear("qkv", x, 24);
        net.attention("attention", x, 2)
    });
    case("attention_of_a_map", MAP, &|net, x| net.attention("attention", x, 2));
    case("attention_of_queries", TOKENS, &|net, x| {
        let queries = net.constant("queries", "queries", (3, 6));
        net.cross_attention("attention", queries, x, 2)
    });
    case("attention_of_values", TOKENS, &|net, x| {
        let queries = net.constant("queries", "queries", (3, 12));
        net.cross_attention("attention", queries, x, 2)
    });
    case("attention_biased", TOKENS, &|net, x| {
        let x = net.linear("qkv", x, 24);
        net.biased_attention("attention", "pairs", x, 2, 11)
    });
    for (name, side, shift) in [("windows", 2, 0), ("windows_shifted", 2, 1)] {
        let map = Shape::Map { channels: 12, height: 4, width: 6 };
        case(name, map, &|net, x| net.window_attention("attention", "pairs", x, 2, (side, shift)));
    }
    for (name, how) in [
        ("all", TextAttention::new(2)),
        ("before", TextAttention { reach: Reach::BEFORE, scale: Some(0.3), ..TextAttention::new(3) }),
        ("near", TextAttention { reach: Reach { back: Some(1), ahead: Some(2) }, ..TextAttention::new(2) }),
        ("grouped", TextAttention { key_heads: 1, ..TextAttention::new(2) }),
    ] {
        case(&format!("text_attention_{name}"), TEXT, &|net, x| {
            let parts = [("q", how.heads), ("k", how.key_heads), ("v", how.key_heads)];
            let parts = parts.map(|(name, heads)| net.linear(name, x, 4 * heads));
            net.text_attention("attention", &parts, how)
        });
    }
    case("text_attention_joint", TEXT, &|net, x| {
        net.text_attention("attention", &[x], TextAttention::new(2))
    });
    case("text_attention_distances", TEXT, &|net, x| {
        let x = net.linear("qkv", x, 24);
        let distances = net.distances("distances", (8, 2), 16);
        let how = TextAttention { distances: Some(distances), ..TextAttention::new(2) };
        net.text_attention("attention", &[x], how)
    });
    cases
}

/// The part of a network behind about so many of its nodes of a hundred, where it can be cut.
pub(crate) fn last_stage(whole: &Network, from: usize, (height, width): (usize, usize)) -> Network {
    let first = whole.nodes().len() * from / 100;
    let mut names = whole.nodes()[first..].iter().map(|node| node.name.as_str());
    names.find_map(|name| Some(whole.cut(&[name], height, width).ok()?.1)).expect("somewhere")
}

/// The last stage of a network of each family.
pub(crate) fn families() -> Vec<Case> {
    let pictures = [
        ("resnet18", 64),
        ("resnext50_32x4d", 64),
        ("vgg11_bn", 64),
        ("alexnet", 96),
        ("squeezenet1_1", 96),
        ("googlenet", 96),
        ("inception_v3", 107),
        ("densenet121", 64),
        ("mobilenet_v2", 96),
        ("mobilenet_v3_small", 96),
        ("mobilenetv4_conv_small", 96),
        ("mnasnet1_0", 96),
        ("shufflenet_v2_x1_0", 96),
        ("efficientnet_b0", 96),
        ("regnet_y_400mf", 96),
        ("convnext_tiny", 96),
        ("convnextv2_atto", 96),
        ("vit_b_16", 64),
        ("vit_small_patch14_dinov2", 70),
        ("vit_base_patch16_siglip_224", 64),
        ("vit_base_patch32_clip_224", 96),
        ("swin_t", 224),
    ];
    let pictures = pictures.into_iter().map(|(name, side)| {
        let entry = zoo::find(name).expect("it is in the zoo");
        let whole = entry.network().for_taps(&[entry.default_tap]).expect("it has its tap");
        let network = last_stage(&whole, 60, (side, side));
        Case { name: name.to_owned(), network, samples: 3, ends: Vec::new() }
    });
    let texts = text_networks::small().into_iter().map(|(whole, _)| {
        let network = last_stage(&whole, 50, (1, 1));
        Case { name: whole.name().to_owned(), network, samples: 3, ends: vec![40, 41, 100] }
    });
    pictures.chain(texts).collect()
}
