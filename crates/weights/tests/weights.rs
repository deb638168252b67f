//! Weight files: namings, dtypes, partial files, and one clear error for each thing that can be wrong.

#![expect(clippy::unwrap_used, reason = "tests")]

use headstart_weights::{Bound, SafetensorsFile, Tensor, Tensors, WeightError};
use network::{Network, Param, zoo};
use safetensors::{Dtype, serialize_to_file, tensor::TensorView};
use std::{collections::BTreeMap, path::PathBuf};

/// What a test file holds: name → (dtype, shape, bytes).
type Content = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

fn build(name: &str) -> Network {
    zoo::find(name).unwrap().network()
}

/// Numbers that f16 and bf16 hold exactly.
fn value(i: usize) -> f32 {
    (i % 61) as f32 / 8.0 - 3.0
}

fn content(network: &Network) -> Content {
    let tensor = |param: &Param| {
        // No variance is negative.
        let value = |i| if param.name.ends_with("running_var") { value(i).abs() } else { value(i) };
        let bytes = (0..param.len()).flat_map(|i| value(i).to_le_bytes()).collect();
        (Dtype::F32, param.shape.clone(), bytes)
    };
    network.params().iter().map(|param| (param.name.clone(), tensor(param))).collect()
}

struct File {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl File {
    fn write(content: &Content) -> File {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let views = content.iter().map(|(name, (dtype, shape, bytes))| {
            (name.clone(), TensorView::new(*dtype, shape.clone(), bytes).unwrap())
        });
        serialize_to_file(views, None, &path).unwrap();
        File { _folder: folder, path }
    }

    fn open(&self) -> Box<dyn Tensors> {
        headstart_weights::open(&self.path).unwrap()
    }
}

fn bind(full: &Network, tap: &str, content: &Content) -> Result<Bound, WeightError> {
    let file = File::write(content);
    Bound::bind(full.for_taps(&[tap]).unwrap(), full, &*file.open())
}

/// The error, its file's folder left out.
fn error(full: &Network, tap: &str, content: &Content) -> String {
    let file = File::write(content);
    let error = Bound::bind(full.for_taps(&[tap]).unwrap(), full, &*file.open()).unwrap_err();
    error.to_string().replace(&file.path.display().to_string(), "w")
}

#[test]
fn every_dtype_gives_the_same_weights() {
    let full = build("headstart_tiny");
    let plain = content(&full);
    let expected = bind(&full, "pooled", &plain).unwrap();
    let value = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes);
    let store = |dtype: Dtype, to: &dyn Fn(f32) -> Vec<u8>| {
        let mut content = plain.clone();
        for (kind, _, bytes) in content.values_mut() {
            *kind = dtype;
            *bytes = bytes.as_chunks().0.iter().flat_map(|bytes| to(value(bytes))).collect();
        }
        bind(&full, "pooled", &content).unwrap()
    };
    for bound in [
        store(Dtype::F16, &|x| half::f16::from_f32(x).to_le_bytes().to_vec()),
        store(Dtype::BF16, &|x| half::bf16::from_f32(x).to_le_bytes().to_vec()),
        store(Dtype::F64, &|x| f64::from(x).to_le_bytes().to_vec()),
    ] {
        assert_eq!(bound.digest(), expected.digest());
    }
}

#[test]
fn timms_names_give_the_same_weights() {
    let full = build("mobilenet_v2");
    let expected = bind(&full, "pooled", &content(&full)).unwrap().digest();
    let mut timm = Content::new();
    for (name, tensor) in content(&full) {
        let name = network::families::mobilenet_v2::timm_name(&name);
        timm.insert(name, tensor);
    }
    let counter = (Dtype::I64, vec![], vec![0; 8]);
    timm.insert("bn1.num_batches_tracked".to_owned(), counter);
    assert_eq!(bind(&full, "pooled", &timm).unwrap().digest(), expected);
    timm.remove("blocks.6.0.bn3.bias");
    assert!(
        error(&full, "pooled", &timm)
            .starts_with("`w` lacks the tensor `blocks.6.0.bn3.bias` that mobilenet_v2")
    );
}

#[test]
fn timms_vgg_stores_dense_layers_as_convolutions() {
    let full = build("vgg11");
    let mut timm = Content::new();
    for (name, (dtype, mut shape, _)) in
        content(&full).into_iter().filter(|(name, _)| name != "classifier.6.bias")
    {
        if let [out @ 4096, inputs] = *shape {
            shape = if inputs == 25088 { vec![out, 512, 7, 7] } else { vec![out, inputs, 1, 1] };
        }
        // Half precision and zeros keep the file small enough for a test.
        let bytes = vec![0; 2 * shape.iter().product::<usize>()];
        assert_eq!(dtype, Dtype::F32);
        timm.insert(network::families::vgg::timm_name(&name), (Dtype::F16, shape, bytes));
    }
    let bound = bind(&full, "fc7", &timm).unwrap();
    let id = bound.network().param_named("classifier.0.weight").unwrap();
    assert_eq!(bound.tensor(id).shape, [4096, 25088]);
}

#[test]
fn every_map_of_names_finds_its_files() {
    use network::families::{convnext, efficientnet, swin};
    // The parameter whose shape or companions timm stores otherwise, and what its files hold besides.
    for (name, timm_name, flat, besides) in [
        ("efficientnet_b0", efficientnet::timm_name as fn(&str) -> String, "", "bn1.num_batches_tracked"),
        ("convnext_tiny", convnext::timm_name, "layer_scale", "mask_token"),
        ("swin_t", swin::timm_name, "", "layers.0.blocks.1.attn.relative_position_index"),
    ] {
        let full = build(name);
        let network = full.for_taps(&["pooled"]).unwrap();
        let mut timm = Content::new();
        for (name, (_, mut shape, _)) in content(&network) {
            if !flat.is_empty() && name.ends_with(flat) {
                shape.truncate(1);
            }
            // Half precision and zeros keep the file small enough for a test.
            let bytes = vec![0; 2 * shape.iter().product::<usize>()];
            timm.insert(timm_name(&name), (Dtype::F16, shape, bytes));
        }
        timm.insert(besides.to_owned(), (Dtype::I64, vec![2], vec![0; 16]));
        let bound = bind(&full, "pooled", &timm).unwrap();
        assert_eq!(bound.network(), &network, "{name}");
        timm.insert("another".to_owned(), (Dtype::I64, vec![2], vec![0; 16]));
        assert!(error(&full, "pooled", &timm).contains("`another`"), "{name}");
    }
}

#[test]
fn what_follows_from_places_is_no_parameter() {
    let gpt2 = network::families::gpt2::Gpt2 {
        vocabulary: 10,
        places: 8,
        width: 16,
        depth: 1,
        heads: 2,
        hidden: 32,
        activation: network::Activation::GeluTanh,
        eps: 1e-5,
    };
    let full = gpt2.network("gpt2", None);
    let mut file = Content::new();
    for (name, (_, mut shape, _)) in content(&full) {
        let Some(name) = network::families::gpt2::gpt2(&name).names().first().map(|name| (*name).to_owned())
        else {
            panic!("every parameter is somewhere")
        };
        if name.contains(".c_") {
            shape.reverse();
        }
        file.insert(name, (Dtype::F16, shape.clone(), vec![0; 2 * shape.iter().product::<usize>()]));
    }
    for (name, shape) in [("h.0.attn.bias", vec![1, 1, 8, 8]), ("h.0.attn.masked_bias", vec![1])] {
        file.insert(
            name.to_owned(),
            (Dtype::F16, shape.clone(), vec![0; 2 * shape.iter().product::<usize>()]),
        );
    }
    bind(&full, "mean", &file).unwrap();
    file.insert("h.0.attn.bias".to_owned(), (Dtype::F16, vec![16], vec![0; 32]));
    assert!(error(&full, "mean", &file).contains("`h.0.attn.bias`"));
}

#[test]
fn a_file_may_lack_what_the_tap_does_not_need() {
    let full = build("headstart_tiny");
    let mut part = content(&full);
    part.retain(|name, _| !name.starts_with("layer4"));
    bind(&full, "layer3", &part).unwrap();
    let message = error(&full, "pooled", &part);
    let expected = "`w` lacks the tensor `layer4.0.conv1.weight` (and 14 more) that headstart_tiny needs; \
                    it suffices for the taps layer1, layer2, layer3";
    assert_eq!(message, expected);
    // Nor does the shape of what is not needed matter: classifiers are often replaced.
    let full = build("squeezenet1_1");
    let mut tuned = content(&full);
    tuned.insert("classifier.1.bias".to_owned(), (Dtype::F32, vec![5], vec![0; 20]));
    tuned.insert("classifier.1.weight".to_owned(), (Dtype::F32, vec![5, 512, 1, 1], vec![0; 5 * 512 * 4]));
    bind(&full, "gap", &tuned).unwrap();
    let message = error(&full, "logits", &tuned);
    assert!(
        message.contains("`classifier.1.weight` (and 1 more) should have the shape [1000, 512, 1, 1]"),
        "{message}"
    );
    assert!(message.contains("got [5, 512, 1, 1]; it suffices for the taps gap, pooled"), "{message}");
}

#[test]
fn weights_of_another_architecture_are_told() {
    let other = content(&build("squeezenet1_1"));
    let message = error(&build("headstart_tiny"), "pooled", &other);
    let expected = "`w` lacks the tensor `conv1.weight` (and 59 more) that headstart_tiny needs; it looks like squeezenet1_1";
    assert_eq!(message, expected);
}

#[test]
fn what_is_wrong_is_named() {
    let full = build("headstart_tiny");
    let plain = content(&full);
    let change = |name: &str, dtype: Dtype, shape: &[usize], bytes: Vec<u8>| {
        let mut content = plain.clone();
        content.insert(name.to_owned(), (dtype, shape.to_vec(), bytes));
        error(&full, "pooled", &content)
    };
    let floats = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    for (message, expected) in [
        (
            change("bn1.bias", Dtype::F32, &[17], vec![0; 68]),
            "`w`: the tensor `bn1.bias` should have the shape [16] for headstart_tiny, got [17]",
        ),
        (
            change("extra.weight", Dtype::F32, &[1], vec![0; 4]),
            "`w` holds the tensor `extra.weight` that headstart_tiny has no place for",
        ),
        (
            change("bn1.bias", Dtype::I32, &[16], vec![0; 64]),
            "`w`: the tensor `bn1.bias` is stored as I32; expected F32, F16, BF16 or F64",
        ),
        (
            change(
                "bn1.bias",
                Dtype::F32,
                &[16],
                floats(&[[0.0; 9].as_slice(), &[f32::NAN], &[1.0; 6]].concat()),
            ),
            "`w`: the tensor `bn1.bias` holds NaN at place 9; weights must be finite",
        ),
        (
            change(
                "bn1.bias",
                Dtype::F64,
                &[16],
                [1e300_f64; 16].iter().flat_map(|x| x.to_le_bytes()).collect(),
            ),
            "`w`: the tensor `bn1.bias` holds inf at place 0; weights must be finite",
        ),
        (
            change(
                "layer1.0.bn1.running_var",
                Dtype::F32,
                &[16],
                floats(&[[0.0; 7].as_slice(), &[-1e-3], &[1.0; 8]].concat()),
            ),
            "`w`: the tensor `layer1.0.bn1.running_var` holds -0.001 at place 7; a variance cannot be negative",
        ),
        (
            change("layer1.0.bn1.running_var", Dtype::F32, &[16], floats(&[f32::NAN; 16])),
            "`w`: the tensor `layer1.0.bn1.running_var` holds NaN at place 0; weights must be finite",
        ),
    ] {
        assert!(message.starts_with(expected), "{message}\n{expected}");
        assert!(!message.contains("the nearest is"), "{message}");
    }
}

#[test]
fn files_that_cannot_be_used_are_named_for_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w");
    let full = content(&build("headstart_tiny"));
    let good = std::fs::read(&File::write(&full).path).unwrap();
    let long = [u64::MAX.to_le_bytes().as_slice(), &good[8..]].concat();
    let endless = [20_000_000u64.to_le_bytes().to_vec(), vec![b'{'; 20_000_000]].concat();
    let broken = "is not a usable safetensors file: ";
    let other = "holds no weights that are read: ";
    for (bytes, kind, reason) in [
        (&good[..good.len() - 1], broken, "cut short"),
        (&good[..100], broken, "longer than the file"),
        (&long, broken, "longer than the file"),
        (&endless, broken, "its header takes 20000000 bytes, 16777216 at most are read"),
        (b"", other, "it is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:", other, "run `git lfs pull`"),
        (b"<!DOCTYPE html><html>", other, "it is a web page"),
        (b"\x1c\0\0\0TFL3", other, "it is a TensorFlow Lite model"),
        (b"{\"architectures\": []}", other, "it is JSON"),
        (b"weights, as it were", other, "of no format that is known"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = headstart_weights::open(&path).err().unwrap().to_string();
        assert!(error.contains(kind) && error.contains(reason), "{error}");
    }
    let error = headstart_weights::open(&folder.path().join("none")).err().unwrap();
    assert!(matches!(error, WeightError::Open(_)), "{error}");
}

#[test]
fn an_index_names_files_of_weights() {
    let folder = tempfile::tempdir().unwrap();
    let index = folder.path().join("model.safetensors.index.json");
    let opened = |shard: &str| {
        std::fs::write(&index, format!(r#"{{"weight_map": {{"bn1.bias": "{shard}"}}}}"#)).unwrap();
        headstart_weights::open(&index)
    };
    let shard = File::write(&content(&build("headstart_tiny")));
    std::fs::copy(&shard.path, folder.path().join("1.safetensors")).unwrap();
    assert_eq!(opened("1.safetensors").unwrap().shape("bn1.bias"), Some(&[16][..]));
    for named in ["model.safetensors.index.json", "other.index.json"] {
        std::fs::copy(&index, folder.path().join("other.index.json")).unwrap();
        let error = opened(named).err().unwrap().to_string();
        assert!(error.contains(&format!("it names the index `{named}`")), "{error}");
    }
}

/// What training scripts put around a network: prefixes, heads, averaged copies.
#[test]
fn prefixes_are_taken_off_and_other_parts_left_out() {
    let full = build("headstart_tiny");
    let plain = content(&full);
    let expected = bind(&full, "pooled", &plain).unwrap().digest();
    let other = (Dtype::F32, vec![3], vec![0; 12]);
    for prefix in ["module.", "model.", "state_dict.", "backbone.", "encoder.", "model.visual.trunk."] {
        let mut below: Content =
            plain.iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone())).collect();
        below.insert("text.token_embedding.weight".to_owned(), other.clone());
        below.insert(format!("{prefix}head.weight"), other.clone());
        assert_eq!(bind(&full, "pooled", &below).unwrap().digest(), expected, "{prefix}");
        below.insert(format!("{prefix}layer4.7.conv1.weight"), other.clone());
        assert!(
            error(&full, "pooled", &below)
                .contains("layer4.7.conv1.weight` that headstart_tiny has no place")
        );
        below.remove(&format!("{prefix}layer4.7.conv1.weight"));
        let weight = below.remove(&format!("{prefix}layer2.0.conv1.weight")).unwrap();
        below.insert(format!("{prefix}layer2.0.conv_1.weight"), weight);
        let message = error(&full, "pooled", &below);
        let near = format!("the nearest is `{prefix}layer2.0.conv_1.weight`");
        assert!(message.contains(&near), "{message}");
    }
    let foreign: Content = [("wte.weight".to_owned(), other)].into();
    assert!(error(&full, "pooled", &foreign).ends_with("it holds none of them, but such as `wte.weight`"));
}

#[test]
fn of_two_copies_the_averaged_one_is_taken_if_it_is_whole() {
    let full = build("headstart_tiny");
    let good = content(&full);
    let expected = bind(&full, "pooled", &good).unwrap().digest();
    let copies = |taken: &str, other: &str| {
        let mut file = Content::new();
        for (name, (dtype, shape, bytes)) in &good {
            file.insert(format!("{taken}{name}"), (*dtype, shape.clone(), bytes.clone()));
            file.insert(format!("{other}{name}"), (*dtype, shape.clone(), vec![0; bytes.len()]));
        }
        file
    };
    for (taken, other) in [
        ("state_dict_ema.", "state_dict."),
        ("ema.module.", ""),
        ("teacher.backbone.", "student.backbone."),
        // No word of it is `ema`.
        ("net.", "schema."),
    ] {
        let digest = bind(&full, "pooled", &copies(taken, other)).unwrap().digest();
        assert_eq!(digest, expected, "`{taken}` before `{other}`");
    }
    // Which of two is taken is told where their names do not say it.
    let told = |taken: &str, other: &str| {
        headstart_weights::copies(&full, &*File::write(&copies(taken, other)).open())
    };
    let line = told("encoder_k.", "encoder_q.").unwrap();
    assert_eq!(
        line,
        "of two copies `encoder_k.` is taken and `encoder_q.` is not; save that alone to take it"
    );
    assert!(told("", "module.").unwrap().contains("the one without a prefix is taken and `module.`"));
    assert_eq!(told("state_dict_ema.", "state_dict."), None);
    assert_eq!(headstart_weights::copies(&full, &*File::write(&good).open()), None);
    let mut part = copies("state_dict.", "state_dict_ema.");
    part.remove("state_dict_ema.bn1.running_mean");
    assert_eq!(bind(&full, "pooled", &part).unwrap().digest(), expected);
    // Nothing is taken of both.
    let mut part = copies("", "ema.");
    part.remove("ema.bn1.running_mean");
    assert_eq!(bind(&full, "pooled", &part).unwrap().digest(), expected);
}

#[test]
fn the_digest_is_of_the_weights_alone() {
    let full = build("headstart_tiny");
    let plain = content(&full);
    let whole = bind(&full, "pooled", &plain).unwrap();
    let part = bind(&full, "layer2", &plain).unwrap();
    assert_ne!(whole.digest(), part.digest());
    assert_eq!(whole.digest_of(part.network()), Some(part.digest()));
    assert_eq!(part.digest_of(whole.network()), None);
    let mut tensors: BTreeMap<String, Tensor> =
        whole.tensors().map(|(param, tensor)| (param.name.clone(), tensor.clone())).collect();
    let again =
        Bound::from_tensors(whole.network().clone(), "memory", |param| tensors.get(&param.name).cloned());
    assert_eq!(again.unwrap().digest(), whole.digest());
    tensors.get_mut("bn1.bias").unwrap().data[3] += 0.5;
    let changed =
        Bound::from_tensors(whole.network().clone(), "memory", |param| tensors.get(&param.name).cloned());
    assert_ne!(changed.unwrap().digest(), whole.digest());
}

#[test]
fn weights_that_come_along_fit_their_networks() {
    let embedded: Vec<_> = zoo::all().iter().filter_map(|entry| Some((entry, entry.weights?))).collect();
    assert_eq!(embedded[0].0.name, "headstart_tiny");
    for (entry, bytes) in embedded {
        let full = entry.network();
        Bound::bind(full.clone(), &full, &SafetensorsFile::embedded(entry.name, bytes).unwrap()).unwrap();
    }
}
