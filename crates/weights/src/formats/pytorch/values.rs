//! What a pickle builds: values that refer to one another by number.
//!
//! So a value that is referred to often is there once, and dropping them all follows no references.

use super::dtype::Dtype;

/// Which value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(u32);

/// A range of the pickle's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) length: u32,
}

#[derive(Debug)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// An integer of more than 64 bits, little-endian.
    Long(Span),
    Float,
    /// Text, or Python 2's bytes, which may be any.
    Text(Span),
    Bytes,
    /// A tuple, a list or a set.
    Items(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// Something that Python would import.
    Global {
        module: Span,
        name: Span,
    },
    /// An index of [`Values::storages`].
    Storage(u32),
    /// An index of [`Values::tensors`].
    Tensor(u32),
    /// What Python would make by a call of something, and the state that it would be given.
    Object {
        class: Id,
        state: Option<Id>,
    },
}

/// Numbers in a row, somewhere in the file.
#[derive(Debug)]
pub(super) struct Storage {
    pub(super) dtype: Dtype,
    /// What the container calls it.
    pub(super) key: Span,
    /// How many numbers it has.
    pub(super) count: u64,
    /// Where it begins in another that has this key, in numbers; files before 0.4 have such views.
    pub(super) view: Option<u64>,
}

/// A tensor as the pickle describes it; nothing of that is checked yet.
#[derive(Debug)]
pub(super) enum Described {
    Strided {
        storage: u32,
        offset: Id,
        shape: Id,
        strides: Id,
        dtype: Option<Id>,
    },
    /// One that has more than numbers in a row.
    Other {
        what: &'static str,
        shape: Option<Id>,
    },
}

/// All values of a pickle.
#[derive(Debug)]
pub(super) struct Values<'a> {
    bytes: &'a [u8],
    values: Vec<Value>,
    pub(super) storages: Vec<Storage>,
    pub(super) tensors: Vec<Described>,
}

impl<'a> Values<'a> {
    /// bytes: at most [`super::limits::PICKLE`] of them.
    pub(super) fn new(bytes: &'a [u8]) -> Values<'a> {
        Values { bytes, values: Vec::new(), storages: Vec::new(), tensors: Vec::new() }
    }

    /// Adds a value. There are at most as many as a pickle has steps, so that 32 bits number them.
    pub(super) fn add(&mut self, value: Value) -> Id {
        self.values.push(value);
        Id(index(self.values.len() - 1))
    }

    pub(super) fn add_storage(&mut self, storage: Storage) -> Value {
        self.storages.push(storage);
        Value::Storage(index(self.storages.len() - 1))
    }

    pub(super) fn add_tensor(&mut self, tensor: Described) -> Value {
        self.tensors.push(tensor);
        Value::Tensor(index(self.tensors.len() - 1))
    }

    pub(super) fn get(&self, id: Id) -> &Value {
        &self.values[id.0 as usize]
    }

    pub(super) fn get_mut(&mut self, id: Id) -> &mut Value {
        &mut self.values[id.0 as usize]
    }

    pub(super) fn raw(&self, span: Span) -> &'a [u8] {
        let start = span.start as usize;
        &self.bytes[start..start + span.length as usize]
    }

    /// Text that is UTF-8.
    pub(super) fn text(&self, id: Id) -> Option<&'a str> {
        match *self.get(id) {
            Value::Text(span) => str::from_utf8(self.raw(span)).ok(),
            _ => None,
        }
    }

    pub(super) fn items(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Value::Items(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a dictionary, or of the one that is an object's state.
    pub(super) fn entries(&self, id: Id) -> Option<&[(Id, Id)]> {
        match self.get(id) {
            Value::Dict(entries) => Some(entries),
            Value::Object { state: Some(state), .. } => match self.get(*state) {
                Value::Dict(entries) => Some(entries),
                _ => None,
            },
            _ => None,
        }
    }

    /// What a dictionary has under this key.
    pub(super) fn entry(&self, id: Id, key: &str) -> Option<Id> {
        self.entries(id)?.iter().rev().find(|(k, _)| self.text(*k) == Some(key)).map(|(_, value)| *value)
    }

    /// A number that counts something.
    pub(super) fn count(&self, id: Id) -> Option<u64> {
        match *self.get(id) {
            Value::Int(number) => u64::try_from(number).ok(),
            _ => None,
        }
    }

    /// Module and name of what Python would import.
    pub(super) fn global(&self, id: Id) -> Option<(&'a str, &'a str)> {
        match *self.get(id) {
            Value::Global { module, name } => {
                Some((str::from_utf8(self.raw(module)).ok()?, str::from_utf8(self.raw(name)).ok()?))
            }
            _ => None,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "there are no more than a pickle has steps")]
fn index(index: usize) -> u32 {
    index as u32
}
