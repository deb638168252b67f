//! Dense layers behind the pooling, as sentence-transformers keeps them.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use harness::{Room, write_bert, write_formula};
use headstart_backbone::{Backbone, BackboneError, Wanted, find};
use network::{Activation, Op};
use std::fs;

const MODULES: &str = r#"[
    {"path": "", "type": "sentence_transformers.models.Transformer"},
    {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"path": "2_Dense", "type": "sentence_transformers.models.Dense"},
    {"path": "3_Dense", "type": "sentence_transformers.models.Dense"},
    {"path": "4_Normalize", "type": "sentence_transformers.models.Normalize"}
]"#;
const FIRST: &str = r#"{"in_features": 64, "out_features": 20, "bias": true, "activation_function": "torch.nn.modules.activation.Tanh"}"#;
const SECOND: &str = r#"{"in_features": 20, "out_features": 12, "bias": false, "activation_function": "torch.nn.modules.linear.Identity"}"#;

fn folder() -> Room {
    let room = Room::new();
    write_bert(&room.path("bert"));
    room.write("bert/modules.json", MODULES);
    for (path, config) in [("2_Dense", FIRST), ("3_Dense", SECOND)] {
        fs::create_dir_all(room.path("bert").join(path)).unwrap();
        room.write(&format!("bert/{path}/config.json"), config);
    }
    let weights = |path: &str, params: &[(&str, &[usize])]| {
        write_formula(&room.path("bert").join(path).join("model.safetensors"), params.iter().copied());
    };
    weights("2_Dense", &[("linear.weight", &[20, 64]), ("linear.bias", &[20])]);
    weights("3_Dense", &[("linear.weight", &[12, 20])]);
    room
}

fn found(room: &Room) -> Result<Backbone, BackboneError> {
    let folder = room.path("bert");
    find(Wanted { name: None, weights: Some(&folder), taps: &[], size: None, prepared: false })
}

#[test]
fn dense_layers_come_with_weights_of_their_own() {
    let backbone = found(&folder()).unwrap();
    assert_eq!(backbone.default_tap, "sentence");
    let bound = backbone.bind(&["sentence"]).unwrap();
    assert_eq!(bound.network().widths(1, 1).unwrap(), [12]);
    let shapes: Vec<_> = bound
        .tensors()
        .filter(|(param, _)| param.name.starts_with("sentence."))
        .map(|(param, tensor)| (param.name.as_str(), tensor.shape.as_slice(), tensor.data[1]))
        .collect();
    let value = |name: &str, shape: &[usize]| harness::formula(name, shape)[1];
    let (weight, bias) = (value("linear.weight", &[20, 64]), value("linear.bias", &[20]));
    let expected: [(&str, &[usize], f32); 3] = [
        ("sentence.dense.0.weight", &[20, 64], weight),
        ("sentence.dense.0.bias", &[20], bias),
        ("sentence.dense.1.weight", &[12, 20], value("linear.weight", &[12, 20])),
    ];
    assert_eq!(shapes, expected);
    let ends = bound.network().nodes().iter().rev().map(|node| &node.op).take(4).collect::<Vec<_>>();
    let tanh = Op::Activation { function: Activation::Tanh };
    assert!(
        matches!(ends[..], [Op::Normalize, Op::Linear { bias: None, .. }, function, _] if *function == tanh)
    );
    // Another tap needs none of them.
    assert!(
        backbone.bind(&["mean"]).unwrap().tensors().all(|(param, _)| !param.name.starts_with("sentence."))
    );
}

#[test]
fn what_is_no_dense_layer_is_one_line() {
    for (file, from, to, expected) in [
        ("modules.json", "4_Normalize", "../4_Normalize", ""),
        ("modules.json", "3_Dense", "../3_Dense", "the path `../3_Dense`"),
        ("modules.json", "models.Normalize", "models.WordWeights", "Dense, Dense, WordWeights"),
        ("modules.json", "3_Dense", "5_Dense", "5_Dense`: its config.json is missing"),
        ("2_Dense/config.json", "64", "63", "`in_features` is 63, and what comes before gives 64"),
        ("3_Dense/config.json", "20", "21", "`in_features` is 21, and what comes before gives 20"),
        ("2_Dense/config.json", "activation.Tanh", "activation.Hardtanh", "activation.Hardtanh`"),
        ("2_Dense/config.json", "torch.nn", "my.own", "`my.own.modules.activation.Tanh`"),
        ("2_Dense/config.json", r#""bias": true"#, r#""use_residual": true"#, "use_residual"),
        (
            "2_Dense/config.json",
            r#""bias": true"#,
            r#""module_input_name": "token_embeddings""#,
            "`token_embeddings`",
        ),
        ("2_Dense/config.json", r#""out_features": 20"#, r#""out_features": 0"#, "a size of `0`"),
        ("2_Dense/config.json", r#""out_features": 20"#, r#""out": 20"#, "missing field `out_features`"),
        (
            "3_Dense/config.json",
            r#""out_features": 12"#,
            r#""out_features": 13"#,
            "`linear.weight` should be there, of the shape [13, 20]",
        ),
        ("3_Dense/config.json", "false", "true", "`linear.bias` should be there, of the shape [12]"),
    ] {
        let room = folder();
        let path = room.path("bert").join(file);
        let said = fs::read_to_string(&path).unwrap();
        assert!(said.contains(from), "{said}");
        fs::write(path, said.replace(from, to)).unwrap();
        match found(&room) {
            // What only divides by the length has no file.
            Ok(_) => assert_eq!(expected, ""),
            Err(error) => {
                let message = error.to_string();
                assert!(!expected.is_empty() && message.contains(expected), "{file}, {to}: {message}");
                assert!(!message.contains('\n') && message.len() < 500, "{message}");
            }
        }
    }
    let room = folder();
    fs::remove_file(room.path("bert/2_Dense/model.safetensors")).unwrap();
    let message = found(&room).unwrap_err().to_string();
    assert!(message.contains("2_Dense") && message.contains("model.safetensors"), "{message}");
    fs::write(room.path("bert/2_Dense/model.safetensors"), "{}").unwrap();
    assert!(found(&room).unwrap_err().to_string().contains("2_Dense"));
}
