//! The end of reading: what the model gives, where it can be tapped, and a network of what is needed.

use super::{
    ImportError,
    importer::{Importer, Stop},
    value::{Live, Pending, Unknown, Value},
};
use network::{Assembly, NodeId, Op, ParamId, Shape, Tap, without_pooling};
use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};
use weights::{Bound, Tensor};

pub(super) struct Finished {
    pub(super) bound: Bound,
    pub(super) default_tap: String,
}

/// The tap whose node is the graph's own output.
const LOGITS: &str = "logits";
/// The tap whose node the last dense layer reads.
const POOLED: &str = "pooled";
/// The tap of a graph that ends with no dense layer.
const OUTPUT: &str = "output";

pub(super) fn finish(
    mut importer: Importer<'_>,
    outputs: &[String],
    tap: Option<&str>,
) -> Result<Finished, ImportError> {
    let mut unknown = None;
    let mut output = None;
    for name in outputs {
        match output_node(&mut importer, name) {
            Ok(node) => {
                output = output.or(Some(node));
            }
            Err(Stop::Fatal(error)) => return Err(error),
            Err(Stop::From(found)) => unknown = unknown.or(Some(found)),
            Err(Stop::Unknown(reason)) => {
                let node = importer.titles.get(name).cloned().unwrap_or_else(|| name.clone());
                unknown =
                    unknown.or_else(|| Some(Rc::new(Unknown { node, op: "output".to_owned(), reason })));
            }
        }
    }
    let of_model = |tap: &&str| ![LOGITS, POOLED, OUTPUT].contains(&without_pooling(tap));
    let asked = tap.filter(of_model).map(|tap| named(&importer, tap));
    let tapped = asked.map(|tap| tapped(&mut importer, tap)).transpose()?;
    let stopped = |unknown: Option<Rc<Unknown>>| match unknown {
        Some(unknown) => ImportError::Operation {
            node: unknown.node.clone(),
            op: unknown.op.clone(),
            reason: unknown.reason,
            taps: tap.is_none(),
        },
        None => ImportError::NoOutput,
    };
    // What a tap does not need may be unknown; all else may not.
    let end = match (output, tapped) {
        (Some(output), _) => output,
        (None, Some(tapped)) => tapped,
        (None, None) => return Err(stopped(unknown)),
    };
    let kept: Vec<NodeId> = [Some(end), tapped].into_iter().flatten().collect();
    let (net, filled, at) = replay(&importer, &kept)?;
    let end = at[&end];
    let mut taps = Vec::new();
    if output.is_some() {
        match pooled(&net, end) {
            Some(pooled) => {
                taps.push(Tap { name: POOLED.to_owned(), node: pooled });
                taps.push(Tap { name: LOGITS.to_owned(), node: end });
            }
            None => taps.push(Tap { name: OUTPUT.to_owned(), node: end }),
        }
    }
    if let (Some(tap), Some(node)) = (asked, tapped) {
        taps.push(Tap { name: tap.to_owned(), node: at[&node] });
    }
    let default_tap = asked.and(tap).map(str::to_owned).or_else(|| taps.first().map(|tap| tap.name.clone()));
    let default_tap = default_tap.ok_or(ImportError::NoOutput)?;
    let network = net.finish(vec![end], taps)?;
    let name = network.name().to_owned();
    let mut by_name = filled;
    let bound = Bound::from_tensors(network, &name, |param| {
        let data = by_name.remove(&param.name)?;
        Some(Tensor {
            shape: param.shape.clone(),
            data: Rc::try_unwrap(data).unwrap_or_else(|data| data.to_vec()),
        })
    })?;
    Ok(Finished { bound, default_tap })
}

/// The node whose result is a value, before a softmax.
fn output_node(importer: &mut Importer<'_>, name: &str) -> Result<NodeId, Stop> {
    let view = match importer.values.get(name) {
        Some(Value::Softmax(view)) => view.clone(),
        _ => importer.settled(name)?,
    };
    importer.title = importer.titles.get(name).cloned().unwrap_or_else(|| name.to_owned());
    Ok(importer.given(&view)?.node)
}

/// A tap, without what says how it becomes a vector, unless something is called so as a whole.
fn named<'a>(importer: &Importer<'_>, tap: &'a str) -> &'a str {
    if value(importer, tap).is_some() { tap } else { without_pooling(tap) }
}

/// The value of that name, or that of the node of that name.
fn value<'a>(importer: &'a Importer<'_>, tap: &str) -> Option<&'a str> {
    let by_name = importer.titles.get_key_value(tap).map(|(name, _)| name.as_str());
    let is_titled = |name: &&String| importer.titles.get(*name).is_some_and(|title| title == tap);
    by_name.or_else(|| importer.order.iter().find(is_titled).map(String::as_str))
}

/// The node of a value, by its name or that of the node which gives it.
fn tapped(importer: &mut Importer<'_>, tap: &str) -> Result<NodeId, ImportError> {
    let Some(name) = value(importer, tap).map(str::to_owned) else {
        return Err(ImportError::Tap { tap: tap.to_owned() });
    };
    let of = |unknown: &Unknown| ImportError::Operation {
        node: unknown.node.clone(),
        op: unknown.op.clone(),
        reason: unknown.reason,
        taps: false,
    };
    output_node(importer, &name).map_err(|stop| match stop {
        Stop::Fatal(error) => error,
        Stop::From(unknown) => of(&unknown),
        Stop::Unknown(reason) => of(&Unknown { node: tap.to_owned(), op: "tap".to_owned(), reason }),
    })
}

/// What the last dense layer before `end` reads, if there is one.
fn pooled(net: &Assembly, end: NodeId) -> Option<NodeId> {
    let mut at = end;
    loop {
        let node = net.node(at);
        match node.op {
            Op::Linear { .. } if net.shape(at).places() <= 1 => return node.inputs.first().copied(),
            Op::Activation { .. } | Op::BatchNorm { .. } | Op::Scale { .. } | Op::Flatten => {
                at = *node.inputs.first()?;
            }
            _ => return None,
        }
    }
}

type Replayed = (Assembly, HashMap<String, Rc<Vec<f32>>>, BTreeMap<NodeId, NodeId>);

/// The nodes that are needed, once more: without those that nobody reads in the end, and with vectors where maps have one
/// place and nobody needs them as maps.
fn replay(importer: &Importer<'_>, kept: &[NodeId]) -> Result<Replayed, ImportError> {
    let old = &importer.net;
    let needed = old.needed(kept);
    let vectors = Vectors::of(old, &needed);
    let mut net = old.empty();
    let mut filled = HashMap::new();
    let mut params: BTreeMap<(ParamId, Vec<usize>), ParamId> = BTreeMap::new();
    let mut at: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    for (id, node) in old.nodes().filter(|(id, _)| needed.contains(id)) {
        let inputs: Vec<NodeId> = node.inputs.iter().map(|input| at[input]).collect();
        let mut op = node.op.clone();
        let mut is_same = false;
        if vectors.contains(id) {
            let reads_vector = node.inputs.first().is_some_and(|input| vectors.contains(*input));
            match op {
                Op::AdaptiveAveragePool { .. } | Op::Flatten if reads_vector => is_same = true,
                Op::AdaptiveAveragePool { .. } => op = Op::GlobalAveragePool,
                Op::Conv { weight, bias, .. } => op = Op::Linear { weight, bias },
                _ => {}
            }
        }
        if is_same {
            at.insert(id, inputs[0]);
            continue;
        }
        let is_dense = matches!(op, Op::Linear { .. });
        let op = op.with_params(|param| {
            let known = old.parameter(param);
            // A convolution's weight may have become a dense layer's.
            let rank = if is_dense { known.shape.len().min(2) } else { known.shape.len() };
            let shape = known.shape[..rank].to_vec();
            *params.entry((param, shape.clone())).or_insert_with(|| {
                let new = net.param(&known.name, &shape);
                filled.insert(net.parameter(new).name.clone(), importer.filled[param.index()].clone());
                new
            })
        });
        at.insert(id, net.push(&node.name, op, &inputs)?);
    }
    for name in &importer.order {
        let Some(Value::Live(Live { view, pending: Pending::Nothing })) = importer.values.get(name) else {
            continue;
        };
        if let (true, Some(node)) = (view.is_plain(), at.get(&view.node)) {
            net.alias(importer.titles.get(name).map_or("", String::as_str), *node);
            net.alias(name, *node);
        }
    }
    Ok((net, filled, at))
}

/// Nodes whose results have one place, and that may be vectors: nothing that hangs together with them needs a map.
struct Vectors(Vec<bool>);

impl Vectors {
    fn of(net: &Assembly, needed: &std::collections::BTreeSet<NodeId>) -> Vectors {
        let count = net.nodes().count();
        let is_one =
            |id: NodeId| net.shape(id).places() == 1 && !matches!(net.shape(id), Shape::Tokens { .. });
        // Which nodes hang together, and which of those groups stay as they are.
        let mut parent: Vec<usize> = (0..count).collect();
        let mut stays = vec![false; count];
        for (id, node) in net.nodes().filter(|(id, _)| needed.contains(id)) {
            let reads_one = || node.inputs.iter().filter(|input| is_one(**input));
            if !is_one(id) {
                reads_one().for_each(|input| stays[root(&mut parent, input.index())] = true);
                continue;
            }
            let begins = reads_one().count() == 0;
            for input in reads_one() {
                let (a, b) = (root(&mut parent, input.index()), root(&mut parent, id.index()));
                parent[a.max(b)] = a.min(b);
                stays[a.min(b)] |= stays[a.max(b)];
            }
            let fits = match node.op {
                Op::AdaptiveAveragePool { .. } | Op::Token { .. } | Op::GlobalAveragePool => true,
                Op::Flatten => true,
                Op::Conv { groups, weight, .. } => {
                    !begins && groups == 1 && net.parameter(weight).shape[2..] == [1, 1]
                }
                Op::Linear { .. }
                | Op::Activation { .. }
                | Op::BatchNorm { .. }
                | Op::LayerNorm { .. }
                | Op::Scale { .. }
                | Op::Add
                | Op::Multiply
                | Op::Concat
                | Op::Channels { .. }
                | Op::Shuffle { .. } => true,
                _ => false,
            };
            let at = root(&mut parent, id.index());
            stays[at] |= !fits;
        }
        let vector = |(id, _): (NodeId, &network::Node)| {
            needed.contains(&id) && is_one(id) && !stays[root(&mut parent, id.index())]
        };
        Vectors(net.nodes().map(vector).collect())
    }

    fn contains(&self, id: NodeId) -> bool {
        self.0[id.index()]
    }
}

fn root(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}
