use super::*;
use features::{GivenSource, NetworkSource};
use input::image::Preprocessing;
use sample::targets::{TargetsFrom, Task, Truth};
use std::fs;
use store::PlaceError;
use weights::Places;

fn head() -> Head {
    Head {
        graph: None,
        kind: HeadKind::Mlp,
        classes: vec!["cat".into(), "dog".into()],
        targets: TargetSpec::default(),
        pool: None,
        layers: vec![
            Dense {
                inputs: 3,
                outputs: 4,
                weight: (0..12).map(|i| i as f32 / 7.0).collect(),
                bias: vec![0.5; 4],
            },
            Dense { inputs: 4, outputs: 2, weight: vec![-1.0; 8], bias: vec![0.0, 1.0] },
        ],
        sources: vec![
            NetworkSource {
                backbone: "resnet18".into(),
                tap: "pooled".into(),
                shape: [].into(),
                network: Digest::of(b"network"),
                weights: Digest::of(b"weights"),
                recipe: Preprocessing::imagenet().into(),
                dtype: store::Dtype::F32,
                engine: "reference-1".into(),
            }
            .into(),
        ],
        memory: None,
        novelty: None,
        probes: vec![0.25; 12],
        fit: serde_json::json!({"seed": 7}),
        features: Digest::of(b"features"),
        seen: None,
    }
}

#[test]
fn a_head_survives_its_file() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.head");
    head().write(&path, false).unwrap();
    assert_eq!(Head::read(&path).unwrap(), head());
    assert_eq!(Digest::of(&fs::read(&path).unwrap()), head().digest());
    assert!(matches!(head().write(&path, false), Err(HeadError::Place(PlaceError::Exists(_)))));
}

fn remembering() -> Head {
    let memory = Memory {
        neighbours: 2,
        temperature: 0.07,
        dim: 3,
        rows: vec![1.0, 0.0, 0.0, 0.0, 0.6, 0.8, 0.0, 0.0, 1.0],
        truth: Truth::Class(vec![1, 0, 1]),
    };
    Head { kind: HeadKind::Knn, layers: Vec::new(), memory: Some(memory), ..head() }
}

#[test]
fn a_memory_survives_its_file_and_every_lie_about_it_is_told() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.head");
    remembering().write(&path, false).unwrap();
    assert_eq!(Head::read(&path).unwrap(), remembering());
    assert_eq!(remembering().dim(), 3);
    let lie = |change: fn(&mut Memory)| {
        let mut head = remembering();
        change(head.memory.as_mut().unwrap());
        fs::write(&path, head.to_bytes()).unwrap();
        Head::read(&path).unwrap_err().to_string()
    };
    for (message, expected) in [
        (lie(|memory| memory.neighbours = 4), "4 neighbours of 3 rows"),
        (lie(|memory| memory.neighbours = 0), "0 neighbours of 3 rows"),
        (lie(|memory| memory.temperature = 0.0), "a temperature of 0"),
        (lie(|memory| memory.truth = Truth::Class(vec![2, 0, 1])), "label 2 of 2 classes"),
        (lie(|memory| memory.truth = Truth::Class(vec![1, 0])), "3 rows and 2 labels"),
    ] {
        assert!(message.contains(expected), "{message}");
    }
    let unsaid = Head { kind: HeadKind::Knn, ..head() };
    fs::write(&path, unsaid.to_bytes()).unwrap();
    assert!(Head::read(&path).unwrap_err().to_string().contains("how its memory votes"));
}

#[test]
fn novelties_and_several_sources_survive_their_file() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.head");
    let whitening = Dense { inputs: 3, outputs: 3, weight: vec![0.5; 9], bias: vec![1.0; 3] };
    let novelty = Novelty { whitening, means: vec![2.0; 6], threshold: 1.5 };
    let Source::Network(other) = head().sources.remove(0) else { unreachable!() };
    let other = NetworkSource { tap: "layer3".into(), ..other }.into();
    let sources = vec![head().sources[0].clone(), other];
    for own in [Head { novelty: Some(novelty.clone()), ..head() }, Head { sources, ..remembering() }] {
        own.write(&path, true).unwrap();
        assert_eq!(Head::read(&path).unwrap(), own);
    }
    for (novelty, expected) in [
        (Novelty { means: vec![2.0; 3], ..novelty.clone() }, "means of shape [1, 3]; expected"),
        (Novelty { threshold: -1.0, ..novelty.clone() }, "a novelty beyond -1"),
    ] {
        fs::write(&path, Head { novelty: Some(novelty), ..head() }.to_bytes()).unwrap();
        let message = Head::read(&path).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    let nowhere = Head { sources: Vec::new(), ..head() };
    fs::write(&path, nowhere.to_bytes()).unwrap();
    assert!(Head::read(&path).unwrap_err().to_string().contains("it has no source"));
}

#[test]
fn a_head_of_labels_or_numbers_survives_its_file() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.head");
    let header = |head: &Head| {
        let bytes = head.to_bytes();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        metadata.metadata().as_ref().unwrap()[METADATA_KEY].clone()
    };
    for (task, from, said) in [
        (Task::Labels, TargetsFrom::Class, r#""targets":{"task":"labels","from":"class"}"#),
        (Task::Numbers, TargetsFrom::Columns, r#""targets":{"task":"number","from":"columns"}"#),
        (
            Task::Labels,
            TargetsFrom::Column("tags".into()),
            r#""targets":{"task":"labels","from":{"list":"tags"}}"#,
        ),
    ] {
        let own = Head { targets: TargetSpec { task, from }, ..head() };
        own.write(&path, true).unwrap();
        assert_eq!(Head::read(&path).unwrap(), own);
        let text = header(&own);
        assert!(text.contains(said), "{text}");
    }
    // What classifiers say of themselves has not changed but for the format.
    assert!(header(&head()).starts_with(r#"{"format":4,"kind":"mlp","classes":["cat","dog"],"source""#));
    assert!(!header(&head()).contains("targets") && !header(&remembering()).contains("targets"));
    let corrected = TargetSpec { task: Task::Class, from: TargetsFrom::Column("label".into()) };
    let own = Head { targets: corrected, ..head() };
    own.write(&path, true).unwrap();
    assert_eq!(Head::read(&path).unwrap(), own);
    assert!(header(&own).contains(r#""targets":{"task":"class","from":{"list":"label"}}"#));
    let apart = TargetSpec { task: Task::Class, from: TargetsFrom::Columns };
    fs::write(&path, Head { targets: apart, ..head() }.to_bytes()).unwrap();
    assert!(Head::read(&path).unwrap_err().to_string().contains("classes that stand in a column each"));
}

#[test]
fn memories_and_novelties_of_labels_and_numbers_survive_their_file() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.head");
    let whitening = Dense { inputs: 3, outputs: 3, weight: vec![0.5; 9], bias: vec![1.0; 3] };
    let novelty = Some(Novelty { whitening, means: vec![2.0; 3], threshold: 1.5 });
    let of = |truth: Truth| {
        let targets = TargetSpec { task: truth.task(), from: TargetsFrom::Columns };
        let memory = remembering().memory.map(|memory| Memory { truth, ..memory });
        Head { targets, memory, novelty: novelty.clone(), ..remembering() }
    };
    let numbers = vec![0.5, -1.0, 2.0, 3.0, 1e30, 0.0];
    let numbers = numbers.into_iter().map(|value| f64::from(value as f32)).collect();
    for truth in [Truth::Labels(vec![1.0, 0.0, 0.0, 0.0, 1.0, 1.0]), Truth::Numbers(numbers)] {
        let own = of(truth);
        own.write(&path, true).unwrap();
        assert_eq!(Head::read(&path).unwrap(), own);
    }
    for (truth, expected) in [
        (Truth::Labels(vec![1.0, 0.5, 0.0, 0.0, 1.0, 1.0]), "a label of 0.5, expected 0 or 1"),
        (Truth::Numbers(vec![1.0; 3]), "3 rows with 2 outputs, and targets of shape [3, 1]"),
    ] {
        fs::write(&path, of(truth).to_bytes()).unwrap();
        assert!(Head::read(&path).unwrap_err().to_string().contains(expected));
    }
    let unbounded = of(Truth::Numbers(vec![1e39; 6]));
    assert!(matches!(unbounded.write(&path, true), Err(HeadError::NotFinite(_))));
}

#[test]
fn a_graph_survives_its_file_and_one_that_does_not_fit_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("g.head");
    let of = |shape: network::Shape, outputs: usize| {
        let mut net = network::Builder::given(shape);
        let x = net.input();
        let x = if let network::Shape::Map { .. } = shape {
            let x = net.conv("block.conv", x, network::Conv::new(4, 3));
            let x = net.batch_norm("block.norm", x);
            net.global_average_pool("mean", x)
        } else {
            net.linear("block", x, 4)
        };
        let x = net.linear("head.0", x, outputs);
        let graph = Bound::from_tensors(net.finish("tuned", x), "a formula", |param| {
            let data = (0..param.len()).map(|at| 0.5 + (at % 7) as f32 / 8.0).collect();
            Some(weights::Tensor { shape: param.shape.clone(), data })
        });
        let probes = vec![0.25; PROBES * shape.len()];
        Head { kind: HeadKind::Network, graph: Some(graph.unwrap()), layers: Vec::new(), probes, ..head() }
    };
    let map = network::Shape::Map { channels: 2, height: 3, width: 5 };
    let own = of(map, 2);
    own.write(&path, false).unwrap();
    let read = Head::read(&path).unwrap();
    assert_eq!(read, own);
    assert_eq!((read.dim(), read.digest()), (30, Digest::of(&fs::read(&path).unwrap())));
    // Rows do not depend on one another, nor on the threads.
    let x: Vec<f32> = (0..40 * 30).map(|at| (at as f32 * 0.37).sin()).collect();
    let scorer = crate::Scorer::of(&read).unwrap();
    let scores = scorer.of_rows(&x);
    assert_eq!((scores.len(), scorer.outputs()), (80, 2));
    assert_eq!(scorer.of_rows(&x[39 * 30..]), scores[78..]);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    assert_eq!(pool.install(|| scorer.of_rows(&x)), scores);

    let refused = |head: Head| {
        head.write(&path, true).unwrap();
        Head::read(&path).unwrap_err().to_string()
    };
    let text = network::Shape::Sequence { width: 3 };
    let with_json = |change: &dyn Fn(&str) -> String| {
        let json = serde_json::to_string(own.graph.as_ref().unwrap().network()).unwrap();
        serde_json::from_str::<Network>(&change(&json)).map_err(|error| error.to_string())
    };
    // Two outputs.
    let two = with_json(&|json| json.replace("\"outputs\":[4]", "\"outputs\":[4,4]")).unwrap();
    assert_eq!(two.outputs().len(), 2);
    let twice = with_json(&|json| json.replace("block.norm.bias", "block.norm.weight")).unwrap_err();
    assert!(twice.contains("is the name of two parameters"), "{twice}");
    let tensors: Vec<weights::Tensor> =
        own.graph.as_ref().unwrap().tensors().map(|(_, tensor)| tensor.clone()).collect();
    let mut filled = tensors.into_iter();
    let two = Bound::from_tensors(two, "two", |_| filled.next()).unwrap();
    for (head, expected) in [
        (Head { graph: Some(two), ..own.clone() }, "its graph has 2 outputs"),
        (of(map, 3), "its graph gives a vector (3,), expected 2 numbers"),
        (Head { graph: None, probes: Vec::new(), ..own.clone() }, "it does not say what it computes"),
        (
            Head { probes: Vec::new(), ..of(text, 2) },
            "its graph reads something else than one row of features",
        ),
    ] {
        let said = refused(head);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn an_attention_pool_survives_its_file_and_one_that_does_not_fit_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.head");
    let of = |channels: usize, places: usize| {
        let of = Places { channels, places, channels_first: true };
        let pool = Some(AttentionPool { of, queries: vec![0.5; 2 * channels] });
        let layer = Dense { inputs: 6, outputs: 2, weight: vec![1.0; 12], bias: vec![0.0; 2] };
        let probes = vec![1.0; PROBES * channels * places];
        Head { kind: HeadKind::Attention, pool, layers: vec![layer], probes, ..head() }
    };
    let own = of(3, 4);
    assert_eq!(own.dim(), 12);
    own.write(&path, false).unwrap();
    assert_eq!(Head::read(&path).unwrap(), own);
    let unsaid = Head { pool: None, probes: vec![1.0; PROBES * 6], ..own.clone() };
    let mut endless = own.clone();
    endless.pool.iter_mut().for_each(|pool| pool.queries[0] = f32::NAN);
    for (wrong, expected) in [
        (of(4, 3), "a layer of 6 numbers after a pool that gives 8"),
        (of(3, 0), "rows of 0 places with 3 channels"),
        (unsaid, "it does not say what its rows are of"),
        (endless, "not finite"),
    ] {
        fs::write(&path, wrong.to_bytes()).unwrap();
        let message = Head::read(&path).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn what_a_head_has_seen_survives_its_file_and_older_heads_do_not_say() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.head");
    let keys = [b"b", b"a", b"c", b"a"].map(|text| Digest::of(text));
    let seen = SeenSamples::of(keys);
    let own = Head { seen: Some(seen), ..head() };
    own.write(&path, false).unwrap();
    let read = Head::read(&path).unwrap();
    assert_eq!(read, own);
    let seen = read.seen.unwrap();
    assert!(keys.iter().all(|key| seen.contains(key)) && !seen.contains(&Digest::of(b"d")));
    // In any order, a sample once or twice.
    assert_eq!(seen, SeenSamples::of([keys[1], keys[2], keys[0]]));
    let nothing = Head { seen: Some(SeenSamples::of([])), ..head() };
    nothing.write(&path, true).unwrap();
    assert_eq!(Head::read(&path).unwrap(), nothing);
    head().write(&path, true).unwrap();
    assert_eq!(Head::read(&path).unwrap().seen, None);
    // The first two keys of three, exchanged under a digest that holds.
    let mut bytes = own.to_bytes();
    let (length, _) = SafeTensors::read_metadata(&bytes).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let view = tensors.tensor("seen").unwrap();
    assert_eq!((view.shape(), view.dtype()), (&[3][..], safetensors::Dtype::U64));
    let at = view.data().as_ptr() as usize - bytes.as_ptr() as usize;
    bytes[at..at + 16].rotate_left(8);
    let digits = seal::place_in(&bytes[..8 + length]).unwrap();
    seal::seal(&mut bytes, digits);
    fs::write(&path, bytes).unwrap();
    let message = Head::read(&path).unwrap_err().to_string();
    assert!(message.contains("each should be there once, in order"), "{message}");
}

#[test]
fn a_head_that_diverged_is_neither_written_nor_read() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.head");
    let mut diverged = head();
    diverged.layers[1].bias[0] = f32::NAN;
    assert!(matches!(diverged.write(&path, false), Err(HeadError::NotFinite(_))));
    fs::write(&path, diverged.to_bytes()).unwrap();
    assert!(Head::read(&path).unwrap_err().to_string().contains("not finite"));
}

/// What programs before format 4 wrote of a head.
fn aged(head: &Head, format: u32) -> Vec<u8> {
    let bytes = head.to_bytes();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let header = &metadata.metadata().as_ref().unwrap()[METADATA_KEY];
    let (header, _) = header.rsplit_once(",\"digest\":").unwrap();
    let own = head.tensors();
    let tensors = digest(own.iter().map(|t| (t.name.as_str(), t.shape.as_slice(), t.data.as_slice())));
    let header = header.replacen("\"format\":4", &format!("\"format\":{format}"), 1);
    let header = format!("{header},\"tensors\":\"{tensors}\"}}");
    let views = own.iter().map(|t| (&t.name, TensorView::new(t.dtype, t.shape.clone(), &t.data).unwrap()));
    safetensors::serialize(views, Some(HashMap::from([(METADATA_KEY.to_owned(), header)]))).unwrap()
}

#[test]
fn heads_of_older_programs_are_read() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.head");
    let targets = TargetSpec { task: Task::Labels, from: TargetsFrom::Class };
    for (head, format) in [(head(), 1), (remembering(), 2), (Head { targets, ..head() }, 3)] {
        let mut bytes = aged(&head, format);
        fs::write(&path, &bytes).unwrap();
        assert_eq!(Head::read(&path).unwrap(), head);
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(Head::read(&path).unwrap_err().to_string().contains("tensors do not match their digest"));
    }
}

#[test]
fn every_damage_is_one_line() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.head");
    let good = head().to_bytes();
    let replace = |from: &str, to: &str| {
        let text = String::from_utf8_lossy(&good[..]).into_owned();
        let at = text.find(from).unwrap();
        let mut bytes = good.clone();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let mut upper = good.clone();
    let at = seal::place_in(&good).unwrap();
    upper[at..at + 64].make_ascii_uppercase();
    let mut long = vec![b' '; 20_000_008];
    long[..8].copy_from_slice(&20_000_000u64.to_le_bytes());
    let cases = [
        (Vec::new(), "expected a head"),
        (good[..good.len() - 1].to_vec(), "expected a head"),
        (flipped, "does not match its digest"),
        (replace("\\\"format\\\":4", "\\\"format\\\":9"), "update Headstart"),
        (replace("\\\"format\\\":4", "\\\"format\\\":0"), "rerun fit-head"),
        (replace("\\\"format\\\":4", "\\\"format\\\":1"), "does not have the digest of its format"),
        (replace("\\\"digest\\\"", "\\\"tensors\""), "cannot read"),
        (replace(r#"\"cat\",\"dog\""#, r#"\"dog\",\"cat\""#), "does not match its digest"),
        (replace(r#"{\"seed\":7}"#, r#"{\"seed\":8}"#), "does not match its digest"),
        (
            replace(r#"\"format\":4,\"kind\":\"mlp\""#, r#"\"kind\":\"mlp\",\"format\":4"#),
            "does not match its digest",
        ),
        (upper, "does not match its digest"),
        (long, "its header takes 20000000 bytes, 16777216 at most are read"),
        (replace("headstart", "otherwise"), "no `headstart`"),
    ];
    for (bytes, expected) in cases {
        fs::write(&path, bytes).unwrap();
        let message = Head::read(&path).unwrap_err().to_string();
        assert!(message.contains(expected) && !message.contains('\n'), "{message}");
    }
}

#[test]
fn a_head_of_rows_that_no_network_computed_has_no_probes() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.head");
    let rows: Source = GivenSource { rows: "clip".into(), dtype: store::Dtype::F32 }.into();
    let network = head().sources.remove(0);
    for sources in [vec![rows.clone()], vec![network.clone(), rows]] {
        let own = Head { sources, probes: Vec::new(), ..head() };
        own.write(&path, true).unwrap();
        let read = Head::read(&path).unwrap();
        assert!(read == own && !read.is_of_networks());
    }
    assert!(head().is_of_networks());
}
