//! Folders that other libraries open: what is in them, what reads them back, and what is refused.

use super::{Room, dense, export, head, room};
use engine::{Cpu, Executor, Reference};
use features::NetworkSource;
use harness::formula;
use head::{Head, HeadKind};
use input::{
    PROBES, Recipe,
    image::{CropRounding, Filter, Preprocessing, Resize},
};
use network::{Stored, zoo};
use safetensors::{Dtype, tensor::TensorView};
use sample::targets::{TargetSpec, TargetsFrom, Task};
use serde_json::{Value, json};
use std::{collections::HashMap, fs};
use weights::{Bound, Tensor};

/// Small pictures, so that networks are quick.
pub(super) fn small() -> Preprocessing {
    Preprocessing {
        resize: Resize::ShorterSide(72),
        filter: Filter::Bicubic,
        crop: Some((64, 64)),
        ..Preprocessing::imagenet()
    }
}

/// A room with `w.safetensors` of that network, and a linear head of three classes at these taps in `x.head`.
pub(super) fn behind(
    network: &str,
    taps: &[&str],
    how: &Preprocessing,
    change: impl FnOnce(&mut Head),
) -> Room {
    let (entry, room) = (zoo::find(network).unwrap(), Room::new());
    let full = entry.network();
    let recipe: Recipe = how.clone().into();
    // As Keras could keep it: some nowhere, since it is always the same, and some once, for two parameters.
    let in_keras = |name: &str| zoo::in_keras(entry).map(|dialect| dialect.place(name));
    let number = |name: &str, shape: &[usize]| match in_keras(name) {
        Some(Stored::Always(value)) => vec![value; shape.iter().product()],
        place => {
            let first = full.params().iter().find(|param| place.is_some() && in_keras(&param.name) == place);
            formula(first.map_or(name, |param| &param.name), shape)
        }
    };
    let made: Vec<(String, Vec<usize>, Vec<f32>)> = full
        .params()
        .iter()
        .map(|param| (param.name.clone(), param.shape.clone(), number(&param.name, &param.shape)))
        .collect();
    let bytes: Vec<Vec<u8>> =
        made.iter().map(|(.., data)| data.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    let views = made.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
        (name.clone(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
    });
    safetensors::serialize_to_file(views, None, &room.path("w.safetensors")).unwrap();
    let by_name: HashMap<&str, &Vec<f32>> =
        made.iter().map(|(name, _, data)| (name.as_str(), data)).collect();
    let mut columns: Vec<Vec<f32>> = Vec::new();
    let mut sources = Vec::new();
    for tap in taps {
        let part = full.for_taps(&[tap]).unwrap();
        let fingerprint = part.fingerprint();
        let bound = Bound::from_tensors(part, "formula", |param| {
            Some(Tensor { shape: param.shape.clone(), data: by_name[param.name.as_str()].clone() })
        })
        .unwrap();
        let source = NetworkSource {
            backbone: network.to_owned(),
            tap: (*tap).to_owned(),
            shape: [].into(),
            network: fingerprint,
            weights: bound.digest(),
            recipe: recipe.clone(),
            dtype: store::Dtype::F32,
            engine: engine::REVISION.to_owned(),
        };
        sources.push(source.into());
        columns.push(Cpu::new(bound, &recipe).unwrap().run(recipe.probes().batch()).unwrap().remove(0));
    }
    let row = |k: usize| columns.iter().flat_map(move |all| all.chunks(all.len() / PROBES).nth(k));
    let probes: Vec<f32> = (0..PROBES).flat_map(row).flatten().copied().collect();
    let mut made =
        Head { layers: vec![dense(probes.len() / PROBES, 3)], sources, probes, ..head(HeadKind::Linear) };
    change(&mut made);
    made.write(&room.path("x.head"), false).unwrap();
    room
}

pub(super) fn config(room: &Room) -> Value {
    serde_json::from_slice(&fs::read(room.path("model/config.json")).unwrap()).unwrap()
}

fn to_hf(room: &Room, flags: &[&str]) -> harness::Run {
    let command = ["x.head", "-o", "model", "--to", "hf", "--weights", "w.safetensors"];
    export(room, &[&command, flags].concat())
}

/// Features at `taps` of the folder as `extract --weights` reads it, and the recipe that it says.
fn read_again(room: &Room, taps: &[&str]) -> (Vec<f32>, Option<Recipe>) {
    let path = room.path("model");
    let wanted =
        backbone::Wanted { name: None, weights: Some(&path), taps: &[], size: None, prepared: false };
    let found = backbone::find(wanted).unwrap();
    let recipe = found.recipe.clone();
    let bound = found.bind(taps).unwrap();
    let made = recipe.clone().unwrap();
    let outputs = Reference::new(bound, &made).unwrap().run(made.probes().batch()).unwrap();
    let row = |k: usize| outputs.iter().flat_map(move |all| all.chunks(all.len() / PROBES).nth(k));
    ((0..PROBES).flat_map(row).flatten().copied().collect(), recipe)
}

/// The folder reads as the head's backbone: with that recipe, and the features of the probes.
fn has_its_features(room: &Room, network: &str, taps: &[&str], own: &Preprocessing) {
    let head = Head::read(&room.path("x.head")).unwrap();
    let (features, recipe) = read_again(room, taps);
    assert_eq!(recipe, Some(own.clone().into()), "{network}");
    let largest = head.probes.iter().fold(0.1_f32, |most, x| most.max(x.abs()));
    let gap = features.iter().zip(&head.probes).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(features.len() == head.probes.len() && gap <= 1e-5 * largest, "{network}: {gap} of {largest}");
}

#[test]
fn folders_are_read_as_other_peoples() {
    let own = small();
    for (network, taps, class, classifier, shape) in [
        ("resnet18", &["pooled"][..], "ResNetForImageClassification", "classifier.1", [3, 512]),
        ("resnet18d", &["gap"], "TimmWrapperForImageClassification", "fc", [3, 512]),
        ("mobilenet_v2", &["pooled"], "TimmWrapperForImageClassification", "classifier", [3, 1280]),
        ("mobilenetv4_conv_small", &["pooled"], "TimmWrapperForImageClassification", "classifier", [3, 1280]),
        // Batch norms of timm's own have another eps.
        (
            "mobilenet_v3_small",
            &["classifier.2"],
            "TimmWrapperForImageClassification",
            "classifier",
            [3, 1024],
        ),
        ("mnasnet0_5", &["pooled"], "TimmWrapperForImageClassification", "classifier", [3, 1280]),
        ("efficientnet_b5", &["pooled"], "TimmWrapperForImageClassification", "classifier", [3, 2048]),
        ("efficientnet_v2_s", &["pooled"], "TimmWrapperForImageClassification", "classifier", [3, 1280]),
        ("regnet_x_400mf", &["pooled"], "RegNetForImageClassification", "classifier.1", [3, 400]),
        ("convnextv2_atto", &["pooled"], "ConvNextV2ForImageClassification", "classifier", [3, 320]),
        ("vit_tiny_patch16_224", &["cls"], "ViTForImageClassification", "classifier", [3, 192]),
        ("deit3_small_patch16_224", &["pooled"], "TimmWrapperForImageClassification", "head", [3, 384]),
    ] {
        let room = behind(network, taps, &own, |_| {});
        let run = to_hf(&room, &["--verbose"]).fine();
        assert!(run.stderr().contains(&format!("export: {class}")), "{}", run.stderr());
        let files = room.bytes("model");
        let names: Vec<_> = files.keys().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(names, ["README.md", "config.json", "model.safetensors"], "{network}");
        let config = config(&room);
        assert_eq!(config["architectures"], json!([class]), "{network}");
        match class {
            "TimmWrapperForImageClassification" => {
                assert_eq!(config["label_names"], json!(["daisy", "roses", "tulips"]));
                assert_eq!(config["num_classes"], 3);
            }
            _ => {
                assert_eq!(config["id2label"], json!({"0": "daisy", "1": "roses", "2": "tulips"}));
                assert_eq!(config["label2id"]["roses"], 1);
                assert_eq!(config["image_processor_type"], "TimmWrapperImageProcessor");
            }
        }
        assert_eq!(config["problem_type"], "single_label_classification");
        let eps = ["mobilenet_v3_small", "efficientnet_b5", "efficientnet_v2_s"]
            .contains(&network)
            .then(|| json!(0.001));
        assert_eq!(config.pointer("/model_args/bn_eps"), eps.as_ref(), "{network}");
        assert_eq!(config["pretrained_cfg"]["interpolation"], "bicubic");
        let part = config["pretrained_cfg"]["crop_pct"].as_f64().unwrap();
        assert_eq!((64.0 / part).floor(), 72.0);
        assert!(config["headstart"]["parity"]["logits"].as_f64().unwrap() < 1e-3, "{network}");
        let tensors = weights::open(&room.path("model")).unwrap();
        assert_eq!(tensors.shape(&format!("{classifier}.weight")), Some(&shape[..]), "{network}");
        let head = Head::read(&room.path("x.head")).unwrap();
        assert_eq!(
            tensors.read(&format!("{classifier}.bias")).unwrap().unwrap().data,
            head.layers[0].bias,
            "{network}"
        );
        has_its_features(&room, network, taps, &own);
    }
}

/// Where neither transformers nor timm has a network, a class in the folder has torchvision's.
#[test]
fn what_no_class_computes_goes_into_one_of_ours() {
    let own = small();
    for (network, tap, classifier, shape) in [
        ("alexnet", "pooled", "classifier.6", &[3, 4096][..]),
        ("googlenet", "pooled", "fc", &[3, 1024]),
        ("shufflenet_v2_x0_5", "pooled", "fc", &[3, 1024]),
        ("squeezenet1_1", "gap", "classifier.1", &[3, 512, 1, 1]),
        ("mnasnet1_3", "pooled", "classifier.1", &[3, 1280]),
    ] {
        let room = behind(network, &[tap], &own, |_| {});
        let run = to_hf(&room, &[]).fine();
        assert!(run.stderr().contains("trust_remote_code=True"), "{}", run.stderr());
        let files = room.bytes("model");
        let names: Vec<_> = files.keys().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(names, ["README.md", "config.json", "model.safetensors", "modeling_headstart.py"]);
        let config = config(&room);
        assert_eq!(
            (&config["torchvision"], &config["model_type"]),
            (&json!(network), &json!("headstart_torchvision"))
        );
        let class = "modeling_headstart.HeadstartForImageClassification";
        assert_eq!(config["auto_map"]["AutoModelForImageClassification"], class);
        assert_eq!(config["id2label"], json!({"0": "daisy", "1": "roses", "2": "tulips"}));
        assert_eq!(config["image_processor_type"], "TimmWrapperImageProcessor");
        let tensors = weights::open(&room.path("model")).unwrap();
        assert_eq!(tensors.shape(&format!("network.{classifier}.weight")), Some(shape), "{network}");
        let card = fs::read_to_string(room.path("model/README.md")).unwrap();
        assert!(card.contains("model=\"model\", trust_remote_code=True)"), "{card}");
        has_its_features(&room, network, &[tap], &own);
    }
    // As transformers crops, where its slow processor does.
    let down = Preprocessing { crop_rounding: CropRounding::Down, ..small() };
    let room = behind("squeezenet1_1", &["gap"], &down, |_| {});
    to_hf(&room, &[]).fine();
    assert_eq!(read_again(&room, &["gap"]).1, Some(down.into()));
    // Of a size that no configuration says, or a name that torchvision has not.
    for (from, to, told) in [
        ("\"squeezenet1_1\"", "\"resnet18d\"", "the network `resnet18d` is not known"),
        ("\"arguments\": {}", "\"arguments\": {\"width\": 2}", "`arguments.width`"),
    ] {
        let said = fs::read_to_string(room.path("model/config.json")).unwrap();
        fs::write(room.path("model/config.json"), said.replace(from, to)).unwrap();
        let path = room.path("model");
        let wanted =
            backbone::Wanted { name: None, weights: Some(&path), taps: &[], size: None, prepared: false };
        let error = backbone::find(wanted).err().unwrap().to_string();
        assert!(error.contains(told), "{error}");
        fs::write(room.path("model/config.json"), said).unwrap();
    }
}

#[test]
fn a_classifier_that_reads_more_has_zeros_for_it() {
    let square = Preprocessing { resize: Resize::Exact(56, 56), crop: None, ..small() };
    let network = "vit_small_patch14_reg4_dinov2";
    for (taps, zeros) in [
        (&["pooled"][..], Some(384..768)),
        (&["patch_mean"], Some(0..384)),
        (&["patch_mean", "pooled"], None),
    ] {
        let room = behind(network, taps, &square, |_| {});
        to_hf(&room, &[]).fine();
        let tensors = weights::open(&room.path("model")).unwrap();
        let weight = tensors.read("classifier.weight").unwrap().unwrap();
        assert_eq!(weight.shape, [3, 768]);
        let head = Head::read(&room.path("x.head")).unwrap();
        for (row, own) in weight.data.chunks(768).zip(head.layers[0].weight.chunks(384 * taps.len())) {
            match zeros.clone() {
                Some(zeros) => {
                    assert!(row[zeros.clone()].iter().all(|x| *x == 0.0));
                    let other = if zeros.start == 0 { 384..768 } else { 0..384 };
                    assert_eq!(&row[other], own);
                }
                // The head has the patches first.
                None => assert_eq!([&row[384..], &row[..384]].concat(), own),
            }
        }
        // Its class token has a position there, and none here.
        let positions =
            tensors.read("dinov2_with_registers.embeddings.position_embeddings").unwrap().unwrap();
        assert_eq!(positions.shape, [1, 17, 384]);
        assert!(positions.data[..384].iter().all(|x| *x == 0.0));
        assert_eq!(config(&room)["pretrained_cfg"]["crop_mode"], "squash");
    }
}

#[test]
fn labels_and_numbers_are_named_so() {
    for (task, problem) in [(Task::Labels, "multi_label_classification"), (Task::Numbers, "regression")] {
        let targets = TargetSpec { task, from: TargetsFrom::Columns };
        let room = behind("resnet18d", &["pooled"], &small(), |head| head.targets = targets);
        to_hf(&room, &[]).fine();
        assert_eq!(config(&room)["problem_type"], problem);
        assert_eq!(config(&room)["headstart"]["task"], task.name());
    }
}

#[test]
fn transformers_own_way_of_cropping_needs_its_slow_processor() {
    let down = Preprocessing { crop_rounding: CropRounding::Down, ..small() };
    let room = behind("resnet18", &["pooled"], &down, |_| {});
    let run = to_hf(&room, &[]).fine();
    assert!(run.stderr().contains("backend=\"pil\""), "{}", run.stderr());
    let processor = fs::read(room.path("model/preprocessor_config.json")).unwrap();
    let processor: Value = serde_json::from_slice(&processor).unwrap();
    assert_eq!(processor["size"], json!({"shortest_edge": 72}));
    assert_eq!(processor["crop_size"], json!({"height": 64, "width": 64}));
    assert_eq!(config(&room).get("pretrained_cfg"), None);
    assert_eq!(read_again(&room, &["pooled"]).1, Some(down.clone().into()));
    // The folder of before may be replaced by one that has fewer files.
    to_hf(&room, &["--force"]).fine();
    let room = behind("resnet18d", &["pooled"], &down, |_| {});
    to_hf(&room, &[]).failed(1, &["cropped as transformers does", "--to onnx carries it"]);
}

#[test]
fn a_state_dictionary_is_torchvisions() {
    for (network, tap, classifier) in [
        ("mobilenet_v3_small", "classifier.2", "classifier.3"),
        ("resnet18", "pooled", "fc"),
        // A convolution, which a ReLU follows in torchvision's class.
        ("squeezenet1_1", "gap", "classifier.1"),
    ] {
        let room = behind(network, &[tap], &small(), |_| {});
        let command = ["x.head", "-o", "model", "--to", "torch", "--weights", "w.safetensors"];
        export(&room, &command).fine();
        let config = config(&room);
        assert_eq!((&config["torchvision"], &config["classes"][1]), (&json!(network), &json!("roses")));
        let tensors = weights::open(&room.path("model")).unwrap();
        assert!(tensors.shape(&format!("{classifier}.weight")).is_some_and(|shape| shape[0] == 3));
        let counts = tensors.names().iter().any(|name| name.ends_with("num_batches_tracked"));
        let is_squeezed = network == "squeezenet1_1";
        assert!(counts != is_squeezed, "{network}");
        let card = fs::read_to_string(room.path("model/README.md")).unwrap();
        let code = card.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
        assert!(
            code.lines().count() <= 12 && code.contains("Resize(72, InterpolationMode.BICUBIC)"),
            "{code}"
        );
        assert_eq!(code.contains("model.classifier[1]("), is_squeezed, "{code}");
    }
}

const METRICS: &str = "split,scope,metric,class,value,ci_low,ci_high,n
val,overall,accuracy,,0.5,0.25,0.75,20
test,overall,accuracy,,0.875,0.75,0.9375,64
test,overall,nll,,,,,64
test,class,recall,daisy,0.9,0.8,1,30
test,class,recall,a|b,0.00001,,,34
test,confusion,confusion:daisy,roses,3,,,64
";

#[test]
fn the_card_says_what_evaluate_wrote() {
    let room = behind("resnet18d", &["pooled"], &small(), |head| {
        head.classes = ["a|b", "daisy", "new\nline"].map(str::to_owned).to_vec();
    });
    room.write("m.csv", METRICS);
    to_hf(&room, &["--metrics", "m.csv", "--license", "apache-2.0"]).fine();
    let card = fs::read_to_string(room.path("model/README.md")).unwrap();
    for part in [
        "---\nlicense: \"apache-2.0\"\nlibrary_name: transformers\npipeline_tag: image-classification\n",
        "model-index:\n- name: \"model\"\n",
        "    - type: \"accuracy\"\n      name: \"accuracy (95 % 0.7500 to 0.9375, n = 64)\"\n      value: 0.875\n",
        "| accuracy | 0.8750 | 0.7500 to 0.9375 | 64 |",
        "| accuracy | 0.5000 | 0.2500 to 0.7500 | 20 |",
        "| daisy | 0.9000 (0.8000 to 1.0000; 30) |",
        "| a\\|b | 1.000e-5 (34) |",
        "2. new line",
        "pipeline(\"image-classification\", model=\"model\")",
    ] {
        assert!(card.contains(part), "{part} in\n{card}");
    }
    assert!(!card.contains("nll"), "an undefined value is no row");
    let head = Head::read(&room.path("x.head")).unwrap();
    assert!(card.contains(&head.digest().to_string()));
    room.write("none.csv", "split,scope,metric,class,value,ci_low,ci_high,n\n");
    to_hf(&room, &["--force", "--metrics", "none.csv"]).failed(1, &["no row of the scope `overall`"]);
    room.write("other.csv", "path,label\na,b\n");
    to_hf(&room, &["--force", "--metrics", "other.csv"]).failed(1, &["has no column"]);
}

#[test]
fn what_no_library_holds_is_refused() {
    let tiny = room(|_| {});
    for (to, told) in
        [("hf", "none of transformers, timm and torchvision builds headstart_tiny"), ("torch", "torchvision")]
    {
        export(&tiny, &["x.head", "-o", "model", "--to", to]).failed(1, &[told, "--to onnx"]);
    }
    let deep = room(|made| *made = head(HeadKind::Mlp));
    export(&deep, &["x.head", "-o", "model", "--to", "hf"])
        .failed(1, &["2 dense layers", "fit --head linear"]);
    let early = behind("resnet18d", &["layer3"], &small(), |_| {});
    to_hf(&early, &[]).failed(1, &["the head reads `layer3` of resnet18d", "reads `pooled`", "--to onnx"]);
    let bgr = Preprocessing { channels: input::image::Channels::Bgr, ..small() };
    to_hf(&behind("resnet18d", &["pooled"], &bgr, |_| {}), &[]).failed(1, &["channels are BGR"]);
    // TensorFlow's padding follows from the size, and the graph is that of its own.
    let padded = behind("tf_efficientnet_b0", &["pooled"], &small(), |_| {});
    to_hf(&padded, &[]).failed(
        1,
        &["none of transformers, timm and torchvision builds tf_efficientnet_b0 for pictures of 64×64"],
    );
    for names in [tiny.names(), deep.names()] {
        assert_eq!(names, ["x.head"]);
    }
}

#[test]
fn a_folder_that_disagrees_is_not_written() {
    let room = behind("resnet18d", &["pooled"], &small(), |head| head.probes[3] += 9.0);
    to_hf(&room, &[]).failed(3, &["differ from the cache's by "]);
    assert_eq!(room.names(), ["w.safetensors", "x.head"]);
}

#[test]
fn flags_that_do_not_go_together() {
    let room = room(|_| {});
    for (flags, parts) in [
        (&["--to", "onnx", "--license", "mit"][..], &["--license goes with --to hf, torch or keras"][..]),
        (&["--metrics", "m.csv"], &["--metrics goes with"]),
        (&["--to", "onnx", "--verify-with", "python3"], &["--verify-with goes with"]),
        (&["--to", "hf", "--verify-samples", "3"], &["--verify-samples goes with --images"]),
        (&["--to", "hf", "--images", "x"], &["--images goes with --with-preprocessing or --verify-with"]),
    ] {
        export(&room, &[&["x.head", "-o", "model"], flags].concat()).failed(2, parts);
    }
}

/// What runs is what was named, and what it says is held against ours. The shell stands for Python here.
#[cfg(unix)]
#[test]
fn another_program_must_agree() {
    use std::os::unix::fs::PermissionsExt as _;
    let room = behind("resnet18d", &["pooled"], &small(), |_| {});
    let program = |lines: &str| {
        let path = room.write("python", format!("#!/bin/sh\ncat >/dev/null\n{lines}\n"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let with = ["--verify-with", "./python"];
    program("echo one >&2; echo 'ImportError: no transformers' >&2; exit 1");
    to_hf(&room, &with).failed(1, &["`./python` cannot open the folder: ImportError: no transformers"]);
    program("echo '[]'");
    to_hf(&room, &with).failed(1, &["answered in no way that is known"]);
    let head = Head::read(&room.path("x.head")).unwrap();
    let own = head::logits(&head.layers, &head.probes);
    let said = |change: f32| {
        let mut rows: Vec<Vec<f32>> = own.chunks(3).map(<[f32]>::to_vec).collect();
        rows[2][1] += change;
        let classes = &head.classes;
        json!({"with": "other 1.0", "classes": classes, "probes": rows, "samples": []}).to_string()
    };
    program(&format!("cat <<'END'\n{}\nEND", said(0.5)));
    to_hf(&room, &with)
        .failed(3, &["other 1.0 opens the folder, but the logits of `probe 2` differ from ours by"]);
    assert!(!room.path("model").exists());
    program(&format!("cat <<'END'\n{}\nEND", said(0.0)));
    let run = to_hf(&room, &with).fine();
    assert!(run.stderr().contains("other 1.0: logits of the probes within"), "{}", run.stderr());
    let verified = &config(&room)["headstart"]["verified"];
    assert_eq!(verified["with"], "other 1.0");
    assert!(verified["probes"].as_f64().unwrap() < 1e-3);
    to_hf(&room, &["--force", "--verify-with", "./nothing"]).failed(1, &["cannot run `./nothing`"]);
}
