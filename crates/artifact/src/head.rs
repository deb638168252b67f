//! `NAME.head`: one safetensors file, which any safetensors reader opens.
//!
//! Tensors: `layers.N.weight` (outputs, inputs) and `layers.N.bias` (outputs,), f32, applied in turn to raw features
//! with a ReLU between them; or `memory` (n, d), f32, and `memory_labels` (n,), u32; `probes` (4, d), the features of the
//! synthetic probes. `__metadata__` has one key, `headstart`, whose value is the JSON of everything else.
//!
//! Format 1 has layers only, format 2 a memory only; format 3 takes features of several sources side by side, or knows how far
//! features are from those that were fitted (`novelty.…`): what older programs can read they still do.

mod error;
mod memory;
mod novelty;
mod tensors;

use crate::{Digest, MappedFile, PROBES, Place, Source, source::disordered};
use memory::Votes;
use novelty::Limit;
use safetensors::{SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, fs, path::Path};
use tensors::{Named, digest, floats};

pub use error::HeadError;
pub use memory::Memory;
pub use novelty::Novelty;

/// The format of heads of layers.
const LAYERS_VERSION: u32 = 1;
/// The format of heads with a memory.
const MEMORY_VERSION: u32 = 2;
/// The format of heads on features of several sources or with a novelty, and the last that this program reads.
const LAST_VERSION: u32 = 3;
const METADATA_KEY: &str = "headstart";

/// What was fitted on features: dense layers with ReLU between them, in which standardisation is folded already, or the
/// rows themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// What kind of fit it was.
    pub kind: HeadKind,
    /// Class names; logit c belongs to `classes[c]`.
    pub classes: Vec<String>,
    /// The layers, first to last; none of a head of nearest neighbours.
    pub layers: Vec<Dense>,
    /// What a head of nearest neighbours remembers; others have none.
    pub memory: Option<Memory>,
    /// How far features are from those that it was fitted on, where that was asked for.
    pub novelty: Option<Novelty>,
    /// What computed the features that it was fitted on, and so what must compute those that it is used on: one source, or
    /// several whose features stand side by side in this order.
    pub sources: Vec<Source>,
    /// The features of the synthetic probes: (4, d) row-major.
    pub probes: Vec<f32>,
    /// Settings and outcome of the fit, a JSON object.
    pub fit: serde_json::Value,
    /// The features artefact that it was fitted on.
    pub features: Digest,
}

/// Kinds of heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeadKind {
    /// One layer, however it was fitted.
    Linear,
    /// One hidden layer.
    Mlp,
    /// Nearest neighbours: a memory instead of layers.
    Knn,
}

/// `y = W x + b`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Length of x.
    pub inputs: usize,
    /// Length of y.
    pub outputs: usize,
    /// W: (outputs, inputs) row-major.
    pub weight: Vec<f32>,
    /// b: (outputs,).
    pub bias: Vec<f32>,
}

impl Dense {
    /// Multiplies the outputs by `factor`.
    pub fn scale(&mut self, factor: f64) {
        for value in self.weight.iter_mut().chain(&mut self.bias) {
            *value = (f64::from(*value) * factor) as f32;
        }
    }
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
    /// How the memory is used, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory: Option<Votes>,
    /// How far is too far, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    novelty: Option<Limit>,
    /// Digest of all tensors: names, shapes and bytes.
    tensors: Digest,
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
        let map = MappedFile::open(path)?;
        let malformed = |reason: String| HeadError::Malformed { path: path.to_owned(), reason };
        let (_, metadata) = SafeTensors::read_metadata(&map).map_err(|error| malformed(error.to_string()))?;
        let header = metadata.metadata().as_ref().and_then(|m| m.get(METADATA_KEY));
        let header = header.ok_or_else(|| malformed(format!("its metadata has no `{METADATA_KEY}`")))?;
        check_version(path, header)?;
        let header: Header = serde_json::from_str(header).map_err(|error| malformed(error.to_string()))?;
        let tensors = SafeTensors::deserialize(&map).map_err(|error| malformed(error.to_string()))?;
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
        let place = Place::file(path, force)?;
        fs::write(place.temporary(), self.to_bytes()).map_err(|error| place.failed(error))?;
        Ok(place.commit()?)
    }

    /// d, the length of the feature rows that it takes.
    pub fn dim(&self) -> usize {
        match &self.memory {
            Some(memory) => memory.dim,
            None => self.layers.first().map_or(0, |layer| layer.inputs),
        }
    }

    /// The confidence (largest probability) below which a row is better left unanswered, where the fit found one.
    pub fn reject_threshold(&self) -> Option<f64> {
        self.fit.get("reject_threshold")?.as_f64()
    }

    /// Identifies the head: the digest of its file.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    fn is_finite(&self) -> bool {
        let layers = self.layers.iter().flat_map(|layer| layer.weight.iter().chain(&layer.bias));
        let memory = self.memory.iter().flat_map(|memory| &memory.rows);
        let novelty = self.novelty.iter().flat_map(Novelty::numbers);
        layers.chain(memory).chain(novelty).chain(&self.probes).all(|value| value.is_finite())
    }

    fn to_bytes(&self) -> Vec<u8> {
        let tensors = self.tensors();
        let header = Header {
            format: match (&self.sources[..], &self.novelty, &self.memory) {
                ([_], None, None) => LAYERS_VERSION,
                ([_], None, Some(_)) => MEMORY_VERSION,
                _ => LAST_VERSION,
            },
            kind: self.kind,
            classes: self.classes.clone(),
            source: match &self.sources[..] {
                [source] => Sources::One(Box::new(source.clone())),
                several => Sources::Several(several.to_vec()),
            },
            fit: self.fit.clone(),
            features: self.features,
            memory: self.memory.as_ref().map(Memory::votes),
            novelty: self.novelty.as_ref().map(Novelty::limit),
            tensors: digest(
                tensors.iter().map(|own| (own.name.as_str(), own.shape.as_slice(), own.data.as_slice())),
            ),
        };
        let header = serde_json::to_string(&header).expect("plain data serialises");
        let views = tensors.iter().map(|own| {
            let view = TensorView::new(own.dtype, own.shape.clone(), &own.data);
            (&own.name, view.expect("a head's tensors have the lengths that their shapes say"))
        });
        let metadata = HashMap::from([(METADATA_KEY.to_owned(), header)]);
        safetensors::serialize(views, Some(metadata)).expect("a head's tensors have distinct names")
    }

    /// Sorted by name.
    fn tensors(&self) -> Vec<Named> {
        let mut tensors = vec![Named::floats("probes", vec![PROBES, self.dim()], &self.probes)];
        for (n, layer) in self.layers.iter().enumerate() {
            let Dense { inputs, outputs, weight, bias } = layer;
            tensors.push(Named::floats(&format!("layers.{n}.weight"), vec![*outputs, *inputs], weight));
            tensors.push(Named::floats(&format!("layers.{n}.bias"), vec![*outputs], bias));
        }
        tensors.extend(self.memory.iter().flat_map(Memory::tensors));
        tensors.extend(self.novelty.iter().flat_map(Novelty::tensors));
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        tensors
    }
}

fn check_version(path: &Path, header: &str) -> Result<(), HeadError> {
    #[derive(Deserialize)]
    struct Versioned {
        format: u32,
    }
    let Versioned { format: got } = serde_json::from_str(header)
        .map_err(|error| HeadError::Malformed { path: path.to_owned(), reason: error.to_string() })?;
    let expected = LAST_VERSION;
    let advice = if got > expected { "update Headstart" } else { "rerun fit-head" };
    if (LAYERS_VERSION..=expected).contains(&got) {
        return Ok(());
    }
    Err(HeadError::Version { path: path.to_owned(), expected, got, advice })
}

fn assemble(header: Header, tensors: &SafeTensors<'_>) -> Result<Head, String> {
    let mut named: Vec<_> = tensors.iter().collect();
    named.sort_by(|a, b| a.0.cmp(b.0));
    if digest(named.iter().map(|(name, view)| (*name, view.shape(), view.data()))) != header.tensors {
        return Err("its tensors do not match their digest".to_owned());
    }
    let depth = match header.kind {
        HeadKind::Linear => 1,
        HeadKind::Mlp => 2,
        HeadKind::Knn => 0,
    };
    let layers = (0..depth).map(|n| dense(tensors, n)).collect::<Result<Vec<_>, _>>()?;
    let memory = match (header.kind, &header.memory) {
        (HeadKind::Knn, Some(votes)) => Some(Memory::read(votes, tensors, header.classes.len())?),
        (HeadKind::Knn, None) => return Err("it does not say how its memory votes".to_owned()),
        _ => None,
    };
    let (probes, shape) = floats(tensors, "probes")?;
    let dim = match &memory {
        Some(memory) => memory.dim,
        None => inputs_of(&layers, header.classes.len())?,
    };
    if shape != [PROBES, dim] {
        return Err(format!("probes of shape {shape:?}, expected [{PROBES}, {dim}]"));
    }
    let novelty = header.novelty.as_ref();
    let novelty =
        novelty.map(|limit| Novelty::read(limit, tensors, dim, header.classes.len())).transpose()?;
    let Header { kind, classes, source, fit, features, .. } = header;
    let sources = match source {
        Sources::One(source) => vec![*source],
        Sources::Several(sources) if sources.is_empty() => return Err("it has no source".to_owned()),
        Sources::Several(sources) => sources,
    };
    if let Some(reason) = sources.iter().find_map(Source::disorder).or_else(|| disordered(&classes)) {
        return Err(reason);
    }
    let head = Head { kind, classes, layers, memory, novelty, sources, probes, fit, features };
    if head.is_finite() { Ok(head) } else { Err("it holds numbers that are not finite".to_owned()) }
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
mod tests {
    use super::*;
    use crate::{PlaceError, Preprocessing};

    fn head() -> Head {
        Head {
            kind: HeadKind::Mlp,
            classes: vec!["cat".into(), "dog".into()],
            layers: vec![
                Dense {
                    inputs: 3,
                    outputs: 4,
                    weight: (0..12).map(|i| i as f32 / 7.0).collect(),
                    bias: vec![0.5; 4],
                },
                Dense { inputs: 4, outputs: 2, weight: vec![-1.0; 8], bias: vec![0.0, 1.0] },
            ],
            sources: vec![Source {
                backbone: "resnet18".into(),
                tap: "pooled".into(),
                network: Digest::of(b"network"),
                weights: Digest::of(b"weights"),
                preprocessing: Preprocessing::imagenet(),
                dtype: crate::Dtype::F32,
                engine: "reference-1".into(),
            }],
            memory: None,
            novelty: None,
            probes: vec![0.25; 12],
            fit: serde_json::json!({"seed": 7}),
            features: Digest::of(b"features"),
        }
    }

    #[test]
    fn a_head_survives_its_file() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.head");
        head().write(&path, false).unwrap();
        assert_eq!(Head::read(&path).unwrap(), head());
        assert_eq!(Digest::of(&fs::read(&path).unwrap()), head().digest());
        assert!(matches!(head().write(&path, false), Err(HeadError::Place(PlaceError::Exists(_)))));
    }

    fn remembering() -> Head {
        let memory = Memory {
            neighbours: 2,
            temperature: 0.07,
            dim: 3,
            rows: vec![1.0, 0.0, 0.0, 0.0, 0.6, 0.8, 0.0, 0.0, 1.0],
            labels: vec![1, 0, 1],
        };
        Head { kind: HeadKind::Knn, layers: Vec::new(), memory: Some(memory), ..head() }
    }

    #[test]
    fn a_memory_survives_its_file_and_every_lie_about_it_is_told() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.head");
        remembering().write(&path, false).unwrap();
        assert_eq!(Head::read(&path).unwrap(), remembering());
        assert_eq!(remembering().dim(), 3);
        let lie = |change: fn(&mut Memory)| {
            let mut head = remembering();
            change(head.memory.as_mut().unwrap());
            fs::write(&path, head.to_bytes()).unwrap();
            Head::read(&path).unwrap_err().to_string()
        };
        for (message, expected) in [
            (lie(|memory| memory.neighbours = 4), "4 neighbours of 3 rows"),
            (lie(|memory| memory.neighbours = 0), "0 neighbours of 3 rows"),
            (lie(|memory| memory.temperature = 0.0), "a temperature of 0"),
            (lie(|memory| memory.labels[0] = 2), "label 2 of 2 classes"),
            (lie(|memory| memory.labels.truncate(2)), "3 rows and 2 labels"),
        ] {
            assert!(message.contains(expected), "{message}");
        }
        let unsaid = Head { kind: HeadKind::Knn, ..head() };
        fs::write(&path, unsaid.to_bytes()).unwrap();
        assert!(Head::read(&path).unwrap_err().to_string().contains("how its memory votes"));
    }

    #[test]
    fn what_older_programs_cannot_read_survives_its_file_as_format_3() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.head");
        let whitening = Dense { inputs: 3, outputs: 3, weight: vec![0.5; 9], bias: vec![1.0; 3] };
        let novelty = Novelty { whitening, means: vec![2.0; 6], threshold: 1.5 };
        let other = Source { tap: "layer3".into(), ..head().sources[0].clone() };
        let sources = vec![head().sources[0].clone(), other];
        for own in [Head { novelty: Some(novelty.clone()), ..head() }, Head { sources, ..remembering() }] {
            own.write(&path, true).unwrap();
            assert_eq!(Head::read(&path).unwrap(), own);
            assert!(String::from_utf8_lossy(&fs::read(&path).unwrap()).contains("\\\"format\\\":3"));
        }
        for (novelty, expected) in [
            (Novelty { means: vec![2.0; 3], ..novelty.clone() }, "means of shape [1, 3]; expected"),
            (Novelty { threshold: -1.0, ..novelty.clone() }, "a novelty beyond -1"),
        ] {
            fs::write(&path, Head { novelty: Some(novelty), ..head() }.to_bytes()).unwrap();
            let message = Head::read(&path).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        let nowhere = Head { sources: Vec::new(), ..head() };
        fs::write(&path, nowhere.to_bytes()).unwrap();
        assert!(Head::read(&path).unwrap_err().to_string().contains("it has no source"));
    }

    #[test]
    fn a_head_that_diverged_is_neither_written_nor_read() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.head");
        let mut diverged = head();
        diverged.layers[1].bias[0] = f32::NAN;
        assert!(matches!(diverged.write(&path, false), Err(HeadError::NotFinite(_))));
        fs::write(&path, diverged.to_bytes()).unwrap();
        assert!(Head::read(&path).unwrap_err().to_string().contains("not finite"));
    }

    #[test]
    fn every_damage_is_one_line() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.head");
        let good = head().to_bytes();
        let replace = |from: &str, to: &str| {
            let text = String::from_utf8_lossy(&good[..]).into_owned();
            let at = text.find(from).unwrap();
            let mut bytes = good.clone();
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
            bytes
        };
        let mut flipped = good.clone();
        *flipped.last_mut().unwrap() ^= 1;
        let cases = [
            (Vec::new(), "expected a head"),
            (good[..good.len() - 1].to_vec(), "expected a head"),
            (flipped, "do not match their digest"),
            (replace("\\\"format\\\":1", "\\\"format\\\":9"), "update Headstart"),
            (replace("\\\"format\\\":1", "\\\"format\\\":0"), "rerun fit-head"),
            (replace("headstart", "otherwise"), "no `headstart`"),
        ];
        for (bytes, expected) in cases {
            fs::write(&path, bytes).unwrap();
            let message = Head::read(&path).unwrap_err().to_string();
            assert!(message.contains(expected) && !message.contains('\n'), "{message}");
        }
    }
}
