//! The steps of a compiled network, and where their values lie.

use super::{
    attention::Attention,
    conv::Conv,
    depthwise::Depthwise,
    functions::After,
    gemm::{Lane, blocks},
    maps::{self, Affine, Pooling},
    norm::LayerNorm,
    simd::{Isa, LANES},
    winograd::Winograd,
};

/// How a picture is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Picture {
    /// Three numbers a pixel, and so many pixels of zeros on every side.
    Rimmed(usize),
    /// A block of sixteen numbers a pixel, thirteen of them zero.
    Lanes,
}

/// One step.
#[derive(Debug)]
pub(crate) struct Step {
    /// The first node whose work it does.
    pub(crate) name: String,
    pub(crate) action: Action,
    /// The values that are read.
    pub(crate) from: Vec<usize>,
    /// The value that is made.
    pub(crate) to: usize,
}

/// What a step does.
#[derive(Debug)]
pub(crate) enum Action {
    /// The second value, if any, is added to the sums.
    Conv(Conv),
    /// As above.
    Winograd(Winograd),
    Depthwise(Depthwise),
    Pool(Pooling),
    Affine(Affine),
    Activate(After),
    Add(After),
    /// With each value's channels.
    Concat(Vec<usize>),
    Flatten {
        channels: usize,
    },
    /// Places one after the other, as one vector.
    Rows {
        channels: usize,
    },
    LayerNorm(LayerNorm),
    /// The second value, one place, multiplies every place of the first.
    Gate(After),
    /// (prefix and places, blocks): added to a map's places, or put before them.
    Tokens(Vec<Lane>),
    /// The same for every picture.
    Constant(Vec<Lane>),
    Token(usize),
    /// Keys and values are the last value.
    Attention(Attention),
    Merge {
        size: (usize, usize),
        channels: usize,
    },
}

/// What flows between steps: pixels of some blocks, for every picture.
#[derive(Clone, Copy, Debug)]
struct Value {
    pixels: usize,
    blocks: usize,
    /// Blocks of one picture.
    lanes: usize,
    /// Which buffer holds it.
    slot: usize,
}

/// A compiled network.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    steps: Vec<Step>,
    values: Vec<Value>,
    pictures: Vec<(Picture, usize)>,
    /// Values and the length of their vectors.
    outputs: Vec<(usize, usize)>,
    /// Blocks of each buffer for one picture.
    slots: Vec<usize>,
}

impl Plan {
    /// A new value: a map of whole blocks.
    pub(crate) fn value(&mut self, (height, width): (usize, usize), channels: usize) -> usize {
        let (pixels, blocks) = (height * width, blocks(channels));
        self.values.push(Value { pixels, blocks, lanes: pixels * blocks, slot: usize::MAX });
        self.values.len() - 1
    }

    /// The value of the pictures in that layout.
    pub(crate) fn picture(&mut self, layout: Picture, (height, width): (usize, usize)) -> usize {
        if let Some((_, value)) = self.pictures.iter().find(|(known, _)| *known == layout) {
            return *value;
        }
        let value = self.value((height, width), 3);
        if let Picture::Rimmed(rim) = layout {
            self.values[value].lanes = ((height + 2 * rim) * (width + 2 * rim) * 3).div_ceil(LANES);
        }
        self.pictures.push((layout, value));
        value
    }

    pub(crate) fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// Gives every value a buffer, which is another's as soon as nobody reads it any more.
    pub(crate) fn finish(mut self, outputs: Vec<(usize, usize)>) -> Plan {
        let mut last = vec![0; self.values.len()];
        for (at, step) in self.steps.iter().enumerate() {
            step.from.iter().for_each(|value| last[*value] = at);
        }
        outputs.iter().for_each(|(value, _)| last[*value] = usize::MAX);
        let mut free: Vec<usize> = Vec::new();
        let pictures: Vec<usize> = self.pictures.iter().map(|(_, value)| *value).collect();
        pictures.into_iter().for_each(|value| self.place(value, &mut free));
        for at in 0..self.steps.len() {
            self.place(self.steps[at].to, &mut free);
            let mut read = self.steps[at].from.clone();
            read.sort_unstable();
            read.dedup();
            free.extend(
                read.into_iter().filter(|value| last[*value] == at).map(|value| self.values[value].slot),
            );
        }
        self.outputs = outputs;
        self
    }

    /// The smallest free buffer that is large enough, else the largest, made larger.
    fn place(&mut self, value: usize, free: &mut Vec<usize>) {
        let needed = self.values[value].lanes;
        let sizes = free.iter().enumerate().map(|(i, slot)| (self.slots[*slot], i));
        let fitting = sizes.clone().filter(|(size, _)| *size >= needed).min();
        let slot = match fitting.or(sizes.max()) {
            Some((_, i)) => free.swap_remove(i),
            None => {
                self.slots.push(0);
                self.slots.len() - 1
            }
        };
        self.slots[slot] = self.slots[slot].max(needed);
        self.values[value].slot = slot;
    }

    /// Blocks that all buffers take for one picture.
    pub(crate) fn lanes(&self) -> usize {
        self.slots.iter().sum()
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Buffers for n pictures; `None` where memory is short.
    pub(crate) fn buffers(&self, n: usize) -> Option<Vec<Vec<Lane>>> {
        // Asked for once in one piece: a system that promises every piece may refuse the whole.
        Vec::<Lane>::new().try_reserve_exact(self.lanes().checked_mul(n)?).ok()?;
        let buffer = |lanes: &usize| {
            let mut buffer = Vec::new();
            buffer.try_reserve_exact(lanes * n).ok()?;
            buffer.resize(lanes * n, Lane::default());
            Some(buffer)
        };
        self.slots.iter().map(buffer).collect()
    }

    /// Whether these buffers are large enough for n pictures.
    pub(crate) fn fits(&self, n: usize, buffers: &[Vec<Lane>]) -> bool {
        buffers.len() == self.slots.len()
            && buffers.iter().zip(&self.slots).all(|(buffer, lanes)| buffer.len() >= lanes * n)
    }

    /// Where pictures go: their layouts and buffers.
    pub(crate) fn pictures(&self) -> impl Iterator<Item = (Picture, usize)> {
        self.pictures.iter().map(|(layout, value)| (*layout, self.values[*value].slot))
    }

    /// Runs one step over n pictures.
    pub(crate) fn run(&self, step: &Step, isa: Isa, n: usize, buffers: &mut [Vec<Lane>]) {
        let value = self.values[step.to];
        // A buffer that is being written is never one that is read: see `finish`.
        let mut out = std::mem::take(&mut buffers[value.slot]);
        let read = |i: usize| {
            let value = self.values[step.from[i]];
            &buffers[value.slot][..value.lanes * n]
        };
        let places = step.from.first().map_or(0, |from| self.values[*from].pixels);
        let to = &mut out[..value.lanes * n];
        let residual = (step.from.len() > 1).then(|| read(step.from.len() - 1));
        match &step.action {
            Action::Conv(conv) => conv.run(isa, n, read(0), residual, to),
            Action::Winograd(conv) => conv.run(isa, n, read(0), residual, to),
            Action::Depthwise(conv) => conv.run(isa, n, read(0), to),
            Action::Pool(pooling) => pooling.run(isa, n, value.blocks, read(0), to),
            Action::Affine(affine) => affine.run(isa, read(0), to),
            Action::Activate(after) => maps::activate(isa, *after, read(0), to),
            Action::Add(after) => maps::add(isa, *after, read(0), read(1), to),
            Action::Concat(channels) => {
                let parts: Vec<_> =
                    channels.iter().enumerate().map(|(i, channels)| (read(i), *channels)).collect();
                maps::concat(&parts, to);
            }
            Action::Flatten { channels } => maps::flatten(places, *channels, read(0), to),
            Action::Rows { channels } => maps::rows(places, *channels, read(0), to),
            Action::LayerNorm(norm) => norm.run(isa, read(0), to),
            Action::Gate(after) => maps::gate(isa, *after, n, read(0), read(1), to),
            Action::Tokens(table) => maps::tokens(places, value.blocks, table, read(0), to),
            Action::Constant(tokens) => maps::constant(tokens, to),
            Action::Token(index) => maps::token(*index, n, read(0), to),
            Action::Attention(attention) => attention.run(isa, n, read(0), read(step.from.len() - 1), to),
            Action::Merge { size, channels } => maps::merge(*size, *channels, read(0), to),
        }
        buffers[value.slot] = out;
    }

    /// Every output's vectors of n pictures, (n, d), appended.
    pub(crate) fn collect(&self, n: usize, buffers: &[Vec<Lane>], rows: &mut [Vec<f32>]) {
        for ((value, d), rows) in self.outputs.iter().zip(rows) {
            let value = self.values[*value];
            let numbers: &[f32] = bytemuck::cast_slice(&buffers[value.slot][..value.lanes * n]);
            numbers.chunks_exact(value.lanes * LANES).for_each(|row| rows.extend_from_slice(&row[..*d]));
        }
    }
}
