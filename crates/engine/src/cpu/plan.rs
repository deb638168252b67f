//! The steps of a compiled network, and where their values lie.

use super::{
    attention::Attention,
    chain::{self, Chain},
    conv::Conv,
    depthwise::Depthwise,
    form::{Form, Out},
    functions::After,
    gemm::{Lane, blocks},
    maps::{self, Affine, Pooling},
    memory::{Buffers, Each, Home, Memory, Slots, Value, make_room},
    norm::LayerNorm,
    parallel::Shared,
    rearrange::Rearrange,
    response::ResponseNorm,
    simd::{Isa, LANES},
    text_attention::{self, Rotary, TextAttention},
    texts::{self, Gather, Lookup},
    winograd::Winograd,
};
use network::Padding;

/// How a picture is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Picture {
    /// Three numbers a pixel, and so many pixels of zeros around.
    Rimmed(Padding),
    /// Blocks of sixteen numbers a pixel, those beyond its channels zero.
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
    Multiply(After),
    Rearrange(Rearrange),
    LayerNorm(LayerNorm),
    ResponseNorm(ResponseNorm),
    /// The second value, one place, multiplies every place of the first.
    Gate(After),
    /// Keys and values are the last value.
    Attention(Attention),
    TextAttention(TextAttention),
    Rotary(Rotary),
    RmsOfParts {
        weight: Vec<f32>,
        eps: f32,
        /// Numbers of a row.
        width: usize,
    },
    Lookup(Lookup),
    Gather(Gather),
    /// Vectors of so many numbers.
    Normalize(usize),
}

/// A compiled network.
///
/// Its first steps, whose maps are large, are run picture by picture, so that what one step has written is still in a
/// near cache when the next reads it; the others, whose weights are large, for many pictures together.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    steps: Vec<Step>,
    /// How many steps are run picture by picture.
    alone: usize,
    /// Those among them that are run strip by strip.
    chains: Vec<Chain>,
    values: Vec<Value>,
    pictures: Vec<(Picture, usize)>,
    /// Values and the length of their vectors.
    outputs: Vec<(usize, usize)>,
    /// Blocks of each shared buffer for one picture.
    shared: Vec<usize>,
    /// Blocks of each of a picture's own buffers.
    own: Vec<usize>,
}

impl Step {
    /// Whether it reads a value as pairs alone.
    fn takes_pairs(&self, value: usize) -> bool {
        let Action::Conv(conv) = &self.action else { return false };
        conv.pairs
            && self
                .from
                .split_first()
                .is_some_and(|(from, others)| *from == value && !others.contains(&value))
    }
}

impl Action {
    /// Whether it can write its result as pairs.
    fn gives_pairs(&self) -> bool {
        match self {
            Action::Conv(conv) => conv.pairs && conv.is_one_part(),
            Action::Winograd(conv) => conv.after.is_clamp(),
            Action::Depthwise(conv) => conv.after.is_clamp(),
            Action::Affine(affine) => affine.after.is_clamp(),
            Action::Add(after) | Action::Multiply(after) | Action::Gate(after) => after.is_clamp(),
            Action::Pool(_) | Action::LayerNorm(_) | Action::Attention(_) | Action::TextAttention(_) => true,
            _ => false,
        }
    }

    /// Blocks of weights that are read for every run.
    fn weights(&self) -> usize {
        match self {
            Action::Conv(conv) => conv.weights.matrix().data.len(),
            Action::Winograd(conv) => conv.weights(),
            _ => 0,
        }
    }
}

impl Plan {
    /// Spends memory that many pictures are worth, and a few are not.
    pub(crate) fn settle(&mut self) {
        for step in &mut self.steps {
            if let Action::Winograd(conv) = &mut step.action {
                conv.settle();
            }
        }
    }

    /// A new value: a map of whole blocks.
    pub(crate) fn value(&mut self, (height, width): (usize, usize), channels: usize) -> usize {
        let (pixels, blocks) = (height * width, blocks(channels));
        let (lanes, each, home) = (pixels * blocks, Each::Sample, Home::Nowhere);
        self.values.push(Value { height, pixels, blocks, form: Form::Numbers, lanes, each, home });
        self.values.len() - 1
    }

    /// A new value: whole blocks for every token of a text.
    pub(crate) fn token_value(&mut self, channels: usize) -> usize {
        let value = self.value((1, 1), channels);
        self.values[value].each = Each::Token;
        value
    }

    /// The value of the pictures, or of what is given, in that layout.
    pub(crate) fn picture(
        &mut self,
        layout: Picture,
        (height, width): (usize, usize),
        channels: usize,
    ) -> usize {
        if let Some((_, value)) = self.pictures.iter().find(|(known, _)| *known == layout) {
            return *value;
        }
        let value = self.value((height, width), channels);
        if let Picture::Rimmed(rim) = layout {
            let Padding { top, left, bottom, right } = rim;
            let pixels = (top + height + bottom) * (left + width + right);
            self.values[value].lanes = (pixels * channels).div_ceil(LANES);
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
            step.from.iter().chain([&step.to]).for_each(|value| last[*value] = at);
        }
        outputs.iter().for_each(|(value, _)| last[*value] = usize::MAX);
        self.narrow(|value| last[value] == usize::MAX);
        // Layers of texts have no large maps.
        let has_tokens = self.values.iter().any(|value| value.each == Each::Token);
        let alone = if has_tokens { 0 } else { self.best_split() };
        let mut uses = vec![0; self.values.len()];
        let read = self.steps.iter().flat_map(|step| &step.from);
        read.chain(outputs.iter().map(|(value, _)| value)).for_each(|value| uses[*value] += 1);
        self.chains = chain::find(&self, alone, &uses);
        let mut in_strips = vec![false; self.values.len()];
        for chain in &self.chains {
            let (end, steps) = (chain.steps.end - 1, &self.steps[chain.steps.clone()]);
            steps[..steps.len() - 1].iter().for_each(|step| in_strips[step.to] = true);
            // What any of its steps reads is read until the last strip.
            steps.iter().flat_map(|step| &step.from).for_each(|value| last[*value] = last[*value].max(end));
        }
        let mut ending = vec![Vec::new(); self.steps.len()];
        for (value, last) in last.iter().enumerate().filter(|(_, last)| **last != usize::MAX) {
            ending[*last].push(value);
        }
        let mut is_early = vec![false; self.values.len()];
        self.pictures.iter().for_each(|(_, value)| is_early[*value] = true);
        self.steps[..alone].iter().for_each(|step| is_early[step.to] = true);
        let is_own = |value: usize| is_early[value] && last[value] < alone;
        let made: Vec<usize> = self.pictures.iter().map(|(_, value)| *value).collect();
        let first: Vec<usize> = self.steps[..alone].iter().map(|step| step.to).collect();
        let (mut own, mut shared) = (Slots::default(), Slots::default());
        // What the first steps hand on is there for all pictures before any later step begins.
        for value in made.iter().chain(&first).filter(|value| !is_own(**value)) {
            self.values[*value].home = Home::Shared(shared.take(self.values[*value].lanes));
        }
        for value in made.iter().filter(|value| is_own(**value)) {
            self.values[*value].home = Home::Own(own.take(self.values[*value].lanes));
        }
        for (at, ending) in ending.iter().enumerate() {
            let to = self.steps[at].to;
            if is_own(to) && !in_strips[to] {
                self.values[to].home = Home::Own(own.take(self.values[to].lanes));
            } else if at >= alone {
                self.values[to].home = Home::Shared(shared.take(self.values[to].lanes));
            }
            for value in ending {
                match self.values[*value].home {
                    Home::Own(slot) => own.free.push(slot),
                    Home::Shared(slot) => shared.free.push(slot),
                    Home::Nowhere => {}
                }
            }
        }
        (self.own, self.shared) = (own.sizes, shared.sizes);
        (self.alone, self.outputs) = (alone, outputs);
        self
    }

    /// What nobody reads but products of pairs is written as such: half as much memory is written, and read.
    fn narrow(&mut self, is_output: impl Fn(usize) -> bool) {
        for at in 0..self.steps.len() {
            let value = self.steps[at].to;
            let Value { height, pixels, blocks, .. } = self.values[value];
            let readers = self.steps.iter().filter(|step| step.from.contains(&value));
            // Lines are whole blocks of memory.
            let may = (pixels / height * blocks).is_multiple_of(2)
                && !is_output(value)
                && self.steps[at].action.gives_pairs()
                && readers.clone().all(|step| step.takes_pairs(value));
            if may {
                (self.values[value].form, self.values[value].lanes) = (Form::Pairs, pixels * blocks / 2);
                for step in self.steps.iter_mut().filter(|step| step.from.contains(&value)) {
                    if let Action::Conv(conv) = &mut step.action {
                        conv.lies = Form::Pairs;
                    }
                }
            }
        }
    }

    /// How many steps to run picture by picture: each reads its weights anew for every picture, where those that come
    /// after read and write maps that no near cache has kept.
    fn best_split(&self) -> usize {
        let costs = self.steps.iter().map(|step| {
            let maps = step.from.iter().chain([&step.to]).map(|value| self.values[*value].lanes).sum();
            (step.action.weights(), if maps > LARGE { maps } else { 0_usize })
        });
        let (mut least, mut best, mut cost) = (0, 0, 0);
        for (at, (weights, maps)) in costs.enumerate() {
            cost += weights as isize - maps as isize;
            if cost < least {
                (least, best) = (cost, at + 1);
            }
        }
        best
    }

    /// Blocks that the shared buffers take for one picture.
    pub(crate) fn lanes(&self) -> usize {
        self.shared.iter().fold(0, |sum, lanes| sum.saturating_add(*lanes))
    }

    /// Blocks that a picture takes while the first steps are run for it.
    pub(crate) fn own_lanes(&self) -> usize {
        self.own.iter().fold(0, |sum, lanes| sum.saturating_add(*lanes))
    }

    /// All steps, in their order.
    pub(crate) fn steps_in_order(&self) -> &[Step] {
        &self.steps
    }

    #[cfg(test)]
    pub(crate) fn chains(&self) -> &[Chain] {
        &self.chains
    }

    pub(crate) fn value_at(&self, value: usize) -> Value {
        self.values[value]
    }

    /// Steps that are run picture by picture, and those that are run for many together.
    pub(crate) fn steps(&self) -> (&[Step], &[Step]) {
        self.steps.split_at(self.alone)
    }

    /// Makes the shared buffers large enough for n pictures. Whether that was possible.
    pub(crate) fn make_room(&self, n: usize, buffers: &mut Buffers) -> bool {
        make_room(&self.shared, n, buffers)
    }

    /// The same for the buffers of one picture's own.
    pub(crate) fn make_own_room(&self, buffers: &mut Buffers) -> bool {
        make_room(&self.own, 1, buffers)
    }

    /// Where pictures go: their layouts and places, in whole pictures. `own`: those that the first steps read.
    pub(crate) fn pictures(&self, own: bool) -> impl Iterator<Item = (Picture, usize)> {
        let pictures = self.pictures.iter().copied();
        pictures.filter(move |(_, value)| matches!(self.values[*value].home, Home::Own(_)) == own)
    }

    /// The place of a value that is about to be written.
    pub(crate) fn out<'a>(&self, value: usize, memory: &'a mut Memory<'_>) -> &'a mut [Lane] {
        let (place, length) = memory.place(self.values[value]);
        // SAFETY: within its buffer, as `place` checks. Nobody else has this memory now, and whoever made it for a picture
        // promised that nothing else looks at that one (see `Memory::of_one`).
        unsafe { std::slice::from_raw_parts_mut(place, length) }
    }

    /// A value that has been written.
    pub(crate) fn read<'a>(&self, value: usize, memory: &'a Memory<'_>) -> &'a [Lane] {
        let (place, length) = memory.place(self.values[value]);
        // SAFETY: as in `out`; nobody writes through a memory that is shared, but for chains, which see to it.
        unsafe { std::slice::from_raw_parts(place.cast_const(), length) }
    }

    /// What a step reads, and the place of what it makes.
    ///
    /// # Panics
    /// Where the one lies in a buffer of the other, which `finish` never lets happen.
    fn maps<'a>(&self, step: &Step, memory: &'a mut Memory<'_>) -> (Vec<&'a [Lane]>, &'a mut [Lane]) {
        let home = self.values[step.to].home;
        assert!(
            step.from.iter().all(|value| self.values[*value].home != home),
            "{} writes what it reads",
            step.name
        );
        let (place, length) = memory.place(self.values[step.to]);
        let memory = &*memory;
        let from = step.from.iter().map(|value| self.read(*value, memory)).collect();
        // SAFETY: as in `out`; what is read lies in other buffers, as was just checked.
        (from, unsafe { std::slice::from_raw_parts_mut(place, length) })
    }

    /// Where a value lies, for a chain that makes it strip by strip.
    pub(crate) fn place(&self, value: usize, memory: &Memory<'_>) -> Out {
        let value = self.values[value];
        Out::at(Shared::at(memory.place(value).0.cast()), value.form)
    }

    /// Runs the steps that are run picture by picture, for the memory's one. `time(step, work)` runs `work`, which is that
    /// step or a part of it.
    pub(crate) fn run_early(
        &self,
        isa: Isa,
        memory: &mut Memory<'_>,
        time: &(impl Fn(usize, &mut dyn FnMut()) + Sync),
    ) {
        let (mut at, mut chains) = (0, self.chains.iter().peekable());
        while at < self.alone {
            if let Some(chain) = chains.next_if(|chain| chain.steps.start == at) {
                chain.run(self, isa, memory, time);
                at = chain.steps.end;
            } else {
                time(at, &mut || self.run(&self.steps[at], isa, memory));
                at += 1;
            }
        }
    }

    /// Runs one step over the pictures of the memory.
    pub(crate) fn run(&self, step: &Step, isa: Isa, memory: &mut Memory<'_>) {
        let value = self.values[step.to];
        let form = value.form;
        let n = memory.count_of(value.each);
        let texts = memory.texts();
        let places = step.from.first().map_or(0, |from| self.values[*from].pixels);
        let (from, to) = self.maps(step, memory);
        let read = |i: usize| from[i];
        let residual = (from.len() > 1).then(|| read(from.len() - 1));
        match &step.action {
            Action::Conv(conv) => conv.run(isa, n, read(0), residual, to, form),
            Action::Winograd(conv) => conv.run(isa, n, read(0), residual, to, form),
            Action::Depthwise(conv) => conv.run(isa, n, read(0), to, form),
            Action::Pool(pooling) => pooling.run(isa, n, value.blocks, read(0), to, form),
            Action::Affine(affine) => affine.run(isa, read(0), to, form),
            Action::Activate(after) => maps::activate(isa, *after, read(0), to),
            Action::Add(after) => maps::add(isa, *after, read(0), read(1), to, form),
            Action::Multiply(after) => maps::multiply(isa, *after, read(0), read(1), to, form),
            Action::Rearrange(rearrange) => rearrange.run(n, places, &from, to),
            Action::LayerNorm(norm) => norm.run(isa, read(0), to, form),
            Action::ResponseNorm(norm) => norm.run(isa, n, read(0), to),
            Action::Gate(after) => maps::gate(isa, *after, n, read(0), read(1), (to, form)),
            Action::Attention(attention) => attention.run(isa, n, read(0), read(from.len() - 1), to, form),
            Action::TextAttention(attention) => attention.run(isa, &texts, &from, to, form),
            Action::Rotary(rotary) => rotary.run(&texts, read(0), to),
            Action::RmsOfParts { weight, eps, width } => {
                text_attention::rms_of_parts(weight, *eps, *width, read(0), to);
            }
            Action::Lookup(lookup) => lookup.run(&texts, to),
            Action::Gather(gather) => gather.run(&texts, read(0), to),
            Action::Normalize(channels) => texts::normalize(*channels, n, read(0), to),
        }
    }

    /// Every output's vectors, (n, d), appended.
    pub(crate) fn collect(&self, memory: &Memory<'_>, rows: &mut [Vec<f32>]) {
        for ((value, d), rows) in self.outputs.iter().zip(rows) {
            let numbers: &[f32] = bytemuck::cast_slice(self.read(*value, memory));
            let value = self.values[*value];
            numbers.chunks_exact(value.lanes * LANES).for_each(|row| rows.extend_from_slice(&row[..*d]));
        }
    }
}

/// Blocks of maps that stay in a near cache from one step to the next, whoever's turn it is: 512 KiB.
const LARGE: usize = 8 << 10;
