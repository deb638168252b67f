//! Which tensors are found, and their numbers.

use crate::{
    both, open,
    writer::{Pickle, dictionary, legacy, zipped},
};

/// Names and values of a checkpoint in either container, which must not differ.
fn read(pickle: &[u8]) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let [one, other] = both(pickle).map(|file| {
        let file = open(&file).unwrap();
        let tensor = |name: &str| file.read(name).unwrap().unwrap();
        let all = file.names().into_iter().map(|name| {
            let tensor = tensor(name);
            assert_eq!(file.shape(name), Some(&tensor.shape[..]));
            (name.to_owned(), tensor.shape, tensor.data)
        });
        all.collect::<Vec<_>>()
    });
    assert_eq!(one, other);
    one
}

fn names(pickle: &[u8]) -> Vec<String> {
    read(pickle).into_iter().map(|(name, ..)| name).collect()
}

#[test]
fn views_of_one_storage_are_read_in_their_own_order() {
    let pickle = dictionary(|p| {
        let p = p.text("a").view("0", 6, 0, &[2, 3], &[3, 1]).text("b").view("0", 6, 0, &[3, 2], &[1, 3]);
        let p = p.text("c").view("0", 6, 1, &[2, 2], &[2, 0]).text("d").view("0", 6, 4, &[], &[]);
        p.text("e").view("0", 6, 6, &[0, 9], &[1, 1]).text("f").view("0", 6, 2, &[1, 4], &[77, 1])
    });
    let read = read(&pickle);
    let data: Vec<_> = read.iter().map(|(name, _, data)| (name.as_str(), data.as_slice())).collect();
    let expected: [(&str, &[f32]); 6] = [
        ("a", &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
        ("b", &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]),
        ("c", &[1.0, 1.0, 3.0, 3.0]),
        ("d", &[4.0]),
        ("e", &[]),
        ("f", &[2.0, 3.0, 4.0, 5.0]),
    ];
    assert_eq!(data, expected);
}

#[test]
fn the_dictionary_of_a_model_is_found_beside_others() {
    let model = |p: Pickle| p.raw(b"}(").text("fc.weight").plain().raw(b"u");
    let beside = |key: &str| {
        // The best accuracy so far, and an optimizer, hold tensors too.
        dictionary(|p| {
            let p = p.text("best").plain().text("optimizer").raw(b"}(").int(0).plain().raw(b"u");
            model(p.text(key)).text("epoch").int(3).text("args").global("argparse", "Namespace").raw(b")\x81")
        })
    };
    for key in ["state_dict", "model_state_dict", "model", "net", "module", "ema", "teacher", "params"] {
        assert_eq!(names(&beside(key)), [format!("{key}.fc.weight")]);
    }
    assert_eq!(names(&beside("mine")), ["best", "mine.fc.weight", "optimizer.0"]);
    // The first in the order above, if it holds tensors.
    let two = dictionary(|p| {
        let p = model(p.text("weights")).text("state_dict").raw(b"}").text("model");
        model(p.raw(b"}(").text("state_dict")).raw(b"u")
    });
    assert_eq!(names(&two), ["model.state_dict.fc.weight"]);
}

/// As timm's loader does.
#[test]
fn of_two_copies_the_averaged_one_is_taken_if_it_is_whole() {
    let model = |p: Pickle, count: i64| {
        (0..count).fold(p.raw(b"}("), |p, at| p.text(&format!("{at}.weight")).plain()).raw(b"u")
    };
    for (plain, averaged) in [("state_dict", "state_dict_ema"), ("model", "ema"), ("student", "teacher")] {
        for (first, second) in [(plain, averaged), (averaged, plain)] {
            let two = dictionary(|p| model(model(p.text(first), 2).text(second), 2));
            assert_eq!(names(&two), [format!("{averaged}.0.weight"), format!("{averaged}.1.weight")]);
        }
    }
    // Without a batch norm's statistics, say.
    let part = dictionary(|p| model(model(p.text("state_dict"), 2).text("state_dict_ema"), 1));
    assert_eq!(names(&part), ["state_dict.0.weight", "state_dict.1.weight"]);
    let more = dictionary(|p| model(model(p.text("params"), 2).text("params_ema"), 3));
    assert_eq!(names(&more).len(), 3);
}

#[test]
fn modules_are_read_by_the_names_of_their_state_dict() {
    let part = |p: Pickle, inner: &dyn Fn(Pickle) -> Pickle| {
        let p = p.global("mine", "Net").raw(b")\x81}(").text("training").raw(&[0x88]);
        let p = p.text("_parameters").raw(b"}(").text("weight").global("torch._utils", "_rebuild_parameter");
        let p = p.mark().plain().raw(b"\x88)t").reduce().text("bias").raw(b"Nu");
        let p = p.text("_buffers").raw(b"}(").text("mean").plain().raw(b"u").text("other").plain();
        inner(p.text("_modules").raw(b"}(")).raw(b"uub")
    };
    let net = part(Pickle::new(), &|p| part(p.text("conv"), &|p| p)).stop();
    assert_eq!(names(&net), ["conv.mean", "conv.weight", "mean", "weight"]);
    // TorchScript's have their parts as attributes.
    let script = Pickle::new().global("__torch__.Net", "Net").raw(b")\x81}(").text("weight").plain();
    assert_eq!(names(&script.raw(b"ub").stop()), ["weight"]);
}

#[test]
fn python_2s_ordered_dictionaries_are_read() {
    let p = Pickle::new().global("collections", "OrderedDict").raw(b"](](U\x01a").plain().raw(b"e](U\x01b");
    assert_eq!(names(&p.plain().raw(b"ee\x85R").stop()), ["a", "b"]);
}

#[test]
fn views_of_storages_in_the_oldest_files_are_read() {
    let view = |start: i64, count: i64| {
        let storage = move |p: Pickle| {
            let p = p.mark().text("storage").global("torch", "FloatStorage").text("0").text("cpu").int(6);
            p.mark().text("v").int(start).int(count).tuple().raw(b"tQ")
        };
        legacy(&dictionary(|p| p.text("x").tensor(storage, 1, &[2], &[1])), &[("0", 6, &crate::six())])
    };
    assert_eq!(open(&view(2, 3)).unwrap().read("x").unwrap().unwrap().data, [3.0, 4.0]);
    for (start, count) in [(2, 2), (4, 3), (i64::MAX, 3), (-1, 3)] {
        assert!(open(&view(start, count)).is_err(), "{start} {count}");
    }
}

#[test]
fn dtypes_are_widened_or_named() {
    let values = [0.0, -2.5, 0.375, 1.0, 1.0, 1.0_f32];
    let dtypes: [(&str, Vec<u8>); 3] = [
        ("DoubleStorage", values.iter().flat_map(|x| f64::from(*x).to_le_bytes()).collect()),
        ("HalfStorage", values.iter().flat_map(|x| half::f16::from_f32(*x).to_le_bytes()).collect()),
        ("BFloat16Storage", values.iter().flat_map(|x| half::bf16::from_f32(*x).to_le_bytes()).collect()),
    ];
    let pickle =
        |class: &str| dictionary(|p| p.text("x").tensor(|p| p.storage(class, "0", 6), 1, &[5], &[1]));
    for (class, bytes) in &dtypes {
        let pickle = pickle(class);
        for file in [zipped(&pickle, &[("0", bytes)]), legacy(&pickle, &[("0", 6, bytes)])] {
            let tensor = open(&file).unwrap().read("x").unwrap().unwrap();
            assert_eq!(tensor.data, values[1..], "{class}");
        }
    }
    for (class, name) in
        [("LongStorage", "I64"), ("BoolStorage", "BOOL"), ("QUInt8Storage", "quantised numbers")]
    {
        let file = open(&zipped(&pickle(class), &[("0", &[0; 48])])).unwrap();
        assert_eq!(file.shape("x"), Some(&[5][..]));
        let error = file.read("x").unwrap_err().to_string();
        assert!(error.contains(&format!("the tensor `x` is stored as {name}; expected F32")), "{error}");
    }
}

#[test]
fn tensors_that_are_more_than_numbers_are_named() {
    let pickle = dictionary(|p| {
        let p = p.text("q").global("torch._utils", "_rebuild_qtensor").mark();
        let p = p.storage("QInt8Storage", "0", 6).int(0).ints(&[2, 3]).ints(&[3, 1]).tuple().reduce();
        let p = p.text("s").global("torch._utils", "_rebuild_sparse_tensor").raw(b"N").mark().plain().plain();
        p.ints(&[4, 4]).tuple().raw(b"\x86").reduce().text("w").plain()
    });
    let file = open(&zipped(&pickle, &[("0", &crate::six())])).unwrap();
    for (name, shape, what) in [("q", [2, 3], "quantised numbers"), ("s", [4, 4], "a sparse tensor")] {
        assert_eq!(file.shape(name), Some(&shape[..]));
        assert!(file.read(name).unwrap_err().to_string().contains(&format!("is stored as {what}")));
    }
    assert!(file.read("w").unwrap().is_some() && file.read("none").unwrap().is_none());
}
