//! Chains of steps that are taken through a picture strip by strip, so that large maps between them never exist as a
//! whole: a strip of them stays in a near cache from the step that makes it to the one that reads it.
//!
//! **Invariant:** a number's bits do not depend on which strip it was made in, so chains change no results.

use super::{
    form::{Form, Out},
    gemm::Lane,
    lines::Maps,
    maps,
    memory::{Memory, Value},
    parallel::{Shared, each, threads},
    plan::{Action, Plan, Step},
    simd::{Isa, LANES},
    winograd,
};
use std::{cell::RefCell, ops::Range};

/// Blocks that the strips between the steps of a chain may take: 768 KiB.
const STRIPS: usize = 12 << 10;
/// Blocks of a map that stays in a near cache as it is: 2 MiB.
const SMALL: usize = 32 << 10;
/// Places of a strip: fewer make poor products, and read weights too often.
const PLACES: usize = 240;
/// The same for Winograd's tiles.
const TILES: usize = 48;

/// Steps that follow one another, each the only reader of the map before it.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) steps: Range<usize>,
    /// Lines of the last result that are made at a time.
    lines: usize,
    /// Of each map between the steps.
    between: Vec<Between>,
}

/// A map between two steps.
#[derive(Debug)]
struct Between {
    height: usize,
    form: Form,
    /// Blocks of a line.
    line: usize,
    /// Lines that are kept at a time, at most.
    lines: usize,
    /// Lines that are made at a time, at most, but for the first strip.
    made: usize,
    /// Lines are made in multiples of this.
    grain: usize,
}

thread_local! {
    /// Strips, kept from one picture to the next.
    static SCRATCH: RefCell<Vec<Lane>> = const { RefCell::new(Vec::new()) };
}

/// The chains among the first `alone` steps. `uses`: how often each value is read, or handed on as an output.
pub(crate) fn find(plan: &Plan, alone: usize, uses: &[usize]) -> Vec<Chain> {
    let steps = &plan.steps_in_order()[..alone];
    let mut made_by = vec![None; uses.len()];
    steps.iter().enumerate().for_each(|(at, step)| made_by[step.to] = Some(at));
    let mut chains = Vec::new();
    let mut first = 0;
    while first < alone {
        let mut end = first + 1;
        let made_before = |value: usize| made_by[value].is_none_or(|at| at < first);
        while end < alone {
            let (before, next) = (&steps[end - 1], &steps[end]);
            // A constant reads nothing, and follows nothing.
            let follows = next.from.split_first().is_some_and(|(input, others)| {
                *input == before.to && uses[before.to] == 1 && others.iter().all(|value| made_before(*value))
            });
            let large = plan.value_at(before.to).lanes >= SMALL;
            if !(follows && large && goes_by_lines(before) && goes_by_lines(next)) {
                break;
            }
            end += 1;
        }
        // The longest that has strips of a useful size.
        let chain = (first + 2..=end).rev().find_map(|end| Chain::new(plan, first..end));
        first = chain.as_ref().map_or(first + 1, |chain| chain.steps.end);
        chains.extend(chain);
    }
    chains
}

/// Whether some lines of a step's result follow from some lines of its first input.
fn goes_by_lines(step: &Step) -> bool {
    match &step.action {
        Action::Conv(_)
        | Action::Winograd(_)
        | Action::Depthwise(_)
        | Action::Affine(_)
        | Action::Activate(_)
        | Action::LayerNorm(_)
        | Action::Gate(_) => true,
        Action::Pool(pooling) => !pooling.is_global(),
        _ => false,
    }
}

/// The lines of its first input that a step sees for some lines of its result.
fn sees(step: &Step, lines: Range<usize>) -> Range<usize> {
    if lines.is_empty() {
        return 0..0;
    }
    match &step.action {
        Action::Conv(conv) => conv.sees(lines),
        Action::Winograd(conv) => conv.sees(lines),
        Action::Depthwise(conv) => conv.sees(lines),
        Action::Pool(pooling) => pooling.sees(lines),
        _ => lines,
    }
}

/// Whether so many lines of a step's result are enough to make at a time.
fn is_worth(plan: &Plan, step: &Step, lines: usize) -> bool {
    let value = plan.value_at(step.to);
    let width = value.pixels / value.height;
    match step.action {
        Action::Winograd(_) => lines / winograd::OUT * width.div_ceil(winograd::OUT) >= TILES,
        Action::Conv(_) => lines * width >= PLACES,
        _ => true,
    }
}

impl Chain {
    fn new(plan: &Plan, steps: Range<usize>) -> Option<Chain> {
        let all = &plan.steps_in_order()[steps.clone()];
        let grain = |step: &Step| if matches!(step.action, Action::Winograd(_)) { winograd::OUT } else { 1 };
        let between = |step: &Step| {
            let Value { height, lanes, form, .. } = plan.value_at(step.to);
            Between { height, form, line: lanes / height, lines: 0, made: 0, grain: grain(step) }
        };
        let (last, firsts) = all.split_last()?;
        let (height, grain) = (plan.value_at(last.to).height, grain(last));
        let mut chain = Chain { steps, lines: 0, between: firsts.iter().map(between).collect() };
        // The fewest lines at a time that are worth it.
        while chain.lines < height {
            chain.lines += grain;
            chain.measure(all, height);
            let made = chain.between.iter().map(|map| map.made).chain([chain.lines]);
            if all.iter().zip(made).all(|(step, lines)| is_worth(plan, step, lines)) {
                break;
            }
        }
        let taken: usize = chain.between.iter().map(|map| map.line * map.lines).sum();
        (taken <= STRIPS && chain.lines < height).then_some(chain)
    }

    /// Notes how many lines of each map are kept, and made.
    fn measure(&mut self, steps: &[Step], height: usize) {
        self.between.iter_mut().for_each(|map| (map.lines, map.made) = (0, 0));
        let mut before: Option<Vec<Range<usize>>> = None;
        for first in (0..height).step_by(self.lines) {
            let needed = self.needed(steps, first..height.min(first + self.lines));
            for (at, (map, needed)) in self.between.iter_mut().zip(&needed).enumerate() {
                map.lines = map.lines.max(needed.len());
                let end = before.as_ref().map_or(needed.end, |before| before[at].end);
                map.made = map.made.max(needed.end.saturating_sub(end));
            }
            before = Some(needed);
        }
    }

    /// The lines of each map between the steps that some lines of the last result need.
    fn needed(&self, steps: &[Step], lines: Range<usize>) -> Vec<Range<usize>> {
        let mut needed = vec![0..0; self.between.len()];
        let mut lines = lines;
        for (at, map) in self.between.iter().enumerate().rev() {
            let seen = sees(&steps[at + 1], lines);
            let first = seen.start / map.grain * map.grain;
            lines = first..seen.end.next_multiple_of(map.grain).min(map.height);
            needed[at] = lines.clone();
        }
        needed
    }

    /// Takes one picture through the steps: nothing else is done with the memory meanwhile. `time(step, work)` runs `work`, which is a part of that step.
    pub(crate) fn run(
        &self,
        plan: &Plan,
        isa: Isa,
        memory: &mut Memory<'_>,
        time: &(impl Fn(usize, &mut dyn FnMut()) + Sync),
    ) {
        let (steps, memory) = (&plan.steps_in_order()[self.steps.clone()], &*memory);
        let [first, .., last] = steps else { unreachable!("chains have two steps or more") };
        let height = plan.value_at(last.to).height;
        let input = Shared::reading(plan.read(first.from[0], memory));
        let out = plan.place(last.to, memory);
        let strips = height.div_ceil(self.lines);
        let together = strips.div_ceil(threads());
        each(strips.div_ceil(together), |task| {
            // Taken, not borrowed: a thread that waits for others may begin another part.
            let mut scratch = SCRATCH.take();
            let lengths: Vec<usize> = self.between.iter().map(|map| map.line * map.lines).collect();
            let whole = lengths.iter().sum();
            if scratch.len() < whole {
                scratch.resize(whole, Lane::default());
            }
            // The strips, and which lines each holds.
            let mut held: Vec<(&mut [Lane], Range<usize>)> = Vec::with_capacity(lengths.len());
            let mut rest = &mut scratch[..];
            for length in lengths {
                let (strip, others) = rest.split_at_mut(length);
                held.push((strip, 0..0));
                rest = others;
            }
            for strip in task * together..strips.min((task + 1) * together) {
                let lines = strip * self.lines..height.min((strip + 1) * self.lines);
                let needed = self.needed(steps, lines.clone());
                let mut from = input;
                for (at, (map, needed)) in self.between.iter().zip(needed).enumerate() {
                    let (strip, there) = &mut held[at];
                    let made = keep(strip, map.line, there, needed.clone());
                    let to = Out::at(origin(strip, map.line, needed.start), map.form);
                    time(self.steps.start + at, &mut || {
                        // SAFETY: `made` is the part of `needed` that is not there yet, and what it sees of the map before is
                        // there, as that holds what this step sees for all of `needed`; `measure` saw every strip.
                        unsafe { run_lines(plan, isa, memory, &steps[at], (from, to), made.clone()) }
                    });
                    from = Shared::at(to.place(0));
                }
                time(self.steps.end - 1, &mut || {
                    // SAFETY: as above; no other strip has these lines of the result.
                    unsafe { run_lines(plan, isa, memory, last, (from, out), lines.clone()) }
                });
            }
            drop(held);
            SCRATCH.set(scratch);
        });
    }
}

/// Moves the lines of `there` that are still needed to the strip's beginning, and gives those that are to be made.
fn keep(strip: &mut [Lane], line: usize, there: &mut Range<usize>, needed: Range<usize>) -> Range<usize> {
    let kept = needed.start.max(there.start)..there.end.max(needed.start).min(needed.end);
    if !kept.is_empty() && kept.start > there.start {
        let from = (kept.start - there.start) * line;
        strip.copy_within(from..from + kept.len() * line, 0);
    }
    debug_assert!(needed.len() * line <= strip.len(), "`measure` saw every strip");
    *there = needed.clone();
    kept.end..needed.end
}

/// Where a map would begin whose line `first` is a strip's first.
fn origin(strip: &mut [Lane], line: usize, first: usize) -> Shared {
    Shared::at(strip.as_mut_ptr().cast::<f32>().wrapping_sub(first * line * LANES))
}

/// Some lines of a step's result.
///
/// # Safety
/// As [`Maps`] says of where the first input and the result lie.
unsafe fn run_lines(
    plan: &Plan,
    isa: Isa,
    memory: &Memory<'_>,
    step: &Step,
    (input, out): (Shared, Out),
    lines: Range<usize>,
) {
    if lines.is_empty() {
        return;
    }
    let other = step.from.get(1).map(|value| plan.read(*value, memory));
    let maps = Maps { input, residual: other.map_or(Shared::NULL, Shared::reading), out };
    let Value { height, pixels, blocks, lanes, form, .. } = plan.value_at(step.to);
    let line = pixels / height * blocks;
    // SAFETY: the caller's promise; a step that sees only the place at hand has lines as long as its result's.
    unsafe {
        match &step.action {
            Action::Conv(conv) => conv.run_lines(isa, maps, lines),
            Action::Winograd(conv) => conv.run_lines(isa, maps, lines),
            Action::Depthwise(conv) => conv.run_lines(isa, maps, lines),
            Action::Pool(pooling) => pooling.run_lines(isa, blocks, maps, lines),
            action => {
                let first = lines.start * line * LANES;
                let from = input.get().wrapping_add(first).cast::<Lane>().cast_const();
                let from = std::slice::from_raw_parts(from, lines.len() * line);
                let to = out.place(first).cast::<Lane>();
                let to = std::slice::from_raw_parts_mut(to, lines.len() * (lanes / height));
                match action {
                    Action::Affine(affine) => affine.run(isa, from, to, form),
                    Action::Activate(after) => maps::activate(isa, *after, from, to),
                    Action::LayerNorm(norm) => norm.run(isa, from, to, form),
                    Action::Gate(after) => {
                        maps::gate(isa, *after, 1, from, other.unwrap_or_default(), (to, form));
                    }
                    _ => unreachable!("see `goes_by_lines`"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::compile::compile;
    use network::{Builder, Conv, NodeId, Pool};
    use weights::{Bound, Tensor};

    /// The chains of a graph at a size of picture, and how many lines each makes at a time.
    fn chains(side: usize, graph: impl Fn(&mut Builder, NodeId) -> NodeId) -> Vec<(Range<usize>, usize)> {
        let mut net = Builder::image();
        let input = net.input();
        let output = graph(&mut net, input);
        let network = net.finish("chains", output);
        let zeros = |param: &network::Param| {
            Some(Tensor { shape: param.shape.clone(), data: vec![0.0; param.shape.iter().product()] })
        };
        let bound = Bound::from_tensors(network, "zeros", zeros).expect("every parameter is there");
        let plan = compile(bound, (side, side), crate::Precision::F32).expect("it works at this size");
        plan.chains().iter().map(|chain| (chain.steps.clone(), chain.lines)).collect()
    }

    fn vgg(net: &mut Builder, x: NodeId) -> NodeId {
        let x = net.conv("a", x, Conv::new(64, 3));
        let x = net.conv("b", x, Conv::new(64, 3));
        net.max_pool("pool", x, Pool::new(2, 2))
    }

    #[test]
    fn large_maps_are_taken_in_strips_and_small_ones_as_they_are() {
        // A line of the pool sees two, which are made four at a time: 56 of Winograd's tiles.
        assert_eq!(chains(224, vgg), [(0..3, 1)]);
        assert_eq!(chains(64, vgg), []);
    }

    #[test]
    fn every_kind_of_step_that_sees_some_lines_may_stand_in_a_chain() {
        let all = |net: &mut Builder, x: NodeId| {
            let x = net.conv("first", x, Conv::new(40, 3));
            let x = net.relu("relu", x);
            let x = net.batch_norm("bn", x);
            let x = net.max_pool("pool", x, Pool::new(3, 1).pad(1));
            let x = net.conv("groups", x, Conv::new(40, 3).groups(4));
            let x = net.conv("depthwise", x, Conv::new(40, 5).groups(40));
            let x = net.layer_norm("ln", x, 1e-6);
            let x = net.activation("gelu", x, network::Activation::Gelu);
            net.conv("last", x, Conv::new(20, 1).stride(2))
        };
        // Two chains, as the strips between all eight steps would not fit.
        assert_eq!(chains(203, all), [(0..4, 2), (4..8, 3)]);
    }

    #[test]
    fn a_step_that_reads_nothing_ends_a_chain() {
        let constant = |net: &mut Builder, x: NodeId| {
            let x = net.conv("a", x, Conv::new(64, 3));
            let latent = net.constant("latent", "latent", (2, 5));
            let latent = net.token("first", latent, 0);
            let x = net.conv("b", x, Conv::new(5, 3));
            let x = net.global_average_pool("mean", x);
            net.add("sum", x, latent)
        };
        assert_eq!(chains(224, constant), []);
    }

    #[test]
    fn a_map_that_two_steps_read_is_there_as_a_whole() {
        let twice = |net: &mut Builder, x: NodeId| {
            let x = net.conv("a", x, Conv::new(64, 3));
            let y = net.conv("b", x, Conv::new(64, 3));
            let y = net.conv("c", y, Conv::new(64, 3));
            net.add("sum", x, y)
        };
        // The sum goes into `c`; only what is between `b` and `c` is read once.
        assert_eq!(chains(224, twice), [(1..3, 4)]);
    }
}
