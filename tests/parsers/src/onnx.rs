//! Our own ONNX files, read back.

/// A file.
pub fn onnx(bytes: &[u8]) {
    match onnx::read(bytes) {
        Ok(model) => {
            assert!(!model.graph.outputs.is_empty());
            for tensor in &model.graph.tensors {
                assert_eq!(tensor.data.len(), tensor.shape.iter().product::<usize>());
                assert!(tensor.data.iter().all(|value| value.is_finite()));
            }
        }
        Err(error) => drop(error.to_string()),
    }
}
