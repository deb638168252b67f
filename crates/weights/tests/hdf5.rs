//! HDF5 files, in every way in which Keras wrote them. `tests/peers/hdf5_fixtures.py` makes them.

#![expect(clippy::unwrap_used, reason = "tests")]

use headstart_weights::{Tensors, WeightError};
use std::path::{Path, PathBuf};

/// A layer, and its weights by name and shape.
type Layer = (&'static str, &'static [(&'static str, &'static [usize])]);

/// Those of the fixtures.
const LAYERS: [Layer; 7] = [
    ("block1_conv1", &[("kernel", &[2, 3, 2, 4]), ("bias", &[4])]),
    ("block1_bn", &[("gamma", &[4]), ("beta", &[4]), ("moving_mean", &[4]), ("moving_variance", &[4])]),
    ("conv_dw_1", &[("depthwise_kernel", &[2, 2, 4, 1])]),
    ("sepconv", &[("depthwise_kernel", &[2, 2, 4, 1]), ("pointwise_kernel", &[1, 1, 4, 3])]),
    ("conv2d_7", &[("kernel", &[1, 1, 3, 2]), ("bias", &[2])]),
    ("conv2d_12", &[("kernel", &[1, 1, 2, 2]), ("bias", &[2])]),
    ("predictions", &[("kernel", &[2, 3]), ("bias", &[3])]),
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn open(name: &str) -> Box<dyn Tensors> {
    headstart_weights::open(&fixture(name)).unwrap()
}

/// The numbers of the fixtures' script.
fn values(name: &str, count: usize) -> Vec<f32> {
    (0..count).map(|i| ((37 * i + name.len()) % 101) as f32 / 64.0 - 50.0 / 64.0).collect()
}

/// What we call a weight: layers that Keras counts are counted from 0, and a depthwise convolution has one kernel.
fn our_name(layer: &str, weight: &str, counted: &[&str]) -> String {
    let rank = counted.iter().position(|name| *name == layer);
    let layer = rank.map_or_else(|| layer.to_owned(), |rank| format!("conv2d_{rank}"));
    format!("{layer}/{}", if layer == "conv_dw_1" { "kernel" } else { weight })
}

#[test]
fn weights_have_one_name_whichever_keras_wrote_them() {
    let all = [0, 1, 2, 3, 4, 5, 6];
    for (file, layers, others) in [
        ("keras1.h5", &[0, 1, 6][..], &[][..]),
        ("keras2.h5", &[2, 3, 4, 5], &[]),
        ("whole.h5", &[0, 1], &[]),
        ("latest.h5", &all, &[]),
        ("packed.h5", &[0], &[]),
        ("keras3.weights.h5", &[0, 1, 3], &["optimizer/vars/0"]),
        ("stored.keras", &[1, 3], &["optimizer/vars/0"]),
        ("deflated.keras", &all, &["optimizer/vars/0"]),
        ("keras3_0.keras", &all, &["optimizer/vars/0"]),
        ("keras2_15.keras", &[1, 4, 5], &["optimizer/vars/0"]),
    ] {
        let tensors = open(file);
        let counted: Vec<&str> =
            layers.iter().map(|at| LAYERS[*at].0).filter(|name| name.starts_with("conv2d")).collect();
        let mut names: Vec<String> = others.iter().map(|name| (*name).to_owned()).collect();
        for (layer, weights) in layers.iter().map(|at| LAYERS[*at]) {
            for (weight, shape) in weights {
                let name = our_name(layer, weight, &counted);
                let tensor = tensors.read(&name).unwrap().unwrap_or_else(|| panic!("{file}: {name}"));
                assert_eq!(
                    (tensor.shape.as_slice(), tensors.shape(&name)),
                    (*shape, Some(*shape)),
                    "{file}: {name}"
                );
                let count = shape.iter().product();
                assert_eq!(tensor.data, values(&format!("{layer}/{weight}"), count), "{file}: {name}");
                names.push(name);
            }
        }
        names.sort();
        assert_eq!(tensors.names(), names, "{file}");
    }
}

#[test]
fn every_float_is_read_and_what_is_none_is_named() {
    let tensors = open("numbers.h5");
    let read = |name: &str| tensors.read(name).map(|tensor| tensor.unwrap().data);
    for name in ["f2", "f4", "f8", ">f2", ">f4", ">f8"] {
        assert_eq!(read(name).unwrap(), values("n", 10), "{name}");
        assert_eq!(tensors.shape(name), Some(&[2, 5][..]));
    }
    assert_eq!(read("bf2").unwrap(), [0.5, -2.0, 3.0, 0.007_812_5]);
    assert_eq!((read("scalar").unwrap(), tensors.shape("scalar")), (vec![0.5], Some(&[][..])));
    assert_eq!((read("chunks").unwrap(), tensors.shape("chunks")), (vec![], Some(&[0][..])));
    assert_eq!(read("grown").unwrap(), values("grown", 35));
    for (name, kind) in [("i4", "I32"), ("u1", "U8"), ("i8", "I64"), ("text", "text")] {
        match read(name) {
            Err(WeightError::Dtype { tensor, got, .. }) => {
                assert_eq!((tensor.as_str(), got.as_str()), (name, kind));
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    for (name, index) in [("nan", 1), ("huge", 0)] {
        assert!(matches!(read(name), Err(WeightError::NotFinite { index: at, .. }) if at == index), "{name}");
    }
    assert!(tensors.read("none").unwrap().is_none());
}
