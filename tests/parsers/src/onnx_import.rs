//! ONNX files of other programs, as networks and as weights.

use crate::scratch;

/// A file.
pub fn onnx_import(bytes: &[u8]) {
    scratch::with_file("m.onnx", bytes, |path| {
        // Where the file does not say how large its pictures are.
        for size in [None, Some((8, 8))] {
            match onnx::import(path, onnx::Options { size, tap: None }) {
                Ok(imported) => {
                    let network = imported.bound.network();
                    let (height, width) = imported.source.size;
                    assert!(network.shapes(height, width).is_ok());
                    assert!(network.for_taps(&[&imported.default_tap]).is_ok());
                    assert_eq!(imported.bound.tensors().count(), network.params().len());
                    return;
                }
                Err(error) => assert!(error.to_string().chars().count() < 600, "{error}"),
            }
        }
        if let Ok(file) = weights::open(path) {
            for name in file.names() {
                if let Ok(Some(tensor)) = file.read(name) {
                    assert_eq!(tensor.data.len(), tensor.shape.iter().product::<usize>());
                }
            }
        }
    });
}
