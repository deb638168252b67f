//! `suspects FEATURES DIM LABELS PROBABILITIES CLASSES`: for every row the quality of its label by each score, as one JSON
//! object on stdout. Files are raw and little-endian: f32 features and f64 probabilities, row-major, u32 labels. For
//! tests/peers/suspects.py, which compares them with cleanlab's.
#![expect(clippy::print_stdout, reason = "the JSON is what this program is for")]

use std::error::Error;

use features::Matrix;
use review::{ConfidentJoint, LabelQuality, NEIGHBOURS, Neighbours, Predictions, Space, issues, suspects};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [features, dim, labels, probabilities, classes] = arguments.as_slice() else {
        return Err("usage: suspects FEATURES DIM LABELS PROBABILITIES CLASSES".into());
    };
    let features: Vec<f32> =
        std::fs::read(features)?.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let labels: Vec<u32> =
        std::fs::read(labels)?.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
    let probabilities: Vec<f64> =
        std::fs::read(probabilities)?.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    let predictions = Predictions::new(&labels, &probabilities, classes.parse()?)?;
    let rows = Matrix::new(&features, dim.parse()?)?;
    let [same, alike] =
        [Space::whitened(&rows)?, Space::centred(&rows)?].map(|space| Neighbours::find(&space, NEIGHBOURS));
    let mut combined = vec![0.0; labels.len()];
    for suspect in suspects(&predictions, &[&same, &alike])? {
        combined[suspect.row as usize] = suspect.quality;
    }
    let joint = ConfidentJoint::of(&predictions);
    println!(
        "{{\"combined\": {combined:?}, \"self_confidence\": {:?}, \"normalized_margin\": {:?}, \
         \"self_confidence_adjusted\": {:?}, \"normalized_margin_adjusted\": {:?}, \"joint\": {:?}, \"issues\": {:?}}}",
        LabelQuality::SelfConfidence.of_all(&predictions),
        LabelQuality::NormalisedMargin.of_all(&predictions),
        LabelQuality::AdjustedSelfConfidence.of_all(&predictions),
        LabelQuality::AdjustedMargin.of_all(&predictions),
        joint.distribution(),
        issues(&predictions),
    );
    Ok(())
}
