//! Weight files, and ONNX files of a small network.

use safetensors::{Dtype, tensor::TensorView};
use std::collections::HashMap;
use weights::{Bound, Dense, Tensor};

pub(crate) fn write(write: &dyn Fn(&str, &str, &[u8])) {
    let network = parsers::network();
    for (name, dtype, one) in [
        ("f32", Dtype::F32, &1_f32.to_le_bytes()[..]),
        ("f64", Dtype::F64, &1_f64.to_le_bytes()),
        ("f16", Dtype::F16, &[0x00, 0x3c]),
        ("bf16", Dtype::BF16, &[0x80, 0x3f]),
        ("i64", Dtype::I64, &1_i64.to_le_bytes()),
    ] {
        let params = network.params().iter().map(|param| {
            let bytes = one.repeat(param.shape.iter().product());
            (param.name.clone(), param.shape.clone(), bytes)
        });
        let params: Vec<_> = params.collect();
        let views = params
            .iter()
            .map(|(name, shape, bytes)| (name, TensorView::new(dtype, shape.clone(), bytes).unwrap()));
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        write("weights", name, &safetensors::serialize(views, Some(metadata)).unwrap());
    }
    let ones = |param: &network::Param| {
        Some(Tensor { shape: param.shape.clone(), data: vec![1.0; param.shape.iter().product()] })
    };
    let bound = Bound::from_tensors(network, "ones", ones).unwrap();
    let head = [Dense { inputs: 2, outputs: 2, weight: vec![0.5; 4], bias: vec![0.0; 2] }];
    let joined = bound.clone().join(weights::head_graph(&head).unwrap()).unwrap();
    for (name, model, ending) in [
        ("features", &bound, None),
        ("classes", &joined, Some(onnx::Ending::Classes)),
        ("labels", &joined, Some(onnx::Ending::Labels)),
        ("values", &joined, Some(onnx::Ending::Values)),
    ] {
        let mut out = Vec::new();
        let metadata = [("headstart.classes".to_owned(), "[\"a\",\"b\"]".to_owned())];
        onnx::write(&mut out, model, (8, 8), ending, &metadata).unwrap();
        write("onnx", name, &out);
    }
}
