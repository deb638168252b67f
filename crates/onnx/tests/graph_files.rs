//! Graphs as files say them, which may be long, and may ask for anything.

use network::Network;
use weights::{Bound, Tensor};

/// A graph file of those nodes and parameters; its features are the last node.
fn file(nodes: &[String], params: &str) -> String {
    let output = nodes.len() - 1;
    let nodes = nodes.join(",");
    format!(
        r#"{{"name":"file","nodes":[{nodes}],"params":[{params}],"outputs":[{output}],"taps":[],"modules":[]}}"#
    )
}

fn node(name: &str, op: &str, inputs: &[usize]) -> String {
    format!(r#"{{"name":"{name}",{op},"inputs":{inputs:?}}}"#)
}

const INPUT: &str = r#""op":"input","channels":3"#;

#[test]
fn a_hundred_thousand_nodes_are_no_more_than_long() {
    const NODES: usize = 100_000;
    // Every node gives what the one before it does, so that whatever asks what that is goes all the way back.
    for (kind, vector) in [("a vector", true), ("a map", false)] {
        let second =
            if vector { r#""op":"global_average_pool""# } else { r#""op":"activation","function":"relu""# };
        let mut nodes = vec![node("input", INPUT, &[]), node("second", second, &[0])];
        for at in 2..NODES {
            let (op, inputs) = match at % 3 {
                0 => (r#""op":"add""#, vec![at - 1, at - 1]),
                _ => (r#""op":"activation","function":"relu""#, vec![at - 1]),
            };
            nodes.push(node(&format!("n{at}"), op, &inputs));
        }
        let network: Network = serde_json::from_str(&file(&nodes, "")).unwrap();
        // Half of what a test's thread has.
        let stack = std::thread::Builder::new().stack_size(1 << 20);
        let work = move || {
            let last = format!("n{}", NODES - 1);
            let network = network.for_taps(&[&last]).unwrap();
            assert_eq!(
                network.nodes().len(),
                NODES + usize::from(!vector),
                "{kind}: a mean is appended to a map"
            );
            assert_eq!(network.widths(8, 8).unwrap(), [3]);
            assert_eq!(network.multiplications(8, 8).unwrap(), 0);
            let bound = Bound::from_tensors(network, "none", |_| None).unwrap();
            let mut bytes = Vec::new();
            headstart_onnx::write(&mut bytes, &bound, (8, 8), &[]).unwrap();
            assert!(headstart_onnx::read(&bytes).unwrap().graph.steps.len() >= NODES - 1);
        };
        stack.spawn(work).unwrap().join().unwrap();
    }
}

#[test]
fn parameters_that_cannot_be_counted_are_refused() {
    let nodes = [node("input", INPUT, &[]), node("fc", r#""op":"linear","weight":0,"bias":null"#, &[0])];
    let read = |params: &str| serde_json::from_str::<Network>(&file(&nodes, params));
    let half = usize::MAX / 8;
    for params in [
        // The product wraps to 0, and to 4.
        format!(r#"{{"name":"w","shape":[{},{}]}}"#, 1_u64 << 32, 1_u64 << 32),
        format!(r#"{{"name":"w","shape":[{},4]}}"#, (1_u64 << 62) + 1),
        format!(r#"{{"name":"w","shape":[{half},2]}}"#),
        format!(r#"{{"name":"w","shape":[{half},3,0]}}"#),
        // Each alone could be.
        format!(r#"{{"name":"other","shape":[{half},1]}},{{"name":"w","shape":[2,1]}}"#),
    ] {
        let error = read(&params).unwrap_err().to_string();
        assert!(error.contains("`w` has more numbers than memory can hold"), "{params}: {error}");
    }
    let network = read(&format!(r#"{{"name":"w","shape":[{},3]}}"#, half / 4)).unwrap();
    assert_eq!(network.params()[0].len(), half / 4 * 3);
    // What it would compute is more than can be counted, and its result more than memory has.
    assert!(network.shapes(1 << 20, 1 << 20).is_err());
    let filled = Bound::from_tensors(network, "memory", |_| Some(Tensor { shape: vec![1], data: vec![0.0] }));
    assert!(filled.unwrap_err().to_string().contains("`w`"));
}

#[test]
fn windows_that_cannot_be_counted_are_refused() {
    for (field, value) in
        [("kernel", 1_u64 << 63), ("stride", 1 << 63), ("stride", 1 << 16), ("kernel", 1 << 16)]
    {
        let op = r#""op":"max_pool","kernel":3,"stride":2,"padding":1,"ceil":true"#;
        let read = |op: &str| {
            let nodes = [node("input", INPUT, &[]), node("pool", op, &[0])];
            serde_json::from_str::<Network>(&file(&nodes, ""))
        };
        assert!(read(op).is_ok());
        let now = if field == "kernel" { "3" } else { "2" };
        let op = op.replace(&format!(r#""{field}":{now}"#), &format!(r#""{field}":{value}"#));
        let error = read(&op).unwrap_err().to_string();
        assert!(error.contains("`pool` has a size that makes no sense"), "{op}: {error}");
    }
}
