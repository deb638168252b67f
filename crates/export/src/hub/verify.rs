//! What the folder's own library makes of it: the Python that the user names opens the folder, and its logits must be ours.

use super::{Form, HubModel, Of, Pictures, keras};
use crate::{parity::best, samples::Samples};
use anyhow::{Context, Result, bail};
use cli::GateError;
use engine::{Cpu, Executor};
use head::Head;
use input::{Inputs, MOST_FILE, image::Preprocessing, text};
use sample::{Content, Sample};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    ffi::OsStr,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};
use store::Digest;
use weights::Bound;

const SCRIPT: &str = include_str!("verify.py");

/// Samples that run at a time.
const BATCH: usize = 16;
/// Of samples' logits: libraries add in other orders, and the samples are many.
const TOLERANCE: f64 = 1e-3;

/// What the library said.
#[derive(Deserialize)]
struct Answer {
    with: String,
    classes: Vec<String>,
    probes: Vec<Vec<f32>>,
    samples: Vec<Vec<f32>>,
}

/// How far its logits are from ours.
pub(super) struct Verified {
    with: String,
    probes: f64,
    others: Option<Others>,
}

/// Of samples that were given.
struct Others {
    /// `picture` or `text`.
    noun: &'static str,
    count: usize,
    /// That could not be read.
    skipped: usize,
    /// With the same best output.
    agree: usize,
    difference: f64,
    worst: String,
}

impl Verified {
    /// As `config.json` has it.
    pub(super) fn json(&self) -> Value {
        let mut json = json!({"with": self.with, "probes": self.probes});
        if let Some(others) = &self.others {
            json["samples"] = others.count.into();
            json["skipped"] = others.skipped.into();
            json["same_best"] = others.agree.into();
            json[format!("{}s", others.noun)] = others.difference.into();
            json["worst"] = others.worst.as_str().into();
        }
        json
    }

    pub(super) fn line(&self) -> String {
        let line = format!("{}: logits of the probes within {:.1e} of ours", self.with, self.probes);
        match &self.others {
            Some(Others { noun, count, skipped, agree, difference, worst }) => {
                let left_out = match skipped {
                    0 => String::new(),
                    skipped => format!("; {skipped} could not be {}", read(noun)),
                };
                format!(
                    "{line}, of {count} {noun}s within {difference:.1e} (worst `{worst}`), the best is the same on {agree}{left_out}"
                )
            }
            None => line,
        }
    }
}

/// What is done with a sample before anything else.
fn read(noun: &str) -> &'static str {
    if noun == "picture" { "decoded" } else { "read" }
}

/// Opens the folder and compares. `bound` and `model.head` are ours, and `tolerance` that of the probes, and of samples where one
/// was given.
///
/// # Errors
/// Where Python cannot open it; a [`GateError`] where logits differ, with the worst sample.
pub(super) fn verify(
    python: &Path,
    samples: Option<&Samples>,
    of: Of,
    folder: &Path,
    model: &HubModel<'_>,
    bound: Bound,
    (probes_pass, given): (f64, Option<f64>),
) -> Result<Verified> {
    let chosen = samples.map_or(Ok(Vec::new()), Samples::open)?;
    let mut engine = Cpu::new(bound, model.recipe)?;
    let probes = model.recipe.probes();
    let own_probes = logits(&mut engine, model.head, &probes)?;
    let (mut own, mut names, mut shown, mut skipped) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for batch in chosen.chunks(BATCH) {
        let mut prepared = Vec::new();
        for sample in batch {
            let bytes = sample.content.read(MOST_FILE);
            let bytes = bytes.with_context(|| format!("cannot read `{}`", cli::name(&sample.id)))?;
            // What is none here is none there.
            match model.recipe.load(&bytes, &Digest::of(&bytes), None, &[0]) {
                Ok((views, _)) => {
                    shown.push(model.form.sent(sample, &bytes)?);
                    prepared.extend(views);
                    names.push(sample.id.clone());
                }
                Err(_) => skipped += 1,
            }
        }
        if !prepared.is_empty() {
            own.extend(logits(&mut engine, model.head, &Inputs::of(prepared))?);
        }
    }
    let noun = model.noun();
    if let (Some(samples), true) = (samples, names.is_empty() && skipped > 0) {
        bail!("none of the {skipped} {noun}s of {} can be {}", samples.flag(), read(noun));
    }
    let answer = ask(python, of, folder, model, &probes, &shown)?;
    if answer.classes != model.head.classes {
        bail!("{} calls the outputs otherwise than the head", answer.with);
    }
    let of_probes: Vec<String> = (0..own_probes.len()).map(|i| format!("probe {i}")).collect();
    let (probes, _) = compare(&answer.with, &of_probes, &own_probes, &answer.probes, probes_pass)?;
    if names.is_empty() {
        return Ok(Verified { with: answer.with, probes, others: None });
    }
    let passes = given.unwrap_or(TOLERANCE);
    let (difference, worst) = compare(&answer.with, &names, &own, &answer.samples, passes)?;
    let agree = own.iter().zip(&answer.samples).filter(|(a, b)| best(a) == best(b)).count();
    let others = Others { noun, count: names.len(), skipped, agree, difference, worst: names[worst].clone() };
    Ok(Verified { with: answer.with, probes, others: Some(others) })
}

impl Form<'_> {
    /// A sample as Python is given it: the path of a picture, or a text as it stands.
    fn sent(&self, sample: &Sample, bytes: &[u8]) -> Result<Value> {
        match (self, &sample.content) {
            (Form::Texts(_), _) => {
                let text = String::from_utf8_lossy(bytes);
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                Ok(match text.split_once('\0') {
                    Some((first, second)) => json!({"text": first, "text_pair": second}),
                    None => text.into(),
                })
            }
            (Form::Pictures(_), Content::File(path)) => Ok(json!(std::path::absolute(path)?)),
            _ => bail!(
                "--images takes a folder of files, or a manifest of them: Python opens them by their paths"
            ),
        }
    }
}

/// Our logits of prepared samples.
fn logits(engine: &mut Cpu, head: &Head, inputs: &Inputs) -> Result<Vec<Vec<f32>>> {
    let count = inputs.batch().len();
    let outputs = engine.run(inputs.batch())?;
    let row = |k: usize| {
        outputs
            .iter()
            .flat_map(move |output| &output[k * output.len() / count..(k + 1) * output.len() / count])
    };
    let features: Vec<f32> = (0..count).flat_map(row).copied().collect();
    let logits = head::logits(&head.layers, &features);
    Ok(logits.chunks(head.classes.len()).map(<[f32]>::to_vec).collect())
}

fn ask(
    python: &Path,
    of: Of,
    folder: &Path,
    model: &HubModel<'_>,
    probes: &Inputs,
    samples: &[Value],
) -> Result<Answer> {
    let name = python.display();
    let mut prepared = Vec::new();
    let mut job = json!({
        "folder": std::path::absolute(folder)?,
        "samples": samples,
        "trusts": model.needs_trust(),
    });
    match &model.form {
        Form::Pictures(Pictures { how, size: (height, width), .. }) => {
            let count = probes.batch().len();
            // Keras' model does the rest itself.
            let floats =
                |bytes: &[u8]| bytes.iter().flat_map(|byte| f32::from(*byte).to_le_bytes()).collect();
            let (kind, shape) = match of {
                Of::Hub => ("hf", [count, 3, *height, *width]),
                Of::Torchvision => ("torch", [count, 3, *height, *width]),
                Of::Keras => ("keras", [count, *height, *width, 3]),
            };
            prepared = if of == Of::Keras { floats(probes.batch().bytes()) } else { normalised(how, probes) };
            job["kind"] = kind.into();
            job["exact"] = model.processor().is_some().into();
            job["keras"] = keras::job(model, how);
            job["shape"] = json!(shape);
        }
        Form::Texts(_) => {
            job["kind"] = "texts".into();
            job["probes"] = json!(text::PROBES);
        }
    }
    let mut child = Command::new(python)
        .args([OsStr::new("-c"), OsStr::new(SCRIPT)])
        // It opens files, and nothing else.
        .envs([
            ("HF_HUB_OFFLINE", "1"),
            ("TRANSFORMERS_VERBOSITY", "error"),
            ("HF_HUB_DISABLE_PROGRESS_BARS", "1"),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run `{name}`; --verify-with takes the path of a Python"))?;
    if let Some(mut input) = child.stdin.take() {
        // What it could not be told, it says itself.
        let _ = writeln!(input, "{job}").and_then(|()| input.write_all(&prepared));
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let last = errors.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        bail!("`{name}` cannot open the folder: {}", last.trim());
    }
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("`{name}` answered in no way that is known"))
}

/// (n, 3, h, w) f32, little-endian, of RGB bytes.
fn normalised(how: &Preprocessing, inputs: &Inputs) -> Vec<u8> {
    let tables = how.tables();
    let length = inputs.ends.first().copied().unwrap_or(1);
    let plane = |picture: &[u8], c: usize| -> Vec<u8> {
        let values = picture.chunks(3).flat_map(|rgb| tables[c][usize::from(rgb[c])].to_le_bytes());
        values.collect()
    };
    let pictures = inputs.batch().bytes().chunks(length);
    pictures.flat_map(|picture| (0..3).flat_map(move |c| plane(picture, c)).collect::<Vec<u8>>()).collect()
}

/// The largest difference, and whose it is.
fn compare(
    with: &str,
    names: &[String],
    own: &[Vec<f32>],
    theirs: &[Vec<f32>],
    passes: f64,
) -> Result<(f64, usize)> {
    if own.len() != theirs.len() || own.iter().zip(theirs).any(|(a, b)| a.len() != b.len()) {
        bail!("{with} gave another number of logits than there are");
    }
    let scale = own.iter().flatten().map(|x| f64::from(x.abs())).fold(1.0, f64::max);
    let (mut largest, mut worst) = (0.0, 0);
    for (at, (a, b)) in own.iter().zip(theirs).enumerate() {
        for (a, b) in a.iter().zip(b) {
            let difference = f64::from((a - b).abs());
            // A NaN is the largest.
            if difference > largest || difference.is_nan() {
                (largest, worst) = (difference, at);
            }
        }
    }
    if largest <= passes * scale {
        return Ok((largest, worst));
    }
    Err(GateError(format!(
        "{with} opens the folder, but the logits of `{}` differ from ours by {largest:.3e}, {:.1e} of the largest; at most {passes:.0e} passes",
        names[worst],
        largest / scale,
    ))
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_named() {
        let names = ["a", "b"].map(str::to_owned);
        let own = [vec![1.0, 2.0], vec![10.0, 0.0]];
        let with = |x: f32| [vec![1.0, 2.0], vec![10.0, x]];
        assert_eq!(compare("x", &names, &own, &own, 0.0).unwrap(), (0.0, 0));
        let near = compare("x", &names, &own, &with(5e-4), 1e-4).unwrap();
        assert!((near.0 - 5e-4).abs() < 1e-9 && near.1 == 1);
        for far in [2e-3, f32::NAN, f32::INFINITY] {
            let error = compare("x 1.0", &names, &own, &with(far), 1e-4).unwrap_err();
            assert!(
                error.downcast_ref::<GateError>().is_some_and(|e| e.0.contains("of `b` differ")),
                "{error}"
            );
        }
        assert!(compare("x", &names, &own, &own[..1], 1.0).is_err());
        assert_eq!((best(&[1.0, 3.0, 3.0]), best(&[])), (1, 0));
    }
}
