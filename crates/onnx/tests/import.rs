//! Graphs as other programs spell them, and what they become.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

mod common;

use common::{File, Float, Int, Ints, Text, operations};
use headstart_onnx::{ImportError, Layout, Options};
use network::{Activation, Op, Padding, Pair};

fn op<'a>(imported: &'a headstart_onnx::Imported, name: &str) -> &'a Op {
    let network = imported.bound.network();
    &network.node(network.resolve(name).unwrap()).op
}

/// A classifier with one convolution.
fn classifier() -> File {
    File::new(17, [3, 8, 8])
        .wave("conv.weight", &[4, 3, 3, 3])
        .wave("conv.bias", &[4])
        .wave("fc.weight", &[5, 4])
        .wave("fc.bias", &[5])
        .node("Conv", &["x", "conv.weight", "conv.bias"], "a", &[Ints("pads", &[1, 1, 1, 1])])
        .node("Relu", &["a"], "b", &[])
        .node("GlobalAveragePool", &["b"], "c", &[])
        .node("Flatten", &["c"], "d", &[])
        .node("Gemm", &["d", "fc.weight", "fc.bias"], "logits", &[Int("transB", 1)])
}

#[test]
fn a_classifier_keeps_its_names() {
    let imported = classifier().imported();
    assert_eq!(operations(&imported), "Input Conv Activation GlobalAveragePool Linear");
    let network = imported.bound.network();
    let params: Vec<&str> = network.params().iter().map(|param| param.name.as_str()).collect();
    assert_eq!(params, ["conv.weight", "conv.bias", "fc.weight", "fc.bias"]);
    assert_eq!(imported.default_tap, "pooled");
    assert_eq!(imported.metadata, [("key".to_owned(), "value".to_owned())]);
    let source = imported.source;
    assert_eq!(
        (source.layout, source.channels, source.size, source.is_fixed),
        (Layout::ChannelsFirst, 3, (8, 8), true)
    );
    // Nodes, values, and the two usual taps.
    for (name, width) in [("Relu_2", 4), ("b", 4), ("pooled", 4), ("logits", 5), ("Gemm_5", 5)] {
        assert_eq!(network.for_taps(&[name]).unwrap().widths(8, 8).unwrap(), [width], "{name}");
    }
    // The same file, the same network.
    let again = classifier().imported();
    assert_eq!(again.bound.digest(), imported.bound.digest());
    assert_eq!(again.bound.network().fingerprint(), network.fingerprint());
}

#[test]
fn spellings_of_activations_are_one() {
    let number = |file: File, name: &str, value: f32| file.floats(name, &[], &[value]);
    let begin =
        |opset| File::new(opset, [3, 8, 8]).wave("w", &[4, 3, 1, 1]).node("Conv", &["x", "w"], "a", &[]);
    let gelu = number(number(number(begin(17), "root", 2_f32.sqrt()), "one", 1.0), "half", 0.5);
    let gelu = gelu
        .node("Div", &["a", "root"], "b", &[])
        .node("Erf", &["b"], "c", &[])
        .node("Add", &["c", "one"], "d", &[])
        .node("Mul", &["a", "d"], "e", &[])
        .node("Mul", &["e", "half"], "y", &[]);
    let silu = begin(17).node("Sigmoid", &["a"], "b", &[]).node("Mul", &["b", "a"], "y", &[]);
    let relu6 = begin(9).node("Clip", &["a"], "y", &[Float("min", 0.0), Float("max", 6.0)]);
    let newer =
        number(number(begin(13), "low", 0.0), "high", 6.0).node("Clip", &["a", "low", "high"], "y", &[]);
    let leaky = number(begin(17), "slope", 0.1).node("Mul", &["a", "slope"], "b", &[]).node(
        "Max",
        &["a", "b"],
        "y",
        &[],
    );
    let swish = begin(17)
        .node("HardSigmoid", &["a"], "b", &[Float("alpha", 1.0 / 6.0), Float("beta", 0.5)])
        .node("Mul", &["a", "b"], "y", &[]);
    // Of a shifted number, and scaled after.
    let shifted = number(number(number(begin(17), "three", 3.0), "six", 6.0), "zero", 0.0);
    let shifted = number(number(shifted, "f", 1.5), "g", 0.7)
        .node("Mul", &["a", "f"], "s", &[])
        .node("Add", &["s", "g"], "t", &[])
        .node("Add", &["t", "three"], "b", &[])
        .node("Clip", &["b", "zero", "six"], "c", &[])
        .node("Mul", &["t", "c"], "d", &[])
        .node("Div", &["d", "six"], "y", &[]);
    for (file, function, operations_are) in [
        (gelu, Activation::Gelu, "Input Conv Activation"),
        (silu, Activation::Silu, "Input Conv Activation"),
        (relu6, Activation::Relu6, "Input Conv Activation"),
        (newer, Activation::Relu6, "Input Conv Activation"),
        (leaky, Activation::LeakyRelu { slope: 0.1 }, "Input Conv Activation"),
        (swish, Activation::HardSwish, "Input Conv Activation"),
        (shifted, Activation::HardSwish, "Input Conv BatchNorm Activation"),
    ] {
        let imported = file.imported();
        assert_eq!(operations(&imported), operations_are, "{function:?}");
        assert_eq!(*op(&imported, "y"), Op::Activation { function }, "{function:?}");
    }
}

#[test]
fn windows_are_padded_as_each_form_says() {
    let conv = |attributes: &[common::Attribute<'_>]| {
        let file = File::new(17, [3, 9, 8]).wave("w", &[4, 3, 3, 3]);
        let imported = file.node("Conv", &["x", "w"], "y", attributes).imported();
        let Op::Conv { stride, padding, dilation, .. } = *op(&imported, "y") else {
            panic!("no convolution")
        };
        (stride, padding, dilation)
    };
    let pads = |top, left, bottom, right| Padding { top, left, bottom, right };
    let two = Pair::from(2);
    assert_eq!(conv(&[]), (Pair::ONE, Padding::NONE, Pair::ONE));
    let upper = [Text("auto_pad", "SAME_UPPER"), Ints("strides", &[2, 2])];
    assert_eq!(conv(&upper), (two, pads(1, 0, 1, 1), Pair::ONE));
    let lower = [Text("auto_pad", "SAME_LOWER"), Ints("strides", &[2, 2])];
    assert_eq!(conv(&lower), (two, pads(1, 1, 1, 0), Pair::ONE));
    let own = [Ints("pads", &[2, 1, 0, 3]), Ints("dilations", &[2, 1])];
    assert_eq!(conv(&own), (Pair::ONE, pads(2, 1, 0, 3), Pair { y: 2, x: 1 }));
    // Zeros of a node before go into the window.
    let file = File::new(17, [3, 9, 8]).wave("w", &[4, 3, 3, 3]).list("pads", &[0, 0, 0, 1, 0, 0, 2, 0]);
    let imported = file.node("Pad", &["x", "pads"], "p", &[]).node("Conv", &["p", "w"], "y", &[]).imported();
    assert_eq!(operations(&imported), "Input Conv");
    assert!(matches!(op(&imported, "y"), Op::Conv { padding, .. } if *padding == pads(0, 1, 2, 0)));
}

#[test]
fn channels_may_stand_last() {
    // As tf2onnx writes it: turned at both ends, and weights of a dense layer in another order.
    let imported = File::new(13, [4, 4, 3])
        .wave("w", &[2, 3, 1, 1])
        .wave("fc", &[32, 5])
        .list("shape", &[1, 32])
        .node("Transpose", &["x"], "a", &[Ints("perm", &[0, 3, 1, 2])])
        .node("Conv", &["a", "w"], "b", &[])
        .node("Transpose", &["b"], "c", &[Ints("perm", &[0, 2, 3, 1])])
        .node("Reshape", &["c", "shape"], "d", &[])
        .node("MatMul", &["d", "fc"], "y", &[])
        .imported();
    assert_eq!(operations(&imported), "Input Conv Flatten Linear");
    assert_eq!(imported.source.layout, Layout::ChannelsLast);
    let network = imported.bound.network();
    let weight = imported.bound.tensor(network.param_named("fc").unwrap());
    assert_eq!(weight.shape, [5, 32]);
    // Output 2, channel 1, place 3: in the file row 3 · 2 + 1.
    let wave = |at: usize| (at as f32 * 0.7 + 0.3).sin();
    assert_eq!(weight.data[2 * 32 + 16 + 3], wave((3 * 2 + 1) * 5 + 2));
}

#[test]
fn squeezing_and_exciting_is_a_gate() {
    let file = File::new(17, [3, 8, 8])
        .wave("w", &[4, 3, 1, 1])
        .wave("fc", &[4, 4])
        .list("axes", &[2, 3])
        .list("shape", &[-1, 4, 1, 1])
        .node("Conv", &["x", "w"], "a", &[])
        .node("ReduceMean", &["a"], "b", &[Ints("axes", &[2, 3]), Int("keepdims", 0)])
        .node("MatMul", &["b", "fc"], "c", &[])
        .node("Sigmoid", &["c"], "d", &[])
        .node("Reshape", &["d", "shape"], "e", &[])
        .node("Mul", &["a", "e"], "y", &[]);
    assert_eq!(operations(&file.imported()), "Input Conv AdaptiveAveragePool Linear Activation Gate");
}

/// Queries, keys and values of two heads from one dense layer, as timm's exports spell it; a factor of `scale`.
fn attention(scale: f32) -> File {
    File::new(17, [3, 8, 8])
        .wave("patch", &[8, 3, 4, 4])
        .wave("cls", &[1, 1, 8])
        .wave("pos", &[1, 5, 8])
        .wave("qkv", &[8, 24])
        .wave("qkv.bias", &[24])
        .floats("scale", &[], &[scale])
        .list("rows", &[1, 8, 4])
        .list("split", &[1, 5, 3, 2, 4])
        .list("joined", &[1, 5, 8])
        .integers("first", &[], &[0])
        .integers("second", &[], &[1])
        .integers("third", &[], &[2])
        .node("Conv", &["x", "patch"], "a", &[Ints("strides", &[4, 4])])
        .node("Reshape", &["a", "rows"], "b", &[])
        .node("Transpose", &["b"], "c", &[Ints("perm", &[0, 2, 1])])
        .node("Concat", &["cls", "c"], "d", &[Int("axis", 1)])
        .node("Add", &["d", "pos"], "e", &[])
        .node("MatMul", &["e", "qkv"], "f", &[])
        .node("Add", &["qkv.bias", "f"], "g", &[])
        .node("Reshape", &["g", "split"], "h", &[])
        .node("Transpose", &["h"], "i", &[Ints("perm", &[2, 0, 3, 1, 4])])
        .node("Gather", &["i", "first"], "q", &[])
        .node("Gather", &["i", "second"], "k", &[])
        .node("Gather", &["i", "third"], "v", &[])
        .node("Mul", &["q", "scale"], "qs", &[])
        .node("Transpose", &["k"], "kt", &[Ints("perm", &[0, 1, 3, 2])])
        .node("MatMul", &["qs", "kt"], "scores", &[])
        .node("Softmax", &["scores"], "shares", &[Int("axis", -1)])
        .node("MatMul", &["shares", "v"], "mixed", &[])
        .node("Transpose", &["mixed"], "turned", &[Ints("perm", &[0, 2, 1, 3])])
        .node("Reshape", &["turned", "joined"], "out", &[])
        .node("Add", &["out", "e"], "y", &[])
}

#[test]
fn attention_is_known_however_it_is_scaled() {
    let imported = attention(0.5).imported();
    assert_eq!(operations(&imported), "Input Conv Tokens Linear Attention Add");
    assert_eq!(imported.default_tap, "output");
    let network = imported.bound.network();
    assert_eq!(imported.bound.tensor(network.param_named("pos").unwrap()).data.len(), 40);
    // The depth alone would say ½. Twice that goes into the queries' weights, and nowhere else.
    let other = attention(1.0).imported();
    assert_eq!(operations(&other), "Input Conv Tokens Linear Attention Add");
    let weights = |imported: &headstart_onnx::Imported| {
        let network = imported.bound.network();
        let linear = network.nodes().iter().find_map(|node| match node.op {
            Op::Linear { weight, .. } => Some(weight),
            _ => None,
        });
        imported.bound.tensor(linear.unwrap()).data.clone()
    };
    let (one, two) = (weights(&imported), weights(&other));
    assert!(one[..64].iter().zip(&two[..64]).all(|(one, two)| (two - 2.0 * one).abs() < 1e-6));
    assert_eq!(one[64..], two[64..]);
}

#[test]
fn layer_norms_are_known_by_their_steps() {
    let file = File::new(17, [3, 8, 8])
        .wave("w", &[4, 3, 1, 1])
        .floats("two", &[], &[2.0])
        .floats("eps", &[], &[1e-6])
        .wave("gamma", &[4])
        .wave("beta", &[4])
        .node("Conv", &["x", "w"], "a", &[])
        .node("Transpose", &["a"], "b", &[Ints("perm", &[0, 2, 3, 1])])
        .node("ReduceMean", &["b"], "mean", &[Ints("axes", &[-1])])
        .node("Sub", &["b", "mean"], "c", &[])
        .node("Pow", &["c", "two"], "d", &[])
        .node("ReduceMean", &["d"], "variance", &[Ints("axes", &[-1])])
        .node("Add", &["variance", "eps"], "e", &[])
        .node("Sqrt", &["e"], "f", &[])
        .node("Div", &["c", "f"], "g", &[])
        .node("Mul", &["g", "gamma"], "h", &[])
        .node("Add", &["h", "beta"], "y", &[])
        .node("Transpose", &["y"], "z", &[Ints("perm", &[0, 3, 1, 2])]);
    let imported = file.imported();
    assert_eq!(operations(&imported), "Input Conv LayerNorm");
    let params: Vec<&str> =
        imported.bound.network().params().iter().map(|param| param.name.as_str()).collect();
    assert_eq!(params, ["w", "gamma", "beta"]);
}

#[test]
fn channels_are_shuffled_and_cut() {
    let file = File::new(17, [3, 8, 8])
        .wave("w", &[6, 3, 1, 1])
        .list("apart", &[1, 2, 3, 8, 8])
        .list("together", &[1, 6, 8, 8])
        .list("halves", &[3, 3])
        .node("Conv", &["x", "w"], "a", &[])
        .node("Reshape", &["a", "apart"], "b", &[])
        .node("Transpose", &["b"], "c", &[Ints("perm", &[0, 2, 1, 3, 4])])
        .node("Reshape", &["c", "together"], "d", &[])
        .node("Split", &["d", "halves"], "e f", &[Int("axis", 1)])
        .node("Relu", &["e"], "g", &[])
        .node("Concat", &["f", "g"], "y", &[Int("axis", 1)]);
    let imported = file.imported();
    // The halves go through a shuffled whole, or are picked one by one where a cut falls into a group.
    assert!(operations(&imported).ends_with("Concat"), "{}", operations(&imported));
    assert_eq!(imported.bound.network().widths(8, 8).unwrap(), [6 * 64]);
}

#[test]
fn constants_in_front_of_the_network_are_folded() {
    // (x / 255 - mean) / std, inside the model.
    let file = File::new(17, [3, 8, 8])
        .floats("byte", &[], &[255.0])
        .floats("mean", &[1, 3, 1, 1], &[0.4, 0.5, 0.6])
        .floats("std", &[1, 3, 1, 1], &[0.2, 0.3, 0.4])
        .wave("w", &[4, 3, 3, 3])
        .node("Div", &["x", "byte"], "a", &[])
        .node("Sub", &["a", "mean"], "b", &[])
        .node("Div", &["b", "std"], "c", &[])
        .node("Conv", &["c", "w"], "y", &[]);
    let imported = file.imported();
    assert_eq!(operations(&imported), "Input BatchNorm Conv");
    let network = imported.bound.network();
    let Op::BatchNorm { weight, bias, .. } = network.nodes()[1].op else { panic!("no batch norm") };
    let near = |param, expected: [f32; 3]| {
        let found = &imported.bound.tensor(param).data;
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
    };
    near(weight, [1.0 / 51.0, 1.0 / 76.5, 1.0 / 102.0]);
    near(bias, [-2.0, -0.5 / 0.3, -1.5]);
}

#[test]
fn what_is_not_known_is_named_and_what_comes_before_it_can_be_tapped() {
    let file = classifier().node("Einsum", &["logits"], "end", &[]);
    let said = file.said();
    assert!(said.starts_with("the node `Einsum_6` (Einsum) is an operator that is not known"), "{said}");
    assert!(said.ends_with("nodes before it can be tapped"), "{said}");
    let imported = file.import(Options { tap: Some("Relu_2"), size: None }).unwrap();
    assert_eq!(imported.default_tap, "Relu_2");
    assert_eq!(operations(&imported), "Input Conv Activation");
    // What stands behind a colon says how it becomes a vector, unless a value is called so as a whole.
    for (tap, op) in [("Relu_2:max", Op::GlobalMaxPool), ("Relu_2:flat", Op::Flatten)] {
        let imported = file.import(Options { tap: Some(tap), size: None }).unwrap();
        assert_eq!(imported.default_tap, tap);
        let network = imported.bound.network().for_taps(&[tap]).unwrap();
        assert_eq!(network.node(network.outputs()[0]).op, op);
    }
    let said = file.import(Options { tap: Some("nowhere:max"), size: None }).unwrap_err().to_string();
    assert!(said.contains("no tap `nowhere`"), "{said}");
    let whole = classifier().import(Options { tap: Some("logits"), size: None }).unwrap();
    for tap in ["pooled", "logits"] {
        assert!(whole.bound.network().for_taps(&[tap]).is_ok());
    }
    let said = file.import(Options { tap: Some("end"), size: None }).unwrap_err().to_string();
    assert!(said.contains("`Einsum_6`"), "{said}");
    let said = file.import(Options { tap: Some("nowhere"), size: None }).unwrap_err().to_string();
    assert!(said.contains("no tap `nowhere`"), "{said}");
    for (file, expected) in [
        (
            classifier().node("If", &["logits"], "end", &[common::Graph("then_branch")]),
            "holds a graph of its own",
        ),
        (
            classifier().node("QuantizeLinear", &["logits", "fc.bias"], "end", &[]),
            "a model of floats is needed",
        ),
    ] {
        assert!(file.said().contains(expected), "{}", file.said());
    }
}

#[test]
fn sizes_are_the_files_or_the_callers() {
    let error = |file: &File, size| file.import(Options { size, tap: None }).unwrap_err();
    assert!(matches!(error(&classifier(), Some((9, 8))), ImportError::Size { fixed: (8, 8), asked: (9, 8) }));
    let said = error(&classifier(), Some((9, 8))).to_string();
    assert!(said.ends_with("pixels, 8×9 were asked for; give --resize 8 --crop 8"), "{said}");
    let any = File::new(17, [3, -1, -1]).wave("w", &[4, 3, 3, 3]).node("Conv", &["x", "w"], "y", &[]);
    assert!(matches!(error(&any, None), ImportError::NoSize));
    let imported = any.import(Options { size: Some((20, 30)), tap: None }).unwrap();
    assert_eq!((imported.source.size, imported.source.is_fixed), ((20, 30), false));
    // A picture is asked for that is too small.
    assert!(error(&any, Some((2, 2))).to_string().contains("nothing to read in so small a picture"));
}

#[test]
fn initializers_are_weights_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, classifier().list("sides", &[1, 2]).model()).unwrap();
    let file = weights::open(&path).unwrap();
    // Whole numbers are no weights.
    assert_eq!(file.names(), ["conv.bias", "conv.weight", "fc.bias", "fc.weight"]);
    assert_eq!(file.shape("conv.weight"), Some(&[4, 3, 3, 3][..]));
    let bias = file.read("conv.bias").unwrap().unwrap();
    assert_eq!((bias.shape, bias.data[1]), (vec![4], 1.0_f32.sin()));
    assert!(file.read("other").unwrap().is_none());
    assert!(file.read("sides").unwrap_err().to_string().contains("is stored as I64"));
}

#[test]
fn weights_are_read_however_they_are_stored() {
    use common::{Message, tensor};
    let expected = [1.0_f32, -2.0, 0.5, 0.0];
    let packed = |bytes: &[u8], field| Message::default().bytes(field, bytes).0;
    let raw = |values: Vec<Vec<u8>>| packed(&values.concat(), 9);
    let halves: [u16; 4] = [0x3C00, 0xC000, 0x3800, 0];
    let one_by_one = expected.iter().fold(Message::default(), |message, value| message.float(4, *value));
    let in_integers =
        halves.iter().fold(Message::default(), |message, bits| message.number(5, i64::from(*bits)));
    for (dtype, fields) in [
        (1, raw(expected.iter().map(|value| value.to_le_bytes().to_vec()).collect())),
        (1, one_by_one.0),
        (1, packed(&expected.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>(), 4)),
        (10, raw(halves.iter().map(|bits| bits.to_le_bytes().to_vec()).collect())),
        (10, in_integers.0),
        (11, raw(expected.iter().map(|value| f64::from(*value).to_le_bytes().to_vec()).collect())),
        (16, raw(expected.iter().map(|value| value.to_le_bytes()[2..].to_vec()).collect())),
    ] {
        let mut message = tensor("w", dtype, &[4, 1, 1, 1]);
        message.0.extend(fields);
        let mut file = File::new(17, [3, 4, 4]).wave("v", &[4, 3, 1, 1]);
        file.graph = file.graph.message(5, &message);
        let file =
            file.node("Conv", &["x", "v"], "a", &[]).node("Conv", &["a", "w"], "y", &[Int("group", 4)]);
        let imported = file.imported();
        let param = imported.bound.network().param_named("w").unwrap();
        assert_eq!(imported.bound.tensor(param).data, expected, "{dtype}");
    }
}
