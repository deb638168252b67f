//! `NAME.head`: one safetensors file, which any safetensors reader opens.
//!
//! Tensors: `layers.N.weight` (outputs, inputs) and `layers.N.bias` (outputs,), f32, applied in turn to raw features
//! with a ReLU between them; before them `queries` (m, channels), f32, where rows are pooled by attention first; or `memory`
//! (n, d), f32, and `memory_labels` (n,), u32, or `memory_targets` (n, outputs), f32; or `graph.NAME` for each parameter of a graph;
//! `probes` (4, d), the features of the synthetic probes, unless some of its features were there already; `seen` (n,), u64, the first eight
//! bytes of the content key of each sample that it was fitted on, ascending, where that is known. `__metadata__` has one key, `headstart`, whose value is the JSON of everything else.
//!
//! Format 4 ends that JSON with a digest over the whole file. Older formats have one of the tensors alone: format 1 with
//! layers, 2 with a memory, 3 with several sources, a novelty (`novelty.…`, how far features are from those that were
//! fitted) or outputs that are no classes.

mod attention;
mod error;
mod graph;
mod memory;
mod novelty;
mod seen;
mod tensors;

use attention::Flattened;
use features::Source;
use input::PROBES;
use memory::Votes;
use network::Network;
use novelty::Limit;
use safetensors::{SafeTensors, tensor::TensorView};
use sample::targets::{TargetSpec, TargetsFrom, Task};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, io::Write as _, path::Path};
use store::{Digest, MappedFile, Ours, Place, brief::told, check_header, seal};
use tensors::{Named, digest, floats};
use weights::{AttentionPool, Bound, Dense, WeightError, head_graph};

pub use error::HeadError;
pub use memory::Memory;
pub use novelty::Novelty;
pub use seen::SeenSamples;

/// The first format that this program reads.
const FIRST_VERSION: u32 = 1;
/// The format that it writes: with a digest over the whole file.
const VERSION: u32 = 4;
const METADATA_KEY: &str = "headstart";

/// How heads of any format begin.
pub const HEAD_FILE: Ours = Ours::file("a head", &[br#"{"__metadata__":{"headstart":"{\"format\":"#]);

/// What was fitted on features: dense layers with ReLU between them, in which standardisation is folded already, a graph, or
/// the rows themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// What kind of fit it was.
    pub kind: HeadKind,
    /// The names of its outputs: logit c belongs to `classes[c]`.
    pub classes: Vec<String>,
    /// What its outputs say, and where the truth of that stands.
    pub targets: TargetSpec,
    /// What rows are pooled by before the layers read them, where they are flattened maps or tokens.
    pub pool: Option<AttentionPool>,
    /// The layers, first to last; none of a head of nearest neighbours, or of a graph.
    pub layers: Vec<Dense>,
    /// The upper part of a network, which reads what the lower part gives, flattened, and ends in the outputs; others have none.
    pub graph: Option<Bound>,
    /// What a head of nearest neighbours remembers; others have none.
    pub memory: Option<Memory>,
    /// How far features are from those that it was fitted on, where that was asked for.
    pub novelty: Option<Novelty>,
    /// Where the features are from that it was fitted on, and so those must be that it is used on: one source, or several whose
    /// features stand side by side in this order.
    pub sources: Vec<Source>,
    /// The features of the synthetic probes: (4, d) row-major. Nothing where some of its features were there already.
    pub probes: Vec<f32>,
    /// Settings and outcome of the fit, a JSON object.
    pub fit: serde_json::Value,
    /// The features artefact that it was fitted on.
    pub features: Digest,
    /// The samples among them that it was fitted on; `None` of heads that were written before heads knew.
    pub seen: Option<SeenSamples>,
}

/// Kinds of heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeadKind {
    /// One layer, however it was fitted.
    Linear,
    /// One hidden layer.
    Mlp,
    /// Attention over the places of a row, then one layer.
    Attention,
    /// Nearest neighbours: a memory instead of layers.
    Knn,
    /// The upper part of a network, whatever it is.
    Network,
}

/// Everything in the JSON header.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: u32,
    kind: HeadKind,
    classes: Vec<String>,
    source: Sources,
    fit: serde_json::Value,
    features: Digest,
    /// What rows are of, where they are pooled by attention.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pool: Option<Flattened>,
    /// What is computed, where that is a graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    graph: Option<Network>,
    /// How the memory is used, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory: Option<Votes>,
    /// How far is too far, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    novelty: Option<Limit>,
    /// What the outputs say, where that is not the features' own classes.
    #[serde(default, skip_serializing_if = "TargetSpec::is_of_features")]
    targets: TargetSpec,
    /// Digest of all tensors, names, shapes and bytes: in formats before 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tensors: Option<Digest>,
    /// Digest of the whole file, from format 4 on; the last field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
}

/// One source as it is, as ever; several as a list.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Sources {
    One(Box<Source>),
    Several(Vec<Source>),
}

impl Head {
    /// Reads and checks a head.
    ///
    /// # Errors
    /// Where the file is missing, malformed, damaged, or of another format.
    pub fn read(path: &Path) -> Result<Head, HeadError> {
        Head::from_bytes(&MappedFile::open(path)?, path)
    }

    /// The same of a head's bytes; `path` stands for the file in errors.
    ///
    /// # Errors
    /// Where they are malformed, damaged, or of another format.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Head, HeadError> {
        let malformed = |reason: String| HeadError::Malformed { path: path.to_owned(), reason };
        check_header(bytes).map_err(malformed)?;
        let (length, metadata) =
            SafeTensors::read_metadata(bytes).map_err(|error| malformed(told(&error)))?;
        let header = metadata.metadata().as_ref().and_then(|m| m.get(METADATA_KEY));
        let header = header.ok_or_else(|| malformed(format!("its metadata has no `{METADATA_KEY}`")))?;
        check_version(path, header)?;
        let header: Header = serde_json::from_str(header).map_err(|error| malformed(told(&error)))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| malformed(told(&error)))?;
        if let Some(reason) = unsealed(&header, bytes, length, &tensors) {
            return Err(malformed(reason.to_owned()));
        }
        assemble(header, &tensors).map_err(malformed)
    }

    /// Writes the head, whole or not at all. The same head gives the same bytes.
    ///
    /// # Errors
    /// Where a number is not finite, `path` exists and `force` is not given, or the disk refuses.
    pub fn write(&self, path: &Path, force: bool) -> Result<(), HeadError> {
        if !self.is_finite() {
            return Err(HeadError::NotFinite(path.to_owned()));
        }
        let place = Place::file(path, force, HEAD_FILE)?;
        let bytes = self.to_bytes();
        check_header(&bytes).map_err(|reason| HeadError::TooLarge { path: path.to_owned(), reason })?;
        place.open()?.write_all(&bytes).map_err(|error| place.failed(error))?;
        Ok(place.commit()?)
    }

    /// d, the length of the feature rows that it takes.
    pub fn dim(&self) -> usize {
        let graph = self.graph.as_ref().and_then(|graph| graph.network().given_row());
        match (&self.memory, &self.pool, graph) {
            (Some(memory), ..) => memory.dim,
            (None, Some(pool), _) => pool.of.len(),
            (None, None, Some(given)) => given.len(),
            (None, None, None) => self.layers.first().map_or(0, |layer| layer.inputs),
        }
    }

    /// What it computes, as a network that reads features; `None` of nearest neighbours.
    ///
    /// # Errors
    /// As [`head_graph`].
    pub fn network(&self) -> Result<Option<Bound>, WeightError> {
        match (&self.graph, &self.memory) {
            (Some(graph), _) => Ok(Some(graph.clone())),
            (None, Some(_)) => Ok(None),
            (None, None) => head_graph(self.pool.as_ref(), &self.layers).map(Some),
        }
    }

    /// What its outputs say.
    pub fn task(&self) -> Task {
        self.targets.task
    }

    /// Whether networks computed all of the features that it takes, and so the probes' features.
    pub fn is_of_networks(&self) -> bool {
        have_probes(&self.sources)
    }

    /// The confidence (largest probability) below which a row is better left unanswered, where the fit found one.
    pub fn reject_threshold(&self) -> Option<f64> {
        self.fit.get("reject_threshold")?.as_f64()
    }

    /// Of each label the probability from which on it is said, where the fit found them; `None` of one that is better never
    /// said.
    pub fn label_thresholds(&self) -> Option<Vec<Option<f64>>> {
        let each = self.fit.get("label_thresholds")?.as_array()?;
        let each: Vec<Option<f64>> = each.iter().map(serde_json::Value::as_f64).collect();
        (self.task() == Task::Labels && each.len() == self.classes.len()).then_some(each)
    }

    /// Identifies the head: the digest of its file. Of one in an earlier format, that of the file as it would be written now.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    fn is_finite(&self) -> bool {
        let layers = self.layers.iter().flat_map(|layer| layer.weight.iter().chain(&layer.bias));
        let memory = self.memory.iter().flat_map(|memory| &memory.rows);
        let mut truth = self.memory.iter().flat_map(|memory| memory.truth.values());
        let truth_is_finite = truth.all(|value| (*value as f32).is_finite());
        let novelty = self.novelty.iter().flat_map(Novelty::numbers);
        let queries = self.pool.iter().flat_map(|pool| &pool.queries);
        truth_is_finite
            && layers
                .chain(queries)
                .chain(memory)
                .chain(novelty)
                .chain(&self.probes)
                .all(|value| value.is_finite())
    }

    /// The bytes of its file. The same head gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let tensors = self.tensors();
        let header = Header {
            format: VERSION,
            kind: self.kind,
            classes: self.classes.clone(),
            source: match &self.sources[..] {
                [source] => Sources::One(Box::new(source.clone())),
                several => Sources::Several(several.to_vec()),
            },
            fit: self.fit.clone(),
            features: self.features,
            pool: self.pool.as_ref().map(Flattened::of),
            graph: self.graph.as_ref().map(|graph| graph.network().clone()),
            memory: self.memory.as_ref().map(Memory::votes),
            novelty: self.novelty.as_ref().map(Novelty::limit),
            targets: self.targets.clone(),
            tensors: None,
            digest: Some(seal::blank()),
        };
        let header = serde_json::to_string(&header).expect("plain data serialises");
        let views = tensors.iter().map(|own| {
            let view = TensorView::new(own.dtype, own.shape.clone(), &own.data);
            (&own.name, view.expect("a head's tensors have the lengths that their shapes say"))
        });
        let metadata = HashMap::from([(METADATA_KEY.to_owned(), header)]);
        let mut bytes =
            safetensors::serialize(views, Some(metadata)).expect("a head's tensors have distinct names");
        let tensors: usize = tensors.iter().map(|own| own.data.len()).sum();
        let at = seal::place_in(&bytes[..bytes.len() - tensors]).expect("a head's header has its digest");
        seal::seal(&mut bytes, at);
        bytes
    }

    /// Sorted by name.
    fn tensors(&self) -> Vec<Named> {
        let mut tensors = Vec::new();
        if self.is_of_networks() {
            tensors.push(Named::floats("probes", vec![PROBES, self.dim()], &self.probes));
        }
        for (n, layer) in self.layers.iter().enumerate() {
            let Dense { inputs, outputs, weight, bias } = layer;
            tensors.push(Named::floats(&format!("layers.{n}.weight"), vec![*outputs, *inputs], weight));
            tensors.push(Named::floats(&format!("layers.{n}.bias"), vec![*outputs], bias));
        }
        tensors.extend(self.pool.iter().map(attention::tensor));
        tensors.extend(self.graph.iter().flat_map(graph::tensors));
        tensors.extend(self.memory.iter().flat_map(Memory::tensors));
        tensors.extend(self.novelty.iter().flat_map(Novelty::tensors));
        tensors.extend(self.seen.iter().map(SeenSamples::tensor));
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        tensors
    }
}

fn check_version(path: &Path, header: &str) -> Result<(), HeadError> {
    #[derive(Deserialize)]
    struct Versioned {
        format: Option<u32>,
        bundle: Option<u32>,
    }
    let malformed = |reason| HeadError::Malformed { path: path.to_owned(), reason };
    let Versioned { format, bundle } =
        serde_json::from_str(header).map_err(|error| malformed(told(&error)))?;
    if bundle.is_some() {
        return Err(HeadError::Bundle(path.to_owned()));
    }
    let got = format.ok_or_else(|| malformed("its header has no `format`".to_owned()))?;
    let expected = VERSION;
    let advice = if got > expected { "update Headstart" } else { "rerun fit-head" };
    if (FIRST_VERSION..=expected).contains(&got) {
        return Ok(());
    }
    Err(HeadError::Version { path: path.to_owned(), expected, got, advice })
}

/// Why the file is not the one that was written. `length` is that of the JSON after its first eight bytes.
fn unsealed(header: &Header, file: &[u8], length: usize, tensors: &SafeTensors<'_>) -> Option<&'static str> {
    match (header.format >= VERSION, header.digest, header.tensors) {
        (true, Some(digest), None) => {
            let holds = seal::place_in(&file[..8 + length]).is_some_and(|at| seal::holds(file, at, digest));
            (!holds).then_some("it was changed, and does not match its digest")
        }
        (false, None, Some(expected)) => {
            let mut named: Vec<_> = tensors.iter().collect();
            named.sort_by(|a, b| a.0.cmp(b.0));
            let got = digest(named.iter().map(|(name, view)| (*name, view.shape(), view.data())));
            (got != expected).then_some("its tensors do not match their digest")
        }
        _ => Some("it does not have the digest of its format"),
    }
}

fn assemble(header: Header, tensors: &SafeTensors<'_>) -> Result<Head, String> {
    if header.targets.task == Task::Class && header.targets.from == TargetsFrom::Columns {
        return Err("classes that stand in a column each".to_owned());
    }
    let depth = match header.kind {
        HeadKind::Linear | HeadKind::Attention => 1,
        HeadKind::Mlp => 2,
        HeadKind::Knn | HeadKind::Network => 0,
    };
    let layers = (0..depth).map(|n| dense(tensors, n)).collect::<Result<Vec<_>, _>>()?;
    let memory = match (header.kind, &header.memory) {
        (HeadKind::Knn, Some(votes)) => {
            Some(Memory::read(votes, tensors, header.targets.task, header.classes.len())?)
        }
        (HeadKind::Knn, None) => return Err("it does not say how its memory votes".to_owned()),
        _ => None,
    };
    let pool = match (header.kind, &header.pool) {
        (HeadKind::Attention, Some(of)) => Some(of.read(tensors)?),
        (HeadKind::Attention, None) => return Err("it does not say what its rows are of".to_owned()),
        _ => None,
    };
    let of_graph = match (header.kind, header.graph) {
        (HeadKind::Network, Some(network)) => Some(graph::read(network, tensors, header.classes.len())?),
        (HeadKind::Network, None) => return Err("it does not say what it computes".to_owned()),
        _ => None,
    };
    let given = of_graph.as_ref().and_then(|bound| bound.network().given_row());
    let dim = match (&memory, &pool, given) {
        (Some(memory), ..) => memory.dim,
        (None, _, Some(given)) => given.len(),
        (None, pool, None) => {
            let inputs = inputs_of(&layers, header.classes.len())?;
            match pool {
                Some(pool) if pool.outputs() != inputs => {
                    return Err(format!(
                        "a layer of {inputs} numbers after a pool that gives {}",
                        pool.outputs()
                    ));
                }
                Some(pool) => pool.of.len(),
                None => inputs,
            }
        }
    };
    let novelty = header.novelty.as_ref();
    // What is not of one class lies around one mean.
    let means = if header.targets.task == Task::Class { header.classes.len() } else { 1 };
    let novelty = novelty.map(|limit| Novelty::read(limit, tensors, dim, means)).transpose()?;
    let Header { kind, classes, targets, source, fit, features, .. } = header;
    let sources = match source {
        Sources::One(source) => vec![*source],
        Sources::Several(sources) if sources.is_empty() => return Err("it has no source".to_owned()),
        Sources::Several(sources) => sources,
    };
    let probes = if have_probes(&sources) { probes_of(tensors, dim)? } else { Vec::new() };
    if let Some(reason) =
        sources.iter().find_map(Source::validate).or_else(|| sample::validate_names(&classes))
    {
        return Err(reason);
    }
    let seen = SeenSamples::read(tensors)?;
    let head = Head {
        kind,
        classes,
        targets,
        pool,
        layers,
        graph: of_graph,
        memory,
        novelty,
        sources,
        probes,
        fit,
        features,
        seen,
    };
    if head.is_finite() { Ok(head) } else { Err("it holds numbers that are not finite".to_owned()) }
}

fn have_probes(sources: &[Source]) -> bool {
    sources.iter().all(Source::has_probes)
}

/// The probes' features: (4, dim).
fn probes_of(tensors: &SafeTensors<'_>, dim: usize) -> Result<Vec<f32>, String> {
    let (probes, shape) = floats(tensors, "probes")?;
    if shape != [PROBES, dim] {
        return Err(format!("probes of shape {shape:?}, expected [{PROBES}, {dim}]"));
    }
    Ok(probes)
}

/// The inputs of layers that fit one another and give `classes` outputs.
fn inputs_of(layers: &[Dense], classes: usize) -> Result<usize, String> {
    let chained = layers.windows(2).all(|pair| pair[0].outputs == pair[1].inputs);
    let ends = layers.first().map(|l| l.inputs).zip(layers.last().map(|l| l.outputs));
    match ends.filter(|_| chained) {
        None => Err("its layers do not fit one another".to_owned()),
        Some((_, outputs)) if outputs != classes => Err(format!("{outputs} outputs for {classes} classes")),
        Some((inputs, _)) => Ok(inputs),
    }
}

fn dense(tensors: &SafeTensors<'_>, n: usize) -> Result<Dense, String> {
    dense_named(tensors, &format!("layers.{n}.weight"), &format!("layers.{n}.bias"))
        .map_err(|reason| format!("layer {n}: {reason}"))
}

fn dense_named(tensors: &SafeTensors<'_>, weight: &str, bias: &str) -> Result<Dense, String> {
    let (weight, shape) = floats(tensors, weight)?;
    let (bias, bias_shape) = floats(tensors, bias)?;
    match shape[..] {
        [outputs, inputs] if bias_shape == [outputs] => Ok(Dense { inputs, outputs, weight, bias }),
        _ => Err(format!("a weight of shape {shape:?} and a bias of shape {bias_shape:?}")),
    }
}

#[cfg(test)]
mod tests;
