//! Pickles that would run something, or take all memory or time, if they were believed.

use crate::{
    both, open, refused,
    writer::{Pickle, dictionary, legacy},
};
use std::time::{Duration, Instant};

/// Calls `module.name` with a text.
fn call(module: &str, name: &str) -> Vec<u8> {
    Pickle::new().global(module, name).text("touch pwned").raw(b"\x85R").stop()
}

fn p(bytes: &[u8]) -> Vec<u8> {
    Pickle::new().raw(bytes).stop()
}

/// `depth` containers, each of which holds the one before twice; the first is what the stack holds.
fn laughs(pickle: Pickle, depth: u8, twice: &dyn Fn(Pickle, u8) -> Pickle) -> Pickle {
    (0..depth).fold(pickle, |pickle, level| twice(pickle.raw(&[b'q', level, b'0']), level))
}

/// A tensor of a shape in the storage of six floats.
fn shaped(offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    dictionary(|p| p.text("x").view("0", 6, offset, shape, strides))
}

fn persistent(tuple: impl FnOnce(Pickle) -> Pickle) -> Vec<u8> {
    tuple(Pickle::new().mark()).raw(b"tQ").stop()
}

/// What the file is, its pickle, and what is said of it.
fn table() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let object = |pickle: Pickle| pickle.raw(b"\x85R").stop();
    let nested = Pickle::new().global("builtins", "getattr").mark().global("os", "x").text("system").tuple();
    let lists = laughs(Pickle::new().raw(b"]"), 60, &|p, at| p.raw(&[b']', b'(', b'h', at, b'h', at, b'e']));
    let dictionaries = |pickle| {
        laughs(pickle, 60, &|p, at| {
            p.raw(b"}(").text("a").raw(&[b'h', at]).text("b").raw(&[b'h', at]).raw(b"u")
        })
    };
    let deep = (0..1000).fold(Pickle::new(), |p, _| p.raw(b"}").text("a")).plain().raw(&b"s".repeat(1000));
    let twice = dictionary(|p| p.text("a.b").plain().text("a").raw(b"}").text("b").plain().raw(b"s"));
    vec![
        // Things that would be called.
        ("os.system", call("os", "system"), "it holds an object of `os.system`; save a model's state_dict"),
        ("posix.system", call("posix", "system"), "an object of `posix.system`"),
        ("nt.system", call("nt", "system"), "an object of `nt.system`"),
        ("subprocess", call("subprocess", "Popen"), "an object of `subprocess.Popen`"),
        ("eval", call("builtins", "eval"), "an object of `builtins.eval`"),
        ("Python 2's eval", call("__builtin__", "eval"), "an object of `__builtin__.eval`"),
        ("exec", call("builtins", "exec"), "an object of `builtins.exec`"),
        ("an import", call("importlib", "import_module"), "an object of `importlib.import_module`"),
        ("torch's own loader", call("torch.storage", "_load_from_bytes"), "`torch.storage._load_from_bytes`"),
        ("a dotted name", call("torch", "_utils._rebuild_tensor_v2"), "`torch._utils._rebuild_tensor_v2`"),
        ("getattr", nested.clone().reduce().stop(), "an object of `builtins.getattr`"),
        ("what getattr gave", object(nested.reduce().text("id")), "an object of an object"),
        ("a name from the stack", p(b"\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R"), "object of `os.system`"),
        ("a name that is a number", p(b"K\x01K\x02\x93"), "its pickle is damaged"),
        ("NEWOBJ", p(b"cos\nsystem\n)\x81"), "an object of `os.system`"),
        ("NEWOBJ_EX", p(b"cos\nsystem\n)}\x92"), "an object of `os.system`"),
        ("a state", p(b"cos\nsystem\n)\x81}X\x01\0\0\0aNsb"), "an object of `os.system`"),
        ("a key", p(b"}cos\nsystem\n)RNs"), "a dictionary with an object of `os.system`: nothing"),
        (
            "a tensor's function",
            call("torch._utils", "_rebuild_tensor_v2"),
            "`torch._utils._rebuild_tensor_v2`",
        ),
        (
            "a function for a class",
            p(b"ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nN)}tR"),
            "`torch._tensor._rebuild_from_type_v2`",
        ),
        ("arguments that are none", p(b"ccollections\nOrderedDict\nK\x01R"), "`collections.OrderedDict`"),
        // Opcodes that no checkpoint has.
        ("INST", p(b"(ios\nsystem\n"), "has the opcode INST, which no checkpoint has"),
        ("OBJ", p(b"(cos\nsystem\no"), "the opcode OBJ"),
        ("EXT1", p(b"\x82\x01"), "the opcode EXT1"),
        ("EXT2", p(b"\x83\x01\x01"), "the opcode EXT2"),
        ("EXT4", p(b"\x84\x01\x01\x01\x01"), "the opcode EXT4"),
        ("PERSID", p(b"Pstorage\n"), "the opcode PERSID"),
        ("a huge INT", p(&[b"I", &b"9".repeat(1 << 20)[..], b"\n"].concat()), "the opcode INT"),
        ("NEXT_BUFFER", p(b"\x97"), "the opcode NEXT_BUFFER"),
        ("an unknown opcode", p(b"\xff"), "the unknown opcode 0xff"),
        ("protocol 9", b"\x80\x09N.".to_vec(), "of protocol 9; 2 to 5 are read"),
        // References to what lies outside.
        ("a number as a reference", p(b"K\x01Q"), "refers to something outside"),
        (
            "a function as a storage",
            persistent(|p| p.text("storage").global("os", "x").text("0").text("cpu").int(6)),
            "refers to something outside",
        ),
        (
            "an unknown storage",
            persistent(|p| p.text("storage").global("torch", "EvilStorage").text("0").text("cpu").int(6)),
            "refers to something outside",
        ),
        (
            "a negative storage",
            dictionary(|p| p.text("x").view("0", -6, 0, &[1], &[1])),
            "refers to something outside",
        ),
        // Lengths that lie.
        ("a long frame", p(&[b"\x95", &[255; 8][..]].concat()), "ends in the middle of a step"),
        ("LONG4 of 2 GiB", p(b"\x8b\xff\xff\xff\x7f"), "ends in the middle of a step"),
        ("LONG4 of less than nothing", p(b"\x8b\xff\xff\xff\xff"), "ends in the middle of a step"),
        ("BINUNICODE8", p(&[b"\x8d", &[255; 8][..]].concat()), "ends in the middle of a step"),
        ("BINBYTES", p(b"B\xff\xff\xff\xff"), "ends in the middle of a step"),
        ("BYTEARRAY8", p(&[b"\x96", &[255; 8][..]].concat()), "ends in the middle of a step"),
        ("a huge integer", p(&[b"\x8b\0\0\x10\0", &[255; 1 << 20][..]].concat()), "it holds a number"),
        ("no newline", b"\x80\x02cos".to_vec(), "ends in the middle of a step"),
        // Stacks and memos.
        ("nothing to pop", p(b"0"), "its pickle is damaged"),
        ("nothing at all", p(b""), "its pickle is damaged"),
        ("no mark", p(b"Nt"), "its pickle is damaged"),
        ("below the mark", p(b"N(0"), "its pickle is damaged"),
        ("an empty memo", p(b"h\x07"), "its pickle is damaged"),
        ("a far memo", p(b"Nr\xff\xff\xff\xff0j\xff\xff\xff\xff"), "it holds nothing"),
        ("a number with items", p(b"K\x01Na"), "its pickle is damaged"),
        ("a key without a value", p(b"}(Nu"), "its pickle is damaged"),
        ("a list in itself", p(b"]q\x00h\x00a"), "a list of 1"),
        (
            "a dictionary in itself",
            p(b"}q\x00X\x0a\0\0\0state_dicth\x00s"),
            "a dictionary with `state_dict`: a dictionary of 1",
        ),
        ("an object of itself", p(b"]q\x00h\x00)Rah\x00h\x00R"), "an object of an object"),
        // What grows.
        ("lists of lists", lists.stop(), "a list of 2"),
        (
            "dictionaries of dictionaries",
            dictionaries(Pickle::new().plain()).stop(),
            "more than 131072 tensors",
        ),
        (
            "dictionaries of nothing",
            dictionaries(Pickle::new().raw(b"N")).stop(),
            "more than 1048576 entries",
        ),
        ("deep tuples", p(&[b"N", &b"\x85".repeat(1 << 20)[..]].concat()), "a list of 1"),
        ("deep dictionaries", deep.stop(), "more than 64 deep"),
        ("marks", p(&[&b"(".repeat(1 << 20)[..], b"N"].concat()), "it holds nothing"),
        ("copies", p(&[b"N", &b"2".repeat(1 << 20)[..]].concat()), "it holds nothing"),
        ("steps", p(&b"N".repeat(5 << 20)), "more than 4194304 steps"),
        (
            "empty tuples on a large stack",
            p(&[&b"N".repeat(1 << 20)[..], b"(t", &b")0".repeat(1 << 20)].concat()),
            "a list of 0",
        ),
        (
            "one list for many",
            p(&[
                b"](",
                &b"N".repeat(1 << 18)[..],
                b"eq\x000",
                &b"ccollections\nOrderedDict\nh\x00\x85R0".repeat(1 << 14),
                b"N",
            ]
            .concat()),
            "it holds nothing",
        ),
        (
            "a long name",
            dictionary(|p| p.text(&"x".repeat(2000)).plain()),
            "the name of a tensor has more than 1024 bytes",
        ),
        ("one name for two", twice, "it holds the tensor `a.b` twice"),
        // Tensors.
        ("a negative offset", shaped(-1, &[1], &[1]), "`x` reaches beyond what is stored of it"),
        ("a negative stride", shaped(5, &[2], &[-1]), "`x` has a shape or strides that are no counts"),
        ("a negative side", shaped(0, &[-2], &[1]), "`x` has a shape or strides that are no counts"),
        ("a far offset", shaped(i64::MAX, &[2], &[1]), "`x` reaches beyond"),
        ("a far stride", shaped(0, &[3], &[i64::MAX]), "`x` reaches beyond"),
        ("one number more", shaped(1, &[2, 3], &[3, 1]), "`x` reaches beyond"),
        ("a shape beyond all numbers", shaped(0, &[i64::MAX, 3], &[0, 0]), "`x` has too large a shape"),
        ("a repeated number", shaped(0, &[1 << 40], &[0]), "`x` repeats 24 bytes to 1099511627776 numbers"),
        ("too many axes", shaped(0, &[1; 17], &[1; 17]), "`x` has 17 axes; at most 16 are read"),
        ("axes without strides", shaped(0, &[1, 1], &[1]), "`x` has 2 sides and 1 strides"),
        (
            "another's storage",
            dictionary(|p| p.text("x").view("../../etc/passwd", 6, 0, &[1], &[1])),
            "`x` needs `data/../../etc/passwd`",
        ),
        (
            "more than is stored",
            dictionary(|p| p.text("x").view("0", 1 << 61, 0, &[1], &[1])),
            "`x` needs 2305843009213693952 numbers",
        ),
    ]
}

#[test]
fn hostile_pickles_are_refused_in_a_line_and_run_nothing() {
    let table = table();
    assert!(table.len() >= 40);
    for (name, pickle, expected) in table {
        let started = Instant::now();
        let [zipped, legacy] = both(&pickle);
        let error = refused(&zipped);
        assert!(error.contains(expected), "{name}: {error}");
        for error in [error, refused(&legacy)] {
            assert!(!error.is_empty() && error.len() <= 500 && !error.contains('\n'), "{name}: {error}");
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{name}: {:?}", started.elapsed());
    }
    assert!(!std::path::Path::new("pwned").exists());
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kib < 512 << 10, "{kib} KiB");
    }
}

#[test]
fn tensors_are_read_beside_what_is_not_called() {
    let pickle = dictionary(|p| {
        let p = p.text("a").global("os", "system").text("touch pwned").raw(b"\x85R").text("state_dict");
        p.raw(b"}(").text("w").plain().raw(b"u").text("z").global("numpy", "dtype").raw(b")R")
    });
    for file in both(&pickle) {
        assert_eq!(open(&file).unwrap().names(), ["state_dict.w"]);
    }
    assert!(!std::path::Path::new("pwned").exists());
}

#[test]
fn pickles_of_older_files_that_are_hostile_before_the_model_are_refused() {
    let file = legacy(&call("os", "system"), &[]);
    assert!(refused(&file).contains("an object of `os.system`"));
    assert!(refused(&call("os", "system")).contains("a pickle that torch.save did not write"));
}
