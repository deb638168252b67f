//! What is written comes back as it was; what was not written here is refused.

#![expect(clippy::unwrap_used, reason = "tests")]

use artifact::Dense;
use headstart_network::{
    Bound, Network, Op, Shape, Tensor,
    onnx::{self, OnnxError},
    zoo,
};

fn bound(name: &str, tap: &str) -> Bound {
    let network = (zoo::find(name).unwrap().build)().for_taps(&[tap]).unwrap();
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
    let len = onnx::write(&mut bytes, bound, size, head, &metadata).unwrap();
    assert_eq!(len, bytes.len() as u64);
    bytes
}

/// Operations, and how many nodes they read.
fn steps(network: &Network) -> Vec<(Op, usize)> {
    network.nodes().iter().map(|node| (node.op.clone(), node.inputs.len())).collect()
}

#[test]
fn a_network_comes_back_as_it_was() {
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
        let model = onnx::read(&bytes).unwrap();
        assert_eq!((model.size, model.metadata[1].1.as_str()), (size, "ä"));
        let read = model.bound.network();
        let shapes = read.shapes(size.0, size.1).unwrap();
        let ends: Vec<Shape> = read.outputs().iter().map(|output| shapes[output.index()]).collect();
        assert_eq!(ends, [Shape::Vector(d), Shape::Vector(3)], "{name}");
        for (param, tensor) in bound.tensors() {
            let id = read.param_named(&param.name).unwrap();
            assert_eq!(model.bound.tensor(id), tensor, "{name}: {}", param.name);
        }
        let id = read.param_named("head.1.bias").unwrap();
        assert_eq!(model.bound.tensor(id).data, [0.5; 3]);
        // The graph, but for the head's two dense layers with their ReLU, and a pool that has nothing to do.
        let mut expected = steps(bound.network());
        if size == (224, 224) {
            expected.retain(|(op, _)| !matches!(op, Op::AdaptiveAveragePool { .. }));
        }
        let got = steps(read);
        assert_eq!(got.len(), expected.len() + 3, "{name}");
        assert_eq!(got[..expected.len()], expected, "{name}");
    }
}

#[test]
fn a_backbone_may_go_without_a_head() {
    let bound = bound("headstart_tiny", "pooled");
    let model = onnx::read(&written(&bound, (64, 64), &[])).unwrap();
    assert_eq!(model.bound.network().outputs().len(), 1);
    assert_eq!(model.bound.digest(), bound.digest());
}

#[test]
fn heads_that_do_not_fit_are_refused() {
    let bound = bound("headstart_tiny", "pooled");
    let write = |head: &[Dense]| onnx::write(&mut Vec::new(), &bound, (64, 64), head, &[]).unwrap_err();
    let error = write(&[dense(512, 5)]);
    assert!(matches!(error, OnnxError::HeadWidth { layer: 0, expected: 512, got: 224 }), "{error}");
    let error = write(&[dense(224, 5), dense(6, 2)]);
    assert!(matches!(error, OnnxError::HeadWidth { layer: 1, expected: 6, got: 5 }), "{error}");
    let error = write(&[Dense { bias: vec![], ..dense(224, 5) }]);
    assert!(matches!(error, OnnxError::HeadLength { layer: 0, expected: 1125, got: 1120 }), "{error}");
    let network = (zoo::find("headstart_tiny").unwrap().build)();
    let two = network.for_taps(&["pooled", "layer1"]).unwrap();
    let two = Bound::from_tensors(two, "test", |param| {
        Some(Tensor { shape: param.shape.clone(), data: vec![0.0; param.len()] })
    });
    let error = onnx::write(&mut Vec::new(), &two.unwrap(), (64, 64), &[], &[]).unwrap_err();
    assert!(matches!(error, OnnxError::Outputs(2)), "{error}");
}

#[test]
fn broken_files_are_errors_and_never_panics() {
    let bytes = written(&bound("headstart_tiny", "pooled"), (64, 64), &[dense(224, 2)]);
    assert!(onnx::read(b"").is_err());
    assert!(onnx::read(b"not an onnx file at all").is_err());
    // The graph's nodes stand at the front: break every byte there, in two ways, and cut at many lengths.
    for at in 0..4000 {
        for flip in [1, 0x80] {
            let mut broken = bytes[..].to_vec();
            broken[at] ^= flip;
            let _ = onnx::read(&broken);
        }
    }
    for len in (0..bytes.len()).step_by(9973) {
        assert!(onnx::read(&bytes[..len]).is_err(), "{len}");
    }
}
