//! Classifies pictures by a bundle: `classify model.hst photo.jpg …`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use headstart::{Classifier, Error};
use std::process::ExitCode;

fn run(model: &str, pictures: &[String]) -> Result<(), Error> {
    let classifier = Classifier::open(model)?;
    for (path, prediction) in pictures.iter().zip(classifier.predict_all(pictures)) {
        match prediction {
            Ok(prediction) => {
                let novel = if prediction.is_novel() == Some(true) { ", unlike anything seen" } else { "" };
                for (class, probability) in prediction.top(1) {
                    println!("{path}: {class} ({:.1} %){novel}", 100.0 * probability);
                }
            }
            Err(error) => println!("{path}: {error}"),
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((model, pictures)) = arguments.split_first() else {
        eprintln!("usage: classify model.hst photo.jpg …");
        return ExitCode::from(2);
    };
    match run(model, pictures) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("classify: {error}");
            ExitCode::FAILURE
        }
    }
}
