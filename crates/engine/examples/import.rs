//! Imports an ONNX file and runs it: what `tests/peers/onnx_import.py` compares with ONNX Runtime.
//!
//! `import MODEL [--size HxW] [--tap NAME]… [--run INPUT OUTPUT] [--reference] [--time N] [--dump FOLDER]`
//!
//! INPUT holds normalised pictures as f32, channels first. OUTPUT becomes the taps' features as f32, one tap after the
//! other. With a name of the zoo in the place of MODEL, that is run, with weights of no meaning.
#![expect(clippy::print_stdout, reason = "whoever runs it reads it")]

use headstart_engine::{Cpu, Reference};
use input::{
    Recipe,
    image::{Preprocessing, Resize},
};
use std::{error::Error, fs, path::Path, process::ExitCode, time::Instant};
use weights::{Bound, Tensor};

type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Default)]
struct Args {
    model: String,
    size: Option<(usize, usize)>,
    taps: Vec<String>,
    run: Option<(String, String)>,
    reference: bool,
    time: usize,
    dump: Option<String>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let args = args()?;
    let start = Instant::now();
    let (bound, size, default_tap) = load(&args)?;
    let network = bound.network().clone();
    let logits = network.resolve("logits").is_ok() && default_tap != "logits";
    let defaults = [default_tap].into_iter().chain(logits.then(|| "logits".to_owned()));
    let taps = if args.taps.is_empty() { defaults.collect() } else { args.taps.clone() };
    println!(
        "{} nodes, {} parameters, {:.2} s",
        network.nodes().len(),
        network.params().len(),
        start.elapsed().as_secs_f64()
    );
    let mut counts = std::collections::BTreeMap::new();
    for node in network.nodes() {
        let op = format!("{:?}", node.op);
        *counts.entry(op.split([' ', '(', '{']).next().unwrap_or_default().to_owned()).or_insert(0) += 1;
    }
    println!("operations {counts:?}");
    println!("taps {}", taps.join(" "));
    println!("fingerprint {} digest {}", network.fingerprint(), bound.digest());
    if let Some(folder) = &args.dump {
        dump(&bound, Path::new(folder))?;
    }
    let names: Vec<&str> = taps.iter().map(String::as_str).collect();
    let cut = network.for_taps(&names)?;
    let tensors: std::collections::HashMap<&str, &Tensor> =
        bound.tensors().map(|(param, tensor)| (param.name.as_str(), tensor)).collect();
    let part = Bound::from_tensors(cut, &args.model, |param| {
        tensors.get(param.name.as_str()).map(|tensor| (*tensor).clone())
    })?;
    println!("widths {:?}", part.network().widths(size.0, size.1)?);
    let how = recipe(size)?;
    if let Some((input, output)) = &args.run {
        let numbers: Vec<f32> =
            fs::read(input)?.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let n = numbers.len() / (3 * size.0 * size.1);
        let given = if args.reference {
            Reference::new(part.clone(), &how)?.run_tensor(&numbers, [n, 3, size.0, size.1])?
        } else {
            Cpu::new(part.clone(), &how)?.run_tensor(&numbers, n, |_, _| ())?
        };
        let bytes: Vec<u8> = given.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
        fs::write(output, bytes)?;
    }
    if args.time > 0 {
        let mut engine = Cpu::new(part, &how)?;
        let input = vec![0.5; 16 * 3 * size.0 * size.1];
        let mut best = f64::INFINITY;
        for _ in 0..=args.time {
            let start = Instant::now();
            engine.run_tensor(&input, 16, |_, _| ())?;
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!("{:.2} pictures a second", 16.0 / best);
    }
    Ok(())
}

fn args() -> Outcome<Args> {
    let mut args = Args::default();
    let mut given = std::env::args().skip(1);
    let missing = "a value is missing";
    while let Some(arg) = given.next() {
        let mut value = || given.next().ok_or(missing);
        match arg.as_str() {
            "--size" => {
                let text = value()?;
                let (height, width) = text.split_once('x').ok_or("a size is HxW")?;
                args.size = Some((height.parse()?, width.parse()?));
            }
            "--tap" => args.taps.push(value()?),
            "--run" => args.run = Some((value()?, value()?)),
            "--reference" => args.reference = true,
            "--time" => args.time = value()?.parse()?,
            "--dump" => args.dump = Some(value()?),
            _ => args.model = arg,
        }
    }
    Ok(args)
}

/// The network with its weights, for pictures of that size.
fn load(args: &Args) -> Outcome<(Bound, (usize, usize), String)> {
    if let Some(entry) = network::zoo::find(&args.model).ok().filter(|_| !Path::new(&args.model).exists()) {
        let network = entry.network();
        let bound = Bound::from_tensors(network, &args.model, |param| {
            Some(Tensor { shape: param.shape.clone(), data: vec![0.01; param.len()] })
        })?;
        return Ok((bound, args.size.unwrap_or((224, 224)), entry.default_tap.to_owned()));
    }
    let tap = args.taps.first().map(String::as_str);
    let options = onnx::Options { size: args.size, tap };
    let imported = onnx::import(Path::new(&args.model), options)?;
    println!("source {:?}", imported.source);
    Ok((imported.bound, imported.source.size, imported.default_tap))
}

fn recipe((height, width): (usize, usize)) -> Outcome<Recipe> {
    let sides = (u32::try_from(height)?, u32::try_from(width)?);
    let how = Preprocessing {
        resize: Resize::Exact(sides.0, sides.1),
        crop: Some(sides),
        ..Preprocessing::imagenet()
    };
    Ok(how.into())
}

/// The graph as JSON, and its weights as safetensors.
fn dump(bound: &Bound, folder: &Path) -> Outcome<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("network.json"), serde_json::to_vec(bound.network())?)?;
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = bound
        .tensors()
        .map(|(param, tensor)| {
            let bytes = tensor.data.iter().flat_map(|value| value.to_le_bytes()).collect();
            (param.name.clone(), param.shape.clone(), bytes)
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes);
        view.map(|view| (name.as_str(), view))
    });
    let views = views.collect::<Result<Vec<_>, _>>()?;
    safetensors::serialize_to_file(views, None, &folder.join("weights.safetensors"))?;
    Ok(())
}
