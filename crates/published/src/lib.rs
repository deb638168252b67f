//! What files of weights are called where others publish them: in folders, on the Hugging Face hub, by torchvision.
#![forbid(unsafe_code)]

mod torchvision;

pub use torchvision::TORCHVISION;

/// Names that ecosystems give to the weights of a folder, best first: safetensors before pickles, whole before sharded.
pub const NAMES: [&str; 12] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.bin",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "model.weights.h5",
    "tf_model.h5",
    "model.keras",
    "model.h5",
    "model.onnx",
    "model.gguf",
];

/// Extensions of weights under any other name.
pub const EXTENSIONS: [&str; 12] =
    ["safetensors", "pth", "pt", "bin", "th", "ckpt", "h5", "hdf5", "keras", "onnx", "gguf", "params"];
