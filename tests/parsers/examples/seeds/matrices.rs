//! A matrix of two rows in every layout.

use store::matrix::{self, Layout, Written};

pub(crate) fn write(write: &dyn Fn(&str, &str, &[u8])) {
    let texts = [["a/1", "b/2"], ["train", "test"], ["cat", "dog"]];
    let written = Written {
        rows: 2,
        dim: 3,
        columns: &["id", "split", "label"],
        text: &|row, column| texts[column][row],
        values: &|row, out| {
            out.iter_mut().zip(0_u8..).for_each(|(out, at)| *out = f32::from(at) + row as f32);
        },
    };
    for (name, layout) in [
        ("npy", Layout::Npy),
        ("parquet", Layout::Parquet),
        ("arrow", Layout::Arrow),
        ("safetensors", Layout::Safetensors),
    ] {
        let mut bytes = Vec::new();
        matrix::write(layout, &mut bytes, &written).unwrap();
        write("matrix", name, &bytes);
    }
    let header = "{'descr': '<U2', 'fortran_order': True, 'shape': (2,), }\n";
    let texts = ['a', '\0', 'b', 'c'].map(|letter| (letter as u32).to_le_bytes()).concat();
    let length = (header.len() as u16).to_le_bytes();
    write("matrix", "texts", &[b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &texts].concat());
}
