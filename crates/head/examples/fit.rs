//! `fit FEATURES LABELS DIM CLASSES L2 none|balanced TOLERANCE`: logistic regression on raw
//! little-endian files (f32 features, row-major; u32 labels) as one JSON object on stdout. For
//! tests/peers/head.py, which compares it with scikit-learn's.
#![expect(clippy::print_stdout, reason = "the JSON is what this program is for")]

use std::error::Error;
use std::time::Instant;

use features::Matrix;
use headstart_head::{ClassWeights, Examples, LinearProblem, LinearSettings};
use sample::targets::Truth;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [features, labels, dim, classes, l2, weights, tolerance] = arguments.as_slice() else {
        return Err("usage: fit FEATURES LABELS DIM CLASSES L2 none|balanced TOLERANCE".into());
    };
    let features: Vec<f32> =
        std::fs::read(features)?.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let labels =
        std::fs::read(labels)?.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
    let truth = Truth::Class(labels);
    let matrix = Matrix::new(&features, dim.parse()?)?;
    let examples = Examples::new(&matrix, &truth, classes.parse()?)?;
    let settings = LinearSettings {
        class_weights: if weights == "balanced" { ClassWeights::Balanced } else { ClassWeights::None },
        tolerance: tolerance.parse()?,
        max_iterations: 10_000,
        ..LinearSettings::default()
    };
    let start = Instant::now();
    let fit = LinearProblem::new(&examples, &settings)?.fit(l2.parse()?, None)?;
    println!(
        "{{\"seconds\": {}, \"objective\": {:e}, \"iterations\": {}, \"converged\": {}, \"weight\": {:?}, \"bias\": {:?}}}",
        start.elapsed().as_secs_f64(),
        fit.objective,
        fit.iterations,
        fit.converged,
        fit.layer.weight,
        fit.layer.bias
    );
    Ok(())
}
