//! What values are, in words.

use super::values::{Id, Value, Values};
use crate::formats::zip::short;

/// How many keys of a dictionary are told.
const KEYS: usize = 2;

/// What a pickle without named tensors holds.
pub(super) fn describe(values: &Values<'_>, id: Id) -> String {
    let Value::Dict(entries) = values.get(id) else { return of(values, id) };
    let told = entries.iter().take(KEYS).map(|(key, value)| {
        let key = values.text(*key).map_or_else(|| of(values, *key), |key| format!("`{}`", short(key)));
        format!("{key}: {}", of(values, *value))
    });
    let told = told.collect::<Vec<_>>().join(", ");
    match entries.len().saturating_sub(KEYS) {
        0 if told.is_empty() => "an empty dictionary".to_owned(),
        0 => format!("a dictionary with {told}"),
        more => format!("a dictionary with {told} and {more} more"),
    }
}

fn of(values: &Values<'_>, id: Id) -> String {
    let name = |id| values.global(id).map(|(module, name)| short(&format!("{module}.{name}")));
    match values.get(id) {
        Value::None => "nothing".to_owned(),
        Value::Bool(_) | Value::Int(_) | Value::Long(_) | Value::Float => "a number".to_owned(),
        Value::Text(_) => "text".to_owned(),
        Value::Bytes => "bytes".to_owned(),
        Value::Items(items) => format!("a list of {}", items.len()),
        Value::Dict(entries) => format!("a dictionary of {}", entries.len()),
        Value::Storage(_) => "a storage".to_owned(),
        Value::Tensor(_) => "a tensor without a name".to_owned(),
        Value::Global { .. } => format!("the name `{}`", name(id).unwrap_or_default()),
        Value::Object { class, .. } => match name(*class) {
            Some(class) => format!("an object of `{class}`"),
            None => "an object of an object".to_owned(),
        },
    }
}
