//! One entry a parser of ours: what fuzzing calls (`fuzz/`), and what tests run over every input that fuzzing found.
//!
//! Each takes any bytes, and returns: whatever they hold, a parser refuses it or gives something whole. What whole means is
//! asserted here. Where a digest would keep damaged bytes from a parser, it is mended first, as a forger would.
//!
//! **Invariant:** an entry keeps nothing between two calls that could change what the second does.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a parser that fails should panic here")]

mod answers;
mod bundle;
mod features;
mod head;
mod manifest;
mod matrix;
mod onnx;
mod onnx_import;
mod picture;
mod pytorch;
mod scratch;
mod source;
mod tokenizer;
mod weights;

pub use answers::answers;
pub use bundle::bundle;
pub use features::{index, shard};
pub use head::head;
pub use manifest::{jsonl, manifest, parquet, tar};
pub use matrix::matrix;
pub use onnx::onnx;
pub use onnx_import::onnx_import;
pub use picture::{jpeg, picture};
pub use pytorch::pytorch;
pub use source::source;
pub use tokenizer::tokenizer;
pub use weights::{gguf, hdf5, mxnet, network, sharded, weights};

/// A parser's name, which is that of its fuzz target and of its corpus, and its entry.
pub type Parser = (&'static str, fn(&[u8]));

/// Every one.
pub const PARSERS: [Parser; 21] = [
    ("answers", answers),
    ("bundle", bundle),
    ("gguf", gguf),
    ("hdf5", hdf5),
    ("head", head),
    ("index", index),
    ("jpeg", jpeg),
    ("jsonl", jsonl),
    ("manifest", manifest),
    ("matrix", matrix),
    ("mxnet", mxnet),
    ("onnx", onnx),
    ("onnx_import", onnx_import),
    ("parquet", parquet),
    ("picture", picture),
    ("pytorch", pytorch),
    ("shard", shard),
    ("sharded", sharded),
    ("tar", tar),
    ("tokenizer", tokenizer),
    ("weights", weights),
];
