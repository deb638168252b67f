//! Trains a small network on for 20 steps of all rows, for tests/peers/tune.py: writes graph, rows, weights before and after into a
//! safetensors file.

use features::Matrix;
use headstart_head::{Examples, TuneSettings, tune};
use network::{Builder, Conv, Shape};
use safetensors::{Dtype, tensor::TensorView};
use sample::targets::Truth;
use std::{collections::HashMap, error::Error, ops::ControlFlow};
use weights::{Bound, Tensor};

const ROWS: usize = 60;
const MAP: Shape = Shape::Map { channels: 4, height: 6, width: 5 };

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: tune FILE")?;
    let start = start()?;
    let x: Vec<f32> = (0..ROWS * MAP.len()).map(|at| ((at * 7919 % 2003) as f32 / 1001.5) - 1.0).collect();
    let labels: Vec<u32> = (0..ROWS).map(|row| (row * 5 % 3) as u32).collect();
    let (matrix, truth) = (Matrix::new(&x, MAP.len())?, Truth::Class(labels.clone()));
    let examples = Examples::new(&matrix, &truth, 3)?;
    let settings = TuneSettings {
        epochs: 20,
        batch_size: ROWS,
        learning_rate: 0.01,
        layer_decay: 0.5,
        patience: None,
        ..TuneSettings::default()
    };
    let fit = tune(&examples, None, &start, &|_| true, &settings, |_| ControlFlow::Continue(()))?;
    let mut tensors = vec![("x".to_owned(), vec![ROWS, 4, 6, 5], x)];
    tensors.push(("labels".to_owned(), vec![ROWS], labels.iter().map(|label| *label as f32).collect()));
    for (when, bound) in [("before", &start), ("after", &fit.graph)] {
        let each = bound.tensors().map(|(param, tensor)| {
            (format!("{when}.{}", param.name), tensor.shape.clone(), tensor.data.clone())
        });
        tensors.extend(each);
    }
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, shape, data)| (name, shape, data.into_iter().flat_map(f32::to_le_bytes).collect()))
        .collect();
    let views = bytes
        .iter()
        .map(|(name, shape, bytes)| Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    let metadata = HashMap::from([("graph".to_owned(), serde_json::to_string(start.network())?)]);
    safetensors::serialize_to_file(views, Some(metadata), path.as_ref())?;
    Ok(())
}

/// Two blocks and a head, filled by a formula.
fn start() -> Result<Bound, weights::WeightError> {
    let mut net = Builder::given(MAP);
    let x = net.input();
    let x = net.conv("layer3.conv", x, Conv::new(8, 3));
    let x = net.batch_norm("layer3.norm", x);
    let x = net.relu("layer3.relu", x);
    let x = net.conv("layer4.conv", x, Conv::new(12, 3).stride(2).bias());
    let x = net.relu("layer4.relu", x);
    let x = net.global_average_pool("mean", x);
    let x = net.linear("head.0", x, 3);
    let mut salt = 0;
    Bound::from_tensors(net.finish("upper", x), "a formula", |param| {
        salt += 1;
        let number = |at: usize| 0.3 * ((((at + 1) * (salt * 31 + 17) * 7919) % 1999) as f32 / 999.5 - 1.0);
        let is_scale = ["layer3.norm.weight", "layer3.norm.running_var"].contains(&param.name.as_str());
        let data = (0..param.len()).map(|at| if is_scale { 1.0 + number(at) } else { number(at) });
        Some(Tensor { shape: param.shape.clone(), data: data.collect() })
    })
}
