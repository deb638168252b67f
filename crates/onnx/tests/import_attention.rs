//! Attention with numbers for pairs of places, operators that stand for several, and places that are repeated or left out.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

mod common;

use common::{File, Float, Int, Ints, Text, operations};
use network::{Op, Pair};

/// Queries, keys and values (1, 16, 8) of two heads, from a map of 4×4 places.
fn queries() -> File {
    let head = |file: File, name: &str| {
        let (weight, split) = (format!("{name}.w"), format!("{name}.s"));
        file.wave(&weight, &[8, 8]).node("MatMul", &["t", &weight], name, &[]).node(
            "Reshape",
            &[name, "split"],
            &split,
            &[],
        )
    };
    let file = File::new(17, [3, 8, 8])
        .wave("patch", &[8, 3, 2, 2])
        .list("rows", &[1, 8, 16])
        .list("split", &[1, 16, 2, 4])
        .list("joined", &[1, 16, 8])
        .floats("scale", &[], &[0.5])
        .node("Conv", &["x", "patch"], "map", &[Ints("strides", &[2, 2])])
        .node("Reshape", &["map", "rows"], "r", &[])
        .node("Transpose", &["r"], "t", &[Ints("perm", &[0, 2, 1])]);
    let file = head(head(head(file, "q"), "k"), "v");
    file.node("Transpose", &["q.s"], "qh", &[Ints("perm", &[0, 2, 1, 3])])
        .node("Transpose", &["k.s"], "kh", &[Ints("perm", &[0, 2, 3, 1])])
        .node("Transpose", &["v.s"], "vh", &[Ints("perm", &[0, 2, 1, 3])])
}

/// Attention with something done to the scores, which `change` gives as `s`.
fn attention(change: impl Fn(File) -> File) -> File {
    let file = queries().node("MatMul", &["qh", "kh"], "product", &[]);
    change(file.node("Mul", &["product", "scale"], "scaled", &[]))
        .node("Softmax", &["s"], "shares", &[Int("axis", -1)])
        .node("MatMul", &["shares", "vh"], "mixed", &[])
        .node("Transpose", &["mixed"], "turned", &[Ints("perm", &[0, 2, 1, 3])])
        .node("Reshape", &["turned", "joined"], "y", &[])
}

/// (heads, 16, 16) by how far places of a map of 4×4 are apart.
fn relative() -> Vec<f32> {
    let number = |at: usize| {
        let (head, one, other) = (at / 256, at / 16 % 16, at % 16);
        let (down, across) = (one / 4 + 3 - other / 4, one % 4 + 3 - other % 4);
        ((head * 49 + down * 7 + across) as f32).sin()
    };
    (0..512).map(number).collect()
}

#[test]
fn numbers_of_pairs_are_added_to_scores() {
    let add = |file: File| file.node("Add", &["scaled", "pairs"], "s", &[]);
    let any = attention(|file| add(file.wave("pairs", &[1, 2, 16, 16]))).imported();
    assert_eq!(operations(&any), "Input Conv Linear Attention");
    let network = any.bound.network();
    let Op::Attention { heads: 2, bias: Some(bias) } = network.nodes()[3].op else { panic!("no bias") };
    assert_eq!(
        (network.param(bias).name.as_str(), &network.param(bias).shape[..]),
        ("pairs", &[2, 16, 16][..])
    );

    let by_distance = attention(|file| add(file.floats("pairs", &[2, 16, 16], &relative()))).imported();
    assert_eq!(operations(&by_distance), "Input Conv Linear WindowAttention");
    let network = by_distance.bound.network();
    let Op::WindowAttention { heads: 2, window: 4, shift: 0, bias } = network.nodes()[3].op else {
        panic!("no window")
    };
    let table = &by_distance.bound.tensor(bias).data;
    assert_eq!((table.len(), table[0], table[1]), (98, 0.0, 49_f32.sin()));

    // One number that does not fit, and it is no table any more.
    let mut changed = relative();
    changed[77] += 1.0;
    let other = attention(|file| add(file.floats("pairs", &[2, 16, 16], &changed))).imported();
    assert_eq!(operations(&other), "Input Conv Linear Attention");
}

#[test]
fn what_hides_pairs_is_finite() {
    let add = |file: File| file.node("Add", &["scaled", "pairs"], "s", &[]);
    let mut hidden = vec![0.0; 256];
    hidden[3] = f32::NEG_INFINITY;
    let imported = attention(|file| add(file.floats("pairs", &[16, 16], &hidden))).imported();
    let network = imported.bound.network();
    let Op::Attention { bias: Some(bias), .. } = network.nodes()[3].op else { panic!("no bias") };
    assert_eq!(imported.bound.tensor(bias).data[3], -1e30);
    hidden[3] = f32::NAN;
    let said = attention(|file| add(file.floats("pairs", &[16, 16], &hidden))).said();
    assert!(said.contains("adds numbers to scores that are not finite"), "{said}");
    // Numbers that are no pairs', or factors that are no heads'.
    let said =
        attention(|file| file.wave("pairs", &[2, 16, 16]).node("Mul", &["scaled", "pairs"], "s", &[])).said();
    assert!(said.contains("changes scores of attention"), "{said}");
}

#[test]
fn factors_of_heads_go_to_the_queries() {
    let imported = attention(|file| {
        file.floats("factors", &[2, 1, 1], &[2.0, 3.0]).node("Mul", &["scaled", "factors"], "s", &[])
    })
    .imported();
    assert_eq!(operations(&imported), "Input Conv Linear Attention");
    let network = imported.bound.network();
    let weights = |name: &str| {
        let param = network.param_named(name);
        param.map(|param| imported.bound.tensor(param).data.clone())
    };
    let Op::Linear { weight, .. } = network.nodes()[2].op else { panic!("no dense layer") };
    let rows = &imported.bound.tensor(weight).data;
    // Row 0 is of the first head, row 4 of the second; what was (in, out) lies turned.
    let wave = |at: usize| (at as f32 * 0.7 + 0.3).sin();
    assert!((rows[0] - 2.0 * wave(0)).abs() < 1e-6 && (rows[4 * 8] - 3.0 * wave(4)).abs() < 1e-6);
    assert_eq!(rows[64..128], rows[128..]);
    assert!(weights("q.w").is_none());
}

#[test]
fn what_is_never_so_is_passed_over() {
    let imported = attention(|file| {
        file.floats("zero", &[], &[0.0]).node("IsNaN", &["scaled"], "bad", &[]).node(
            "Where",
            &["bad", "zero", "scaled"],
            "s",
            &[],
        )
    })
    .imported();
    assert_eq!(operations(&imported), "Input Conv Linear Attention");
    // Truth values are no numbers.
    let said = attention(|file| file.node("IsNaN", &["scaled"], "s", &[])).said();
    assert!(said.contains("reads truth values"), "{said}");
}

#[test]
fn queries_of_length_1_are_layer_norms() {
    let unit = |file: File, name: &str| {
        let [norm, least, out] = ["norm", "least", "unit"].map(|part| format!("{name}.{part}"));
        file.node("ReduceL2", &[name], &norm, &[Ints("axes", &[-1])])
            .node("Clip", &[&norm, "tiny"], &least, &[])
            .node("Div", &[name, &least], &out, &[])
    };
    let file = queries().floats("tiny", &[], &[1e-12]).node(
        "Transpose",
        &["k.s"],
        "kr",
        &[Ints("perm", &[0, 2, 1, 3])],
    );
    let end = |file: File| {
        file.node("Transpose", &["kr.unit"], "kt", &[Ints("perm", &[0, 1, 3, 2])])
            .node("MatMul", &["qh.unit", "kt"], "product", &[])
            .node("Softmax", &["product"], "shares", &[Int("axis", -1)])
            .node("MatMul", &["shares", "vh"], "mixed", &[])
            .node("Transpose", &["mixed"], "turned", &[Ints("perm", &[0, 2, 1, 3])])
            .node("Reshape", &["turned", "joined"], "y", &[])
    };
    let imported = end(unit(unit(file.clone(), "qh"), "kr")).imported();
    let said = operations(&imported);
    assert_eq!(said.matches("LayerNorm").count(), 4, "{said}");
    assert!(said.ends_with("Linear Attention"), "{said}");
    // A norm of other sides is named.
    let said = file.node("ReduceL2", &["qh"], "y", &[Ints("axes", &[1])]).said();
    assert!(said.contains("(ReduceL2) is a norm over other than the channels"), "{said}");
}

#[test]
fn operators_that_stand_for_several_are_taken_apart() {
    let ends = |file: File| operations(&file.imported());
    let file = || {
        queries().wave("d", &[8]).wave("e", &[8]).wave("f", &[8]).wave("qkv", &[8, 24]).wave("qkv.b", &[24])
    };
    let micro = |op: &str| format!("com.microsoft.{op}");
    assert_eq!(ends(file().node(&micro("BiasGelu"), &["q", "d"], "y", &[])), "Input Conv Linear Activation");
    assert_eq!(
        ends(file().node(&micro("SkipLayerNormalization"), &["t", "q", "d", "e", "f"], "y", &[])),
        "Input Conv Linear Linear Add BatchNorm LayerNorm"
            .replace("Linear Linear Add BatchNorm", "Linear Add BatchNorm")
    );
    assert_eq!(
        ends(file().node(
            &micro("FusedMatMul"),
            &["q", "v.w"],
            "y",
            &[Int("transB", 1), Float("alpha", 2.0)]
        )),
        "Input Conv Linear Linear Scale"
    );
    assert_eq!(
        ends(file().node(&micro("Attention"), &["t", "qkv", "qkv.b"], "y", &[Int("num_heads", 2)])),
        "Input Conv Linear Attention"
    );
    assert_eq!(
        ends(file().node(&micro("MultiHeadAttention"), &["q", "k", "v"], "y", &[Int("num_heads", 2)])),
        "Input Conv Linear Attention"
    );
    let heads = [Int("q_num_heads", 2), Int("kv_num_heads", 2)];
    assert_eq!(ends(file().node("Attention", &["q", "k", "v"], "y", &heads)), "Input Conv Linear Attention");
    let clip = [Text("activation", "Clip"), common::Floats("activation_params", &[0.0, 6.0])];
    assert_eq!(ends(file().node(&micro("FusedConv"), &["x", "patch"], "y", &clip)), "Input Conv Activation");
    // What they may do beside is named.
    let causal = [Int("q_num_heads", 2), Int("kv_num_heads", 2), Int("is_causal", 1)];
    let said = file().node("Attention", &["q", "k", "v"], "y", &causal).said();
    assert!(said.contains("remembers, caps or hides"), "{said}");
    let few = [Int("q_num_heads", 2), Int("kv_num_heads", 1)];
    let said = file().node("Attention", &["q", "k", "v"], "y", &few).said();
    assert!(said.contains("other heads of queries than of keys"), "{said}");
    let said = file().node(&micro("GroupQueryAttention"), &["q", "k", "v"], "y", &[]).said();
    assert!(
        said.contains("`GroupQueryAttention_") && said.contains("is an operator that is not known"),
        "{said}"
    );
}

#[test]
fn places_are_repeated_or_left_out() {
    let file = || {
        File::new(17, [3, 7, 8])
            .wave("w", &[4, 3, 1, 1])
            .floats("twice", &[4], &[1.0, 1.0, 2.0, 3.0])
            .list("starts", &[0, 0])
            .list("ends", &[100, 100])
            .list("axes", &[2, 3])
            .list("steps", &[2, 3])
            .node("Conv", &["x", "w"], "a", &[])
    };
    let floor = [
        Text("mode", "nearest"),
        Text("coordinate_transformation_mode", "asymmetric"),
        Text("nearest_mode", "floor"),
    ];
    let imported = file().node("Resize", &["a", "", "twice"], "y", &floor).imported();
    assert!(matches!(
        imported.bound.network().nodes()[2].op,
        Op::AdaptiveAveragePool { height: 14, width: 24 }
    ));
    let said = file().node("Resize", &["a", "", "twice"], "y", &[Text("mode", "linear")]).said();
    assert!(said.contains("resizes a map otherwise than by repeating"), "{said}");

    let imported = file().node("Slice", &["a", "starts", "ends", "axes", "steps"], "b", &[]).node(
        "Relu",
        &["b"],
        "y",
        &[],
    );
    let imported = imported.imported();
    let network = imported.bound.network();
    let pool = network.nodes().iter().find_map(|node| match node.op {
        Op::MaxPool(pool) => Some(pool),
        _ => None,
    });
    assert_eq!(pool.unwrap().stride, Pair { y: 2, x: 3 });
    assert_eq!(network.for_taps(&["output"]).unwrap().shapes(7, 8).unwrap().last().unwrap().len(), 4);
}
