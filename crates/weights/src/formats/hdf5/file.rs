//! An HDF5 file, as Keras writes it: its data sets by name, and their numbers as f32.
//!
//! The format is read by the crate `hdf5-reader`, through a [`Guard`]. Neither links nor data in other files are followed.

use super::{
    config::{self, CONFIG, MOST_CONFIG},
    guard::{Bytes, Guard},
    keras::{self, Place},
};
use crate::{
    Tensor, Tensors, WeightError,
    formats::zip::Zip,
    numbers::{Number, finite},
};
use hdf5_reader::{Dataset, Datatype, Hdf5File as Reader, OpenOptions, error::Error, group::Group};
use std::{collections::BTreeMap, sync::Arc};
use store::{MappedFile, brief};

/// Groups and data sets of a file: Keras' largest networks have some 10,000.
const MOST_OBJECTS: usize = 100_000;
/// Groups within groups.
const MOST_DEPTH: usize = 32;
/// A tensor may take so many times the bytes of the file, since it may be compressed, or 64 MiB.
const MOST_RATIO: usize = 16;
const LEAST_LIMIT: usize = 64 << 20;
/// The entry of a `.keras` archive that is an HDF5 file.
pub(crate) const WEIGHTS: &str = "model.weights.h5";
/// Bytes of one object's header. Keras fills it with names of weights, 64 KiB at a time.
const MOST_HEADER: usize = 1 << 20;

/// An HDF5 file whose groups were walked. Tensors are converted when they are asked for.
pub(crate) struct Hdf5File {
    label: String,
    sets: BTreeMap<String, Set>,
    guard: Arc<Guard>,
}

struct Set {
    data: Dataset,
    shape: Vec<usize>,
}

impl Hdf5File {
    /// Walks the groups of a file; no tensor is read yet. `label` stands for the path in errors.
    ///
    /// # Errors
    /// [`WeightError::Unusable`].
    pub(crate) fn mapped(label: String, file: MappedFile) -> Result<Hdf5File, WeightError> {
        let all = 0..file.len();
        Hdf5File::new(label, Bytes::Mapped(file, all), &BTreeMap::new())
    }

    /// The same of the weights in a `.keras` archive.
    ///
    /// # Errors
    /// [`WeightError::Unusable`].
    pub(crate) fn in_keras(label: String, file: MappedFile, archive: &Zip) -> Result<Hdf5File, WeightError> {
        let fail = |reason: String| WeightError::Unusable { file: label.clone(), format: "Keras", reason };
        let entry = archive.entry(WEIGHTS).ok_or_else(|| fail(format!("it holds no `{WEIGHTS}`")))?;
        let names = match archive.entry(CONFIG) {
            Some(entry) => config::names(&entry.bytes(&file, MOST_CONFIG).map_err(fail)?),
            None => BTreeMap::new(),
        };
        let bytes = match entry.stored() {
            Some(range) => Bytes::Mapped(file, range),
            None => {
                let unpacked = entry.bytes(&file, limit(file.len())).map_err(fail)?.into_owned();
                Bytes::Unpacked(unpacked)
            }
        };
        Hdf5File::new(label, bytes, &names)
    }

    /// `names`: what the layers are called whose weights are kept at a path, where the file itself does not say it.
    fn new(label: String, bytes: Bytes, names: &BTreeMap<String, String>) -> Result<Hdf5File, WeightError> {
        let limit = limit(bytes.as_ref().len());
        let guard = Arc::new(Guard::new(bytes));
        match sets(&guard, limit, names) {
            Ok(sets) => Ok(Hdf5File { label, sets, guard }),
            Err(reason) => Err(unusable(&label, reason)),
        }
    }
}

impl Tensors for Hdf5File {
    fn label(&self) -> &str {
        &self.label
    }

    fn names(&self) -> Vec<&str> {
        self.sets.keys().map(String::as_str).collect()
    }

    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.sets.get(name).map(|set| set.shape.as_slice())
    }

    fn read(&self, name: &str) -> Result<Option<Tensor>, WeightError> {
        let Some(Set { data, shape }) = self.sets.get(name) else {
            return Ok(None);
        };
        let fail = |error| unusable(&self.label, reason(error));
        self.guard.allow();
        let layout = data.raw_datatype().map_err(fail)?;
        let Some((number, big_endian)) = number(&layout) else {
            let (file, tensor, got) = (self.label.clone(), name.to_owned(), kind(data.dtype()));
            return Err(WeightError::Dtype { file, tensor, got });
        };
        let mut bytes = data.read_raw_bytes().map_err(fail)?;
        if big_endian {
            bytes.chunks_exact_mut(number.size()).for_each(<[u8]>::reverse);
        }
        let data = finite(&self.label, name, number.widen(&bytes))?;
        Ok(Some(Tensor { shape: shape.clone(), data }))
    }
}

fn unusable(label: &str, reason: String) -> WeightError {
    WeightError::Unusable { file: label.to_owned(), format: "HDF5", reason }
}

/// What the crate says of a file, and what it may come from.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives it")]
fn reason(error: Error) -> String {
    let told = brief::told(&error);
    let is_cut = ["unexpected end of data", "out of bounds"].iter().any(|what| told.contains(what));
    if is_cut { format!("it is damaged or was cut short: {told}") } else { told }
}

/// Bytes that a file of so many may unpack to.
fn limit(length: usize) -> usize {
    length.saturating_mul(MOST_RATIO).max(LEAST_LIMIT)
}

/// The data sets of a file by the names that they get, or why it cannot be used.
fn sets(
    guard: &Arc<Guard>,
    limit: usize,
    names: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Set>, String> {
    let options = OpenOptions::default()
        .with_max_read_bytes(limit)
        .with_max_chunk_bytes(limit)
        .with_max_object_header_bytes(MOST_HEADER)
        // Every tensor is read once.
        .with_chunk_cache_bytes(0);
    let file = Reader::from_storage_with_options(guard.clone(), options).map_err(reason)?;
    let root = file.root_group().map_err(reason)?;
    if (root.offset_size(), root.length_size()) != (8, 8) {
        return Err("its offsets have other than 8 bytes, which Keras does not write".to_owned());
    }
    let mut walk = Walk::default();
    walk.group(&root, &Place::default())?;
    keras::complete(&mut walk.places, names)?;
    let names = keras::names(&walk.places);
    Ok(names.into_iter().zip(walk.sets).collect())
}

/// What is found on a way through all groups.
#[derive(Default)]
struct Walk {
    objects: usize,
    /// The groups that the current one lies in.
    above: Vec<u64>,
    places: Vec<Place>,
    sets: Vec<Set>,
}

impl Walk {
    fn group(&mut self, group: &Group, place: &Place) -> Result<(), String> {
        if self.above.contains(&group.address()) {
            return Err("a group lies within itself".to_owned());
        }
        if self.above.len() == MOST_DEPTH {
            return Err(format!("its groups are nested more than {MOST_DEPTH} deep"));
        }
        let attributes = group.raw_attributes().map_err(reason)?;
        let place = place.with_attributes(group, &attributes);
        let (groups, sets) = group.members().map_err(reason)?;
        self.objects += groups.len() + sets.len();
        if self.objects > MOST_OBJECTS {
            return Err(format!("it holds more than {MOST_OBJECTS} groups and data sets"));
        }
        for data in sets {
            let shape = data.shape().iter().map(|side| usize::try_from(*side)).collect::<Result<_, _>>();
            let shape = shape.map_err(|_| format!("`{}` is too large", brief::shortened(data.name())))?;
            self.places.push(place.below(data.name())?);
            self.sets.push(Set { data, shape });
        }
        self.above.push(group.address());
        for inner in groups {
            self.group(&inner, &place.below(inner.name())?)?;
        }
        self.above.pop();
        Ok(())
    }
}

/// How numbers are stored, and whether the highest byte comes first, from the bytes of a data set's datatype message
/// (HDF5 File Format Specification 3.0, section IV.A.2.d): its fields for floats tell halves from bfloat16.
fn number(message: &[u8]) -> Option<(Number, bool)> {
    let &[class, order, _, _, size, 0, 0, 0, 0, 0, precision, 0, exponent_at, exponent, 0, mantissa] =
        message.first_chunk::<16>()?
    else {
        return None;
    };
    let number = match (size, exponent, mantissa) {
        (8, 11, 52) => Number::F64,
        (4, 8, 23) => Number::F32,
        (2, 5, 10) => Number::F16,
        (2, 8, 7) => Number::BF16,
        _ => return None,
    };
    // Bit 6 of the first byte would be the VAX's order.
    let plain =
        class & 15 == 1 && order & 0b100_0000 == 0 && precision == 8 * size && exponent_at == mantissa;
    plain.then_some((number, order & 1 == 1))
}

/// Numbers that are no floats, and what is no number, as safetensors would spell it.
fn kind(stored: &Datatype) -> String {
    match stored {
        Datatype::FixedPoint { size, signed: true, .. } => format!("I{}", 8 * u32::from(*size)),
        Datatype::FixedPoint { size, .. } => format!("U{}", 8 * u32::from(*size)),
        Datatype::FloatingPoint { size, .. } => format!("floats of {size} bytes"),
        Datatype::String { .. } | Datatype::VarLen { .. } => "text".to_owned(),
        Datatype::Enum { .. } => "an enumeration".to_owned(),
        _ => "what is no number".to_owned(),
    }
}
