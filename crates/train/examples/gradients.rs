//! Writes networks, inputs, outputs and gradients for tests/peers/gradients.py: a safetensors file each, into a folder.

#[path = "../tests/cases/mod.rs"]
mod cases;

use cases::{Case, families, filled, given, numbers, operations};
use headstart_train::{Inputs, Learner};
use safetensors::{Dtype, tensor::TensorView};
use std::{collections::HashMap, error::Error, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: gradients FOLDER")?;
    for case in operations().iter().chain(&families()) {
        write(case, Path::new(&folder))?;
    }
    Ok(())
}

fn write(case: &Case, folder: &Path) -> Result<(), Box<dyn Error>> {
    let learner = Learner::new(filled(case.network.clone()), 1, 1)?.learning(|_| true).with_inputs();
    let rows = case.ends.last().copied().unwrap_or(case.samples);
    let shapes = given(&case.network);
    let inputs: Vec<Vec<f32>> =
        shapes.iter().enumerate().map(|(at, shape)| numbers(100 + at as u64, rows * shape.len())).collect();
    let slices: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let run = learner.run(&Inputs { samples: case.samples, ends: &case.ends, given: &slices })?;
    let outputs = run.outputs().to_vec();
    let along: Vec<Vec<f32>> = outputs.iter().map(|output| numbers(3, output.len())).collect();
    let along_slices: Vec<&[f32]> = along.iter().map(Vec::as_slice).collect();
    let gradients = learner.gradients(run, &along_slices)?;
    let mut tensors: Vec<(String, Vec<usize>, Vec<f32>)> = Vec::new();
    let bound = filled(case.network.clone());
    for ((param, tensor), gradient) in bound.tensors().zip(gradients.params) {
        tensors.push((format!("param.{}", param.name), param.shape.clone(), tensor.data.clone()));
        tensors.extend(
            gradient.map(|gradient| (format!("gradient.{}", param.name), param.shape.clone(), gradient)),
        );
    }
    for (at, (shape, (input, gradient))) in
        shapes.iter().zip(inputs.into_iter().zip(gradients.inputs)).enumerate()
    {
        let sides = [vec![rows], shape.sides()].concat();
        tensors.push((format!("input.{at}"), sides.clone(), input));
        tensors.extend(gradient.map(|gradient| (format!("input_gradient.{at}"), sides, gradient)));
    }
    for (at, (output, along)) in outputs.into_iter().zip(along).enumerate() {
        let length = output.len();
        tensors.push((format!("output.{at}"), vec![length], output));
        tensors.push((format!("along.{at}"), vec![length], along));
    }
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, shape, data)| (name, shape, data.into_iter().flat_map(f32::to_le_bytes).collect()))
        .collect();
    let views = bytes
        .iter()
        .map(|(name, shape, bytes)| Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    let ends: Vec<String> = case.ends.iter().map(usize::to_string).collect();
    let metadata = HashMap::from([
        ("graph".to_owned(), serde_json::to_string(&case.network)?),
        ("ends".to_owned(), ends.join(",")),
    ]);
    safetensors::serialize_to_file(
        views,
        Some(metadata),
        &folder.join(format!("{}.safetensors", case.name)),
    )?;
    Ok(())
}
