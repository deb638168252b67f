//! What a file is, by its first bytes.

use super::mxnet;

/// Formats that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Gguf,
    Hdf5,
    Mxnet,
    Safetensors,
    /// An archive, whose entries tell of what.
    Zip,
    /// PyTorch's older checkpoints begin with one.
    Pickle,
    Onnx,
    /// Something else, and what to do about it.
    Other(&'static str),
}

/// How many bytes of a file it takes to tell.
pub(super) const FIRST: usize = 512;

/// Files that people mistake for weights, or that are weights of another kind, by how they begin.
const OTHERS: [(&[u8], &str); 12] = [
    (b"version https://git-lfs", "it is a Git LFS pointer; run `git lfs pull` to get the file it stands for"),
    (b"<!DOCTYPE", WEB),
    (b"<!doctype", WEB),
    (b"<html", WEB),
    (b"\x1f\x8b", "it is compressed with gzip; unpack it first"),
    (b"\x93NUMPY", "it is a NumPy array; save tensors by name as safetensors"),
    (b"PK\x05\x06", "it is an empty zip archive"),
    (b"{", "it is JSON; give the weights that lie beside it"),
    (b"\x28\xb5\x2f\xfd", "it is compressed with zstd; unpack it first"),
    (b"BZh", "it is compressed with bzip2; unpack it first"),
    (b"lmgg", GGML),
    (b"tjgg", GGML),
];
/// What is said of a file that begins as nothing known does.
pub(super) const UNKNOWN: &str = "it is of no format that is known; export the weights as safetensors";
const GGML: &str = "it is a GGML file from before GGUF; convert the model anew, to GGUF";
const WEB: &str = "it is a web page, probably of a download that needed a login";

impl Kind {
    /// `first`: at least [`FIRST`] bytes, or all there are.
    pub(super) fn of(first: &[u8]) -> Kind {
        if first.is_empty() {
            return Kind::Other("it is empty");
        }
        if first.starts_with(b"\x89HDF\r\n\x1a\n") {
            return Kind::Hdf5;
        }
        // Before safetensors: the number of tensors may look like JSON.
        if first.starts_with(b"GGUF") {
            return Kind::Gguf;
        }
        if first.starts_with(&mxnet::MAGIC) {
            return Kind::Mxnet;
        }
        // Eight bytes of length, and JSON.
        if first.get(8) == Some(&b'{') {
            return Kind::Safetensors;
        }
        // The version of ONNX, and then the field of whoever wrote it, of a domain, of the graph or of operators.
        if let [0x08, 1..=32, 0x12 | 0x1A | 0x22 | 0x28 | 0x32 | 0x3A | 0x42, ..] = first {
            return Kind::Onnx;
        }
        if first.get(4..8) == Some(b"TFL3") {
            return Kind::Other("it is a TensorFlow Lite model; export it as ONNX or safetensors");
        }
        if first.starts_with(b"PK\x03\x04") {
            return Kind::Zip;
        }
        // PROTO and its number.
        if let [0x80, 2..=5, ..] = first {
            return Kind::Pickle;
        }
        if first.get(257..262) == Some(b"ustar") {
            return Kind::Other(
                "it is a tar archive; if it is a checkpoint of PyTorch 0.1, load it and save it anew",
            );
        }
        match OTHERS.iter().find(|(start, _)| first.starts_with(start)) {
            Some((_, found)) => Kind::Other(found),
            None => Kind::Other(UNKNOWN),
        }
    }
}
