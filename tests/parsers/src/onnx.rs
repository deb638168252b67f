//! Our own ONNX files, read back.

/// A file.
pub fn onnx(bytes: &[u8]) {
    match onnx::read(bytes) {
        Ok(model) => {
            assert!(!model.graph.outputs.is_empty());
            for tensor in &model.graph.tensors {
                let (shape, count, is_finite) = match tensor {
                    onnx::Literal::Floats(weights::Tensor { shape, data }) => {
                        (shape, data.len(), data.iter().all(|value| value.is_finite()))
                    }
                    onnx::Literal::Halves { shape, data } => {
                        (shape, data.len(), data.iter().all(|value| value.is_finite()))
                    }
                    onnx::Literal::Doubles { shape, data } => {
                        (shape, data.len(), data.iter().all(|value| value.is_finite()))
                    }
                    onnx::Literal::Integers { shape, data } => (shape, data.len(), true),
                };
                assert_eq!(count, shape.iter().product::<usize>());
                assert!(is_finite);
            }
        }
        Err(error) => drop(error.to_string()),
    }
}
