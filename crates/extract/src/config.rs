//! What the flags come to, checked once.

use crate::{args::Args, preprocess, samples::SampleConfig};
use backbone::{Backbone, BackboneError, Wanted};
use cli::UsageError;
use input::{Augment, Recipe, Views};
use network::{Op, zoo};
use pipeline::{Assignment, Device, DeviceName, DeviceRequest, LOOK};
use published::TORCHVISION;
use sample::{DataSet, Doubt};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use store::{Dtype, brief::shortened};

/// A checked job.
pub(crate) struct Config {
    samples: SampleConfig,
    /// One a tap, in the same order.
    outputs: Vec<PathBuf>,
    taps: Vec<String>,
    backbone: Backbone,
    recipe: Recipe,
    views: Option<Views>,
    dtype: Dtype,
    shard_bytes: usize,
    force: bool,
    update: bool,
    /// Finished folders whose rows may be taken over.
    reuse: Vec<PathBuf>,
    batch: Option<usize>,
    device: Device,
    no_card: Option<String>,
}

impl Config {
    /// # Errors
    /// [`UsageError`] where flags are wrong or do not go together.
    pub(crate) fn new(mut args: Args) -> anyhow::Result<Config> {
        let usage = |text: String| Err(UsageError(text).into());
        if let Some(weights) = args.weights.take() {
            if let Some(name) = weights.to_str().and_then(not_built) {
                return usage(format!(
                    "torchvision's {name} is not built here; export it as ONNX, and give that as --weights"
                ));
            }
            args.weights = Some(cli::fetched(&weights, args.offline, args.common.quiet)?);
        }
        let backbone = find(&args)?;
        let recipe = preprocess::of(&args, backbone.recipe.clone())?;
        let views = views(&args)?;
        // clap requires both unless a list is asked for, which never comes here.
        let (false, Some(output)) = (args.inputs.is_empty(), args.output.take()) else {
            return usage("INPUT and -o are required".to_owned());
        };
        let samples = SampleConfig::new(&mut args, &output, matches!(recipe, Recipe::Text(_)))?;
        let Args { mut taps, dtype, shard_size, reuse, batch, device, precision, isa, .. } = args;
        if let Some(batch) = batch.filter(|batch| !(1..=4096).contains(batch)) {
            return usage(format!("--batch takes a number from 1 to 4096, got {batch}"));
        }
        let shard_bytes = shard_bytes(shard_size)?;
        if taps.is_empty() {
            taps.push(backbone.default_tap.clone());
        }
        if taps.iter().collect::<BTreeSet<_>>().len() < taps.len() {
            return usage("a --tap is given twice".to_owned());
        }
        for tap in &taps {
            backbone.network.for_taps(&[tap]).map_err(|error| UsageError(error.to_string()))?;
        }
        let outputs = name_outputs(&output, &taps)?;
        // Texts were run on an emulated card alone so far: whoever wants a card for them says so.
        let name = match device {
            DeviceName::Auto if backbone.network.reads_texts() => DeviceName::Cpu,
            name => name,
        };
        let (device, no_card) = DeviceRequest { name, precision, isa }
            .settle(LOOK)
            .map_err(|error| UsageError(error.to_string()))?;
        Ok(Config {
            samples,
            outputs,
            taps,
            backbone,
            recipe,
            views,
            dtype,
            shard_bytes,
            force: args.force,
            update: args.update,
            reuse,
            batch,
            device,
            no_card,
        })
    }

    /// Which samples there are.
    pub(crate) fn samples(&self) -> &SampleConfig {
        &self.samples
    }

    /// Which splits samples are in, and which views they have.
    pub(crate) fn assignment(&self, data: &DataSet) -> Assignment {
        Assignment { ratios: self.samples.ratios(data), views: self.views.clone(), grows: false }
    }

    /// Augmented views, where there are any.
    pub(crate) fn views(&self) -> Option<&Views> {
        self.views.as_ref()
    }

    /// Taps and where their features go.
    pub(crate) fn taps(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.taps.iter().map(String::as_str).zip(self.outputs.iter().map(PathBuf::as_path))
    }

    /// The network and its weights.
    pub(crate) fn backbone(&self) -> &Backbone {
        &self.backbone
    }

    pub(crate) fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    pub(crate) fn dtype(&self) -> Dtype {
        self.dtype
    }

    pub(crate) fn shard_bytes(&self) -> usize {
        self.shard_bytes
    }

    /// Whether what is there may be replaced.
    pub(crate) fn replaces(&self) -> bool {
        self.force || self.update
    }

    /// Whether rows of what is there are taken over.
    pub(crate) fn updates(&self) -> bool {
        self.update
    }

    /// Finished folders whose rows may be taken over.
    pub(crate) fn reuse(&self) -> impl Iterator<Item = &Path> {
        self.reuse.iter().map(PathBuf::as_path)
    }

    /// Pictures of a batch, where that was given.
    pub(crate) fn batch(&self) -> Option<usize> {
        self.batch
    }

    /// What runs the network.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// Why that is no card, where one was looked for in vain.
    pub(crate) fn no_card(&self) -> Option<&str> {
        self.no_card.as_deref()
    }
}

/// The backbone that `--backbone` and `--weights` mean.
fn find(args: &Args) -> anyhow::Result<Backbone> {
    let name = args.backbone.as_deref().filter(|name| *name != AUTO);
    let are_texts = args.text_column.is_some() || args.text_column_2.is_some() || args.max_tokens.is_some();
    let name = name.or_else(|| (are_texts && args.weights.is_none()).then_some(backbone::OF_TEXTS));
    // What flags alone say, for a model that says nothing.
    let said = preprocess::of(args, None).ok().and_then(|recipe| recipe.picture_size());
    let prepared = args.preprocess.is_some();
    let wanted = Wanted { name, weights: args.weights.as_deref(), taps: &args.taps, size: said, prepared };
    let found = backbone::find(wanted);
    let found = found.map_err(|error| match error {
        BackboneError::Unknown(error) => {
            let error = error.to_string();
            let stop = if error.ends_with('?') { "" } else { ";" };
            UsageError(format!("{error}{stop} --list-backbones lists all {}", zoo::all().len())).into()
        }
        error if error.is_usage() => UsageError(error.to_string()).into(),
        error => anyhow::Error::from(error),
    })?;
    // Only a model that somebody gave is of other pictures.
    let channels = found.network.nodes().iter().filter_map(|node| match node.op {
        Op::Input { channels } if channels != 3 => Some(channels),
        _ => None,
    });
    if let Some(channels) = channels.min() {
        let file = args.weights.as_deref().or(name.map(Path::new)).unwrap_or(Path::new(&found.name));
        return Err(UsageError(format!(
            "`{}` reads pictures of {channels} channels, extract gives 3; export the model for pictures in colour",
            file.display()
        ))
        .into());
    }
    Ok(found)
}

/// The network of an address that torchvision has weights of and the zoo does not have: they would be downloaded in vain.
fn not_built(address: &str) -> Option<&str> {
    let name = address.strip_prefix("torchvision://")?;
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    let is_torchvisions = TORCHVISION.iter().any(|(network, ..)| *network == name);
    (is_torchvisions && zoo::find(name).is_err()).then_some(name)
}

/// What `--backbone` is by default, said.
const AUTO: &str = "auto";

/// What `--views`, `--augment` and `--seed` come to.
fn views(args: &Args) -> Result<Option<Views>, UsageError> {
    let usage = |text: String| Err(UsageError(text));
    let most = Views::MOST;
    match args.views {
        1 if args.augment.is_some() => usage("--augment goes with --views 2 or more".to_owned()),
        1 if args.seed.is_some() => {
            usage("--seed goes with --views 2 or more: nothing else is drawn".to_owned())
        }
        1 => Ok(None),
        views if views > most || views == 0 => {
            usage(format!("--views takes a number from 1 to {most}, got {views}"))
        }
        count => {
            let augment = args.augment.clone().unwrap_or_else(|| vec![Augment::Flip, Augment::Crop]);
            let views = Views::new(count, augment.iter().copied(), args.seed.unwrap_or(0));
            if views.augment.len() < augment.len() {
                return usage("an augmentation of --augment is given twice".to_owned());
            }
            Ok(Some(views))
        }
    }
}

/// What `--shard-size` comes to.
pub(crate) fn shard_bytes(mib: usize) -> Result<usize, UsageError> {
    match mib {
        1..=65_536 => Ok(mib << 20),
        _ => Err(UsageError(format!("--shard-size takes MiB from 1 to 65536, got {mib}"))),
    }
}

/// `flowers.features` for one tap; `flowers.layer3.features`, `flowers.pooled.features` for several. A slash is a dot:
/// `/layer1/Relu` goes to `flowers.layer1.Relu.features`.
pub(crate) fn name_outputs(output: &Path, taps: &[String]) -> Result<Vec<PathBuf>, UsageError> {
    let name = output.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some(stem) = name.strip_suffix(".features").filter(|stem| !stem.is_empty()) else {
        let output = output.display();
        return Err(UsageError(format!("-o takes a name that ends in .features, got `{output}`")));
    };
    if let [_] = taps {
        return Ok(vec![output.to_owned()]);
    }
    let place = |tap: &String| {
        // A colon ends a target's name in a Makefile, and a machine's in scp.
        let tap = tap.trim_start_matches('/').replace(['/', ':'], ".");
        output.with_file_name(format!("{stem}.{tap}.features"))
    };
    let places: Vec<PathBuf> = taps.iter().map(place).collect();
    for (at, place) in places.iter().enumerate() {
        if let Some(first) = places[..at].iter().position(|earlier| earlier == place) {
            let (first, tap, place) = (shortened(&taps[first]), shortened(&taps[at]), place.display());
            return Err(UsageError(format!(
                "--tap {first} and --tap {tap} would both go to `{place}`; extract one of them on its own"
            )));
        }
    }
    Ok(places)
}
/// What to know of a manifest that no classifier can be fitted on.
pub(crate) fn doubtful(input: &Path, doubt: &Doubt) -> String {
    let path = input.display();
    let rest = "fit-head --target labels and number need no more";
    match doubt {
        Doubt::OneClass { class } => {
            format!("`{path}` has one class only, `{class}`: a classifier needs at least two; {rest}")
        }
        Doubt::NotInTrain { class, split } => format!(
            "class `{class}` of `{path}` is in {split} but not in train: no classifier can be fitted on that; {rest}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tap_s_slashes_are_no_folders() {
        let named = |taps: &[&str]| {
            let taps: Vec<String> = taps.iter().map(|tap| (*tap).to_owned()).collect();
            let places = name_outputs(Path::new("d/q.features"), &taps).map_err(|error| error.to_string())?;
            Ok(places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>())
        };
        assert_eq!(named(&["/a/Relu"]), Ok(vec!["d/q.features".to_owned()]));
        let expected = ["d/q.pooled.features", "d/q.stages.stages.0.act.Relu.features"];
        let expected: Result<_, String> = Ok(expected.map(str::to_owned).to_vec());
        assert_eq!(named(&["pooled", "/stages/stages.0/act/Relu"]), expected);
        let message = named(&["a/b", "pooled", "a.b"]).unwrap_err();
        assert_eq!(
            message,
            "--tap a/b and --tap a.b would both go to `d/q.a.b.features`; extract one of them on its own"
        );
    }
}
