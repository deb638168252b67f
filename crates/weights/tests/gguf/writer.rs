//! Writes GGUF files.

/// A file, part by part: metadata first, then tensors.
#[derive(Clone)]
pub(crate) struct Gguf {
    pub(crate) magic: [u8; 4],
    pub(crate) version: u32,
    /// How many entries and tensors the header says there are; else as many as there are.
    pub(crate) said: [Option<u64>; 2],
    pub(crate) alignment: usize,
    metadata: (u64, Vec<u8>),
    tensors: (u64, Vec<u8>),
    data: Vec<u8>,
}

/// Types of metadata.
pub(crate) const UINT32: u32 = 4;
pub(crate) const TEXT: u32 = 8;
pub(crate) const ARRAY: u32 = 9;

impl Gguf {
    pub(crate) fn new() -> Gguf {
        Gguf {
            magic: *b"GGUF",
            version: 3,
            said: [None; 2],
            alignment: 32,
            metadata: (0, Vec::new()),
            tensors: (0, Vec::new()),
            data: Vec::new(),
        }
    }

    /// An entry of metadata: its type, and the bytes of its value.
    pub(crate) fn entry(mut self, key: &str, kind: u32, value: &[u8]) -> Gguf {
        let bytes = [&text(key)[..], &kind.to_le_bytes(), value].concat();
        self.metadata.1.extend(bytes);
        self.metadata.0 += 1;
        self
    }

    /// A tensor of a type and a row-major shape, with its bytes.
    pub(crate) fn tensor(mut self, name: &str, kind: u32, shape: &[usize], bytes: &[u8]) -> Gguf {
        let offset = self.data.len() as u64;
        self.data.extend(bytes);
        let end = self.data.len().next_multiple_of(self.alignment);
        self.data.resize(end, 0);
        let sides: Vec<u64> = shape.iter().rev().map(|side| *side as u64).collect();
        self.listed(&text(name), &sides, kind, offset)
    }

    /// A line of the list of tensors alone. The side along which numbers are neighbours comes first.
    pub(crate) fn listed(mut self, name: &[u8], sides: &[u64], kind: u32, offset: u64) -> Gguf {
        let axes = u32::try_from(sides.len()).unwrap();
        let sides = sides.iter().flat_map(|side| side.to_le_bytes());
        let line = &mut self.tensors.1;
        line.extend(name);
        line.extend(axes.to_le_bytes());
        line.extend(sides);
        line.extend(kind.to_le_bytes());
        line.extend(offset.to_le_bytes());
        self.tensors.0 += 1;
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut file = [&self.magic[..], &self.version.to_le_bytes()].concat();
        file.extend(self.said[1].unwrap_or(self.tensors.0).to_le_bytes());
        file.extend(self.said[0].unwrap_or(self.metadata.0).to_le_bytes());
        file.extend(&self.metadata.1);
        file.extend(&self.tensors.1);
        file.resize(file.len().next_multiple_of(self.alignment), 0);
        file.extend(&self.data);
        file
    }
}

/// A text with its length.
pub(crate) fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

/// An array of values of one type.
pub(crate) fn array(kind: u32, count: u64, values: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &count.to_le_bytes(), values].concat()
}
