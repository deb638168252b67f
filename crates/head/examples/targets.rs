//! `targets linear|ridge labels|numbers FEATURES TARGETS DIM OUTPUTS L2`: a head of labels or numbers on raw little-endian
//! files (f32 features, f64 targets, row-major) as one JSON object on stdout. For tests/peers/head.py, which compares it with
//! scikit-learn's.
#![expect(clippy::print_stdout, reason = "the JSON is what this program is for")]

use std::error::Error;

use features::Matrix;
use headstart_head::{ClassWeights, ClosedForm, ClosedProblem, Examples, LinearProblem, LinearSettings};
use sample::targets::Truth;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [head, kind, features, targets, dim, outputs, l2] = arguments.as_slice() else {
        return Err("usage: targets linear|ridge labels|numbers FEATURES TARGETS DIM OUTPUTS L2".into());
    };
    let features: Vec<f32> =
        std::fs::read(features)?.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let values: Vec<f64> =
        std::fs::read(targets)?.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    let matrix = Matrix::new(&features, dim.parse()?)?;
    let truth = if kind == "labels" { Truth::Labels(values) } else { Truth::Numbers(values) };
    let targets = Examples::new(&matrix, &truth, outputs.parse()?)?;
    let (layer, objective) = if head == "linear" {
        let settings =
            LinearSettings { tolerance: 1e-8, max_iterations: 10_000, ..LinearSettings::default() };
        let fit = LinearProblem::new(&targets, &settings)?.fit(l2.parse()?, None)?;
        (fit.layer, fit.objective)
    } else {
        let problem = ClosedProblem::new(&targets, ClosedForm::Ridge, &ClassWeights::None, true)?;
        (problem.fit(l2.parse()?)?, 0.0)
    };
    println!("{{\"objective\": {objective:e}, \"weight\": {:?}, \"bias\": {:?}}}", layer.weight, layer.bias);
    Ok(())
}
