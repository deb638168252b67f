//! GGUF, the files of llama.cpp and of what stands on GGML.

mod file;
mod header;
mod kind;

pub(super) use file::GgufFile;
