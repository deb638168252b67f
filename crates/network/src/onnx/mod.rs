//! ONNX: being written.
