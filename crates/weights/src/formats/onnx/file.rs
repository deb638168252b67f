//! The file: mapped, its messages walked once.

use super::{Numbers, StoredTensor, stored::entry};
use crate::{
    Tensor, Tensors, WeightError,
    numbers::finite,
    protobuf::{Broken, Fields, Wire, text},
};
use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
};
use store::{MappedFile, brief::cut};

/// More tensors, or nodes, than any network has.
const MOST: usize = 1 << 20;
/// More entries of metadata than any file has.
const MOST_METADATA: usize = 1 << 12;

/// An ONNX file, mapped, its tensors found. Their numbers are converted when they are asked for.
///
/// Tensors are the initializers of floats, and those that constant nodes give. Numbers by themselves are left out.
pub struct OnnxFile {
    label: String,
    folder: PathBuf,
    map: MappedFile,
    graph: Range<usize>,
    initializers: Vec<StoredTensor>,
    /// By name: places in `initializers`.
    names: BTreeMap<String, usize>,
    nodes: Vec<Range<usize>>,
    metadata: Vec<(String, String)>,
    opsets: Vec<(String, i64)>,
    functions: usize,
}

impl OnnxFile {
    /// Finds what a file holds; no tensor is read yet. Data in other files are looked for in the folder of `path`.
    ///
    /// # Errors
    /// [`WeightError::Unusable`].
    pub fn mapped(path: &Path, map: MappedFile) -> Result<OnnxFile, WeightError> {
        let label = path.display().to_string();
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let fail = |reason: String| WeightError::Unusable { file: label.clone(), format: "ONNX", reason };
        let mut file = OnnxFile {
            label: label.clone(),
            folder,
            map,
            graph: 0..0,
            initializers: Vec::new(),
            names: BTreeMap::new(),
            nodes: Vec::new(),
            metadata: Vec::new(),
            opsets: Vec::new(),
            functions: 0,
        };
        file.model().map_err(|error| fail(error.to_string()))?;
        if file.graph.is_empty() {
            return Err(fail("it has no graph".to_owned()));
        }
        file.walk().map_err(|error| fail(error.to_string()))?;
        if file.nodes.len() > MOST || file.initializers.len() > MOST {
            return Err(fail(format!("it has more than {MOST} nodes or tensors")));
        }
        for (at, tensor) in file.initializers.iter().enumerate() {
            if file.names.insert(tensor.name.clone(), at).is_some() {
                return Err(fail(format!("the tensor `{}` is there twice", cut(&tensor.name, 100))));
            }
        }
        Ok(file)
    }

    /// All bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// How many bytes it has, with those of the files beside it that hold numbers of its tensors.
    pub fn length(&self) -> u64 {
        let outside = self.initializers.iter().filter_map(|tensor| tensor.outside(&self.folder));
        let beside: BTreeMap<_, u64> = outside.collect();
        beside.values().fold(self.map.len() as u64, |sum, length| sum.saturating_add(*length))
    }

    /// Where the graph lies.
    pub fn graph(&self) -> Range<usize> {
        self.graph.clone()
    }

    /// Where the graph's nodes lie, in the file's order.
    pub fn nodes(&self) -> &[Range<usize>] {
        &self.nodes
    }

    /// The graph's initializers and what its constant nodes give, of floats and of whole numbers.
    pub fn initializers(&self) -> &[StoredTensor] {
        &self.initializers
    }

    /// The model's `metadata_props`.
    pub fn metadata(&self) -> &[(String, String)] {
        &self.metadata
    }

    /// The sets of operators that the model asks for: domain and version.
    pub fn opsets(&self) -> &[(String, i64)] {
        &self.opsets
    }

    /// How many functions the model brings with it.
    pub fn functions(&self) -> usize {
        self.functions
    }

    /// The numbers of a tensor of this file, whatever they are.
    ///
    /// # Errors
    /// [`WeightError::Unusable`].
    pub fn numbers(&self, tensor: &StoredTensor) -> Result<Numbers, WeightError> {
        tensor.numbers(&self.map, &self.folder).map_err(|reason| WeightError::Unusable {
            file: self.label.clone(),
            format: "ONNX",
            reason: format!("the tensor `{}` {reason}", cut(&tensor.name, 100)),
        })
    }

    fn model(&mut self) -> Result<(), Broken> {
        let file = &self.map[..];
        for field in Fields::of(file, 0..file.len()) {
            match field? {
                // A message that stands there twice would be merged; nobody writes that.
                (7, Wire::Bytes(_)) if !self.graph.is_empty() => return Err(Broken),
                (7, Wire::Bytes(range)) => self.graph = range,
                (8, Wire::Bytes(range)) if self.opsets.len() < MOST_METADATA => {
                    self.opsets.push(opset(file, range)?);
                }
                (14, Wire::Bytes(range)) if self.metadata.len() < MOST_METADATA => {
                    self.metadata.push(entry(file, range)?);
                }
                (25, _) => self.functions += 1,
                _ => {}
            }
        }
        Ok(())
    }

    fn walk(&mut self) -> Result<(), Broken> {
        let file = &self.map[..];
        for field in Fields::of(file, self.graph.clone()) {
            match field? {
                (1, Wire::Bytes(range)) if self.nodes.len() <= MOST => {
                    self.initializers.extend(constant(file, range.clone())?);
                    self.nodes.push(range);
                }
                (5, Wire::Bytes(range)) if self.initializers.len() <= MOST => {
                    self.initializers.push(StoredTensor::read(file, range)?);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The tensor that a node gives, where it is a constant one: called as its output is.
fn constant(file: &[u8], node: Range<usize>) -> Result<Option<StoredTensor>, Broken> {
    let (mut output, mut is_constant, mut value) = (None, false, None);
    for field in Fields::of(file, node) {
        match field? {
            (2, Wire::Bytes(range)) => output = Some(range),
            (4, Wire::Bytes(range)) => is_constant = file.get(range) == Some(b"Constant"),
            (5, Wire::Bytes(range)) => value = Some(range),
            _ => {}
        }
    }
    let (true, Some(output), Some(attribute)) = (is_constant, output, value) else { return Ok(None) };
    for field in Fields::of(file, attribute) {
        if let (5, Wire::Bytes(range)) = field? {
            let mut tensor = StoredTensor::read(file, range)?;
            text(file, output)?.clone_into(&mut tensor.name);
            return Ok(Some(tensor));
        }
    }
    Ok(None)
}

fn opset(file: &[u8], range: Range<usize>) -> Result<(String, i64), Broken> {
    let (mut domain, mut version) = (String::new(), 0);
    for field in Fields::of(file, range) {
        match field? {
            (1, Wire::Bytes(range)) => text(file, range)?.clone_into(&mut domain),
            (2, Wire::Number(number)) => version = number.cast_signed(),
            _ => {}
        }
    }
    Ok((domain, version))
}

impl Tensors for OnnxFile {
    fn label(&self) -> &str {
        &self.label
    }

    fn names(&self) -> Vec<&str> {
        let is_weight = |at: &usize| {
            let tensor = &self.initializers[*at];
            tensor.is_float() && !tensor.shape.is_empty()
        };
        self.names.iter().filter(|(_, at)| is_weight(at)).map(|(name, _)| name.as_str()).collect()
    }

    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.names.get(name).map(|at| self.initializers[*at].shape.as_slice())
    }

    fn read(&self, name: &str) -> Result<Option<Tensor>, WeightError> {
        let Some(tensor) = self.names.get(name).map(|at| &self.initializers[*at]) else {
            return Ok(None);
        };
        match self.numbers(tensor)? {
            Numbers::Floats(data) => {
                let data = finite(&self.label, name, data)?;
                Ok(Some(Tensor { shape: tensor.shape.clone(), data }))
            }
            _ => {
                let (file, tensor, got) = (self.label.clone(), name.to_owned(), tensor.dtype());
                Err(WeightError::Dtype { file, tensor, got })
            }
        }
    }
}
