//! Damage to safetensors files: eight bytes of length, a JSON header, tensors.

use super::{Random, bytes, json};
use rand::RngExt;
use serde_json::{Value, json as value};

/// One change to a file; `inner` names the metadata that is a JSON text of its own, where there is one.
pub(crate) fn safetensors(random: &mut Random, good: &[u8], inner: Option<&str>) -> Vec<u8> {
    let length = u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    let (header, data) = good[8..].split_at(length);
    let text = std::str::from_utf8(header).unwrap();
    let header = match random.random_range(0..10) {
        0..2 => json(random, text),
        2..4 => return bytes(random, good),
        4 => return [&lied(random, good.len() as u64, length as u64).to_le_bytes()[..], &good[8..]].concat(),
        5 => {
            let mut damaged = good.to_vec();
            let at = random.random_range(8 + length..good.len());
            damaged[at] ^= 1 << random.random_range(0..8);
            return damaged;
        }
        6 => tensor(random, text),
        _ => match inner {
            None => tensor(random, text),
            Some(key) => {
                let mut header: Value = serde_json::from_str(text).unwrap();
                let own = &mut header["__metadata__"][key];
                let damaged = json(random, own.as_str().unwrap());
                *own = Value::String(String::from_utf8_lossy(&damaged).into_owned());
                header.to_string().into_bytes()
            }
        },
    };
    [&(header.len() as u64).to_le_bytes()[..], &header, data].concat()
}

/// A length of the header that it has not.
fn lied(random: &mut Random, file: u64, length: u64) -> u64 {
    let all = [
        0,
        1,
        length - 1,
        length + 1,
        length + 8,
        100_000_000,
        100_000_001,
        1 << 31,
        1 << 63,
        u64::MAX,
        u64::MAX - 7,
        file,
        file - 8,
        file - 7,
    ];
    all[random.random_range(0..all.len())]
}

/// Where a tensor lies, its shape or its type.
fn tensor(random: &mut Random, text: &str) -> Vec<u8> {
    let mut header: Value = serde_json::from_str(text).unwrap();
    let names: Vec<String> =
        header.as_object().unwrap().keys().filter(|name| *name != "__metadata__").cloned().collect();
    let [name, other] = [0, 1].map(|_| names[random.random_range(0..names.len())].clone());
    let number = |random: &mut Random| [0, 1, 2, 255, 1 << 32, 1 << 63, u64::MAX][random.random_range(0..7)];
    let types = ["F16", "BF16", "F64", "I64", "U8", "BOOL", "F8_E4M3", "F4", "C64", "X"];
    match random.random_range(0..6) {
        0 => header[&name]["data_offsets"] = value!([number(random), number(random)]),
        1 => {
            let [one, two] = [&name, &other].map(|name| header[name]["data_offsets"].clone());
            header[&name]["data_offsets"] = two;
            header[&other]["data_offsets"] = one;
        }
        2 => {
            let sides = [0, 1, 2, 4, 100][random.random_range(0..5)];
            header[&name]["shape"] = (0..sides).map(|_| number(random)).collect();
        }
        3 => {
            let mut shape = header[&name]["shape"].as_array().unwrap().clone();
            shape.extend(vec![value!(1); [1, 3, 64][random.random_range(0..3)]]);
            header[&name]["shape"] = Value::Array(shape);
        }
        4 => header[&name]["dtype"] = value!(types[random.random_range(0..types.len())]),
        _ => {
            let tensor = header[&name].clone();
            header[format!("{name}\u{1b}[2J\n")] = tensor;
        }
    }
    header.to_string().into_bytes()
}
