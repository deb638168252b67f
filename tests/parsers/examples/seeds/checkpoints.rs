//! PyTorch's checkpoints: files, and pickles of models alone.

#[path = "../../../../crates/weights/tests/pytorch/writer.rs"]
mod writer;

use writer::{Pickle, dictionary, legacy, zipped};

pub(crate) fn write(write: &dyn Fn(&str, &str, &[u8])) {
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
