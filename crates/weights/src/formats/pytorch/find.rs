//! Which tensors a checkpoint is about, and their names.

use super::{
    limits,
    values::{Id, Value, Values},
};
use crate::naming::is_averaged;

/// Under what people keep a model beside epochs and optimizers. The first one that holds tensors is taken, or the first averaged
/// copy that holds as many.
const KEPT_UNDER: [&str; 16] = [
    "state_dict",
    "model_state_dict",
    "model",
    "model_state",
    "net",
    "network",
    "module",
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "ema",
    "teacher",
    "student",
    "params",
    "params_ema",
    "weights",
];

/// Names of tensors, each an index of [`Values::tensors`]: keys of dictionaries with a dot between them.
pub(super) fn tensors(values: &Values<'_>, root: Id) -> Result<Vec<(String, u32)>, String> {
    let (mut id, mut prefix, mut budget) = (root, String::new(), limits::ENTRIES);
    for _ in 0..limits::DEPTH {
        let mut models = Vec::new();
        for (key, inner) in kept(values, id, &mut budget)? {
            match below(values, inner, "", &mut budget)?.len() {
                0 => {}
                count => models.push((key, inner, count)),
            }
        }
        let Some((_, _, first)) = models.first().copied() else { break };
        let averaged = models.iter().find(|(key, _, count)| is_averaged(key) && *count >= first);
        let Some((key, inner, _)) = averaged.or(models.first()).copied() else { break };
        (id, prefix) = (inner, format!("{prefix}{key}."));
    }
    below(values, id, &prefix, &mut budget)
}

/// What a dictionary holds under the keys above, in their order.
fn kept(values: &Values<'_>, id: Id, budget: &mut usize) -> Result<Vec<(&'static str, Id)>, String> {
    let Value::Dict(entries) = values.get(id) else { return Ok(Vec::new()) };
    *budget = budget.checked_sub(entries.len()).ok_or_else(too_many)?;
    let mut found = [None; KEPT_UNDER.len()];
    for (key, value) in entries {
        let key = values.text(*key);
        if let Some(at) = KEPT_UNDER.iter().position(|kept| key == Some(kept)) {
            found[at] = Some(*value);
        }
    }
    Ok(KEPT_UNDER.into_iter().zip(found).filter_map(|(key, value)| Some((key, value?))).collect())
}

/// All tensors in `root` and in dictionaries and modules below it.
fn below(
    values: &Values<'_>,
    root: Id,
    prefix: &str,
    budget: &mut usize,
) -> Result<Vec<(String, u32)>, String> {
    let mut found = Vec::new();
    let mut name = prefix.to_owned();
    // A dictionary or module, how many of its entries were met, and how long its own name is.
    let mut path: Vec<(Id, usize, usize)> = vec![(root, 0, name.len())];
    while let Some((id, met, length)) = path.last_mut() {
        let (id, at) = (*id, *met);
        name.truncate(*length);
        *met += 1;
        let Some((key, value)) = branches(values, id).and_then(|entries| entries.get(at)) else {
            path.pop();
            continue;
        };
        *budget = budget.checked_sub(1).ok_or_else(too_many)?;
        match (is_module(values, id), values.text(*key)) {
            // A module's own parts, which its state_dict does not name.
            (true, Some("_parameters" | "_buffers" | "_modules")) => {}
            (true, _) => continue,
            (false, Some(key)) => name.push_str(key),
            (false, None) => match values.get(*key) {
                Value::Int(number) => name.push_str(&number.to_string()),
                _ => continue,
            },
        }
        if name.len() > limits::NAME {
            return Err(format!("the name of a tensor has more than {} bytes", limits::NAME));
        }
        if let Value::Tensor(tensor) = values.get(*value) {
            if found.len() == limits::TENSORS {
                return Err(format!("it holds more than {} tensors", limits::TENSORS));
            }
            found.push((name.clone(), *tensor));
        } else if branches(values, *value).is_some() && !path.iter().any(|(id, ..)| id == value) {
            if path.len() == limits::DEPTH {
                return Err(format!("its dictionaries lie more than {} deep in one another", limits::DEPTH));
            }
            if !is_module(values, id) {
                name.push('.');
            }
            path.push((*value, 0, name.len()));
        }
    }
    Ok(found)
}

fn too_many() -> String {
    format!("its dictionaries have more than {} entries", limits::ENTRIES)
}

/// The entries of a dictionary, of a module, or of a compiled module; other objects may hold anything.
fn branches<'v>(values: &'v Values<'_>, id: Id) -> Option<&'v [(Id, Id)]> {
    match values.get(id) {
        Value::Dict(_) => values.entries(id),
        Value::Object { class, .. } => {
            let compiled = values.global(*class).is_some_and(|(module, _)| module.starts_with("__torch__"));
            if compiled || is_module(values, id) { values.entries(id) } else { None }
        }
        _ => None,
    }
}

/// Whether it is an `nn.Module`, of whatever class.
fn is_module(values: &Values<'_>, id: Id) -> bool {
    // `_modules` is among the first ten that PyTorch's constructor sets. Looking through all would take a hostile file's time.
    const FIRST: usize = 32;
    let is_object = matches!(values.get(id), Value::Object { .. });
    let first = values.entries(id).map(|entries| &entries[..entries.len().min(FIRST)]);
    is_object && first.is_some_and(|first| first.iter().any(|(key, _)| values.text(*key) == Some("_modules")))
}
