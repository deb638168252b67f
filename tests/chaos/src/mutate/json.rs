//! Damage to JSON that leaves it JSON, mostly.

use super::{Random, bytes, one};
use rand::RngExt;
use serde_json::{Value, json};

/// One change to a text that holds a JSON value.
pub(crate) fn json(random: &mut Random, text: &str) -> Vec<u8> {
    let mut value: Value = serde_json::from_str(text).unwrap();
    let paths = paths(&value);
    let path = paths[random.random_range(0..paths.len())].clone();
    match random.random_range(0..14) {
        0..5 => *value.pointer_mut(&path).unwrap() = junk(random),
        5..7 => number(random, &mut value, &paths),
        7 => remove(&mut value, &path),
        8 => repeat(random, &mut value, &path),
        9 => return nested(random, &value, &path),
        10 => return spelt(random, &value, &path),
        11 => return [text.as_bytes(), one::<[u8]>(random, &[b"{}", b"x", b"\0", b"]"])].concat(),
        12 => return ["\u{feff}".as_bytes(), text.as_bytes()].concat(),
        _ => return bytes(random, text.as_bytes()),
    }
    value.to_string().into_bytes()
}

/// The JSON pointers of everything inside a value.
fn paths(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    children
        .into_iter()
        .flat_map(|(key, value)| {
            let below = paths(value).into_iter().map(|path| format!("/{key}{path}")).collect::<Vec<_>>();
            std::iter::once(format!("/{key}")).chain(below)
        })
        .collect()
}

fn junk(random: &mut Random) -> Value {
    let all = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(2),
        json!(1e308),
        json!(-1e308),
        json!(1e-320),
        json!(1_u64 << 31),
        json!(1_u64 << 32),
        json!(1_u64 << 63),
        json!(u64::MAX),
        json!(0.5),
        json!(""),
        json!("x"),
        json!("../../etc/passwd"),
        json!("/dev/zero"),
        json!("a\nb\u{1b}[31m"),
        json!("\u{202e}\u{1F600}"),
        json!([]),
        json!([[]]),
        json!({}),
        json!({"a": 1}),
        json!("NaN"),
        json!([1, 2, 3]),
        json!("0".repeat(64)),
        json!("index.json"),
        json!("x".repeat(100_000)),
        json!("f16"),
        json!("\u{1b}]0;title\u{7}"),
    ];
    all[random.random_range(0..all.len())].clone()
}

/// Another number where there was one.
fn number(random: &mut Random, value: &mut Value, paths: &[String]) {
    let numbers: Vec<&String> =
        paths.iter().filter(|path| value.pointer(path).is_some_and(Value::is_number)).collect();
    let Some(path) = numbers.get(random.random_range(0..numbers.len().max(1))) else { return };
    let place = value.pointer_mut(path).unwrap();
    let old = place.as_f64().unwrap();
    let all = [old + 1.0, old - 1.0, old * 2.0, -old, old * 1000.0, 0.0, 1e300, old + 0.5, 2_f64.powi(63)];
    let new = all[random.random_range(0..all.len())];
    // Whole ones as such: a float where a count belongs is another kind of damage.
    let whole = new.fract() == 0.0 && new.abs() < 2_f64.powi(53);
    *place = if whole { json!(new as i64) } else { json!(new) };
}

fn remove(value: &mut Value, path: &str) {
    let (parent, key) = path.rsplit_once('/').unwrap();
    match value.pointer_mut(parent) {
        Some(Value::Object(map)) => drop(map.remove(key)),
        Some(Value::Array(items)) => drop(items.remove(key.parse().unwrap())),
        _ => {}
    }
}

/// An item of a list twice, or an entry under another name.
fn repeat(random: &mut Random, value: &mut Value, path: &str) {
    let (parent, key) = path.rsplit_once('/').unwrap();
    match value.pointer_mut(parent) {
        Some(Value::Object(map)) => {
            let item = map.remove(key).unwrap_or_default();
            map.insert(one(random, &["zzz", "", "ROWS"]).to_owned(), item);
        }
        Some(Value::Array(items)) => {
            let item = items[key.parse::<usize>().unwrap()].clone();
            items.insert(random.random_range(0..=items.len()), item);
        }
        _ => {}
    }
}

/// A value so deep in lists that a parser's stack may end.
fn nested(random: &mut Random, value: &Value, path: &str) -> Vec<u8> {
    let depth = [130, 10_000, 200_000][random.random_range(0..3)];
    let (open, close) = if random.random() { ("[", "]") } else { ("{\"a\":", "}") };
    let inner = value.pointer(path).unwrap().to_string();
    replaced(value, path, &[open.repeat(depth), inner, close.repeat(depth)].concat())
}

/// A value spelt as JSON has it not, or hardly.
fn spelt(random: &mut Random, value: &Value, path: &str) -> Vec<u8> {
    let long =
        ["9".repeat(400), format!("\"{}\"", "A".repeat(3_000_000)), format!("1.{}", "0".repeat(100_000))];
    let short = ["1e999", "-1e999", "NaN", "Infinity", "-0", "0x10", "01", "\"\\ud800\"", "1.5e-400"];
    let pick = random.random_range(0..short.len() + long.len());
    let new = short.get(pick).map_or_else(|| long[pick - short.len()].clone(), |&short| short.to_owned());
    replaced(value, path, &new)
}

/// The text with what stands at `path` spelt as `new`.
fn replaced(value: &Value, path: &str, new: &str) -> Vec<u8> {
    const MARK: &str = "\u{1}the place\u{1}";
    let mut marked = value.clone();
    *marked.pointer_mut(path).unwrap() = Value::String(MARK.to_owned());
    marked.to_string().replace(&Value::String(MARK.to_owned()).to_string(), new).into_bytes()
}
