//! Follows a pickle, step by step, and builds values instead of objects.
//!
//! Python's `pickletools.py` describes the steps. Those of protocols 0 and 1 that are text, those that refer to a registry of
//! extensions, and those that refer to buffers outside are in no checkpoint.

use super::{
    limits,
    reader::Reader,
    rebuild,
    values::{Id, Value, Values},
};
use std::collections::HashMap;

/// What a pickle built, its last value, and how many bytes it took.
#[derive(Debug)]
pub(super) struct Built<'a> {
    pub(super) values: Values<'a>,
    pub(super) root: Id,
    pub(super) length: usize,
}

struct Machine<'a> {
    reader: Reader<'a>,
    values: Values<'a>,
    stack: Vec<Id>,
    /// Where in the stack marks stand, ascending.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

/// A reason why not is a part of a sentence.
type Step<T = ()> = Result<T, String>;

/// Follows the pickle that `bytes` begin with. The reason why not is a part of a sentence.
pub(super) fn follow(bytes: &[u8]) -> Result<Built<'_>, String> {
    let bytes = &bytes[..bytes.len().min(limits::PICKLE)];
    let (stack, marks, memo) = (Vec::new(), Vec::new(), HashMap::new());
    let (reader, values) = (Reader::new(bytes), Values::new(bytes));
    let mut machine = Machine { reader, values, stack, marks, memo };
    for _ in 0..limits::STEPS {
        let opcode = machine.reader.byte()?;
        if opcode == b'.' {
            let root = machine.pop()?;
            return Ok(Built { values: machine.values, root, length: machine.reader.at() });
        }
        machine.step(opcode)?;
    }
    Err(format!("its pickle has more than {} steps", limits::STEPS))
}

impl Machine<'_> {
    fn step(&mut self, opcode: u8) -> Step {
        match opcode {
            0x80 => match self.reader.byte()? {
                2..=5 => Ok(()),
                other => Err(format!("its pickle is of protocol {other}; 2 to 5 are read")),
            },
            // FRAME: only an announcement, but it should not lie.
            0x95 => self.reader.long_length().and_then(|length| self.reader.remaining(length)).map(drop),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' => self.pop().map(drop),
            b'1' => self.pop_mark().map(drop),
            b'2' => self.top().map(|top| self.stack.push(top)),
            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Bool(opcode == 0x88)),
            b'K' => self.unsigned::<1>(),
            b'M' => self.unsigned::<2>(),
            b'J' => {
                let number = self.reader.array().map(i32::from_le_bytes)?;
                self.push(Value::Int(i64::from(number)))
            }
            // LONG1 and LONG4.
            0x8a => self.reader.short_length().and_then(|length| self.long(length)),
            0x8b => self.reader.length().and_then(|length| self.long(length)),
            b'G' => self.reader.array::<8>().and_then(|_| self.push(Value::Float)),
            // SHORT_BINUNICODE, SHORT_BINSTRING; BINUNICODE, BINSTRING; BINUNICODE8.
            0x8c | b'U' => self.reader.short_length().and_then(|length| self.text(length)),
            b'X' | b'T' => self.reader.length().and_then(|length| self.text(length)),
            0x8d => self.reader.long_length().and_then(|length| self.text(length)),
            // SHORT_BINBYTES; BINBYTES; BINBYTES8, BYTEARRAY8.
            b'C' => self.reader.short_length().and_then(|length| self.raw(length)),
            b'B' => self.reader.length().and_then(|length| self.raw(length)),
            0x8e | 0x96 => self.reader.long_length().and_then(|length| self.raw(length)),
            // EMPTY_TUPLE, EMPTY_LIST, EMPTY_SET.
            b')' | b']' | 0x8f => self.push(Value::Items(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            // TUPLE, FROZENSET.
            b't' | 0x91 => self.pop_mark().and_then(|items| self.push(Value::Items(items))),
            0x85..=0x87 => {
                let items = self.pop_many(usize::from(opcode - 0x84))?;
                self.push(Value::Items(items))
            }
            b'a' => self.pop_many(1).and_then(|items| self.append(items)),
            // APPENDS, ADDITEMS.
            b'e' | 0x90 => self.pop_mark().and_then(|items| self.append(items)),
            b's' => self.pop_many(2).and_then(|items| self.set(&items)),
            b'u' => self.pop_mark().and_then(|items| self.set(&items)),
            _ => self.step_of_names(opcode),
        }
    }

    /// Steps that keep, find, name or make values.
    fn step_of_names(&mut self, opcode: u8) -> Step {
        match opcode {
            b'q' => self.reader.byte().and_then(|at| self.keep(u32::from(at))),
            b'r' => self.reader.array().and_then(|at| self.keep(u32::from_le_bytes(at))),
            0x94 => {
                let next = u32::try_from(self.memo.len()).map_err(|_| damaged())?;
                self.keep(next)
            }
            b'h' => self.reader.byte().and_then(|at| self.recall(u32::from(at))),
            b'j' => self.reader.array().and_then(|at| self.recall(u32::from_le_bytes(at))),
            b'c' => {
                let (module, name) = (self.reader.line()?, self.reader.line()?);
                self.push(Value::Global { module, name })
            }
            0x93 => {
                let names = self.pop_many(2)?;
                let [Value::Text(module), Value::Text(name)] =
                    [names[0], names[1]].map(|id| self.values.get(id))
                else {
                    return Err(damaged());
                };
                let (module, name) = (*module, *name);
                self.push(Value::Global { module, name })
            }
            // REDUCE, NEWOBJ.
            b'R' | 0x81 => {
                let parts = self.pop_many(2)?;
                self.call(parts[0], parts[1])
            }
            // NEWOBJ_EX has named arguments as well.
            0x92 => {
                let parts = self.pop_many(3)?;
                self.call(parts[0], parts[1])
            }
            b'b' => {
                let parts = self.pop_many(2)?;
                if let Value::Object { state, .. } = self.values.get_mut(parts[0]) {
                    *state = Some(parts[1]);
                }
                self.stack.push(parts[0]);
                Ok(())
            }
            b'Q' => {
                let id = self.pop()?;
                let found = rebuild::persistent(&mut self.values, id);
                self.stack.push(found.ok_or("it refers to something outside that is no storage")?);
                Ok(())
            }
            _ => match UNUSED.iter().find(|(unused, _)| *unused == opcode) {
                Some((_, name)) => Err(format!("its pickle has the opcode {name}, which no checkpoint has")),
                None => Err(format!("its pickle has the unknown opcode 0x{opcode:02x}")),
            },
        }
    }

    fn call(&mut self, callable: Id, args: Id) -> Step {
        let made = rebuild::call(&mut self.values, callable, args);
        self.stack.push(made);
        Ok(())
    }

    fn append(&mut self, items: Vec<Id>) -> Step {
        let top = self.top()?;
        match self.values.get_mut(top) {
            Value::Items(list) => list.extend(items),
            // A class of its own that is also a list.
            Value::Object { .. } => {}
            _ => return Err(damaged()),
        }
        Ok(())
    }

    fn set(&mut self, items: &[Id]) -> Step {
        let (pairs, rest) = items.as_chunks::<2>();
        let top = self.top()?;
        let value = self.values.get_mut(top);
        // A class of its own that is also a dictionary.
        if matches!(value, Value::Object { state: None, .. }) {
            *value = Value::Dict(Vec::new());
        }
        match value {
            Value::Dict(entries) if rest.is_empty() => {
                entries.extend(pairs.iter().map(|[key, item]| (*key, *item)));
            }
            Value::Object { .. } => {}
            _ => return Err(damaged()),
        }
        Ok(())
    }

    fn keep(&mut self, at: u32) -> Step {
        let top = self.top()?;
        self.memo.insert(at, top);
        Ok(())
    }

    fn recall(&mut self, at: u32) -> Step {
        self.stack.push(*self.memo.get(&at).ok_or_else(damaged)?);
        Ok(())
    }

    fn push(&mut self, value: Value) -> Step {
        let id = self.values.add(value);
        self.stack.push(id);
        Ok(())
    }

    /// The last value, which is above the last mark.
    fn top(&self) -> Step<Id> {
        let fence = self.marks.last().copied().unwrap_or(0);
        self.stack.get(fence..).and_then(|above| above.last()).copied().ok_or_else(damaged)
    }

    fn pop(&mut self) -> Step<Id> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_many(&mut self, count: usize) -> Step<Vec<Id>> {
        let fence = self.marks.last().copied().unwrap_or(0);
        let start =
            self.stack.len().checked_sub(count).filter(|start| *start >= fence).ok_or_else(damaged)?;
        Ok(self.stack.drain(start..).collect())
    }

    fn pop_mark(&mut self) -> Step<Vec<Id>> {
        let mark = self.marks.pop().ok_or_else(damaged)?;
        // Not `split_off`, which would give each value the room that the whole stack once had.
        Ok(self.stack.drain(mark..).collect())
    }

    fn unsigned<const N: usize>(&mut self) -> Step {
        let number = self.reader.array::<N>()?.iter().rev().fold(0, |all, byte| all << 8 | i64::from(*byte));
        self.push(Value::Int(number))
    }

    /// An integer in two's complement.
    fn long(&mut self, length: usize) -> Step {
        let span = self.reader.span(length)?;
        let bytes = self.values.raw(span);
        let negative = bytes.last().is_some_and(|byte| *byte >= 0x80);
        let start = if negative { -1 } else { 0 };
        let value = match length {
            0..=8 => Value::Int(bytes.iter().rev().fold(start, |all: i64, byte| all << 8 | i64::from(*byte))),
            _ => Value::Long(span),
        };
        self.push(value)
    }

    fn text(&mut self, length: usize) -> Step {
        let span = self.reader.span(length)?;
        self.push(Value::Text(span))
    }

    fn raw(&mut self, length: usize) -> Step {
        self.reader.span(length)?;
        self.push(Value::Bytes)
    }
}

fn damaged() -> String {
    "its pickle is damaged".to_owned()
}

/// Opcodes that `torch.save` does not write.
const UNUSED: [(u8, &str); 17] = [
    (b'F', "FLOAT"),
    (b'I', "INT"),
    (b'L', "LONG"),
    (b'S', "STRING"),
    (b'V', "UNICODE"),
    (b'P', "PERSID"),
    (b'd', "DICT"),
    (b'g', "GET"),
    (b'i', "INST"),
    (b'l', "LIST"),
    (b'o', "OBJ"),
    (b'p', "PUT"),
    (0x82, "EXT1"),
    (0x83, "EXT2"),
    (0x84, "EXT4"),
    (0x97, "NEXT_BUFFER"),
    (0x98, "READONLY_BUFFER"),
];
