//! PyTorch's checkpoints, as files and as pickles of models alone; GGUF, MXNet's arrays, and indices of shards.

#[path = "../../../../crates/weights/tests/gguf/writer.rs"]
mod gguf_writer;
#[path = "../../../../crates/weights/tests/pytorch/writer.rs"]
mod writer;

use gguf_writer::{ARRAY, Gguf, TEXT, UINT32, array, text};
use writer::{Pickle, dictionary, legacy, zipped};

pub(crate) fn write(write: &dyn Fn(&str, &str, &[u8])) {
    gguf(write);
    mxnet(write);
    sharded(write);
    let six: Vec<u8> = (0..6).flat_map(|n| (n as f32).to_le_bytes()).collect();
    let views = dictionary(|p| {
        let p = p.text("a").plain().text("b").view("0", 6, 0, &[3, 2], &[1, 3]);
        p.text("c").view("0", 6, 1, &[2, 2], &[2, 0]).text("d").view("0", 6, 4, &[], &[])
    });
    let model = dictionary(|p| {
        let p = p.text("epoch").int(3).text("state_dict").raw(b"}(").text("w").plain();
        let p = p.text("n").tensor(|p| p.storage("LongStorage", "0", 3), 0, &[3], &[1]).raw(b"u");
        p.text("args")
            .global("argparse", "Namespace")
            .raw(b")\x81}")
            .text("lr")
            .raw(b"G?\xb9\x99\x99\x99\x99\x99\x9asb")
    });
    let module = Pickle::new().global("mine", "Net").raw(b")\x81}").text("_modules").raw(b"}").text("fc");
    let module = module.global("mine", "Linear").raw(b")\x81}(").text("_parameters").raw(b"}").text("weight");
    let module =
        module.global("torch._utils", "_rebuild_parameter").mark().plain().raw(b"\x88N").tuple().reduce();
    let module = module.raw(b"s").text("_modules").raw(b"}ubssb").stop();
    let framed = b"\x80\x04\x95\x06\0\0\0\0\0\0\0}\x94\x8c\x01a\x94Ns.".to_vec();
    let quantised = dictionary(|p| {
        let p = p.text("q").global("torch._utils", "_rebuild_qtensor").mark().storage("QInt8Storage", "0", 6);
        p.int(0).ints(&[2, 3]).ints(&[3, 1]).tuple().reduce()
    });
    for (name, pickle) in
        [("views", views), ("model", model), ("module", module), ("framed", framed), ("quantised", quantised)]
    {
        write("pytorch", &format!("{name}-pickle"), &[&[1], &pickle[..]].concat());
        write("pytorch", &format!("{name}-zip"), &[&[0], &zipped(&pickle, &[("0", &six)])[..]].concat());
        write(
            "pytorch",
            &format!("{name}-legacy"),
            &[&[0], &legacy(&pickle, &[("0", 6, &six)])[..]].concat(),
        );
    }
}

fn gguf(write: &dyn Fn(&str, &str, &[u8])) {
    let tokens = array(TEXT, 2, &[text("a"), text("b")].concat());
    let nested = array(ARRAY, 2, &array(UINT32, 1, &[1, 0, 0, 0]).repeat(2));
    let mut metadata = Gguf::new()
        .entry("general.architecture", TEXT, &text("clip"))
        .entry("tokens", ARRAY, &tokens)
        .entry("nested", ARRAY, &nested)
        .entry("general.alignment", UINT32, &[8, 0, 0, 0]);
    metadata.alignment = 8;
    let mut plain = metadata.clone();
    for (name, kind, size) in [("f32", 0, 4), ("f16", 1, 2), ("bf16", 30, 2), ("f64", 28, 8), ("i32", 26, 4)]
    {
        plain = plain.tensor(name, kind, &[2, 3], &vec![0; 6 * size]);
    }
    write("gguf", "plain", &plain.bytes());
    let blocks = [("q8_0", 8, 32, 34), ("q4_0", 2, 32, 18), ("q4_1", 3, 32, 20), ("q5_1", 7, 32, 24)];
    let rows = blocks.into_iter().fold(metadata, |file, (name, kind, count, size)| {
        file.tensor(name, kind, &[2, count], &vec![1; 2 * size])
    });
    write("gguf", "blocks", &rows.bytes());
    let large =
        [("q2_k", 10, 84), ("q3_k", 11, 110), ("q4_k", 12, 144), ("q5_k", 13, 176), ("q6_k", 14, 210)];
    let mut file = large
        .into_iter()
        .fold(Gguf::new(), |file, (name, kind, size)| file.tensor(name, kind, &[256], &vec![1; size]));
    file.version = 2;
    write("gguf", "large-blocks", &file.bytes());
}

/// Arrays of floats and of whole numbers, of each version.
fn mxnet(write: &dyn Fn(&str, &str, &[u8])) {
    let mut file = [&0x112_u64.to_le_bytes()[..], &[0; 8], &4_u64.to_le_bytes()].concat();
    for (version, kind, size) in [(0xC8, 0_u32, 4), (0xC9, 1, 8), (0xCA, 2, 2), (0xC9, 6, 8)] {
        file.extend([version, 0xFA, 0x93, 0xF9]);
        file.extend(&[0; 4][..if version == 0xC8 { 0 } else { 4 }]);
        file.extend([2_u32.to_le_bytes(), 2_u32.to_le_bytes(), [0; 4], 3_u32.to_le_bytes(), [0; 4]].concat());
        file.extend([1_u32.to_le_bytes(), [0; 4], kind.to_le_bytes()].concat());
        file.extend(vec![0; 6 * size]);
    }
    file.extend(4_u64.to_le_bytes());
    for name in ["arg:a", "aux:b", "features.0.weight", "n"] {
        file.extend(text(name));
    }
    write("mxnet", "arrays", &file);
}

fn sharded(write: &dyn Fn(&str, &str, &[u8])) {
    for (name, index) in [
        ("plain", r#"{"metadata":{"total_size":4},"weight_map":{"w":"a.safetensors"}}"#),
        ("lacking", r#"{"weight_map":{"v":"a.safetensors"}}"#),
        ("itself", r#"{"weight_map":{"w":"model.safetensors.index.json"}}"#),
    ] {
        write("sharded", name, index.as_bytes());
    }
}
