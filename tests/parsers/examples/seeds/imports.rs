//! ONNX files as other programs write them.

use crate::onnx_file::{File, Float, Int, Integers, Ints, Text};

pub(crate) fn write(write: &dyn Fn(&str, &str, &[u8])) {
    for (name, file) in [
        ("classifier", classifier()),
        ("attention", attention()),
        ("spelled", spelled()),
        ("channels-last", channels_last()),
        ("constants", constants()),
    ] {
        write("onnx_import", name, &file.model());
    }
}

/// Convolutions, pools, a gate, a dense layer; pictures of any size.
fn classifier() -> File {
    File::new(17, [3, -1, -1])
        .wave("w", &[4, 3, 3, 3])
        .wave("b", &[4])
        .wave("d", &[4, 1, 3, 3])
        .wave("s", &[4])
        .wave("fc", &[2, 8])
        .node("Conv", &["x", "w", "b"], "a", &[Text("auto_pad", "SAME_UPPER"), Ints("strides", &[2, 2])])
        .node("BatchNormalization", &["a", "s", "b", "b", "s"], "n", &[Float("epsilon", 0.001)])
        .node("Conv", &["n", "d"], "e", &[Int("group", 4), Ints("pads", &[1, 1, 1, 1])])
        .node("HardSwish", &["e"], "f", &[])
        .node("MaxPool", &["f"], "g", &[Ints("kernel_shape", &[2, 2]), Ints("strides", &[2, 2])])
        .node("GlobalAveragePool", &["g"], "m", &[])
        .node("Sigmoid", &["m"], "h", &[])
        .node("Mul", &["g", "h"], "i", &[])
        .node("Concat", &["i", "g"], "j", &[Int("axis", 1)])
        .node("GlobalAveragePool", &["j"], "k", &[])
        .node("Flatten", &["k"], "l", &[])
        .node("Gemm", &["l", "fc"], "o", &[Int("transB", 1)])
        .node("Softmax", &["o"], "y", &[Int("axis", 1)])
}

/// Tokens with a class token and positions, attention of two heads, a token.
fn attention() -> File {
    File::new(17, [3, 8, 8])
        .wave("patch", &[4, 3, 4, 4])
        .wave("cls", &[1, 1, 4])
        .wave("pos", &[1, 5, 4])
        .wave("qkv", &[4, 12])
        .wave("bias", &[12])
        .floats("scale", &[], &[0.7])
        .list("rows", &[1, 4, -1])
        .list("split", &[1, 5, 3, 2, 2])
        .list("joined", &[1, 5, 4])
        .list("thirds", &[1, 1, 1])
        .list("axis", &[0])
        .integers("zero", &[], &[0])
        .node("Conv", &["x", "patch"], "a", &[Ints("strides", &[4, 4])])
        .node("Reshape", &["a", "rows"], "b", &[])
        .node("Transpose", &["b"], "c", &[Ints("perm", &[0, 2, 1])])
        .node("Concat", &["cls", "c"], "d", &[Int("axis", 1)])
        .node("Add", &["d", "pos"], "e", &[])
        .node("MatMul", &["e", "qkv"], "f", &[])
        .node("Add", &["f", "bias"], "g", &[])
        .node("Reshape", &["g", "split"], "h", &[])
        .node("Transpose", &["h"], "i", &[Ints("perm", &[2, 0, 3, 1, 4])])
        .node("Split", &["i", "thirds"], "q3 k3 v3", &[Int("axis", 0)])
        .node("Squeeze", &["q3", "axis"], "q", &[])
        .node("Squeeze", &["k3", "axis"], "k", &[])
        .node("Squeeze", &["v3", "axis"], "v", &[])
        .node("Transpose", &["k"], "kt", &[Ints("perm", &[0, 1, 3, 2])])
        .node("MatMul", &["q", "kt"], "scores", &[])
        .node("Mul", &["scores", "scale"], "scaled", &[])
        .node("Softmax", &["scaled"], "shares", &[Int("axis", -1)])
        .node("MatMul", &["shares", "v"], "mixed", &[])
        .node("Transpose", &["mixed"], "turned", &[Ints("perm", &[0, 2, 1, 3])])
        .node("Reshape", &["turned", "joined"], "out", &[])
        .node("Add", &["out", "e"], "sum", &[])
        .node("Gather", &["sum", "zero"], "y", &[Int("axis", 1)])
}

/// A layer norm and GELU by their steps, a shuffle, halves.
fn spelled() -> File {
    let file = File::new(13, [3, 6, 6])
        .wave("w", &[4, 3, 1, 1])
        .wave("gamma", &[4])
        .list("apart", &[1, 2, 2, 6, 6])
        .list("together", &[1, 4, 6, 6])
        .list("halves", &[2, 2]);
    let numbers = [("two", 2.0), ("eps", 1e-6), ("root", 2_f32.sqrt()), ("one", 1.0), ("half", 0.5)];
    let file = numbers.into_iter().fold(file, |file, (name, value)| file.floats(name, &[], &[value]));
    file.node("Conv", &["x", "w"], "a", &[])
        .node("Transpose", &["a"], "b", &[Ints("perm", &[0, 2, 3, 1])])
        .node("ReduceMean", &["b"], "mean", &[Ints("axes", &[-1])])
        .node("Sub", &["b", "mean"], "c", &[])
        .node("Pow", &["c", "two"], "d", &[])
        .node("ReduceMean", &["d"], "variance", &[Ints("axes", &[-1])])
        .node("Add", &["variance", "eps"], "e", &[])
        .node("Sqrt", &["e"], "f", &[])
        .node("Div", &["c", "f"], "g", &[])
        .node("Mul", &["g", "gamma"], "h", &[])
        .node("Div", &["h", "root"], "i", &[])
        .node("Erf", &["i"], "j", &[])
        .node("Add", &["j", "one"], "k", &[])
        .node("Mul", &["h", "k"], "l", &[])
        .node("Mul", &["l", "half"], "m", &[])
        .node("Transpose", &["m"], "n", &[Ints("perm", &[0, 3, 1, 2])])
        .node("Reshape", &["n", "apart"], "o", &[])
        .node("Transpose", &["o"], "p", &[Ints("perm", &[0, 2, 1, 3, 4])])
        .node("Reshape", &["p", "together"], "q", &[])
        .node("Split", &["q", "halves"], "r s", &[Int("axis", 1)])
        .node("Concat", &["s", "r"], "y", &[Int("axis", 1)])
}

/// As tf2onnx turns and pads.
fn channels_last() -> File {
    File::new(9, [5, 5, 3])
        .floats("mean", &[3], &[0.1, 0.2, 0.3])
        .wave("w", &[2, 3, 3, 3])
        .wave("fc", &[32, 3])
        .list("shape", &[-1, 32])
        .node("Sub", &["x", "mean"], "z", &[])
        .node("Transpose", &["z"], "a", &[Ints("perm", &[0, 3, 1, 2])])
        .node("Pad", &["a"], "p", &[Ints("pads", &[0, 0, 0, 1, 0, 0, 1, 0])])
        .node("Conv", &["p", "w"], "b", &[])
        .node("Clip", &["b"], "r", &[Float("min", 0.0), Float("max", 6.0)])
        .node("Transpose", &["r"], "c", &[Ints("perm", &[0, 2, 3, 1])])
        .node("Slice", &["c"], "s", &[Ints("starts", &[0]), Ints("ends", &[9]), Ints("axes", &[1])])
        .node("Flatten", &["s"], "d", &[])
        .node("MatMul", &["d", "fc"], "y", &[])
}

/// Shapes worked out on the way.
fn constants() -> File {
    File::new(17, [3, 4, 4])
        .list("ends", &[1])
        .list("rest", &[3, -1])
        .integers("three", &[], &[3])
        .integers("zero", &[], &[0])
        .integers("one", &[], &[1])
        .node("Shape", &["x"], "a", &[])
        .node("Slice", &["a", "ends", "ends"], "empty", &[])
        .node("Gather", &["a", "zero"], "b", &[])
        .node("Range", &["zero", "three", "one"], "c", &[])
        .node("ConstantOfShape", &["ends"], "d", &[Integers("value", &[1], &[7])])
        .node("Mul", &["c", "d"], "e", &[])
        .node("Unsqueeze", &["b", "ends"], "f", &[])
        .node("Cast", &["e"], "g", &[Int("to", 1)])
        .node("Concat", &["ends", "rest"], "h", &[Int("axis", 0)])
        .node("Reshape", &["x", "h"], "y", &[])
}
