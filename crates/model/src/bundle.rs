//! `NAME.hst`: a head and all that its features need, in one safetensors file, which any safetensors reader opens.
//!
//! Tensors: `towers.N.PARAMETER`, f32, the weights of network N; `towers.N.tokenizer`, u8, the bytes of its tokenizer's file, where it
//! reads texts; `head`, u8, the bytes of the head's own file, so that the head in
//! a bundle is the very one that was fitted, with its thresholds, its lineage and the features of its four probes.
//! `__metadata__` has one key, `headstart`, whose value is the JSON of everything else: graphs, recipes, and last a digest
//! over the whole file.

use crate::{Model, ModelError, Tower};
use head::Head;
use input::{Recipe, text::Tokenizer};
use network::Network;
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use std::{
    io::{BufWriter, Seek as _, SeekFrom, Write},
    path::Path,
};
use store::{Digest, DigestBuilder, MappedFile, Ours, Place, brief::told, check_header, large_room, seal};
use weights::{Bound, Tensor};

/// The one format there is.
const VERSION: u32 = 1;
const METADATA_KEY: &str = "headstart";
const HEAD: &str = "head";
const TOKENIZER: &str = "tokenizer";
const BEGINNING: &[u8] = br#"{"__metadata__":{"headstart":"{\"bundle\":"#;

/// How bundles of any format begin.
pub const BUNDLE_FILE: Ours = Ours::file("a bundle", &[BEGINNING]);

/// Everything in the JSON header.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    bundle: u32,
    towers: Vec<TowerHeader>,
    /// The program that wrote it.
    tool: String,
    /// How far the probes were from the head's when it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verified: Option<serde_json::Value>,
    /// Of the whole file; the last field.
    digest: Digest,
}

/// A network without its weights.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TowerHeader {
    network: Network,
    #[serde(rename = "preprocessing")]
    recipe: Recipe,
    sources: Vec<usize>,
}

/// Writes a bundle at a place that is committed later. The same model gives the same bytes. `verified`: what is known of the
/// probes, once it was read back.
///
/// # Errors
/// Where the disk refuses, or the graphs take more than a header may.
pub fn write_bundle(
    model: &Model,
    tool: &str,
    verified: Option<serde_json::Value>,
    place: &Place,
) -> Result<(), ModelError> {
    let head = model.head.to_bytes();
    let header = header_bytes(model, tool, verified, head.len());
    check_header(&header)
        .map_err(|reason| ModelError::TooLarge { path: place.target().to_owned(), reason })?;
    let at = seal::place_in(&header).expect("a bundle's header has its digest");
    let mut out = BufWriter::new(place.open()?);
    let mut digest = DigestBuilder::new();
    let mut put = |bytes: &[u8]| {
        digest.update(bytes);
        out.write_all(bytes).map_err(|error| place.failed(error))
    };
    put(&header)?;
    for (_, _, tensor) in tensors(model) {
        for values in tensor.data.chunks(1 << 16) {
            put(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())?;
        }
    }
    for (_, tokenizer) in tokenizers(model) {
        put(tokenizer.bytes())?;
    }
    put(&head)?;
    let digest = digest.finish().to_string();
    let sealed = |out: &mut BufWriter<std::fs::File>| {
        out.seek(SeekFrom::Start(at as u64))?;
        out.write_all(digest.as_bytes())?;
        out.flush()
    };
    Ok(sealed(&mut out).map_err(|error| place.failed(error))?)
}

/// Eight bytes of length and the JSON, with a blank digest.
fn header_bytes(model: &Model, tool: &str, verified: Option<serde_json::Value>, head: usize) -> Vec<u8> {
    let towers = model.towers.iter().map(|tower| TowerHeader {
        network: tower.bound.network().clone(),
        recipe: tower.recipe.clone(),
        sources: tower.sources.clone(),
    });
    let (towers, tool, digest) = (towers.collect(), tool.to_owned(), seal::blank());
    let header = Header { bundle: VERSION, towers, tool, verified, digest };
    let text = |value: &str| serde_json::to_string(value).expect("a text serialises");
    let header = serde_json::to_string(&header).expect("plain data serialises");
    let mut json = format!(r#"{{"__metadata__":{{"{METADATA_KEY}":{}}}"#, text(&header));
    let mut end = 0;
    let mut add = |name: &str, dtype: &str, shape: &[usize], length: usize| {
        let start = end;
        end += length;
        json += &format!(
            r#",{}:{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{start},{end}]}}"#,
            text(name)
        );
    };
    for (tower, name, tensor) in tensors(model) {
        add(&tensor_name(tower, name), "F32", &tensor.shape, 4 * tensor.data.len());
    }
    for (tower, tokenizer) in tokenizers(model) {
        let length = tokenizer.bytes().len();
        add(&tensor_name(tower, TOKENIZER), "U8", &[length], length);
    }
    add(HEAD, "U8", &[head], head);
    json.push('}');
    // So that numbers are aligned in the map.
    let padded = json.len().next_multiple_of(8);
    json.extend(std::iter::repeat_n(' ', padded - json.len()));
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json.into_bytes());
    bytes
}

/// Every tower's tensors, in order: the tower's number, the parameter's name, its numbers.
fn tensors(model: &Model) -> impl Iterator<Item = (usize, &str, &Tensor)> {
    let towers = model.towers.iter().enumerate();
    towers.flat_map(|(at, tower)| {
        tower.bound.tensors().map(move |(param, tensor)| (at, param.name.as_str(), tensor))
    })
}

/// The tokenizers of towers that read texts.
fn tokenizers(model: &Model) -> impl Iterator<Item = (usize, &Tokenizer)> {
    model.towers.iter().enumerate().filter_map(|(at, tower)| match &tower.recipe {
        Recipe::Text(how) => how.tokenizer().map(|tokenizer| (at, tokenizer)),
        Recipe::Image(_) => None,
    })
}

/// The recipe with the tokenizer that the bundle holds, where it takes one.
fn opened(recipe: Recipe, tower: usize, tensors: &SafeTensors<'_>) -> Result<Recipe, String> {
    let Recipe::Text(how) = recipe else { return Ok(recipe) };
    let view =
        tensors.tensor(&tensor_name(tower, TOKENIZER)).map_err(|_| "it holds no tokenizer".to_owned())?;
    Ok(Recipe::Text(how.opened_with(Tokenizer::of(view.data().to_vec())?)?))
}

fn tensor_name(tower: usize, param: &str) -> String {
    format!("towers.{tower}.{param}")
}

/// Reads and checks a bundle; `None` where the file does not begin as one.
///
/// # Errors
/// Where it cannot be opened, is damaged, or of another format.
pub(crate) fn read(path: &Path) -> Result<Option<Model>, ModelError> {
    let Some((file, at, header)) = open(path)? else { return Ok(None) };
    // At once: the digest takes as long as all else. What was read is believed once the digest holds.
    let (sealed, model) = rayon::join(|| check_seal(&file, at, path), || model_of(&file, header?, path));
    sealed?;
    model.map(Some)
}

/// What these bytes hold.
fn model_of(file: &[u8], header: Header, path: &Path) -> Result<Model, ModelError> {
    let malformed = |reason: String| ModelError::Bundle { path: path.to_owned(), reason };
    let tensors = SafeTensors::deserialize(file).map_err(|error| malformed(told(&error)))?;
    let head = head_of(&tensors, path)?;
    let mut towers = Vec::new();
    for (at, TowerHeader { network, recipe, sources }) in header.towers.into_iter().enumerate() {
        recipe.check().map_err(|error| malformed(format!("its preprocessing cannot be used: {error}")))?;
        let origin = path.display().to_string();
        let bound = Bound::from_tensors(network, &origin, |param| {
            let view = tensors.tensor(&tensor_name(at, &param.name)).ok()?;
            let (values, rest) = view.data().as_chunks::<4>();
            let is_f32 = view.dtype() == safetensors::Dtype::F32 && rest.is_empty();
            is_f32.then(|| {
                let mut data = large_room(values.len());
                data.extend(values.iter().map(|&bytes| f32::from_le_bytes(bytes)));
                Tensor { shape: view.shape().to_vec(), data }
            })
        })?;
        let recipe = opened(recipe, at, &tensors).map_err(malformed)?;
        if bound.network().outputs().len() != sources.len() {
            return Err(malformed("a network has other outputs than it says".to_owned()));
        }
        let tower = Tower { bound, recipe, sources };
        if !is_of(&tower, &head) {
            return Err(malformed("its networks are not those of its head".to_owned()));
        }
        towers.push(tower);
    }
    let mut all: Vec<usize> = towers.iter().flat_map(|tower| &tower.sources).copied().collect();
    all.sort_unstable();
    if !all.into_iter().eq(0..head.sources.len()) || !head.is_of_networks() {
        return Err(malformed("its networks are not those of its head".to_owned()));
    }
    Ok(Model { head, towers })
}

/// Whether a network is the one that computed what the head was fitted on: its graph and its recipe. For its weights the digest of
/// the file stands, and the probes.
fn is_of(tower: &Tower, head: &Head) -> bool {
    tower.sources.iter().all(|&at| {
        let source = head.sources.get(at).and_then(|source| source.network());
        source.is_some_and(|source| {
            let alone = tower.bound.network().for_taps(&[source.tap.as_str()]);
            alone.is_ok_and(|alone| alone.fingerprint() == source.network && tower.recipe == source.recipe)
        })
    })
}

/// The head of a bundle; `None` where the file does not begin as one.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_head(path: &Path) -> Result<Option<Head>, ModelError> {
    let Some((file, at, _)) = open(path)? else { return Ok(None) };
    check_seal(&file, at, path)?;
    let malformed = |reason: String| ModelError::Bundle { path: path.to_owned(), reason };
    let tensors = SafeTensors::deserialize(&file).map_err(|error| malformed(told(&error)))?;
    Ok(Some(head_of(&tensors, path)?))
}

/// The bytes of a bundle, where the digits of their digest begin, which is still to be checked, and the header.
type Opened = (MappedFile, Option<usize>, Result<Header, ModelError>);

/// Opens what begins as a bundle does.
fn open(path: &Path) -> Result<Option<Opened>, ModelError> {
    #[derive(Deserialize)]
    struct Versioned {
        bundle: u32,
    }
    let file = MappedFile::open(path)?;
    if file.get(8..).is_none_or(|json| !json.starts_with(BEGINNING)) {
        return Ok(None);
    }
    let malformed = |reason: String| ModelError::Bundle { path: path.to_owned(), reason };
    check_header(&file).map_err(malformed)?;
    let (length, metadata) = SafeTensors::read_metadata(&file).map_err(|error| malformed(told(&error)))?;
    let header = metadata.metadata().as_ref().and_then(|metadata| metadata.get(METADATA_KEY));
    let header = header.ok_or_else(|| malformed(format!("its metadata has no `{METADATA_KEY}`")))?;
    let Versioned { bundle: got } = serde_json::from_str(header).map_err(|error| malformed(told(&error)))?;
    if got != VERSION {
        return Err(ModelError::Version { path: path.to_owned(), expected: VERSION, got });
    }
    let at = seal::place_in(&file[..8 + length]);
    let header = serde_json::from_str(header).map_err(|error| malformed(told(&error)));
    Ok(Some((file, at, header)))
}

/// Refuses a file whose digest, at `at`, is not its own.
fn check_seal(file: &[u8], at: Option<usize>, path: &Path) -> Result<(), ModelError> {
    let digits = at.and_then(|at| std::str::from_utf8(file.get(at..at + seal::DIGITS)?).ok());
    let claimed = digits.and_then(|digits| digits.parse().ok());
    if at.zip(claimed).is_some_and(|(at, claimed)| seal::holds(file, at, claimed)) {
        return Ok(());
    }
    let reason = "it was changed, and does not match its digest".to_owned();
    Err(ModelError::Bundle { path: path.to_owned(), reason })
}

fn head_of(tensors: &SafeTensors<'_>, path: &Path) -> Result<Head, ModelError> {
    let malformed = || ModelError::Bundle { path: path.to_owned(), reason: "it holds no head".to_owned() };
    let view = tensors.tensor(HEAD).map_err(|_| malformed())?;
    Ok(Head::from_bytes(view.data(), path)?)
}
