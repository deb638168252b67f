//! Files that ask for too much, lie, or are no files of ONNX: one line each, in little memory and time.

#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

mod common;

use common::{File, Int, Ints, Message, import_bytes, port, tensor, typed_port};
use headstart_onnx::Options;
use std::time::{Duration, Instant};

fn said(bytes: &[u8]) -> String {
    let start = Instant::now();
    let error = import_bytes(bytes, Options::default()).unwrap_err().to_string();
    assert!(start.elapsed() < Duration::from_secs(20), "{error}: {:?}", start.elapsed());
    // The path of the temporary file is no part of the measure.
    assert!(error.chars().count() < 500 && !error.contains('\n'), "{error}");
    error
}

fn conv() -> File {
    File::new(17, [3, 8, 8]).wave("w", &[4, 3, 1, 1]).node("Conv", &["x", "w"], "a", &[])
}

fn with_initializer(tensor: &Message) -> Vec<u8> {
    let mut file = File::new(17, [3, 8, 8]);
    file.graph = file.graph.message(5, tensor);
    file.node("Conv", &["x", "w"], "y", &[]).model()
}

#[test]
fn what_is_no_model_is_said_to_be_none() {
    for (bytes, expected) in [
        (&b""[..], "has no graph"),
        (b"\x08\x08", "has no graph"),
        (b"\x08\x08\x3a\xff\xff\xff\xff\x0f", "cut short"),
        (b"not a model at all", "cut short"),
        (&[0xFF; 64], "cut short"),
    ] {
        assert!(said(bytes).contains(expected), "{}", said(bytes));
    }
    // Cut anywhere.
    let whole = conv().model();
    for end in 0..whole.len() {
        drop(import_bytes(&whole[..end], Options::default()));
    }
}

#[test]
fn tensors_that_lie() {
    let bytes = [0_u8; 48];
    for (tensor, expected) in [
        (tensor("w", 1, &[4, 3, 1, 1]).bytes(9, &bytes[..44]), "has 44 bytes, its shape says 48"),
        (tensor("w", 1, &[i64::MAX, i64::MAX]).bytes(9, &bytes), "cut short"),
        (tensor("w", 1, &[-4, 3, 1, 1]).bytes(9, &bytes), "cut short"),
        (tensor("w", 1, &[1; 40]).bytes(9, &bytes), "cut short"),
        (tensor("w", 1, &[1 << 40, 1, 1, 1]), "has 0 bytes"),
        (tensor("w", 8, &[4, 3, 1, 1]).bytes(9, &bytes), "stored as text"),
        (tensor("w", 99, &[4, 3, 1, 1]).bytes(9, &bytes), "ONNX's type 99"),
        (tensor("w", 3, &[4, 3, 4, 1]).bytes(9, &bytes), "no floats"),
    ] {
        let said = said(&with_initializer(&tensor));
        assert!(said.contains(expected), "{said}");
    }
    let infinite: Vec<u8> = [f32::INFINITY; 12].iter().flat_map(|value| value.to_le_bytes()).collect();
    let said = said(&with_initializer(&tensor("w", 1, &[4, 3, 1, 1]).bytes(9, &infinite)));
    assert!(said.contains("`w` holds inf at place 0"), "{said}");
}

#[test]
fn data_beside_the_file_stay_in_its_folder() {
    let entry = |key: &str, value: &str| Message::default().text(1, key).text(2, value);
    let outside = |location: &str, offset: &str| {
        tensor("w", 1, &[4, 3, 1, 1])
            .message(13, &entry("location", location))
            .message(13, &entry("offset", offset))
            .number(14, 1)
    };
    for location in ["/etc/passwd", "../secret", "a/../../secret", "a/../b", ""] {
        let said = said(&with_initializer(&outside(location, "0")));
        assert!(said.contains("outside the model's folder"), "{location}: {said}");
    }
    let said_of_missing = said(&with_initializer(&outside("weights.bin", "0")));
    assert!(said_of_missing.contains("cannot read"), "{said_of_missing}");
    let said_of_number = said(&with_initializer(&outside("weights.bin", "-1")));
    assert!(said_of_number.contains("cut short"), "{said_of_number}");

    let folder = tempfile::tempdir().unwrap();
    let (model, data) = (folder.path().join("m.onnx"), folder.path().join("weights.bin"));
    std::fs::write(&data, [0_u8; 64]).unwrap();
    std::fs::write(&model, with_initializer(&outside("weights.bin", "16"))).unwrap();
    assert!(headstart_onnx::import(&model, Options::default()).is_ok());
    std::fs::write(&model, with_initializer(&outside("./weights.bin", "17"))).unwrap();
    let said = headstart_onnx::import(&model, Options::default()).unwrap_err().to_string();
    assert!(said.contains("lies beyond the end of `./weights.bin`"), "{said}");
    let far = outside("weights.bin", &u64::MAX.to_string());
    std::fs::write(&model, with_initializer(&far)).unwrap();
    assert!(headstart_onnx::import(&model, Options::default()).is_err());
}

#[test]
fn constants_that_would_fill_all_memory() {
    let huge = [1 << 20, 1 << 20];
    let range = File::new(17, [3, 8, 8])
        .integers("zero", &[], &[0])
        .integers("end", &[], &[i64::MAX])
        .integers("one", &[], &[1])
        .node("Range", &["zero", "end", "one"], "r", &[]);
    let filled = File::new(17, [3, 8, 8]).list("shape", &huge).node("ConstantOfShape", &["shape"], "r", &[]);
    let tiled = File::new(17, [3, 8, 8]).integers("one", &[1, 1], &[1]).list("times", &huge).node(
        "Tile",
        &["one", "times"],
        "r",
        &[],
    );
    let expanded = File::new(17, [3, 8, 8]).integers("one", &[1, 1], &[1]).list("shape", &huge).node(
        "Expand",
        &["one", "shape"],
        "r",
        &[],
    );
    for file in [range, filled, tiled, expanded] {
        let said =
            said(&file.node("Cast", &["r"], "f", &[Int("to", 1)]).node("Add", &["x", "f"], "y", &[]).model());
        assert!(said.contains("more numbers than may be"), "{said}");
    }
    // Each time twice as many.
    let mut file = File::new(17, [3, 8, 8]).list("c0", &[1; 64]);
    for at in 0..40 {
        let (from, to) = (format!("c{at}"), format!("c{}", at + 1));
        file = file.node("Concat", &[&from, &from], &to, &[Int("axis", 0)]);
    }
    let said = said(&file.node("Add", &["x", "c40"], "y", &[]).model());
    assert!(said.contains("more numbers than may be"), "{said}");
}

#[test]
fn graphs_without_order_or_end() {
    let cycle = conv().node("Relu", &["c"], "b", &[]).node("Relu", &["b"], "c", &[]);
    assert!(said(&cycle.model()).contains("`Relu_2` reads `c`, which no node before it gives"));
    let twice = conv().node("Relu", &["a"], "a", &[]);
    assert!(said(&twice.model()).contains("`a` is given twice"));
    // x · x, again and again: as a function it would be spelt in 2⁵⁰⁰ steps.
    let mut file = conv();
    for at in 0..500 {
        let from = if at == 0 { "a".to_owned() } else { format!("p{}", at - 1) };
        file = file.node("Mul", &[&from, &from], &format!("p{at}"), &[]);
    }
    let start = Instant::now();
    drop(file.import(Options::default()));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    let long = "ü".repeat(1 << 20);
    let named = conv().node(&long, &["a"], "y", &[]);
    assert!(said(&named.model()).contains("is an operator that is not known"));
    let read = conv().node("Relu", &[&long], "y", &[]);
    assert!(said(&read.model()).contains("which no node before it gives"));
}

#[test]
fn a_hundred_thousand_nodes_take_seconds() {
    let mut file = conv();
    for at in 0..100_000 {
        let from = if at == 0 { "a".to_owned() } else { format!("n{}", at - 1) };
        let op = if at % 2 == 0 { "Relu" } else { "Sigmoid" };
        file.graph = file.graph.message(
            1,
            &Message::default().text(1, &from).text(2, &format!("n{at}")).text(3, "same").text(4, op),
        );
    }
    let file = file.node("Identity", &["n99999"], "y", &[]);
    let start = Instant::now();
    drop(file.import(Options::default()));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn numbers_of_nodes_that_make_no_sense() {
    for (op, attributes) in [
        ("Conv", vec![Int("group", 0)]),
        ("Conv", vec![Int("group", i64::MAX)]),
        ("Conv", vec![Ints("strides", &[0, 0])]),
        ("Conv", vec![Ints("strides", &[-1, 1])]),
        ("Conv", vec![Ints("dilations", &[i64::MAX, 1])]),
        ("Conv", vec![Ints("pads", &[-1, 0, 0, 0])]),
        ("Conv", vec![Ints("pads", &[i64::MAX, 0, 0, 0])]),
        ("MaxPool", vec![Ints("kernel_shape", &[0, 2])]),
        ("MaxPool", vec![]),
        ("Flatten", vec![Int("axis", i64::MIN)]),
        ("Transpose", vec![Ints("perm", &[0, 0, 1, 2])]),
        ("Transpose", vec![Ints("perm", &[0, 1, 2, i64::MIN])]),
        ("ReduceMean", vec![Ints("axes", &[9])]),
        ("ReduceL2", vec![Ints("axes", &[9])]),
        ("ReduceL2", vec![Ints("axes", &[1, 2, 3])]),
        ("Split", vec![Int("axis", 1), Ints("split", &[i64::MAX, 1])]),
        ("Slice", vec![Ints("starts", &[i64::MIN]), Ints("ends", &[i64::MIN]), Ints("axes", &[1])]),
    ] {
        let inputs: &[&str] = if op == "Conv" { &["a", "v"] } else { &["a"] };
        let file = conv().wave("v", &[4, 4, 1, 1]).node(op, inputs, "y", &attributes);
        let said = said(&file.model());
        assert!(said.contains(&format!("({op})")), "{op} {said}");
    }
}

#[test]
fn inputs_that_are_no_picture() {
    let with = |ports: &[Message]| {
        let graph = ports.iter().fold(Message::default(), |graph, port| graph.message(11, port));
        let model = Message::default().number(1, 8).message(7, &graph.message(12, &port("x", &[])));
        model.message(8, &Message::default().number(2, 17)).0
    };
    for (ports, expected) in [
        (vec![], "reads nothing"),
        (vec![port("ids", &[-1, 128])], "`ids` of shape (?, 128)"),
        (vec![port("a", &[-1, 3, 8, 8]), port("b", &[-1, 3, 8, 8])], "reads `a`, `b`"),
        (vec![port("x", &[-1, 3, 1 << 40, 8])], "of shape"),
        (vec![port("x", &[-1, 1 << 40, 8, 8])], "of shape"),
        (vec![port("x", &[])], "of shape"),
        (
            vec![typed_port("x", 2, &[-1, 3, 8, 8])],
            "input `x` is of whole numbers; export it with an input of floats",
        ),
        (vec![typed_port("x", 7, &[-1, 3, 8, 8])], "is of whole numbers"),
    ] {
        let said = said(&with(&ports));
        assert!(said.contains(expected), "{said}");
    }
}
