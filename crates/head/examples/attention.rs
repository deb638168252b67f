//! `attention FEATURES LABELS SIDES CLASSES QUERIES EPOCHS RATE`: an attention head on raw little-endian files (f32 features,
//! row-major; u32 labels), all rows a step, as one JSON object on stdout: queries, layer and scores. SIDES are those of a row, such as
//! `8,5,5` or `26,8`. At a rate of 1e-30 it is as it begins. For tests/peers/attention.py.
#![expect(clippy::print_stdout, reason = "the JSON is what this program is for")]

use std::{error::Error, ops::ControlFlow, time::Instant};

use features::Matrix;
use headstart_head::{Examples, Front, MlpFit, MlpSettings, Scorer, fit_mlp};
use sample::targets::Truth;
use weights::Places;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [features, labels, sides, classes, queries, epochs, rate] = arguments.as_slice() else {
        return Err("usage: attention FEATURES LABELS SIDES CLASSES QUERIES EPOCHS RATE".into());
    };
    let features: Vec<f32> =
        std::fs::read(features)?.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let labels: Vec<u32> =
        std::fs::read(labels)?.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
    let sides = sides.split(',').map(str::parse).collect::<Result<Vec<usize>, _>>()?;
    let of = Places::of_sides(&sides).ok_or("two sides or three")?;
    let (rows, truth) = (labels.len(), Truth::Class(labels));
    let matrix = Matrix::new(&features, of.len())?;
    let examples = Examples::new(&matrix, &truth, classes.parse()?)?;
    let settings = MlpSettings {
        front: Front::Attention(queries.parse()?, of),
        epochs: epochs.parse()?,
        batch_size: rows,
        learning_rate: rate.parse()?,
        standardize: false,
        ..MlpSettings::default()
    };
    let start = Instant::now();
    let MlpFit { pool, layers, .. } = fit_mlp(&examples, None, &settings, |_| ControlFlow::Continue(()))?;
    println!(
        "{{\"seconds\": {}, \"queries\": {:?}, \"weight\": {:?}, \"bias\": {:?}, \"scores\": {:?}}}",
        start.elapsed().as_secs_f64(),
        pool.as_ref().map_or(&[][..], |pool| &pool.queries),
        layers[0].weight,
        layers[0].bias,
        Scorer::of_pooled(pool.as_ref(), &layers).of_rows(&features)
    );
    Ok(())
}
