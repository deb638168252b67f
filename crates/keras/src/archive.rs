//! The archive: a description, and weights by layer.

use crate::{
    Exported, KerasError, Link, Read,
    layer::{Layer, Model, ModelConfig, PICTURE},
    lower::{lower, plain},
    order::in_keras_order,
    raise::raise,
};
use hdf5_writer::{AttributeBuilder, DatasetBuilder, Hdf5Builder, WriteOptions};
use std::{
    fs::File,
    io::{BufReader, Cursor, Write},
    path::Path,
};
use weights::KerasGroups;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter, write::SimpleFileOptions};

const CONFIG: &str = "config.json";
const METADATA: &str = "metadata.json";
const WEIGHTS: &str = "model.weights.h5";
/// The first Keras that calls layers so and reads lists of scales.
const VERSION: &str = "3.5.0";

/// Writes a model.
///
/// # Errors
/// Where a node is none of Keras' layers, or it cannot be written.
pub fn write(mut out: impl Write, exported: &Exported<'_>) -> Result<(), KerasError> {
    let layers = in_keras_order(lower(exported)?);
    let config = serde_json::to_string(&description(exported, &layers)).map_err(std::io::Error::from)?;
    let weights = weights(layers)?;
    // In memory first: what is not finished would be told on standard error, and not by us.
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // Weights do not compress, and nothing follows from when it was.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::DEFAULT)
        .large_file(weights.len() > i32::MAX as usize);
    let metadata = serde_json::json!({"keras_version": VERSION}).to_string();
    for (name, bytes) in [(METADATA, metadata.as_bytes()), (CONFIG, config.as_bytes()), (WEIGHTS, &weights)] {
        zip.start_file(name, options).map_err(archive)?;
        zip.write_all(bytes)?;
    }
    let bytes = zip.finish().map_err(archive)?.into_inner();
    Ok(out.write_all(&bytes)?)
}

/// Reads a model that [`write()`] wrote.
///
/// # Errors
/// Where it is none, is damaged, or holds what was not written here.
pub fn read(path: &Path) -> Result<Read, KerasError> {
    let mut zip = ZipArchive::new(BufReader::new(File::open(path)?)).map_err(archive)?;
    let config = zip.by_name(CONFIG).map_err(archive)?;
    let model: Model = serde_json::from_reader(BufReader::new(config))
        .map_err(|error| KerasError::Malformed(format!("{CONFIG} is no model of Keras: {error}")))?;
    raise(&model.config, &*weights::open(path)?)
}

fn description(exported: &Exported<'_>, layers: &[Layer]) -> Model {
    let last = layers.last().map(|layer| layer.name.clone()).unwrap_or_default();
    Model {
        // Where Keras itself says it is.
        module: "keras.src.models.functional".to_owned(),
        class_name: "Functional".to_owned(),
        registered_name: "Functional".to_owned(),
        config: ModelConfig {
            name: plain(exported.bound.network().name()),
            trainable: true,
            layers: layers.iter().map(Layer::described).collect(),
            input_layers: vec![(PICTURE.to_owned(), 0, 0)],
            output_layers: vec![(last, 0, 0)],
        },
    }
}

/// The bytes of an HDF5 file: layers by class, as Keras counts them.
fn weights(layers: Vec<Layer>) -> Result<Vec<u8>, KerasError> {
    let failed = |error: hdf5_writer::Error| KerasError::Archive(format!("{WEIGHTS}: {error}"));
    let mut file = Hdf5Builder::new();
    let mut groups = KerasGroups::default();
    for layer in layers {
        let group = groups.next(layer.class);
        if layer.weights.is_empty() {
            continue;
        }
        let vars = format!("layers/{group}/vars");
        for (at, tensor) in layer.weights.iter().enumerate() {
            let shape: Vec<u64> = tensor.shape.iter().map(|side| *side as u64).collect();
            let set = DatasetBuilder::typed_data(format!("{vars}/{at}"), shape, &tensor.data);
            file = file.dataset(set.map_err(failed)?);
        }
        file = file.group_attribute(vars, AttributeBuilder::fixed_string("name", layer.name));
    }
    let plan = file.into_plan().map_err(failed)?;
    plan.encode(WriteOptions::default()).map_err(failed)
}

fn archive(error: zip::result::ZipError) -> KerasError {
    match error {
        zip::result::ZipError::Io(error) => KerasError::Io(error),
        error => KerasError::Archive(error.to_string()),
    }
}

impl Link {
    /// What Keras calls the function.
    pub(crate) fn word(self) -> Option<&'static str> {
        match self {
            Link::Softmax => Some("softmax"),
            Link::Sigmoid => Some("sigmoid"),
            Link::None => None,
        }
    }
}
