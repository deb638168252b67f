//! Folders of texts that transformers opens: what is in them, what reads them back, and what is refused.

use super::{Room, dense, export, head, hub::config};
use backbone::Wanted;
use engine::{Cpu, Executor};
use features::NetworkSource;
use harness::{SmallDisk, write_bert, write_model2vec};
use head::{Head, HeadKind};
use input::{PROBES, Recipe};
use sample::targets::{TargetSpec, TargetsFrom, Task};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// That a text of `net` has at most.
const TOKENS: usize = 16;

fn find(folder: &Path) -> backbone::Backbone {
    let wanted = Wanted { name: None, weights: Some(folder), taps: &[], size: None, prepared: false };
    backbone::find(wanted).unwrap()
}

/// (4, d) of the probes at these taps, side by side, of a folder as `extract --weights` reads it; of `most` tokens each.
fn features_of(folder: &Path, taps: &[&str], most: usize) -> Vec<f32> {
    let found = find(folder);
    let recipe = recipe(&found, most);
    let columns = Cpu::new(found.bind(taps).unwrap(), &recipe).unwrap().run(recipe.probes().batch()).unwrap();
    let row = |k: usize| columns.iter().flat_map(move |all| all.chunks(all.len() / PROBES).nth(k));
    (0..PROBES).flat_map(row).flatten().copied().collect()
}

fn recipe(found: &backbone::Backbone, most: usize) -> Recipe {
    match found.recipe.clone() {
        Some(Recipe::Text(how)) => Recipe::Text(how.with_max_tokens(most).unwrap()),
        other => panic!("{other:?}"),
    }
}

fn features(folder: &Path, taps: &[&str]) -> Vec<f32> {
    features_of(folder, taps, TOKENS)
}

/// A head of three classes at these taps of the folder `net`, in `x.head`.
fn fit(room: &Room, taps: &[&str], kind: HeadKind, change: impl FnOnce(&mut Head)) {
    fit_on(room, taps, kind, TOKENS, change);
}

/// The same of texts of `most` tokens.
fn fit_on(room: &Room, taps: &[&str], kind: HeadKind, most: usize, change: impl FnOnce(&mut Head)) {
    let folder = room.path("net");
    let found = find(&folder);
    let recipe = recipe(&found, most);
    let source = |tap: &&str| {
        let part = found.network.for_taps(&[tap]).unwrap();
        let source = NetworkSource {
            backbone: found.name.clone(),
            tap: (*tap).to_owned(),
            shape: [].into(),
            network: part.fingerprint(),
            weights: found.bind(&[tap]).unwrap().digest(),
            recipe: recipe.clone(),
            dtype: store::Dtype::F32,
            engine: engine::REVISION.to_owned(),
        };
        source.into()
    };
    let probes = features_of(&folder, taps, most);
    let width = probes.len() / PROBES;
    let layers = match kind {
        HeadKind::Mlp => vec![dense(width, 5), dense(5, 3)],
        _ => vec![dense(width, 3)],
    };
    let sources = taps.iter().map(source).collect();
    let mut made = Head { kind, layers, sources, probes, ..head(HeadKind::Linear) };
    change(&mut made);
    made.write(&room.path("x.head"), true).unwrap();
}

/// A room with a BERT in `net`, and a head at these taps.
fn behind(taps: &[&str], kind: HeadKind) -> Room {
    let room = Room::new();
    write_bert(&room.path("net"));
    fit(&room, taps, kind, |_| {});
    room
}

fn to_hf(room: &Room, flags: &[&str]) -> harness::Run {
    export(room, &[&["x.head", "-o", "model", "--to", "hf", "--weights", "net"], flags].concat())
}

fn names(room: &Room) -> Vec<String> {
    room.bytes("model").keys().map(|path| path.to_str().unwrap().to_owned()).collect()
}

fn json_of(room: &Room, name: &str) -> Value {
    serde_json::from_slice(&fs::read(room.path("model").join(name)).unwrap()).unwrap()
}

#[test]
fn folders_are_read_back_to_the_bit() {
    for (taps, kind, said) in [
        (
            &["sentence"][..],
            HeadKind::Linear,
            json!([{"tap": "sentence", "layer": -1, "pooling": ["mean"], "dense": [], "normalized": true}]),
        ),
        (
            &["layer:1"],
            HeadKind::Mlp,
            json!([{"tap": "layer:1", "layer": 1, "pooling": ["mean"], "dense": [], "normalized": false}]),
        ),
        (
            &["max", "pooled"],
            HeadKind::Linear,
            json!([
                {"tap": "max", "layer": -1, "pooling": ["max"], "dense": [], "normalized": false},
                {"tap": "pooled", "layer": -1, "pooling": ["pooler"], "dense": [], "normalized": false},
            ]),
        ),
    ] {
        let room = behind(taps, kind);
        let run = to_hf(&room, &["--verbose"]).fine();
        assert_eq!(run.stdout(), "");
        let told = run.stderr();
        for part in ["HeadstartForSequenceClassification", "trust_remote_code=True", "truncation=True"] {
            assert!(told.contains(part), "{told}");
        }
        let files = [
            "README.md",
            "config.json",
            "model.safetensors",
            "modeling_headstart.py",
            "tokenizer.json",
            "tokenizer_config.json",
        ];
        assert_eq!(names(&room), files);
        let config = config(&room);
        assert_eq!(config["model_type"], "headstart");
        assert_eq!(config["auto_map"]["AutoConfig"], "modeling_headstart.HeadstartConfig");
        assert_eq!(config["features"], said);
        assert_eq!(config["id2label"], json!({"0": "daisy", "1": "roses", "2": "tulips"}));
        assert_eq!(config["problem_type"], "single_label_classification");
        assert_eq!(config["max_tokens"], 16);
        assert_eq!(config["network"]["model_type"], "bert");
        let head = Head::read(&room.path("x.head")).unwrap();
        let width = head.layers[0].inputs;
        let layers = match kind {
            HeadKind::Mlp => json!([[width, 5, true, "relu"], [5, 3, true, null]]),
            _ => json!([[width, 3, true, null]]),
        };
        assert_eq!(config["layers"], layers);
        let model = room.path("model");
        let tensors = weights::open(&model).unwrap();
        // Layers that no tap reads are there, since the class has them.
        assert!(tensors.shape("network.encoder.layer.1.output.dense.weight").is_some());
        let pooler = tensors.shape("network.pooler.dense.weight").is_some();
        assert_eq!(pooler, taps.contains(&"pooled"));
        assert_eq!(tensors.read("head.0.bias").unwrap().unwrap().data, head.layers[0].bias);
        assert_eq!(
            fs::read(model.join("tokenizer.json")).unwrap(),
            fs::read(room.path("net/tokenizer.json")).unwrap()
        );
        assert_eq!(features(&model, taps), head.probes, "{taps:?}");
        assert_eq!(find(&model).recipe, find(&room.path("net")).recipe);
        // A head on the folder's own features goes the same way.
        fs::rename(&model, room.path("again")).unwrap();
        export(&room, &["x.head", "-o", "model", "--to", "hf", "--weights", "again"]).fine();
        let read = |folder: &str, name: &str| fs::read(room.path(folder).join(name)).unwrap();
        for name in files.iter().filter(|name| **name != "README.md") {
            assert_eq!(read("model", name), read("again", name), "{name}");
        }
    }
}

#[test]
fn a_pooler_and_a_linear_head_are_transformers_own_class() {
    let room = behind(&["pooled"], HeadKind::Linear);
    let told = to_hf(&room, &[]).fine().stderr();
    assert!(told.contains("transformers' own BertForSequenceClassification opens it"), "{told}");
    assert!(!told.contains("trust_remote_code"), "{told}");
    let files = ["README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
    assert_eq!(names(&room), files);
    let config = config(&room);
    assert_eq!((&config["model_type"], config.get("auto_map")), (&json!("bert"), None));
    let tensors = weights::open(&room.path("model")).unwrap();
    assert_eq!(tensors.shape("classifier.weight"), Some(&[3, 64][..]));
    let head = Head::read(&room.path("x.head")).unwrap();
    assert_eq!(features(&room.path("model"), &["pooled"]), head.probes);
    // Where it does not end with the head's only layer, no class does the same.
    fit(&room, &["pooled"], HeadKind::Mlp, |_| {});
    to_hf(&room, &["--force"]).fine();
    assert_eq!(super::hub::config(&room)["model_type"], "headstart");
    to_hf(&room, &[]).failed(1, &["`model` exists"]);
}

/// Its class has a dense layer and tanh by itself, and those are the network's.
#[test]
fn a_pooler_moves_into_roberta_s_classifier() {
    let room = Room::new();
    write_bert(&room.path("net"));
    let path = room.path("net/config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    config["model_type"] = "roberta".into();
    config["pad_token_id"] = 0.into();
    config["id2label"] = json!({"0": "of another head"});
    config["torch_dtype"] = "bfloat16".into();
    fs::write(&path, config.to_string()).unwrap();
    fit(&room, &["pooled"], HeadKind::Linear, |_| {});
    to_hf(&room, &[]).fine();
    let said = super::hub::config(&room);
    assert_eq!(said["architectures"], json!(["RobertaForSequenceClassification"]));
    assert_eq!((&said["id2label"]["0"], said.get("torch_dtype")), (&json!("daisy"), None));
    assert_eq!(said["pad_token_id"], 0);
    assert_eq!(json_of(&room, "tokenizer_config.json")["pad_token"], "[PAD]");
    let tensors = weights::open(&room.path("model")).unwrap();
    let own = weights::open(&room.path("net")).unwrap();
    let read = |tensors: &dyn weights::Tensors, name: &str| tensors.read(name).unwrap().unwrap();
    assert_eq!(read(&*tensors, "classifier.dense.weight"), read(&*own, "pooler.dense.weight"));
    assert_eq!(tensors.shape("classifier.out_proj.weight"), Some(&[3, 64][..]));
    assert!(tensors.shape("roberta.pooler.dense.weight").is_none());
    assert!(tensors.shape("roberta.embeddings.word_embeddings.weight").is_some());
}

#[test]
fn the_tokenizer_s_settings_are_those_of_the_recipe() {
    let room = behind(&["mean"], HeadKind::Linear);
    fit_on(&room, &["mean"], HeadKind::Linear, 12, |_| {});
    to_hf(&room, &[]).fine();
    assert_eq!(
        features_of(&room.path("model"), &["mean"], 12),
        Head::read(&room.path("x.head")).unwrap().probes
    );
    assert_eq!(find(&room.path("model")).recipe, Some(recipe(&find(&room.path("net")), 12)));
    let said = json_of(&room, "tokenizer_config.json");
    assert_eq!(said["model_max_length"], 12);
    assert_eq!(said["model_input_names"], json!(["input_ids", "token_type_ids", "attention_mask"]));
    assert_eq!(
        (&said["pad_token"], &said["padding_side"], &said["truncation_side"]),
        (&json!("[PAD]"), &json!("right"), &json!("right"))
    );
    assert_eq!(config(&room)["max_tokens"], 12);
}

#[test]
fn the_card_speaks_of_texts() {
    let room = behind(&["sentence"], HeadKind::Mlp);
    let metrics =
        "split,scope,metric,class,value,ci_low,ci_high,n\ntest,overall,accuracy,,0.875,0.75,0.9375,64\n";
    room.write("m.csv", metrics);
    to_hf(&room, &["--metrics", "m.csv", "--license", "mit"]).fine();
    let card = fs::read_to_string(room.path("model/README.md")).unwrap();
    for part in [
        "pipeline_tag: text-classification\ntags:\n- text-classification\n",
        "  - task:\n      type: text-classification\n    dataset:\n      name: \"test split\"\n      type: texts\n",
        "Says which of some classes a text is of. A classifier of 2 dense layers was fitted",
        "pipeline(\"text-classification\", model=\"model\", trust_remote_code=True, truncation=True)",
        "`truncation=True` cuts texts off after 16 tokens.\n\n`trust_remote_code=True` allows transformers to run `modeling_headstart.py`",
        "On four made-up texts, the logits differ",
        "| accuracy | 0.8750 | 0.7500 to 0.9375 | 64 |",
    ] {
        assert!(card.contains(part), "{part} in\n{card}");
    }
    assert!(!card.contains("picture"), "{card}");
    for (task, problem) in [(Task::Labels, "multi_label_classification"), (Task::Numbers, "regression")] {
        let targets = TargetSpec { task, from: TargetsFrom::Columns };
        fit(&room, &["sentence"], HeadKind::Linear, |head| head.targets = targets);
        to_hf(&room, &["--force"]).fine();
        assert_eq!(config(&room)["problem_type"], problem);
        let card = fs::read_to_string(room.path("model/README.md")).unwrap();
        assert!(card.contains("two days late.\", top_k=None)"), "{card}");
    }
}

#[test]
fn what_transformers_cannot_do_is_refused() {
    let room = behind(&["mean"], HeadKind::Linear);
    for (to, told) in
        [("torch", "--to hf, onnx"), ("keras", "--to hf, onnx"), ("safetensors", "--to hf, onnx")]
    {
        export(&room, &["x.head", "-o", "model", "--to", to, "--weights", "net"])
            .failed(1, &["the head is of texts, which this does not hold", told]);
    }
    // Before weights are asked for.
    export(&room, &["x.head", "-o", "model", "--to", "torch"]).failed(1, &["the head is of texts"]);
    export(&room, &["x.head", "-o", "model", "--to", "hf"]).failed(1, &["give --weights"]);
    fit(&room, &["encoder.layer.0.output.sum"], HeadKind::Linear, |_| {});
    to_hf(&room, &[]).failed(
        1,
        &[
            "the head reads `encoder.layer.0.output.sum` of bert",
            "extract a tap such as mean, or export --to onnx",
        ],
    );
    let settings = json!({"prompts": {"query": "that is "}, "default_prompt_name": "query"});
    room.write("net/config_sentence_transformers.json", settings.to_string());
    fit(&room, &["mean"], HeadKind::Linear, |_| {});
    to_hf(&room, &[]).failed(1, &["a prompt is put before every text", "--to bundle does it"]);
    fs::remove_dir_all(room.path("net")).unwrap();
    write_model2vec(&room.path("net"));
    fit(&room, &["sentence"], HeadKind::Linear, |_| {});
    to_hf(&room, &[]).failed(1, &["texts of a table of tokens are read without", "--to onnx"]);
    assert_eq!(room.names(), ["net", "x.head"]);
}

#[test]
fn a_head_that_disagrees_is_not_written() {
    let room = behind(&["sentence"], HeadKind::Linear);
    fit(&room, &["sentence"], HeadKind::Linear, |head| head.probes[3] += 9.0);
    to_hf(&room, &[]).failed(3, &["differ from the cache's by "]);
    assert_eq!(room.names(), ["net", "x.head"]);
}

#[test]
fn a_full_disk() {
    for free in [0, 16_384, 200_000] {
        let room = behind(&["sentence"], HeadKind::Linear);
        let Some(disk) = SmallDisk::mount(&room, free) else { return };
        let call = ["x.head", "-o", "disk/model", "--to", "hf", "--weights", "net"];
        export(&room, &call).failed(1, &["cannot write `disk/model`", "No space left on device"]);
        assert_eq!(disk.names(), [""; 0], "{free} bytes free");
    }
}

#[test]
fn flags_that_do_not_go_together() {
    let room = behind(&["sentence"], HeadKind::Linear);
    room.write("s.csv", "text\nthe film is good\n");
    for (flags, told) in [
        (&["--texts", "s.csv"][..], "--texts goes with --verify-with"),
        (
            &["--texts", "s.csv", "--images", "x", "--verify-with", "python"],
            "--images and --texts do not go together",
        ),
        (
            &["--images", "x", "--verify-with", "python"],
            "--images does not go with a head on texts; give --texts",
        ),
        (&["--text-column", "x"], "--texts"),
    ] {
        to_hf(&room, flags).failed(2, &[told]);
    }
    let pictures = super::room(|_| {});
    let call = ["x.head", "-o", "model", "--to", "hf", "--texts", "s.csv", "--verify-with", "python"];
    export(&pictures, &call).failed(2, &["--texts does not go with a head on images; give --images"]);
}

/// What runs is what was named, and what it says of texts is held against ours. The shell stands for Python here.
#[cfg(unix)]
#[test]
fn another_program_must_agree_on_texts() {
    use std::os::unix::fs::PermissionsExt as _;
    let room = behind(&["sentence"], HeadKind::Linear);
    let texts = ["the film is good", "my phone was so sad again", "not the best food ."];
    room.write("s.csv", format!("sentence\n{}\n", texts.join("\n")));
    let program = |lines: &str| {
        let path = room.write("python", format!("#!/bin/sh\nhead -1 >job.json\n{lines}\n"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let head = Head::read(&room.path("x.head")).unwrap();
    let rows = |features: &[f32]| -> Vec<Vec<f32>> {
        head::logits(&head.layers, features).chunks(3).map(<[f32]>::to_vec).collect()
    };
    let found = find(&room.path("net"));
    let recipe = found.recipe.clone().unwrap();
    let load =
        |text: &&str| recipe.load(text.as_bytes(), &store::Digest::of(b""), None, &[0]).unwrap().0.remove(0);
    let inputs = input::Inputs::of(texts.iter().map(load));
    let own = Cpu::new(found.bind(&["sentence"]).unwrap(), &recipe).unwrap().run(inputs.batch()).unwrap();
    let said = |change: f32| {
        let mut samples = rows(&own[0]);
        samples[1][0] += change;
        let answer = json!({"with": "other 1.0", "classes": head.classes, "probes": rows(&head.probes), "samples": samples});
        format!("cat <<'END'\n{answer}\nEND")
    };
    let with = ["--verify-with", "./python", "--texts", "s.csv"];
    program(&said(0.5));
    to_hf(&room, &with)
        .failed(3, &["other 1.0 opens the folder, but the logits of `s#000001` differ from ours by"]);
    assert!(!room.path("model").exists());
    program(&said(0.0));
    let told = to_hf(&room, &with).fine().stderr();
    assert!(told.contains("of 3 texts within") && told.contains("the best is the same on 3"), "{told}");
    let job: Value = serde_json::from_slice(&fs::read(room.path("job.json")).unwrap()).unwrap();
    assert_eq!(
        (&job["kind"], &job["trusts"], &job["samples"]),
        (&json!("texts"), &json!(true), &json!(texts))
    );
    assert_eq!(job["probes"], json!(input::text::PROBES));
    let verified = &config(&room)["headstart"]["verified"];
    assert_eq!((&verified["samples"], &verified["same_best"]), (&json!(3), &json!(3)));
    assert!(verified["texts"].as_f64().unwrap() < 1e-3);
    let card = fs::read_to_string(room.path("model/README.md")).unwrap();
    assert!(card.contains("Those of 3 other texts differ by"), "{card}");
    room.write("bad.csv", "sentence,second\na,b\n");
    let columns = ["--text-column", "second", "--verify-samples", "1", "--force"];
    let other = ["--verify-with", "./python", "--texts", "bad.csv"];
    to_hf(&room, &[&other[..], &columns].concat())
        .failed(1, &["gave another number of logits than there are"]);
}
