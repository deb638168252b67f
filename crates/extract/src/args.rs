//! The command line.

use crate::endpoint_args::EndpointArgs;
use clap::{Parser, ValueEnum};
use input::{
    Augment,
    image::{Channels, Decode, Filter, Grey16},
};
use pipeline::{DeviceName, PrecisionName};
use std::path::PathBuf;
use store::Dtype;

/// Run a frozen, pretrained network once over a data set and cache its features.
///
/// Reads INPUT: a folder with one folder of images per class, or a CSV, JSONL or Parquet manifest. A folder may have train, val
/// and test folders on top. Pictures without class folders have no labels. A manifest has the columns `path[,label][,split]`.
/// Its other columns are kept in the features. Its paths are relative to its own folder, or to --root.
///
/// INPUT may be a tar of such a folder, a WebDataset, or Parquet files that hold the pictures. Several are the shards of one data
/// set. They are named one by one, by a pattern as 'x-{000..012}.tar', or by their folder.
///
/// INPUT - is a tar on standard input, or a list of paths, as find prints it. Ids are relative to --root, or to the current
/// folder.
///
/// Formats: JPEG, PNG, WebP, BMP, GIF (first frame), TIFF (first page), PNM (.ppm, .pgm, .pbm) and JPEG XL. They are
/// decoded as Pillow's convert("RGB") does, after applying the EXIF orientation. Resizing is Pillow's to the bit.
///
/// Writes NAME.features/: index.json and shards of rows, sorted by sample id and view. The same inputs give the same bytes,
/// whatever --batch, --threads and --isa, for one --precision. On a card that holds for one kind of card.
///
/// With --text-column, or where WEIGHTS is a network of texts, INPUT is a table with a column of texts (.csv, .tsv, .jsonl or
/// .parquet), a folder of .txt files, or - for a text on each line.
///
/// Images and texts that cannot be read are skipped, counted, and named in the index.
#[derive(Debug, Parser)]
#[command(name = "extract", version, after_help = EXAMPLE, max_term_width = 110)]
pub struct Args {
    /// Folder of images, .csv, .jsonl or .parquet manifest, .tar or .parquet shards, or - for standard input
    #[arg(value_name = "INPUT", required_unless_present_any = ["list_backbones", "from_rows"])]
    pub inputs: Vec<PathBuf>,

    /// Folder to write; with several taps, NAME.features becomes NAME.TAP.features for each
    #[arg(short, long, value_name = "NAME.features", required_unless_present = "list_backbones")]
    pub output: Option<PathBuf>,

    /// Take rows of features from this .npy, .parquet, .arrow or .safetensors in place of INPUT; no network runs [default: none]
    ///
    /// npy: an array of rows and columns.
    ///
    /// parquet, arrow: one column of lists of numbers, or many columns of numbers. FILE:NAME names one of several lists.
    ///
    /// safetensors: the only tensor of two sides, or the one that FILE:NAME names.
    ///
    /// Numbers of any type become f32. Columns of text, and `id`, `path`, `label` and `split`, are kept as a manifest's are.
    #[arg(long, visible_alias = "from-npy", value_name = "FILE", conflicts_with_all = OF_NETWORKS, help_heading = "Rows")]
    pub from_rows: Option<PathBuf>,

    /// Table of what the rows are: .csv, .jsonl, .parquet, or a vector of labels as .npy [default: what FILE says]
    ///
    /// Its columns are `label`, `split`, `id` or `path`, and any others. Rows are matched by `id` where FILE has one too, and
    /// by their order otherwise.
    #[arg(long, value_name = "TABLE", help_heading = "Rows")]
    pub labels: Option<PathBuf>,

    /// What the rows are called: a head takes only rows of the name that it was fitted on [default: FILE's name]
    #[arg(long, value_name = "NAME", help_heading = "Rows")]
    pub name: Option<String>,

    /// Network to run, an ONNX model, or endpoint:MODEL; --list-backbones lists networks [default: auto, the one that WEIGHTS
    /// is of, else headstart_tiny, or with --text-column headstart_words]
    ///
    /// endpoint:MODEL asks a server for the features of texts. docs/endpoints.md says more.
    #[arg(short, long, value_name = "NAME", help_heading = "Network")]
    pub backbone: Option<String>,

    /// Its weights: a file, or a folder as on the Hugging Face hub [default: those that come with headstart_tiny and
    /// headstart_words]
    ///
    /// Files: safetensors, PyTorch's, Keras', ONNX, GGUF and MXNet's .params. Names of tensors may be torchvision's, timm's, transformers',
    /// open_clip's, Keras' or Gluon's. A folder's configuration says the network and the preprocessing.
    ///
    /// Addresses: hf://ORG/NAME, torchvision://NAME and https://… are downloaded once, by the program fetch.
    #[arg(short, long, value_name = "WEIGHTS", help_heading = "Network")]
    pub weights: Option<PathBuf>,

    /// Take what WEIGHTS names from the cache, and download nothing
    #[arg(long, help_heading = "Network")]
    pub offline: bool,

    /// Where to read features: pooled, gap, fc7, or any named node; repeat it for several [default: the backbone's own]
    ///
    /// Nodes are named as layer3 or features.12 are, and average-pooled. Several taps take one pass.
    ///
    /// Pooled otherwise: layer3:max, layer3:mean+max for both side by side, layer3:flat for every number of the map.
    ///
    /// Of texts: sentence, mean, cls, max, last, or layer:3 and the like, whose tokens are averaged.
    #[arg(short, long = "tap", value_name = "TAP", help_heading = "Network")]
    pub taps: Vec<String>,

    /// Preprocessing to start from [default: the backbone's own]
    #[arg(long, value_enum, value_name = "PRESET", help_heading = "Preprocessing")]
    pub preprocess: Option<Preset>,

    /// Resize the shorter side to N pixels, or to HxW pixels exactly (height first) [default: the preset's]
    #[arg(long, value_name = "N|HxW", help_heading = "Preprocessing")]
    pub resize: Option<String>,

    /// Centre crop of N or HxW pixels after resizing, or none [default: the preset's]
    #[arg(long, value_name = "N|HxW|none", help_heading = "Preprocessing")]
    pub crop: Option<String>,

    /// Resampling kernel, antialiased: bilinear or bicubic [default: the preset's]
    #[arg(long, value_name = "KERNEL", value_parser = parse_filter, help_heading = "Preprocessing")]
    pub filter: Option<Filter>,

    /// How JPEGs are decoded: exact, every pixel; or fast, at a part of their size
    ///
    /// Fast takes a half, a quarter or an eighth, as Pillow's draft does, but never less than they are resized to. It changes
    /// features a little. ACCURACY.md says how much. Features say which, and fast ones do not mix with exact ones.
    #[arg(long, value_name = "HOW", value_parser = parse_decode, default_value = "exact", help_heading = "Preprocessing")]
    pub decode: Decode,

    /// What becomes of 16-bit grey: clip or scale
    ///
    /// clip: Levels above 255 become white, as in Pillow.
    ///
    /// scale: The high byte is kept, as in OpenCV.
    ///
    /// Features say which, and do not mix.
    #[arg(long, value_name = "HOW", value_parser = parse_grey16, default_value = "clip", help_heading = "Preprocessing")]
    pub grey16: Grey16,

    /// Channel order that the network expects: rgb or bgr [default: the preset's]
    #[arg(long, value_name = "ORDER", value_parser = parse_channels, help_heading = "Preprocessing")]
    pub channels: Option<Channels>,

    /// What bytes are divided by first: 255 for values from 0 to 1, 1 for none [default: the preset's]
    #[arg(long, value_name = "NUMBER", help_heading = "Preprocessing")]
    pub divisor: Option<f32>,

    /// Subtracted after dividing, per channel in the network's order [default: the preset's]
    #[arg(long, value_name = "A,B,C", value_parser = parse_triple, allow_hyphen_values = true, help_heading = "Preprocessing")]
    pub mean: Option<[f32; 3]>,

    /// Divided by last, per channel in the network's order [default: the preset's]
    #[arg(long, value_name = "A,B,C", value_parser = parse_triple, help_heading = "Preprocessing")]
    pub std: Option<[f32; 3]>,

    /// Column of a table that holds the texts [default: text, else sentence]
    #[arg(long, value_name = "COLUMN", help_heading = "Texts")]
    pub text_column: Option<String>,

    /// Column of the second texts, where samples are pairs [default: none]
    #[arg(long, value_name = "COLUMN", help_heading = "Texts")]
    pub text_column_2: Option<String>,

    /// Tokens of a text, at most; a longer one loses its end [default: what the network's folder says]
    #[arg(long, value_name = "N", help_heading = "Texts")]
    pub max_tokens: Option<usize>,

    /// Reads a longer text in windows of N tokens, and averages them [default: none, and N of --max-tokens]
    ///
    /// The last window ends with the text, so none is shorter than the others. Give N, or put --window behind INPUT.
    #[arg(long, value_name = "N", num_args = 0..=1, help_heading = "Texts")]
    pub window: Option<Option<usize>>,

    /// Tokens from the beginning of one window to that of the next [default: windows do not overlap]
    #[arg(long, value_name = "N", requires = "window", help_heading = "Texts")]
    pub stride: Option<usize>,

    /// Folder that a manifest's or list's paths, and the samples' ids, are relative to [default: the manifest's own, or the
    /// current one]
    #[arg(long, value_name = "DIR", help_heading = "Samples")]
    pub root: Option<PathBuf>,

    /// Per cent of train/val/test, or of train/test, drawn by each file's content [default: 80/10/10]
    ///
    /// They are drawn only where neither folders nor manifest give splits.
    #[arg(long, value_name = "A/B/C", help_heading = "Samples")]
    pub split: Option<sample::Ratios>,

    /// Take only the I-th of N equal runs of the samples, in the order of their ids [default: 1/1]
    ///
    /// So machines can share the work. A row's bytes are those of a whole run.
    #[arg(long, value_name = "I/N", value_parser = parse_part, help_heading = "Samples")]
    pub part: Option<Part>,

    /// Views of each train picture: the picture itself, and N - 1 augmented copies of it
    ///
    /// fit-head learns from each copy as from a row of its own. Nothing else ever looks at copies. Pictures of val and test
    /// have one view.
    #[arg(long, value_name = "N", default_value = "1", help_heading = "Views")]
    pub views: u32,

    /// What copies are made by: any of crop, flip and colour, which apply in this order [default: flip,crop]
    ///
    /// crop: torchvision's RandomResizedCrop, of 35 to 100 % of the area.
    ///
    /// flip: Half of the copies are mirrored.
    ///
    /// colour: Brightness, contrast and saturation change by up to 30 %.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = parse_augment, help_heading = "Views")]
    pub augment: Option<Vec<Augment>>,

    /// Seed of the copies [default: 0]
    ///
    /// What is drawn follows from it, the view's number and the picture's bytes, and from nothing else.
    #[arg(long, value_name = "N", help_heading = "Views")]
    pub seed: Option<u64>,

    /// What to do with an image that cannot be read or decoded
    #[arg(long, value_enum, value_name = "ACTION", default_value = "skip", help_heading = "Samples")]
    pub on_error: OnError,

    /// Fail when more than this share of the images, in per cent, could not be read or decoded
    #[arg(long, value_name = "PERCENT", default_value = "1", help_heading = "Samples")]
    pub max_skipped: f64,

    /// Number format of stored features: f32, f16 or bf16
    #[arg(long, value_name = "DTYPE", default_value = "f32", help_heading = "Output")]
    pub dtype: Dtype,

    /// Write a shard when its features reach this many MiB
    #[arg(long, value_name = "MIB", default_value = "64", help_heading = "Output")]
    pub shard_size: usize,

    /// Replace NAME.features where it exists, if this program wrote it
    #[arg(long, help_heading = "Output")]
    pub force: bool,

    /// Replace NAME.features, but run only images that are new or have changed
    ///
    /// All other rows are taken over. The result is a fresh run's, byte for byte.
    #[arg(long, conflicts_with = "force", help_heading = "Output")]
    pub update: bool,

    /// Take over rows of another features folder too, of the same images under the same settings; repeat it for more
    /// [default: none]
    #[arg(long, value_name = "OTHER.features", help_heading = "Output")]
    pub reuse: Vec<PathBuf>,

    /// Where to run the network: auto, cpu, cuda, cuda:1, or several as in cuda:0,1
    ///
    /// auto: The first card where this build has CUDA and there is one, else the CPU.
    ///
    /// cuda: The first of NVIDIA's cards; cuda:1 is another. Several share the work, and must be of one kind.
    ///
    /// Before a card is used, it must agree with the CPU on four made-up pictures.
    #[arg(long, value_name = "DEVICE", default_value = "auto", help_heading = "Device")]
    pub device: DeviceName,

    /// What numbers are: auto; f32 or bf16 on the CPU; f32, tf32, f16 or bf16 on a card [default: f32 on the CPU; on a card f16,
    /// or bf16 where the made-up pictures show that the network's numbers are too large for it]
    ///
    /// auto: On CPUs with AVX-512 BF16 it is bf16, or f32 where the made-up pictures come out too far from f32 at any tap; on
    /// other CPUs f32. On a card it is the default. So features differ from machine to machine.
    ///
    /// tf32: Numbers are rounded to 10 bits before they are multiplied.
    ///
    /// f16: Numbers have 10 bits, up to 65,504.
    ///
    /// bf16: Numbers have 7 bits, and f32's range. On CPUs with AVX-512 BF16 it is up to 1.8 times as fast as f32,
    /// elsewhere slower.
    ///
    /// Features say which they were made in.
    #[arg(long, value_name = "PRECISION", help_heading = "Device")]
    pub precision: Option<PrecisionName>,

    /// Images that are prepared, and go through the network, together; changes memory and speed, never a feature
    /// [default: 32 on the CPU; on a card as many as keep it busy and fit into its memory]
    ///
    /// Of an endpoint: texts of a request, 64 where nothing is said.
    #[arg(long, value_name = "N", help_heading = "Device")]
    pub batch: Option<usize>,

    /// Instruction set to run the network with, on the CPU: avx512, avx2, neon or portable; changes speed, never a feature
    /// [default: the fastest that the processor has]
    #[arg(long, value_name = "NAME", value_parser = parse_isa, help_heading = "Device")]
    pub isa: Option<engine::Isa>,

    /// Flags of `--backbone endpoint:MODEL`.
    #[command(flatten)]
    pub endpoint: EndpointArgs,

    /// Print a table of the backbones that can be named, and exit
    #[arg(long)]
    pub list_backbones: bool,

    /// Flags that every tool has.
    #[command(flatten)]
    pub common: cli::Common,
}

/// What preprocessing to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// torchvision's: shorter side 256, bilinear, centre crop 224, RGB / 255, ImageNet's mean and std
    Imagenet,
    /// Keras' VGG16 and ResNet50: 224x224 exactly, bilinear, BGR, ImageNet's mean subtracted, not scaled
    Keras,
}

/// What to do with a bad sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnError {
    /// Leave it out, name it in the index
    Skip,
    /// Stop
    Fail,
}

/// One of several equal runs of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which, from 0.
    pub(crate) index: usize,
    /// Of how many.
    pub(crate) count: usize,
}

/// Three numbers, one a channel.
pub(crate) type Triple = [f32; 3];

/// Flags of what a network does, which rows that are there already have no need of.
const OF_NETWORKS: [&str; 34] = [
    "inputs",
    "backbone",
    "weights",
    "offline",
    "taps",
    "preprocess",
    "resize",
    "crop",
    "filter",
    "decode",
    "grey16",
    "channels",
    "divisor",
    "mean",
    "std",
    "text_column",
    "text_column_2",
    "max_tokens",
    "window",
    "stride",
    "root",
    "part",
    "views",
    "augment",
    "seed",
    "on_error",
    "max_skipped",
    "update",
    "reuse",
    "device",
    "precision",
    "batch",
    "isa",
    "list_backbones",
];

const EXAMPLE: &str = "Example, from the root of a clone after `make demo`:
  target/release/extract target/demo/sample -o /tmp/sample.features --force

Exit codes: 0 success, 1 failed, 2 wrong usage, 130 interrupted (the same command goes on).";

fn parse_triple(text: &str) -> Result<Triple, String> {
    let numbers: Result<Vec<f32>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let numbers = numbers.ok().and_then(|numbers| numbers.try_into().ok());
    numbers.ok_or_else(|| "expected three numbers such as 0.485,0.456,0.406".to_owned())
}

fn parse_filter(text: &str) -> Result<Filter, String> {
    match text {
        "bilinear" => Ok(Filter::Bilinear),
        "bicubic" => Ok(Filter::Bicubic),
        _ => Err("expected bilinear or bicubic".to_owned()),
    }
}

fn parse_decode(text: &str) -> Result<Decode, String> {
    match text {
        "exact" => Ok(Decode::Exact),
        "fast" => Ok(Decode::Fast),
        _ => Err("expected exact or fast".to_owned()),
    }
}

fn parse_grey16(text: &str) -> Result<Grey16, String> {
    match text {
        "clip" => Ok(Grey16::Clip),
        "scale" => Ok(Grey16::Scale),
        _ => Err("expected clip or scale".to_owned()),
    }
}

fn parse_channels(text: &str) -> Result<Channels, String> {
    match text {
        "rgb" => Ok(Channels::Rgb),
        "bgr" => Ok(Channels::Bgr),
        _ => Err("expected rgb or bgr".to_owned()),
    }
}

fn parse_part(text: &str) -> Result<Part, String> {
    let numbers = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    match numbers {
        Some((index @ 1.., count)) if index <= count => Ok(Part { index: index - 1, count }),
        _ => Err("expected I/N such as 2/3, the second of three".to_owned()),
    }
}

fn parse_augment(text: &str) -> Result<Augment, String> {
    Augment::parse(text).ok_or_else(|| "expected flip, crop or colour, separated by commas".to_owned())
}

fn parse_isa(text: &str) -> Result<engine::Isa, String> {
    let names = engine::Isa::available().into_iter().map(|isa| (format!("{isa:?}").to_lowercase(), isa));
    let names: Vec<_> = names.collect();
    let known = names.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let found = names.iter().find(|(name, _)| name == text).map(|(_, isa)| *isa);
    found.ok_or_else(|| format!("this processor runs {known}"))
}
