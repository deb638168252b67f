//! The names in a pickle that are known: tensors, storages and dictionaries. Everything else stays a name.

use super::{
    dtype::Dtype,
    values::{Described, Id, Storage, Value, Values},
};
use std::mem;

/// What a call of `callable` with `args` gives. Nothing is called.
pub(super) fn call(values: &mut Values<'_>, callable: Id, args: Id) -> Id {
    known(values, callable, args)
        .unwrap_or_else(|| values.add(Value::Object { class: callable, state: None }))
}

fn known(values: &mut Values<'_>, callable: Id, args: Id) -> Option<Id> {
    let items = values.items(args)?;
    let first = items.first().copied();
    match values.global(callable)? {
        ("collections", "OrderedDict" | "defaultdict") => Some(dictionary(values, first)),
        // These are what they are made of. Very old parameters are called by their class.
        ("torch", "Size") | ("builtins" | "__builtin__", "set" | "frozenset") => {
            first.filter(|id| values.items(*id).is_some())
        }
        (
            "torch._utils",
            "_rebuild_parameter" | "_rebuild_parameter_with_state" | "_rebuild_device_tensor_from_cpu_tensor",
        )
        | ("torch.nn.parameter", "Parameter")
        | ("torch.autograd.variable", "Variable") => {
            first.filter(|id| matches!(values.get(*id), Value::Tensor(_)))
        }
        // A function, a class that gets what it gives, and its arguments.
        ("torch._tensor", "_rebuild_from_type" | "_rebuild_from_type_v2") => {
            let (function, inner) = (first?, *items.get(2)?);
            tensor(values, function, inner)
        }
        _ => tensor(values, callable, args),
    }
}

fn tensor(values: &mut Values<'_>, function: Id, args: Id) -> Option<Id> {
    let ("torch._utils", function) = values.global(function)? else { return None };
    let items = values.items(args)?;
    let item = |at: usize| items.get(at).copied();
    let described = match function {
        "_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_tensor_v3" => {
            let Value::Storage(storage) = *values.get(item(0)?) else { return None };
            let dtype = if function == "_rebuild_tensor_v3" { Some(item(6)?) } else { None };
            Described::Strided { storage, offset: item(1)?, shape: item(2)?, strides: item(3)?, dtype }
        }
        "_rebuild_qtensor" => Described::Other { what: "quantised numbers", shape: item(2) },
        "_rebuild_sparse_tensor" => {
            let parts = item(1).and_then(|parts| values.items(parts));
            Described::Other { what: "a sparse tensor", shape: parts.and_then(|parts| parts.get(2).copied()) }
        }
        "_rebuild_sparse_csr_tensor" => Described::Other { what: "a sparse tensor", shape: None },
        "_rebuild_nested_tensor" => Described::Other { what: "a nested tensor", shape: None },
        "_rebuild_meta_tensor_no_storage" => Described::Other { what: "a shape alone", shape: item(1) },
        "_rebuild_wrapper_subclass" => Described::Other { what: "a tensor of another class", shape: item(2) },
        _ => return None,
    };
    let value = values.add_tensor(described);
    Some(values.add(value))
}

/// An empty dictionary, or one of pairs, as Python 2 wrote it.
fn dictionary(values: &mut Values<'_>, pairs: Option<Id>) -> Id {
    // Taken and not copied: a file could name one list of pairs any number of times.
    let pairs = pairs.map(|id| match values.get_mut(id) {
        Value::Items(items) => mem::take(items),
        _ => Vec::new(),
    });
    let entry = |id: &Id| match values.items(*id)? {
        [key, value] => Some((*key, *value)),
        _ => None,
    };
    let entries = pairs.unwrap_or_default().iter().filter_map(entry).collect();
    values.add(Value::Dict(entries))
}

/// What a persistent id stands for: a storage, or a class whose source stands beside it. `None` where it is neither.
pub(super) fn persistent(values: &mut Values<'_>, id: Id) -> Option<Id> {
    let parts = values.items(id)?;
    let kind = values.text(*parts.first()?)?;
    let class = *parts.get(1)?;
    if kind == "module" {
        return Some(class);
    }
    let (key, count) = (*parts.get(2)?, *parts.get(4)?);
    let (module, name) = values.global(class)?;
    let dtype = Dtype::of_storage(module, name)?;
    let Value::Text(key) = *values.get(key) else { return None };
    let mut count = values.count(count)?;
    // A view has a key of its own, where it begins, and how long it is.
    let mut view = None;
    if let Some([_, start, length]) = parts.get(5).and_then(|view| values.items(*view)) {
        (view, count) = (Some(values.count(*start)?), values.count(*length)?);
    }
    if kind != "storage" {
        return None;
    }
    let storage = values.add_storage(Storage { dtype, key, count, view });
    Some(values.add(storage))
}
