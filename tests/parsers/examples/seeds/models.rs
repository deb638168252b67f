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
    let layers = weights::head_graph(None, &head).unwrap();
    let how = input::image::Preprocessing {
        resize: input::image::Resize::ShorterSide(9),
        crop: Some((8, 8)),
        ..input::image::Preprocessing::imagenet()
    };
    let novelty = onnx::Whitened { whitening: &head[0], means: &[0.0, 1.0], threshold: 1.0 };
    let neighbours = onnx::Body::Neighbours(onnx::Neighbours {
        rows: &[1.0, 0.0, 0.0, 1.0],
        dim: 2,
        count: 1,
        temperature: 0.07,
        truth: onnx::Remembered::Classes(&[0, 1]),
        outputs: 2,
    });
    let of = |body, ending| Some(onnx::HeadGraph { body, ending, novelty: Some(novelty) });
    for (name, head, image) in [
        ("features", None, None),
        ("classes", of(onnx::Body::Layers(&layers), onnx::Ending::Classes), None),
        ("labels", of(onnx::Body::Layers(&layers), onnx::Ending::Labels), None),
        ("values", of(onnx::Body::Layers(&layers), onnx::Ending::Values), Some(&how)),
        ("neighbours", of(neighbours, onnx::Ending::Classes), None),
    ] {
        let mut out = Vec::new();
        let metadata = [("headstart.classes".to_owned(), "[\"a\",\"b\"]".to_owned())];
        let towers = [onnx::Tower { image, ..onnx::Tower::alone(&bound, (8, 8)) }];
        let exported = onnx::Exported { towers: &towers, head, halves: false, metadata: &metadata };
        onnx::write_model(&mut out, &exported).unwrap();
        write("onnx", name, &out);
    }
}
