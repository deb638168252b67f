//! What is written comes back as it was; what was not written here is refused.

#![expect(clippy::unwrap_used, reason = "tests")]

use headstart_onnx::{
    Body, Ending, Exported, Graph, HeadGraph, Input, Literal, Model, OnnxError, Operator, Tower, Value,
};
use network::{
    Activation, Builder, Conv, Network, Op,
    families::vit::{Head, Vit},
    zoo,
};
use weights::{Bound, Dense, Tensor, head_graph};

fn bound(name: &str, tap: &str) -> Bound {
    filled(zoo::find(name).unwrap().network().for_taps(&[tap]).unwrap())
}

fn filled(network: Network) -> Bound {
    let fill = |len: usize| (0..len).map(|i| (i % 97) as f32 / 97.0).collect();
    Bound::from_tensors(network, "test", |param| {
        Some(Tensor { shape: param.shape.clone(), data: fill(param.len()) })
    })
    .unwrap()
}

fn dense(inputs: usize, outputs: usize) -> Dense {
    Dense { inputs, outputs, weight: vec![0.25; inputs * outputs], bias: vec![0.5; outputs] }
}

fn written(bound: &Bound, size: (usize, usize), head: &[Dense]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let metadata = [("headstart.tap".to_owned(), "pooled".to_owned()), ("a".to_owned(), "ä".to_owned())];
    let layers = (!head.is_empty()).then(|| head_graph(None, head).unwrap());
    let head = layers.as_ref().map(classes);
    let towers = [Tower::alone(bound, size)];
    let exported = Exported { towers: &towers, head, halves: false, metadata: &metadata };
    let len = headstart_onnx::write_model(&mut bytes, &exported).unwrap();
    assert_eq!(len, bytes.len() as u64);
    bytes
}

fn classes(layers: &Bound) -> HeadGraph<'_> {
    HeadGraph { body: Body::Layers(layers), ending: Ending::Classes, novelty: None }
}

/// How many nodes of an operator there are.
fn count(graph: &Graph, wanted: impl Fn(&Operator) -> bool) -> usize {
    graph.steps.iter().filter(|step| wanted(&step.operator)).count()
}

#[test]
fn a_network_comes_back_as_the_graph_it_was_written_as() {
    for (name, tap, size) in [
        ("headstart_tiny", "pooled", (64, 64)),
        ("resnet50", "layer1", (65, 97)),
        ("mobilenet_v2", "pooled", (64, 64)),
        ("squeezenet1_1", "logits", (65, 70)),
        ("vgg11", "avgpool", (64, 300)),
        ("vgg11", "avgpool", (224, 224)),
    ] {
        let bound = bound(name, tap);
        let d = bound.network().widths(size.0, size.1).unwrap()[0];
        let head = [dense(d, 7), dense(7, 3)];
        let bytes = written(&bound, size, &head);
        assert_eq!(bytes, written(&bound, size, &head), "{name}: the same bytes");
        let Model { graph, inputs, metadata } = headstart_onnx::read(&bytes).unwrap();
        let input = Input::Pixels { name: "pixels".to_owned(), sides: [3, size.0, size.1] };
        assert_eq!((inputs, metadata[1].1.as_str()), (vec![input], "ä"));
        assert_eq!(graph.name, name);
        let outputs: Vec<_> = graph.outputs.iter().map(|output| (output.name, output.form.width())).collect();
        assert_eq!(outputs, [("features", d), ("logits", 3), ("probabilities", 3)], "{name}");

        // Weights stand in the network's order, then what was made for the file.
        for ((param, tensor), read) in bound.tensors().zip(&graph.tensors) {
            assert_eq!(Literal::Floats(tensor.clone()), *read, "{name}: {}", param.name);
        }
        let bias = Tensor { shape: vec![3], data: vec![0.5; 3] };
        assert_eq!(*graph.tensors.last().unwrap(), Literal::Floats(bias), "{name}");

        let ours =
            |wanted: fn(&Op) -> bool| bound.network().nodes().iter().filter(|node| wanted(&node.op)).count();
        let convolutions = count(&graph, |operator| matches!(operator, Operator::Conv { .. }));
        assert_eq!(convolutions, ours(|op| matches!(op, Op::Conv { .. })), "{name}");
        let sums = count(&graph, |operator| *operator == Operator::Add);
        assert_eq!(sums, ours(|op| *op == Op::Add), "{name}");
        // A pool into as many cells as there are places has nothing to do.
        let pools =
            if size == (224, 224) { 0 } else { ours(|op| matches!(op, Op::AdaptiveAveragePool { .. })) };
        assert_eq!(count(&graph, |operator| *operator == Operator::MatMul), 2 * pools, "{name}");
    }
}

#[test]
fn every_family_is_written() {
    for (name, tap, size) in [
        ("resnet18d", "layer2", (65, 97)),
        ("densenet121", "denseblock2", (64, 64)),
        ("mobilenet_v3_small", "pooled", (64, 64)),
        ("mobilenetv4_conv_small", "pooled", (64, 64)),
        ("efficientnet_b0", "pooled", (64, 64)),
        ("regnet_y_400mf", "pooled", (64, 64)),
        ("convnext_tiny", "stage2", (64, 64)),
        ("vit_tiny_patch16_224", "pooled", (64, 96)),
        ("vit_small_patch14_reg4_dinov2", "blocks.0", (70, 98)),
        ("swin_t", "stage2", (224, 224)),
    ] {
        comes_back(&bound(name, tap), size);
    }
    // SigLIP's head, whose own network is large.
    let small = Vit { depth: 1, head: Head::Attention, ..Vit::tiny(16) }.build("siglip");
    comes_back(&filled(small), (64, 64));
}

fn comes_back(bound: &Bound, size: (usize, usize)) {
    let d = bound.network().widths(size.0, size.1).unwrap()[0];
    let graph = headstart_onnx::read(&written(bound, size, &[])).unwrap().graph;
    let outputs: Vec<_> = graph.outputs.iter().map(|output| output.form.width()).collect();
    assert_eq!((graph.name.as_str(), outputs), (bound.network().name(), vec![d]));
}

#[test]
fn a_backbone_may_go_without_a_head() {
    let bound = bound("headstart_tiny", "pooled");
    let graph = headstart_onnx::read(&written(&bound, (64, 64), &[])).unwrap().graph;
    assert_eq!(graph.outputs.len(), 1);
    assert_eq!(graph.outputs[0].value, Value::Step(graph.steps.len() - 1));
}

#[test]
fn maps_are_turned_no_more_often_than_they_must() {
    // Two blocks as ConvNeXt has them: only the depthwise convolution wants its channels first.
    let mut net = Builder::image();
    let mut x = net.conv("stem", net.input(), Conv::new(8, 4).stride(4).pad(0).bias());
    x = net.layer_norm("norm", x, 1e-6);
    for block in ["one", "two"] {
        let y = net.conv(&format!("{block}.conv"), x, Conv::new(8, 7).groups(8));
        let y = net.layer_norm(&format!("{block}.norm"), y, 1e-6);
        let y = net.linear(&format!("{block}.up"), y, 32);
        let y = net.activation(&format!("{block}.gelu"), y, Activation::Gelu);
        let y = net.linear(&format!("{block}.down"), y, 8);
        let y = net.scale(&format!("{block}.scale"), &format!("{block}.gamma"), &[8, 1, 1], y);
        x = net.add(&format!("{block}.sum"), x, y);
    }
    let network = net.finish("blocks", x).for_taps(&["two.sum"]).unwrap();
    let graph = headstart_onnx::read(&written(&filled(network), (16, 20), &[])).unwrap().graph;
    let turns = |operator: &Operator| matches!(operator, Operator::Transpose { perm } if perm.len() == 4);
    // After the stem, around each convolution, and before the mean.
    assert_eq!(count(&graph, turns), 1 + 2 * 2 + 1);
    assert_eq!(graph.outputs[0].form.width(), 8);
}

#[test]
fn names_are_never_given_twice() {
    // Names that the graph's own values bear, or the head's.
    let mut net = Builder::image();
    let x = net.conv("features", net.input(), Conv::new(8, 1));
    let x = net.conv("pixels", x, Conv::new(8, 1));
    let x = net.global_average_pool("logits", x);
    let x = net.linear_with("head.0", ["neck.weight", "neck.bias"], x, 8);
    let x = net.relu("scalar/0", x);
    let network = net.finish("clashes", x).for_taps(&["scalar/0"]).unwrap();
    let graph = headstart_onnx::read(&written(&filled(network), (8, 8), &[dense(8, 2)])).unwrap().graph;
    let names: Vec<_> = graph.steps.iter().map(|step| step.name.as_str()).collect();
    let expected =
        ["features/", "pixels/", "logits/map", "logits/", "head.0", "features", "logits", "probabilities"];
    assert_eq!(names, expected);
}

#[test]
fn heads_that_do_not_fit_are_refused() {
    let bound = bound("headstart_tiny", "pooled");
    let write = |bound: &Bound, head: &Bound| {
        let towers = [Tower::alone(bound, (64, 64))];
        let head = Some(classes(head));
        let exported = Exported { towers: &towers, head, halves: false, metadata: &[] };
        headstart_onnx::write_model(&mut Vec::new(), &exported).unwrap_err()
    };
    let wide = head_graph(None, &[dense(512, 5)]).unwrap();
    assert_eq!(write(&bound, &wide).to_string(), "the head takes 512 features, the backbone gives 224");
    assert!(matches!(write(&wide, &wide), OnnxError::NoPicture));
    assert!(matches!(write(&bound, &bound), OnnxError::NoOutput));
    let error = head_graph(None, &[dense(224, 5), dense(6, 2)]).unwrap_err().to_string();
    assert!(error.contains("`head.1.weight` should have the shape [2, 5]"), "{error}");
    assert!(head_graph(None, &[Dense { bias: vec![], ..dense(224, 5) }]).is_err());
    let network = zoo::find("headstart_tiny").unwrap().network();
    let two = network.for_taps(&["pooled", "layer1"]).unwrap();
    let two = Bound::from_tensors(two, "test", |param| {
        Some(Tensor { shape: param.shape.clone(), data: vec![0.0; param.len()] })
    });
    let two = two.unwrap();
    let shapes = two.network().shapes(64, 64).unwrap();
    let width: usize = two.network().outputs().iter().map(|output| shapes[output.index()].len()).sum();
    let mut file = Vec::new();
    headstart_onnx::write(&mut file, &two, (64, 64), &[]).unwrap();
    let model = headstart_onnx::read(&file).unwrap();
    assert_eq!(model.graph.outputs.iter().map(|output| output.form.width()).collect::<Vec<_>>(), [width]);
}

/// Gives the node, initializer or part of the model that is refused after `from` was replaced by `to`.
fn refused(bytes: &[u8], from: &[u8], to: &[u8]) -> (String, &'static str) {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    let changed = [&bytes[..at], to, &bytes[at + to.len()..]].concat();
    match headstart_onnx::read(&changed).unwrap_err() {
        OnnxError::Foreign { node, reason } => (node, reason),
        other => panic!("{other}"),
    }
}

#[test]
fn what_is_never_written_is_refused() {
    let bytes = written(&bound("headstart_tiny", "pooled"), (64, 64), &[dense(224, 2)]);
    for (from, to, node, reason) in [
        // Of the model.
        (&b"headstart"[..], &b"someothers"[..9], "model", "another program"),
        (&[0x10, 17], &[0x10, 18], "model", "another version"),
        // An attribute of another name, and one with another value than is ever written.
        (b"strides", b"stridez", "conv1", "never written"),
        (b"transB\x18\x01", b"transB\x18\x02", "logits", "never written"),
        (b"Softmax", b"Hardmax", "probabilities", "never written"),
        // Wiring.
        (b"\x0a\x06pixels\x0a", b"\x0a\x06pixelz\x0a", "conv1", "not there"),
        (b"batch", b"bitch", "pixels", "rank 4"),
    ] {
        let got = refused(&bytes, from, to);
        assert!(got.0 == node && got.1.contains(reason), "{from:?}: {got:?}");
    }
    let mut longer = bytes.clone();
    // Field 4 of the model: a domain, which is never written.
    longer.extend(b"\x22\x01a");
    let error = headstart_onnx::read(&longer).unwrap_err().to_string();
    assert_eq!(
        error,
        "`model` has fields that are never written; only graphs that Headstart wrote can be read back"
    );
    let mut not_finite = bytes.clone();
    let end = not_finite.len() - 4;
    not_finite[end..].copy_from_slice(&f32::INFINITY.to_le_bytes());
    let error = headstart_onnx::read(&not_finite).unwrap_err().to_string();
    assert!(error.starts_with("`head.0.bias` holds a number that is not finite"), "{error}");
}

#[test]
fn broken_files_are_errors_and_never_panics() {
    let bytes = written(&bound("headstart_tiny", "pooled"), (64, 64), &[dense(224, 2)]);
    assert!(headstart_onnx::read(b"").is_err());
    assert!(headstart_onnx::read(b"not an onnx file at all").is_err());
    // The graph's nodes stand at the front: break every byte there, in two ways, and cut at many lengths.
    for at in 0..4000 {
        for flip in [1, 0x80] {
            let mut broken = bytes[..].to_vec();
            broken[at] ^= flip;
            let _ = headstart_onnx::read(&broken);
        }
    }
    for len in (0..bytes.len()).step_by(9973) {
        assert!(headstart_onnx::read(&bytes[..len]).is_err(), "{len}");
    }
}
