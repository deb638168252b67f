//! The steps of a network that was compiled for a card, and where their values lie in its memory.

use super::{Address, part::Part, work::Work};
use network::By;

/// Something that does not change, by its offset among the constants, in bytes.
pub(crate) type Constant = usize;

/// What flows between steps: (places, stride) numbers a picture, a token, or a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value {
    pub(crate) places: usize,
    /// Numbers of a place: its channels, rounded up to eight; of a picture, four or eight.
    pub(crate) stride: usize,
    /// Bytes of a number.
    pub(crate) bytes: usize,
    /// Whether a text has one, and not each of its tokens. There is room for as many all the same.
    pub(crate) is_pooled: bool,
    /// Where it lies: an offset that is multiplied by the number of units, which are pictures, or tokens.
    pub(crate) at: usize,
}

impl Value {
    /// Bytes of one unit, rounded up so that what lies after it begins at 256 bytes however many units there are.
    pub(crate) fn size(&self) -> usize {
        (self.places * self.stride * self.bytes).next_multiple_of(256)
    }

    pub(crate) fn is_f32(&self, bytes: usize) -> bool {
        self.bytes != bytes
    }
}

/// Where a step puts what it makes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum To {
    Value(usize),
    /// The features of an output: after so many numbers a sample of the outputs before it.
    Output(usize),
}

/// One launch.
#[derive(Debug)]
pub(crate) struct Step {
    /// The first node whose work it does.
    pub(crate) name: String,
    pub(crate) work: Work,
    /// The values that are read; the pictures or the tokens, where there is none.
    pub(crate) from: Vec<usize>,
    pub(crate) to: To,
}

/// An output as kernels write it: (rows, stride) numbers in f32 a sample, `channels` of each row its features.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) rows: usize,
    pub(crate) stride: usize,
    pub(crate) channels: usize,
}

impl Output {
    fn numbers(&self) -> usize {
        self.rows * self.stride
    }
}

/// A compiled network.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) values: Vec<Value>,
    /// Everything that does not change.
    pub(crate) constants: Vec<u8>,
    pub(crate) outputs: Vec<Output>,
    /// Bytes of all values, a unit.
    pub(crate) memory: usize,
    /// What tokens look up: by what, and how many rows there are.
    pub(crate) tables: Vec<(By, usize)>,
}

/// Where a run's memory lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bases {
    pub(crate) constants: Address,
    pub(crate) values: Address,
    /// Pixels, or what kernels are told of texts.
    pub(crate) input: Address,
    pub(crate) out: Address,
}

impl Plan {
    pub(crate) fn value(&mut self, places: usize, stride: usize, bytes: usize, is_pooled: bool) -> usize {
        self.values.push(Value { places, stride, bytes, is_pooled, at: 0 });
        self.values.len() - 1
    }

    /// Which of the tables says what tokens look up so.
    pub(crate) fn table(&mut self, by: By, rows: usize) -> usize {
        let known = self.tables.iter().position(|table| *table == (by, rows));
        known.unwrap_or_else(|| {
            self.tables.push((by, rows));
            self.tables.len() - 1
        })
    }

    /// Appends something that does not change.
    pub(crate) fn constant(&mut self, bytes: &[u8]) -> Constant {
        let at = self.constants.len().next_multiple_of(256);
        self.constants.resize(at, 0);
        self.constants.extend_from_slice(bytes);
        at
    }

    /// Numbers in f32.
    pub(crate) fn numbers(&mut self, numbers: &[f32]) -> Constant {
        self.constant(bytemuck::cast_slice(numbers))
    }

    /// Gives every value a place, which is another's as soon as nobody reads it any more.
    pub(crate) fn finish(mut self) -> Plan {
        let mut last: Vec<usize> = vec![0; self.values.len()];
        for (at, step) in self.steps.iter().enumerate() {
            step.from.iter().for_each(|value| last[*value] = at);
            if let To::Value(value) = step.to {
                last[value] = last[value].max(at);
            }
        }
        // What lies in memory at this point, by offset.
        let mut live: Vec<usize> = Vec::new();
        let mut placed = vec![false; self.values.len()];
        for at in 0..self.steps.len() {
            live.retain(|value| last[*value] >= at);
            // A value that several steps write, part by part, has its place from the first on.
            if let To::Value(value) = self.steps[at].to
                && !placed[value]
            {
                let size = self.values[value].size();
                let mut offset = 0;
                for other in &live {
                    if offset + size <= self.values[*other].at {
                        break;
                    }
                    offset = offset.max(self.values[*other].at + self.values[*other].size());
                }
                self.values[value].at = offset;
                placed[value] = true;
                self.memory = self.memory.max(offset + size);
                let index = live.partition_point(|other| self.values[*other].at < offset);
                live.insert(index, value);
            }
        }
        self
    }

    /// Bytes of a sample's features, as kernels write them.
    pub(crate) fn out_bytes(&self) -> usize {
        self.outputs.iter().map(Output::numbers).sum::<usize>() * size_of::<f32>()
    }

    /// Features of `n` samples, as they came from the card: one (n, d) matrix an output.
    pub(crate) fn rows(&self, bytes: &[u8], n: usize) -> Vec<Vec<f32>> {
        let mut rest = bytes;
        let output = |output: &Output| {
            let (these, others) = rest.split_at(n * output.numbers() * size_of::<f32>());
            rest = others;
            let rows = these.chunks_exact(output.stride * size_of::<f32>());
            let numbers = rows.flat_map(|row| &row.as_chunks().0[..output.channels]);
            numbers.map(|number| f32::from_le_bytes(*number)).collect()
        };
        self.outputs.iter().map(output).collect()
    }

    /// Units whose places and items kernels can count.
    pub(crate) fn most_units(&self) -> usize {
        let most = |value: &Value| {
            let (places, items) = (value.places, value.places * value.stride / 4);
            (i32::MAX as usize / places.max(1)).min(u32::MAX as usize / items.max(1))
        };
        self.values.iter().map(most).min().unwrap_or(usize::MAX)
    }

    /// Where the first unit's value lies.
    pub(crate) fn address(&self, value: usize, part: &Part, bases: &Bases) -> Address {
        bases.values + (self.values[value].at * part.units) as Address
    }

    /// Where a step puts what it makes.
    pub(crate) fn out(&self, step: &Step, part: &Part, bases: &Bases) -> Address {
        match step.to {
            To::Value(value) => self.address(value, part, bases),
            To::Output(before) => {
                let numbers = before * part.samples * size_of::<f32>();
                bases.out + (part.first * self.out_bytes() + numbers) as Address
            }
        }
    }

    /// Of how many a step makes something: pictures, tokens or texts.
    pub(crate) fn count(&self, step: &Step, part: &Part) -> usize {
        match step.to {
            To::Value(value) if !self.values[value].is_pooled => part.units,
            _ => part.samples,
        }
    }
}
