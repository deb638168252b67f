//! `closed ridge|lda|prototype|knn|novelty FEATURES LABELS DIM CLASSES STRENGTH QUERIES`: a head on raw little-endian files (f32
//! features, row-major; u32 labels) as one JSON object on stdout: its layer, if it has one, and its scores of the queries.
//! STRENGTH is the penalty, the shrinkage or the number of neighbours; scores of novelty, which has none, are distances. For
//! tests/peers/head.py.
#![expect(clippy::print_stdout, reason = "the JSON is what this program is for")]

use std::error::Error;
use std::time::Instant;

use features::{Matrix, NetworkSource};
use headstart_head::{
    ClassWeights, ClosedForm, ClosedProblem, Distances, Examples, HeldOut, Scorer, fit_knn, fit_novelty,
};
use headstart_head::{Head, HeadKind};
use input::image::Preprocessing;
use sample::targets::Truth;
use store::Digest;
use weights::Dense;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [form, features, labels, dim, classes, strength, queries] = arguments.as_slice() else {
        return Err("usage: closed FORM FEATURES LABELS DIM CLASSES STRENGTH QUERIES".into());
    };
    let floats = |path: &str| -> std::io::Result<Vec<f32>> {
        Ok(std::fs::read(path)?.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    };
    let (features, queries) = (floats(features)?, floats(queries)?);
    let labels =
        std::fs::read(labels)?.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
    let truth = Truth::Class(labels);
    let matrix = Matrix::new(&features, dim.parse()?)?;
    let examples = Examples::new(&matrix, &truth, classes.parse()?)?;
    if form == "novelty" {
        let novelty = fit_novelty(&examples, HeldOut::Rows(examples), 1.0)?;
        println!("{{\"scores\": {:?}}}", Distances::of(&novelty).of_rows(&queries));
        return Ok(());
    }
    let start = Instant::now();
    let closed = |form: ClosedForm| -> Result<Vec<Dense>, Box<dyn Error>> {
        Ok(vec![ClosedProblem::new(&examples, form, &ClassWeights::None, true)?.fit(strength.parse()?)?])
    };
    let (layers, memory) = match form.as_str() {
        "ridge" => (closed(ClosedForm::Ridge)?, None),
        "lda" => (closed(ClosedForm::Lda)?, None),
        "prototype" => (closed(ClosedForm::Prototype)?, None),
        _ => (Vec::new(), Some(fit_knn(&examples, strength.parse()?)?)),
    };
    let seconds = start.elapsed().as_secs_f64();
    let nothing = Digest::of(b"");
    let source = NetworkSource {
        backbone: String::new(),
        tap: String::new(),
        shape: [].into(),
        network: nothing,
        weights: nothing,
        recipe: Preprocessing::imagenet().into(),
        dtype: store::Dtype::F32,
        engine: String::new(),
    }
    .into();
    let head = Head {
        graph: None,
        kind: if memory.is_some() { HeadKind::Knn } else { HeadKind::Linear },
        classes: (0..examples.outputs()).map(|class| class.to_string()).collect(),
        targets: Default::default(),
        pool: None,
        layers,
        memory,
        novelty: None,
        sources: vec![source],
        probes: Vec::new(),
        fit: Default::default(),
        features: nothing,
        seen: None,
    };
    let layer = head.layers.first();
    println!(
        "{{\"seconds\": {seconds}, \"weight\": {:?}, \"bias\": {:?}, \"scores\": {:?}}}",
        layer.map_or(&[][..], |layer| &layer.weight),
        layer.map_or(&[][..], |layer| &layer.bias),
        Scorer::of(&head)?.of_rows(&queries)
    );
    Ok(())
}
